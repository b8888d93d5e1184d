/*
 * client.c - requests to a service: each goes to one address, and on failure to the next under the same id, until one
 * answers or all have failed. Callbacks come from one place, a timer, so that none is called inside a call into here.
 */
#include "common/net/client_in.h"

#include "common/base/clock.h"
#include "common/crypto/rand.h"

static void
ask_free(struct client_ask *ask)
{
	if (ask == NULL)
		return;
	sp_timer_free(ask->timer);
	sp_buf_done(&ask->frame);
	free(ask->body);
	free(ask);
}

/* ---- the end of a request ---- */

static void
on_deliver(void *arg)
{
	struct sp_client *c = arg;
	struct client_ask *ask;

	while ((ask = TAILQ_FIRST(&c->done)) != NULL) {
		bool gone = false;

		TAILQ_REMOVE(&c->done, ask, link);
		c->nasks--;
		c->gone = &gone;
		ask->fn(ask->arg, &ask->answer);
		ask_free(ask);
		if (gone)
			return;
		c->gone = NULL;
	}
}

/* Takes the request off its link. */
static void
ask_detach(struct client_ask *ask)
{
	struct client_link *l = ask->at;

	sp_timer_stop(ask->timer);
	ask->at = NULL;
	if (l != NULL && ask->sent && l->state == LINK_UP) {
		ask->sent = false;
		link_released(l);
	}
	ask->sent = false;
}

/* The callback is due, with ask->answer. */
static void
ask_done(struct client_ask *ask)
{
	struct sp_client *c = ask->client;

	TAILQ_REMOVE(&c->asks, ask, link);
	TAILQ_INSERT_TAIL(&c->done, ask, link);
	ask_detach(ask);
	sp_timer_set(c->deliver, 0);
}

static void
ask_fail(struct client_ask *ask, enum sp_status st, const struct sp_why *why, bool by_server)
{
	ask->answer = (struct sp_answer){ .status = st, .why = *why, .from_server = by_server,
		.retry_ms = ask->answer.retry_ms };
	ask_done(ask);
}

/* ---- from address to address ---- */

/* It waits at its address to be sent; the wait has an end, too. */
static void
ask_wait(struct client_ask *ask)
{
	ask->sent = false;
	sp_timer_set_at(ask->timer, ask->give_up_ms);
}

/* Gives the request to the first address that it has not tried; false if there is none. */
static bool
ask_assign(struct client_ask *ask)
{
	struct sp_client *c = ask->client;

	for (unsigned k = 0; k < c->nlinks; k++) {
		unsigned i = (c->preferred + k) % c->nlinks;

		if ((ask->tried & (1u << i)) == 0) {
			ask->at = &c->links[i];
			ask_wait(ask);
			return true;
		}
	}
	return false;
}

/* This try failed. */
static void
ask_move_on(struct client_ask *ask, enum sp_status st, const struct sp_why *why, bool by_server)
{
	struct sp_client *c = ask->client;
	struct client_link *l = ask->at;
	uint32_t all = (1u << c->nlinks) - 1;

	ask->tried |= 1u << l->index;
	ask_detach(ask);
	/* All have failed: one more try, a little later, for a service that is just being restarted. */
	if (ask->tried == all && !ask->last_round && !by_server && sp_status_class(st) == SP_CLASS_RETRY) {
		ask->last_round = true;
		ask->tried &= ~(1u << c->preferred);
	}
	if (c->bound != NULL || sp_clock_boot_ms() >= ask->give_up_ms || !ask_assign(ask)) {
		ask_fail(ask, st, why, by_server);
		return;
	}
	link_pump(ask->at);
}

void
client_link_failed(struct client_link *l, bool answered, enum sp_status st, const struct sp_why *why, bool by_server)
{
	struct sp_client *c = l->client;
	struct client_ask *ask, *next;

	/* What was only closed after having served is no worse than the others. */
	if (c->preferred == l->index && (!answered || by_server))
		c->preferred = (c->preferred + 1) % c->nlinks;
	if (c->bound == l)
		st = by_server ? st : SP_E_CLOSED;
	/* Nothing here frees a request or calls out, so the next one stays where it is. */
	for (ask = TAILQ_FIRST(&c->asks); ask != NULL; ask = next) {
		next = TAILQ_NEXT(ask, link);
		if (ask->at != l)
			continue;
		/* A connection that had served before may just have been closed by a service that restarted:
		    the address
		 * has not failed yet. */
		if (answered && !ask->again && !by_server && c->bound == NULL) {
			ask->again = true;
			ask_wait(ask);
		} else {
			ask_move_on(ask, st, why, by_server);
		}
	}
	if (c->bound == NULL)
		link_pump(l);
}

static void
on_ask_timer(void *arg)
{
	struct client_ask *ask = arg;
	struct sp_why why;

	ask_move_on(ask, sp_fail(SP_E_TIMEOUT, &why, "%s: no answer in time", ask->at->address), &why, false);
}

