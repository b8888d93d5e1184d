/*
 * service.c - a listening service: connections with their limits, the check of who is there, and of who may ask what,
 * before room is made for a request. Requests themselves are in request.c.
 */
#include "common/net/service_in.h"

#include "common/base/clock.h"

#define BUSY_RETRY_MS 1000

_Static_assert(SP_SERVICE_CONNS <= UINT16_MAX, "slots are numbered with 16 bits");

void
service_peer_unref(struct service_peer *peer)
{
	if (peer == NULL || --peer->refs > 0)
		return;
	sp_wipe(peer->exporter, sizeof(peer->exporter));
	free(peer);
}

/* ---- connections ---- */

struct service_conn *
service_conn(struct sp_service *s, uint64_t number)
{
	struct service_conn *c = s->conns[number % SP_SERVICE_CONNS];

	return c != NULL && c->number == number ? c : NULL;
}

static void
conn_free(struct service_conn *c)
{
	struct sp_service *s = c->service;
	size_t slot = c->number % SP_SERVICE_CONNS;

	s->conns[slot] = NULL;
	s->free_slots[s->nfree++] = (uint16_t)slot;
	s->stats.open_connections--;
	tls_conn_free(c->tls);
	service_peer_unref(c->peer);
	free(c);
}

void
service_check_drained(struct sp_service *s)
{
	if (s->draining && s->stats.open_connections == 0 && LIST_EMPTY(&s->requests))
		sp_timer_set(s->drained, 0);
}

static void
on_drained_timer(void *arg)
{
	struct sp_service *s = arg;
	void (*done)(void *) = s->on_drained;

	s->on_drained = NULL;
	if (done != NULL)
		done(s->drain_arg);
}

static void
conn_update(struct service_conn *c)
{
	if (c->service->draining && c->open == 0)
		tls_conn_finish(c->tls);
	else
		tls_conn_set_open(c->tls, c->open, !c->service->draining && c->open < SP_FRAME_INFLIGHT);
}

void
service_conn_answered(struct service_conn *c)
{
	c->open--;
	conn_update(c);
}

/* ---- what a connection tells ---- */

static enum sp_status
on_up(void *arg, struct sp_why *why)
{
	struct service_conn *c = arg;
	struct sp_service *s = c->service;
	struct service_peer *peer = c->peer;
	struct tls_peer shown = { 0 };
	enum sp_status st = tls_conn_peer(c->tls, &shown, why);

	if (st == SP_OK && shown.ncerts > 0) {
		st = sp_trust_check(s->trust, sp_buf_span(&shown.certs[0]), sp_clock_wall_ms(), &peer->identity, why);
		peer->known = st == SP_OK;
	}
	memcpy(peer->exporter, shown.exporter, sizeof(peer->exporter));
	tls_peer_done(&shown);
	if (st != SP_OK)
		s->stats.bad_peers++;
	return st;
}

/* Why this peer may not ask this now; SP_OK if it may. */
static enum sp_status
may_ask(const struct service_conn *c, unsigned type, struct sp_why *why)
{
	const struct sp_service *s = c->service;
	const struct service_peer *peer = c->peer;
	enum sp_role role = peer->known ? peer->identity.role : SP_ROLE_NONE;
	const struct sp_handler *h = NULL;

	for (size_t i = 0; h == NULL && i < s->nhandlers; i++)
		if (s->handlers[i].type == type)
			h = &s->handlers[i];
	if (h == NULL)
		return sp_fail(SP_E_UNKNOWN, why, "this service does not know this request");
	if ((h->roles & SP_ALLOW(role)) == 0 && !peer->known)
		return sp_fail(SP_E_PERMISSION, why, "this must be asked with a certificate");
	if ((h->roles & SP_ALLOW(role)) == 0)
		return sp_fail(SP_E_PERMISSION, why, "a %s may not ask this", sp_role_text(role));
	/* A connection may outlive the certificate that it was opened with. */
	if (peer->known && (int64_t)(sp_clock_wall_ms() / 1000) > peer->identity.not_after)
		return sp_fail(SP_E_CERT_EXPIRED, why, "the certificate has ended: is the clock right?");
	if (s->stats.open_requests >= SP_SERVICE_QUEUE)
		return sp_fail(SP_E_BUSY, why, "too many requests wait");
	return SP_OK;
}

