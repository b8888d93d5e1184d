/*
 * client_link.c - a client's connection: the name resolved, each address dialed, TLS, and the check that the right server
 * answers. What is asked over it is in client.c.
 */
#include "common/net/client_in.h"

#include <unistd.h>

#include "common/base/clock.h"
#include "common/crypto/hash.h"
#include "common/net/socket.h"

void
link_end(struct sp_client *c)
{
	if (c->resolving != 0)
		sp_resolve_cancel(c->resolver, c->resolving);
	c->resolving = 0;
	sp_watch_free(c->watch);
	c->watch = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	tls_conn_free(c->conn);
	c->conn = NULL;
	tls_peer_done(&c->peer);
	sp_trust_free(c->pinned);
	c->pinned = NULL;
	c->state = LINK_DOWN;
	c->stale = false;
}

static void
failed(struct sp_client *c, enum sp_status st, const struct sp_why *why)
{
	struct sp_why copy = { "" };

	if (why != NULL)
		copy = *why;
	link_end(c);
	client_failed(c, st, &copy);
}

/* ---- who answers ---- */

/* The server's own chain as a trust, if it holds the root that was pinned. */
static enum sp_status
trust_by_pin(struct sp_client *c, struct sp_why *why)
{
	struct sp_identity id;
	struct sp_hash hash;
	size_t root = 0;
	enum sp_status st;

	for (size_t i = 1; i < c->peer.ncerts; i++) {
		sp_sha256(sp_buf_span(&c->peer.certs[i]), &hash);
		root = sp_hash_eq(&hash, &c->root_pin) ? i : root;
	}
	if (root == 0)
		return sp_fail(SP_E_IDENTITY, why, "%s does not stand under the root that the invitation names",
		    c->addresses[c->at]);
	if ((st = sp_identity_read(sp_buf_span(&c->peer.certs[0]), &id, why)) != SP_OK ||
	    (st = sp_trust_new(id.name.domain, &c->pinned)) != SP_OK)
		return st;
	for (size_t i = 1; i < c->peer.ncerts; i++) {
		struct sp_span der = sp_buf_span(&c->peer.certs[i]);

		st = i == root ? sp_trust_add_root(c->pinned, der, why) : sp_trust_add_issuer(c->pinned, der, why);
		if (st != SP_OK)
			return st;
	}
	return SP_OK;
}

static enum sp_status
check_server(struct sp_client *c, struct sp_why *why)
{
	enum sp_status st = tls_conn_peer(c->conn, &c->peer, why);

	if (st != SP_OK)
		return st;
	if (c->peer.ncerts == 0)
		return sp_fail(SP_E_CERT, why, "%s showed no certificate", c->addresses[c->at]);
	if (c->trust == NULL && (st = trust_by_pin(c, why)) != SP_OK)
		return st;
	st = sp_trust_check(c->trust != NULL ? c->trust : c->pinned, sp_buf_span(&c->peer.certs[0]),
	    sp_clock_wall_ms(), &c->server, why);
	if (st == SP_OK && c->server.role != c->role)
		st = sp_fail(SP_E_ROLE, why, "%s is a %s, not a %s", c->addresses[c->at], sp_role_text(c->server.role),
		    sp_role_text(c->role));
	return st;
}

/* ---- the connection's callbacks ---- */

static enum sp_status
on_up(void *arg, struct sp_why *why)
{
	struct sp_client *c = arg;
	enum sp_status st = check_server(c, why);

	if (st != SP_OK)
		return st;
	c->state = LINK_UP;
	client_up(c);
	return SP_OK;
}

static enum tls_take
on_head(void *arg, const struct sp_frame *frame, size_t n, enum sp_status st)
{
	(void)arg;
	(void)frame;
	(void)n;
	return st == SP_OK ? TLS_TAKE : st == SP_E_UNKNOWN ? TLS_SKIP : TLS_FINISH;
}

static void
on_frame(void *arg, const struct sp_frame *frame, uint8_t *body_take, size_t n)
{
	client_frame(arg, frame, sp_span(body_take, n));
	if (body_take != NULL)
		sp_wipe(body_take, n);
	free(body_take);
}

static void
on_down(void *arg, enum sp_status st, const struct sp_why *why)
{
	failed(arg, st, why);
}

static const struct tls_conn_calls calls = { on_up, on_head, on_frame, on_down };

/* ---- dialing ---- */

static void dial(struct sp_client *c);

static void
on_writable(void *arg, unsigned ready)
{
	struct sp_client *c = arg;
	const struct tls_conn_conf conf = { .idle_ms = SP_SERVICE_IDLE_MS / 2, .calls = &calls, .arg = c };
	struct sp_why why = { "" };
	enum sp_status st = sp_socket_error(c->fd, &c->addrs[c->addr_at], &why);

	(void)ready;
	sp_watch_free(c->watch);
	c->watch = NULL;
	if (st != SP_OK) {
		close(c->fd);
		c->fd = -1;
		if (++c->addr_at < c->naddrs)
			dial(c);
		else
			failed(c, st, &why);
		return;
	}
	c->state = LINK_SHAKING;
	c->conn = tls_conn_new(c->loop, c->ctx, sp_take_fd(&c->fd), &conf);
	if (c->conn == NULL)
		failed(c, SP_E_NOMEM, NULL);
}

static void
dial(struct sp_client *c)
{
	struct sp_why why = { "" };
	enum sp_status st = SP_E_CONNECT;

	for (; c->addr_at < c->naddrs; c->addr_at++)
		if ((st = sp_socket_dial(&c->addrs[c->addr_at], NULL, &c->fd, &why)) == SP_OK)
			break;
	if (st == SP_OK) {
		c->state = LINK_DIALING;
		c->watch = sp_watch_new(c->loop, c->fd, on_writable, c);
		st = c->watch != NULL ? sp_watch_set(c->watch, SP_WRITE) : SP_E_NOMEM;
	}
	if (st != SP_OK)
		failed(c, st, &why);
}

static void
on_resolved(void *arg, enum sp_status st, const struct sp_addr *addrs, size_t n, const struct sp_why *why)
{
	struct sp_client *c = arg;

	c->resolving = 0;
	if (st != SP_OK) {
		failed(c, st == SP_E_NOTFOUND ? SP_E_CONNECT : st, why);
		return;
	}
	memcpy(c->addrs, addrs, n * sizeof(*addrs));
	c->naddrs = n;
	c->addr_at = 0;
	dial(c);
}

void
link_begin(struct sp_client *c)
{
	enum sp_status st;

	if (c->state != LINK_DOWN)
		return;
	st = sp_resolve(c->resolver, sp_span_str(c->addresses[c->at]), 0, on_resolved, c, &c->resolving);
	if (st == SP_OK) {
		c->state = LINK_RESOLVING;
		return;
	}
	c->put_off = true;	/* nothing fails inside a call: the timer tries again, or gives up when it is due */
	sp_timer_set(c->timer, SP_RESOLVE_AGAIN_MS);
}
