/*
 * credit.c - a top-up: creditd is told where the wallet stands, asked for credits under the event's own id, and its answer
 * fetched if it does not call back. An id has one outcome, however often it is asked.
 */
#include "peerd/events/credit.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/text.h"

#define AGAIN_FIRST_MS 1000
#define AGAIN_MOST_MS (10 * 60 * 1000)
#define FETCH_CALLED_MS 3000		/* creditd calls back: it is asked in case the call is lost */
#define FETCH_FIRST_MS 500		/* it can't */
#define ASKED_MS (24ull * 3600 * 1000)	/* an older id is not taken any more, only its outcome told */
#define PEER "creditd"			/* of every top-up: which one answers is open */

static void
fail(struct live *l, enum sp_status st, const struct sp_why *why)
{
	live_reason(l, st, why);
	live_happens(l, CREDIT_ON_FAILURE, "failed: %s", l->row->reason_text);
}

static bool
is_over(const struct live *l)
{
	return sp_clock_sure_ms() > l->row->until_ms;
}

static bool
is_old(const struct live *l)
{
	return sp_clock_wall_ms() > sp_id_ms(&l->row->id) + ASKED_MS;
}

/* creditd has called back meanwhile, and that answer is being booked. */
static bool
is_ending(const struct live *l)
{
	return l->saving || l->moving != NULL;
}

/* Not now; st says why. Its life ends all the same. */
static void
try_again(struct live *l, enum sp_status st, const struct sp_why *why)
{
	if (is_over(l)) {
		fail(l, st, why);
		return;
	}
	if (l->fetches == 0)
		sp_log_fail(SP_LOG_INFO, "credit-not-asked", st, why);
	live_timer_again(l, &l->fetches, AGAIN_FIRST_MS, AGAIN_MOST_MS, CREDIT_ON_TIMER);
}

/* ---- 1. where the wallet stands ---- */

static void
reported(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct live *l = arg;

	/* what creditd answered is an answer: only one that can't be reached is waited for */
	if (st != SP_OK && sp_status_class(st) == SP_CLASS_RETRY)
		try_again(l, st, why);
	else
		live_happens(l, CREDIT_ON_REPORTED, NULL);
}

static void
report(struct live *l)
{
	enum sp_status st = wallet_report(l->all->parts.wallet, reported, l);

	if (st != SP_OK)
		try_again(l, st, NULL);
}

/* ---- 2. TOPUP ---- */

/* Does the server's refusal stand for good? */
static bool
is_final(const struct sp_answer *answer, enum sp_status st)
{
	enum sp_class class = sp_status_class(st);

	return answer->from_server && (class == SP_CLASS_FINAL || class == SP_CLASS_PEER);
}

static void
taken(void *arg, const struct sp_answer *answer)
{
	struct live *l = arg;
	struct sp_msg_ok ok;
	struct sp_why why = { "" };
	enum sp_status st = sp_answer_read(answer, SP_MSG_OK, &ok, &why);

	live_answered(l);
	if (is_ending(l))
		return;
	if (st != SP_OK && is_final(answer, st))
		fail(l, st, &why);
	else if (st != SP_OK)
		try_again(l, st, &why);
	else if (l->row->state == CREDIT_ASKING)
		live_happens(l, CREDIT_ON_TAKEN, NULL);
	else
		live_timer_again(l, &l->fetches, FETCH_FIRST_MS, AGAIN_MOST_MS, CREDIT_ON_TIMER);
}

static void
topup(struct live *l)
{
	const char *host = l->all->conf.return_host;
	struct sp_msg_topup m = { .account = sp_span_str(l->row->message), .number = l->row->price };
	struct sp_why why = { "" };
	enum sp_status st;

	if (host[0] != 0) {
		m.return_host = sp_span_str(host);
		m.return_port = post_port(l->all->parts.post);
	}
	st = live_request(l, SP_ROLE_CREDITD, &l->row->id, SP_MSG_TOPUP, &m, taken, &why);
	if (st != SP_OK)
		try_again(l, st, &why);
}

static void
ask(struct live *l)
{
	if (is_old(l))
		live_happens(l, CREDIT_ON_TAKEN, "too old to be asked again: asks what became of it");
	else
		topup(l);
}

/* ---- 3. the answer ---- */

static void
await(struct live *l)
{
	l->fetches = 0;
	live_timer_again(l, &l->fetches, l->all->conf.return_host[0] != 0 ? FETCH_CALLED_MS : FETCH_FIRST_MS, AGAIN_MOST_MS,
	    CREDIT_ON_TIMER);
}

static void
fetched(void *arg, const struct sp_answer *answer)
{
	struct live *l = arg;
	const struct member_service *signer;
	struct sp_msg_topup_is m;
	struct sp_credit_answer a;
	struct sp_hash cert;
	struct sp_why why = { "" };
	enum sp_status st = sp_answer_read(answer, SP_MSG_TOPUP_IS, &m, &why);

	live_answered(l);
	if (is_ending(l))
		return;
	if (st == SP_E_NOTFOUND && answer->from_server && !is_old(l)) {
		topup(l);	/* not signed yet, or lost: the same request does no harm */
		return;
	}
	if (st != SP_OK && is_final(answer, st)) {
		fail(l, st, &why);
		return;
	}
	if (st == SP_OK) {
		sp_sha256(m.signer, &cert);
		if ((st = member_learn_service(l->all->parts.station, m.signer, &why)) == SP_OK)
			st = credit_check(l, m.statement, m.signature, &cert, &signer, &a, &why);
	}
	if (st == SP_OK) {
		credit_take(l, &a, signer, m.statement, m.signature, NULL);
		return;
	}
	if (sp_status_class(st) == SP_CLASS_PEER)
		sp_log_fail(SP_LOG_WARN, "credit-answer-refused", st, &why);
	try_again(l, st, &why);
}

