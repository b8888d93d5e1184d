/*
 * net_http_test.c - the control API's server on a real UNIX socket: whole and split requests, answers now and later,
 * clients that go away, what is malformed or too long, other users, stale sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/buf.h"
#include "common/net/http.h"
#include "tests/unit/net_unit.h"

static struct unit_loop u;
static struct sp_http *http;
static char path[64];

/* What the server side saw, and the requests that it holds. */
static size_t requests;
static struct sp_http_request *held[4];
static size_t nheld;
static char seen[256];
static size_t body_n;

static void
on_request(void *arg, struct sp_http_request *rq)
{
	const char *after = sp_http_query(rq, "after");

	ck_assert_ptr_eq(arg, &requests);
	requests++;
	body_n = sp_http_body(rq).n;
	snprintf(seen, sizeof(seen), "%s %s after=%s %.*s", sp_http_method(rq), sp_http_path(rq),
	    after != NULL ? after : "(none)", (int)(body_n < 20 ? body_n : 20), (const char *)sp_http_body(rq).p);
	if (strcmp(sp_http_path(rq), "/hold") == 0)
		held[nheld++] = rq;
	else
		sp_http_answer(rq, 200, "application/json", sp_span_str("{\"ok\":true}"));
}

static void
open_all(void)
{
	struct sp_why why = { 0 };

	unit_loop_open(&u);
	snprintf(path, sizeof(path), "/tmp/net_http_test.%d", (int)getpid());
	ck_assert_msg(sp_http_new(u.loop, path, on_request, &requests, &http, &why) == SP_OK, "%s", why.text);
	requests = nheld = 0;
}

static void
close_all(void)
{
	sp_http_free(http);
	ck_assert_int_ne(access(path, F_OK), 0);
	unit_loop_close(&u);
}

