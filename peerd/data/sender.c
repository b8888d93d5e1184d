/*
 * sender.c - one packet going out: connect, prove, then the tar, prints.txt, the signed trailer and END, a batch of
 * records a turn; then wait for the recipient's END. The source comes back whatever happens.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/crypto/hash.h"
#include "common/statements/open.h"
#include "peerd/data/data_in.h"
#include "peerd/data/press_choice.h"
#include "peerd/data/reader.h"
#include "peerd/data/result.h"

enum phase { LOOKING, CONNECTING, REPLY, TAR, PRINTS, TRAILER, SENT };

struct data_sender {
	struct data_transfer x;		/* first */
	enum phase phase;
	struct sp_addr addr;
	struct data_keys keys;		/* wiped once it dials */
	uint64_t held;			/* by the recipient */
	struct source *source;		/* owned */
	const struct sp_key *sign_key;	/* borrowed */
	int folder;			/* owned: the source's; -1 = nothing is kept */
	struct data_reader *reader;	/* owned; borrows the source */
	enum sp_status work_status;	/* what the helper's work came to */
	struct sp_why work_why;
	struct press_tries tries;
	struct press_choice choice;
	uint8_t reply[SP_CHANNEL_REPLY];
	size_t have;
	struct sp_buf prints_text;
	size_t prints_at;
	struct sp_hash trailer;
	bool said_by_peer;
	bool ended;			/* the recipient's END came */
};

static void
sender_free(struct data_transfer *x)
{
	struct data_sender *s = (struct data_sender *)x;

	data_reader_free(s->reader);
	source_free(s->source);
	sp_buf_done(&s->prints_text);
	if (s->folder >= 0)
		close(s->folder);
	sp_wipe(s, sizeof(*s));
	free(s);
}

static void
broken(struct data_sender *s, enum sp_status st, const struct sp_why *why)
{
	struct data_result *back = calloc(1, sizeof(*back));

	if (back != NULL)
		back->source = sp_take(&s->source);
	data_reader_free(sp_take(&s->reader));
	data_transfer_broken(&s->x, st, why, s->said_by_peer, back);
}

void
data_sender_abort(struct data_transfer *x, enum sp_status reason)
{
	struct sp_why why = { "" };

	broken((struct data_sender *)x, reason, &why);
}

/* ---- before the first record ---- */

/* Whoever answers there has proved nothing, so its answer is no more than a failed attempt. */
static enum sp_status
not_proved(const struct data_sender *s, struct sp_why *why)
{
	char text[SP_ADDR_TEXT];

	return sp_fail(SP_E_CONNECT, why, "at %s answers somebody else, or for another transfer",
	    sp_addr_text(&s->addr, text));
}

static enum sp_status
confirm(struct data_sender *s, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) statement = { 0 };
	uint8_t mac[SP_CHANNEL_CONFIRM], signature[SP_SIGNATURE];
	struct sp_msg_data_open m;
	enum sp_status st;

	if (sp_channel_sender_confirm(s->x.link.channel, s->reply, mac) != SP_OK)
		return not_proved(s, why);
	sp_buf_add(&s->x.link.out, mac, sizeof(mac));
	if ((st = sp_open_sign(s->x.link.channel, s->sign_key, &statement, signature, why)) != SP_OK)
		return st;
	m = (struct sp_msg_data_open){ .statement = sp_buf_span(&statement),
	    .signature = sp_span(signature, sizeof(signature)) };
	if ((st = data_link_seal(&s->x.link, SP_MSG_DATA_OPEN, &m, why)) != SP_OK)
		return st;
	s->phase = TAR;
	data_transfer_connected(&s->x);
	return data_link_flush(&s->x.link, why);
}

static enum sp_status
read_reply(struct data_sender *s, struct sp_why *why)
{
	ssize_t n = recv(s->x.link.fd, s->reply + s->have, sizeof(s->reply) - s->have, 0);
	char text[SP_ADDR_TEXT];

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return SP_OK;
	if (n <= 0)
		return sp_fail(SP_E_CONNECT, why, "%s did not take the connection", sp_addr_text(&s->addr, text));
	s->have += (size_t)n;
	return s->have == sizeof(s->reply) ? confirm(s, why) : SP_OK;
}

/* ---- records out ---- */

