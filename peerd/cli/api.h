/*
 * api.h - one request to peerd and its JSON answer, over the UNIX socket.
 */
#ifndef PEERD_CLI_API_H
#define PEERD_CLI_API_H

#include <jansson.h>

#include "common/base/buf.h"
#include "peerd/cli/cli.h"

/*
 * Asks; body (stolen) may be NULL. CLI_DONE: *ret_answer is an object, the caller's. Otherwise what went wrong was said on
 * stderr, with what to do next: CLI_NO_PEERD, CLI_FAILED, or what the error means (CLI_REFUSED, CLI_CREDITS).
 */
int api_ask(struct cli *cli, const char *method, const char *path, json_t *body, long timeout_s, json_t **ret_answer);

/* Appends text so that it can stand in a path or query. */
void api_escape(struct sp_buf *out, const char *text);

/* Says an error object {"name", "text", "advice"…} on stderr; returns its exit status. */
int api_say_error(const json_t *error);

/* Members, with a stand-in where they are absent, null or of another kind. Borrowed. */
const char *api_text(const json_t *object, const char *name, const char *otherwise);
long long api_number(const json_t *object, const char *name);

/* Prints an object as one line (--json). */
void api_print(const json_t *object);

#endif
