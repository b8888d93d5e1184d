/*
 * receive.c - the recipient's machine, what the data threads say, and how a receiving ends.
 */
#include "peerd/events/cancel.h"
#include "peerd/events/receive.h"

#include "common/base/clock.h"
#include "common/base/log.h"

void
receive_fail(struct live *l, enum sp_status st, const struct sp_why *why)
{
	live_reason(l, st, why);
	live_sign_cancel(l, st);
	live_happens(l, RECEIVE_ON_FAILURE, "failed: %s", l->row->reason_text);
}

/* The sender comes back by itself, and goes on where it was. */
void
receive_await(struct live *l)
{
	uint64_t now = sp_clock_sure_ms();

	live_timer(l, l->row->until_ms > now ? l->row->until_ms - now : 0, RECEIVE_ON_EXPIRED);
}

/* The user is to decide; the sender waits for that. */
static void
receive_ask(struct live *l)
{
	receive_ask_to_wait(l);
	receive_await(l);
}

static void
discard(struct live *l)
{
	char id[SP_ID_TEXT];

	live_quiet(l);
	data_result_free(l->result);
	l->result = NULL;
	events_discard(l->all, sp_id_text(&l->row->id, id));
}

static void
fail(struct live *l)
{
	discard(l);
	live_send_cancel(l);
}

static void
cancel(struct live *l)
{
	discard(l);
	live_send_cancel(l);
}

static void
drop(struct live *l)
{
	discard(l);
}

/* Accepted once, unwanted now: taken out of the book since. */
static void
turn_away(struct live *l)
{
	discard(l);
	receive_refuse(l);
}

/* files.txt stays: the sender may ask for it again. */
static void
end(struct live *l)
{
	(void)l;
}

/* No connection was to come yet: the offer's letter is answered. */
static void
unreserved(struct live *l, enum sp_status st)
{
	struct post_in *in = sp_take(&l->offer_in);

	l->reserving = false;
	if (st == SP_E_LIMIT) {		/* it would never have room */
		receive_turn_down(l, in, st);
		return;
	}
	if (!sp_status_no_room(st) && in != NULL)
		post_ignore(l->all->parts.post, sp_take(&in));	/* it comes again */
	receive_not_now(l, in, st);
}

static void
broken(struct live *l, struct data_happening *h)
{
	char id[SP_ID_TEXT];
	const char *text = h->why.text[0] != 0 ? h->why.text : sp_status_text(h->status);

	l->row->done_bytes = h->bytes;
	sp_log(SP_LOG_INFO, "data-broken", "transfer=%s received_from=%llu to=%llu status=%s", sp_id_text(&l->row->id, id),
	    (unsigned long long)h->from, (unsigned long long)h->bytes, sp_status_name(h->status));
	if (l->reserving) {
		unreserved(l, h->status);
		return;
	}
	if (sp_status_class(h->status) == SP_CLASS_RETRY) {
		live_happens(l, RECEIVE_ON_BROKEN, "receive error: %s; %llu of %llu bytes are here, waits for the sender", text,
		    (unsigned long long)h->bytes, (unsigned long long)l->row->packet);
		return;
	}
	if (h->status == SP_E_CANCELLED) {	/* its letter says the same */
		live_reason(l, h->status, NULL);
		live_happens(l, RECEIVE_ON_PEER_CANCEL, "given up by the sender");
	} else if (h->status == SP_E_UNPAID)
		receive_turn_down(l, NULL, SP_E_UNPAID);
	else
		receive_fail(l, h->status, &h->why);
}

void
receive_data(struct live *l, struct data_happening *h)
{
	switch (h->what) {
	case DATA_WALKED:
	case DATA_CONNECTED:
		break;
	case DATA_RESERVED:
		if (l->reserving)
			receive_reserved(l, h->bytes);
		break;
	case DATA_PROGRESS:
		l->row->done_bytes = h->bytes;
		live_observe(l, NULL);
		break;
	case DATA_FINISHED:
		data_result_free(l->result);
		l->result = sp_take(&h->result);
		l->row->done_bytes = l->row->packet;
		l->row->trailer = l->result->trailer_hash;
		l->row->files_hash = l->result->files_hash;
		live_note(l, sp_buf_span(&l->result->notes));
		live_happens(l, RECEIVE_ON_CHECKED, NULL);
		break;
	case DATA_BROKEN:
		broken(l, h);
		break;
	}
}

void
receive_start(struct events *e)
{
	receive_offer_start(e);
	receive_letters_start(e);
	receive_frank_start(e);
}

#define accept receive_accept
#define await receive_await
#define ask receive_ask
#define call receive_call
#define call_refused receive_call_refused
#define tell_soon receive_tell_soon
#define refuse receive_refuse
#define ask_to_wait receive_ask_to_wait
#define release receive_release
#define sync receive_sync
#define move receive_move
#define tell receive_tell
#define tell_later receive_tell_later
#define answer_done receive_answer_done

#define TABLE_DEF "peerd/events/receive.def"
#define TABLE_NAME "receive"
#define TABLE_MACHINE receive_machine
#define TABLE_ENDING NULL
#define TABLE_HEARD RECEIVE_ON_HEARD
#define TABLE_STATE(NAME) RECEIVE_##NAME
#define TABLE_ON(NAME) RECEIVE_ON_##NAME
#include "peerd/events/table.inc"
