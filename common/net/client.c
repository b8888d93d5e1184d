/*
 * client.c - a client's requests: queued, sent, answered, and moved to the next address when one fails. The connection they
 * travel on is in client_link.c.
 */
#include "common/net/client_in.h"

#include "common/base/clock.h"
#include "common/crypto/rand.h"

/* ---- set-up ---- */

static enum sp_status
copy_addresses(struct sp_client *c, const struct sp_client_conf *conf, struct sp_why *why)
{
	char host[SP_HOST_MAX + 1];
	uint16_t port;

	if (conf->naddresses == 0 || conf->naddresses > SP_CLIENT_ADDRESSES)
		return sp_fail(SP_E_ARGUMENT, why, "a client knows 1 to %d addresses", SP_CLIENT_ADDRESSES);
	for (size_t i = 0; i < conf->naddresses; i++) {
		if (sp_hostport_split(sp_span_str(conf->addresses[i]), 0, host, &port) != SP_OK)
			return sp_fail(SP_E_ARGUMENT, why, "\"%.100s\" is no HOST:PORT", conf->addresses[i]);
		if ((c->addresses[i] = strdup(conf->addresses[i])) == NULL)
			return SP_E_NOMEM;
		c->naddresses++;
	}
	return SP_OK;
}

static void on_timer(void *arg);

enum sp_status
sp_client_new(struct sp_loop *loop, struct sp_resolver *resolver, const struct sp_client_conf *conf,
    struct sp_client **ret_client, struct sp_why *why)
{
	SP_AUTO(sp_client) *c = calloc(1, sizeof(*c));
	enum sp_status st;

