/*
 * order.c - what the user asks of the events: send to these, cancel that one.
 */
#include "peerd/events/cancel.h"
#include "peerd/events/credit.h"
#include "peerd/events/receive.h"
#include "peerd/events/send.h"

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/crypto/rand.h"
#include "peerd/events/paths.h"

#define MOST_STATIONS 16	/* of one person, looked at for a choice */

/* One order while its rows are saved; then it is answered and its events begin. */
struct ordering {
	struct events *all;
	struct event_row **rows;	/* owned until each is live */
	size_t count, saved;
	enum sp_status status;
	struct sp_why why;
	char *address;			/* owned */
	events_rows_fn *fn;
	void *arg;
};

static void
ordering_free(struct ordering *o)
{
	event_rows_free(o->rows, o->count);
	free(o->address);
	free(o);
}

/* A person stands for the station of hers that was seen last. Strangers are known, too, but not written to. */
static enum sp_status
choose(struct events *e, const char *name, const struct correspondent **ret_peer, struct sp_why *why)
{
	const struct correspondent *all[MOST_STATIONS], *best = NULL;
	size_t n = book_stations(e->parts.book, name, all, MOST_STATIONS);
	char own[SP_NAME_TEXT], peer[SP_NAME_TEXT];
	bool itself;

	sp_identity_text(member_identity(e->parts.station), own);
	itself = strcmp(name, own) == 0;
	for (size_t i = 0; i < n && i < MOST_STATIONS; i++) {
		if (!all[i]->in_book)
			continue;
		if (strcmp(sp_identity_text(&all[i]->identity, peer), own) == 0)
			itself = true;
		else if (best == NULL || all[i]->seen_ms > best->seen_ms)
			best = all[i];
	}
	if (best == NULL && itself)
		return sp_fail(SP_E_ARGUMENT, why, "%s is this station itself: it cannot send to itself", own);
	if (best == NULL)
		return sp_fail(SP_E_NOKEY, why, "%s is not in your book", name);
	*ret_peer = best;
	return SP_OK;
}

/* Postmarked where that can be had, unless the order says which. */
static uint8_t
class_of(const struct events *e, const struct events_order *order)
{
	if (order->klass != 0)
		return order->klass;
	return events_know_certd(e) ? SP_RECEIPT_POSTMARKED : SP_RECEIPT_DIRECT;
}

static enum sp_status
make_row(struct events *e, const struct events_order *order, const char *to, struct event_row **ret_row,
    struct sp_why *why)
{
	const struct correspondent *peer = NULL;
	SP_AUTO(event_row) *row = event_row_new();
	SP_AUTO_DONE(sp_buf) paths = { 0 };
	char name[SP_NAME_TEXT];
	uint64_t now = sp_clock_wall_ms();
	enum sp_status st = choose(e, to, &peer, why);

	if (st != SP_OK)
		return st;
	if (row == NULL)
		return SP_E_NOMEM;
	row->id = sp_id_new();
	row->kind = EVENT_SEND;
	row->state = SEND_WALKING;
	row->created_ms = now;
	row->until_ms = now + e->conf.life_ms;
	row->wait_peer = order->wait_for_peer;
	row->klass = class_of(e, order);
	sp_random(row->salt.b, sizeof(row->salt.b));
	path_list_print(order->paths, order->npaths, &paths);
	if (sp_buf_status(&paths) != SP_OK || !text_set(&row->paths, sp_buf_cstr(&paths)) ||
	    !text_set(&row->peer, sp_identity_text(&peer->identity, name)) || !text_set(&row->title, order->title) ||
	    !text_set(&row->message, order->message))
		return SP_E_NOMEM;
	*ret_row = sp_take(&row);
	return SP_OK;
}

static void
begin(struct ordering *o)
{
	struct events *e = o->all;

	for (size_t i = 0; i < o->count; i++) {
		struct live *l = live_back(e, sp_take(&o->rows[i]));

		if (l == NULL)
			continue;	/* it is on the disk: the next start goes on with it */
		(void)text_set(&l->address, o->address);
		live_observe(l, "was ordered");
		live_happens(l, SEND_ON_RESTART, NULL);
	}
}

static void
row_saved(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct ordering *o = arg;

	if (st != SP_OK && o->status == SP_OK) {
		o->status = st;
		o->why = why != NULL ? *why : (struct sp_why){ "" };
	}
	if (++o->saved < o->count)
		return;
	SP_FAULT("order-after");
	o->fn(o->arg, o->status, &o->why, (const struct event_row *const *)o->rows, o->status == SP_OK ? o->count : 0);
	if (o->status == SP_OK)
		begin(o);
	ordering_free(o);
}

static void
save_rows(struct ordering *o)
{
	enum sp_status st;

	SP_FAULT("order-before");
	for (size_t i = 0, n = o->count; i < n; i++)
		if ((st = store_event_save(o->all->parts.store, o->rows[i], "was ordered", row_saved, o)) != SP_OK)
			row_saved(o, st, NULL);
}

