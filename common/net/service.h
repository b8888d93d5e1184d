/*
 * service.h - the server of framed messages over TLS 1.3: frames are length u32 | type u16 | request id 16 | body,
 * pipelined, answered in any order. It checks who asks and whether they may, then calls the handler of the type.
 * Loop thread only; a request may wait for other threads, its answer is given on the loop.
 */
#ifndef SP_NET_SERVICE_H
#define SP_NET_SERVICE_H

#include "common/net/addr.h"
#include "common/net/loop.h"
#include "common/net/tls.h"
#include "common/wire/msg.h"

struct sp_service;
struct sp_request;

/* One request, owned by the handler until it answers it: now or later, exactly once. */
typedef void sp_handler_fn(void *arg, struct sp_request *rq);

#define SP_ALLOW(role) (1u << (role))		/* SP_ALLOW(SP_ROLE_NONE): without a certificate */
struct sp_handler {
	unsigned type;		/* SP_MSG_… of transport SERVICE */
	unsigned roles;		/* who may ask: SP_ALLOW(…) | … */
	sp_handler_fn *fn;
};

struct sp_service_conf {
	const struct sp_addr *listen;		/* port 0: a free one, the same for all */
	size_t nlisten;				/* 1 … SP_SERVICE_LISTEN */
	struct sp_tls_identity identity;
	const struct sp_trust *trust;		/* borrowed: under which clients' certificates are checked */
	const struct sp_handler *handlers;	/* borrowed */
	size_t nhandlers;
	void *arg;				/* of the handlers, borrowed */
	uint64_t idle_ms;			/* 0: SP_SERVICE_IDLE_MS */
	size_t conns_max;			/* 0: SP_SERVICE_CONNS */
};

SP_MUST_CHECK enum sp_status sp_service_new(struct sp_loop *loop, const struct sp_service_conf *conf,
    struct sp_service **ret_service, struct sp_why *why);

/* Closes everything at once. Requests still held may be answered afterwards; the answers are dropped. */
void sp_service_free(struct sp_service *s);
SP_AUTO_DEFINE(sp_service);

uint16_t sp_service_port(const struct sp_service *s);

/* New connections use this identity or trust; those that stand keep theirs. */
SP_MUST_CHECK enum sp_status sp_service_set_identity(struct sp_service *s, const struct sp_tls_identity *identity,
    struct sp_why *why);
void sp_service_set_trust(struct sp_service *s, const struct sp_trust *trust);

/* For shutdown: stops listening and reading; done(arg) is called once (never inside this call) when every open
 * request is answered and every answer is sent. The deadline is the caller's. */
void sp_service_drain(struct sp_service *s, void (*done)(void *arg), void *arg);

/* ---- a request ---- */
const struct sp_id *sp_request_id(const struct sp_request *rq);

/* Who asks, checked; NULL = showed no certificate. */
const struct sp_identity *sp_request_peer(const struct sp_request *rq);
const struct sp_addr *sp_request_addr(const struct sp_request *rq);

/* The TLS exporter of the connection that the request came on. */
void sp_request_exporter(const struct sp_request *rq, uint8_t ret_secret[SP_EXPORTER]);

/* The body as its struct, which borrows from the request. On failure the request is answered with the reason and
 * gone. */
SP_MUST_CHECK enum sp_status sp_request_read(struct sp_request *rq, void *ret_msg);

/* Answers and frees the request; dropped if the connection is gone. answer: a struct sp_msg_… of that type. A
 * struct that does not encode is answered with an ERROR of SP_E_STATE. */
void sp_request_answer(struct sp_request *rq, unsigned type, const void *msg);

/* The same with an already encoded body (an answer that was stored as bytes). */
void sp_request_answer_bytes(struct sp_request *rq, unsigned type, struct sp_span body);

/* Answers ERROR. why may be NULL. busy: SP_E_BUSY, to be asked again after retry_ms. */
void sp_request_fail(struct sp_request *rq, enum sp_status st, const struct sp_why *why);
void sp_request_busy(struct sp_request *rq, uint32_t retry_ms);

struct sp_service_stats {
	uint64_t connections, refused_connections, bad_peers, bad_frames, requests, busy;
	size_t open_connections, open_requests;
};
void sp_service_stats(const struct sp_service *s, struct sp_service_stats *ret_stats);

#endif