/* One record. bytes: what it carries; NULL: the next of the tar. */
static enum sp_status
add_raw(struct data_sender *s, uint8_t type, uint64_t offset, const uint8_t *bytes, size_t n, struct sp_why *why)
{
	struct sp_buf *out = &s->x.link.out;
	size_t before = out->len;
	uint8_t *record = sp_buf_reserve(out, n + SP_RECORD_RAW_OVER);
	enum sp_status st = SP_OK;

	if (record == NULL)
		return sp_buf_status(out);
	if (bytes == NULL)
		st = data_reader_fill(s->reader, sp_record_raw_place(record), n, why);
	else
		memcpy(sp_record_raw_place(record), bytes, n);
	if (st == SP_OK)
		st = sp_channel_seal_raw(s->x.link.channel, type, offset, record, n);
	if (st != SP_OK)
		out->len = before;	/* a plain record must never leave */
	else if (type != SP_RECORD_PRINTS)
		s->x.wire += n + SP_RECORD_RAW_OVER;
	return st;
}

/* The next part of the tar, tried as a frame. */
static enum sp_status
add_pressed(struct data_sender *s, struct sp_why *why)
{
	uint64_t at = data_reader_at(s->reader), left = data_reader_left(s->reader);
	size_t n = left < SP_PRESS_TAR ? (size_t)left : SP_PRESS_TAR, chunk = s->x.thread->chunk;
	struct sp_span part;
	struct press *press;
	enum sp_status st;
	bool worth;

	if ((st = data_thread_press(s->x.thread, &press)) != SP_OK ||
	    (st = data_reader_fill(s->reader, press_plain(press), n, why)) != SP_OK)
		return st;
	part = press_pack(press, n);
	worth = part.n > 0;
	press_learn(&s->tries, at + n, worth);
	if (!worth)
		part = sp_span(press_plain(press), n);
	for (size_t i = 0; st == SP_OK && i < part.n; i += chunk)
		st = add_raw(s, worth ? SP_RECORD_FRAME : SP_RECORD_TAR, worth ? at : at + i, part.p + i,
		    part.n - i < chunk ? part.n - i : chunk, why);
	return st;
}

static enum sp_status
add_trailer(struct data_sender *s, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) statement = { 0 };
	struct sp_stmt_trailer t = { .offer = s->keys.offer, .changed = data_reader_changed(s->reader) };
	struct sp_msg_data_trailer m;
	struct sp_msg_data_end end = { 0 };
	uint8_t signature[SP_SIGNATURE];
	enum sp_status st;

	source_manifest_hash(s->source, &t.manifest);
	sp_sha256(sp_buf_span(&s->prints_text), &t.prints);
	st = sp_statement_sign(SP_STMT_TRAILER, &t, s->sign_key, &statement, signature, &s->trailer, why);
	if (st != SP_OK)
		return st;
	m.statement = sp_buf_span(&statement);
	m.signature = sp_span(signature, sizeof(signature));
	if ((st = data_link_seal(&s->x.link, SP_MSG_DATA_TRAILER, &m, why)) != SP_OK)
		return st;
	s->phase = SENT;
	return data_link_seal(&s->x.link, SP_MSG_DATA_END, &end, why);
}

static bool
compresses(const struct data_sender *s)
{
	return s->x.thread->compress == DATA_COMPRESS_ALWAYS ||
	    (s->x.thread->compress == DATA_COMPRESS_AUTO && !press_choice_is_raw(&s->choice));
}

/* The next record behind what is sealed, or the next phase. */
static enum sp_status
add_next(struct data_sender *s, struct sp_why *why)
{
	uint64_t left, at = data_reader_at(s->reader);
	size_t n;
	enum sp_status st;

	switch (s->phase) {
	case TAR:
		left = data_reader_left(s->reader);
		n = left < s->x.thread->chunk ? (size_t)left : s->x.thread->chunk;
		if (n > 0 && compresses(s) && press_due(&s->tries, at))
			return add_pressed(s, why);
		if (n > 0)
			return add_raw(s, SP_RECORD_TAR, at, NULL, n, why);
		s->phase = PRINTS;
		return sp_prints_encode(data_reader_prints(s->reader), &s->prints_text);
	case PRINTS:
		left = s->prints_text.len - s->prints_at;
		n = left < SP_RECORD_DATA ? (size_t)left : SP_RECORD_DATA;
		if (n > 0) {
			st = add_raw(s, SP_RECORD_PRINTS, s->prints_at, s->prints_text.data + s->prints_at, n, why);
			s->prints_at += n;
			return st;
		}
		s->phase = TRAILER;
		return SP_OK;
	default:
		return add_trailer(s, why);
	}
}

