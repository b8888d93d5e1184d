/*
 * postmarking.c - a sender waits for the postmark of its receipt: asks certd for it, at first while it is being made, then as
 * long as it takes – by itself, and at once when certd says that it is there. It is delivered all the same.
 */
#include "peerd/events/receipts.h"
#include "peerd/events/send.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#define SOON_FIRST_MS 10
#define SOON_MOST_MS 2000
#define SOON_TRIES 13		/* 12 s in all */
#define LATE_FIRST_MS 5000
#define LATE_MOST_MS (10 * 60 * 1000)

static void
not_now(struct live *l, enum sp_status st, const struct sp_why *why)
{
	sp_log_fail(SP_LOG_INFO, "no-postmark", st, why);
	live_reason(l, st, why);
	events_refresh(l->all);
	live_happens(l, SEND_ON_MARK_LATE, "delivered; the postmark follows: %s", l->row->reason_text);
}

static void
kept(struct live *l, enum sp_status st, const struct sp_why *why, const char *words)
{
	if (st != SP_OK) {
		not_now(l, st, why);
		return;
	}
	live_no_reason(l);
	live_happens(l, receipts_is_part(l) ? SEND_ON_POSTMARKED_PART : SEND_ON_POSTMARKED, "%s", words);
}

static void
answered(void *arg, const struct sp_answer *answer)
{
	struct live *l = arg;
	struct sp_why why = { "" };
	enum sp_status st;

	live_answered(l);
	st = receipts_take(l, answer, kept, &why);
	if (st == SP_E_NOTFOUND && answer->from_server)
		live_happens(l, SEND_ON_UNMARKED, NULL);
	else if (st != SP_OK)
		not_now(l, st, &why);
}

void
send_postmark(struct live *l)
{
	struct sp_msg_postmark_get m = { .transfer = l->row->id };
	struct sp_id id = sp_id_new();
	struct sp_why why = { "" };
	enum sp_status st;

	sp_timer_stop(l->timer);
	if (l->asks == 0)
		send_spend(l);		/* it may wait for weeks; the serials are the recipient's by now */
	st = live_request(l, SP_ROLE_CERTD, &id, SP_MSG_POSTMARK_GET, &m, answered, &why);
	if (st != SP_OK)
		not_now(l, st, &why);
}

/* The recipient may be about to hand it in. */
void
send_postmark_soon(struct live *l)
{
	if (l->asks < SOON_TRIES)
		live_timer_again(l, &l->asks, SOON_FIRST_MS, SOON_MOST_MS, SEND_ON_TIMER);
	else
		live_happens(l, SEND_ON_MARK_LATE, NULL);
}

void
send_postmark_later(struct live *l)
{
	if (sp_clock_sure_ms() < l->row->until_ms) {
		live_timer_again(l, &l->fetches, LATE_FIRST_MS, LATE_MOST_MS, SEND_ON_TIMER);
		return;
	}
	live_no_reason(l);
	live_note(l, sp_span_str("no postmark came"));
	live_happens(l, receipts_is_part(l) ? SEND_ON_EXPIRED_PART : SEND_ON_EXPIRED, "delivered; no postmark came");
}

/* A hint only: whatever it says, certd is asked. */
static void
on_ready(void *arg, struct post_in *in)
{
	struct events *e = arg;
	struct sp_msg_receipt_ready m;
	struct live *l;

	if (in->from->identity.role != SP_ROLE_CERTD ||
	    sp_decode(sp_desc_msg(SP_MSG_RECEIPT_READY), in->body, &m, NULL) != SP_OK) {
		post_ignore(e->parts.post, in);
		return;
	}
	l = live_find(e, &m.transfer, EVENT_SEND, NULL);
	if (l != NULL && (live_heeds(l, SEND_ON_MARK_READY) || l->saving))
		live_happens(l, SEND_ON_MARK_READY, NULL);
	events_answer(e, in, SP_OK);
}

void
send_postmark_start(struct events *e)
{
	post_on(e->parts.post, SP_MSG_RECEIPT_READY, on_ready, e);
}
