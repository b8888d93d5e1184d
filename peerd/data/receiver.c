/*
 * receiver.c - one packet coming in: have it looked at what an earlier connection left of it, wait for the one connection of the accept, then
 * the tar, prints.txt, the trailer and END in this order and nothing else, with a checkpoint now and then; everything is
 * compared before links and modes are made and our END goes back.
 */
#include "common/base/clock.h"
#include "common/crypto/hash.h"
#include "common/statements/ending.h"
#include "common/statements/open.h"
#include "peerd/data/half.h"
#include "peerd/data/restore.h"
#include "peerd/data/result.h"
#include "peerd/data/room.h"
#include "peerd/data/writer.h"

enum phase { LOOKING, RESERVED, WAITING, USED, TAR, PRINTS, END, DONE };

struct data_receiver {
	struct data_transfer x;			/* first */
	enum phase phase;
	struct data_receive_order order;	/* received is owned; secrets are wiped once connected */
	char id_text[SP_ID_TEXT];
	struct sp_hash accept;
	struct data_writer *writer;		/* owned */
	uint64_t promised;			/* bytes that other transfers are still to receive */
	enum sp_status work_status;		/* what the helper's work came to */
	struct sp_why work_why;
	struct sp_buf prints_text;
	size_t prints_max;
	struct press_in frame;			/* that is coming in */
	uint64_t turn_at;			/* of the tar: where this turn began */
	uint64_t room_at;			/* and where room was last asked for */
	struct data_result *result;		/* owned, filled as things are known */
	bool said_by_peer;
	bool started;
	bool held;				/* until the delivery is paid */
	uint64_t held_until_ms;
	uint64_t asked_at, asked_ms;		/* offset and time of the last checkpoint that was begun */
};

static void
receiver_free(struct data_transfer *x)
{
	struct data_receiver *r = (struct data_receiver *)x;

	data_writer_free(r->writer);
	sp_buf_done(&r->prints_text);
	press_in_done(&r->frame);
	data_result_free(r->result);
	free((char *)r->order.received);
	sp_wipe(r, sizeof(*r));
	free(r);
}

static void
broken(struct data_receiver *r, enum sp_status st, const struct sp_why *why)
{
	data_transfer_broken(&r->x, st, why, r->said_by_peer, NULL);
}

/* Is so much not on the disk yet that nothing more is to come before it is? */
static bool
rests(const struct data_receiver *r)
{
	return r->x.syncing && data_writer_at(r->writer) - data_writer_durable(r->writer) >= SP_DIRTY_MAX;
}

/* Watches the connection for what is wanted now; or the next turn comes without it. */
static enum sp_status
watch(struct data_receiver *r)
{
	bool reads = !r->held && !rests(r);

	if (reads && data_link_left(&r->x.link) && !sp_timer_is_set(r->x.turn))
		sp_timer_set(r->x.turn, 0);
	reads = reads && !sp_timer_is_set(r->x.turn);
	return data_link_want(&r->x.link, (reads ? SP_READ : 0) | (data_link_waiting(&r->x.link) > 0 ? SP_WRITE : 0));
}

/* ---- the connection's proof: asked by half.c ---- */

struct data_transfer *
data_receiver_find(struct data_thread *t, const struct sp_channel_opening *opening)
{
	struct data_transfer *x;

	LIST_FOREACH(x, &t->transfers, list) {
		const struct data_receiver *r = (const struct data_receiver *)x;

		if (!x->sending && r->phase == WAITING && opening->number == 1 &&
		    memcmp(opening->accept_start, r->accept.b, sizeof(opening->accept_start)) == 0)
			return x;
	}
	return NULL;
}

enum sp_status
data_receiver_reply(const struct data_transfer *x, const uint8_t opening[SP_CHANNEL_OPENING],
    uint8_t ret_reply[SP_CHANNEL_REPLY], struct sp_channel **ret_channel)
{
	const struct data_receiver *r = (const struct data_receiver *)x;
	struct sp_channel_terms terms = { .offer = r->order.offer, .accept = r->accept, .number = 1 };
	enum sp_status st;

	memcpy(terms.token, r->order.token, sizeof(terms.token));
	memcpy(terms.recipient_key, r->order.one_time.public_key, sizeof(terms.recipient_key));
	st = sp_channel_recipient_accept(&terms, &r->order.one_time, opening, ret_reply, ret_channel);
	sp_wipe(&terms, sizeof(terms));
	return st;
}

