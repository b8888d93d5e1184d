/*
 * send_frank.c - how a sender pays: the price reserved before the offer, the frank signed once the recipient accepts, the
 * serials spent with the delivery. Without a tariff nothing of it happens.
 */
#include "peerd/events/send.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"

static void reserve(struct live *l);

static void
wallet_known(void *arg, enum sp_status st, const struct sp_why *why)
{
	(void)st;
	(void)why;
	reserve(arg);	/* without creditd it goes on as far as sheets allow */
}

/* Before serials are reserved creditd is told what is spent: once after a start, for this may be a restored copy, and when the
 * wallet has got to the end of what may be spent without. false: no need. */
static bool
report_first(struct live *l, bool needed)
{
	if (!needed || l->reported || wallet_report(l->all->parts.wallet, wallet_known, l) != SP_OK)
		return false;
	l->reported = true;
	return true;
}

/* The database has no room now, or not for us: nothing is offered before it has. */
static void
not_now(struct live *l, enum sp_status st, const struct sp_why *why)
{
	const char *text = why != NULL && why->text[0] != 0 ? why->text : sp_status_text(st);
	char words[LIVE_WORDS];

	sp_log_fail(SP_LOG_WARN, "serials-not-reserved", st, why);
	snprintf(words, sizeof(words), "waits for room: %.150s", text);
	live_observe(l, words);
	send_walk_soon(l);
	live_next(l);
}

static void
reserved(void *arg, enum sp_status st, const struct sp_why *why, const struct wallet_spend *spend)
{
	struct live *l = arg;
	struct sp_why changed;

	live_go_on(l);
	if (report_first(l, st == SP_E_CREDITS)) {
		live_next(l);
		return;
	}
	if (st != SP_OK && sp_status_class(st) == SP_CLASS_RETRY) {
		not_now(l, st, why);
		return;
	}
	if (st != SP_OK) {
		send_fail(l, st, why);
		return;
	}
	l->frank = (struct sp_frank){ .sheet = spend->sheet->hash, .price = spend->price, .count = spend->count };
	memcpy(l->frank.serials, spend->ranges, sizeof(spend->ranges));
	wallet_spent(l->all->parts.wallet);
	if (l->row->offer.len == 0) {
		l->row->price = spend->price;
	} else if (l->row->price != spend->price) {	/* tried again, with another sheet than the first time */
		sp_fail(SP_E_CHANGED, &changed, "the price has changed since it was offered; send it anew");
		send_fail(l, SP_E_CHANGED, &changed);
		return;
	}
	send_walked(l);
}

static void
reserve(struct live *l)
{
	uint64_t bytes = sp_manifest_bytes(source_manifest(l->source));
	enum sp_status st;

	live_hold(l);
	st = store_serials_reserve(l->all->parts.store, &l->row->id, bytes, sp_clock_end_ms(), reserved, l);
	if (st != SP_OK) {
		live_go_on(l);
		not_now(l, st, NULL);
	}
}

void
send_price(struct live *l)
{
	const struct sp_tariff *tariff = member_tariff(l->all->parts.station);

	/* what was offered free of charge stays so */
	if (l->row->offer.len > 0 ? l->row->price == 0 : tariff->count == 0) {
		send_walked(l);
		return;
	}
	l->reported = false;
	if (!report_first(l, wallet_is_new(l->all->parts.wallet)))
		reserve(l);
}

/* One that is good for a while yet is sent as it is: the same bytes again. */
static bool
is_fresh(const struct live *l)
{
	struct sp_stmt_frank frank;

	return l->row->frank.len > 0 &&
	    sp_statement_read(SP_STMT_FRANK, sp_buf_span(&l->row->frank), &frank, NULL) == SP_OK &&
	    frank.valid_until_ms > sp_clock_end_ms() + SP_FRANK_LIFE_MS / 2;
}

