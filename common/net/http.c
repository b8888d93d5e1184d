/*
 * http.c - libmicrohttpd without threads of its own:
    its epoll descriptor and its next timeout hang on our loop. A request
 * that is not answered at once is suspended; one whose client went away lives on until its owner has answered it.
 * We accept connections ourselves, because only so can the other side's user be asked for.
 */
#include "common/net/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/net/socket.h"

#define ARGUMENTS_MAX 16
#define DISCARD_MAX (2 * SP_CONTROL_BODY_MAX)	/* of a body that is too long, before its connection is cut */

struct sp_http {
	struct sp_loop *loop;			/* borrowed */
	struct sp_listener *listener;		/* owned; NULL after quiesce */
	struct MHD_Daemon *daemon;		/* owned */
	struct sp_watch *watch;			/* owned: the daemon's epoll descriptor */
	struct sp_timer *timer;			/* owned: the daemon's next timeout */
	struct sockaddr_un un;
	bool bound;				/* the socket's file is ours to remove */
	bool closing;
	bool resumed;				/* an answer waits for the daemon's next run */
	sp_http_fn *fn;
	void *arg;
	LIST_HEAD(, sp_http_request) requests;	/* whose connection stands */
};

/* Freed when both are through with it: the owner has answered, and the connection is done with it. */
struct sp_http_request {
	LIST_ENTRY(sp_http_request) link;
	struct sp_http *http;			/* borrowed; NULL once the connection is done */
	struct MHD_Connection *connection;	/* borrowed, likewise */
	struct MHD_Response *response;		/* owned; the answer */
	unsigned status;
	bool given, answered, suspended;
	size_t discarded;
	char *method, *path;			/* owned */
	struct { char *name, *value; } args[ARGUMENTS_MAX];	/* owned */
	size_t nargs;
	bool bad_args;
	struct sp_buf body;
};

static void
request_free(struct sp_http_request *rq)
{
	if (rq == NULL)
		return;
	if (rq->response != NULL)
		MHD_destroy_response(rq->response);
	for (size_t i = 0; i < rq->nargs; i++) {
		free(rq->args[i].name);
		free(rq->args[i].value);
	}
	free(rq->method);
	free(rq->path);
	sp_buf_done(&rq->body);
	free(rq);
}

/* ---- what libmicrohttpd calls ---- */

static enum MHD_Result
queue_text(struct MHD_Connection *connection, unsigned status, const char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
	    MHD_RESPMEM_PERSISTENT);
	enum MHD_Result done;

	if (r == NULL)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
	done = MHD_queue_response(connection, status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result
on_argument(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct sp_http_request *rq = cls;
	char *n, *v;

	(void)kind;
	n = rq->nargs < ARGUMENTS_MAX ? strdup(name) : NULL;
	v = n != NULL ? strdup(value != NULL ? value : "") : NULL;
	if (v == NULL) {
		free(n);
		rq->bad_args = true;
		return MHD_NO;
	}
	rq->args[rq->nargs].name = n;
	rq->args[rq->nargs++].value = v;
	return MHD_YES;
}

/* The head of a request is there. */
static enum MHD_Result
begin(struct sp_http *h, struct MHD_Connection *connection, const char *path, const char *method, void **ret_rq)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	struct sp_http_request *rq = calloc(1, sizeof(*rq));
	uint64_t n;

	if (rq == NULL || (rq->method = strdup(method)) == NULL || (rq->path = strdup(path)) == NULL) {
		request_free(rq);
		return MHD_NO;
	}
	rq->http = h;
	rq->connection = connection;
	rq->body.max = SP_CONTROL_BODY_MAX;
	LIST_INSERT_HEAD(&h->requests, rq, link);
	*ret_rq = rq;
	if (length != NULL && sp_parse_u64(sp_span_str(length), SP_CONTROL_BODY_MAX, &n) == SP_E_RANGE) {
		rq->answered = true;
		return queue_text(connection, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too long\n");
	}
	if (path[0] != '/' || method[0] == 0) {
		rq->answered = true;
		return queue_text(connection, MHD_HTTP_BAD_REQUEST, "a path begins with /\n");
	}
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, on_argument, rq);
	return MHD_YES;
}

