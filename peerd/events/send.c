/*
 * send.c - the sender's machine: walking the files, the data order, attempts and pauses.
 */
#include "peerd/events/cancel.h"
#include "peerd/events/send.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/rand.h"
#include "peerd/events/paths.h"

void
send_fail(struct live *l, enum sp_status st, const struct sp_why *why)
{
	live_reason(l, st, why);
	/* where only the way failed the recipient keeps what it has: the user may try again; a disk that failed is not the way */
	if (sp_status_class(st) != SP_CLASS_RETRY || st == SP_E_IO)
		live_sign_cancel(l, st);
	live_happens(l, SEND_ON_FAILURE, "failed: %s", l->row->reason_text);
}

/* The connection is lost, or was none; as opposed to what one side found wrong. */
static bool
is_loss(enum sp_status st)
{
	return st == SP_E_CLOSED || st == SP_E_TIMEOUT || st == SP_E_CONNECT || st == SP_E_STALE;
}

/* Everything is there, as far as this side knows: how it ended only the recipient can say, however long it is away. */
static bool
was_sent(const struct live *l)
{
	return !sp_hash_is_zero(&l->row->files_hash);
}

/* The last connection is lost, or the recipient ended it: it is asked once more how it stands. Only a signed end, or progress, changes
 * anything then. Whoever does not answer an offer cannot say. */
static bool
asks_once_more(struct live *l, uint32_t count, uint32_t most, enum sp_status st, const struct sp_why *why)
{
	if (l->row->state != SEND_SENDING || count != most)
		return false;
	live_reason(l, st, why);
	l->row->due_ms = 0;
	live_happens(l, SEND_ON_BROKEN, "the connection failed: %s; the recipient is asked how it stands", l->row->reason_text);
	return true;
}

bool
send_has_ended(struct live *l)
{
	struct sp_why why;
	enum sp_status st = l->row->reason;

	if (st == SP_OK || (l->row->attempts < l->all->conf.attempts && l->row->breaks < l->all->conf.breaks)) {
		/* what the recipient signed meanwhile keeps its reason: it is what comes next */
		if (l->row->final.len == 0)
			live_no_reason(l);
		return false;
	}
	sp_why_set(&why, "%s", l->row->reason_text);
	send_fail(l, st, &why);
	return true;
}

/* Lost in the midst of it: the sender goes on by itself, unless nothing came of it too often. */
static void
broke(struct live *l, enum sp_status st, const struct sp_why *why)
{
	const char *text = why != NULL && why->text[0] != 0 ? why->text : sp_status_text(st);

	if (st == SP_E_STALE)
		l->row->held = 0;
	if (++l->row->breaks >= l->all->conf.breaks) {
		if (l->row->wait_peer || was_sent(l))
			send_away(l, text);
		else if (!asks_once_more(l, l->row->breaks, l->all->conf.breaks, st, why))
			send_fail(l, st, why);
		return;
	}
	l->row->due_ms = 0;
	live_happens(l, SEND_ON_BROKEN, "break %u of %u without progress: %s", l->row->breaks, l->all->conf.breaks, text);
}

uint64_t
send_held(const struct live *l)
{
	return l->accept.held_count > 0 && l->accept.held[0].from == 0 ? l->accept.held[0].to : 0;
}

void
send_attempt_failed(struct live *l, enum sp_status st, const struct sp_why *why)
{
	const char *text = why != NULL && why->text[0] != 0 ? why->text : sp_status_text(st);

	if (l->row->reason != SP_OK && send_has_ended(l))
		return;
	if (l->row->breaks > 0 && is_loss(st)) {	/* no new beginning: the recipient may be starting again */
		broke(l, st, why);
		return;
	}
	l->row->attempts++;
	if ((l->row->wait_peer || was_sent(l)) && (st == SP_E_CONNECT || st == SP_E_TIMEOUT) && l->row->attempts >= l->all->conf.attempts) {
		send_away(l, text);
		return;
	}
	if (sp_status_class(st) != SP_CLASS_RETRY || l->row->attempts >= l->all->conf.attempts) {
		if (sp_status_class(st) != SP_CLASS_RETRY || !asks_once_more(l, l->row->attempts, l->all->conf.attempts, st, why))
			send_fail(l, st, why);
		return;
	}
	l->row->due_ms = 0;
	live_happens(l, SEND_ON_BROKEN, "attempt %u of %u failed: %s", l->row->attempts, l->all->conf.attempts, text);
}

void
send_walk_soon(struct live *l)
{
	live_timer(l, SP_ATTEMPT_MIN_MS + sp_random_below(SP_ATTEMPT_MIN_MS), SEND_ON_TIMER);
}

