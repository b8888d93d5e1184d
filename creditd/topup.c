/*
 * topup.c - TOPUP and TOPUP_GET: credits are asked for, decided in the ledger, signed, and brought to the station by a call.
 *
 * A request goes: the database decides and moves the money; the requester is told that it was taken and its connection is
 * done; a worker signs; the database keeps the first signed answer; only that one leaves, by a call to the station's
 * command port, and by TOPUP_GET. A crash anywhere leaves a decision: the next start, or another creditd on the same database,
 * signs its answer and brings it; for ten minutes it is brought again until the station has taken it.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/hash.h"
#include "common/statements/sheet.h"
#include "creditd/creditd.h"

/* A top-up on its way. */
struct topup {
	struct sp_work work;		/* first */
	struct creditd *creditd;	/* borrowed */
	struct sp_request *rq;		/* owned until answered; TOPUP_GET waits for the answer, TOPUP does not */
	bool get;
	char requester[SP_NAME_TEXT];
	struct sp_name station;
	uint8_t letter_key[SP_X25519];
	struct sp_id id;
	char where[SP_HOSTPORT_TEXT];	/* "host:port" to call back, "" if it can't be */
	enum sp_status decision;
	struct sp_sheet sheet;		/* of a grant */
	struct sp_buf statement;	/* owned */
	uint8_t signature[SP_SIGNATURE];
	struct sp_hash hash;
	enum sp_status st;
};

static void
topup_free(struct topup *t)
{
	sp_buf_done(&t->statement);
	free(t);
}

static void
topup_fail(struct topup *t, enum sp_status st, const struct sp_why *why)
{
	if (t->rq != NULL)
		sp_daemon_fail(t->rq, st, why);
	else
		sp_log_fail(SP_LOG_WARN, "topup-not-answered", st, why);
	topup_free(t);
}

static struct topup *
topup_new(struct creditd *c, struct sp_request *rq)
{
	const struct sp_identity *peer = sp_request_peer(rq);
	struct topup *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		sp_daemon_fail(rq, SP_E_NOMEM, NULL);
		return NULL;
	}
	t->creditd = c;
	t->rq = rq;
	t->station = peer->name;
	sp_identity_text(peer, t->requester);
	memcpy(t->letter_key, peer->letter_key, SP_X25519);
	return t;
}

/* ---- 4. the answer leaves ---- */

struct telling {
	struct creditd *creditd;
	char requester[SP_NAME_TEXT];
	struct sp_id id;
};

static void
noted(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	(void)rows;
	if (st != SP_OK)
		sp_log_fail(SP_LOG_WARN, "told-not-noted", st, NULL);
	free(arg);
}

static void
called(void *arg, enum sp_status st)
{
	struct telling *t = arg;
	const struct sp_pg_value values[] = { sp_pg_str(t->requester), sp_pg_id(&t->id) };
	char id[SP_ID_TEXT];

	sp_log(SP_LOG_INFO, "called-back", "req=%s station=%s status=%s", sp_id_text(&t->id, id), t->requester,
	    sp_status_name(st));
	if (st != SP_OK || sp_pg_ask(t->creditd->daemon.pg, DB_TOLD, values, noted, t) != SP_OK)
		free(t);	/* the station can fetch it */
}

static void
call_back(const struct topup *t, struct sp_span statement, struct sp_span signature, struct sp_span signer)
{
	struct sp_msg_credit_answer m = { .statement = statement, .signature = signature };
	struct telling *telling;
	struct sp_why why = { "" };

	if (t->where[0] == 0 || t->creditd->caller == NULL || (telling = malloc(sizeof(*telling))) == NULL)
		return;
	sp_sha256(signer, &m.signer);	/* it may be another creditd's, or an older certificate of this one */
	telling->creditd = t->creditd;
	telling->id = t->id;
	memcpy(telling->requester, t->requester, sizeof(telling->requester));
	if (sp_call(t->creditd->caller, t->letter_key, t->where, SP_MSG_CREDIT_ANSWER, &m, called, telling, &why) != SP_OK) {
		sp_log_fail(SP_LOG_INFO, "not-called-back", SP_E_CONNECT, &why);
		free(telling);
	}
}

