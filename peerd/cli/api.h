/*
 * api.h - one request to peerd and its JSON answer, over the UNIX socket.
 */
#ifndef PEERD_CLI_API_H
#define PEERD_CLI_API_H

#include <jansson.h>

#include "common/base/buf.h"
#include "peerd/cli/cli.h"

enum api_end {
	API_ANSWER,	/* an object */
	API_ERROR,	/* the object of an error: name, number, text, advice */
	API_GONE,	/* peerd is not there, or went away */
	API_SILENT,	/* no answer in time */
	API_NONSENSE,	/* an answer that is none */
	API_STOPPED,	/* Ctrl-C */
};

/*
 * Asks once; body (stolen) may be NULL. *ret_answer, the caller's, is set with API_ANSWER and API_ERROR. Says
 * nothing.
 */
enum api_end api_try(struct cli *cli, const char *method, const char *path, json_t *body, long timeout_s,
    json_t **ret_answer);

/*
 * Says how it ended on stderr, with what to do next; returns the exit status. error is that of API_ERROR, else
 * NULL.
 */
int api_say(struct cli *cli, enum api_end end, const json_t *error);

/*
 * Asks; while peerd says that it is busy or starting, again for some seconds. CLI_DONE: *ret_answer is the
 * caller's. Otherwise what went wrong was said.
 */
int api_ask(struct cli *cli, const char *method, const char *path, json_t *body, long timeout_s, json_t **ret_answer);

/* Is it an error that passes by itself: peerd is starting, or a queue is full? */
bool api_passes(const json_t *error);

/* Appends text so that it can stand as one component of a path, or as a value of a query. */
void api_escape(struct sp_buf *out, const char *text);

/* Members, with a stand-in where they are absent, null or of another kind. Borrowed. */
const char *api_text(const json_t *object, const char *name, const char *otherwise);
unsigned long long api_number(const json_t *object, const char *name);	/* never negative */
bool api_true(const json_t *object, const char *name);

/* "to" for a sending, "from" for a receiving, else the event's kind. */
const char *api_direction(const json_t *event);

/* Prints an object as one line (--json). */
void api_print(const json_t *object);
void api_print_take(json_t *object);	/* and lets it go; NULL is fine */

#endif
