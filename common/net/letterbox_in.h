/*
 * letterbox_in.h - what letterbox.c (the port, datagrams) and letterbox_tcp.c (connections) share.
 */
#ifndef SP_NET_LETTERBOX_IN_H
#define SP_NET_LETTERBOX_IN_H

#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/net/letterbox.h"
#include "common/net/socket.h"

struct letter_conn;

/* One of the two bound addresses. */
struct letter_port {
	struct sp_letterbox *box;
	struct sp_addr bind;
	int udp;			/* owned */
	struct sp_watch *watch;		/* owned */
	struct sp_listener *listener;	/* owned */
};

struct sp_letterbox {
	struct sp_loop *loop;			/* borrowed */
	struct sp_letterbox_conf conf;
	struct letter_port ports[2];
	uint16_t port;
	struct sp_letterbox_stats stats;
	LIST_HEAD(, letter_conn) conns;		/* owned */
	size_t naccepted, ndialled;
	uint64_t last_conn;
	bool *gone;				/* set when it is freed while it calls out */
};

/* The port of this address family, NULL if the box has none. */
struct letter_port *sp_letterbox_port_for(struct sp_letterbox *box, const struct sp_addr *addr);

/* Gives a letter to the owner; false if that freed the box. */
SP_MUST_CHECK bool sp_letterbox_deliver(struct sp_letterbox *box, const struct sp_return *from, struct sp_span bytes);

/* letterbox_tcp.c */
void sp_letterbox_accept(void *arg, int fd, const struct sp_addr *addr);	/* arg: struct letter_port */
void sp_letterbox_close_all(struct sp_letterbox *box);
SP_MUST_CHECK enum sp_status sp_letterbox_reply_tcp(struct sp_letterbox *box, uint64_t conn, struct sp_span bytes);

#endif
