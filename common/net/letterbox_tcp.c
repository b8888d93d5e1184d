/*
 * letterbox_tcp.c - letters over TCP, each behind its length (u32, big-endian). Sending only queues: connections are
 * written, read and closed from the loop alone, so that no call into the box can take one away under its caller.
 */
#include "common/net/letterbox_in.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/base/cursor.h"

#define READ_SIZE (16 * 1024)

struct letter_conn {
	LIST_ENTRY(letter_conn) link;
	struct sp_letterbox *box;
	uint64_t number;
	struct sp_addr addr;
	int fd;				/* owned */
	struct sp_watch *watch;		/* owned */
	struct sp_timer *timer;		/* owned: connecting, idle, half-sent */
	bool dialled, connecting;
	bool kept;			/* a known station's */
	unsigned bad;			/* letters that were none */
	struct sp_buf in, out;		/* begun letters, and those that wait */
	size_t out_at;			/* bytes of out that have left */
	size_t unanswered;		/* letters sent on a dialled connection, less those that came */
};

static void
conn_free(struct letter_conn *c)
{
	if (c == NULL)
		return;
	sp_watch_free(c->watch);
	sp_timer_free(c->timer);
	if (c->fd >= 0)
		close(c->fd);
	sp_buf_done(&c->in);
	sp_buf_done(&c->out);
	free(c);
}

/* Ends a connection and tells the owner if letters stay unanswered. The box may be gone afterwards. */
static void
conn_end(struct letter_conn *c, enum sp_status st, const struct sp_why *why)
{
	struct sp_letterbox *box = c->box;
	struct sp_addr addr = c->addr;
	bool tell = c->dialled && c->unanswered > 0 && box->conf.on_failed != NULL;

	LIST_REMOVE(c, link);
	if (c->dialled)
		box->ndialled--;
	else
		box->naccepted--;
	conn_free(c);
	if (tell)
		box->conf.on_failed(box->conf.arg, &addr, st, why);
}

static void
conn_fail(struct letter_conn *c, enum sp_status st, const char *text)
{
	struct sp_why why;
	char addr[SP_ADDR_TEXT];

	conn_end(c, sp_fail(st, &why, "%s: %s", sp_addr_text(&c->addr, addr), text), &why);
}

static void
on_timer(void *arg)
{
	struct letter_conn *c = arg;

	if (c->in.len > 0 || c->out.len > 0)
		c->box->stats.tcp_broken++;
	conn_fail(c, SP_E_TIMEOUT, c->connecting ? "no connection in time" : "no letter in time");
}

/* False when the descriptor can no longer be watched. */
static bool
conn_watch(struct letter_conn *c)
{
	unsigned want = c->connecting ? SP_WRITE : SP_READ | (c->out.len > 0 ? SP_WRITE : 0);

	return sp_watch_set(c->watch, want) == SP_OK;
}

/* ---- reading ---- */

/* Delivers the whole letters in c->in. False if the connection is gone. */
static bool
deliver_all(struct letter_conn *c)
{
	struct sp_return from = { c->addr, c->number, c->dialled };
	size_t at = 0;

	while (c->in.len - at >= 4) {
		struct sp_cursor head = sp_cursor(sp_span(c->in.data + at, 4));
		uint32_t n = sp_cursor_u32(&head);

		if (n == 0 || n > SP_LETTER_TCP_MAX) {
			c->box->stats.tcp_broken++;
			conn_fail(c, SP_E_FORMAT, "a letter of a length that is not allowed");
			return false;
		}
		if (c->in.len - at - 4 < n)
			break;
		c->box->stats.tcp_in++;
		if (c->unanswered > 0)
			c->unanswered--;
		if (!sp_letterbox_deliver(c->box, &from, sp_span(c->in.data + at + 4, n)))
			return false;
		if (c->bad >= SP_LETTER_CONN_BAD) {
			c->box->stats.tcp_broken++;
			conn_fail(c, SP_E_FORMAT, "letters that are none");
			return false;
		}
		at += 4 + (size_t)n;
	}
	/* Only a whole letter moves the deadline: one that trickles in does not keep its connection. */
	if (at > 0)
		sp_timer_set(c->timer, c->box->conf.idle_ms);
	if (at == c->in.len)
		sp_buf_done(&c->in);
	else
		sp_buf_consume(&c->in, at);
	return true;
}

