/*
 * receive_offer.c - offers: who may send what, and the answer – ACCEPT with a port, key and token of its own each time, WAIT,
 * REFUSE, or how an earlier delivery of the same transfer ended.
 */
#include "peerd/events/receive.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/rand.h"

#define STRANGERS_A_MINUTE 10	/* refusals of strangers that are kept in the log; the others are counted */
#define WAIT_FOR_US_MS 2000
#define WAIT_FOR_ROOM_MS (10 * 1000)	/* on the disk */
#define ROSTER_WAIT_MS (10 * 1000)	/* for keyd's answer */

/* An offer while it is looked at; the letter's bytes live as long as in. */
struct asking {
	struct events *all;
	struct post_in *in;
	struct sp_stmt_offer offer;
	struct sp_msg_offer_letter letter;
	struct sp_hash hash;
	bool in_book;
};

static void
reply_refuse(struct events *e, struct post_in *in, struct sp_span statement, struct sp_span signature)
{
	struct sp_msg_refuse_letter m = { .statement = statement, .signature = signature };

	post_reply(e->parts.post, in, SP_MSG_REFUSE_LETTER, &m);
}

/* For how long a person thinks it over nobody can say. */
static void
reply_wait(struct events *e, struct post_in *in, enum sp_status reason)
{
	struct sp_msg_wait m = { .reason = (uint16_t)reason,
		.not_before_ms = reason == SP_E_ASKED ? 0 :
		sp_clock_wall_ms() + (reason == SP_E_SPACE ? WAIT_FOR_ROOM_MS : WAIT_FOR_US_MS) };

	post_reply(e->parts.post, in, SP_MSG_WAIT, &m);
}

static char *
copy_text(struct sp_span s)
{
	return strndup(s.p != NULL ? (const char *)s.p : "", s.n);
}

static struct event_row *
row_of(const struct asking *a)
{
	struct event_row *row = event_row_new();
	uint64_t now = sp_clock_wall_ms();

	if (row == NULL)
		return NULL;
	row->id = a->offer.transfer;
	row->kind = EVENT_RECEIVE;
	row->state = a->all->conf.ask ? RECEIVE_ASKED : RECEIVE_ALLOWED;
	row->created_ms = now;
	row->until_ms = now + a->all->conf.life_ms;
	row->peer = strdup(a->in->from_name);
	row->title = copy_text(a->letter.title);
	row->klass = a->offer.klass;
	row->price = a->offer.price;
	row->files = a->offer.files;
	row->bytes = a->offer.bytes;
	row->packet = a->offer.packet;
	if (row->peer == NULL || row->title == NULL || !bytes_set(&row->offer, a->letter.statement) ||
	    !bytes_set(&row->cert, sp_buf_span(&a->in->from->cert)) || !bytes_set(&row->offer_signature, a->letter.signature)) {
		event_row_free(row);
		return NULL;
	}
	return row;
}

enum sp_status
receive_sign_refuse(struct events *e, struct event_row *row, const struct sp_hash *offer, enum sp_status reason)
{
	struct sp_stmt_refuse refuse = { .offer = *offer, .reason = (uint16_t)reason };
	uint8_t signature[SP_SIGNATURE];
	enum sp_status st;

	sp_buf_clear(&row->final);
	st = sp_statement_sign(SP_STMT_REFUSE, &refuse, member_key(e->parts.station), &row->final, signature, NULL, NULL);
	if (st == SP_OK && !bytes_set(&row->final_signature, sp_span(signature, sizeof(signature))))
		st = SP_E_NOMEM;
	return st;
}

/* Can its receipt be had here? SP_E_BUSY: perhaps, when the new roster has come. */
static enum sp_status
judge_class(const struct asking *a)
{
	struct events *e = a->all;

	if (a->offer.klass == SP_RECEIPT_NONE || a->offer.klass == SP_RECEIPT_DIRECT)
		return SP_OK;
	if (a->offer.klass != SP_RECEIPT_POSTMARKED || a->offer.certds.n == 0)
		return SP_E_CLASS;
	if (events_know_certd(e))
		return SP_OK;
	events_refresh(e);
	return sp_clock_boot_ms() - e->roster_ms < ROSTER_WAIT_MS ? SP_E_BUSY : SP_E_CLASS;
}

