/*
 * client_in.h - what client.c (requests,
    which address is next) and client_link.c (the connection to one address) share.
 */
#ifndef SP_NET_CLIENT_IN_H
#define SP_NET_CLIENT_IN_H

#include <sys/queue.h>

#include "common/net/client.h"
#include "common/net/socket.h"
#include "common/net/tls_in.h"

/* A request from its asking to its callback. */
struct client_ask {
	TAILQ_ENTRY(client_ask) link;	/* in asks, or in done */
	struct sp_client *client;
	struct sp_id id;
	struct sp_buf frame;
	sp_answer_fn *fn;
	void *arg;
	struct client_link *at;		/* where it is asked now; NULL when done */
	bool sent;
	bool again;			/* had its second try at an address whose old connection broke */
	bool last_round;		/* has its second try at an address after all have failed */
	uint32_t tried;			/* a bit for each address that failed */
	struct sp_timer *timer;		/* owned: the end of this try */
	uint64_t give_up_ms;
	struct sp_answer answer;	/* when done */
	uint8_t *body;			/* owned: of the answer */
};

enum link_state { LINK_DOWN, LINK_RESOLVING, LINK_CONNECTING, LINK_SHAKING, LINK_UP };

/* One address of the service, with its connection if there is one. */
struct client_link {
	struct sp_client *client;
	unsigned index;
	char *address;				/* owned */
	enum link_state state;
	struct sp_timer *timer;			/* owned: connecting, resting,
	    or a failure to be told from the loop */
	uint64_t rest_until_ms;			/* it has just failed */
	uint64_t resolving;
	struct sp_addr addrs[SP_RESOLVE_MAX];
	size_t naddrs, naddrs_tried;
	int fd;					/* owned while connecting */
	struct sp_watch *watch;			/* owned while connecting */
	struct tls_conn *tls;			/* owned */
	struct tls_peer shown;			/* by the server */
	struct sp_identity server;
	unsigned sent;				/* requests sent and not answered */
	bool answered;				/* something came on this connection */
	bool stale;				/* made with an older trust or identity: to be closed */
	enum sp_status failed;			/* to be told by the timer */
	bool failed_by_server;
	struct sp_why why;
};

struct sp_client {
	struct sp_loop *loop;			/* borrowed */
	struct sp_resolver *resolver;		/* borrowed */
	enum sp_role role;
	const struct sp_trust *trust;		/* borrowed; NULL: by the pin */
	struct sp_hash root_pin;
	struct tls_ctx *ctx;			/* owned */
	struct client_link links[SP_CLIENT_ADDRESSES];
	unsigned nlinks;
	unsigned preferred;			/* where the next request goes first */
	bool one_connection;
	uint64_t request_ms;
	struct client_link *bound;		/* the one connection, once it was up */
	struct client_link *last;		/* where the last answer came from */
	TAILQ_HEAD(, client_ask) asks;		/* open */
	TAILQ_HEAD(, client_ask) done;		/* whose callback is due */
	size_t nasks;				/* in both */
	struct sp_timer *deliver;		/* owned */
	bool *gone;				/* set when it is freed during a callback */
};

/* ---- client_link.c ---- */
SP_MUST_CHECK enum sp_status link_init(struct client_link *l, struct sp_client *c, unsigned index,
    const char *address);
void link_done(struct client_link *l);

/* Connects if it isn't, and sends what may be sent. */
void link_pump(struct client_link *l);

/* A request that was sent is no longer open. */
void link_released(struct client_link *l);

/* Closes the connection as soon as nothing is asked on it. */
void link_retire(struct client_link *l);

/* ---- client.c, called by links ---- */
/* An answer: body_take is malloc'd. */
void client_answered(struct client_ask *ask, const struct sp_desc *type, uint8_t *body_take, size_t n);

/* The link is down: its requests go to the next address, or end. */
void client_link_failed(struct client_link *l, bool answered, enum sp_status st, const struct sp_why *why,
    bool by_server);

/* The open request of this id that was sent on this link, NULL if there is none. */
struct client_ask *client_find_sent(struct client_link *l, const struct sp_id *id);

/* A try is sent: its time runs. */
void client_sent(struct client_ask *ask);

#endif
