/*
 * tls_in.h - TLS inside common/net: contexts, what a peer showed, and connections that carry frames. tls.c and
 * tls_conn.c alone include OpenSSL.
 */
#ifndef SP_NET_TLS_IN_H
#define SP_NET_TLS_IN_H

#include "common/net/loop.h"
#include "common/net/tls.h"
#include "common/wire/frame.h"

/* ---- contexts ---- */
struct tls_ctx;		/* who we are; connections keep what they were made with */

/* identity NULL: a client without a certificate. */
SP_MUST_CHECK enum sp_status tls_ctx_new(const struct sp_tls_identity *identity, bool server,
    struct tls_ctx **ret_ctx,
    struct sp_why *why);
void tls_ctx_free(struct tls_ctx *ctx);
SP_AUTO_DEFINE(tls_ctx);

/* ---- what the other side showed; nothing is checked yet ---- */
struct tls_peer {
	struct sp_buf certs[1 + SP_CHAIN_MAX];	/* DER; its own first */
	size_t ncerts;				/* 0: no certificate */
	uint8_t exporter[SP_EXPORTER];
};
void tls_peer_done(struct tls_peer *peer);

/* ---- connections ---- */
struct tls_conn;

/* What to do with a frame whose head has come. */
enum tls_take { TLS_TAKE, TLS_SKIP, TLS_FINISH };

/* Called from the loop. A callback may free the connection; down means that it must (then or later). */
struct tls_conn_calls {
	/* The handshake is done. SP_OK lets frames in; else a server tells the reason in an ERROR frame and
	 * closes, and a client closes. */
	enum sp_status (*up)(void *arg, struct sp_why *why);

	/* The head of a frame; st is SP_E_UNKNOWN or SP_E_LONG (desc is NULL, or its length is beyond its row) if
	 * it cannot be taken. n is the length of its body, for which no room was made yet. */
	enum tls_take (*head)(void *arg, const struct sp_frame *frame, size_t n, enum sp_status st);

	/* A whole frame that was taken. body_take (malloc'd, NULL when n is 0) is the owner's now. */
	void (*frame)(void *arg, const struct sp_frame *frame, uint8_t *body_take, size_t n);

	/* The connection is over, once; the reason is for people. */
	void (*down)(void *arg, enum sp_status st, const struct sp_why *why);
};

struct tls_conn_conf {
	bool server;
	uint64_t idle_ms;	/* without an open request, with a half-sent frame, or with nothing leaving */
	const struct tls_conn_calls *calls;
	void *arg;
};

/* Takes fd (connected, non-blocking) over, on failure too. NULL when out of memory. */
struct tls_conn *tls_conn_new(struct sp_loop *loop, const struct tls_ctx *ctx, int fd_take,
    const struct tls_conn_conf *conf);
void tls_conn_free(struct tls_conn *c);
SP_AUTO_DEFINE(tls_conn);

/* Sends a whole frame. What cannot be sent ends the connection, from the loop. */
void tls_conn_send(struct tls_conn *c, struct sp_span frame);

/* Sends ERROR under this id. why may be NULL. */
void tls_conn_send_error(struct tls_conn *c, const struct sp_id *id, enum sp_status st, const struct sp_why *why,
    uint32_t retry_ms);

/* How many requests are open (with one the connection is never idle), and whether to read on. */
void tls_conn_set_open(struct tls_conn *c, unsigned open, bool read);

/* Sends what waits, reads nothing more, and closes. down comes then. */
void tls_conn_finish(struct tls_conn *c);

/* Its handshake is not done. */
bool tls_conn_is_shaking(const struct tls_conn *c);

/* Certificates and exporter; SP_E_CERT if it sent too many. After the handshake. */
SP_MUST_CHECK enum sp_status tls_conn_peer(const struct tls_conn *c, struct tls_peer *ret_peer, struct sp_why *why);

/* A request id of zeroes: what an ERROR about the connection itself carries. */
extern const struct sp_id tls_no_id;

#endif