static void
walk(struct live *l)
{
	const struct event_row *row = l->row;
	const struct sp_identity *own = member_identity(l->all->parts.station);
	struct sp_name person = own->name;
	char person_text[SP_NAME_TEXT], station_text[SP_NAME_TEXT];
	struct sp_manifest_head head = { .kind = SP_PACKET_FILES };
	SP_AUTO(path_list) *paths = path_list_parse(row->paths);
	SP_AUTO_DONE(sp_buf) folder = { 0 };
	enum sp_status st;

	person.station[0] = 0;
	memcpy(head.salt, row->salt.b, sizeof(head.salt));
	head.person = sp_name_text(&person, person_text);
	head.station = sp_name_text(&own->name, station_text);
	head.organisation = l->all->conf.organisation;
	head.title = row->title;
	head.message = row->message;
	source_free(l->source);
	l->source = NULL;
	if (paths == NULL) {
		send_fail(l, SP_E_NOMEM, NULL);
		return;
	}
	outgoing_dir(l->all, &row->id, &folder);
	st = data_walk(l->all->pool, &row->id, l->generation, (const char *const *)paths->items, paths->count, &head,
	    sp_buf_cstr(&folder));
	if (st == SP_E_FULL)
		send_walk_soon(l);
	else if (st != SP_OK)
		send_fail(l, st, NULL);
}

static void
walked(struct live *l, struct data_happening *h)
{
	enum sp_status st = h->status;

	if (st == SP_OK && (h->result == NULL || h->result->source == NULL))
		st = SP_E_STATE;
	if (st == SP_E_FULL) {
		send_walk_soon(l);
		return;
	}
	if (st != SP_OK) {
		send_fail(l, st, &h->why);
		return;
	}
	l->source = sp_take(&h->result->source);
	send_price(l);
}

void
send_walked(struct live *l)
{
	struct sp_why why = { "" };
	enum sp_status st = send_make_offer(l, &why);

	if (st != SP_OK)
		send_fail(l, st, &why);
	else
		live_happens(l, SEND_ON_WALKED, NULL);
}

static void
transmit(struct live *l)
{
	SP_AUTO_DONE(sp_buf) folder = { 0 };
	struct data_send_order order = {
		.transfer = l->row->id,
		.generation = l->generation,
		.addr = l->to,
		.peer = l->row->peer,
		.source = l->source,
		.sign_key = member_key(l->all->parts.station),
	};
	enum sp_status st;

	outgoing_dir(l->all, &l->row->id, &folder);
	order.folder = sp_buf_cstr(&folder);
	order.held = send_held(l);
	l->source = NULL;
	l->connected = l->settled_early = false;
	l->row->files_hash = (struct sp_hash){ { 0 } };		/* of what was sent before */
	order.keys.offer = l->offer_hash;
	order.keys.accept = l->accept.hash;
	memcpy(order.keys.accept_key, l->accept.key, sizeof(order.keys.accept_key));
	memcpy(order.keys.token, l->accept.token, sizeof(order.keys.token));
	memcpy(order.keys.domain, sp_trust_domain(member_trust(l->all->parts.station)),
	    strlen(sp_trust_domain(member_trust(l->all->parts.station))) + 1);
	st = data_send(l->all->pool, &order);
	sp_wipe(&order.keys, sizeof(order.keys));
	sp_wipe(&l->accept, sizeof(l->accept));
	if (st == SP_E_FULL)
		send_wait_turn(l);
	else if (st != SP_OK)
		send_attempt_failed(l, st, NULL);
	else
		send_frank(l);
}

static void
pause_for_a_while(struct live *l)
{
	uint64_t ms = SP_ATTEMPT_MIN_MS + sp_random_below(SP_ATTEMPT_MAX_MS - SP_ATTEMPT_MIN_MS);

	if (l->row->breaks > 0)
		ms = sp_backoff_ms(l->row->breaks - 1, SP_ATTEMPT_MIN_MS, SP_BREAK_MOST_MS) + sp_random_below(SP_ATTEMPT_MIN_MS);
	live_timer(l, ms, SEND_ON_TIMER);
}

static void
confirm(struct live *l)
{
	/* DONE is late then: offered again, the recipient answers with where it stands */
	live_timer(l, l->all->conf.data.idle_ms, SEND_ON_TIMER);
	if (l->settled_early)
		send_settle_early(l);
}

/* Everything is at the recipient and checked; what the receipt is compared with is kept before we say so. */
struct keep_files {
	struct sp_work work;
	struct events *all;
	struct sp_id id;
	uint64_t generation;
	struct sp_buf dir, text;
	enum sp_status status;
	struct sp_why why;
};

static void
keep_run(struct sp_work *work)
{
	struct keep_files *k = (struct keep_files *)work;
	SP_AUTO_DONE(sp_buf) path = { 0 };

	sp_buf_add_span(&path, sp_buf_span(&k->dir));
	sp_buf_add_text(&path, "/files.txt");
	if ((errno = SP_FAULT_ERRNO("sent-list")) != 0)
		k->status = sp_fail_errno(SP_E_IO, &k->why, "cannot write %s", sp_buf_cstr(&path));
	else
		k->status = sp_mkdirs(sp_buf_cstr(&k->dir), 0700, &k->why);
	if (k->status == SP_OK)
		k->status = sp_file_put(sp_buf_cstr(&path), sp_buf_span(&k->text), 0600, &k->why);
}

static void
keep_drop(struct sp_work *work)
{
	struct keep_files *k = (struct keep_files *)work;

	sp_buf_done(&k->dir);
	sp_buf_done(&k->text);
	free(k);
}

