/*
 * hand_in.c - a recipient's proofs on their way to the services: the receipt to a certd, for a postmark that settles the frank,
 * too; or, in the classes without postmark, the frank with DONE to a creditd. Each try is a request of its own: what makes it
 * happen once is the transfer that it is about. The receiving gets the result noted when it comes.
 */
#include "peerd/events/hand_in.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "peerd/events/receipts.h"

#define FIRST_MS 2000
#define MOST_MS (10 * 60 * 1000)

/* ---- making one ---- */

/* 0: nothing is to be handed in. */
static enum event_kind
kind_for(const struct event_row *row)
{
	if (row->klass == SP_RECEIPT_POSTMARKED)
		return EVENT_POSTMARK;
	return row->frank.len > 0 ? EVENT_LODGE : 0;
}

static struct event_row *
make_row(const struct event_row *from, enum event_kind kind)
{
	SP_AUTO(event_row) *row = event_row_new();
	uint64_t now = sp_clock_wall_ms();

	if (row == NULL)
		return NULL;
	row->id = from->id;
	row->kind = kind;
	row->state = HAND_IN_PENDING;
	row->created_ms = now;
	row->until_ms = now + SP_POSTMARK_LIFE_MS;
	row->klass = from->klass;
	row->price = from->price;
	row->files = from->files;
	row->bytes = from->bytes;
	if (!text_set(&row->peer, from->peer) || !text_set(&row->title, from->title) ||
	    !bytes_set(&row->offer, sp_buf_span(&from->offer)) ||
	    !bytes_set(&row->offer_signature, sp_buf_span(&from->offer_signature)) ||
	    !bytes_set(&row->frank, sp_buf_span(&from->frank)) ||
	    !bytes_set(&row->frank_signature, sp_buf_span(&from->frank_signature)) ||
	    !bytes_set(&row->done, sp_buf_span(&from->done)) ||
	    !bytes_set(&row->done_signature, sp_buf_span(&from->done_signature)) ||
	    !bytes_set(&row->receipt_p7m, sp_buf_span(&from->receipt_p7m)) ||
	    !bytes_set(&row->cert, sp_buf_span(&from->cert)))
		return NULL;
	return sp_take(&row);
}

bool
hand_in(struct live *received)
{
	const struct event_row *from = received->row;
	enum event_kind kind = kind_for(from);
	struct event_row *row;
	struct live *l;

	/* a payment is noted with the answer: it was handed in before this start */
	if (kind == 0 || received->handed_in || from->payment != 0 ||
	    live_find(received->all, &from->id, kind, from->peer) != NULL)
		return true;
	if ((row = make_row(from, kind)) == NULL || (l = live_new(received->all, row)) == NULL ||
	    !live_begin(l, HAND_IN_ON_RESTART, kind == EVENT_POSTMARK ? "the receipt is to be postmarked" :
	    "the frank is to be lodged"))
		return false;
	received->handed_in = true;
	return true;
}

/* ---- what comes of it ---- */

/* The receiving's own entry shows it, pending or ended. */
static bool
note_in_receiving(struct live *l, const char *words)
{
	struct event_row *row = l->row;
	struct live *received = live_find(l->all, &row->id, EVENT_RECEIVE, row->peer);

	if (received != NULL) {
		received->row->payment = row->payment;
		(void)text_set(&received->row->receipt, row->receipt);
	}
	return store_event_payment(l->all->parts.store, row, EVENT_RECEIVE, words) == SP_OK;
}

static void
not_now(struct live *l, enum sp_status st, const struct sp_why *why)
{
	sp_log_fail(SP_LOG_INFO, "not-handed-in", st, why);
	live_reason(l, st, why);
	if (st != SP_E_BUSY)
		events_refresh(l->all);
	live_happens(l, HAND_IN_ON_LATE, NULL);
}

/* It was said what became of it. */
static void
finish(struct live *l, int happening, const char *words)
{
	if (note_in_receiving(l, words))
		live_happens(l, happening, "%s", words);
	else
		not_now(l, SP_E_FULL, NULL);
}

/* Has the service spoken its last word on it? What may be a stale roster, a clock or an older program is no such word. */
static bool
is_final(const struct sp_answer *answer)
{
	static const enum sp_status last[] = { SP_E_ARGUMENT, SP_E_NOTFOUND, SP_E_FORMAT, SP_E_SIGNATURE, SP_E_ROLE,
		SP_E_MISMATCH, SP_E_REVOKED, SP_E_PERMISSION, SP_E_FRANK, SP_E_SPENT, SP_E_CONFLICT, SP_E_RECEIPT };

	for (size_t i = 0; answer->from_server && i < sizeof(last) / sizeof(last[0]); i++)
		if (answer->status == last[i])
			return true;
	return false;
}