static enum sp_status
write_turn(struct data_sender *s, struct sp_why *why)
{
	struct data_link *k = &s->x.link;
	uint64_t from = data_reader_at(s->reader);
	enum sp_status st = SP_OK;

	if (data_link_waiting(k) == 0)
		while (st == SP_OK && s->phase < SENT && k->out.len < SP_SEND_BATCH - SP_RECORD_DATA / 2 &&
		    data_reader_at(s->reader) - from <= SP_TURN_TAR - SP_PRESS_TAR)
			st = add_next(s, why);
	if (st == SP_OK && (st = data_link_flush(k, why)) == SP_OK)
		press_choice_turn(&s->choice, data_reader_at(s->reader), sp_clock_boot_ms(), data_link_waiting(k) > 0);
	return st;
}

/* ---- records in ---- */

/* The recipient has made something durable: so do we, or there would be no digests for it after a power failure. */
static void
keep_up(struct data_sender *s)
{
	if (!s->x.syncing && s->reader != NULL)
		(void)data_transfer_sync(&s->x, -1, data_reader_mark(s->reader), data_reader_at(s->reader), true);
}

/* A lost checkpoint costs time after a power failure and nothing else. */
void
data_sender_synced(struct data_transfer *x, const struct data_sync *job)
{
	(void)x;
	(void)job;
}

static enum sp_status
on_record(void *arg, const struct sp_record *record, struct sp_why *why)
{
	struct data_sender *s = arg;
	struct sp_msg_data_checkpoint checkpoint;
	struct sp_msg_data_end end;
	enum sp_status st;

	if (s->ended)
		return sp_fail(SP_E_FORMAT, why, "the recipient went on after its end");
	switch (record->type) {
	case SP_MSG_DATA_CHECKPOINT:
		if ((st = sp_decode(record->desc, record->body, &checkpoint, why)) == SP_OK && checkpoint.held > 0)
			keep_up(s);
		return st;
	case SP_MSG_DATA_ABORT:
		s->said_by_peer = true;
		return data_abort_read(record->body, "the recipient", why);
	case SP_MSG_DATA_END:
		if (s->phase != SENT)
			return sp_fail(SP_E_FORMAT, why, "the recipient ended before everything was sent");
		s->ended = true;
		return sp_decode(record->desc, record->body, &end, why);
	default:
		return sp_fail(SP_E_FORMAT, why, "the recipient sent a record that is not its to send");
	}
}

static void
finished(struct data_sender *s)
{
	struct data_result *r = calloc(1, sizeof(*r));
	struct sp_why why = { "" };
	enum sp_status st = SP_E_NOMEM;

	if (r != NULL)
		st = data_result_files(r, source_manifest(s->source), data_reader_prints(s->reader));
	if (st != SP_OK) {
		data_result_free(r);
		broken(s, st, &why);
		return;
	}
	r->changed = data_reader_changed(s->reader);
	r->prints = data_reader_take_prints(s->reader);
	r->trailer_hash = s->trailer;
	source_manifest_hash(s->source, &r->manifest_hash);
	if (r->changed > 0)
		sp_buf_addf(&r->notes, "%s; %u changed while they were sent and were left out\n",
		    data_reader_changed_word(s->reader), (unsigned)r->changed);
	data_reader_free(sp_take(&s->reader));
	r->source = sp_take(&s->source);
	data_transfer_finished(&s->x, r);
}

/* ---- the connection ---- */

static enum sp_status
turn(struct data_sender *s, unsigned ready, struct sp_why *why)
{
	struct data_link *k = &s->x.link;
	struct sp_why other = { "" };
	enum sp_status st = SP_OK, said;

	if ((ready & SP_READ) != 0)
		st = data_link_read(k, s->x.thread->scratch, on_record, s, why);
	if (st != SP_OK || s->ended || (ready & SP_WRITE) == 0)
		return st;
	st = write_turn(s, why);
	if (st != SP_E_CLOSED)
		return st;
	/* The recipient may have said why before it went. */
	said = data_link_read(k, s->x.thread->scratch, on_record, s, &other);
	if (said == SP_OK || !s->said_by_peer)
		return st;
	*why = other;
	return said;
}

/* Watches the connection for what comes next; what has gone since then may have to be rested for. */
static enum sp_status
watch(struct data_sender *s, uint64_t sent_before)
{
	struct data_link *k = &s->x.link;
	bool writes = data_link_waiting(k) > 0 || (s->phase >= TAR && s->phase < SENT);

	data_transfer_charge(&s->x, k->sent - sent_before);
	return data_link_want(k, SP_READ | (writes && !sp_timer_is_set(s->x.turn) ? SP_WRITE : 0));
}