/* False if the connection is gone. */
static bool
conn_read(struct letter_conn *c)
{
	uint8_t part[READ_SIZE];
	ssize_t n = recv(c->fd, part, sizeof(part), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return true;
	if (n <= 0) {
		if (c->in.len > 0)
			c->box->stats.tcp_broken++;
		conn_fail(c, SP_E_CLOSED, n == 0 ? "the other side ended the connection" : "the connection broke");
		return false;
	}
	sp_buf_add(&c->in, part, (size_t)n);
	if (sp_buf_status(&c->in) != SP_OK) {
		conn_fail(c, SP_E_NOMEM, "out of memory");
		return false;
	}
	return deliver_all(c);
}

/* ---- writing ---- */

/* False if the connection is gone. */
static bool
conn_write(struct letter_conn *c)
{
	ssize_t n = send(c->fd, c->out.data + c->out_at, c->out.len - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return true;
	if (n < 0) {
		conn_fail(c, SP_E_CLOSED, "the connection broke");
		return false;
	}
	c->out_at += (size_t)n;
	sp_timer_set(c->timer, c->box->conf.idle_ms);
	if (c->out_at == c->out.len) {
		sp_buf_done(&c->out);
		c->out_at = 0;
	}
	return true;
}

static void
on_ready(void *arg, unsigned ready)
{
	struct letter_conn *c = arg;
	struct sp_why why;
	enum sp_status st;

	if (c->connecting) {
		if ((st = sp_socket_error(c->fd, &c->addr, &why)) != SP_OK) {
			conn_end(c, st, &why);
			return;
		}
		c->connecting = false;
		sp_timer_set(c->timer, c->box->conf.idle_ms);
	}
	if ((ready & SP_READ) != 0 && !conn_read(c))
		return;
	if ((ready & SP_WRITE) != 0 && c->out.len > 0 && !conn_write(c))
		return;
	if (!conn_watch(c))
		conn_fail(c, SP_E_SYS, "the connection cannot be watched");
}

static enum sp_status
conn_queue(struct letter_conn *c, struct sp_span bytes)
{
	if (bytes.n == 0 || bytes.n > SP_LETTER_TCP_MAX)
		return SP_E_LONG;
	if (c->out.len - c->out_at + 4 + bytes.n > SP_LETTER_CONN_QUEUE)
		return SP_E_FULL;
	sp_buf_consume(&c->out, c->out_at);
	c->out_at = 0;
	sp_buf_add_u32(&c->out, (uint32_t)bytes.n);
	sp_buf_add_span(&c->out, bytes);
	if (sp_buf_status(&c->out) != SP_OK || !conn_watch(c)) {
		/* Half a letter may stand in the buffer: the connection is of no use any more. */
		sp_timer_set(c->timer, 0);
		return SP_E_NOMEM;
	}
	c->box->stats.tcp_out++;
	if (c->dialled)
		c->unanswered++;
	if (!c->connecting)
		sp_timer_set(c->timer, c->box->conf.idle_ms);
	return SP_OK;
}

/* ---- opening ---- */

/* Takes fd over, on failure too. */
static struct letter_conn *
conn_new(struct sp_letterbox *box, int fd, const struct sp_addr *addr, bool dialled)
{
	struct letter_conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	*c = (struct letter_conn){ .box = box, .fd = fd, .addr = *addr, .dialled = dialled, .connecting = dialled };
	c->watch = sp_watch_new(box->loop, fd, on_ready, c);
	c->timer = sp_timer_new(box->loop, on_timer, c);
	if (c->watch == NULL || c->timer == NULL || !conn_watch(c)) {
		conn_free(c);
		return NULL;
	}
	c->number = ++box->last_conn;
	sp_timer_set(c->timer, dialled ? SP_LETTER_CONNECT_MS : box->conf.idle_ms);
	LIST_INSERT_HEAD(&box->conns, c, link);
	if (dialled)
		box->ndialled++;
	else
		box->naccepted++;
	return c;
}

/* All are taken: the one that is oldest and nobody's whom we know makes way. False if there is none. */
static bool
make_way(struct sp_letterbox *box)
{
	struct letter_conn *c, *oldest = NULL;

	LIST_FOREACH(c, &box->conns, link)
		if (!c->dialled && !c->kept)
			oldest = c;		/* the list begins with the newest */
	if (oldest == NULL)
		return false;
	box->stats.tcp_refused++;
	conn_fail(oldest, SP_E_FULL, "it made way");
	return true;
}

void
sp_letterbox_keep(struct sp_letterbox *box, uint64_t conn)
{
	struct letter_conn *c;

	LIST_FOREACH(c, &box->conns, link)
		if (c->number == conn)
			c->kept = true;
}

void
sp_letterbox_bad(struct sp_letterbox *box, uint64_t conn)
{
	struct letter_conn *c;

	LIST_FOREACH(c, &box->conns, link)
		if (c->number == conn && !c->dialled)
			c->bad++;
}

void
sp_letterbox_accept(void *arg, int fd, const struct sp_addr *addr)
{
	struct letter_port *port = arg;
	struct sp_letterbox *box = port->box;
	struct sp_addr net = sp_addr_prefix(addr, 32, 64);
	const struct letter_conn *c;
	size_t same = 0;

	LIST_FOREACH(c, &box->conns, link) {
		struct sp_addr other = sp_addr_prefix(&c->addr, 32, 64);

		same += !c->dialled && sp_addr_eq(&net, &other);
	}
	if (same >= SP_LETTER_CONNS_PREFIX || (box->naccepted >= SP_LETTER_CONNS && !make_way(box))) {
		box->stats.tcp_refused++;
		close(fd);
		return;
	}
	(void)conn_new(box, fd, addr, false);
}

void
sp_letterbox_close_all(struct sp_letterbox *box)
{
	struct letter_conn *c;

	while ((c = LIST_FIRST(&box->conns)) != NULL) {
		LIST_REMOVE(c, link);
		conn_free(c);
	}
}

enum sp_status
sp_letterbox_reply_tcp(struct sp_letterbox *box, uint64_t conn, struct sp_span bytes)
{
	struct letter_conn *c;

	LIST_FOREACH(c, &box->conns, link)
		if (c->number == conn)
			return conn_queue(c, bytes);
	return SP_E_CLOSED;
}

enum sp_status
sp_letterbox_send_tcp(struct sp_letterbox *box, const struct sp_addr *addr, struct sp_span bytes)
{
	const struct letter_port *port = sp_letterbox_port_for(box, addr);
	struct letter_conn *c;
	enum sp_status st;
	int fd;

	if (bytes.n == 0 || bytes.n > SP_LETTER_TCP_MAX)
		return SP_E_LONG;
	LIST_FOREACH(c, &box->conns, link)
		if (c->dialled && sp_addr_eq(&c->addr, addr))
			return conn_queue(c, bytes);
	if (port == NULL || addr->port == 0)
		return SP_E_CONNECT;
	if (box->ndialled >= SP_LETTER_CONNS)
		return SP_E_FULL;
	if ((st = sp_socket_dial(addr, &port->bind, &fd, NULL)) != SP_OK)
		return st;
	c = conn_new(box, fd, addr, true);
	return c != NULL ? conn_queue(c, bytes) : SP_E_NOMEM;
}
