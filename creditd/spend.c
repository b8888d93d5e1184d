/*
 * spend.c - SHEET_STATE and LODGE: where a wallet stands, and franks handed in with the proof that their delivery was made.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/cms.h"
#include "common/statements/ending.h"
#include "common/statements/frank.h"
#include "common/statements/offer.h"
#include "common/statements/postmark.h"
#include "creditd/creditd.h"

/* ---- SHEET_STATE ---- */

static void
state_known(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct sp_request *rq = arg;
	struct sp_msg_sheet_state_is m = { 0 };

	if (st == SP_OK)
		st = sp_daemon_status(rows, 0, STATE_STATUS);
	if (st != SP_OK) {
		sp_daemon_fail(rq, st, NULL);
		return;
	}
	m.epoch = (uint32_t)sp_pg_get_int(rows, 0, STATE_EPOCH);
	m.closed = sp_pg_get_int(rows, 0, STATE_CLOSED) != 0;
	sp_request_answer(rq, SP_MSG_SHEET_STATE_IS, &m);
}

void
on_sheet_state(void *arg, struct sp_request *rq)
{
	struct creditd *c = arg;
	struct sp_msg_sheet_state m;
	char station[SP_NAME_TEXT];
	enum sp_status st;

	if (sp_request_read(rq, &m) != SP_OK)
		return;
	sp_identity_text(sp_request_peer(rq), station);
	{
		const struct sp_pg_value values[] = { sp_pg_str(station), sp_pg_id(&m.sheet), sp_pg_int(m.epoch),
			sp_pg_int(m.next), sp_pg_int(m.start), sp_pg_id(sp_request_id(rq)) };

		st = sp_pg_ask(c->daemon.pg, DB_SHEET_STATE, values, state_known, rq);
	}
	if (st != SP_OK)
		sp_daemon_fail(rq, st, NULL);
}

/* ---- GIVE_BACK ---- */

struct giving {
	struct sp_id sheet;
	uint32_t epoch;
	bool closes;
	char serials[256];	/* "first:count,…" */
};

static void
serials_text(const struct sp_serials *ranges, size_t count, char out[256])
{
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(out + used, 256 - used, "%s%u:%u", i > 0 ? "," : "", (unsigned)ranges[i].first,
		    (unsigned)ranges[i].count);
}

/* A VOID or CLOSE by whoever asks. */
static enum sp_status
read_giving(const struct sp_msg_give_back *m, const struct sp_identity *peer, struct giving *ret_giving, struct sp_why *why)
{
	struct sp_serials ranges[SP_FRANK_RANGES];
	struct sp_stmt_void v;
	struct sp_stmt_close c;
	uint32_t total;
	size_t count;
	enum sp_status st;

	if (sp_statement_purpose(m->statement) == SP_STMT_CLOSE) {
		st = sp_statement_open(SP_STMT_CLOSE, m->statement, m->signature, peer, peer->name.domain, &c, why);
		if (st != SP_OK)
			return st;
		*ret_giving = (struct giving){ .sheet = c.sheet, .epoch = c.epoch, .closes = true };
		ranges[0] = (struct sp_serials){ c.next, UINT32_MAX };	/* and all that follow */
		serials_text(ranges, 1, ret_giving->serials);
		return SP_OK;
	}
	st = sp_statement_open(SP_STMT_VOID, m->statement, m->signature, peer, peer->name.domain, &v, why);
	if (st == SP_OK)
		st = sp_serials_parse(v.serials, 0, UINT32_MAX, ranges, &count, &total);
	if (st != SP_OK)
		return st;
	*ret_giving = (struct giving){ .sheet = v.sheet, .epoch = v.epoch };
	serials_text(ranges, count, ret_giving->serials);
	return SP_OK;
}

static void
given(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct sp_request *rq = arg;

	if (st == SP_OK)
		st = sp_daemon_status(rows, 0, GIVEN_STATUS);
	if (st == SP_OK)
		sp_request_answer(rq, SP_MSG_OK, &(struct sp_msg_ok){ 0 });
	else
		sp_daemon_fail(rq, st, NULL);
}

