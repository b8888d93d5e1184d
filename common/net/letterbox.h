/*
 * letterbox.h - a command port: datagrams (UDP) and, on the same port number, their length-prefixed form over TCP.
 * It moves bytes. It opens, checks, repeats and answers nothing; whoever receives letters decides. Loop thread only.
 */
#ifndef SP_NET_LETTERBOX_H
#define SP_NET_LETTERBOX_H

#include "common/net/addr.h"
#include "common/net/loop.h"

struct sp_letterbox;

/* Where a letter came from and how an answer goes back the same way. A value: keep it as long as you like. */
struct sp_return {
	struct sp_addr addr;
	uint64_t conn;		/* number of the TCP connection, 0 = UDP; never used again for another */
	bool dialled;		/* we opened that connection */
};

/* bytes is borrowed until the callback returns; 1 … SP_LETTER_MAX bytes over UDP, … SP_LETTER_TCP_MAX over TCP. */
typedef void sp_letter_fn(void *arg, const struct sp_return *from, struct sp_span bytes);

/* A connection that sp_letterbox_send_tcp() opened or used is no more (not reached, broken, or ended by the
 * other side): what was sent there and is unanswered will not be answered there. Not called for idle connections
 * that nobody waits on. */
typedef void sp_letter_failed_fn(void *arg, const struct sp_addr *addr, enum sp_status st, const struct sp_why *why);

struct sp_letterbox_conf {
	struct sp_addr bind[2];		/* the second may be of another family, or none (zeroes) */
	sp_letter_fn *on_letter;
	sp_letter_failed_fn *on_failed;	/* NULL: not told */
	void *arg;			/* borrowed */
	uint64_t idle_ms;		/* 0: SP_LETTER_CONN_IDLE_MS */
};

/* Opens UDP and TCP on each address, all on one port number (port 0: a free one). SP_E_SYS with the reason. */
SP_MUST_CHECK enum sp_status sp_letterbox_new(struct sp_loop *loop, const struct sp_letterbox_conf *conf,
    struct sp_letterbox **ret_box, struct sp_why *why);
/* On all addresses of the machine, IPv4 and, if it has it, IPv6; conf->bind is ignored. port 0: any free one. */
SP_MUST_CHECK enum sp_status sp_letterbox_new_any(struct sp_loop *loop, const struct sp_letterbox_conf *conf, uint16_t port,
    struct sp_letterbox **ret_box, struct sp_why *why);
void sp_letterbox_free(struct sp_letterbox *box);
SP_AUTO_DEFINE(sp_letterbox);

uint16_t sp_letterbox_port(const struct sp_letterbox *box);

/* A datagram to addr. SP_E_FULL when the socket's buffer is full (as good as lost on the way), SP_E_LONG beyond
 * SP_LETTER_MAX, SP_E_CONNECT when there is no socket of that family or no route. */
SP_MUST_CHECK enum sp_status sp_letterbox_send(struct sp_letterbox *box, const struct sp_addr *addr,
    struct sp_span bytes);

/* A letter of up to SP_LETTER_TCP_MAX over a connection to addr, which is opened or used again. SP_OK means
 * queued; what fails later is told by on_failed. SP_E_FULL beyond the bound of its out-queue or of connections. */
SP_MUST_CHECK enum sp_status sp_letterbox_send_tcp(struct sp_letterbox *box, const struct sp_addr *addr,
    struct sp_span bytes);

/* The way the letter came. SP_E_CLOSED if that connection is gone; SP_E_LONG, SP_E_FULL as above. */
SP_MUST_CHECK enum sp_status sp_letterbox_reply(struct sp_letterbox *box, const struct sp_return *to,
    struct sp_span bytes);

/* A known station writes on this connection: it makes way for no other. Fine if it is gone. */
void sp_letterbox_keep(struct sp_letterbox *box, uint64_t conn);

/* A letter on this connection was none, or opened to nothing: after SP_LETTER_CONN_BAD of them it ends, once the callback has
 * returned. Fine if it is gone, or one that we opened, or 0. */
void sp_letterbox_bad(struct sp_letterbox *box, uint64_t conn);

/* Counters since the start, for status and tests. */
struct sp_letterbox_stats {
	uint64_t udp_in, udp_out, udp_dropped;	/* dropped: empty or too long */
	uint64_t tcp_in, tcp_out;		/* letters */
	uint64_t tcp_refused;			/* connections beyond the limits, those that made way included */
	uint64_t tcp_broken;			/* closed for a bad length or letters, a half-sent one or a full out-queue */
	size_t tcp_open;			/* connections now */
};
void sp_letterbox_stats(const struct sp_letterbox *box, struct sp_letterbox_stats *ret_stats);

#endif
