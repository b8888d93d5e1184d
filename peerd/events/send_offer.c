/*
 * send_offer.c - a sender's letters: the offer and what answers it, DONE.
 */
#include "peerd/events/send.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/statements/ending.h"

static const struct correspondent *
recipient(const struct live *l)
{
	return book_by_cert(l->all->parts.book, &l->peer_cert);
}

/* The title's salt follows from the manifest's, so that the same offer can be made again. */
static void
title_salt(const struct live *l, uint8_t out[SP_TITLE_SALT])
{
	sp_hkdf(sp_span(l->row->salt.b, sizeof(l->row->salt.b)), sp_span(l->row->id.b, sizeof(l->row->id.b)),
	    sp_span_str("sealpost title"), out, SP_TITLE_SALT);
}

static enum sp_status
sign_offer(struct live *l, const struct sp_stmt_offer *offer, struct sp_why *why)
{
	uint8_t signature[SP_SIGNATURE];
	enum sp_status st;

	if ((st = sp_offer_check(offer, why)) != SP_OK)
		return st;
	sp_buf_clear(&l->row->offer);
	st = sp_statement_sign(SP_STMT_OFFER, offer, member_key(l->all->parts.station), &l->row->offer, signature,
	    &l->offer_hash, why);
	if (st == SP_OK && !bytes_set(&l->row->offer_signature, sp_span(signature, sizeof(signature))))
		st = SP_E_NOMEM;
	return st;
}

/* After a restart or a second walk: it must be the packet that was offered before. */
static enum sp_status
same_offer(const struct live *l, const struct sp_hash *manifest, struct sp_why *why)
{
	struct sp_stmt_offer offer;
	enum sp_status st = sp_statement_read(SP_STMT_OFFER, sp_buf_span(&l->row->offer), &offer, why);

	if (st != SP_OK)
		return st;
	if (!sp_hash_eq(&offer.manifest, manifest))
		return sp_fail(SP_E_CHANGED, why, "the files have changed since they were offered; send them anew");
	return SP_OK;
}

enum sp_status
send_make_offer(struct live *l, struct sp_why *why)
{
	const struct sp_manifest *m = source_manifest(l->source);
	const struct sp_identity *own = member_identity(l->all->parts.station);
	struct event_row *row = l->row;
	struct sp_stmt_offer offer = { .transfer = row->id, .klass = row->klass, .price = row->price };
	char name[SP_NAME_TEXT];
	char certds[SP_OFFER_NAMES + 1], creditds[SP_OFFER_NAMES + 1];
	uint8_t salt[SP_TITLE_SALT];

	source_manifest_hash(l->source, &offer.manifest);
	if (row->offer.len > 0)
		return same_offer(l, &offer.manifest, why);
	if (!text_set(&row->title, sp_manifest_head(m)->title))
		return SP_E_NOMEM;
	title_salt(l, salt);
	row->files = sp_manifest_files(m);
	row->bytes = sp_manifest_bytes(m);
	row->packet = sp_layout_length(source_layout(l->source));
	if (source_left_out(l->source) > 0) {
		SP_AUTO_DONE(sp_buf) note = { 0 };

		sp_buf_addf(&note, "%u sockets, pipes or devices are not sent", source_left_out(l->source));
		live_note(l, sp_buf_span(&note));
	}
	offer.sender = sp_span_str(sp_name_text(&own->name, name));
	offer.recipient = sp_span_str(row->peer);
	offer.recipient_cert = l->peer_cert;
	offer.files = row->files;
	offer.bytes = row->bytes;
	offer.packet = row->packet;
	offer.manifest_length = (uint32_t)sp_manifest_text_length(m);
	sp_offer_title_hash(salt, sp_span_str(row->title), &offer.title_hash);
	if (l->all->conf.return_host[0] != 0) {
		offer.return_host = sp_span_str(l->all->conf.return_host);
		offer.return_port = post_port(l->all->parts.post);
	}
	if (row->klass == SP_RECEIPT_POSTMARKED) {
		offer.certds = sp_span_str(member_service_names(l->all->parts.station, SP_ROLE_CERTD, 2, certds, sizeof(certds)));
		if (offer.certds.n == 0)
			return sp_fail(SP_E_CLASS, why, "no certd is known any more that would postmark the receipt");
	}
	if (row->price > 0)
		offer.creditds = sp_span_str(member_service_names(l->all->parts.station, SP_ROLE_CREDITD, 2, creditds,
		    sizeof(creditds)));
	offer.time_ms = sp_clock_wall_ms();
	return sign_offer(l, &offer, why);
}

