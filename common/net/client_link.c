/*
 * client_link.c - the connection to one address of a service: name, TCP, TLS, who is there,
    frames out and in. What is
 * asked, and where it goes when this fails, is client.c's.
 */
#include "common/net/client_in.h"

#include "common/base/clock.h"
#include "common/crypto/hash.h"

static void dial_next(struct client_link *l);

/* Everything of a connection or an attempt is gone; the link can be used again. */
static void
link_close(struct client_link *l)
{
	sp_resolve_cancel(l->client->resolver, l->resolving);
	sp_watch_free(sp_take(&l->watch));
	if (l->fd >= 0)
		close(sp_take_fd(&l->fd));
	tls_conn_free(sp_take(&l->tls));
	tls_peer_done(&l->shown);
	sp_timer_stop(l->timer);
	l->state = LINK_DOWN;
	l->resolving = 0;
	l->naddrs = l->naddrs_tried = 0;
	l->sent = 0;
	l->answered = l->stale = l->failed_by_server = false;
	l->failed = SP_OK;
}

static void
link_fail(struct client_link *l, enum sp_status st, const struct sp_why *why, bool by_server)
{
	struct sp_why kept = *why;
	bool answered = l->answered;

	link_close(l);
	l->rest_until_ms = answered ? 0 : sp_clock_boot_ms() + SP_CLIENT_AGAIN_MS;
	client_link_failed(l, answered, st, &kept, by_server);
}

/* From a place where requests may not move: the loop's next turn does it. */
static void
link_fail_soon(struct client_link *l, enum sp_status st, const struct sp_why *why, bool by_server)
{
	if (l->failed != SP_OK)
		return;
	l->failed = st;
	l->failed_by_server = by_server;
	l->why = *why;
	sp_timer_set(l->timer, 0);
}

static void
on_timer(void *arg)
{
	struct client_link *l = arg;
	struct sp_why why;

	if (l->failed != SP_OK) {
		link_fail(l, l->failed, &l->why, l->failed_by_server);
		return;
	}
	if (l->state == LINK_DOWN) {
		link_pump(l);
		return;
	}
	link_fail(l, sp_fail(SP_E_TIMEOUT, &why, "%s: no connection in time", l->address), &why, false);
}

static bool
has_asks(const struct client_link *l)
{
	const struct client_ask *ask;

	TAILQ_FOREACH(ask, &l->client->asks, link)
		if (ask->at == l)
			return true;
	return false;
}

void
link_retire(struct client_link *l)
{
	if (has_asks(l))
		l->stale = true;
	else
		link_close(l);
}

void
link_released(struct client_link *l)
{
	l->sent--;
	if (l->state == LINK_UP)
		tls_conn_set_open(l->tls, l->sent, true);
	if (l->stale && !has_asks(l))
		link_close(l);
	else
		link_pump(l);
}

/* ---- TLS ---- */

/* The trust that the server's own chain gives, if it holds the root that was pinned. */
static enum sp_status
trust_by_pin(const struct client_link *l, struct sp_trust **ret_trust, struct sp_why *why)
{
	SP_AUTO(sp_trust) *trust = NULL;
	struct sp_identity leaf;
	size_t root = 0;
	enum sp_status st;

	for (size_t i = 1; i < l->shown.ncerts; i++) {
		struct sp_hash hash;

		sp_sha256(sp_buf_span(&l->shown.certs[i]), &hash);
		if (sp_hash_eq(&hash, &l->client->root_pin))
			root = i;
	}
	if (root == 0)
		return sp_fail(SP_E_IDENTITY, why, "the server does not stand under the root that was named");
	if ((st = sp_identity_read(sp_buf_span(&l->shown.certs[0]), &leaf, why)) != SP_OK ||
	    (st = sp_trust_new(leaf.name.domain, &trust)) != SP_OK)
		return st;
	for (size_t i = 1; i < l->shown.ncerts && st == SP_OK; i++) {
		struct sp_span der = sp_buf_span(&l->shown.certs[i]);

		st = i == root ? sp_trust_add_root(trust, der, why) : sp_trust_add_issuer(trust, der, why);
	}
	if (st == SP_OK)
		*ret_trust = sp_take(&trust);
	return st;
}

