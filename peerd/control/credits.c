/*
 * credits.c - handlers of the API: the credits of this station, and asking for more.
 */
#include "peerd/control/call.h"

#include "common/base/clock.h"
#include "peerd/control/json.h"

#define TOPUPS_LOOKED_AT 20

/* The account of the last top-up whose account creditd did not deny; "" = none. */
static const char *
last_account(struct event_row **rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i]->kind == EVENT_CREDIT && rows[i]->reason != SP_E_ACCOUNT && rows[i]->message != NULL)
			return rows[i]->message;
	return "";
}

/* ---- GET: balance, sheets and account, one question after the other ---- */
struct looking {
	struct call *call;
	struct wallet_balance balance;
	json_t *sheets;			/* owned */
	uint64_t granted;		/* by the open ones */
};

static void
fail(struct looking *k, enum sp_status st)
{
	json_decref(k->sheets);
	call_fail(k->call, st, NULL);
	free(k);
}

static json_t *
prices(const struct sp_tariff *tariff)
{
	json_t *list = json_array();

	for (size_t i = 0; i < tariff->count; i++)
		json_array_append_new(list, json_pack("{s:I, s:I}", "from", (json_int_t)tariff->steps[i].from_bytes, "price",
		    (json_int_t)tariff->steps[i].price));
	return list;
}

/* What cannot be done now, and why, in plain words. */
static json_t *
lacks(const struct peer *p, const struct wallet_balance *b)
{
	json_t *list = json_array();
	bool priced = member_tariff(p->station)->count > 0;

	if (!priced)
		json_array_append_new(list, json_string("no prices are known: everything is free of charge"));
	if (priced && member_service(p->station, "creditd")[0] == 0)
		json_array_append_new(list, json_string("no creditd is known: there is nobody to get credits from"));
	if (priced && b->free == 0)
		json_array_append_new(list, json_string("there are no credits left: sending is suspended"));
	if (b->withheld > 0)
		json_array_append_new(list, json_string("creditd must be reached before all of the free credits can be spent"));
	if (wallet_has_closed(p->wallet))
		json_array_append_new(list, json_string(CONTROL_CLOSED_SHEET));
	return list;
}

static void
account_found(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct looking *k = arg;
	const struct peer *p = k->call->peer;
	const struct sp_tariff *tariff = member_tariff(p->station);
	const struct wallet_balance *b = &k->balance;
	const char *account;

	if (st != SP_OK) {
		event_rows_free(rows, count);
		fail(k, st);
		return;
	}
	account = last_account(rows, count);
	call_answer(k->call, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o}",
	    "free", (json_int_t)b->free, "granted", (json_int_t)k->granted, "withheld", (json_int_t)b->withheld,
	    "reserved", (json_int_t)b->reserved, "spent", (json_int_t)b->spent, "void", (json_int_t)b->voided,
	    "ended", (json_int_t)b->ended,
	    "low", tariff->count > 0 && b->free < p->settings.low_balance, "account",
	    account[0] != 0 ? json_safe_text(account) : json_null(), "tariff", prices(tariff), "sheets", json_incref(k->sheets),
	    "lacks", lacks(p, b)));
	event_rows_free(rows, count);
	json_decref(k->sheets);
	free(k);
}

static void
sheets_found(void *arg, enum sp_status st, const struct sheet_row *rows, size_t count)
{
	struct looking *k = arg;
	uint64_t now = sp_clock_end_ms();

	for (size_t i = 0; st == SP_OK && i < count; i++) {
		const struct sheet_row *r = &rows[i];

		json_array_append_new(k->sheets, json_pack("{s:I, s:I, s:o, s:b, s:b}", "granted", (json_int_t)r->count, "free",
		    (json_int_t)(r->first + r->count - r->next + r->freed), "valid_until", json_time(r->valid_until_ms),
		    "closed", r->closed, "ended", r->valid_until_ms <= now));
		if (!r->closed && r->valid_until_ms > now)
			k->granted += r->count;
	}
	if (st == SP_OK)
		st = store_events_list(k->call->peer->store, EVENTS_CREDITS, 0, TOPUPS_LOOKED_AT, account_found, k);
	if (st != SP_OK)
		fail(k, st);
}

static void
balance_found(void *arg, enum sp_status st, const struct wallet_balance *balance)
{
	struct looking *k = arg;

	if (st == SP_OK) {
		k->balance = *balance;
		st = store_sheets(k->call->peer->store, sheets_found, k);
	}
	if (st != SP_OK)
		fail(k, st);
}

void
on_credits(struct call *c)
{
	struct looking *k = calloc(1, sizeof(*k));
	enum sp_status st;

	if (k == NULL || (k->sheets = json_array()) == NULL) {
		free(k);
		call_fail(c, SP_E_NOMEM, NULL);
		return;
	}
	k->call = c;
	st = store_balance(c->peer->store, sp_clock_end_ms(), balance_found, k);
	if (st != SP_OK)
		fail(k, st);
}

/* ---- POST ---- */

static void
add(struct call *c, const char *account)
{
	json_int_t number = json_integer_value(json_object_get(c->body, "number"));

	events_credit(c->peer->events, number >= 0 && number <= UINT32_MAX ? (uint32_t)number : 0, account, call_ordered, c);
}

static void
account_known(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct call *c = arg;

	if (st != SP_OK)
		call_fail(c, st, NULL);
	else
		add(c, last_account(rows, count));
	event_rows_free(rows, count);
}

void
on_credits_add(struct call *c)
{
	bool ok = c->body != NULL && json_is_integer(json_object_get(c->body, "number"));
	const char *account = call_text(c, "account", &ok);
	struct sp_why why;
	enum sp_status st = SP_OK;

	if (!ok)
		st = sp_fail(SP_E_ARGUMENT, &why, "a request for credits needs \"number\", and \"account\" is a text");
	else if (account != NULL)
		add(c, account);
	else
		st = store_events_list(c->peer->store, EVENTS_CREDITS, 0, TOPUPS_LOOKED_AT, account_known, c);
	if (st != SP_OK)
		call_fail(c, st, ok ? NULL : &why);
}