/* The criteria of acceptance; SP_OK = wanted, SP_E_BUSY = not known yet. */
static enum sp_status
judge(const struct asking *a)
{
	enum sp_status st;

	if (!a->in_book)
		return SP_E_NOTINBOOK;
	if (a->all->conf.bytes_max > 0 && a->offer.bytes > a->all->conf.bytes_max)
		return SP_E_LIMIT;
	if ((st = judge_class(a)) != SP_OK)
		return st;
	if (a->offer.price == 0 && receive_is_due(a->all, a->offer.bytes))
		return SP_E_UNPAID;
	return SP_OK;
}

enum sp_status
receive_order(const struct live *l, struct data_receive_order *ret_order, struct sp_why *why)
{
	struct events *e = l->all;
	struct sp_stmt_offer offer;
	struct data_receive_order order = {
		.transfer = l->row->id,
		.generation = l->generation,
		.offer = l->offer_hash,
		.received = e->conf.received,
		.keep_links = e->conf.keep_links,
		.buffer = e->conf.resume_buffer,
	};
	enum sp_status st = sp_statement_read(SP_STMT_OFFER, sp_buf_span(&l->row->offer), &offer, why);

	if (st == SP_OK)
		st = sp_name_parse(sp_span_str(l->row->peer), &order.sender.name);
	if (st != SP_OK)
		return st;
	order.manifest = offer.manifest;
	order.manifest_length = offer.manifest_length;
	order.files = offer.files;
	order.bytes = offer.bytes;
	order.packet = offer.packet;
	*ret_order = order;
	return SP_OK;
}

/* Key, token and port for the next ACCEPT. */
static enum sp_status
reserve(struct live *l, const struct asking *a, struct sp_why *why)
{
	struct data_receive_order order;
	uint16_t port;
	enum sp_status st;

	if ((st = receive_order(l, &order, why)) != SP_OK || (st = sp_x25519_new(&order.one_time)) != SP_OK)
		return st;
	order.hold = l->row->frank.len == 0 && receive_is_due(l->all, a->offer.bytes);
	order.sender = a->in->from->identity;
	sp_random(order.token, sizeof(order.token));
	if ((st = data_reserve(l->all->pool, &order, &port, why)) == SP_OK) {
		l->own = (struct sp_accept){ .port = port };
		memcpy(l->own.key, order.one_time.public_key, sizeof(l->own.key));
		memcpy(l->own.token, order.token, sizeof(l->own.token));
	}
	sp_wipe(&order.one_time, sizeof(order.one_time));
	sp_wipe(order.token, sizeof(order.token));
	return st;
}

/* The signed ACCEPT with the next number and what is held. */
static enum sp_status
sign_accept(struct live *l, uint64_t held, struct sp_why *why)
{
	uint8_t signature[SP_SIGNATURE];
	enum sp_status st;

	l->own.number = ++l->row->accept_number;
	l->own.held[0] = (struct sp_range){ 0, held };
	l->own.held_count = held > 0;
	sp_buf_clear(&l->row->accept);
	st = sp_accept_sign(&l->own, &l->offer_hash, member_key(l->all->parts.station), &l->row->accept, signature,
	    &l->accept_hash, why);
	if (st == SP_OK && !bytes_set(&l->row->accept_signature, sp_span(signature, sizeof(signature))))
		st = SP_E_NOMEM;
	return st;
}

void
receive_reserved(struct live *l, uint64_t held)
{
	struct sp_why why = { "" };
	enum sp_status st = sign_accept(l, held, &why);

	l->reserving = false;
	l->row->done_bytes = held;
	if (st != SP_OK)
		receive_fail(l, st, &why);
	else if (held > 0)
		live_happens(l, RECEIVE_ON_OFFERED, "goes on: %llu of %llu bytes are here", (unsigned long long)held,
		    (unsigned long long)l->row->packet);
	else
		live_happens(l, RECEIVE_ON_OFFERED, NULL);
}

/* The letter that is answered when all is ready; an earlier one is not. */
static void
wait_with(struct live *l, struct post_in *in)
{
	if (l->offer_in != NULL)
		post_ignore(l->all->parts.post, l->offer_in);
	l->offer_in = in;
}

void
receive_not_now(struct live *l, struct post_in *in, enum sp_status st)
{
	if (in != NULL)
		reply_wait(l->all, in, st);
	if (!l->kept)
		live_free(l);
	else if (l->row->state == RECEIVE_RECEIVING)
		live_happens(l, RECEIVE_ON_BROKEN, NULL);
	else
		receive_await(l);
}