	if (c == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	TAILQ_INIT(&c->asks);
	c->fd = -1;
	c->loop = loop;
	c->resolver = resolver;
	c->role = conf->role;
	c->trust = conf->trust;
	c->root_pin = conf->root_pin;
	c->one_connection = conf->one_connection;
	if ((c->timer = sp_timer_new(loop, on_timer, c)) == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	if ((st = copy_addresses(c, conf, why)) != SP_OK ||
	    (st = tls_ctx_new(conf->identity, false, &c->ctx, why)) != SP_OK)
		return st;
	c->at = (size_t)sp_random_below(c->naddresses);
	*ret_client = sp_take(&c);
	return SP_OK;
}

static void
ask_free(struct ask *a)
{
	a->frame.secret = true;
	sp_buf_done(&a->frame);
	free(a);
}

void
sp_client_free(struct sp_client *c)
{
	struct ask *a;

	if (c == NULL)
		return;
	if (c->gone != NULL)
		*c->gone = true;
	link_end(c);
	while ((a = TAILQ_FIRST(&c->asks)) != NULL) {
		TAILQ_REMOVE(&c->asks, a, link);
		ask_free(a);
	}
	for (size_t i = 0; i < c->naddresses; i++)
		free(c->addresses[i]);
	sp_timer_free(c->timer);
	tls_ctx_free(c->ctx);
	free(c);
}

/* A connection made before the change serves what was sent on it, nothing else. */
static void
renew(struct sp_client *c)
{
	c->stale = c->state != LINK_DOWN;
	if (c->stale && c->nasks == 0)
		link_end(c);
}

void
sp_client_set_trust(struct sp_client *c, const struct sp_trust *trust)
{
	c->trust = trust;
	renew(c);
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
	renew(c);
	return SP_OK;
}

/* ---- requests ---- */

static struct ask *
find(const struct sp_client *c, const struct sp_id *id)
{
	struct ask *a;

	TAILQ_FOREACH(a, &c->asks, link)
		if (sp_id_eq(&a->id, id))
			return a;
	return NULL;
}

static void
arrange(struct sp_client *c)
{
	uint64_t due = UINT64_MAX;
	struct ask *a;

	if (c->put_off)
		return;
	TAILQ_FOREACH(a, &c->asks, link)
		due = a->due_ms < due ? a->due_ms : due;
	if (due == UINT64_MAX)
		sp_timer_stop(c->timer);
	else
		sp_timer_set_at(c->timer, due);
	if (c->conn != NULL && c->state == LINK_UP)
		tls_conn_set_open(c->conn, (unsigned)c->nasks, true);
}

/* As many as one connection takes at once. */
static void
send_waiting(struct sp_client *c)
{
	unsigned out = 0;
	struct ask *a;

	if (c->state != LINK_UP || c->stale)
		return;
	TAILQ_FOREACH(a, &c->asks, link)
		out += a->sent;
	TAILQ_FOREACH(a, &c->asks, link) {
		if (a->sent || out >= SP_FRAME_INFLIGHT)
			continue;
		a->sent = true;
		a->due_ms = sp_clock_boot_ms() + SP_SERVICE_REQUEST_MS;
		out++;
		tls_conn_send(c->conn, sp_buf_span(&a->frame));
	}
}

/* Ends one request by its callback; true if the client is gone after it. */
static bool
deliver(struct sp_client *c, struct ask *a, const struct sp_answer *answer)
{
	bool gone = false, *outer = c->gone;

	TAILQ_REMOVE(&c->asks, a, link);
	c->nasks--;
	c->gone = &gone;
	a->fn(a->arg, answer);
	ask_free(a);
	if (gone) {
		if (outer != NULL)
			*outer = true;
		return true;
	}
	c->gone = outer;
	return false;
}

static bool
deliver_failure(struct sp_client *c, struct ask *a, enum sp_status st, const struct sp_why *why)
{
	struct sp_answer answer = { .status = st };

	if (why != NULL)
		answer.why = *why;
	return deliver(c, a, &answer);
}

enum sp_status
sp_client_ask(struct sp_client *c, const struct sp_id *id, unsigned type, const void *msg, sp_answer_fn *fn, void *arg,
    struct sp_why *why)
{
	const struct sp_desc *desc = sp_desc_msg(type);
	struct ask *a;
	enum sp_status st;

	if (desc == NULL || desc->transport != SP_TRANSPORT_SERVICE)
		return sp_fail(SP_E_ARGUMENT, why, "there is no such request");
	if (find(c, id) != NULL)
		return sp_fail(SP_E_EXISTS, why, "this request is under way");
	if (c->nasks >= SP_CLIENT_QUEUE)
		return sp_fail(SP_E_FULL, why, "too many requests wait");
	if (c->one_connection && c->was_up && c->state != LINK_UP)
		return sp_fail(SP_E_CLOSED, why, "the connection has ended");
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	if ((st = sp_frame_pack(desc, id, msg, &a->frame, why)) != SP_OK) {
		ask_free(a);
		return st;
	}
	a->id = *id;
	a->fn = fn;
	a->arg = arg;
	a->due_ms = sp_clock_boot_ms() + SP_SERVICE_REQUEST_MS;
	TAILQ_INSERT_TAIL(&c->asks, a, link);
	c->nasks++;
	link_begin(c);
	send_waiting(c);
	arrange(c);
	return SP_OK;
}

void
sp_client_cancel(struct sp_client *c, const struct sp_id *id)
{
	struct ask *a = find(c, id);

	if (a == NULL)
		return;
	TAILQ_REMOVE(&c->asks, a, link);
	c->nasks--;
	ask_free(a);
	arrange(c);
}

/* ---- what the link says ---- */

void
client_up(struct sp_client *c)
{
	c->was_up = true;
	send_waiting(c);
	arrange(c);
}

void
client_frame(struct sp_client *c, const struct sp_frame *frame, struct sp_span body)
{
	struct sp_answer answer = { .type = frame->desc, .body = body };
	struct ask *a = find(c, &frame->id);
	struct sp_msg_error error;

	if (a == NULL || frame->desc == NULL)
		return;		/* cancelled, or about the connection: then it is closed next */
	if (frame->type == SP_MSG_ERROR) {
		answer.type = NULL;
		answer.body = sp_span(NULL, 0);
		answer.from_server = true;
		answer.status = sp_decode(frame->desc, body, &error, &answer.why);
		if (answer.status == SP_OK) {
			answer.status = sp_status_from_number(error.status);
			answer.retry_ms = error.retry_ms;
			sp_fail(SP_OK, &answer.why, "%.*s", (int)error.text.n, error.text.n > 0 ?
			    (const char *)error.text.p : "");
		}
	}
	if (deliver(c, a, &answer))
		return;
	if (c->stale && c->nasks == 0)
		link_end(c);
	send_waiting(c);
	arrange(c);
}

/* What one request gets when an address has failed: another try, or its end. True if the client is gone. */
static bool
fail_or_keep(struct sp_client *c, struct ask *a, bool over, enum sp_status st, const struct sp_why *why)
{
	if (over || ++a->tries >= c->naddresses + 1)
		return deliver_failure(c, a, st, why);
	a->sent = false;
	a->due_ms = sp_clock_boot_ms() + SP_SERVICE_REQUEST_MS;
	return false;
}

void
client_failed(struct sp_client *c, enum sp_status st, const struct sp_why *why)
{
	bool over = c->one_connection && c->was_up;
	size_t n = c->nasks;

	if (over)
		st = SP_E_CLOSED;
	c->at = (c->at + 1) % c->naddresses;
	while (n-- > 0) {
		struct ask *a = TAILQ_FIRST(&c->asks);

		if (a == NULL)
			break;
		TAILQ_REMOVE(&c->asks, a, link);	/* to the end, so that each has its turn once */
		TAILQ_INSERT_TAIL(&c->asks, a, link);
		if (fail_or_keep(c, a, over, st, why))
			return;
	}
	if (c->nasks > 0 && !over) {
		c->put_off = true;
		sp_timer_set(c->timer, SP_CLIENT_AGAIN_MS);
	}
	arrange(c);
}

static void
on_timer(void *arg)
{
	struct sp_client *c = arg;
	struct sp_why why;
	uint64_t now = sp_clock_boot_ms();
	struct ask *a;

	if (c->put_off) {
		c->put_off = false;
		if (c->nasks > 0)
			link_begin(c);
	}
	TAILQ_FOREACH(a, &c->asks, link)
		if (a->due_ms <= now)
			break;
	if (a == NULL) {
		arrange(c);
		return;
	}
	sp_fail(SP_E_TIMEOUT, &why, "no answer from %s in time", c->addresses[c->at]);
	link_end(c);
	client_failed(c, SP_E_TIMEOUT, &why);
}

/* ---- answers and the connection ---- */

enum sp_status
sp_answer_read(const struct sp_answer *answer, unsigned type, void *ret_msg, struct sp_why *why)
{
	if (answer->status != SP_OK)
		return sp_fail(answer->status, why, "%s", answer->why.text);
	if (answer->type == NULL || answer->type->number != type)
		return sp_fail(SP_E_REPLY, why, "the server answered something else");
	return sp_decode(answer->type, answer->body, ret_msg, why);
}

const struct sp_identity *
sp_client_server(const struct sp_client *c)
{
	return c->state == LINK_UP ? &c->server : NULL;
}

struct sp_span
sp_client_chain(const struct sp_client *c, size_t i)
{
	return c->state == LINK_UP && i < c->peer.ncerts ? sp_buf_span(&c->peer.certs[i]) : sp_span(NULL, 0);
}

enum sp_status
sp_client_exporter(const struct sp_client *c, uint8_t ret_secret[SP_EXPORTER])
{
	if (c->state != LINK_UP)
		return SP_E_CLOSED;
	memcpy(ret_secret, c->peer.exporter, SP_EXPORTER);
	return SP_OK;
}