static enum tls_take
on_head(void *arg, const struct sp_frame *frame, size_t n, enum sp_status st)
{
	struct service_conn *c = arg;
	struct sp_service *s = c->service;
	struct sp_why why = { 0 };

	(void)n;
	if (st != SP_OK) {
		s->stats.bad_frames++;
		sp_fail(st, &why, "%s", sp_status_text(st));
		tls_conn_send_error(c->tls, &frame->id, st, &why, 0);
		return st == SP_E_UNKNOWN ? TLS_SKIP : TLS_FINISH;
	}
	if ((st = may_ask(c, frame->type, &why)) == SP_OK)
		return TLS_TAKE;
	if (st == SP_E_BUSY)
		s->stats.busy++;
	tls_conn_send_error(c->tls, &frame->id, st, &why, st == SP_E_BUSY ? BUSY_RETRY_MS : 0);
	return TLS_SKIP;
}

static void
on_frame(void *arg, const struct sp_frame *frame, uint8_t *body_take, size_t n)
{
	struct service_conn *c = arg;
	struct sp_service *s = c->service;
	struct sp_request *rq = request_new(c, frame, body_take, n);
	const struct sp_handler *h = s->handlers;

	if (rq == NULL) {
		tls_conn_send_error(c->tls, &frame->id, SP_E_NOMEM, NULL, 0);
		return;
	}
	s->stats.requests++;
	c->open++;
	conn_update(c);
	while (h->type != frame->type)
		h++;
	h->fn(s->arg, rq);
}

static void
on_down(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct service_conn *c = arg;
	struct sp_service *s = c->service;

	(void)why;
	if (st == SP_E_FORMAT)
		s->stats.bad_frames++;
	conn_free(c);
	service_check_drained(s);
}

static const struct tls_conn_calls calls = { on_up, on_head, on_frame, on_down };

/* ---- accepting ---- */

static size_t
conns_from(const struct sp_service *s, const struct sp_addr *addr)
{
	struct sp_addr net = sp_addr_prefix(addr, 32, 64);
	size_t n = 0;

	if (s->stats.open_connections < SP_SERVICE_CONNS_PREFIX)
		return 0;
	for (size_t i = 0; i < SP_SERVICE_CONNS; i++) {
		struct sp_addr other;

		if (s->conns[i] == NULL)
			continue;
		other = sp_addr_prefix(&s->conns[i]->peer->addr, 32, 64);
		n += sp_addr_eq(&net, &other);
	}
	return n;
}

/* All are taken: the oldest handshake that is not done makes way. */
static bool
make_way(struct sp_service *s)
{
	struct service_conn *oldest = NULL;

	for (size_t i = 0; i < SP_SERVICE_CONNS; i++) {
		struct service_conn *c = s->conns[i];

		if (c != NULL && tls_conn_is_shaking(c->tls) &&
		    (oldest == NULL || c->born < oldest->born))
			oldest = c;
	}
	if (oldest == NULL)
		return false;
	s->stats.refused_connections++;
	conn_free(oldest);
	return true;
}

static void
on_accept(void *arg, int fd, const struct sp_addr *addr)
{
	struct sp_service *s = arg;
	const struct tls_conn_conf conf = { .server = true, .idle_ms = s->idle_ms, .calls = &calls };
	struct tls_conn_conf own = conf;
	struct service_conn *c = NULL;
	size_t slot;

	if (conns_from(s, addr) >= SP_SERVICE_CONNS_PREFIX || (s->nfree == 0 && !make_way(s)) ||
	    (c = calloc(1, sizeof(*c))) == NULL || (c->peer = calloc(1, sizeof(*c->peer))) == NULL) {
		s->stats.refused_connections++;
		free(c);
		close(fd);
		return;
	}
	c->service = s;
	c->peer->refs = 1;
	c->peer->addr = *addr;
	own.arg = c;
	slot = s->free_slots[--s->nfree];
	c->number = ++s->turns[slot] * SP_SERVICE_CONNS + slot;
	s->conns[slot] = c;
	s->stats.open_connections++;
	c->born = ++s->stats.connections;
	c->tls = tls_conn_new(s->loop, s->ctx, fd, &own);
	if (c->tls == NULL)
		conn_free(c);
}