static void
accepted(struct live *l, const struct post_answer *answer, const struct sp_msg_accept_letter *letter)
{
	const struct correspondent *to = recipient(l);
	struct sp_why why = { "" };
	enum sp_status st = to != NULL ? SP_OK : SP_E_NOKEY;

	if (st == SP_OK)
		st = sp_accept_open(letter, to->identity.letter_key, &to->identity, &l->offer_hash, l->row->packet,
		    &l->accept, &why);
	if (st != SP_OK) {
		send_fail(l, SP_E_REPLY, &why);
		return;
	}
	l->waits = 0;
	l->to = answer->address;
	l->to.port = l->accept.port;
	if (send_held(l) > l->row->held) {	/* progress */
		l->row->held = send_held(l);
		l->row->breaks = l->row->attempts = 0;
	}
	if (send_has_ended(l))
		return;
	if (l->source == NULL)
		live_happens(l, SEND_ON_NEED_SOURCE, NULL);
	else
		send_make_frank(l);
}

void
send_peer_ended(struct live *l, struct sp_span statement, struct sp_span signature, enum sp_status reason, int happening,
    const char *words)
{
	char clock[CORRESPONDENT_CLOCK];
	struct sp_why why = { "" };

	if (!bytes_set(&l->row->final, statement) || !bytes_set(&l->row->final_signature, signature))
		reason = SP_E_NOMEM;
	if (correspondent_clock(recipient(l), clock)[0] != 0 && (reason == SP_E_FRANK || reason == SP_E_UNPAID))
		sp_why_set(&why, "%s; %s", sp_status_text(reason), clock);
	live_reason(l, reason, &why);
	live_happens(l, happening, "%s: %s", words, l->row->reason_text);
}

void
send_refused(struct live *l, const struct sp_msg_refuse_letter *letter)
{
	const struct correspondent *to = recipient(l);
	enum sp_status reason = SP_E_REFUSED, st = SP_E_NOKEY;
	struct sp_why why = { "" };

	if (to != NULL)
		st = sp_refuse_open(letter->statement, letter->signature, &to->identity, &l->offer_hash, &reason, &why);
	if (st != SP_OK)
		send_fail(l, SP_E_REPLY, &why);
	else
		send_peer_ended(l, letter->statement, letter->signature, reason, SEND_ON_REFUSED, "refused");
}

static void
given_up(struct live *l, const struct sp_msg_cancel_letter *letter)
{
	const struct correspondent *to = recipient(l);
	enum sp_status reason = SP_E_CANCELLED, st = SP_E_NOKEY;
	struct sp_why why = { "" };

	if (to != NULL)
		st = sp_cancel_open(letter->statement, letter->signature, &to->identity, &l->offer_hash, &reason, &why);
	if (st != SP_OK)
		send_fail(l, SP_E_REPLY, &why);
	else
		send_peer_ended(l, letter->statement, letter->signature, reason, SEND_ON_PEER_CANCEL, SEND_GIVEN_UP_WORDS);
}

bool
send_take_done(struct live *l, struct sp_span statement, struct sp_span signature, struct post_in *in, struct sp_why *why)
{
	const struct correspondent *to = recipient(l);
	struct sp_stmt_offer offer;
	struct sp_stmt_done done;
	int on = l->row->klass == SP_RECEIPT_NONE ? SEND_ON_SETTLED : SEND_ON_DONE;

	if (to == NULL || sp_statement_read(SP_STMT_OFFER, sp_buf_span(&l->row->offer), &offer, why) != SP_OK ||
	    sp_done_open(statement, signature, &to->identity, &l->offer_hash, l->row->klass, offer.certds, &done,
	    why) != SP_OK)
		return false;
	if (!bytes_set(&l->row->done, statement) || !bytes_set(&l->row->done_signature, signature))
		return false;
	if (l->done_in != NULL)
		post_ignore(l->all->parts.post, l->done_in);
	l->done_in = in;
	live_unask(l);	/* an offer that is out says no more than this */
	live_no_reason(l);
	sp_buf_clear(&l->row->final);
	sp_buf_clear(&l->row->final_signature);
	if (l->row->state == SEND_SENDING) {
		l->settled_early = true;
		return true;
	}
	live_happens(l, on, NULL);
	return true;
}

void
send_settle_early(struct live *l)
{
	l->settled_early = false;
	live_happens(l, l->row->klass == SP_RECEIPT_NONE ? SEND_ON_SETTLED : SEND_ON_DONE, NULL);
}