static void
answer(struct topup *t, struct sp_span statement, struct sp_span signature, struct sp_span signer)
{
	const struct sp_msg_topup_is m = { .statement = statement, .signature = signature, .signer = signer };

	if (t->get)
		sp_request_answer(t->rq, SP_MSG_TOPUP_IS, &m);
	else
		call_back(t, statement, signature, signer);
	topup_free(t);
}

static void
stored(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct topup *t = arg;

	if (st == SP_OK)
		st = sp_daemon_status(rows, 0, STORED_STATUS);
	if (st != SP_OK)
		topup_fail(t, st, NULL);
	else
		answer(t, sp_pg_get_bytes(rows, 0, STORED_STATEMENT), sp_pg_get_bytes(rows, 0, STORED_SIGNATURE),
		    sp_pg_get_bytes(rows, 0, STORED_SIGNER));
}

/* ---- 3. signing ---- */

static void
sign_run(struct sp_work *work)
{
	struct topup *t = (struct topup *)work;
	const struct sp_key *key = member_key(t->creditd->daemon.member);
	struct sp_stmt_denial denial = { .request = t->id, .reason = (uint16_t)t->decision };

	if (t->decision == SP_OK)
		t->st = sp_sheet_sign(&t->sheet, key, &t->statement, t->signature, &t->hash, NULL);
	else
		t->st = sp_statement_sign(SP_STMT_DENIAL, &denial, key, &t->statement, t->signature, &t->hash, NULL);
}

static void
sign_done(struct sp_work *work)
{
	struct topup *t = (struct topup *)work;
	const struct sp_pg_value values[] = { sp_pg_str(t->requester), sp_pg_id(&t->id),
		sp_pg_span(sp_buf_span(&t->statement)), sp_pg_span(sp_span(t->signature, sizeof(t->signature))),
		sp_pg_hash(&t->hash), sp_pg_span(member_cert(t->creditd->daemon.member)) };

	if (t->st == SP_OK)
		t->st = sp_pg_ask(t->creditd->daemon.pg, DB_STORE_ANSWER, values, stored, t);
	if (t->st != SP_OK)
		topup_fail(t, t->st, NULL);
}

static void
sign_dropped(struct sp_work *work)
{
	topup_fail((struct topup *)work, SP_E_CANCELLED, NULL);
}

static void
sign(struct topup *t)
{
	enum sp_status st;

	t->work = (struct sp_work){ sign_run, sign_done, sign_dropped };
	if ((st = sp_worker_submit(t->creditd->daemon.workers, &t->work)) != SP_OK)
		topup_fail(t, st, NULL);
}

/* ---- 2. decided ---- */

static void
fill_sheet(struct topup *t, const struct sp_pg_rows *rows, size_t row, unsigned out)
{
	const struct settings *s = t->creditd->settings;
	struct sp_span sheet = sp_pg_get_bytes(rows, row, out + OUT_SHEET);

	if (sheet.n == sizeof(t->sheet.sheet.b))
		memcpy(t->sheet.sheet.b, sheet.p, sheet.n);
	t->sheet.request = t->id;
	t->sheet.station = t->station;
	memcpy(t->sheet.domain, t->station.domain, sizeof(t->sheet.domain));
	t->sheet.first = (uint32_t)sp_pg_get_int(rows, row, out + OUT_FIRST);
	t->sheet.count = (uint32_t)sp_pg_get_int(rows, row, out + OUT_GRANTED);
	t->sheet.issued_ms = (uint64_t)sp_pg_get_int(rows, row, out + OUT_ISSUED);
	t->sheet.valid_until_ms = (uint64_t)sp_pg_get_int(rows, row, out + OUT_UNTIL);
	t->sheet.epoch = 1;
	t->sheet.offline = s->offline < t->sheet.count ? s->offline : t->sheet.count;
	t->sheet.tariff = t->creditd->tariff;
}