void
data_receiver_used(struct data_transfer *x)
{
	struct data_receiver *r = (struct data_receiver *)x;

	r->phase = USED;
	sp_wipe(&r->order.one_time, sizeof(r->order.one_time));
	sp_wipe(r->order.token, sizeof(r->order.token));
}

enum sp_status
data_receiver_admit(const struct data_transfer *x, struct sp_channel *ch, const struct sp_record *record,
    struct sp_why *why)
{
	const struct data_receiver *r = (const struct data_receiver *)x;
	struct sp_msg_data_open m;
	enum sp_status st;

	if (record->type != SP_MSG_DATA_OPEN)
		return sp_fail(SP_E_FORMAT, why, "the sender's first record is not OPEN");
	if ((st = sp_decode(record->desc, record->body, &m, why)) != SP_OK ||
	    (st = sp_open_check(ch, m.statement, m.signature, &r->order.sender, why)) != SP_OK)
		return st;
	return sp_channel_admit(ch);
}

/* ---- records ---- */

static enum sp_status
on_prints(struct data_receiver *r, const struct sp_record *record, struct sp_why *why)
{
	if (record->offset != r->prints_text.len)
		return sp_fail(SP_E_FORMAT, why, "the fingerprints did not come in order");
	if (record->body.n > r->prints_max - r->prints_text.len)
		return sp_fail(SP_E_LONG, why, "more fingerprints came than the packet has files");
	sp_buf_add_span(&r->prints_text, record->body);
	return sp_buf_status(&r->prints_text);
}

static enum sp_status
check_trailer(struct data_receiver *r, const struct sp_msg_data_trailer *m, struct sp_why *why)
{
	struct sp_stmt_trailer t;
	struct sp_hash prints, hash;
	uint32_t changed = 0;
	enum sp_status st;

	st = sp_trailer_open(m->statement, m->signature, &r->order.sender, &r->order.offer, &r->order.manifest, &t, &hash, why);
	if (st != SP_OK)
		return st;
	sp_sha256(sp_buf_span(&r->prints_text), &prints);
	if (!sp_hash_eq(&t.prints, &prints))
		return sp_fail(SP_E_MISMATCH, why, "the sender signed for another packet than it sent");
	st = data_writer_compare(r->writer, sp_buf_span(&r->prints_text), &changed, why);
	/* What was held from before a break may be what is wrong: once, it begins anew. */
	if (st == SP_E_PRINT && data_writer_held(r->writer) > 0 && data_writer_throw_away(r->writer))
		return sp_fail(SP_E_STALE, why, "%s", sp_status_text(SP_E_STALE));
	if (st != SP_OK)
		return st;
	if (changed != t.changed)
		return sp_fail(SP_E_MISMATCH, why,
		    "the sender signed for another number of changed files than it names");
	r->result->changed = changed;
	r->result->trailer_hash = hash;
	return SP_OK;
}

static enum sp_status
on_trailer(struct data_receiver *r, const struct sp_record *record, struct sp_why *why)
{
	struct sp_msg_data_trailer m;
	enum sp_status st = sp_decode(record->desc, record->body, &m, why);

	if (st == SP_OK)
		st = check_trailer(r, &m, why);
	sp_buf_done(&r->prints_text);
	r->phase = END;
	return st;
}

/* Everything was right: finish the packet on the disk and say so. */
static enum sp_status
on_end(struct data_receiver *r, const struct sp_record *record, struct sp_why *why)
{
	struct sp_msg_data_end end;
	enum sp_status st;

	if ((st = sp_decode(record->desc, record->body, &end, why)) != SP_OK ||
	    (st = data_writer_finish(r->writer, &r->result->notes, why)) != SP_OK ||
	    (st = restore_result(r->result, r->writer, &r->order)) != SP_OK)
		return st;
	r->phase = DONE;
	return data_link_seal(&r->x.link, SP_MSG_DATA_END, &end, why);
}