static enum sp_status
sign(struct live *l, struct sp_why *why)
{
	uint8_t signature[SP_SIGNATURE];
	enum sp_status st;

	l->frank.offer = l->offer_hash;
	l->frank.recipient_cert = l->peer_cert;
	l->frank.bytes = l->row->bytes;
	l->frank.valid_until_ms = sp_clock_end_ms() + SP_FRANK_LIFE_MS;
	sp_buf_clear(&l->row->frank);
	st = sp_frank_sign(&l->frank, member_key(l->all->parts.station), &l->row->frank, signature, why);
	if (st == SP_OK && !bytes_set(&l->row->frank_signature, sp_span(signature, sizeof(signature))))
		st = SP_E_NOMEM;
	return st;
}

static void
go_on(struct live *l)
{
	if (send_held(l) > 0)
		live_happens(l, SEND_ON_ACCEPTED, "goes on after %llu of %llu bytes", (unsigned long long)send_held(l),
		    (unsigned long long)l->row->packet);
	else
		live_happens(l, SEND_ON_ACCEPTED, NULL);
}

/* The serials belong to this transfer and recipient for good: that is written before the frank is. */
static void
committed(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct live *l = arg;

	live_go_on(l);
	if (st != SP_OK && sp_status_class(st) == SP_CLASS_RETRY)
		send_no_room(l, st, why);
	else if (st != SP_OK)
		send_fail(l, st, why);
	else
		go_on(l);
}

void
send_make_frank(struct live *l)
{
	struct sp_why why = { "" };
	enum sp_status st;

	if (l->frank.price == 0 || is_fresh(l)) {
		go_on(l);
		return;
	}
	if ((st = sign(l, &why)) == SP_OK) {
		live_hold(l);
		st = store_serials_mark(l->all->parts.store, &l->row->id, SERIAL_FRANKED, committed, l);
		if (st != SP_OK)
			live_go_on(l);
	}
	if (st == SP_E_FULL)
		send_no_room(l, st, &why);
	else if (st != SP_OK)
		send_fail(l, st, &why);
}

/* Without a good answer the recipient breaks the connection, and the next offer says where it stands. */
static void
answered(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct live *l = arg;
	struct sp_msg_refuse_letter refuse;
	struct sp_msg_answer plain = { 0 };
	struct sp_why bad = { "" };

	l->letter = 0;
	if (st == SP_OK && answer->type == SP_MSG_REFUSE_LETTER) {
		if ((st = sp_decode(sp_desc_msg(SP_MSG_REFUSE_LETTER), answer->body, &refuse, &bad)) == SP_OK) {
			send_refused(l, &refuse);
			return;
		}
		why = &bad;
	} else if (st == SP_OK && answer->type != SP_MSG_ANSWER) {
		st = SP_E_REPLY;
	} else if (st == SP_OK && (st = sp_decode(sp_desc_msg(SP_MSG_ANSWER), answer->body, &plain, &bad)) == SP_OK) {
		st = sp_status_from_number(plain.status);
	}
	if (st != SP_OK)
		sp_log_fail(SP_LOG_INFO, "frank-unanswered", st, why);
}

void
send_frank(struct live *l)
{
	struct sp_msg_frank_letter msg = { .statement = sp_buf_span(&l->row->frank),
		.signature = sp_buf_span(&l->row->frank_signature) };

	if (l->row->frank.len > 0 && !live_ask(l, false, SP_MSG_FRANK_LETTER, &msg, answered))
		send_fail(l, SP_E_NOMEM, NULL);
}

void
send_spend(struct live *l)
{
	enum sp_status st = SP_OK;

	if (l->row->price > 0)
		st = store_serials_mark(l->all->parts.store, &l->row->id,
		    l->row->done.len > 0 ? SERIAL_SPENT : SERIAL_VOID, NULL, NULL);
	if (st != SP_OK)
		sp_log_fail(SP_LOG_WARN, "serials-not-marked", st, NULL);	/* the next start does it */
}