static void
on_ready(void *arg, unsigned ready)
{
	struct data_sender *s = arg;
	struct data_link *k = &s->x.link;
	uint64_t before = k->sent;
	struct sp_why why = { "" };
	enum sp_status st = SP_OK;

	if (s->phase == CONNECTING) {
		st = sp_socket_error(k->fd, &s->addr, &why);
		if (st == SP_OK) {
			s->phase = REPLY;
			st = data_link_flush(k, &why);
		}
	} else if (s->phase == REPLY) {
		st = (ready & SP_READ) != 0 ? read_reply(s, &why) : data_link_flush(k, &why);
	} else {
		st = turn(s, ready, &why);
	}
	if (st == SP_OK && s->ended) {
		finished(s);
		return;
	}
	if (st == SP_OK)
		st = watch(s, before);
	if (st != SP_OK)
		broken(s, st, &why);
	else if (s->phase >= TAR)
		data_transfer_progress(&s->x, data_reader_at(s->reader));
}

/* A turn that does not come with the socket. */
static void
on_turn(void *arg)
{
	on_ready(arg, SP_WRITE);
}

static void
on_timer(void *arg)
{
	struct data_sender *s = arg;
	struct data_link *k = &s->x.link;
	uint64_t idle = s->phase < TAR ? SP_DATA_HANDSHAKE_MS : s->x.thread->idle_ms;
	uint64_t active = k->heard_ms > k->sent_ms ? k->heard_ms : k->sent_ms;
	struct sp_why why;
	char text[SP_ADDR_TEXT];

	if (sp_clock_boot_ms() < active + idle) {
		sp_timer_set_at(s->x.timer, active + idle);
		return;
	}
	broken(s, sp_fail(s->phase < TAR ? SP_E_CONNECT : SP_E_TIMEOUT, &why, "%s: no answer for %u s",
	    sp_addr_text(&s->addr, text), (unsigned)(idle / 1000)), &why);
}

/* What an earlier connection sent is read again, as far as its digests need it. */
static void
look_work(struct sp_work *work)
{
	struct data_sender *s = (struct data_sender *)work;
	struct journal_at at = { s->folder, "digests", s->x.id, s->keys.offer };

	s->work_status = data_reader_new(s->source, s->folder >= 0 ? &at : NULL, s->held, &s->reader, &s->work_why);
}

static enum sp_status
dial(struct data_sender *s, struct sp_why *why)
{
	struct data_thread *t = s->x.thread;
	struct data_link *k = &s->x.link;
	struct sp_channel_terms terms = { .offer = s->keys.offer, .accept = s->keys.accept, .number = 1 };
	uint8_t opening[SP_CHANNEL_OPENING];
	enum sp_status st;

	if ((st = sp_socket_dial(&s->addr, t->bind.family != 0 ? &t->bind : NULL, &k->fd, why)) != SP_OK)
		return st;
	data_link_tune(k->fd, t->idle_ms);
	memcpy(terms.token, s->keys.token, sizeof(terms.token));
	memcpy(terms.recipient_key, s->keys.accept_key, sizeof(terms.recipient_key));
	st = sp_channel_sender_begin(&terms, opening, &k->channel);
	sp_wipe(&terms, sizeof(terms));
	sp_wipe(s->keys.token, sizeof(s->keys.token));
	if (st != SP_OK)
		return st;
	sp_buf_add(&k->out, opening, sizeof(opening));
	k->record_max = DATA_ANSWER_MAX;
	k->sent_ms = sp_clock_boot_ms();
	k->watch = sp_watch_new(t->loop, k->fd, on_ready, s);
	if (k->watch == NULL)
		return SP_E_NOMEM;
	s->phase = CONNECTING;
	sp_timer_set(s->x.timer, SP_DATA_HANDSHAKE_MS);
	return data_link_want(k, SP_WRITE);
}

static void
looked(struct data_transfer *x)
{
	struct data_sender *s = (struct data_sender *)x;
	struct sp_why why = s->work_why;
	enum sp_status st = s->work_status;

	if (st == SP_OK) {
		x->from = x->bytes = data_reader_at(s->reader);
		st = dial(s, &why);
	}
	if (st != SP_OK)
		broken(s, st, &why);
}

void
data_sender_begin(struct data_thread *t, struct data_order *o)
{
	struct data_sender *s = calloc(1, sizeof(*s));
	struct sp_why why = { "" };

	if (s == NULL)
		abort();
	s->x.free = sender_free;
	s->addr = o->send.addr;
	s->keys = o->send.keys;
	s->held = o->send.held;
	s->sign_key = o->send.sign_key;
	s->source = sp_take(&o->send.source);
	s->folder = o->send.folder != NULL ? open(o->send.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (data_transfer_enter(t, &s->x, o, on_timer, on_turn) == SP_OK)
		data_transfer_work(&s->x, look_work, looked);
	else
		broken(s, SP_E_NOMEM, &why);
}