/* What the next record of a frame makes available; nothing before the frame is whole. */
static enum sp_status
on_frame(struct data_receiver *r, const struct sp_record *record, struct sp_span *ret_bytes, struct sp_why *why)
{
	struct press *press;
	bool whole;
	enum sp_status st = press_in_add(&r->frame, record->offset, record->body, &whole, why);

	*ret_bytes = sp_span(NULL, 0);
	if (st == SP_OK && whole && (st = data_thread_press(r->x.thread, &press)) == SP_OK)
		st = press_unpack(press, &r->frame, ret_bytes, why);
	return st;
}

static enum sp_status
on_tar(struct data_receiver *r, const struct sp_record *record, struct sp_why *why)
{
	struct sp_span bytes = record->body;
	enum sp_status st = SP_OK;

	r->x.wire += record->body.n + SP_RECORD_RAW_OVER;
	if (record->type == SP_RECORD_FRAME)
		st = on_frame(r, record, &bytes, why);
	else if (press_in_begun(&r->frame))
		st = sp_fail(SP_E_FORMAT, why, "a compressed frame was not ended");
	if (st == SP_OK && bytes.n > 0)
		st = data_writer_feed(r->writer, record->offset, bytes, why);
	r->x.link.enough = data_writer_at(r->writer) - r->turn_at >= SP_TURN_TAR;
	if (st == SP_OK && data_writer_is_full(r->writer)) {
		r->phase = PRINTS;
		r->prints_max = 64 + 80 * (size_t)data_writer_files(r->writer);
	}
	return st;
}

static enum sp_status
on_record(void *arg, const struct sp_record *record, struct sp_why *why)
{
	struct data_receiver *r = arg;
	bool is_tar = record->type == SP_RECORD_TAR || record->type == SP_RECORD_FRAME;

	if (record->type == SP_MSG_DATA_ABORT && r->phase != DONE) {
		r->said_by_peer = true;
		return data_abort_read(record->body, "the sender", why);
	}
	if (is_tar && r->phase == TAR)
		return on_tar(r, record, why);
	/* More than was offered has a word of its own. */
	if (is_tar && r->phase > TAR)
		return sp_fail(SP_E_LONG, why, "more bytes came than were offered");
	if (record->type == SP_RECORD_PRINTS && r->phase == PRINTS)
		return on_prints(r, record, why);
	if (record->type == SP_MSG_DATA_TRAILER && r->phase == PRINTS)
		return on_trailer(r, record, why);
	if (record->type == SP_MSG_DATA_END && r->phase == END)
		return on_end(r, record, why);
	return sp_fail(SP_E_FORMAT, why, "the sender's records are not in their order");
}

/* ---- checkpoints ---- */

/* Begins one when it is time for it. */
static void
checkpoint(struct data_receiver *r)
{
	uint64_t at = data_writer_at(r->writer), now = sp_clock_boot_ms(), offset;
	int folder, journal;

	if (r->x.syncing || r->phase < TAR || r->phase == DONE ||
	    (at - r->asked_at < SP_CHECKPOINT_BYTES && now < r->asked_ms + SP_CHECKPOINT_MS) ||
	    !data_writer_to_sync(r->writer, &offset, &folder, &journal))
		return;
	r->asked_at = at;
	r->asked_ms = now;
	(void)data_transfer_sync(&r->x, folder, journal, offset, false);
}

/* Data and digests are durable: the journal says so, and when that is, too, so do we. */
static enum sp_status
checkpointed(struct data_receiver *r, const struct data_sync *job, struct sp_why *why)
{
	struct sp_msg_data_checkpoint m = { .held = job->offset };
	enum sp_status st;

	if (job->marked) {
		if ((st = data_link_seal(&r->x.link, SP_MSG_DATA_CHECKPOINT, &m, why)) != SP_OK)
			return st;
		return data_link_flush(&r->x.link, why);
	}
	if ((st = data_writer_synced(r->writer, job->offset, why)) != SP_OK)
		return st;
	(void)data_transfer_sync(&r->x, -1, data_writer_journal(r->writer), job->offset, true);
	return SP_OK;
}

