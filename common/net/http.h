/*
 * http.h - the control API's server: HTTP/1.1 on a UNIX socket that only its own user and root may use.
 * It carries methods, paths, query arguments and bodies; JSON and meaning are the caller's. Loop thread only.
 */
#ifndef SP_NET_HTTP_H
#define SP_NET_HTTP_H

#include "common/base/limits.h"
#include "common/net/loop.h"

#include "common/base/span.h"

struct sp_http;
struct sp_http_request;

/* One complete request, owned by the callee until answered: now or later (a long poll), exactly once. */
typedef void sp_http_fn(void *arg, struct sp_http_request *rq);

/* Makes the socket at path (mode 0600; a stale one is replaced, a live one is SP_E_EXISTS). */
SP_MUST_CHECK enum sp_status sp_http_new(struct sp_loop *loop, const char *path, sp_http_fn *fn, void *arg,
    struct sp_http **ret_http, struct sp_why *why);

/* Closes all connections and removes the socket. Requests still held may be answered afterwards; that is dropped. */
void sp_http_free(struct sp_http *h);
SP_AUTO_DEFINE(sp_http);

/* Stops accepting; standing connections go on. */
void sp_http_quiesce(struct sp_http *h);

/* Borrowed as long as the request lives. method is "GET", "POST" …; path is percent-decoded and begins with '/'. */
const char *sp_http_method(const struct sp_http_request *rq);
const char *sp_http_path(const struct sp_http_request *rq);
struct sp_span sp_http_body(const struct sp_http_request *rq);

/* A decoded query argument ("" without a value), NULL if absent. */
const char *sp_http_query(const struct sp_http_request *rq, const char *name);

/* Answers and frees the request; dropped if the client went away. bytes are copied. */
void sp_http_answer(struct sp_http_request *rq, unsigned status, const char *content_type, struct sp_span bytes);

#endif
