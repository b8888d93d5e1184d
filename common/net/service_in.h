/*
 * service_in.h - what service.c (listening, connections, who may ask) and request.c (requests and their answers)
 * share.
 */
#ifndef SP_NET_SERVICE_IN_H
#define SP_NET_SERVICE_IN_H

#include <sys/queue.h>

#include "common/net/service.h"
#include "common/net/socket.h"
#include "common/net/tls_in.h"

/* Who is at the other end. A request keeps it after the connection is gone. Counted; loop thread only. */
struct service_peer {
	unsigned refs;
	bool known;			/* showed a certificate, which was checked */
	struct sp_identity identity;
	uint8_t exporter[SP_EXPORTER];
	struct sp_addr addr;
};
void service_peer_unref(struct service_peer *peer);

struct service_conn {
	struct sp_service *service;	/* borrowed */
	struct tls_conn *tls;		/* owned */
	struct service_peer *peer;	/* counted */
	uint64_t born;			/* how many came before it */
	uint64_t number;		/* its name for requests: never used again for another */
	unsigned open;			/* requests that are not answered */
};

struct sp_service {
	struct sp_loop *loop;				/* borrowed */
	struct sp_listener *listeners[SP_SERVICE_LISTEN];	/* owned; NULL once it drains */
	uint16_t port;
	struct tls_ctx *ctx;				/* owned */
	const struct sp_trust *trust;			/* borrowed */
	const struct sp_handler *handlers;		/* borrowed */
	size_t nhandlers;
	void *arg;
	uint64_t idle_ms;

	/* The slot of a connection is its number modulo SP_SERVICE_CONNS; free_slots is a stack. */
	struct service_conn *conns[SP_SERVICE_CONNS];	/* owned */
	uint16_t free_slots[SP_SERVICE_CONNS];
	size_t nfree;
	uint64_t turns[SP_SERVICE_CONNS];		/* how often a slot was used */
	LIST_HEAD(, sp_request) requests;		/* that their handlers hold */
	struct sp_service_stats stats;

	struct sp_timer *drained;			/* owned */
	bool draining;
	void (*on_drained)(void *arg);
	void *drain_arg;
};

/* The connection of this number, NULL if it is gone. */
struct service_conn *service_conn(struct sp_service *s, uint64_t number);

/* A request less is open on the connection: it may read again, or end when the service drains. */
void service_conn_answered(struct service_conn *c);

/* While draining: ends it if nothing is left. */
void service_check_drained(struct sp_service *s);

/* A new request, entered at the service, with its body. NULL when out of memory (the body is freed). */
struct sp_request *request_new(struct service_conn *c, const struct sp_frame *frame, uint8_t *body_take, size_t n);

/* The service goes: requests still held are nobody's. */
void requests_orphan(struct sp_service *s);

#endif