/* ---- for links ---- */

struct client_ask *
client_find_sent(struct client_link *l, const struct sp_id *id)
{
	struct client_ask *ask;

	TAILQ_FOREACH(ask, &l->client->asks, link)
		if (ask->at == l && ask->sent && sp_id_eq(&ask->id, id))
			return ask;
	return NULL;
}

void
client_sent(struct client_ask *ask)
{
	uint64_t now = sp_clock_boot_ms(), end = now + ask->client->request_ms;

	ask->sent = true;
	sp_timer_set_at(ask->timer, end < ask->give_up_ms ? end : ask->give_up_ms);
}

static void
answered_error(struct client_ask *ask)
{
	struct sp_answer *a = &ask->answer;
	struct sp_msg_error error;
	struct sp_why why = { 0 };
	enum sp_status st = sp_decode(sp_desc_msg(SP_MSG_ERROR), a->body, &error, &why);

	if (st == SP_OK) {
		st = sp_status_from_number(error.status);
		a->retry_ms = error.retry_ms;
		if (error.text.n > 0)
			sp_fail(st, &why, "%.*s", (int)error.text.n, (const char *)error.text.p);
		else
			sp_fail(st, &why, "%s", sp_status_text(st));
	}
	/* A failure must not look like success, whatever number it bears. */
	if (st == SP_OK)
		st = SP_E_REPLY;
	if (sp_status_class(st) == SP_CLASS_RETRY)
		ask_move_on(ask, st, &why, true);
	else
		ask_fail(ask, st, &why, true);
}

void
client_answered(struct client_ask *ask, const struct sp_desc *type, uint8_t *body_take, size_t n)
{
	ask->client->last = ask->at;
	free(ask->body);
	ask->body = body_take;
	ask->answer = (struct sp_answer){ .status = SP_OK, .type = type, .body = sp_span(body_take, n) };
	if (type->number == SP_MSG_ERROR)
		answered_error(ask);
	else
		ask_done(ask);
}

/* ---- for its owner ---- */

