/*
 * press_choice.c - stretches of the packet are measured; the way that was not chosen is tried for a stretch now and then, more
 * and more rarely as long as it is no better.
 */
#include "peerd/data/press_choice.h"

static void
begin(struct press_choice *c, uint64_t at, uint64_t now_ms)
{
	c->from = at;
	c->since_ms = now_ms;
	c->turns = c->held_up = 0;
}

/* The other way was tried: it must be clearly better to be kept. */
static void
tried(struct press_choice *c, uint64_t at)
{
	bool better = c->rate[c->raw] > c->rate[!c->raw] + c->rate[!c->raw] / 8;

	c->trying = false;
	if (!better)
		c->raw = !c->raw;
	if (better || c->spacing == 0)
		c->spacing = PRESS_AGAIN;
	else if (c->spacing < PRESS_AGAIN_MAX)
		c->spacing *= 2;
	c->next = at + c->spacing;
}

void
press_choice_turn(struct press_choice *c, uint64_t at, uint64_t now_ms, bool held_up)
{
	if (c->since_ms == 0) {
		begin(c, at, now_ms);
		return;
	}
	c->turns++;
	c->held_up += held_up;
	if (at - c->from < PRESS_STRETCH || now_ms - c->since_ms < PRESS_STRETCH_MS)
		return;
	c->rate[c->raw] = (at - c->from) * 1000 / (now_ms - c->since_ms);
	if (c->trying) {
		tried(c, at);
	} else if (c->next == 0 && c->held_up * 2 >= c->turns) {
		/* held up while less was sent than there is: as it is, it would hardly be faster */
		c->spacing = PRESS_AGAIN;
		c->next = at + c->spacing;
	} else if (at >= c->next) {
		c->trying = true;
		c->raw = !c->raw;
	}
	begin(c, at, now_ms);
}
