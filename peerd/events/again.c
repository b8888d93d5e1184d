/*
 * again.c - a sending that waits for its recipient: until it may offer again by itself, the recipient says AGAIN, or anything
 * is heard of it.
 */
#include "peerd/events/send.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/crypto/rand.h"

#define ROOM_MS 5000	/* before the next offer when a disk or the descriptors were used up */
#define AGAIN_MS 1000	/* however often it is asked for */

/* The next offer's time, for the next save. What the recipient says is followed within the event's life. */
static uint64_t
set_due(struct live *l, uint64_t not_before_ms)
{
	uint64_t now = sp_clock_wall_ms(), ms;

	if (not_before_ms > now) {
		ms = not_before_ms - now + sp_random_below(SP_ATTEMPT_MIN_MS);
	} else {
		ms = sp_backoff_ms(l->waits++, SP_WAIT_FIRST_MS, SP_WAIT_MOST_MS);
		ms = ms - ms / 4 + sp_random_below(ms / 2);
	}
	l->row->due_ms = l->row->until_ms > now && ms > l->row->until_ms - now ? l->row->until_ms : now + ms;
	return l->row->due_ms - now;
}

static const char *
span_text(uint64_t ms, char out[32])
{
	uint64_t s = (ms + 999) / 1000;

	if (s < 120)
		snprintf(out, 32, "%u s", (unsigned)s);
	else
		snprintf(out, 32, "%u min", (unsigned)((s + 30) / 60));
	return out;
}

void
send_told_to_wait(struct live *l, enum sp_status reason, uint64_t not_before_ms)
{
	char span[32];

	l->row->attempts = 0;
	live_no_reason(l);
	live_happens(l, SEND_ON_ASKED_TO_WAIT, "the recipient asks to wait: %s; next try in %s", sp_status_text(reason),
	    span_text(set_due(l, not_before_ms), span));
}

void
send_wait_turn(struct live *l)
{
	uint64_t now = sp_clock_wall_ms();

	l->row->due_ms = now + SP_ATTEMPT_MIN_MS + sp_random_below(SP_ATTEMPT_MIN_MS);
	live_happens(l, SEND_ON_ASKED_TO_WAIT, "waits its turn: as many transfers as this station can have are under way");
}

void
send_no_room(struct live *l, enum sp_status st, const struct sp_why *why)
{
	l->row->attempts = 0;
	l->row->due_ms = sp_clock_wall_ms() + ROOM_MS;
	live_happens(l, SEND_ON_ASKED_TO_WAIT, "waits for room: %s; next try in %u s",
	    why->text[0] != 0 ? why->text : sp_status_text(st), ROOM_MS / 1000);
}

void
send_away(struct live *l, const char *words)
{
	char span[32];

	l->row->attempts = l->row->breaks = 0;
	live_happens(l, SEND_ON_AWAY, "waits until the recipient is there (%s); next try in %s", words,
	    span_text(set_due(l, 0), span));
}

void
send_wait(struct live *l)
{
	uint64_t now = sp_clock_wall_ms();
	struct sp_why why;

	if (sp_clock_sure_ms() >= l->row->until_ms)
		send_fail(l, sp_fail(SP_E_TIMEOUT, &why, "the recipient did not take it in time"), &why);
	else if (l->row->due_ms <= now)
		live_timer(l, 0, SEND_ON_TIMER);
	else if (l->row->due_ms - now <= SP_WAIT_MOST_MS + SP_WAIT_MOST_MS / 4)
		live_timer(l, l->row->due_ms - now, SEND_ON_TIMER);
	else	/* whoever said so, or a clock that was set back: to be asked again does no harm */
		live_timer(l, SP_WAIT_MOST_MS, SEND_ON_TIMER);
}

/* What is due later is due then; not worth a save. */
static void
sooner(struct live *l, uint64_t ms, int happening)
{
	uint64_t now = sp_clock_wall_ms();

	if (l->row->due_ms <= now + ms)
		return;
	l->row->due_ms = now + ms;
	live_timer(l, ms, happening);
}

/* At once if it was not there before; whoever told us to wait is not asked all the time. */
void
send_wait_less(struct live *l)
{
	uint64_t since = sp_clock_boot_ms() - l->offered_ms;
	uint64_t rest = l->offered_ms == 0 || since >= SP_WAIT_HEARD_MS ? 0 : SP_WAIT_HEARD_MS - since;

	if (rest == 0)
		live_happens(l, SEND_ON_TIMER, "the recipient is heard of: offered again");
	else
		sooner(l, rest, SEND_ON_TIMER);
}

static void
on_again(void *arg, struct post_in *in)
{
	struct events *e = arg;
	struct sp_msg_again m;
	struct live *l = NULL;
	enum sp_status st = sp_decode(sp_desc_msg(SP_MSG_AGAIN), in->body, &m, NULL);

	if (st == SP_OK && (l = live_by_offer(e, EVENT_SEND, &m.offer, &in->from_cert)) == NULL)
		st = SP_E_NOTFOUND;
	if (st == SP_OK && !sp_id_eq(&l->row->id, &m.transfer))
		st = SP_E_MISMATCH;
	if (st == SP_OK && (l->saving || l->moving != NULL)) {
		post_ignore(e->parts.post, in);		/* it comes again when we can take it */
		return;
	}
	events_answer(e, in, st);
	if (st != SP_OK || l->row->state != SEND_WAITING)
		return;		/* gone, or on its way already */
	if (sp_clock_boot_ms() - l->offered_ms < AGAIN_MS)
		sooner(l, AGAIN_MS, SEND_ON_AGAIN);
	else
		live_happens(l, SEND_ON_AGAIN, "the recipient can take it now");
}

void
send_again_start(struct events *e)
{
	post_on(e->parts.post, SP_MSG_AGAIN, on_again, e);
}