static enum sp_status
client_init(struct sp_client *c, const struct sp_client_conf *conf, struct sp_why *why)
{
	char host[SP_HOST_MAX + 1];
	uint16_t port;
	enum sp_status st = SP_OK;

	if (conf->naddresses == 0 || conf->naddresses > SP_CLIENT_ADDRESSES)
		return sp_fail(SP_E_ARGUMENT, why, "a service has 1 to %d addresses", SP_CLIENT_ADDRESSES);
	c->role = conf->role;
	c->trust = conf->trust;
	c->root_pin = conf->root_pin;
	c->one_connection = conf->one_connection;
	c->request_ms = conf->request_ms > 0 ? conf->request_ms : SP_SERVICE_REQUEST_MS;
	c->deliver = sp_timer_new(c->loop, on_deliver, c);
	if (c->deliver == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	while (st == SP_OK && c->nlinks < conf->naddresses) {
		const char *address = conf->addresses[c->nlinks];

		if (sp_hostport_split(sp_span_str(address), 0, host, &port) != SP_OK)
			return sp_fail(SP_E_ARGUMENT, why, "\"%.100s\" is no HOST:PORT", address);
		st = link_init(&c->links[c->nlinks], c, c->nlinks, address);
		c->nlinks++;
	}
	if (st != SP_OK)
		return sp_fail(st, why, "out of memory");
	c->preferred = (unsigned)sp_random_below(c->nlinks);
	return tls_ctx_new(conf->identity, false, &c->ctx, why);
}

enum sp_status
sp_client_new(struct sp_loop *loop, struct sp_resolver *resolver, const struct sp_client_conf *conf,
    struct sp_client **ret_client, struct sp_why *why)
{
	SP_AUTO(sp_client) *c = calloc(1, sizeof(*c));
	enum sp_status st;

	if (c == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	c->loop = loop;
	c->resolver = resolver;
	TAILQ_INIT(&c->asks);
	TAILQ_INIT(&c->done);
	if ((st = client_init(c, conf, why)) != SP_OK)
		return st;
	*ret_client = sp_take(&c);
	return SP_OK;
}

void
sp_client_free(struct sp_client *c)
{
	struct client_ask *ask;

	if (c == NULL)
		return;
	if (c->gone != NULL)
		*c->gone = true;
	for (unsigned i = 0; i < c->nlinks; i++)
		link_done(&c->links[i]);
	while ((ask = TAILQ_FIRST(&c->asks)) != NULL) {
		TAILQ_REMOVE(&c->asks, ask, link);
		ask_free(ask);
	}
	while ((ask = TAILQ_FIRST(&c->done)) != NULL) {
		TAILQ_REMOVE(&c->done, ask, link);
		ask_free(ask);
	}
	sp_timer_free(c->deliver);
	tls_ctx_free(c->ctx);
	free(c);
}

void
sp_client_set_trust(struct sp_client *c, const struct sp_trust *trust)
{
	c->trust = trust;
	for (unsigned i = 0; i < c->nlinks; i++)
		link_retire(&c->links[i]);
}

enum sp_status
sp_client_set_identity(struct sp_client *c, const struct sp_tls_identity *identity, struct sp_why *why)
{
	struct tls_ctx *ctx;
	enum sp_status st = tls_ctx_new(identity, false, &ctx, why);

	if (st != SP_OK)
		return st;
	tls_ctx_free(c->ctx);
	c->ctx = ctx;
	for (unsigned i = 0; i < c->nlinks; i++)
		link_retire(&c->links[i]);
	return SP_OK;
}

static struct client_ask *
find(struct sp_client *c, const struct sp_id *id)
{
	struct client_ask *ask;

	TAILQ_FOREACH(ask, &c->asks, link)
		if (sp_id_eq(&ask->id, id))
			return ask;
	TAILQ_FOREACH(ask, &c->done, link)
		if (sp_id_eq(&ask->id, id))
			return ask;
	return NULL;
}

enum sp_status
sp_client_ask(struct sp_client *c, const struct sp_id *id, unsigned type, const void *msg, sp_answer_fn *fn,
    void *arg,
    struct sp_why *why)
{
	const struct sp_desc *desc = sp_desc_msg(type);
	struct client_ask *ask;
	enum sp_status st;

	if (desc == NULL || sp_id_is_zero(id))
		return sp_fail(SP_E_ARGUMENT, why, "a request needs a type and an id");
	if (find(c, id) != NULL)
		return sp_fail(SP_E_EXISTS, why, "this request is open already");
	if (c->nasks >= SP_CLIENT_QUEUE)
		return sp_fail(SP_E_FULL, why, "too many requests to a %s wait", sp_role_text(c->role));
	ask = calloc(1, sizeof(*ask));
	if (ask == NULL || (ask->timer = sp_timer_new(c->loop, on_ask_timer, ask)) == NULL) {
		ask_free(ask);
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	}
	ask->client = c;
	ask->id = *id;
	ask->fn = fn;
	ask->arg = arg;
	ask->frame.secret = true;
	ask->give_up_ms = sp_clock_boot_ms() + c->request_ms * (c->nlinks + 1u);
	if ((st = sp_frame_pack(desc, id, msg, &ask->frame, why)) != SP_OK) {
		ask_free(ask);
		return st;
	}
	c->nasks++;
	TAILQ_INSERT_TAIL(&c->asks, ask, link);
	if (c->bound != NULL && c->bound->state != LINK_UP) {
		struct sp_why closed;

		ask_fail(ask, sp_fail(SP_E_CLOSED, &closed, "the connection has ended"), &closed, false);
		return SP_OK;
	}
	if (c->bound != NULL) {
		ask->at = c->bound;
		ask_wait(ask);
	} else {
		(void)ask_assign(ask);	/* nothing is tried yet */
	}
	link_pump(ask->at);
	return SP_OK;
}

void
sp_client_cancel(struct sp_client *c, const struct sp_id *id)
{
	struct client_ask *ask = find(c, id);

	if (ask == NULL)
		return;
	if (ask->at != NULL)
		TAILQ_REMOVE(&c->asks, ask, link);
	else
		TAILQ_REMOVE(&c->done, ask, link);
	c->nasks--;
	ask_detach(ask);
	ask_free(ask);
}

enum sp_status
sp_answer_read(const struct sp_answer *answer, unsigned type, void *ret_msg, struct sp_why *why)
{
	if (answer->status != SP_OK)
		return sp_fail(answer->status, why, "%s", answer->why.text);
	if (answer->type->number != type)
		return sp_fail(SP_E_REPLY, why, "the answer is a %s", answer->type->name);
	return sp_decode(answer->type, answer->body, ret_msg, why);
}

/* The connection that the accessors speak of; NULL if it is not up. */
static const struct client_link *
connection(const struct sp_client *c)
{
	const struct client_link *l = c->bound != NULL ? c->bound : c->last;

	return l != NULL && l->state == LINK_UP ? l : NULL;
}

const struct sp_identity *
sp_client_server(const struct sp_client *c)
{
	const struct client_link *l = connection(c);

	return l != NULL ? &l->server : NULL;
}

struct sp_span
sp_client_chain(const struct sp_client *c, size_t i)
{
	const struct client_link *l = connection(c);

	return l != NULL && i < l->shown.ncerts ? sp_buf_span(&l->shown.certs[i]) : sp_span(NULL, 0);
}

enum sp_status
sp_client_exporter(const struct sp_client *c, uint8_t ret_secret[SP_EXPORTER])
{
	const struct client_link *l = connection(c);

	if (l == NULL)
		return SP_E_CLOSED;
	memcpy(ret_secret, l->shown.exporter, SP_EXPORTER);
	return SP_OK;
}
