/*
 * event.c - handlers of the API: send, log, one event and what is decided on it, and what happens.
 */
#include "peerd/control/call.h"

#include "common/base/clock.h"
#include "common/statements/offer.h"
#include "peerd/control/json.h"

#define LOG_MOST 1000
#define LOG_DEFAULT 50
#define HISTORY_MOST 1000
#define WAIT_MOST_S 60
#define SEND_MOST 4096		/* names or paths in one order */

/* The texts of an array of the body, as C strings of our own. */
struct texts {
	char **items;		/* owned */
	size_t count;
};

static void
texts_done(struct texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->items[i]);
	free(t->items);
}

/* A text, or (for paths of any bytes) {"hex": digits}; NULL for anything else. */
static char *
one_text(const json_t *v)
{
	const json_t *hex = json_object_get(v, "hex"), *text = hex != NULL ? hex : v;
	size_t n = json_string_length(text);
	char *raw;

	if (!json_is_string(text) || strlen(json_string_value(text)) != n)
		return NULL;
	if (hex == NULL)
		return strdup(json_string_value(text));
	if ((raw = calloc(1, n / 2 + 1)) == NULL)
		return NULL;
	if (sp_unhex(json_string_value(text), n, raw, n / 2) == SP_OK && strlen(raw) == n / 2)
		return raw;
	free(raw);
	return NULL;
}

static bool
texts_read(const struct call *c, const char *name, struct texts *t)
{
	json_t *a = c->body != NULL ? json_object_get(c->body, name) : NULL, *v;
	size_t i, n = json_array_size(a);

	if (!json_is_array(a) || n > SEND_MOST || (t->items = calloc(n + 1, sizeof(*t->items))) == NULL)
		return false;
	json_array_foreach(a, i, v) {
		if ((t->items[i] = one_text(v)) == NULL)
			return false;
		t->count++;
	}
	return true;
}

void
call_ordered(void *arg, enum sp_status st, const struct sp_why *why, const struct event_row *const *rows, size_t count)
{
	struct call *c = arg;
	json_t *events = json_array();

	if (st != SP_OK) {
		json_decref(events);
		call_fail(c, st, why);
		return;
	}
	for (size_t i = 0; i < count; i++)
		json_array_append_new(events, json_event(rows[i]));
	call_answer(c, json_pack("{s:o, s:I}", "events", events, "last", (json_int_t)feed_last(c->control->feed)));
}

void
on_send(struct call *c)
{
	struct events_order order = { 0 };
	struct texts to = { 0 }, paths = { 0 };
	bool ok = true;
	const char *receipt = call_text(c, "receipt", &ok);
	unsigned klass = receipt != NULL ? sp_receipt_class_from_text(sp_span_str(receipt)) : c->peer->settings.receipt;
	bool named = receipt == NULL || klass != 0;

	order.title = call_text(c, "title", &ok);
	order.message = call_text(c, "message", &ok);
	order.address = call_text(c, "address", &ok);
	order.wait_for_peer = c->peer->settings.wait_for_peer || json_is_true(json_object_get(c->body, "wait_for_peer"));
	order.klass = (uint8_t)klass;
	if (ok && named && texts_read(c, "to", &to) && texts_read(c, "paths", &paths)) {
		order.to = (const char *const *)to.items;
		order.nto = to.count;
		order.paths = (const char *const *)paths.items;
		order.npaths = paths.count;
		events_send(c->peer->events, &order, call_ordered, c);
	} else {
		struct sp_why why;

		sp_fail(SP_E_ARGUMENT, &why, !named ? "receipt is none, direct, postmarked or certified" :
		    "an order needs \"to\" and \"paths\", lists of texts");
		call_fail(c, SP_E_ARGUMENT, &why);
	}
	texts_done(&to);
	texts_done(&paths);
}

static void
listed(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct call *c = arg;
	json_t *events = json_array();

	for (size_t i = 0; st == SP_OK && i < count; i++) {
		const struct event_row *live = rows[i]->ended ? NULL :
		    events_live(c->peer->events, &rows[i]->id, rows[i]->kind);

		json_array_append_new(events, json_event(live != NULL ? live : rows[i]));
	}
	event_rows_free(rows, count);
	if (st != SP_OK) {
		json_decref(events);
		call_fail(c, st, NULL);
		return;
	}
	call_answer(c, json_pack("{s:o}", "events", events));
}

static bool
read_number(const char *text, uint64_t max, uint64_t *number)
{
	return text == NULL || sp_parse_u64(sp_span_str(text), max, number) == SP_OK;
}

void
on_log(struct call *c)
{
	static const char *const names[] = { "all", "pending", "sent", "received", "failed", "credits" };
	const char *filter = sp_http_query(c->rq, "filter");
	uint64_t limit = LOG_DEFAULT, before = 0;
	enum event_filter which = EVENTS_ALL;
	struct sp_why why;
	enum sp_status st;

	while (filter != NULL && (size_t)which < sizeof(names) / sizeof(names[0]) && strcmp(names[which], filter) != 0)
		which++;
	if ((size_t)which == sizeof(names) / sizeof(names[0]) ||
	    !read_number(sp_http_query(c->rq, "limit"), LOG_MOST, &limit) ||
	    !read_number(sp_http_query(c->rq, "before"), UINT64_MAX, &before)) {
		sp_fail(SP_E_ARGUMENT, &why, "filter is all, pending, sent, received, failed or credits; limit at most %d", LOG_MOST);
		call_fail(c, SP_E_ARGUMENT, &why);
		return;
	}
	st = store_events_list(c->peer->store, which, before, (uint32_t)limit, listed, c);
	if (st != SP_OK)
		call_fail(c, st, NULL);
}

