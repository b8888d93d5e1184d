/*
 * cancel.c - giving a transfer up: the signed CANCEL of either side, sent and received.
 */
#include "peerd/events/cancel.h"
#include "peerd/events/send.h"

#include "common/base/log.h"
#include "common/statements/ending.h"
#include "peerd/events/receive.h"

void
live_sign_cancel(struct live *l, enum sp_status reason)
{
	struct sp_stmt_cancel cancel = { .offer = l->offer_hash, .reason = (uint16_t)reason };
	uint8_t signature[SP_SIGNATURE];
	struct sp_why why = { "" };
	enum sp_status st;

	if (l->row->offer.len == 0)
		return;		/* nobody was told of it */
	sp_buf_clear(&l->row->final);
	st = sp_statement_sign(SP_STMT_CANCEL, &cancel, member_key(l->all->parts.station), &l->row->final, signature,
	    NULL, &why);
	if (st == SP_OK && !bytes_set(&l->row->final_signature, sp_span(signature, sizeof(signature))))
		st = SP_E_NOMEM;
	if (st != SP_OK) {
		sp_buf_clear(&l->row->final);
		sp_log_fail(SP_LOG_ERR, "cancel-not-signed", st, &why);
	}
}

/* Best effort: whoever misses it learns of it when it offers or tells again. A recipient that is done says so instead. */
static void
cancelled(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct sp_msg_done_letter m;

	(void)why;
	if (st == SP_OK && answer->type == SP_MSG_DONE_LETTER &&
	    sp_decode(sp_desc_msg(SP_MSG_DONE_LETTER), answer->body, &m, NULL) == SP_OK)
		send_done_late(arg, &m, NULL);
}

void
live_send_cancel(struct live *l)
{
	struct sp_msg_cancel_letter msg = {
		.statement = sp_buf_span(&l->row->final),
		.signature = sp_buf_span(&l->row->final_signature),
	};

	if (l->row->final.len > 0)
		(void)post_ask(l->all->parts.post, &l->peer_cert, l->address, false, SP_MSG_CANCEL_LETTER, &msg,
		    cancelled, l->all);
}

/* The other station gives up. Whoever is past that point answers with where it stands. */
static void
on_cancel(void *arg, struct post_in *in)
{
	struct events *e = arg;
	struct sp_msg_cancel_letter m;
	struct sp_stmt_cancel c;
	struct sp_why why = { "" };
	enum sp_status st, reason;
	struct live *l = NULL;
	int on;

	st = sp_decode(sp_desc_msg(SP_MSG_CANCEL_LETTER), in->body, &m, &why);
	if (st == SP_OK)
		st = sp_statement_read(SP_STMT_CANCEL, m.statement, &c, &why);
	if (st == SP_OK && (l = live_by_offer(e, EVENT_SEND, &c.offer, &in->from_cert)) == NULL)
		l = live_by_offer(e, EVENT_RECEIVE, &c.offer, &in->from_cert);
	if (st == SP_OK && l != NULL)
		st = sp_cancel_open(m.statement, m.signature, &in->from->identity, &l->offer_hash, &reason, &why);
	if (st != SP_OK || (l != NULL && (l->saving || l->moving != NULL))) {
		post_ignore(e->parts.post, in);
		return;
	}
	on = l == NULL || l->row->kind == EVENT_SEND ? (int)SEND_ON_PEER_CANCEL : (int)RECEIVE_ON_PEER_CANCEL;
	if (l != NULL && l->row->kind == EVENT_RECEIVE && l->row->state == RECEIVE_PLACED) {
		receive_reply_done(l, in);
		return;
	}
	if (l != NULL && !live_heeds(l, on)) {
		post_ignore(e->parts.post, in);
		return;
	}
	if (l != NULL && l->row->done.len > 0) {
		post_ignore(e->parts.post, in);		/* it has signed the contrary */
		return;
	}
	if (l != NULL)
		live_quiet(l);
	if (l != NULL && l->row->kind == EVENT_SEND) {
		send_peer_ended(l, m.statement, m.signature, reason, on, SEND_GIVEN_UP_WORDS);
	} else if (l != NULL) {
		live_reason(l, reason, NULL);
		live_happens(l, on, "given up by %s: %s", in->from_name, sp_status_text(reason));
	}
	events_answer(e, in, SP_OK);
}

void
cancel_start(struct events *e)
{
	post_on(e->parts.post, SP_MSG_CANCEL_LETTER, on_cancel, e);
}
