/*
 * wire.c - delay, rate and queue, loss, doubling, reordering. The queue is not kept: the time when it will be empty says how long it is,
 * so a packet's arrival is known when it enters. A changed rate holds for what enters from then on.
 */
#include "tests/link/wire.h"

#include <netinet/in.h>
#include <stdlib.h>

#define SECOND 1000000000ull

void
wire_init(struct wire *w, uint64_t seed)
{
	*w = (struct wire){ .chance = seed, .set.queue_ns = SECOND / 20 };
}

/* SplitMix64: a number in 0 … 1 (never 1). */
static double
draw(struct wire *w)
{
	uint64_t z = (w->chance += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* No number is drawn for what cannot happen: a setting does not change the chances of the others. */
static bool
happens(struct wire *w, double chance)
{
	return chance > 0 && draw(w) < chance;
}

static bool
unwanted(const struct wire_settings *s, unsigned protocol)
{
	return s->down || s->drop == WIRE_DROP_ALL || (s->drop == WIRE_DROP_UDP && protocol == IPPROTO_UDP) ||
	    (s->drop == WIRE_DROP_TCP && protocol == IPPROTO_TCP);
}

static bool
lost(struct wire *w)
{
	if (happens(w, w->bad ? w->set.burst_leave : w->set.burst_enter))
		w->bad = !w->bad;
	return happens(w, w->bad ? w->set.burst_loss : w->set.loss);
}

/* Through the queue: when the last bit of it has left; false if there is no room. */
static bool
queued(struct wire *w, uint64_t now_ns, size_t bytes, uint64_t *ret_out_ns)
{
	uint64_t rate = w->set.rate_bit_s, waits_ns;

	if (w->free_ns < now_ns)
		w->free_ns = now_ns;
	if (rate == 0) {
		*ret_out_ns = w->free_ns = now_ns;
		return true;
	}
	waits_ns = w->free_ns - now_ns;
	if (w->set.queue_bytes > 0) {
		if ((double)waits_ns * 1e-9 * (double)rate / 8 + (double)bytes > (double)w->set.queue_bytes)
			return false;
	} else if (waits_ns > w->set.queue_ns) {
		return false;
	}
	w->free_ns += bytes * 8 * SECOND / rate;
	*ret_out_ns = w->free_ns;
	return true;
}

static struct wire_copy
arrival(struct wire *w, uint64_t out_ns)
{
	struct wire_copy c = { .due_ns = out_ns + w->set.delay_ns };

	if (w->set.jitter_ns > 0)
		c.due_ns += (uint64_t)(draw(w) * (double)w->set.jitter_ns);
	if (happens(w, w->set.reordered)) {
		w->counts.reordered++;
		c.due_ns += w->set.reorder_ns;
		c.apart = true;
		return c;
	}
	if (c.due_ns < w->last_ns && w->set.jitter_ns > 0)
		c.due_ns = w->last_ns;
	w->last_ns = c.due_ns;
	return c;
}

unsigned
wire_pass(struct wire *w, uint64_t now_ns, unsigned protocol, size_t bytes, struct wire_copy ret_copies[2])
{
	uint64_t out_ns;

	w->counts.packets++;
	w->counts.bytes += bytes;
	if (unwanted(&w->set, protocol)) {
		w->counts.dropped++;
		return 0;
	}
	if (!queued(w, now_ns, bytes, &out_ns)) {
		w->counts.full++;
		return 0;
	}
	if (lost(w)) {
		w->counts.lost++;
		return 0;
	}
	ret_copies[0] = arrival(w, out_ns);
	if (!happens(w, w->set.doubled))
		return 1;
	w->counts.doubled++;
	ret_copies[1] = (struct wire_copy){ .due_ns = ret_copies[0].due_ns, .apart = true };
	return 2;
}

/* ---- the heap ---- */

struct wire_item {
	uint64_t due_ns, number;
	void *item;
};

static bool
before(const struct wire_item *a, const struct wire_item *b)
{
	return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->number < b->number);
}

bool
wire_heap_push(struct wire_heap *h, uint64_t due_ns, void *item)
{
	struct wire_item new = { due_ns, h->next++, item };
	size_t at = h->count;

	if (h->count == h->room) {
		size_t room = h->room > 0 ? 2 * h->room : 1024;
		struct wire_item *items = reallocarray(h->items, room, sizeof(*items));

		if (items == NULL)
			return false;
		h->items = items;
		h->room = room;
	}
	h->count++;
	for (; at > 0 && before(&new, &h->items[(at - 1) / 2]); at = (at - 1) / 2)
		h->items[at] = h->items[(at - 1) / 2];
	h->items[at] = new;
	return true;
}

uint64_t
wire_heap_due(const struct wire_heap *h)
{
	return h->count > 0 ? h->items[0].due_ns : UINT64_MAX;
}

void *
wire_heap_pop(struct wire_heap *h)
{
	struct wire_item last;
	void *item;
	size_t at = 0;

	if (h->count == 0)
		return NULL;
	item = h->items[0].item;
	last = h->items[--h->count];
	for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
		if (child + 1 < h->count && before(&h->items[child + 1], &h->items[child]))
			child++;
		if (!before(&h->items[child], &last))
			break;
		h->items[at] = h->items[child];
	}
	h->items[at] = last;
	return item;
}

void
wire_heap_done(struct wire_heap *h)
{
	free(h->items);
	*h = (struct wire_heap){ 0 };
}
