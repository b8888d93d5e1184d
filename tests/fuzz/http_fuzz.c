/*
 * http_fuzz.c - the control API's HTTP: bytes on its socket. Every request that gets through is well-formed, and nothing is lost of
 * it; the server goes on for the next client.
 */
#include "common/net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static struct {
	struct sp_loop *loop;
	struct sp_http *http;
	char folder[64], path[80];
} server;

static void
on_request(void *arg, struct sp_http_request *rq)
{
	const char *query = sp_http_query(rq, "after");
	struct sp_span body = sp_http_body(rq);

	(void)arg;
	fuzz_must(sp_http_method(rq)[0] != 0 && sp_http_path(rq)[0] == '/');
	fuzz_must(body.n <= SP_CONTROL_BODY_MAX && (query == NULL || strlen(query) < 1 << 20));
	if (body.n == 0 || body.p[body.n - 1] != 0xff)
		fuzz_accept();
	sp_http_answer(rq, 200, "application/json", sp_span_str("{}"));
}

static void
remove_folder(void)
{
	sp_http_free(server.http);
	sp_loop_free(server.loop);
	rmdir(server.folder);
}

static void
begin(void)
{
	struct sp_why why;

	if (server.loop != NULL)
		return;
	strcpy(server.folder, "/tmp/sealpost-fuzz-XXXXXX");
	fuzz_must(mkdtemp(server.folder) != NULL);
	snprintf(server.path, sizeof(server.path), "%s/control", server.folder);
	fuzz_ok(sp_loop_new(&server.loop, &why));
	fuzz_ok(sp_http_new(server.loop, server.path, on_request, NULL, &server.http, &why));
	atexit(remove_folder);
}

/* The answers, as far as they go. */
static void
on_answer(void *arg, unsigned ready)
{
	char bytes[4096];
	int fd = *(int *)arg;

	(void)ready;
	if (read(fd, bytes, sizeof(bytes)) <= 0)
		sp_loop_stop(server.loop);
}

/* Half a request is given up at once when its client goes away, and after a while when the client only ends its side. */
static void
enough(void *arg)
{
	(void)arg;
	sp_loop_stop(server.loop);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), room = 1 << 20;
	struct sp_watch *watch;
	struct sp_timer *timer;

	begin();
	strcpy(un.sun_path, server.path);
	fuzz_must(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) == 0);
	fuzz_must(fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
	fuzz_must(write(fd, data, size) == (ssize_t)size || size == 0);
	shutdown(fd, SHUT_WR);
	watch = sp_watch_new(server.loop, fd, on_answer, &fd);
	timer = sp_timer_new(server.loop, enough, NULL);
	fuzz_must(watch != NULL && timer != NULL);
	fuzz_ok(sp_watch_set(watch, SP_READ));
	sp_timer_set(timer, 3);
	fuzz_ok(sp_loop_run(server.loop));
	sp_watch_free(watch);
	close(fd);
	sp_timer_set(timer, 0);
	fuzz_ok(sp_loop_run(server.loop));
	sp_timer_free(timer);
	return 0;
}