static void
fetch(struct live *l)
{
	const struct sp_msg_topup_get m = { .request = l->row->id };
	struct sp_id id = sp_id_new();
	struct sp_why why = { "" };
	enum sp_status st;

	if (is_over(l)) {
		fail(l, SP_E_TIMEOUT, &(struct sp_why){ "creditd gave no answer" });
		return;
	}
	st = live_request(l, SP_ROLE_CREDITD, &id, SP_MSG_TOPUP_GET, &m, fetched, &why);
	if (st != SP_OK)
		try_again(l, st, &why);
}

static void
end(struct live *l)
{
	if (l->done_in != NULL)
		events_answer(l->all, l->done_in, SP_OK);
	l->done_in = NULL;
}

/* ---- the order ---- */
struct crediting {
	struct events *all;
	struct event_row *row;		/* owned until it is live */
	events_rows_fn *fn;
	void *arg;
};

static void
row_saved(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct crediting *c = arg;
	const struct event_row *row = c->row;
	struct live *l;

	SP_FAULT("topup-order-after");
	c->fn(c->arg, st, why, &row, st == SP_OK ? 1 : 0);
	if (st == SP_OK && (l = live_new(c->all, sp_take(&c->row))) != NULL) {
		live_observe(l, "was ordered");
		live_happens(l, CREDIT_ON_RESTART, NULL);
	}
	event_row_free(c->row);
	free(c);
}

static enum sp_status
make_row(uint32_t number, const char *account, struct event_row **ret_row)
{
	SP_AUTO(event_row) *row = event_row_new();
	char title[32];

	snprintf(title, sizeof(title), "%u credit%s", (unsigned)number, number == 1 ? "" : "s");
	if (row == NULL || !text_set(&row->peer, PEER) || !text_set(&row->title, title) || !text_set(&row->message, account))
		return SP_E_NOMEM;
	row->id = sp_id_new();
	row->kind = EVENT_CREDIT;
	row->state = CREDIT_REPORTING;
	row->created_ms = sp_clock_wall_ms();
	row->until_ms = row->created_ms + SP_EVENT_LIFE_MS;
	row->klass = SP_RECEIPT_NONE;
	row->price = number;
	*ret_row = sp_take(&row);
	return SP_OK;
}

static const struct live *
pending(const struct events *e)
{
	for (size_t b = 0; b < LIVE_BUCKETS; b++)
		for (const struct live *l = e->buckets[b]; l != NULL; l = l->next)
			if (l->row->kind == EVENT_CREDIT)
				return l;
	return NULL;
}

static enum sp_status
check(struct events *e, uint32_t number, const char *account, struct sp_why *why)
{
	const struct live *other = pending(e);
	char id[SP_ID_TEXT];

	if (number < 1 || number > SP_SHEET_SERIALS)
		return sp_fail(SP_E_ARGUMENT, why, "the number of credits is from 1 to %d", SP_SHEET_SERIALS);
	if (account == NULL || account[0] == 0)
		return sp_fail(SP_E_ACCOUNT, why, "no account number is known yet: it must be named once");
	if (strlen(account) > SP_ACCOUNT_MAX || !sp_is_text(sp_span_str(account)))
		return sp_fail(SP_E_ARGUMENT, why, "this is no account number");
	if (member_service(e->parts.station, "creditd")[0] == 0)
		return sp_fail(SP_E_STATE, why, "no creditd is known, so there are no credits: deliveries are free of charge");
	if (other != NULL)
		return sp_fail(SP_E_EXISTS, why, "a request for %s is pending already: sealpost show %.13s", other->row->title,
		    sp_id_text(&other->row->id, id));
	return SP_OK;
}

void
events_credit(struct events *e, uint32_t number, const char *account, events_rows_fn *fn, void *arg)
{
	struct crediting *c = calloc(1, sizeof(*c));
	struct sp_why why = { "" };
	enum sp_status st = c != NULL ? check(e, number, account, &why) : SP_E_NOMEM;

	if (st == SP_OK) {
		*c = (struct crediting){ e, NULL, fn, arg };
		st = make_row(number, account, &c->row);
	}
	SP_FAULT("topup-order-before");
	if (st == SP_OK)
		st = store_event_save(e->parts.store, c->row, "was ordered", row_saved, c);
	if (st == SP_OK)
		return;
	fn(arg, st, &why, NULL, 0);
	if (c != NULL)
		event_row_free(c->row);
	free(c);
}

#define TABLE_DEF "peerd/events/credit.def"
#define TABLE_NAME "credit"
#define TABLE_MACHINE credit_machine
#define TABLE_ENDING NULL
#define TABLE_STATE(NAME) CREDIT_##NAME
#define TABLE_ON(NAME) CREDIT_ON_##NAME
#include "peerd/events/table.inc"