static void
kept(struct live *l, const struct keep_files *k)
{
	if (sp_status_no_room(k->status)) {
		l->row->files_hash = (struct sp_hash){ { 0 } };		/* as after a stop before it was noted */
		send_no_room(l, k->status, &k->why);
	} else if (k->status != SP_OK) {
		send_fail(l, k->status, &k->why);
	} else {
		live_happens(l, SEND_ON_SENT, "everything was sent, %llu bytes of the packet as %llu; waits for the "
		    "recipient's signature", (unsigned long long)l->rest, (unsigned long long)l->wire);
	}
}

static void
keep_done(struct sp_work *work)
{
	struct keep_files *k = (struct keep_files *)work;
	struct live *l = live_find(k->all, &k->id, EVENT_SEND, NULL);

	if (l != NULL && l->generation == k->generation)
		kept(l, k);
	keep_drop(work);
}

static void
finished(struct live *l, struct data_result *r)
{
	struct keep_files *k = calloc(1, sizeof(*k));
	enum sp_status st = k != NULL ? SP_OK : SP_E_NOMEM;

	l->source = sp_take(&r->source);
	l->row->trailer = r->trailer_hash;
	l->row->files_hash = r->files_hash;
	l->row->done_bytes = l->row->packet;
	live_note(l, sp_buf_span(&r->notes));
	if (st == SP_OK) {
		k->work = (struct sp_work){ keep_run, keep_done, keep_drop };
		k->all = l->all;
		k->id = l->row->id;
		k->generation = l->generation;
		k->text = r->files_txt;
		r->files_txt = (struct sp_buf){ 0 };
		outgoing_dir(l->all, &l->row->id, &k->dir);
		st = sp_worker_submit(l->all->files, &k->work);
	}
	if (st == SP_OK)
		return;
	if (k != NULL)
		keep_drop(&k->work);
	send_fail(l, st, NULL);
}

static void
log_data(const struct live *l, const char *what, const struct data_happening *h)
{
	char id[SP_ID_TEXT];

	sp_log(SP_LOG_INFO, what, "transfer=%s sent_from=%llu to=%llu wire=%llu status=%s", sp_id_text(&l->row->id, id),
	    (unsigned long long)h->from, (unsigned long long)h->bytes, (unsigned long long)h->wire, sp_status_name(h->status));
}

void
send_data(struct live *l, struct data_happening *h)
{
	switch (h->what) {
	case DATA_WALKED:
		walked(l, h);
		break;
	case DATA_RESERVED:
		break;
	case DATA_CONNECTED:
		l->connected = true;
		break;
	case DATA_PROGRESS:
		l->row->done_bytes = h->bytes;
		live_observe(l, NULL);
		break;
	case DATA_FINISHED:
		log_data(l, "data-sent", h);
		l->rest = h->bytes - h->from;
		l->wire = h->wire;
		finished(l, h->result);
		break;
	case DATA_BROKEN:
		if (h->result != NULL)
			l->source = sp_take(&h->result->source);
		l->row->done_bytes = h->bytes;
		log_data(l, "data-broken", h);
		if (l->connected && is_loss(h->status)) {
			broke(l, h->status, &h->why);
			break;
		}
		/* one side has no room now; whatever there is waits with what it has */
		if (sp_status_no_room(h->status)) {
			send_no_room(l, h->status, &h->why);
			break;
		}
		if (h->by_peer && h->status != SP_E_UNPAID && sp_status_class(h->status) != SP_CLASS_RETRY) {
			l->row->attempts = l->all->conf.attempts;
			if (!asks_once_more(l, 0, 0, h->status, &h->why))
				send_fail(l, h->status, &h->why);
			break;
		}
		/* unpaid: the recipient refuses for good if that is how it was; its answer to the next offer says it */
		send_attempt_failed(l, h->status == SP_E_UNPAID ? SP_E_CLOSED : h->status, &h->why);
		break;
	}
}

static void
end(struct live *l)
{
	send_answer_done(l);
	/* what failed may be tried again */
	if (l->row->state != SEND_FAILED)
		outgoing_remove(l->all, &l->row->id);
}

static void
end_failed(struct live *l)
{
	live_send_cancel(l);
	end(l);
}

static void
end_cancelled(struct live *l)
{
	live_quiet(l);
	live_send_cancel(l);
	end(l);
}

static void
end_delivered(struct live *l)
{
	end(l);
}

#define offer send_offer
#define fetch send_fetch
#define fetch_later send_fetch_later
#define postmark send_postmark
#define postmark_soon send_postmark_soon
#define postmark_later send_postmark_later
#define pause pause_for_a_while
#define wait_for_peer send_wait
#define wait_less send_wait_less

#define TABLE_DEF "peerd/events/send.def"
#define TABLE_NAME "send"
#define TABLE_MACHINE send_machine
#define TABLE_ENDING send_spend
#define TABLE_HEARD SEND_ON_HEARD
#define TABLE_STARTED SEND_ON_STARTED
#define TABLE_STATE(NAME) SEND_##NAME
#define TABLE_ON(NAME) SEND_ON_##NAME
#include "peerd/events/table.inc"
