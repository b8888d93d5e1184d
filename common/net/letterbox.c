/*
 * letterbox.c - opens a command port and moves its datagrams; the TCP form is in letterbox_tcp.c.
 */
#include "common/net/letterbox_in.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

#define BATCH 16		/* datagrams read by one call */
#define PORT_TRIES 32		/* a free TCP port may be taken for UDP */

struct letter_port *
sp_letterbox_port_for(struct sp_letterbox *box, const struct sp_addr *addr)
{
	for (size_t i = 0; i < 2; i++)
		if (box->ports[i].udp >= 0 && box->ports[i].bind.family == addr->family)
			return &box->ports[i];
	return NULL;
}

bool
sp_letterbox_deliver(struct sp_letterbox *box, const struct sp_return *from, struct sp_span bytes)
{
	bool gone = false;

	assert(box->gone == NULL);	/* the loop is not run from inside a callback */
	box->gone = &gone;
	box->conf.on_letter(box->conf.arg, from, bytes);
	if (!gone)
		box->gone = NULL;
	return !gone;
}

/* ---- datagrams ---- */

/* Reads up to BATCH datagrams. Returns how many there were, 0 when the socket is empty or the box was freed. */
static unsigned
read_batch(struct letter_port *port)
{
	/* One byte more than a letter may have tells those that are too long. */
	uint8_t bytes[BATCH][SP_LETTER_MAX + 1];
	struct sockaddr_storage names[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr msgs[BATCH];
	struct sp_letterbox *box = port->box;
	int n;

	memset(msgs, 0, sizeof(msgs));
	for (size_t i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ bytes[i], sizeof(bytes[i]) };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = &names[i];
		msgs[i].msg_hdr.msg_namelen = sizeof(names[i]);
	}
	n = recvmmsg(port->udp, msgs, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct sp_return from = { 0 };

		if (msgs[i].msg_len == 0 || msgs[i].msg_len > SP_LETTER_MAX ||
		    sp_addr_from_sockaddr((const struct sockaddr *)&names[i], msgs[i].msg_hdr.msg_namelen,
		    &from.addr) != SP_OK) {
			box->stats.udp_dropped++;
			continue;
		}
		box->stats.udp_in++;
		if (!sp_letterbox_deliver(box, &from, sp_span(bytes[i], msgs[i].msg_len)))
			return 0;
	}
	return n > 0 ? (unsigned)n : 0;
}

static void
on_datagrams(void *arg, unsigned ready)
{
	struct letter_port *port = arg;

	(void)ready;
	for (unsigned done = 0, n = BATCH; n == BATCH && done < SP_LETTER_TURN; done += n)
		n = read_batch(port);
}

enum sp_status
sp_letterbox_send(struct sp_letterbox *box, const struct sp_addr *addr, struct sp_span bytes)
{
	const struct letter_port *port = sp_letterbox_port_for(box, addr);
	struct sockaddr_storage ss;
	socklen_t len;

	if (port == NULL || addr->port == 0)
		return SP_E_CONNECT;
	if (bytes.n == 0 || bytes.n > SP_LETTER_MAX)
		return SP_E_LONG;
	len = sp_addr_to_sockaddr(addr, &ss);
	if (sendto(port->udp, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&ss,
	    len) >= 0) {
		box->stats.udp_out++;
		return SP_OK;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR)
		return SP_E_FULL;
	return errno == EMSGSIZE ? SP_E_LONG : SP_E_CONNECT;
}

enum sp_status
sp_letterbox_reply(struct sp_letterbox *box, const struct sp_return *to, struct sp_span bytes)
{
	return to->conn != 0 ? sp_letterbox_reply_tcp(box, to->conn, bytes) : sp_letterbox_send(box, &to->addr,
	    bytes);
}

/* ---- opening and closing ---- */

static void
port_close(struct letter_port *port)
{
	sp_watch_free(port->watch);
	sp_listener_free(port->listener);
	if (port->udp >= 0)
		close(port->udp);
	*port = (struct letter_port){ .box = port->box, .udp = -1 };
}