void
data_receiver_synced(struct data_transfer *x, const struct data_sync *job)
{
	struct data_receiver *r = (struct data_receiver *)x;
	bool rested = data_writer_at(r->writer) - data_writer_durable(r->writer) >= SP_DIRTY_MAX;
	struct sp_why why = { "" };
	enum sp_status st = job->status;

	if (st != SP_OK) {
		/* whatever the kernel could not write it may have dropped: nothing of it is believed */
		data_writer_distrust(r->writer);
		broken(r, sp_fail(st, &why, "cannot write what was received to the disk: %s", sp_status_text(st)), &why);
		return;
	}
	if (r->phase < TAR) {
		data_transfer_reserved(x, data_writer_held(r->writer));
		return;
	}
	if (rested)
		x->link.heard_ms = sp_clock_boot_ms();
	if ((st = checkpointed(r, job, &why)) == SP_OK) {
		checkpoint(r);
		st = watch(r);
	}
	if (st != SP_OK)
		broken(r, st, &why);
}

/* ---- the connection ---- */

/* The reserve was there when it was offered; others write, too. */
static enum sp_status
check_room(struct data_receiver *r, struct sp_why *why)
{
	uint64_t at = data_writer_at(r->writer);

	if (at - r->room_at < SP_ROOM_BYTES)
		return SP_OK;
	r->room_at = at;
	return room_left(data_writer_folder(r->writer), r->x.thread->reserve, why);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct data_receiver *r = arg;
	struct data_link *k = &r->x.link;
	struct sp_why why = { "" };
	enum sp_status st = SP_OK;

	r->turn_at = data_writer_at(r->writer);
	if ((ready & SP_READ) != 0) {
		uint64_t before = k->got;

		st = data_link_read(k, r->x.thread->scratch, on_record, r, &why);
		data_transfer_charge(&r->x, k->got - before);
	}
	if (st == SP_OK && r->phase == TAR)
		st = check_room(r, &why);
	if (st == SP_OK && data_link_flush(k, &why) != SP_OK && r->phase != DONE)
		st = SP_E_CLOSED;
	if (st == SP_OK && r->phase == DONE) {
		data_transfer_finished(&r->x, sp_take(&r->result));
		return;
	}
	if (st == SP_OK) {
		checkpoint(r);
		st = watch(r);
	}
	if (r->writer != NULL)
		r->x.bytes = data_writer_at(r->writer);
	if (st != SP_OK)
		broken(r, st, &why);
	else
		data_transfer_progress(&r->x, data_writer_at(r->writer));
}

/* A turn that does not come with the socket. */
static void
on_turn(void *arg)
{
	struct data_receiver *r = arg;

	if (!r->held && !rests(r))
		on_ready(r, SP_READ);
}

/* Before the connection: its deadline. After: heart-beats, and the sender's silence. */
static void
on_timer(void *arg)
{
	struct data_receiver *r = arg;
	struct data_link *k = &r->x.link;
	struct sp_msg_data_checkpoint beat = { 0 };
	struct sp_why why = { "" };
	enum sp_status st = SP_OK;

	if (r->phase < TAR)
		st = sp_fail(SP_E_TIMEOUT, &why, "the sender did not connect in time");
	else if (r->held && sp_clock_boot_ms() >= r->held_until_ms)
		st = sp_fail(SP_E_UNPAID, &why, "%s", sp_status_text(SP_E_UNPAID));
	else if (!r->held && !rests(r) && !sp_timer_is_set(r->x.turn) && sp_clock_boot_ms() >= k->heard_ms + r->x.thread->idle_ms)
		st = sp_fail(SP_E_TIMEOUT, &why, "the sender was silent for %u s",
		    (unsigned)(r->x.thread->idle_ms / 1000));
	else if (data_link_waiting(k) == 0)
		st = data_link_seal(k, SP_MSG_DATA_CHECKPOINT, &beat, &why);
	if (st == SP_OK)
		st = data_link_flush(k, &why);
	if (st == SP_OK) {
		checkpoint(r);
		st = watch(r);
	}
	if (st != SP_OK)
		broken(r, st, &why);
	else
		sp_timer_set(r->x.timer, r->x.thread->idle_ms < SP_DATA_HEARTBEAT_MS ? r->x.thread->idle_ms :
		    SP_DATA_HEARTBEAT_MS);
}

static void
begin_work(struct sp_work *work)
{
	struct data_receiver *r = (struct data_receiver *)work;

	r->work_status = data_writer_begin(r->writer, &r->work_why);
}