/* Signs what was decided, or brings what is signed already. */
static void
go_on(struct topup *t, const struct sp_pg_rows *rows, size_t row, unsigned out)
{
	t->decision = sp_daemon_status(rows, row, out + OUT_DECISION);
	if (t->decision == SP_OK)
		fill_sheet(t, rows, row, out);
	if (sp_pg_is_null(rows, row, out + OUT_STATEMENT))
		sign(t);
	else
		answer(t, sp_pg_get_bytes(rows, row, out + OUT_STATEMENT), sp_pg_get_bytes(rows, row, out + OUT_SIGNATURE),
		    sp_pg_get_bytes(rows, row, out + OUT_SIGNER));
}

static void
decided(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct topup *t = arg;
	struct sp_why why = { "" };
	char id[SP_ID_TEXT];

	if (st == SP_OK && (st = sp_daemon_status(rows, 0, TOPUP_STATUS)) == SP_E_CONFLICT)
		sp_why_set(&why, "this request's id was used for another request");
	if (st != SP_OK) {
		topup_fail(t, st, &why);
		return;
	}
	sp_log(SP_LOG_INFO, "topup", "req=%s station=%s decision=%s granted=%lld", sp_id_text(&t->id, id), t->requester,
	    sp_status_name(sp_daemon_status(rows, 0, TOPUP_OUTCOME + OUT_DECISION)),
	    (long long)sp_pg_get_int(rows, 0, TOPUP_OUTCOME + OUT_GRANTED));
	sp_request_answer(sp_take(&t->rq), SP_MSG_OK, &(struct sp_msg_ok){ 0 });	/* the connection's part is over */
	go_on(t, rows, 0, TOPUP_OUTCOME);
}

/* ---- what was left behind ---- */

#define AGAIN_MS (60 * 1000)

static void
resume(struct creditd *c, const struct sp_pg_rows *rows, size_t row)
{
	struct sp_span who = sp_pg_get_bytes(rows, row, UNANSWERED_REQUESTER);
	struct sp_span id = sp_pg_get_bytes(rows, row, UNANSWERED_REQUEST);
	struct sp_span key = sp_pg_get_bytes(rows, row, UNANSWERED_LETTER_KEY);
	struct sp_span host = sp_pg_get_bytes(rows, row, UNANSWERED_HOST);
	struct topup *t = calloc(1, sizeof(*t));

	if (t == NULL || who.n >= sizeof(t->requester) || id.n != sizeof(t->id.b) || key.n != SP_X25519 ||
	    host.n > SP_HOST_MAX || sp_name_parse(who, &t->station) != SP_OK) {
		free(t);
		return;
	}
	t->creditd = c;
	memcpy(t->requester, who.p, who.n);
	memcpy(t->id.b, id.p, id.n);
	memcpy(t->letter_key, key.p, key.n);
	if (host.n > 0)
		sp_hostport_text(host, (uint16_t)sp_pg_get_int(rows, row, UNANSWERED_PORT), t->where);
	go_on(t, rows, row, UNANSWERED_OUTCOME);
}

static void
left_behind(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct creditd *c = arg;

	if (c->again == NULL)
		return;		/* creditd is ending */
	for (size_t i = 0; st == SP_OK && i < sp_pg_count(rows); i++)
		resume(c, rows, i);
	sp_timer_set(c->again, AGAIN_MS);
}

void
topup_again(void *arg)
{
	struct creditd *c = arg;
	const struct sp_pg_value values[] = { sp_pg_int(c->asked_before ? AGAIN_MS : 0) };

	/* at a start everything, later what had its time to be brought */
	c->asked_before = true;
	if (sp_pg_ask(c->daemon.pg, DB_UNANSWERED, values, left_behind, c) != SP_OK)
		sp_timer_set(c->again, AGAIN_MS);
}