/* TCP first: it says which port is free; then UDP on the same number. */
static enum sp_status
port_open(struct letter_port *port, const struct sp_addr *bind_to, struct sp_why *why)
{
	struct sp_letterbox *box = port->box;
	struct sp_addr at;
	enum sp_status st;
	int fd;

	if ((st = sp_socket_listen(bind_to, &fd, why)) != SP_OK)
		return st;
	port->listener = sp_listener_new(box->loop, fd, sp_letterbox_accept, port);
	if (port->listener == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	if ((st = sp_addr_local(fd, &at)) != SP_OK)
		return sp_fail(st, why, "cannot read the address of a socket");
	port->bind = at;
	if ((st = sp_socket_udp(&at, &port->udp, why)) != SP_OK)
		return st;
	port->watch = sp_watch_new(box->loop, port->udp, on_datagrams, port);
	if (port->watch == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	return sp_watch_set(port->watch, SP_READ);
}

/* Both addresses on one number. */
static enum sp_status
ports_open(struct sp_letterbox *box, struct sp_why *why)
{
	enum sp_status st;

	if ((st = port_open(&box->ports[0], &box->conf.bind[0], why)) != SP_OK)
		return st;
	box->port = box->ports[0].bind.port;
	if (box->conf.bind[1].family != 0) {
		struct sp_addr second = box->conf.bind[1];

		second.port = box->port;
		st = port_open(&box->ports[1], &second, why);
	}
	return st;
}

enum sp_status
sp_letterbox_new_any(struct sp_loop *loop, const struct sp_letterbox_conf *conf, uint16_t port, struct sp_letterbox **ret_box,
    struct sp_why *why)
{
	struct sp_letterbox_conf any = *conf;

	any.bind[0] = (struct sp_addr){ .family = 4, .port = port };
	any.bind[1] = (struct sp_addr){ .family = 6, .port = port };
	if (sp_letterbox_new(loop, &any, ret_box, why) == SP_OK)
		return SP_OK;
	any.bind[1] = (struct sp_addr){ 0 };	/* a machine without IPv6 */
	return sp_letterbox_new(loop, &any, ret_box, why);
}

enum sp_status
sp_letterbox_new(struct sp_loop *loop, const struct sp_letterbox_conf *conf, struct sp_letterbox **ret_box,
    struct sp_why *why)
{
	SP_AUTO(sp_letterbox) *box = calloc(1, sizeof(*box));
	enum sp_status st = SP_E_EXISTS;

	if (box == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	box->loop = loop;
	box->conf = *conf;
	if (box->conf.idle_ms == 0)
		box->conf.idle_ms = SP_LETTER_CONN_IDLE_MS;
	for (size_t i = 0; i < 2; i++)
		box->ports[i] = (struct letter_port){ .box = box, .udp = -1 };
	if (conf->bind[0].family == 0 || (conf->bind[1].family != 0 && conf->bind[1].port != conf->bind[0].port))
		return sp_fail(SP_E_ARGUMENT, why, "a command port needs addresses of one port number");
	for (size_t i = 0; st == SP_E_EXISTS && i < (conf->bind[0].port == 0 ? PORT_TRIES : 1); i++) {
		port_close(&box->ports[0]);
		port_close(&box->ports[1]);
		st = ports_open(box, why);
	}
	if (st != SP_OK)
		return st;
	*ret_box = sp_take(&box);
	return SP_OK;
}

void
sp_letterbox_free(struct sp_letterbox *box)
{
	if (box == NULL)
		return;
	if (box->gone != NULL)
		*box->gone = true;
	sp_letterbox_close_all(box);
	port_close(&box->ports[0]);
	port_close(&box->ports[1]);
	free(box);
}

uint16_t
sp_letterbox_port(const struct sp_letterbox *box)
{
	return box->port;
}

void
sp_letterbox_stats(const struct sp_letterbox *box, struct sp_letterbox_stats *ret_stats)
{
	*ret_stats = box->stats;
	ret_stats->tcp_open = box->naccepted + box->ndialled;
}