void
send_answer_done(struct live *l)
{
	if (l->done_in == NULL)
		return;
	events_answer(l->all, l->done_in, SP_OK);
	l->done_in = NULL;
}

/* What answers an offer. */
static void
answered(struct live *l, const struct post_answer *answer)
{
	union {
		struct sp_msg_accept_letter accept;
		struct sp_msg_refuse_letter refuse;
		struct sp_msg_cancel_letter cancel;
		struct sp_msg_done_letter done;
		struct sp_msg_wait wait;
		struct sp_msg_answer plain;
	} m;
	struct sp_why why = { "" };
	const struct sp_desc *desc = sp_desc_msg(answer->type);

	if (desc == NULL || desc->size > sizeof(m) || sp_decode(desc, answer->body, &m, &why) != SP_OK) {
		send_fail(l, SP_E_REPLY, &why);
		return;
	}
	switch (answer->type) {
	case SP_MSG_ACCEPT_LETTER:
		accepted(l, answer, &m.accept);
		break;
	case SP_MSG_REFUSE_LETTER:
		send_refused(l, &m.refuse);
		break;
	case SP_MSG_CANCEL_LETTER:
		given_up(l, &m.cancel);
		break;
	case SP_MSG_DONE_LETTER:
		if (!send_take_done(l, m.done.statement, m.done.signature, NULL, &why))
			send_fail(l, SP_E_REPLY, &why);
		break;
	case SP_MSG_WAIT:
		send_told_to_wait(l, sp_status_from_number(m.wait.reason), m.wait.not_before_ms);
		break;
	case SP_MSG_ANSWER:
		send_fail(l, m.plain.status != 0 ? sp_status_from_number(m.plain.status) : SP_E_REPLY, NULL);
		break;
	default:
		send_fail(l, SP_E_REPLY, NULL);
	}
	sp_wipe(&m, sizeof(m));
}

static void
offer_answered(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct live *l = arg;

	l->letter = 0;
	l->offered_ms = st == SP_OK ? sp_clock_boot_ms() : 0;
	if (st != SP_OK)
		send_attempt_failed(l, st == SP_E_TIMEOUT ? SP_E_CONNECT : st, why);
	else
		answered(l, answer);
}

void
send_offer(struct live *l)
{
	uint8_t salt[SP_TITLE_SALT];
	struct sp_msg_offer_letter msg = {
		.statement = sp_buf_span(&l->row->offer),
		.signature = sp_buf_span(&l->row->offer_signature),
		.title = sp_span_str(l->row->title),
		.title_salt = sp_span(salt, sizeof(salt)),
	};

	if (data_pool_is_full(l->all->pool)) {
		send_wait_turn(l);
		return;
	}
	title_salt(l, salt);
	if (!live_ask(l, false, SP_MSG_OFFER_LETTER, &msg, offer_answered))
		send_fail(l, SP_E_NOMEM, NULL);
}

/* ---- letters that come by themselves ---- */
static void
on_done(void *arg, struct post_in *in)
{
	struct events *e = arg;
	struct sp_msg_done_letter m;
	struct sp_stmt_done done;
	struct sp_why why = { "" };
	struct live *l;

	if (sp_decode(sp_desc_msg(SP_MSG_DONE_LETTER), in->body, &m, &why) != SP_OK ||
	    sp_statement_read(SP_STMT_DONE, m.statement, &done, &why) != SP_OK) {
		sp_log_fail(SP_LOG_INFO, "done-refused", SP_E_FORMAT, &why);
		post_ignore(e->parts.post, in);
		return;
	}
	l = live_by_offer(e, EVENT_SEND, &done.offer, &in->from_cert);
	if (l == NULL) {
		send_done_late(e, &m, in);
	} else if (l->saving || l->moving != NULL) {
		post_ignore(e->parts.post, in);		/* it comes again when we can take it */
	} else if (l->row->done.len > 0 && l->row->state != SEND_SENDING) {
		events_answer(e, in, SP_OK);		/* it is on the disk */
	} else if (l->row->state != SEND_SENDING && !live_heeds(l, SEND_ON_DONE)) {
		post_ignore(e->parts.post, in);
	} else if (!send_take_done(l, m.statement, m.signature, in, &why)) {
		sp_log_fail(SP_LOG_WARN, "done-refused", SP_E_SIGNATURE, &why);
		events_answer(e, in, SP_E_SIGNATURE);
	}
}

void
send_start(struct events *e)
{
	post_on(e->parts.post, SP_MSG_DONE_LETTER, on_done, e);
	send_postmark_start(e);
	send_again_start(e);
}
