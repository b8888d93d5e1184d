/*
 * client.h - asking a service of one role: framed messages over TLS 1.3 to one of several addresses, the first
 * at random, the next on failure with the same request id. Connections are opened when needed and closed when
 * idle. Loop thread only.
 */
#ifndef SP_NET_CLIENT_H
#define SP_NET_CLIENT_H

#include "common/net/loop.h"
#include "common/net/resolve.h"
#include "common/net/tls.h"
#include "common/wire/msg.h"

struct sp_client;

struct sp_client_conf {
	enum sp_role role;			/* that the server must show */
	const char *const *addresses;		/* "host:port" each (else SP_E_ARGUMENT),
	    copied; 1 … SP_CLIENT_ADDRESSES */
	size_t naddresses;
	const struct sp_tls_identity *identity;	/* NULL: without a certificate */

	/* Either the trust whose domain the server must belong to (borrowed) … */
	const struct sp_trust *trust;
	/* … or, with trust NULL, the SHA-256 of the root certificate that the server must send and stand under. */
	struct sp_hash root_pin;

	/* All requests on one connection: once it is up no other is made, and when it ends requests fail with
	 * SP_E_CLOSED. For what is bound to a connection (enrolment, renewal). */
	bool one_connection;

	uint64_t request_ms;			/* a try at one address; 0: SP_SERVICE_REQUEST_MS */
};

SP_MUST_CHECK enum sp_status sp_client_new(struct sp_loop *loop, struct sp_resolver *resolver,
    const struct sp_client_conf *conf, struct sp_client **ret_client, struct sp_why *why);

/* Open requests end without a callback. */
void sp_client_free(struct sp_client *c);
SP_AUTO_DEFINE(sp_client);

/* Connections made from now on use this trust or identity (NULL: none); standing ones are closed when idle. */
void sp_client_set_trust(struct sp_client *c, const struct sp_trust *trust);
SP_MUST_CHECK enum sp_status sp_client_set_identity(struct sp_client *c, const struct sp_tls_identity *identity,
    struct sp_why *why);

/* What came of a request; everything is borrowed until the callback returns. */
struct sp_answer {
	enum sp_status status;		/* SP_OK:
	    type and body are the answer; else the server's ERROR or why none came */
	const struct sp_desc *type;	/* of the answer; NULL on failure */
	struct sp_span body;
	bool from_server;		/* the failure is the server's own answer, not one of the connection */
	uint32_t retry_ms;		/* with SP_E_BUSY; 0 = not said */
	struct sp_why why;
};
typedef void sp_answer_fn(void *arg, const struct sp_answer *answer);

/* Asks under this id (the same id again = the same request, repeated). msg: a struct sp_msg_… of type, encoded
 * at once. fn is called exactly once, never inside this call, unless cancelled. SP_E_EXISTS while that id is
 * open, SP_E_FULL beyond SP_CLIENT_QUEUE open requests, what encoding finds: fn is not called then. */
SP_MUST_CHECK enum sp_status sp_client_ask(struct sp_client *c, const struct sp_id *id, unsigned type,
    const void *msg,
    sp_answer_fn *fn, void *arg, struct sp_why *why);

/* The callback of this id is not called any more; the server may do what was asked all the same. Unknown ids are
 * fine. */
void sp_client_cancel(struct sp_client *c, const struct sp_id *id);

/* The answer as the struct of this type: its failure if it is one, SP_E_REPLY if it is of another type, or what
 * decoding finds. ret_msg borrows from the answer. */
SP_MUST_CHECK enum sp_status sp_answer_read(const struct sp_answer *answer, unsigned type, void *ret_msg,
    struct sp_why *why);

/* ---- of the connection that the last answer came from, while it is up (with one_connection there is no other) */
/* The server's identity, checked; NULL when not connected. */
const struct sp_identity *sp_client_server(const struct sp_client *c);

/* Certificates that the server sent, DER, borrowed: 0 is its own, then its chain as sent; empty beyond. */
struct sp_span sp_client_chain(const struct sp_client *c, size_t i);

/* The TLS exporter of the connection. SP_E_CLOSED when not connected. */
SP_MUST_CHECK enum sp_status sp_client_exporter(const struct sp_client *c, uint8_t ret_secret[SP_EXPORTER]);

#endif