static enum sp_status
check_server(struct client_link *l, struct sp_why *why)
{
	const struct sp_client *c = l->client;
	SP_AUTO(sp_trust) *pinned = NULL;
	enum sp_status st;

	if ((st = tls_conn_peer(l->tls, &l->shown, why)) != SP_OK)
		return st;
	if (l->shown.ncerts == 0)
		return sp_fail(SP_E_IDENTITY, why, "the server showed no certificate");
	if (c->trust == NULL && (st = trust_by_pin(l, &pinned, why)) != SP_OK)
		return st;
	st = sp_trust_check(c->trust != NULL ? c->trust : pinned, sp_buf_span(&l->shown.certs[0]), sp_clock_wall_ms(),
	    &l->server, why);
	if (st != SP_OK)
		return st;
	if (l->server.role != c->role)
		return sp_fail(SP_E_ROLE, why, "the server is a %s, not a %s", sp_role_text(l->server.role),
		    sp_role_text(c->role));
	return SP_OK;
}

static enum sp_status
on_up(void *arg, struct sp_why *why)
{
	struct client_link *l = arg;
	struct sp_client *c = l->client;
	enum sp_status st;

	if (c->bound != NULL)
		return sp_fail(SP_E_CLOSED, why, "another connection was first");
	if ((st = check_server(l, why)) != SP_OK)
		return st;
	sp_timer_stop(l->timer);
	l->state = LINK_UP;
	if (c->one_connection)
		c->bound = l;
	link_pump(l);
	return SP_OK;
}

static enum tls_take
on_head(void *arg, const struct sp_frame *frame, size_t n, enum sp_status st)
{
	struct client_link *l = arg;
	struct sp_why why;

	(void)n;
	if (st != SP_OK) {
		st = sp_fail(SP_E_REPLY, &why, "%s: an answer that is not known or too long", l->address);
		link_fail_soon(l, st, &why, false);
		return TLS_SKIP;
	}
	if (sp_id_is_zero(&frame->id))
		return frame->type == SP_MSG_ERROR ? TLS_TAKE : TLS_SKIP;
	/* Whoever asked may have given up. */
	return client_find_sent(l, &frame->id) != NULL ? TLS_TAKE : TLS_SKIP;
}

static void
on_frame(void *arg, const struct sp_frame *frame, uint8_t *body_take, size_t n)
{
	struct client_link *l = arg;
	SP_AUTO_MEM uint8_t *body = body_take;
	struct client_ask *ask;
	struct sp_msg_error error;
	struct sp_why why = { 0 };
	enum sp_status st;

	if (!sp_id_is_zero(&frame->id)) {
		l->answered = true;
		if ((ask = client_find_sent(l, &frame->id)) != NULL)
			client_answered(ask, frame->desc, sp_take(&body), n);
		return;
	}
	/* The server refuses the connection as a whole and says why. */
	if (sp_decode(frame->desc, sp_span(body, n), &error, &why) != SP_OK)
		return;
	st = sp_status_from_number(error.status);
	if (error.text.n > 0)
		sp_fail(st, &why, "%.*s", (int)error.text.n, (const char *)error.text.p);
	else
		sp_fail(st, &why, "%s", sp_status_text(st));
	link_fail_soon(l, st != SP_OK ? st : SP_E_REPLY, &why, true);
}

static void
on_down(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct client_link *l = arg;
	struct sp_why reason;

	if (l->failed != SP_OK)
		link_fail(l, l->failed, &l->why, l->failed_by_server);
	else
		link_fail(l, sp_fail(st, &reason, "%.80s: %.170s", l->address, why->text), &reason, false);
}