/* ---- one event ---- */
struct one {
	struct call *call;
	json_t *event;
	enum event_kind kind;
};

static void
history_found(void *arg, enum sp_status st, const struct history_row *rows, size_t count)
{
	struct one *one = arg;
	json_t *history = json_array();

	for (size_t i = 0; st == SP_OK && i < count; i++)
		if (rows[i].kind == one->kind) {
			const struct machine *m = events_machine(rows[i].kind);
			const struct machine_state *s = m != NULL ? machine_state(m, rows[i].state) : NULL;

			json_array_append_new(history, json_pack("{s:o, s:s, s:o}", "time", json_time(rows[i].time_ms),
			    "state", s != NULL ? s->name : "?", "what", json_safe_text(rows[i].what)));
		}
	json_object_set_new(one->event, "history", history);
	call_answer(one->call, one->event);
	free(one);
}

static bool
just_one(struct call *c, enum sp_status st, struct event_row **rows, size_t count)
{
	struct sp_why why = { "" };

	if (st == SP_OK && count == 0)
		st = sp_fail(SP_E_NOTFOUND, &why, "no event has the id %s", c->arg);
	if (st == SP_OK && count > 1 && !sp_id_eq(&rows[0]->id, &rows[1]->id))
		st = sp_fail(SP_E_ARGUMENT, &why, "more than one event's id begins with %s", c->arg);
	if (st == SP_OK)
		return true;
	call_fail(c, st, &why);
	return false;
}

static void
event_found(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct call *c = arg;
	const struct event_row *live;
	struct one *one = NULL;

	if (just_one(c, st, rows, count)) {
		live = rows[0]->ended ? NULL : events_live(c->peer->events, &rows[0]->id, rows[0]->kind);
		one = calloc(1, sizeof(*one));
		if (one != NULL) {
			*one = (struct one){ c, json_event_whole(live != NULL ? live : rows[0]), rows[0]->kind };
			st = one->event == NULL ? SP_E_NOMEM : store_history(c->peer->store, 0, &rows[0]->id,
			    HISTORY_MOST, history_found, one);
		}
		if (one == NULL || st != SP_OK) {
			if (one != NULL)
				json_decref(one->event);
			free(one);
			call_fail(c, one == NULL ? SP_E_NOMEM : st, NULL);
		}
	}
	event_rows_free(rows, count);
}

/* Looks for the events whose id begins as the call says. */
static void
find(struct call *c, store_rows_fn *fn)
{
	enum sp_status st = store_event_find(c->peer->store, c->arg, fn, c);
	struct sp_why why = { "" };

	if (st == SP_E_FORMAT)
		st = sp_fail(SP_E_ARGUMENT, &why, "\"%.40s\" is no id, nor the first 4 characters or more of one", c->arg);
	if (st != SP_OK)
		call_fail(c, st, &why);
}

void
on_event(struct call *c)
{
	find(c, event_found);
}

static void
changed(void *arg, enum sp_status st, const struct sp_why *why, const struct event_row *const *rows, size_t count)
{
	struct call *c = arg;

	if (st != SP_OK || count == 0)
		call_fail(c, st, why);
	else
		call_answer(c, json_event(rows[0]));
}

static void
cancel_found(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct call *c = arg;

	if (just_one(c, st, rows, count))
		events_cancel(c->peer->events, &rows[0]->id, changed, c);
	event_rows_free(rows, count);
}

void
on_cancel(struct call *c)
{
	find(c, cancel_found);
}

/* What is handed in after a receiving has its id, too. */
static const struct event_row *
received_of(struct event_row *const *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i]->kind == EVENT_RECEIVE)
			return rows[i];
	return rows[0];
}

static void
decide_found(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct call *c = arg;

	if (just_one(c, st, rows, count))
		events_decide(c->peer->events, received_of(rows, count), c->take, changed, c);
	event_rows_free(rows, count);
}

void
on_accept(struct call *c)
{
	c->take = true;
	find(c, decide_found);
}

void
on_refuse(struct call *c)
{
	find(c, decide_found);
}

static void
retry_found(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct call *c = arg;

	if (just_one(c, st, rows, count))
		events_retry(c->peer->events, &rows[0]->id, call_ordered, c);
	event_rows_free(rows, count);
}

void
on_retry(struct call *c)
{
	find(c, retry_found);
}

void
on_events(struct call *c)
{
	const char *id_text = sp_http_query(c->rq, "id");
	uint64_t after = feed_last(c->control->feed), wait = 0;
	struct sp_id id;
	struct sp_why why;

	if (!read_number(sp_http_query(c->rq, "after"), UINT64_MAX, &after) ||
	    !read_number(sp_http_query(c->rq, "wait"), WAIT_MOST_S, &wait) ||
	    (id_text != NULL && sp_id_parse(id_text, &id) != SP_OK)) {
		sp_fail(SP_E_ARGUMENT, &why, "after and wait are numbers, wait at most %d, id a whole id", WAIT_MOST_S);
		call_fail(c, SP_E_ARGUMENT, &why);
		return;
	}
	feed_poll(c->control->feed, c, after, id_text != NULL ? &id : NULL, wait * 1000);
}
