/*
 * socket.c - sockets as this suite uses them: non-blocking, closed on exec, bound and connected in one place.
 */
#include "common/net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "common/base/fault.h"
#include "common/base/limits.h"
#include "common/base/log.h"

#define ACCEPT_TURN 16		/* connections taken in one turn */
#define ACCEPT_REST_MS 1000

struct sp_listener {
	int fd;				/* owned */
	struct sp_watch *watch;		/* owned */
	struct sp_timer *rest;		/* owned */
	sp_accept_fn *fn;
	void *arg;
	bool *gone;			/* set when it is freed while it calls fn */
	struct sp_log_gate gate;
};

static bool
is_wildcard(const struct sp_addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->ip, zero, sizeof(zero)) == 0;
}

static int
set_on(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on));
}

static enum sp_status
open_bound(const struct sp_addr *bind_to, int type, int *ret_fd, struct sp_why *why)
{
	struct sockaddr_storage ss;
	socklen_t len = sp_addr_to_sockaddr(bind_to, &ss);
	SP_AUTO_FD fd = socket(ss.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char text[SP_ADDR_TEXT];

	if (fd < 0)
		return sp_fail_errno(SP_E_SYS, why, "cannot open a socket");
	if (bind_to->family == 6)
		(void)set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (type == SOCK_STREAM)
		(void)set_on(fd, SOL_SOCKET, SO_REUSEADDR);
	if (bind(fd, (const struct sockaddr *)&ss, len) != 0)
		return sp_fail_errno(errno == EADDRINUSE ? SP_E_EXISTS : SP_E_SYS, why, "cannot use the address %s",
		    sp_addr_text(bind_to, text));
	*ret_fd = sp_take_fd(&fd);
	return SP_OK;
}

enum sp_status
sp_socket_udp(const struct sp_addr *bind_to, int *ret_fd, struct sp_why *why)
{
	enum sp_status st = open_bound(bind_to, SOCK_DGRAM, ret_fd, why);
	int room = 1 << 20;	/* a burst of letters waits while the loop works; the system may give less */

	if (st == SP_OK)
		(void)setsockopt(*ret_fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return st;
}

enum sp_status
sp_socket_listen(const struct sp_addr *bind_to, int *ret_fd, struct sp_why *why)
{
	SP_AUTO_FD fd = -1;
	char text[SP_ADDR_TEXT];
	enum sp_status st = open_bound(bind_to, SOCK_STREAM, &fd, why);

	if (st != SP_OK)
		return st;
	if (listen(fd, 512) != 0)
		return sp_fail_errno(errno == EADDRINUSE ? SP_E_EXISTS : SP_E_SYS, why, "cannot listen on %s",
		    sp_addr_text(bind_to, text));
	*ret_fd = sp_take_fd(&fd);
	return SP_OK;
}

enum sp_status
sp_socket_dial(const struct sp_addr *to, const struct sp_addr *bind_to, int *ret_fd, struct sp_why *why)
{
	struct sockaddr_storage ss, from;
	socklen_t len = sp_addr_to_sockaddr(to, &ss), from_len;
	SP_AUTO_FD fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sp_addr host;
	char text[SP_ADDR_TEXT];

	if (fd < 0)
		return sp_fail_errno(SP_E_SYS, why, "cannot open a socket");
	(void)set_on(fd, IPPROTO_TCP, TCP_NODELAY);
	(void)set_on(fd, SOL_SOCKET, SO_KEEPALIVE);
	if (bind_to != NULL && bind_to->family == to->family && !is_wildcard(bind_to)) {
		host = *bind_to;
		host.port = 0;
		from_len = sp_addr_to_sockaddr(&host, &from);
		(void)set_on(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
		if (bind(fd, (const struct sockaddr *)&from, from_len) != 0)
			return sp_fail_errno(SP_E_SYS, why, "cannot use the address %s", sp_addr_host(&host, text));
	}
	if (connect(fd, (const struct sockaddr *)&ss, len) != 0 && errno != EINPROGRESS)
		return sp_fail_errno(SP_E_CONNECT, why, "cannot connect to %s", sp_addr_text(to, text));
	*ret_fd = sp_take_fd(&fd);
	return SP_OK;
}

enum sp_status
sp_socket_error(int fd, const struct sp_addr *to, struct sp_why *why)
{
	int error = 0;
	socklen_t len = sizeof(error);
	char text[SP_ADDR_TEXT];

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0)
		return SP_OK;
	errno = error;
	return sp_fail_errno(SP_E_CONNECT, why, "cannot connect to %s", sp_addr_text(to, text));
}

/* ---- listener ---- */

/* Waiting connections would wake the loop without end. */
static void
rest(struct sp_listener *l)
{
	const char *reason = strerror(errno);
	unsigned held;

	sp_watch_stop(l->watch);
	sp_timer_set(l->rest, ACCEPT_REST_MS);
	if (sp_log_pass(&l->gate, &held))
		sp_log(SP_LOG_WARN, "cannot-accept", "reason=\"%s\" held=%u", reason, held);
}

static void
on_rested(void *arg)
{
	struct sp_listener *l = arg;

	if (sp_watch_set(l->watch, SP_READ) != SP_OK)
		sp_timer_set(l->rest, ACCEPT_REST_MS);
}

static void
on_incoming(void *arg, unsigned ready)
{
	struct sp_listener *l = arg;
	bool gone = false;

	(void)ready;
	l->gone = &gone;
	for (size_t i = 0; i < ACCEPT_TURN; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct sp_addr addr = { 0 };
		int fd = -1;

		if ((errno = SP_FAULT_ERRNO("accept")) == 0)
			fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			rest(l);
			break;
		}
		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			break;
		if (fd < 0)
			continue;
		if (sp_addr_from_sockaddr((const struct sockaddr *)&ss, len, &addr) == SP_OK) {
			(void)set_on(fd, IPPROTO_TCP, TCP_NODELAY);
			(void)set_on(fd, SOL_SOCKET, SO_KEEPALIVE);
		}
		l->fn(l->arg, fd, &addr);
		if (gone)
			return;
	}
	l->gone = NULL;
}

struct sp_listener *
sp_listener_new(struct sp_loop *loop, int fd_take, sp_accept_fn *fn, void *arg)
{
	SP_AUTO(sp_listener) *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		close(fd_take);
		return NULL;
	}
	*l = (struct sp_listener){ .fd = fd_take, .fn = fn, .arg = arg };
	l->watch = sp_watch_new(loop, l->fd, on_incoming, l);
	l->rest = sp_timer_new(loop, on_rested, l);
	if (l->watch == NULL || l->rest == NULL || sp_watch_set(l->watch, SP_READ) != SP_OK)
		return NULL;
	return sp_take(&l);
}

void
sp_listener_free(struct sp_listener *l)
{
	if (l == NULL)
		return;
	if (l->gone != NULL)
		*l->gone = true;
	sp_watch_free(l->watch);
	sp_timer_free(l->rest);
	close(l->fd);
	free(l);
}