/* ---- 1. asked ---- */

/* What makes two requests of one id the same: everything but where to call back. */
static void
body_hash(const struct sp_msg_topup *m, struct sp_hash *out)
{
	uint8_t number[4] = { (uint8_t)(m->number >> 24), (uint8_t)(m->number >> 16), (uint8_t)(m->number >> 8),
		(uint8_t)m->number };
	const struct sp_span parts[] = { sp_span(number, sizeof(number)), m->account };

	sp_sha256_parts(parts, 2, out);
}

/* Card references are told apart from account numbers by their form, and not taken: no card processor is built in. */
static bool
is_account(struct sp_span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return text.n == 10;
}

void
on_topup(void *arg, struct sp_request *rq)
{
	struct creditd *c = arg;
	struct sp_msg_topup m;
	struct sp_why why = { "" };
	struct sp_hash body;
	struct topup *t;
	enum sp_status st;
	char account[48] = "", host[SP_HOST_MAX + 1] = "";

	if (sp_request_read(rq, &m) != SP_OK || (t = topup_new(c, rq)) == NULL)
		return;
	t->id = *sp_request_id(rq);
	body_hash(&m, &body);
	/* what is no account number is refused like one that is not known, and not stored as it came */
	if (is_account(m.account))
		snprintf(account, sizeof(account), "%.*s", (int)m.account.n, (const char *)m.account.p);
	if (m.return_host.n > 0 && m.return_host.n <= SP_HOST_MAX && m.return_port > 0) {
		snprintf(host, sizeof(host), "%.*s", (int)m.return_host.n, (const char *)m.return_host.p);
		sp_hostport_text(m.return_host, m.return_port, t->where);
	}
	st = sp_daemon_check_id(&t->id, &why);
	if (st == SP_OK) {
		const struct sp_pg_value values[] = { sp_pg_str(t->requester), sp_pg_id(&t->id), sp_pg_hash(&body),
			sp_pg_str(account), sp_pg_int(m.number), sp_pg_str(host), sp_pg_int(m.return_port),
			sp_pg_span(sp_span(t->letter_key, SP_X25519)), sp_pg_int((int64_t)(c->settings->sheet_life / 86400000)),
			sp_pg_int(c->settings->balance), sp_pg_int(c->settings->clamp) };

		st = sp_pg_ask(c->daemon.pg, DB_TOPUP, values, decided, t);
	}
	if (st != SP_OK)
		topup_fail(t, st, &why);
}

/* ---- TOPUP_GET ---- */

static void
found(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct topup *t = arg;
	struct sp_why why = { "" };

	if (st == SP_OK && (st = sp_daemon_status(rows, 0, FOUND_STATUS)) == SP_E_NOTFOUND)
		sp_why_set(&why, "no answer to this request is known; ask again with the same id");
	if (st != SP_OK)
		topup_fail(t, st, &why);
	else
		answer(t, sp_pg_get_bytes(rows, 0, FOUND_STATEMENT), sp_pg_get_bytes(rows, 0, FOUND_SIGNATURE),
		    sp_pg_get_bytes(rows, 0, FOUND_SIGNER));
}

void
on_topup_get(void *arg, struct sp_request *rq)
{
	struct creditd *c = arg;
	struct sp_msg_topup_get m;
	struct topup *t;
	enum sp_status st;

	if (sp_request_read(rq, &m) != SP_OK || (t = topup_new(c, rq)) == NULL)
		return;
	t->get = true;
	t->id = m.request;
	{
		const struct sp_pg_value values[] = { sp_pg_str(t->requester), sp_pg_id(&t->id) };

		st = sp_pg_ask(c->daemon.pg, DB_FIND_ANSWER, values, found, t);
	}
	if (st != SP_OK)
		topup_fail(t, st, NULL);
}
