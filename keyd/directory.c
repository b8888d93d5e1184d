/*
 * directory.c - LOOKUP and ROSTER: certificates by exact name, and the services of the domain.
 */
#include "common/base/clock.h"
#include "keyd/db.h"
#include "keyd/keyd.h"

/* A question on its way to the database and back. */
struct question {
	struct keyd *keyd;		/* borrowed */
	struct sp_request *rq;		/* owned until answered */
};

static struct question *
question_new(struct keyd *k, struct sp_request *rq)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL)
		sp_daemon_fail(rq, SP_E_NOMEM, NULL);
	else
		*q = (struct question){ k, rq };
	return q;
}

static void
fail(struct question *q, enum sp_status st, const struct sp_why *why)
{
	sp_daemon_fail(q->rq, st, why);
	free(q);
}

/* Appends one certificate to a list of CERT_PART. */
static enum sp_status
add_cert(struct sp_buf *list, struct sp_span cert)
{
	const struct sp_msg_cert_part part = { .cert = cert };

	return sp_list_add(list, sp_desc_msg(SP_MSG_CERT_PART), &part);
}

static void
looked_up(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct question *q = arg;
	SP_AUTO_DONE(sp_buf) certs = { 0 };
	struct sp_msg_lookup_is answer = { 0 };

	for (size_t i = 0; st == SP_OK && i < sp_pg_count(rows); i++)
		if ((st = sp_daemon_status(rows, i, LOOKUP_STATUS)) == SP_OK)
			st = add_cert(&certs, sp_pg_get_bytes(rows, i, LOOKUP_CERT));
	if (st != SP_OK) {
		fail(q, st, NULL);
		return;
	}
	answer.certs = sp_buf_span(&certs);
	sp_request_answer(q->rq, SP_MSG_LOOKUP_IS, &answer);
	free(q);
}

void
on_lookup(void *arg, struct sp_request *rq)
{
	struct keyd *k = arg;
	struct sp_msg_lookup msg;
	struct sp_name name;
	struct sp_why why = { "" };
	struct question *q;
	enum sp_status st;

	if (sp_request_read(rq, &msg) != SP_OK || (q = question_new(k, rq)) == NULL)
		return;
	if (sp_name_parse(msg.name, &name) != SP_OK) {
		fail(q, sp_fail(SP_E_ARGUMENT, &why, "a name is PERSON@DOMAIN or PERSON/STATION@DOMAIN"), &why);
	} else if (strcmp(name.domain, k->settings->domain) != 0) {
		fail(q, sp_fail(SP_E_NOTFOUND, &why, "the keyd of %s knows nobody at %s", k->settings->domain,
		    name.domain), &why);
	} else {
		st = db_lookup(k->daemon.pg, sp_request_peer(rq), name.person, name.station, looked_up, q);
		if (st != SP_OK)
			fail(q, st, NULL);
	}
}

/* Appends one service to the roster; a tsa or keyd has its row like all others. */
static enum sp_status
add_service(struct sp_buf *list, const struct sp_pg_rows *rows, size_t i)
{
	const struct sp_msg_service_part part = { .role = sp_pg_get_bytes(rows, i, ROSTER_ROLE),
		.name = sp_pg_get_bytes(rows, i, ROSTER_NAME),
		.addresses = sp_pg_get_bytes(rows, i, ROSTER_ADDRESSES),
		.cert = sp_pg_get_bytes(rows, i, ROSTER_CERT) };

	if (sp_pg_is_null(rows, i, ROSTER_ROLE))
		return SP_OK;
	return sp_list_add(list, sp_desc_msg(SP_MSG_SERVICE_PART), &part);
}

static void
roster_read(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct question *q = arg;
	const struct office *o = q->keyd->office;
	SP_AUTO_DONE(sp_buf) issuers = { 0 }, services = { 0 };
	struct sp_msg_roster_is answer = { .domain = sp_span_str(q->keyd->settings->domain),
		.root = sp_buf_span(&o->root), .time_ms = sp_clock_wall_ms() };

	if (st == SP_OK && sp_pg_count(rows) == 0)
		st = SP_E_DATABASE;
	if (st == SP_OK)
		st = add_cert(&issuers, sp_buf_span(&o->issuer));
	for (size_t i = 0; st == SP_OK && i < sp_pg_count(rows); i++)
		if ((st = sp_daemon_status(rows, i, ROSTER_STATUS)) == SP_OK)
			st = add_service(&services, rows, i);
	if (st != SP_OK) {
		fail(q, st, NULL);
		return;
	}
	answer.number = (uint64_t)sp_pg_get_int(rows, 0, ROSTER_NUMBER);
	answer.issuers = sp_buf_span(&issuers);
	answer.services = sp_buf_span(&services);
	answer.tariff = sp_pg_get_bytes(rows, 0, ROSTER_TARIFF);
	answer.tariff_signature = sp_pg_get_bytes(rows, 0, ROSTER_TARIFF_SIGNATURE);
	answer.tariff_signer = sp_pg_get_bytes(rows, 0, ROSTER_TARIFF_SIGNER);
	sp_request_answer(q->rq, SP_MSG_ROSTER_IS, &answer);
	free(q);
}

void
on_roster(void *arg, struct sp_request *rq)
{
	struct keyd *k = arg;
	struct sp_msg_roster msg;
	struct question *q;
	enum sp_status st;

	if (sp_request_read(rq, &msg) != SP_OK || (q = question_new(k, rq)) == NULL)
		return;
	if ((st = db_roster(k->daemon.pg, sp_request_peer(rq), roster_read, q)) != SP_OK)
		fail(q, st, NULL);
}
