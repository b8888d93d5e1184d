/*
 * decide.c - what the user decides on events later: to take or refuse an offer that waits for that, to try a sending again.
 */
#include "peerd/events/receive.h"
#include "peerd/events/send.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#define CALL_AGAIN_MS (10 * 1000)

static void
answer_row(const struct live *l, events_rows_fn *fn, void *arg)
{
	const struct event_row *row = l->row;	/* saved a moment later, never undone */

	fn(arg, SP_OK, NULL, &row, 1);
}

/* ---- offers that wait for the user ---- */
void
events_decide(struct events *e, const struct sp_id *id, bool take, events_rows_fn *fn, void *arg)
{
	struct live *l = live_find(e, id, EVENT_RECEIVE, NULL);
	enum sp_status st = SP_OK;
	struct sp_why why = { "" };

	if (l == NULL)
		st = sp_fail(SP_E_NOTFOUND, &why, "no offer that waits for you has this id");
	else if (l->row->state == RECEIVE_ALLOWED && take && !l->saving) {
		answer_row(l, fn, arg);
		return;
	} else if (l->saving || l->moving != NULL || !live_heeds(l, take ? RECEIVE_ON_ALLOW : RECEIVE_ON_DENY))
		st = sp_fail(SP_E_STATE, &why, "it does not wait for you: %s", machine_state(l->machine, l->row->state)->text);
	else if (!take)
		st = receive_sign_refuse(e, l->row, &l->offer_hash, SP_E_REFUSED);
	if (st != SP_OK) {
		fn(arg, st, &why, NULL, 0);
		return;
	}
	live_quiet(l);
	if (take) {
		live_happens(l, RECEIVE_ON_ALLOW, "accepted by you");
	} else {
		live_reason(l, SP_E_REFUSED, NULL);
		live_happens(l, RECEIVE_ON_DENY, "refused by you");
	}
	answer_row(l, fn, arg);
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
	events_rows_fn *fn;
	void *arg;
};

/* What its frank named is the transfer's again, before the event is. */
static enum sp_status
take_up(struct events *e, struct event_row *row, struct sp_why *why)
{
	const struct correspondent *peer = book_by_name(e->parts.book, row->peer);

	if (machine_find(&send_machine, row->state, SEND_ON_RETRY) == NULL)
		return sp_fail(SP_E_STATE, why, "there is nothing to try again: it is %s",
		    machine_state(&send_machine, row->state)->text);
	if (peer == NULL || !peer->in_book)
		return sp_fail(SP_E_NOKEY, why, "%s is not in your book", row->peer);
	row->attempts = row->breaks = 0;
	row->due_ms = row->ended_ms = row->done_bytes = 0;
	row->until_ms = sp_clock_wall_ms() + e->conf.life_ms;
	sp_buf_clear(&row->final);
	sp_buf_clear(&row->final_signature);
	return row->frank.len == 0 ? SP_OK : store_serials_mark(e->parts.store, &row->id, SERIAL_FRANKED, NULL, NULL);
}

static void
begin_again(struct retrying *r, struct event_row *take_row)
{
	struct events *e = r->all;
	const struct correspondent *peer = book_by_name(e->parts.book, take_row->peer);
	struct live *l = live_new(e, take_row);

	if (l == NULL) {
		r->fn(r->arg, SP_E_NOMEM, NULL, NULL, 0);
		return;
	}
	l->kept = true;
	live_peer(l, &peer->identity.hash);
	live_no_reason(l);
	live_happens(l, SEND_ON_RETRY, "tried again by you");
	answer_row(l, r->fn, r->arg);
}

static void
looked_up(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct retrying *r = arg;
	struct sp_why why = { "" };
	size_t at = 0;

	while (st == SP_OK && at < count && rows[at]->kind != EVENT_SEND)
		at++;
	if (st == SP_OK && at == count)
		st = sp_fail(SP_E_NOTFOUND, &why, "no sending has this id");
	if (st == SP_OK && live_find(r->all, &r->id, EVENT_SEND, NULL) != NULL)
		st = sp_fail(SP_E_STATE, &why, "it is under way");
	if (st == SP_OK)
		st = take_up(r->all, rows[at], &why);
	if (st == SP_OK)
		begin_again(r, sp_take(&rows[at]));
	else
		r->fn(r->arg, st, &why, NULL, 0);
	for (size_t i = 0; i < count; i++)
		event_row_free(rows[i]);
	free(rows);
	free(r);
}

void
events_retry(struct events *e, const struct sp_id *id, events_rows_fn *fn, void *arg)
{
	struct retrying *r = malloc(sizeof(*r));
	char text[SP_ID_TEXT];
	enum sp_status st = SP_E_NOMEM;

	if (r != NULL) {
		*r = (struct retrying){ e, *id, fn, arg };
		st = store_event_find(e->parts.store, sp_id_text(id, text), looked_up, r);
	}
	if (st == SP_OK)
		return;
	free(r);
	fn(arg, st, NULL, NULL, 0);
}
