/*
 * client_in.h - what client.c (requests) and client_link.c (the connection) share.
 */
#ifndef SP_NET_CLIENT_IN_H
#define SP_NET_CLIENT_IN_H

#include <sys/queue.h>

#include "common/net/client.h"
#include "common/net/tls_in.h"

enum link_state { LINK_DOWN, LINK_RESOLVING, LINK_DIALING, LINK_SHAKING, LINK_UP };

/* One request until its callback. */
struct ask {
	TAILQ_ENTRY(ask) link;
	struct sp_id id;
	struct sp_buf frame;	/* as it is sent, again at each try */
	sp_answer_fn *fn;
	void *arg;
	unsigned tries;		/* addresses that failed it */
	uint64_t due_ms;	/* of the present try */
	bool sent;		/* on the present connection */
};

struct sp_client {
	struct sp_loop *loop;			/* borrowed */
	struct sp_resolver *resolver;		/* borrowed */
	enum sp_role role;
	char *addresses[SP_CLIENT_ADDRESSES];	/* owned */
	size_t naddresses, at;			/* at: the present one */
	struct tls_ctx *ctx;			/* owned */
	const struct sp_trust *trust;		/* borrowed; NULL: the pin decides */
	struct sp_hash root_pin;
	bool one_connection, was_up;

	TAILQ_HEAD(asks, ask) asks;
	size_t nasks;
	struct sp_timer *timer;			/* owned: the nearest due_ms, or what was put off */
	bool put_off;				/* the link is to be looked at from the loop */
	bool *gone;				/* set when freed inside a callback */

	enum link_state state;
	uint64_t resolving;			/* handle */
	struct sp_addr addrs[SP_RESOLVE_MAX];	/* of the present name */
	size_t naddrs, addr_at;
	int fd;					/* while dialing */
	struct sp_watch *watch;			/* while dialing */
	struct tls_conn *conn;
	struct tls_peer peer;			/* what the server showed */
	struct sp_identity server;
	struct sp_trust *pinned;		/* owned: made of the server's chain under the pin */
	bool stale;				/* identity or trust changed: not to be used again */
};

/* Begins to connect unless a connection stands or is being made. Failures come from the loop. */
void link_begin(struct sp_client *c);

/* Ends the connection, or what is being made of it. */
void link_end(struct sp_client *c);

/* ---- in client.c, called by the link ---- */
/* The server is checked: what waits is sent. */
void client_up(struct sp_client *c);

/* A whole frame for one of the requests. */
void client_frame(struct sp_client *c, const struct sp_frame *frame, struct sp_span body);

/* This address failed (with down: a connection that was up has ended). The client may be gone afterwards. */
void client_failed(struct sp_client *c, enum sp_status st, const struct sp_why *why);

#endif