/* The request is whole: its owner gets it, and if it is not answered at once, the connection waits. */
static enum MHD_Result
give(struct sp_http_request *rq)
{
	struct sp_http *h = rq->http;
	struct MHD_Connection *connection = rq->connection;

	if (rq->discarded > 0 || rq->bad_args || sp_buf_status(&rq->body) != SP_OK) {
		rq->answered = true;
		if (rq->bad_args)
			return queue_text(connection, MHD_HTTP_BAD_REQUEST, "too many arguments\n");
		return queue_text(connection, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too long\n");
	}
	rq->given = true;
	/* From here on only the connection's end, which comes later, and the owner's answer free rq. */
	h->fn(h->arg, rq);
	if (rq->answered)
		return rq->response != NULL ? MHD_queue_response(connection, rq->status, rq->response) : MHD_NO;
	rq->suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
    const char *data, size_t *data_size, void **con_cls)
{
	struct sp_http *h = cls;
	struct sp_http_request *rq = *con_cls;

	(void)version;
	if (h->closing)
		return MHD_NO;
	if (rq == NULL)
		return begin(h, connection, path, method, con_cls);
	if (*data_size > 0) {
		size_t n = *data_size;

		*data_size = 0;
		if (rq->discarded == 0 && rq->body.len + n <= SP_CONTROL_BODY_MAX) {
			sp_buf_add(&rq->body, data, n);
			return MHD_YES;
		}
		rq->discarded += n;
		return rq->discarded <= DISCARD_MAX ? MHD_YES : MHD_NO;
	}
	if (!rq->given)
		return give(rq);
	return rq->response != NULL ? MHD_queue_response(connection, rq->status, rq->response) : MHD_NO;
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode code)
{
	struct sp_http_request *rq = *con_cls;

	(void)cls;
	(void)connection;
	(void)code;
	if (rq == NULL)
		return;
	*con_cls = NULL;
	LIST_REMOVE(rq, link);
	rq->http = NULL;
	rq->connection = NULL;
	if (rq->answered || !rq->given)
		request_free(rq);
}

/* ---- the daemon on the loop ---- */

static void
run_daemon(struct sp_http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	h->resumed = false;
	MHD_run(h->daemon);
	if (h->resumed)
		sp_timer_set(h->timer, 0);
	else if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
		sp_timer_set(h->timer, ms);
	else
		sp_timer_stop(h->timer);
}

static void
on_ready(void *arg, unsigned ready)
{
	(void)ready;
	run_daemon(arg);
}

static void
on_timer(void *arg)
{
	run_daemon(arg);
}

static void
on_accept(void *arg, int fd, const struct sp_addr *addr)
{
	struct sp_http *h = arg;
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);
	const struct sockaddr_un nobody = { .sun_family = AF_UNIX };

	(void)addr;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || (peer.uid != geteuid() && peer.uid != 0)) {
		close(fd);
		return;
	}
	/* Takes the descriptor over, on failure too. */
	(void)MHD_add_connection(h->daemon, fd, (const struct sockaddr *)&nobody, sizeof(nobody));
	run_daemon(h);
}

/* ---- opening and closing ---- */

/* A socket file that nobody listens on is left over from a crash. */
static enum sp_status
remove_stale(const struct sockaddr_un *un, struct sp_why *why)
{
	SP_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (lstat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return sp_fail(SP_E_EXISTS, why, "%s exists and is not a socket", un->sun_path);
	if (fd < 0)
		return sp_fail_errno(SP_E_SYS, why, "cannot open a socket");
	if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0 || errno != ECONNREFUSED)
		return sp_fail(SP_E_EXISTS, why, "another program serves %s", un->sun_path);
	if (unlink(un->sun_path) != 0)
		return sp_fail_errno(SP_E_SYS, why, "cannot remove %s", un->sun_path);
	return SP_OK;
}