/* ---- opening and closing ---- */

static enum sp_status
listen_on(struct sp_service *s, const struct sp_service_conf *conf, struct sp_why *why)
{
	enum sp_status st;

	for (size_t i = 0; i < conf->nlisten; i++) {
		struct sp_addr at = conf->listen[i];
		int fd;

		if (at.port == 0)
			at.port = s->port;
		if ((st = sp_socket_listen(&at, &fd, why)) != SP_OK)
			return st;
		s->listeners[i] = sp_listener_new(s->loop, fd, on_accept, s);
		if (s->listeners[i] == NULL)
			return sp_fail(SP_E_NOMEM, why, "out of memory");
		if (i == 0 && (st = sp_addr_local(fd, &at)) != SP_OK)
			return sp_fail(st, why, "cannot read the address of a socket");
		if (i == 0)
			s->port = at.port;
	}
	return SP_OK;
}

enum sp_status
sp_service_new(struct sp_loop *loop, const struct sp_service_conf *conf, struct sp_service **ret_service,
    struct sp_why *why)
{
	SP_AUTO(sp_service) *s = calloc(1, sizeof(*s));
	enum sp_status st;

	if (s == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	if (conf->nlisten == 0 || conf->nlisten > SP_SERVICE_LISTEN)
		return sp_fail(SP_E_ARGUMENT, why, "a service listens on 1 to %d addresses", SP_SERVICE_LISTEN);
	s->loop = loop;
	s->trust = conf->trust;
	s->handlers = conf->handlers;
	s->nhandlers = conf->nhandlers;
	s->arg = conf->arg;
	s->idle_ms = conf->idle_ms > 0 ? conf->idle_ms : SP_SERVICE_IDLE_MS;
	for (size_t i = conf->conns_max > 0 && conf->conns_max < SP_SERVICE_CONNS ? conf->conns_max : SP_SERVICE_CONNS; i > 0; i--)
		s->free_slots[s->nfree++] = (uint16_t)(i - 1);
	s->drained = sp_timer_new(loop, on_drained_timer, s);
	if (s->drained == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	if ((st = tls_ctx_new(&conf->identity, true, &s->ctx, why)) != SP_OK ||
	    (st = listen_on(s, conf, why)) != SP_OK)
		return st;
	*ret_service = sp_take(&s);
	return SP_OK;
}

static void
stop_listening(struct sp_service *s)
{
	for (size_t i = 0; i < SP_SERVICE_LISTEN; i++)
		sp_listener_free(sp_take(&s->listeners[i]));
}

void
sp_service_free(struct sp_service *s)
{
	if (s == NULL)
		return;
	stop_listening(s);
	requests_orphan(s);
	for (size_t i = 0; i < SP_SERVICE_CONNS; i++)
		if (s->conns[i] != NULL)
			conn_free(s->conns[i]);
	sp_timer_free(s->drained);
	tls_ctx_free(s->ctx);
	free(s);
}

void
sp_service_drain(struct sp_service *s, void (*done)(void *arg), void *arg)
{
	stop_listening(s);
	s->draining = true;
	s->on_drained = done;
	s->drain_arg = arg;
	for (size_t i = 0; i < SP_SERVICE_CONNS; i++)
		if (s->conns[i] != NULL)
			conn_update(s->conns[i]);
	service_check_drained(s);
}

uint16_t
sp_service_port(const struct sp_service *s)
{
	return s->port;
}

enum sp_status
sp_service_set_identity(struct sp_service *s, const struct sp_tls_identity *identity, struct sp_why *why)
{
	struct tls_ctx *ctx;
	enum sp_status st = tls_ctx_new(identity, true, &ctx, why);

	if (st != SP_OK)
		return st;
	tls_ctx_free(s->ctx);
	s->ctx = ctx;
	return SP_OK;
}

void
sp_service_set_trust(struct sp_service *s, const struct sp_trust *trust)
{
	s->trust = trust;
}

void
sp_service_stats(const struct sp_service *s, struct sp_service_stats *ret_stats)
{
	*ret_stats = s->stats;
}