/* The offer is wanted: by a new event or by one that was interrupted. */
static void
take(struct live *l, const struct asking *a)
{
	struct sp_why why = { "" };
	enum sp_status st;

	live_quiet(l);	/* an older accept is void, and its connections end */
	st = reserve(l, a, &why);
	if (st != SP_OK && sp_status_class(st) == SP_CLASS_RETRY) {
		receive_not_now(l, a->in, st);
		return;
	}
	wait_with(l, a->in);
	l->reserving = st == SP_OK;	/* what is held, and whether there is room, the data thread says */
	if (st != SP_OK)
		receive_fail(l, st, &why);
}

void
receive_accept(struct live *l)
{
	struct sp_msg_accept_letter m = {
		.statement = sp_buf_span(&l->row->accept),
		.signature = sp_buf_span(&l->row->accept_signature),
		.token = sp_span(l->own.token, sizeof(l->own.token)),
	};
	enum sp_status st = data_start(l->all->pool, &l->row->id, l->generation, &l->accept_hash);

	if (st != SP_OK) {
		receive_fail(l, st, NULL);
		return;
	}
	if (l->offer_in != NULL)
		post_reply(l->all->parts.post, l->offer_in, SP_MSG_ACCEPT_LETTER, &m);
	l->offer_in = NULL;
	sp_wipe(&l->own, sizeof(l->own));
}

void
receive_refuse(struct live *l)
{
	if (l->offer_in != NULL)
		reply_refuse(l->all, l->offer_in, sp_buf_span(&l->row->final), sp_buf_span(&l->row->final_signature));
	l->offer_in = NULL;
}

void
receive_ask_to_wait(struct live *l)
{
	if (l->offer_in != NULL)
		reply_wait(l->all, l->offer_in, l->row->state == RECEIVE_ASKED ? SP_E_ASKED : SP_E_BUSY);
	l->offer_in = NULL;
}

/* row->final is signed. */
static void
turn_down(struct live *l, struct post_in *in, enum sp_status reason)
{
	l->offer_in = in;
	live_reason(l, reason, NULL);
	live_happens(l, RECEIVE_ON_UNWANTED, "refused: %s", sp_status_text(reason));
}

void
receive_turn_down(struct live *l, struct post_in *in, enum sp_status reason)
{
	if (l->offer_in != NULL)
		post_ignore(l->all->parts.post, l->offer_in);
	l->offer_in = NULL;
	if (receive_sign_refuse(l->all, l->row, &l->offer_hash, reason) == SP_OK) {
		/* in the sender's words it is no failure: it asks, and gets the signed refusal */
		data_abort(l->all->pool, &l->row->id, false, SP_E_UNPAID);
		live_quiet(l);
		turn_down(l, in, reason);
	} else if (in != NULL) {
		post_ignore(l->all->parts.post, in);
	}
}

/* An earlier receiving of the same offer that ended without our signature may begin again: the sender tries once more. */
static struct event_row *
row_again(const struct asking *a, const struct event_row *known)
{
	struct event_row *row;

	if ((known->state != RECEIVE_FAILED && known->state != RECEIVE_CANCELLED) || known->final.len > 0 ||
	    !sp_span_eq(sp_buf_span(&known->offer), a->letter.statement) || (row = event_row_copy(known)) == NULL)
		return NULL;
	row->state = a->all->conf.ask ? RECEIVE_ASKED : RECEIVE_ALLOWED;
	row->ended = row->unread = false;
	row->until_ms = sp_clock_wall_ms() + a->all->conf.life_ms;
	return row;
}

/* A good offer of a transfer that nothing is under way for. row: of an earlier time (taken), or NULL. */
static void
first_offer(struct asking *a, struct event_row *row)
{
	struct events *e = a->all;
	enum sp_status reason = judge(a);
	bool again = row != NULL;
	struct live *l;

	if (reason == SP_E_BUSY) {
		event_row_free(row);
		reply_wait(e, a->in, SP_E_BUSY);
		return;
	}
	if (!again)
		row = row_of(a);
	if (row == NULL || (reason != SP_OK && receive_sign_refuse(e, row, &a->hash, reason) != SP_OK)) {
		event_row_free(row);
		post_ignore(e->parts.post, a->in);
		return;
	}
	if (reason != SP_OK && !a->in_book && !sp_minute_allows(&e->refusals, STRANGERS_A_MINUTE)) {
		reply_refuse(e, a->in, sp_buf_span(&row->final), sp_buf_span(&row->final_signature));
		event_row_free(row);
		return;
	}
	l = live_new(e, row);
	if (l == NULL) {
		post_ignore(e->parts.post, a->in);
		return;
	}
	live_no_reason(l);
	live_peer(l, &a->in->from_cert);
	if (reason != SP_OK) {
		turn_down(l, a->in, reason);
	} else if (row->state == RECEIVE_ASKED) {
		l->offer_in = a->in;
		live_happens(l, RECEIVE_ON_ASK, NULL);
	} else {
		take(l, a);
	}
}