static enum sp_status
open_socket(struct sp_http *h, const char *path, struct sp_why *why)
{
	SP_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t n = strlen(path);
	enum sp_status st;

	h->un.sun_family = AF_UNIX;
	if (n == 0 || n >= sizeof(h->un.sun_path))
		return sp_fail(SP_E_ARGUMENT, why, "the path of the control socket is longer than %zu bytes: %s",
		    sizeof(h->un.sun_path) - 1, path);
	memcpy(h->un.sun_path, path, n + 1);
	/* The file takes the socket's mode: nobody can connect in between. */
	if (fd < 0 || fchmod(fd, 0600) != 0)
		return sp_fail_errno(SP_E_SYS, why, "cannot open a socket");
	if (bind(fd, (const struct sockaddr *)&h->un, sizeof(h->un)) != 0) {
		if (errno != EADDRINUSE)
			return sp_fail_errno(SP_E_SYS, why, "cannot make %s", path);
		if ((st = remove_stale(&h->un, why)) != SP_OK)
			return st;
		if (bind(fd, (const struct sockaddr *)&h->un, sizeof(h->un)) != 0)
			return sp_fail_errno(SP_E_SYS, why, "cannot make %s", path);
	}
	h->bound = true;
	if (listen(fd, SP_CONTROL_CONNS) != 0)
		return sp_fail_errno(SP_E_SYS, why, "cannot listen on %s", path);
	h->listener = sp_listener_new(h->loop, sp_take_fd(&fd), on_accept, h);
	return h->listener != NULL ? SP_OK : sp_fail(SP_E_NOMEM, why, "out of memory");
}

static enum sp_status
open_daemon(struct sp_http *h, struct sp_why *why)
{
	const union MHD_DaemonInfo *info;

	h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
	    NULL,
	    on_request, h, MHD_OPTION_CONNECTION_LIMIT, (unsigned)SP_CONTROL_CONNS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SP_CONTROL_IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_END);
	info = h->daemon != NULL ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info == NULL)
		return sp_fail(SP_E_LIBRARY, why, "cannot start the HTTP server");
	h->watch = sp_watch_new(h->loop, info->epoll_fd, on_ready, h);
	h->timer = sp_timer_new(h->loop, on_timer, h);
	if (h->watch == NULL || h->timer == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	return sp_watch_set(h->watch, SP_READ);
}

enum sp_status
sp_http_new(struct sp_loop *loop, const char *path, sp_http_fn *fn, void *arg, struct sp_http **ret_http,
    struct sp_why *why)
{
	SP_AUTO(sp_http) *h = calloc(1, sizeof(*h));
	enum sp_status st;

	if (h == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	h->loop = loop;
	h->fn = fn;
	h->arg = arg;
	if ((st = open_daemon(h, why)) != SP_OK || (st = open_socket(h, path, why)) != SP_OK)
		return st;
	*ret_http = sp_take(&h);
	return SP_OK;
}

void
sp_http_quiesce(struct sp_http *h)
{
	sp_listener_free(sp_take(&h->listener));
}

void
sp_http_free(struct sp_http *h)
{
	struct sp_http_request *rq;

	if (h == NULL)
		return;
	h->closing = true;
	sp_listener_free(h->listener);
	LIST_FOREACH(rq, &h->requests, link)
		if (rq->suspended)
			MHD_resume_connection(rq->connection);
	sp_watch_free(h->watch);
	sp_timer_free(h->timer);
	if (h->daemon != NULL)
		MHD_stop_daemon(h->daemon);
	if (h->bound)
		unlink(h->un.sun_path);
	free(h);
}

/* ---- a request ---- */

const char *
sp_http_method(const struct sp_http_request *rq)
{
	return rq->method;
}

const char *
sp_http_path(const struct sp_http_request *rq)
{
	return rq->path;
}

struct sp_span
sp_http_body(const struct sp_http_request *rq)
{
	return sp_buf_span(&rq->body);
}

const char *
sp_http_query(const struct sp_http_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->nargs; i++)
		if (strcmp(rq->args[i].name, name) == 0)
			return rq->args[i].value;
	return NULL;
}

void
sp_http_answer(struct sp_http_request *rq, unsigned status, const char *content_type, struct sp_span bytes)
{
	if (rq->connection == NULL) {
		request_free(rq);
		return;
	}
	rq->answered = true;
	rq->status = status;
	/* Without a response (no memory) the connection is closed. */
	rq->response = MHD_create_response_from_buffer(bytes.n, (void *)(uintptr_t)bytes.p, MHD_RESPMEM_MUST_COPY);
	if (rq->response != NULL && content_type != NULL)
		MHD_add_response_header(rq->response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	if (rq->suspended) {
		rq->suspended = false;
		MHD_resume_connection(rq->connection);
		rq->http->resumed = true;
		sp_timer_set(rq->http->timer, 0);
	}
}