static void
failed(struct live *l, const struct sp_answer *answer, enum sp_status st, const struct sp_why *why)
{
	char words[LIVE_WORDS];

	if (!is_final(answer)) {
		not_now(l, st, why);
		return;
	}
	live_reason(l, st, why);
	if (l->row->kind == EVENT_LODGE && (st == SP_E_SPENT || st == SP_E_CONFLICT))
		l->row->payment = SP_PAYMENT_CONFLICT;
	(void)snprintf(words, sizeof(words), l->row->kind == EVENT_POSTMARK ? "certd does not postmark the receipt: %s" :
	    "creditd does not settle the frank: %s", l->row->reason_text);
	finish(l, HAND_IN_ON_TURNED_DOWN, words);
}

static void
kept(struct live *l, enum sp_status st, const struct sp_why *why, const char *words)
{
	SP_AUTO_DONE(sp_buf) note = { 0 };

	if (sp_status_no_room(st)) {	/* certd gives the same again when there is room */
		not_now(l, st, why);
		return;
	}
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_WARN, "copy-not-kept", st, why);
		sp_buf_addf(&note, "no copy of the postmarked receipt is kept here: %s", why->text[0] != 0 ? why->text :
		    sp_status_text(st));
		live_note(l, sp_buf_span(&note));
	}
	live_no_reason(l);
	finish(l, HAND_IN_ON_ANSWERED, words);
}

static void
postmark_answered(void *arg, const struct sp_answer *answer)
{
	struct live *l = arg;
	struct sp_why why = { "" };
	enum sp_status st;

	live_answered(l);
	if ((st = receipts_take(l, answer, kept, &why)) != SP_OK)
		failed(l, answer, st, &why);
}

static void
lodge_answered(void *arg, const struct sp_answer *answer)
{
	struct live *l = arg;
	struct sp_msg_ok ok;
	struct sp_why why = { "" };
	enum sp_status st;

	live_answered(l);
	if ((st = sp_answer_read(answer, SP_MSG_OK, &ok, &why)) != SP_OK) {
		failed(l, answer, st, &why);
		return;
	}
	l->row->payment = SP_PAYMENT_PAID;
	live_no_reason(l);
	finish(l, HAND_IN_ON_ANSWERED, "the frank is settled; payment: paid");
}

/* ---- actions ---- */
static void
ask(struct live *l)
{
	const struct event_row *row = l->row;
	const struct sp_msg_postmark postmark = { .receipt = sp_buf_span(&row->receipt_p7m), .offer = sp_buf_span(&row->offer),
		.offer_signature = sp_buf_span(&row->offer_signature), .frank = sp_buf_span(&row->frank),
		.frank_signature = sp_buf_span(&row->frank_signature), .sender_cert = sp_buf_span(&row->cert) };
	const struct sp_msg_lodge lodge = { .offer = sp_buf_span(&row->offer),
		.offer_signature = sp_buf_span(&row->offer_signature), .frank = sp_buf_span(&row->frank),
		.frank_signature = sp_buf_span(&row->frank_signature), .done = sp_buf_span(&row->done),
		.done_signature = sp_buf_span(&row->done_signature), .sender_cert = sp_buf_span(&row->cert) };
	struct sp_id id = sp_id_new();
	struct sp_why why = { "" };
	enum sp_status st;

	if (row->kind == EVENT_POSTMARK)
		st = live_request(l, SP_ROLE_CERTD, &id, SP_MSG_POSTMARK, &postmark, postmark_answered, &why);
	else
		st = live_request(l, SP_ROLE_CREDITD, &id, SP_MSG_LODGE, &lodge, lodge_answered, &why);
	if (st != SP_OK)
		not_now(l, st, &why);
}

static void
ask_later(struct live *l)
{
	if (sp_clock_sure_ms() < l->row->until_ms)
		live_timer_again(l, &l->asks, FIRST_MS, MOST_MS, HAND_IN_ON_TIMER);
	else
		live_happens(l, HAND_IN_ON_EXPIRED, "given up: %s", l->row->reason_text);
}

static void
end(struct live *l)
{
	(void)l;
}

#define TABLE_DEF "peerd/events/hand_in.def"
#define TABLE_NAME "postmark"
#define TABLE_MACHINE postmark_machine
#define TABLE_ENDING NULL
#define TABLE_STATE(NAME) HAND_IN_##NAME
#define TABLE_ON(NAME) HAND_IN_ON_##NAME
#include "peerd/events/table.inc"

const struct machine lodge_machine = TABLE_MACHINE_AS("lodge");
