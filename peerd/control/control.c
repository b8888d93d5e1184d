/*
 * control.c - requests to handlers by a table, answers and errors back.
 */
#include "peerd/control/call.h"

#include <stdio.h>

#include "common/base/log.h"
#include "peerd/control/json.h"

/* What can be asked. A pattern that ends in '/' takes the rest of the path as its argument; suffix stands after that. */
static const struct route {
	const char *method, *pattern, *suffix;
	bool enrolled;		/* only for a station that is one */
	call_fn *fn;
} routes[] = {
	{ "GET", "/v1/status", "", false, on_status },
	{ "POST", "/v1/enrol", "", false, on_enrol },
	{ "GET", "/v1/roster", "", true, on_roster },
	{ "POST", "/v1/stop", "", false, on_stop },
	{ "POST", "/v1/send", "", true, on_send },
	{ "GET", "/v1/log", "", true, on_log },
	{ "GET", "/v1/events", "", true, on_events },
	{ "POST", "/v1/event/", "/cancel", true, on_cancel },
	{ "POST", "/v1/event/", "/accept", true, on_accept },
	{ "POST", "/v1/event/", "/refuse", true, on_refuse },
	{ "POST", "/v1/event/", "/retry", true, on_retry },
	{ "GET", "/v1/event/", "", true, on_event },
	{ "GET", "/v1/credits", "", true, on_credits },
	{ "POST", "/v1/credits", "", true, on_credits_add },
	{ "GET", "/v1/book", "", true, on_book },
	{ "POST", "/v1/book", "", true, on_book_add },
	{ "DELETE", "/v1/book/", "", true, on_book_remove },
	{ "GET", "/v1/who/", "", true, on_who },
};

static void
call_free(struct call *c)
{
	json_decref(c->body);
	free(c);
}

static void
answer(struct call *c, unsigned status, json_t *object)
{
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;

	if (text != NULL)
		sp_http_answer(c->rq, status, "application/json", sp_span_str(text));
	else
		sp_http_answer(c->rq, 500, "application/json",
		    sp_span_str("{\"error\":{\"name\":\"NOMEM\",\"number\":1,\"text\":\"out of memory\"}}"));
	free(text);
	json_decref(object);
	call_free(c);
}

void
call_answer(struct call *c, json_t *object)
{
	answer(c, 200, object);
}

static unsigned
http_status(enum sp_status st)
{
	switch (st) {
	case SP_E_NOTFOUND:
	case SP_E_NOKEY:
		return 404;
	case SP_E_ARGUMENT:
	case SP_E_FORMAT:
	case SP_E_LIMIT:
	case SP_E_DUPLICATE:
		return 400;
	case SP_E_FULL:
	case SP_E_BUSY:
		return 503;
	case SP_E_NOMEM:
	case SP_E_DATABASE:
	case SP_E_LIBRARY:
		return 500;
	default:
		return 409;
	}
}

void
call_fail(struct call *c, enum sp_status st, const struct sp_why *why)
{
	answer(c, http_status(st), json_pack("{s:o}", "error", json_reason(st, why != NULL ? why->text : NULL)));
}

const char *
call_text(const struct call *c, const char *name, bool *ok)
{
	json_t *v = c->body != NULL ? json_object_get(c->body, name) : NULL;

	if (v == NULL || json_is_null(v))
		return NULL;
	/* a zero byte inside would cut the text unseen */
	if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v)) {
		*ok = false;
		return NULL;
	}
	return json_string_value(v);
}

static bool
fits(const struct route *r, const char *path, char *arg, size_t size)
{
	size_t n = strlen(r->pattern), all = strlen(path), tail = strlen(r->suffix);

	if (strncmp(path, r->pattern, n) != 0)
		return false;
	if (r->pattern[n - 1] != '/')
		return path[n] == 0;
	if (all <= n + tail || strcmp(path + all - tail, r->suffix) != 0 || all - n - tail >= size)
		return false;
	memcpy(arg, path + n, all - n - tail);
	arg[all - n - tail] = 0;
	return true;
}

static void
dispatch(struct call *c, const struct route *r)
{
	struct sp_span body = sp_http_body(c->rq);
	struct sp_why why = { "" };
	json_error_t error;

	if (body.n > 0) {
		c->body = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, &error);
		if (!json_is_object(c->body)) {
			sp_fail(SP_E_FORMAT, &why, "the body is not a JSON object: %s", error.text);
			call_fail(c, SP_E_FORMAT, &why);
			return;
		}
	}
	if (r->enrolled && !c->peer->ready) {
		if (member_is_enrolled(c->peer->station)) {
			sp_fail(SP_E_BUSY, &why, "peerd is starting");
			call_fail(c, SP_E_BUSY, &why);
		} else {
			call_fail(c, SP_E_NOTENROLLED, NULL);
		}
		return;
	}
	r->fn(c);
}

static void
on_request(void *arg, struct sp_http_request *rq)
{
	struct control *control = arg;
	struct call *c = calloc(1, sizeof(*c));
	bool path_known = false;

	if (c == NULL) {
		sp_http_answer(rq, 500, "application/json", sp_span_str("{}"));
		return;
	}
	c->control = control;
	c->peer = control->peer;
	c->rq = rq;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!fits(&routes[i], sp_http_path(rq), c->arg, sizeof(c->arg)))
			continue;
		path_known = true;
		if (strcmp(routes[i].method, sp_http_method(rq)) == 0) {
			dispatch(c, &routes[i]);
			return;
		}
	}
	if (path_known)
		answer(c, 405, json_pack("{s:o}", "error", json_reason(SP_E_ARGUMENT, "this method does not go with this path")));
	else
		answer(c, 404, json_pack("{s:o}", "error", json_reason(SP_E_NOTFOUND, "there is no such path")));
}

static void
observe(void *arg, const struct event_row *row, const char *what)
{
	struct control *c = arg;

	feed_add(c->feed, row, what);
}

void
control_watch(struct control *c)
{
	events_observe(c->peer->events, observe, c);
}

enum sp_status
control_new(struct peer *peer, struct control **ret_control, struct sp_why *why)
{
	SP_AUTO(control) *c = calloc(1, sizeof(*c));
	SP_AUTO_DONE(sp_buf) path = { 0 };
	enum sp_status st;

	if (c == NULL || (c->feed = feed_new(peer->loop)) == NULL)
		return SP_E_NOMEM;
	c->peer = peer;
	sp_buf_addf(&path, "%s/control", peer->home);
	if ((st = sp_http_new(peer->loop, sp_buf_cstr(&path), on_request, c, &c->http, why)) != SP_OK)
		return st;
	*ret_control = sp_take(&c);
	return SP_OK;
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	feed_free(c->feed);
	sp_http_free(c->http);
	free(c);
}