static const struct tls_conn_calls calls = { on_up, on_head, on_frame, on_down };

/* ---- connecting ---- */

static void
on_connected(void *arg, unsigned ready)
{
	struct client_link *l = arg;
	const struct tls_conn_conf conf = { .idle_ms = SP_CLIENT_IDLE_MS, .calls = &calls, .arg = l };

	(void)ready;
	sp_watch_free(sp_take(&l->watch));
	if (sp_socket_error(l->fd, &l->addrs[l->naddrs_tried - 1], &l->why) != SP_OK) {
		close(sp_take_fd(&l->fd));
		dial_next(l);
		return;
	}
	l->tls = tls_conn_new(l->client->loop, l->client->ctx, sp_take_fd(&l->fd), &conf);
	if (l->tls == NULL)
		link_fail(l, sp_fail(SP_E_NOMEM, &l->why, "out of memory"), &l->why, false);
	else
		l->state = LINK_SHAKING;
}

static void
dial_next(struct client_link *l)
{
	while (l->naddrs_tried < l->naddrs) {
		if (sp_socket_dial(&l->addrs[l->naddrs_tried++], NULL, &l->fd, &l->why) != SP_OK)
			continue;
		l->watch = sp_watch_new(l->client->loop, l->fd, on_connected, l);
		if (l->watch != NULL && sp_watch_set(l->watch, SP_WRITE) == SP_OK) {
			l->state = LINK_CONNECTING;
			return;
		}
		sp_watch_free(sp_take(&l->watch));
		close(sp_take_fd(&l->fd));
		sp_fail(SP_E_NOMEM, &l->why, "out of memory");
	}
	link_fail(l, SP_E_CONNECT, &l->why, false);
}

static void
on_resolved(void *arg, enum sp_status st, const struct sp_addr *addrs, size_t n, const struct sp_why *why)
{
	struct client_link *l = arg;

	l->resolving = 0;
	if (st != SP_OK) {
		link_fail(l, st, why, false);
		return;
	}
	memcpy(l->addrs, addrs, n * sizeof(*addrs));
	l->naddrs = n;
	l->naddrs_tried = 0;
	dial_next(l);
}

static void
link_open(struct client_link *l)
{
	struct sp_why why;
	enum sp_status st;

	l->state = LINK_RESOLVING;
	sp_timer_set(l->timer, l->client->request_ms);
	st = sp_resolve(l->client->resolver, sp_span_str(l->address), 0, on_resolved, l, &l->resolving);
	if (st != SP_OK)
		link_fail_soon(l, sp_fail(st, &why, "%.80s: %s", l->address, sp_status_text(st)), &why, false);
}

void
link_pump(struct client_link *l)
{
	struct client_ask *ask;

	if (l->state == LINK_DOWN && has_asks(l)) {
		if (l->rest_until_ms > sp_clock_boot_ms())
			sp_timer_set_at(l->timer, l->rest_until_ms);
		else
			link_open(l);
		return;
	}
	if (l->state != LINK_UP)
		return;
	TAILQ_FOREACH(ask, &l->client->asks, link) {
		if (l->sent >= SP_FRAME_INFLIGHT)
			break;
		if (ask->at != l || ask->sent)
			continue;
		tls_conn_send(l->tls, sp_buf_span(&ask->frame));
		l->sent++;
		client_sent(ask);
	}
	tls_conn_set_open(l->tls, l->sent, true);
}

enum sp_status
link_init(struct client_link *l, struct sp_client *c, unsigned index, const char *address)
{
	*l = (struct client_link){ .client = c, .index = index, .fd = -1 };
	l->address = strdup(address);
	l->timer = sp_timer_new(c->loop, on_timer, l);
	return l->address != NULL && l->timer != NULL ? SP_OK : SP_E_NOMEM;
}

void
link_done(struct client_link *l)
{
	if (l->timer != NULL)
		link_close(l);
	sp_timer_free(l->timer);
	free(l->address);
}