void
on_give_back(void *arg, struct sp_request *rq)
{
	struct creditd *c = arg;
	struct sp_msg_give_back m;
	struct giving g;
	struct sp_why why = { "" };
	char station[SP_NAME_TEXT];
	enum sp_status st;

	if (sp_request_read(rq, &m) != SP_OK)
		return;
	sp_identity_text(sp_request_peer(rq), station);
	if ((st = read_giving(&m, sp_request_peer(rq), &g, &why)) == SP_OK) {
		const struct sp_pg_value values[] = { sp_pg_str(station), sp_pg_id(&g.sheet), sp_pg_int(g.epoch),
			sp_pg_int(g.closes), sp_pg_str(g.serials), sp_pg_span(m.statement), sp_pg_span(m.signature) };

		st = sp_pg_ask(c->daemon.pg, DB_GIVE_BACK, values, given, rq);
	}
	if (st != SP_OK)
		sp_daemon_fail(rq, st, &why);
}

/* ---- LODGE ---- */

struct lodging {
	struct sp_work work;		/* first */
	struct creditd *creditd;	/* borrowed */
	struct sp_request *rq;		/* owned until answered; its body is read by the worker */
	struct sp_msg_lodge m;		/* borrows from the request */
	struct sp_identity peer, recipient;
	struct sp_receipt receipt;	/* from a certd */
	struct sp_frank frank;
	struct sp_hash offer_hash;
	struct sp_id transfer;
	char sender[SP_NAME_TEXT], recipient_text[SP_NAME_TEXT], serials[256];
	enum sp_status st;
	struct sp_why why;
};

/* The sender's certificate was good when the offer was made: a frank may be lodged after its end. */
static enum sp_status
check_sender(struct lodging *l, struct sp_identity *ret_sender)
{
	const struct sp_trust *trust = member_trust(l->creditd->daemon.member);
	uint64_t now = sp_clock_wall_ms();
	struct sp_stmt_offer offer;
	enum sp_status st = sp_trust_check(trust, l->m.sender_cert, now, ret_sender, &l->why);

	if (st != SP_E_CERT_EXPIRED || sp_statement_read(SP_STMT_OFFER, l->m.offer, &offer, NULL) != SP_OK ||
	    offer.time_ms > now)
		return st;
	return sp_trust_check(trust, l->m.sender_cert, offer.time_ms, ret_sender, &l->why);
}

/* Who the delivery was to: whoever asks, or whose receipt a certd brings. */
static enum sp_status
check_recipient(struct lodging *l)
{
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	const struct sp_trust *trust = member_trust(l->creditd->daemon.member);
	uint64_t now_s = sp_clock_wall_ms() / 1000, ended_s;
	enum sp_status st = SP_OK;

	l->recipient = l->peer;
	if (l->peer.role == SP_ROLE_CERTD &&
	    ((st = sp_cms_cert(l->m.receipt, &cert, &l->why)) != SP_OK ||
	    (st = sp_identity_read(sp_buf_span(&cert), &l->recipient, &l->why)) != SP_OK ||
	    (st = sp_postmark_standing(&l->recipient, now_s, &ended_s, &l->why)) != SP_OK))
		return st;
	if (l->peer.role == SP_ROLE_CERTD) {
		sp_buf_clear(&cert);
		st = sp_receipt_open(l->m.receipt, trust, sp_postmark_judge_ms(now_s, ended_s), &l->receipt, &cert, &l->recipient,
		    &l->why);
	}
	sp_identity_text(&l->recipient, l->recipient_text);
	return st;
}

/* That the delivery was made: the recipient's own DONE, or its receipt. */
static enum sp_status
check_proof(struct lodging *l, const struct sp_stmt_offer *offer, const struct sp_identity *sender)
{
	struct sp_stmt_done done;

	if (l->peer.role == SP_ROLE_CERTD)
		return sp_receipt_fits(&l->receipt, offer, &l->offer_hash, sender, &l->recipient, NULL, &l->why);
	if (l->m.done.n == 0)
		return sp_fail(SP_E_MISSING, &l->why, "the recipient's DONE is missing");
	return sp_done_open(l->m.done, l->m.done_signature, &l->recipient, &l->offer_hash, offer->klass, offer->certds, &done,
	    &l->why);
}

