/*
 * decide.c - what the user decides on events later: to take or refuse an offer that waits for that, to try a sending again.
 */
#include "peerd/events/receive.h"
#include "peerd/events/send.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#define CALL_AGAIN_MS (10 * 1000)

/* ---- offers that wait for the user ---- */

/* What is to be answered where nothing changes: SP_OK, it is so already. */
static enum sp_status
look_at(const struct event_row *row, const struct live *l, bool take, struct sp_why *why)
{
	if (row->kind != EVENT_RECEIVE)
		return sp_fail(SP_E_STATE, why, "it is no offer to you");
	if (l == NULL && row->state == RECEIVE_REFUSED && row->reason == SP_E_REFUSED && !take)
		return SP_OK;
	if (l == NULL)
		return sp_fail(SP_E_STATE, why, "it does not wait for you any more: %s",
		    row->ended ? machine_state(&receive_machine, row->state)->text : "it is not under way here");
	if (l->row->state == RECEIVE_ALLOWED && take && !l->saving)
		return SP_OK;
	return sp_fail(SP_E_STATE, why, "it does not wait for you: %s", machine_state(l->machine, l->row->state)->text);
}

void
events_decide(struct events *e, const struct event_row *row, bool take, events_rows_fn *fn, void *arg)
{
	struct live *l = row->kind == EVENT_RECEIVE ? live_find(e, &row->id, EVENT_RECEIVE, NULL) : NULL;
	struct sp_why why = { "" };
	enum sp_status st;

	if (l == NULL || l->saving || l->moving != NULL || !live_heeds(l, take ? RECEIVE_ON_ALLOW : RECEIVE_ON_DENY)) {
		row = l != NULL ? l->row : row;
		st = look_at(row, l, take, &why);
		fn(arg, st, &why, &row, st == SP_OK);
		return;
	}
	if (!take && (st = receive_sign_refuse(e, l->row, &l->offer_hash, SP_E_REFUSED)) != SP_OK) {
		fn(arg, st, &why, NULL, 0);
		return;
	}
	live_quiet(l);
	live_order(l, fn, arg);
	if (take) {
		live_happens(l, RECEIVE_ON_ALLOW, "accepted by you");
	} else {
		live_reason(l, SP_E_REFUSED, NULL);
		live_happens(l, RECEIVE_ON_DENY, "refused by you");
	}
}

static bool
again_msg(const struct live *l, struct sp_msg_again *ret)
{
	*ret = (struct sp_msg_again){ .transfer = l->row->id, .offer = l->offer_hash };
	return l->row->offer.len > 0;
}

/* Whoever does not hear it offers again by itself. */
static void
called(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct live *l = arg;
	struct sp_msg_answer plain;

	(void)why;
	l->letter = 0;
	if (st != SP_OK || answer->type != SP_MSG_ANSWER ||
	    sp_decode(sp_desc_msg(SP_MSG_ANSWER), answer->body, &plain, NULL) != SP_OK)
		return;
	if (sp_status_from_number(plain.status) == SP_E_NOTFOUND) {
		live_reason(l, SP_E_CANCELLED, NULL);
		live_happens(l, RECEIVE_ON_PEER_CANCEL, "the sender has given it up meanwhile");
	}
}

void
receive_call(struct live *l)
{
	struct sp_msg_again m;
	uint64_t now = sp_clock_boot_ms();

	receive_await(l);
	if (l->letter != 0 || (l->offered_ms != 0 && now - l->offered_ms < CALL_AGAIN_MS) || !again_msg(l, &m))
		return;
	l->offered_ms = now;
	if (!live_ask(l, false, SP_MSG_AGAIN, &m, called))
		sp_log_fail(SP_LOG_WARN, "sender-not-called", SP_E_NOMEM, NULL);
}

static void
nobody_waits(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	(void)arg;
	(void)st;
	(void)why;
	(void)answer;
}