static enum sp_status
begin_tar(struct data_receiver *r)
{
	struct data_link *k = &r->x.link;

	k->heard_ms = sp_clock_boot_ms();
	k->watch = sp_watch_new(r->x.thread->loop, k->fd, on_ready, r);
	r->result = calloc(1, sizeof(*r->result));
	if (k->watch == NULL || r->result == NULL)
		return SP_E_NOMEM;
	r->asked_at = data_writer_held(r->writer);
	r->asked_ms = sp_clock_boot_ms();
	r->held_until_ms = k->heard_ms + SP_FRANK_WAIT_MS;
	return watch(r);
}

/* What was left is open again: now data may come. */
static void
begun(struct data_transfer *x)
{
	struct data_receiver *r = (struct data_receiver *)x;
	struct sp_why why = r->work_why;
	enum sp_status st = r->work_status;

	if (st == SP_OK)
		st = begin_tar(r);
	if (st != SP_OK) {
		broken(r, st, &why);
		return;
	}
	r->phase = TAR;
	sp_timer_set(x->timer, 0);	/* the first heart-beat: the sender knows that it is admitted */
	data_transfer_connected(x);
}

void
data_receiver_connected(struct data_transfer *x, int fd_take, struct sp_channel *channel_take)
{
	struct data_link *k = &x->link;

	k->fd = fd_take;
	k->channel = channel_take;
	k->record_max = SP_RECORD_BYTES_MAX;
	sp_timer_stop(x->timer);
	data_transfer_work(x, begin_work, begun);
}

void
data_receiver_release(struct data_transfer *x)
{
	struct data_receiver *r = (struct data_receiver *)x;
	struct sp_why why = { "" };

	if (!r->held)
		return;
	r->held = false;
	x->link.heard_ms = sp_clock_boot_ms();
	if (r->phase >= TAR && watch(r) != SP_OK)
		broken(r, SP_E_SYS, &why);
}

/* From now on the connection may come. */
static void
await(struct data_receiver *r)
{
	r->phase = WAITING;
	sp_timer_set(r->x.timer, SP_DATA_OPEN_MS);
	data_half_retry(r->x.thread);
}

void
data_receiver_start(struct data_transfer *x, const struct sp_hash *accept)
{
	struct data_receiver *r = (struct data_receiver *)x;

	if (r->phase > RESERVED)
		return;
	r->accept = *accept;
	r->started = true;
	if (r->phase == RESERVED)
		await(r);
}

/* What an earlier connection left is read, and the disk asked for room for the rest. */
static void
look_work(struct sp_work *work)
{
	struct data_receiver *r = (struct data_receiver *)work;
	struct data_terms terms = restore_terms(&r->order, r->id_text);

	r->work_status = data_writer_new(&terms, &r->writer);
	if (r->work_status == SP_OK)
		r->work_status = room_ask(r->order.received, r->order.packet - data_writer_held(r->writer), r->promised,
		    r->x.thread->reserve, &r->work_why);
}

static void
looked(struct data_transfer *x)
{
	struct data_receiver *r = (struct data_receiver *)x;
	struct sp_why why = r->work_why;
	int journal = -1;

	if (r->work_status != SP_OK) {
		broken(r, r->work_status, &why);
		return;
	}
	r->phase = RESERVED;
	sp_timer_set(x->timer, SP_DATA_OPEN_MS);
	if (!data_writer_lowers(r->writer, &journal) ||
	    !data_transfer_sync(x, -1, journal, data_writer_held(r->writer), true))
		data_transfer_reserved(x, data_writer_held(r->writer));
	if (r->started)
		await(r);
}

void
data_receiver_begin(struct data_thread *t, struct data_order *o)
{
	struct data_receiver *r = calloc(1, sizeof(*r));
	struct sp_why why = { "" };

	if (r == NULL)
		abort();
	r->x.free = receiver_free;
	r->order = o->receive;
	r->held = r->order.hold;
	r->promised = o->promised;
	o->receive.received = NULL;
	sp_id_text(&r->order.transfer, r->id_text);
	if (data_transfer_enter(t, &r->x, o, on_timer, on_turn) == SP_OK)
		data_transfer_work(&r->x, look_work, looked);
	else
		broken(r, SP_E_NOMEM, &why);
}