/* The store has looked: an event of this transfer may have ended long ago. */
static void
looked_up(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct asking *a = arg;
	struct events *e = a->all;
	const struct event_row *known = NULL;
	struct event_row *again = NULL;

	for (size_t i = 0; st == SP_OK && i < count; i++)
		if (rows[i]->kind == EVENT_RECEIVE && strcmp(rows[i]->peer, a->in->from_name) == 0)
			known = rows[i];
	a->in->from = book_by_cert(e->parts.book, &a->in->from_cert);
	if (st != SP_OK || a->in->from == NULL ||
	    live_find(e, &a->offer.transfer, EVENT_RECEIVE, a->in->from_name) != NULL)
		post_ignore(e->parts.post, a->in);	/* asked twice at once: the next letter finds the event */
	else if (known != NULL && (again = row_again(a, known)) == NULL)
		receive_reply_ended(e, known, a->in);
	else
		first_offer(a, again);
	event_rows_free(rows, count);
	free(a);
}

/* Again, for an event that is pending. It is judged again: the book may be another one since. */
static void
next_offer(struct live *l, struct asking *a)
{
	bool same = sp_hash_eq(&l->offer_hash, &a->hash);
	enum sp_status reason = judge(a);

	if (!same || l->saving || l->moving != NULL || !live_heeds(l, RECEIVE_ON_OFFERED)) {
		post_ignore(l->all->parts.post, a->in);
		return;
	}
	if (l->row->state == RECEIVE_ASKED && reason != SP_OK && reason != SP_E_BUSY) {
		receive_turn_down(l, a->in, reason);
		return;
	}
	if (l->row->state == RECEIVE_RECEIVING || l->row->state == RECEIVE_INTERRUPTED || l->row->state == RECEIVE_ALLOWED) {
		if (reason == SP_OK && l->reserving)
			wait_with(l, a->in);
		else if (reason == SP_OK)
			take(l, a);
		else if (reason == SP_E_BUSY)
			reply_wait(l->all, a->in, SP_E_BUSY);
		else
			receive_turn_down(l, a->in, reason);
		return;
	}
	wait_with(l, a->in);
	live_happens(l, RECEIVE_ON_OFFERED, NULL);
}

static void
on_offer(void *arg, struct post_in *in)
{
	struct events *e = arg;
	struct asking *a = calloc(1, sizeof(*a));
	struct sp_why why = { "" };
	char id[SP_ID_TEXT];
	enum sp_status st = a != NULL ? SP_OK : SP_E_NOMEM;
	struct live *l;

	if (st == SP_OK) {
		a->all = e;
		a->in = in;
		a->in_book = in->from->in_book;
		st = sp_decode(sp_desc_msg(SP_MSG_OFFER_LETTER), in->body, &a->letter, &why);
	}
	if (st == SP_OK)
		st = sp_offer_open(&a->letter, in->from->identity.letter_key, &in->from->identity,
		    member_identity(e->parts.station), &a->offer, &a->hash, &why);
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_INFO, "offer-refused", st, &why);
		events_answer(e, in, st);	/* malformed: a plain no, the exchange ends */
		free(a);
		return;
	}
	l = live_find(e, &a->offer.transfer, EVENT_RECEIVE, in->from_name);
	if (l != NULL) {
		next_offer(l, a);
		free(a);
	} else if (live_find(e, &a->offer.transfer, EVENT_RECEIVE, NULL) != NULL) {
		reply_wait(e, in, SP_E_BUSY);	/* somebody else's transfer has this id: never one folder for two */
		free(a);
	} else if (store_event_find(e->parts.store, sp_id_text(&a->offer.transfer, id), looked_up, a) != SP_OK) {
		reply_wait(e, in, SP_E_FULL);
		free(a);
	}
}

void
receive_offer_start(struct events *e)
{
	post_on(e->parts.post, SP_MSG_OFFER_LETTER, on_offer, e);
}