/* Offer by the sender to the recipient, frank for exactly that, and the proof. */
static enum sp_status
check(struct lodging *l)
{
	struct sp_identity sender;
	struct sp_stmt_offer offer;
	enum sp_status st;

	if ((st = check_recipient(l)) == SP_OK)
		st = check_sender(l, &sender);
	if (st == SP_OK)
		st = sp_statement_open(SP_STMT_OFFER, l->m.offer, l->m.offer_signature, &sender, sender.name.domain, &offer, &l->why);
	if (st == SP_OK)
		st = sp_offer_check(&offer, &l->why);
	if (st != SP_OK)
		return st;
	if (offer.klass == SP_RECEIPT_CERTIFIED)
		return sp_fail(SP_E_FRANK, &l->why, "DONE settles nothing in the certified class");
	sp_identity_text(&sender, l->sender);
	if (!sp_span_eq(offer.sender, sp_span_str(l->sender)) || !sp_span_eq(offer.recipient, sp_span_str(l->recipient_text)) ||
	    !sp_hash_eq(&offer.recipient_cert, &l->recipient.hash))
		return sp_fail(SP_E_IDENTITY, &l->why, "the offer is not from this sender to who hands it in");
	sp_statement_hash(l->m.offer, &l->offer_hash);
	l->transfer = offer.transfer;
	if ((st = check_proof(l, &offer, &sender)) != SP_OK ||
	    (st = sp_frank_open(l->m.frank, l->m.frank_signature, &sender, &l->frank, &l->why)) != SP_OK)
		return st;
	if (!sp_hash_eq(&l->frank.offer, &l->offer_hash) || !sp_hash_eq(&l->frank.recipient_cert, &l->recipient.hash) ||
	    l->frank.bytes != offer.bytes || l->frank.price != offer.price)
		return sp_fail(SP_E_FRANK, &l->why, "the frank is not for this delivery");
	for (size_t i = 0; i < l->frank.count; i++)
		if (l->frank.serials[i].first > INT32_MAX || l->frank.serials[i].count > SP_SHEET_SERIALS)
			return sp_fail(SP_E_FRANK, &l->why, "no sheet has such serials");
	serials_text(l->frank.serials, l->frank.count, l->serials);
	return SP_OK;
}

static void
check_run(struct sp_work *work)
{
	struct lodging *l = (struct lodging *)work;

	l->st = check(l);
}

static void
lodged(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct lodging *l = arg;
	char id[SP_ID_TEXT], by[SP_NAME_TEXT];

	if (st == SP_OK)
		st = sp_daemon_status(rows, 0, LODGED_STATUS);
	if (st != SP_E_DATABASE)
		sp_log(st == SP_OK ? SP_LOG_INFO : SP_LOG_WARN, "lodged", "transfer=%s station=%s by=%s status=%s",
		    sp_id_text(&l->transfer, id), l->sender, sp_identity_text(&l->peer, by), sp_status_name(st));
	if (st == SP_OK)
		sp_request_answer(l->rq, SP_MSG_OK, &(struct sp_msg_ok){ 0 });
	else
		sp_daemon_fail(l->rq, st, NULL);
	free(l);
}

static void
check_done(struct sp_work *work)
{
	struct lodging *l = (struct lodging *)work;

	if (l->st == SP_OK) {
		const struct sp_pg_value values[] = { sp_pg_hash(&l->frank.sheet), sp_pg_str(l->sender), sp_pg_id(&l->transfer),
			sp_pg_str(l->recipient_text), sp_pg_hash(&l->offer_hash), sp_pg_str(l->serials), sp_pg_int(l->frank.price),
			sp_pg_span(l->m.frank), sp_pg_span(l->m.frank_signature), sp_pg_span(l->peer.role == SP_ROLE_CERTD ? l->m.receipt : l->m.done) };

		l->st = sp_pg_ask(l->creditd->daemon.pg, DB_LODGE, values, lodged, l);
	}
	if (l->st != SP_OK) {
		sp_daemon_fail(l->rq, l->st, &l->why);
		free(l);
	}
}

static void
check_dropped(struct sp_work *work)
{
	struct lodging *l = (struct lodging *)work;

	sp_daemon_fail(l->rq, SP_E_CANCELLED, NULL);
	free(l);
}

void
on_lodge(void *arg, struct sp_request *rq)
{
	struct creditd *c = arg;
	struct lodging *l = calloc(1, sizeof(*l));
	enum sp_status st;

	if (l == NULL) {
		sp_daemon_fail(rq, SP_E_NOMEM, NULL);
		return;
	}
	if (sp_request_read(rq, &l->m) != SP_OK) {
		free(l);
		return;
	}
	l->work = (struct sp_work){ check_run, check_done, check_dropped };
	l->creditd = c;
	l->rq = rq;
	l->peer = *sp_request_peer(rq);
	if ((st = sp_worker_submit(c->daemon.workers, &l->work)) != SP_OK) {
		sp_daemon_fail(rq, st, NULL);
		free(l);
	}
}