static int
dial(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, path);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
put(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads one response whole (or up to the end of the connection) while the loop runs; its status,
    0 if there was none. */
static int
get(int fd, char *out, size_t size)
{
	size_t n = 0;

	out[0] = 0;
	for (uint64_t end = sp_clock_boot_ms() + UNIT_PATIENCE_MS; sp_clock_boot_ms() < end;) {
		const char *body = strstr(out, "\r\n\r\n"), *length = strcasestr(out, "content-length: ");
		ssize_t got;

		if (body != NULL && length != NULL && n >= (size_t)(body + 4 - out) + strtoul(length + 16, NULL, 10))
			break;
		unit_loop_run_ms(&u, 2);
		got = recv(fd, out + n, size - 1 - n, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			break;
		n += got > 0 ? (size_t)got : 0;
		out[n] = 0;
	}
	return strncmp(out, "HTTP/1.1 ", 9) == 0 ? atoi(out + 9) : 0;
}

static char out[4096];

START_TEST(a_request_is_answered_at_once)
{
	struct stat st;
	int fd;

	open_all();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	fd = dial();
	put(fd, "GET /v1/a%20b?after=7%2b1&wait HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_int_eq(get(fd, out, sizeof(out)), 200);
	ck_assert_str_eq(seen, "GET /v1/a b after=7+1 ");
	ck_assert_ptr_nonnull(strstr(out, "Content-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(out, "\r\n\r\n{\"ok\":true}"));
	/* The connection stands. */
	put(fd, "POST /v1/send HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
	ck_assert_int_eq(get(fd, out, sizeof(out)), 200);
	ck_assert_str_eq(seen, "POST /v1/send after=(none) hello");
	put(fd,
	    "POST /v1/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	ck_assert_int_eq(get(fd, out, sizeof(out)), 200);
	ck_assert_str_eq(seen, "POST /v1/c after=(none) abcde");
	close(fd);
	close_all();
}
END_TEST

START_TEST(a_request_in_single_bytes)
{
	static const char text[] = "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
	int fd;

	open_all();
	fd = dial();
	for (size_t i = 0; text[i] != 0; i++) {
		ck_assert_uint_eq(requests, 0);
		put(fd, (const char[]){ text[i], 0 });
		unit_loop_run_ms(&u, 1);
	}
	ck_assert_int_eq(get(fd, out, sizeof(out)), 200);
	ck_assert_str_eq(seen, "PUT /x after=(none) abc");
	close(fd);
	close_all();
}
END_TEST

START_TEST(long_polls_are_answered_later)
{
	int fds[3];

	open_all();
	for (size_t i = 0; i < 3; i++) {
		fds[i] = dial();
		put(fds[i], "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
		while (nheld <= i)
			unit_loop_run_ms(&u, 2);
	}
	/* Another request is answered in between. */
	sp_http_answer(held[1], 201, NULL, sp_span_str("one"));
	ck_assert_int_eq(get(fds[1], out, sizeof(out)), 201);
	ck_assert_ptr_nonnull(strstr(out, "\r\n\r\none"));
	ck_assert_int_eq(recv(fds[0], out, 1, MSG_DONTWAIT), -1);
	/* This client goes away before it is answered. */
	close(fds[0]);
	unit_loop_run_ms(&u, 20);
	sp_http_answer(held[0], 200, NULL, sp_span_str("zero"));
	unit_loop_run_ms(&u, 20);
	put(fds[1], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_int_eq(get(fds[1], out, sizeof(out)), 200);
	/* And this one is still held when the server ends. */
	close_all();
	sp_http_answer(held[2], 200, NULL, sp_span_str("two"));
	ck_assert_int_eq(recv(fds[2], out, sizeof(out), MSG_DONTWAIT), 0);
	close(fds[1]);
	close(fds[2]);
}
END_TEST

START_TEST(bodies_that_are_too_long_are_413)
{
	char *big = calloc(1, SP_CONTROL_BODY_MAX + 2);
	char head[128];
	int fd;

	open_all();
	memset(big, 'x', SP_CONTROL_BODY_MAX + 1);
	fd = dial();
	snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
	    SP_CONTROL_BODY_MAX + 1);
	put(fd, head);
	ck_assert_int_eq(get(fd, out, sizeof(out)), 413);
	close(fd);
	/* Exactly as long as allowed, and one byte more without having said so. */
	for (int more = 0; more < 2; more++) {
		size_t n = SP_CONTROL_BODY_MAX + (size_t)more;

		fd = dial();
		snprintf(head, sizeof(head),
		    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n", n);
		put(fd, head);
		for (size_t at = 0; at < n;) {
			ssize_t sent = send(fd, big + at, n - at, MSG_DONTWAIT | MSG_NOSIGNAL);

			if (sent < 0)
				unit_loop_run_ms(&u, 1);
			at += sent > 0 ? (size_t)sent : 0;
		}
		put(fd, "\r\n0\r\n\r\n");
		ck_assert_int_eq(get(fd, out, sizeof(out)), more ? 413 : 200);
		close(fd);
	}
	ck_assert_uint_eq(requests, 1);
	ck_assert_uint_eq(body_n, SP_CONTROL_BODY_MAX);
	close_all();
	free(big);
}
END_TEST

START_TEST(malformed_requests_reach_nobody)
{
	static const char *const bad[] = {
		"\r\n\r\nnonsense\r\n\r\n",
		"GET\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"GET v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",			/* without a host */
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5x\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n",
		"GET /?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q HTTP/1.1\r\nHost: x\r\n\r\n",
	};

	open_all();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = dial(), status;

		put(fd, bad[i]);
		shutdown(fd, SHUT_WR);
		status = get(fd, out, sizeof(out));
		ck_assert_msg(status == 0 || (status >= 400 && status < 600), "%s: %d", bad[i], status);
		close(fd);
	}
	ck_assert_uint_eq(requests, 0);
	close_all();
}
END_TEST

START_TEST(endless_headers_are_cut_off)
{
	int fd, status;
	size_t sent = 0;

	open_all();
	fd = dial();
	put(fd, "GET / HTTP/1.1\r\nHost: x\r\n");
	while (sent < 4000000) {
		char line[1024];
		ssize_t n;

		memset(line, 'a', sizeof(line));
		memcpy(line, "X-Y: ", 5);
		memcpy(line + sizeof(line) - 2, "\r\n", 2);
		n = send(fd, line, sizeof(line), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
		unit_loop_run_ms(&u, 1);
	}
	ck_assert_uint_lt(sent, 1000000);
	status = get(fd, out, sizeof(out));
	ck_assert(status == 0 || status == 431 || status == 400 || status == 413);
	ck_assert_uint_eq(requests, 0);
	close(fd);
	close_all();
}
END_TEST

START_TEST(more_connections_than_allowed_are_closed)
{
	int fds[SP_CONTROL_CONNS + 4];
	size_t shut = 0;
	char byte;

	open_all();
	for (size_t i = 0; i < SP_CONTROL_CONNS + 4; i++) {
		fds[i] = dial();
		unit_loop_run_ms(&u, 1);
	}
	unit_loop_run_ms(&u, 30);
	for (size_t i = 0; i < SP_CONTROL_CONNS + 4; i++) {
		ssize_t n = recv(fds[i], &byte, 1, MSG_DONTWAIT);

		shut += n == 0 || (n < 0 && errno == ECONNRESET);
		close(fds[i]);
	}
	ck_assert_uint_eq(shut, 4);
	unit_loop_run_ms(&u, 30);
	fds[0] = dial();
	put(fds[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_int_eq(get(fds[0], out, sizeof(out)), 200);
	close(fds[0]);
	close_all();
}
END_TEST

START_TEST(stale_sockets_are_replaced_and_live_ones_not)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sp_http *second = NULL;
	struct sp_why why;
	char name[200];
	int fd;

	open_all();
	ck_status(sp_http_new(u.loop, path, on_request, &requests, &second, &why), SP_E_EXISTS);
	ck_assert_ptr_nonnull(strstr(why.text, "another program"));
	ck_assert_int_eq(access(path, F_OK), 0);
	close_all();
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(un.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	open_all();
	close_all();
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	unit_loop_open(&u);
	ck_status(sp_http_new(u.loop, path, on_request, &requests, &second, &why), SP_E_EXISTS);
	ck_assert_int_eq(access(path, F_OK), 0);
	unlink(path);
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = 0;
	ck_status(sp_http_new(u.loop, name, on_request, &requests, &second, &why), SP_E_ARGUMENT);
	ck_status(sp_http_new(u.loop, "/nonexistent/x", on_request, &requests, &second, &why), SP_E_SYS);
	unit_loop_close(&u);
}
END_TEST

START_TEST(quiesced_it_takes_no_new_connections)
{
	int fd, second;

	open_all();
	fd = dial();
	put(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_int_eq(get(fd, out, sizeof(out)), 200);
	sp_http_quiesce(http);
	second = dial();
	ck_assert_int_eq(second, -1);
	put(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_int_eq(get(fd, out, sizeof(out)), 200);
	close(fd);
	close_all();
}
END_TEST

START_TEST(other_users_are_shut_out)
{
	pid_t pid;
	int status;

	if (geteuid() != 0)
		return;		/* only root can be somebody else */
	open_all();
	chmod(path, 0666);	/* even if the mode let them */
	pid = fork();
	if (pid == 0) {
		char byte;
		int fd;

		if (setuid(65534) != 0 || (fd = dial()) < 0)
			_exit(2);
		(void)!write(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
		_exit(read(fd, &byte, 1) <= 0 ? 0 : 1);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		unit_loop_run_ms(&u, 5);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_uint_eq(requests, 0);
	close_all();
}
END_TEST

UNIT_MAIN("net/http", a_request_is_answered_at_once, a_request_in_single_bytes, long_polls_are_answered_later,
    bodies_that_are_too_long_are_413, malformed_requests_reach_nobody, endless_headers_are_cut_off,
    more_connections_than_allowed_are_closed, stale_sockets_are_replaced_and_live_ones_not,
    quiesced_it_takes_no_new_connections, other_users_are_shut_out)