static void
give_up(struct ordering *o, enum sp_status st, const struct sp_why *why)
{
	o->fn(o->arg, st, why, NULL, 0);
	ordering_free(o);
}

/* At a balance of zero all sending rests: WAL-03. */
static void
balanced(void *arg, enum sp_status st, const struct wallet_balance *balance)
{
	struct ordering *o = arg;
	struct sp_why why = { "" };

	if (st == SP_OK && balance->free == 0)
		st = sp_fail(SP_E_CREDITS, &why, balance->ended > 0 ? "the time of the credits here has ended, if the clock is right: "
		    "sending is suspended" : "there are no credits left: sending is suspended");
	if (st != SP_OK)
		give_up(o, st, &why);
	else
		save_rows(o);
}

static enum sp_status
check_order(struct events *e, const struct events_order *order, struct sp_why *why)
{
	uint8_t klass = class_of(e, order);
	char address[BOOK_ADDRESS];

	if (order->nto == 0)
		return sp_fail(SP_E_ARGUMENT, why, "nobody is named to send to");
	if (order->npaths == 0)
		return sp_fail(SP_E_ARGUMENT, why, "no file or folder is named");
	for (size_t i = 0; i < order->npaths; i++)
		if (order->paths[i][0] != '/')
			return sp_fail(SP_E_ARGUMENT, why, "a path is not absolute");
	if (klass == SP_RECEIPT_POSTMARKED && !events_know_certd(e)) {
		events_refresh(e);
		return sp_fail(SP_E_CLASS, why, "there is no certd to postmark receipts: use --receipt direct or none");
	}
	if (klass == SP_RECEIPT_CERTIFIED)
		return sp_fail(SP_E_CLASS, why, "nothing is delivered in the class certified yet: use --receipt postmarked");
	if (order->title != NULL && strlen(order->title) > SP_TITLE_MAX)
		return sp_fail(SP_E_ARGUMENT, why, "the title is longer than %d bytes", SP_TITLE_MAX);
	if (order->title != NULL && !sp_is_text(sp_span_str(order->title)))
		return sp_fail(SP_E_ARGUMENT, why, "the title can have no line breaks and other control characters");
	if (order->message != NULL && strlen(order->message) > SP_MESSAGE_MAX)
		return sp_fail(SP_E_LIMIT, why, "the message is longer than %d bytes; send it as a file", SP_MESSAGE_MAX);
	return book_address(order->address, address, why);
}

void
events_send(struct events *e, const struct events_order *order, events_rows_fn *fn, void *arg)
{
	struct ordering *o = calloc(1, sizeof(*o));
	struct sp_why why = { "" };
	enum sp_status st = check_order(e, order, &why);

	if (st == SP_OK && (o == NULL || (o->rows = calloc(order->nto, sizeof(*o->rows))) == NULL ||
	    !text_set(&o->address, order->address)))
		st = SP_E_NOMEM;
	for (size_t i = 0; st == SP_OK && i < order->nto; i++)
		if ((st = make_row(e, order, order->to[i], &o->rows[i], &why)) == SP_OK)
			o->count++;
	if (st != SP_OK) {
		fn(arg, st, &why, NULL, 0);
		if (o != NULL)
			ordering_free(o);
		return;
	}
	o->all = e;
	o->fn = fn;
	o->arg = arg;
	if (member_tariff(e->parts.station)->count == 0)
		save_rows(o);
	else if ((st = store_balance(e->parts.store, sp_clock_end_ms(), balanced, o)) != SP_OK)
		give_up(o, st, NULL);
}

void
events_cancel(struct events *e, const struct sp_id *id, events_rows_fn *fn, void *arg)
{
	struct live *l = live_find(e, id, EVENT_SEND, NULL);
	struct sp_why why = { "" };
	int on = SEND_ON_CANCEL;

	if (l == NULL || !live_heeds(l, on)) {
		struct live *other = live_find(e, id, EVENT_RECEIVE, NULL);

		on = other != NULL ? (int)RECEIVE_ON_CANCEL : on;
		l = other != NULL ? other : l;
	}
	if (l == NULL && (l = live_find(e, id, EVENT_CREDIT, NULL)) != NULL)
		on = CREDIT_ON_CANCEL;
	if (l == NULL) {
		sp_fail(SP_E_NOTFOUND, &why, "no pending event has this id");
		fn(arg, SP_E_NOTFOUND, &why, NULL, 0);
		return;
	}
	if (l->saving || l->moving != NULL || !live_heeds(l, on)) {
		sp_fail(SP_E_STATE, &why, "it is too late to cancel: %s", machine_state(l->machine, l->row->state)->text);
		fn(arg, SP_E_STATE, &why, NULL, 0);
		return;
	}
	live_quiet(l);
	live_reason(l, SP_E_CANCELLED, NULL);
	live_sign_cancel(l, SP_E_CANCELLED);
	live_order(l, fn, arg);
	live_happens(l, on, "cancelled");
}
