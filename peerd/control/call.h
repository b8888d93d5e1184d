/*
 * call.h - inside peerd/control: one request on its way to its answer, and the table of what can be asked.
 */
#ifndef PEERD_CONTROL_CALL_H
#define PEERD_CONTROL_CALL_H

#include <jansson.h>

#include "common/net/http.h"
#include "peerd/control/control.h"
#include "peerd/control/feed.h"

struct control {
	struct peer *peer;	/* borrowed */
	struct sp_http *http;	/* owned */
	struct feed *feed;	/* owned */
	bool enrolling;
};

/* Heap; freed by call_answer() and call_fail(). */
struct call {
	struct control *control;
	struct peer *peer;
	struct sp_http_request *rq;
	json_t *body;		/* owned; an object, or NULL if the request has none */
	char arg[256];		/* what stands in the path after the pattern: an id, a name */
	struct sp_id id;	/* kept by handlers that need it later, like the next two */
	bool take;		/* accept, as opposed to refuse */
	char name[SP_NAME_TEXT];
};

typedef void call_fn(struct call *c);

/* Answers 200 with the object (stolen). */
void call_answer(struct call *c, json_t *object);

/* Answers with an error object; the HTTP status follows from st. */
void call_fail(struct call *c, enum sp_status st, const struct sp_why *why);

/* A text member of the body; NULL if absent. ok becomes false when it is there and no text. Borrowed. */
const char *call_text(const struct call *c, const char *name, bool *ok);

/* Answers with the events that were ordered. */
events_rows_fn call_ordered;

#define CONTROL_CLOSED_SHEET "creditd has closed a sheet of credits that it still held: this wallet is a restored copy, and what was " \
	"left there is not spent any more"

/* ---- the handlers, by file ---- */
call_fn on_status, on_enrol, on_roster, on_stop;			/* station.c */
call_fn on_send, on_log, on_event, on_cancel, on_accept, on_refuse, on_retry, on_events;		/* event.c */
call_fn on_credits, on_credits_add;					/* credits.c */
call_fn on_book, on_book_add, on_book_remove, on_who;			/* book.c */

#endif