/* The sender offers again, and gets the refusal. */
void
receive_call_refused(struct live *l)
{
	struct sp_msg_again m;

	if (again_msg(l, &m))
		(void)post_ask(l->all->parts.post, &l->peer_cert, NULL, false, SP_MSG_AGAIN, &m, nobody_waits, NULL);
}

/* ---- once more ---- */
struct retrying {
	struct events *all;
	struct sp_id id;
	struct event_row *row;		/* owned, once it is found */
	events_rows_fn *fn;
	void *arg;
};

static void
retry_no(struct retrying *r, enum sp_status st, const struct sp_why *why)
{
	r->fn(r->arg, st, why, NULL, 0);
	event_row_free(r->row);
	free(r);
}

static void
begin_again(struct retrying *r)
{
	struct event_row *row = r->row;
	struct live *l;

	r->row = NULL;
	row->attempts = row->breaks = 0;
	row->due_ms = row->ended_ms = row->done_bytes = 0;
	row->until_ms = sp_clock_wall_ms() + r->all->conf.life_ms;
	sp_buf_clear(&row->final);
	sp_buf_clear(&row->final_signature);
	l = live_back(r->all, row);
	if (l == NULL) {
		retry_no(r, SP_E_NOMEM, NULL);
		return;
	}
	live_no_reason(l);
	live_order(l, r->fn, r->arg);
	live_happens(l, SEND_ON_RETRY, "tried again by you");
	free(r);
}

static enum sp_status
may_begin(const struct retrying *r, struct sp_why *why)
{
	const struct correspondent *peer = book_by_name(r->all->parts.book, r->row->peer);

	if (live_find(r->all, &r->id, EVENT_SEND, NULL) != NULL)
		return sp_fail(SP_E_STATE, why, "it is under way");
	if (machine_find(&send_machine, r->row->state, SEND_ON_RETRY) == NULL)
		return sp_fail(SP_E_STATE, why, "there is nothing to try again: it is %s",
		    machine_state(&send_machine, r->row->state)->text);
	if (peer == NULL || !peer->in_book)
		return sp_fail(SP_E_NOKEY, why, "%s is not in your book", r->row->peer);
	return SP_OK;
}

/* What its frank named is the transfer's again, before the event is: a crash between them makes it void again (mend). */
static void
paid_again(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct retrying *r = arg;
	struct sp_why no = { "" };

	if (st == SP_OK && (st = may_begin(r, &no)) != SP_OK)
		why = &no;
	if (st != SP_OK)
		retry_no(r, st, why);
	else
		begin_again(r);
}

static void
looked_up(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct retrying *r = arg;
	struct sp_why why = { "" };

	for (size_t i = 0; st == SP_OK && r->row == NULL && i < count; i++)
		if (rows[i]->kind == EVENT_SEND)
			r->row = sp_take(&rows[i]);
	event_rows_free(rows, count);
	if (st == SP_OK && r->row == NULL)
		st = sp_fail(SP_E_STATE, &why, "it is no sending");
	if (st == SP_OK)
		st = may_begin(r, &why);
	if (st == SP_OK)
		st = store_serials_again(r->all->parts.store, &r->id, sp_clock_end_ms(), paid_again, r);
	if (st != SP_OK)
		retry_no(r, st, &why);
}

void
events_retry(struct events *e, const struct sp_id *id, events_rows_fn *fn, void *arg)
{
	struct retrying *r = calloc(1, sizeof(*r));
	char text[SP_ID_TEXT];
	enum sp_status st = SP_E_NOMEM;

	if (r != NULL) {
		*r = (struct retrying){ .all = e, .id = *id, .fn = fn, .arg = arg };
		st = store_event_find(e->parts.store, sp_id_text(id, text), looked_up, r);
	}
	if (st == SP_OK)
		return;
	free(r);
	fn(arg, st, NULL, NULL, 0);
}
