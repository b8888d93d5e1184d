/*
 * request.c - one request of a service from its whole frame to its answer. It knows its connection by number only.
 */
#include "common/net/service_in.h"

struct sp_request {
	LIST_ENTRY(sp_request) link;
	struct sp_service *service;	/* borrowed; NULL once the service is gone */
	uint64_t conn;			/* number of its connection */
	struct service_peer *peer;	/* counted */
	struct sp_frame frame;		/* its body is ours */
	uint8_t *body;			/* owned */
};

struct sp_request *
request_new(struct service_conn *c, const struct sp_frame *frame, uint8_t *body_take, size_t n)
{
	struct sp_service *s = c->service;
	struct sp_request *rq = calloc(1, sizeof(*rq));

	if (rq == NULL) {
		free(body_take);
		return NULL;
	}
	rq->service = s;
	rq->conn = c->number;
	rq->peer = c->peer;
	rq->peer->refs++;
	rq->frame = *frame;
	rq->frame.body = sp_span(body_take, n);
	rq->body = body_take;
	LIST_INSERT_HEAD(&s->requests, rq, link);
	s->stats.open_requests++;
	return rq;
}

void
requests_orphan(struct sp_service *s)
{
	struct sp_request *rq;

	while ((rq = LIST_FIRST(&s->requests)) != NULL) {
		LIST_REMOVE(rq, link);
		rq->service = NULL;
	}
}

static void
request_free(struct sp_request *rq)
{
	service_peer_unref(rq->peer);
	if (rq->body != NULL)
		sp_wipe(rq->body, rq->frame.body.n);
	free(rq->body);
	free(rq);
}

/* The request's connection, NULL if nobody is there to be answered. */
static struct service_conn *
connection(const struct sp_request *rq)
{
	return rq->service != NULL ? service_conn(rq->service, rq->conn) : NULL;
}

/* The answer is on its way (or dropped): the request is no more. */
static void
finish(struct sp_request *rq)
{
	struct service_conn *c = connection(rq);
	struct sp_service *s = rq->service;

	if (s != NULL) {
		LIST_REMOVE(rq, link);
		s->stats.open_requests--;
	}
	request_free(rq);
	if (c != NULL)
		service_conn_answered(c);
	if (s != NULL)
		service_check_drained(s);
}

const struct sp_id *
sp_request_id(const struct sp_request *rq)
{
	return &rq->frame.id;
}

const struct sp_identity *
sp_request_peer(const struct sp_request *rq)
{
	return rq->peer->known ? &rq->peer->identity : NULL;
}

const struct sp_addr *
sp_request_addr(const struct sp_request *rq)
{
	return &rq->peer->addr;
}

void
sp_request_exporter(const struct sp_request *rq, uint8_t ret_secret[SP_EXPORTER])
{
	memcpy(ret_secret, rq->peer->exporter, SP_EXPORTER);
}

enum sp_status
sp_request_read(struct sp_request *rq, void *ret_msg)
{
	struct sp_why why = { 0 };
	enum sp_status st = sp_decode(rq->frame.desc, rq->frame.body, ret_msg, &why);

	if (st != SP_OK)
		sp_request_fail(rq, st, &why);
	return st;
}

void
sp_request_answer(struct sp_request *rq, unsigned type, const void *msg)
{
	SP_AUTO_DONE(sp_buf) frame = { .secret = true };
	struct service_conn *c = connection(rq);
	const struct sp_desc *desc = sp_desc_msg(type);
	struct sp_why why = { 0 };
	enum sp_status st;

	if (c != NULL) {
		st = desc != NULL ? sp_frame_pack(desc, &rq->frame.id, msg, &frame, &why) :
		    sp_fail(SP_E_UNKNOWN, &why, "there is no such answer");
		if (st == SP_OK)
			tls_conn_send(c->tls, sp_buf_span(&frame));
		else
			tls_conn_send_error(c->tls, &rq->frame.id, st == SP_E_NOMEM ? st : SP_E_STATE, &why, 0);
	}
	finish(rq);
}

void
sp_request_answer_bytes(struct sp_request *rq, unsigned type, struct sp_span body)
{
	SP_AUTO_DONE(sp_buf) frame = { .secret = true };
	struct service_conn *c = connection(rq);

	if (c != NULL && body.n <= SP_FRAME_MAX - SP_FRAME_HEAD) {
		sp_buf_add_u32(&frame, (uint32_t)(SP_FRAME_HEAD - 4 + body.n));
		sp_buf_add_u16(&frame, (uint16_t)type);
		sp_buf_add(&frame, rq->frame.id.b, sizeof(rq->frame.id.b));
		sp_buf_add_span(&frame, body);
		if (sp_buf_status(&frame) == SP_OK)
			tls_conn_send(c->tls, sp_buf_span(&frame));
		else
			tls_conn_send_error(c->tls, &rq->frame.id, SP_E_NOMEM, NULL, 0);
	} else if (c != NULL) {
		tls_conn_send_error(c->tls, &rq->frame.id, SP_E_STATE, NULL, 0);
	}
	finish(rq);
}

void
sp_request_fail(struct sp_request *rq, enum sp_status st, const struct sp_why *why)
{
	struct service_conn *c = connection(rq);

	if (c != NULL)
		tls_conn_send_error(c->tls, &rq->frame.id, st, why, 0);
	finish(rq);
}

void
sp_request_busy(struct sp_request *rq, uint32_t retry_ms)
{
	struct service_conn *c = connection(rq);

	if (c != NULL)
		tls_conn_send_error(c->tls, &rq->frame.id, SP_E_BUSY, NULL, retry_ms);
	finish(rq);
}
