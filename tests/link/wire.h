/*
 * wire.h - one direction of a link as a calculation: what becomes of a packet that enters it now. Pure: the clock is given, chance is
 * seeded, nothing is sent or stored here but times. And the heap that keeps what is on its way in the order of arrival.
 */
#ifndef SP_TESTS_LINK_WIRE_H
#define SP_TESTS_LINK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is lost by kind, whatever its chance. */
enum wire_drop { WIRE_DROP_NOTHING, WIRE_DROP_UDP, WIRE_DROP_TCP, WIRE_DROP_ALL };

/* Chances are 0 … 1. */
struct wire_settings {
	uint64_t delay_ns;	/* of every packet, after the queue */
	uint64_t jitter_ns;	/* up to so much more; packets keep their order */
	uint64_t rate_bit_s;	/* of IP packets; 0: no limit and no queue */
	uint64_t queue_bytes;	/* that may wait; beyond that a packet is lost (0: queue_ns counts) */
	uint64_t queue_ns;	/* the same as a time at the present rate */
	double loss;		/* independent */
	double burst_enter, burst_leave, burst_loss;	/* Gilbert-Elliott: into the bad state, out of it, loss while in it */
	double doubled;
	double reordered;	/* so many come later than what left after them, */
	uint64_t reorder_ns;	/* by so much */
	enum wire_drop drop;
	bool down;		/* nothing enters, and what is on its way is lost as it would arrive */
};

struct wire_counts {
	uint64_t packets, bytes;	/* that entered */
	uint64_t lost;			/* by chance */
	uint64_t full;			/* the queue was */
	uint64_t dropped;		/* by kind, or because the link was down */
	uint64_t doubled, reordered;
};

struct wire {
	struct wire_settings set;
	struct wire_counts counts;
	uint64_t chance;	/* state of the random numbers: the seed at first */
	uint64_t free_ns;	/* when all that entered has left the queue */
	uint64_t last_ns;	/* arrival of the latest packet in order */
	bool bad;		/* in a burst of losses */
};

/* A copy that arrives; apart: out of order, not to be joined with its neighbours. */
struct wire_copy {
	uint64_t due_ns;
	bool apart;
};

/* 50 ms of queue, should a rate be set; all else perfect. */
void wire_init(struct wire *w, uint64_t seed);

/* A packet of so many bytes and this IP protocol enters at now_ns: how many copies of it arrive (0, 1, 2) and when. */
unsigned wire_pass(struct wire *w, uint64_t now_ns, unsigned protocol, size_t bytes, struct wire_copy ret_copies[2]);

/* Items by time; equal times in the order in which they came. Zeroes are an empty heap; items are the caller's. */
struct wire_heap {
	struct wire_item *items;
	size_t count, room;
	uint64_t next;
};

/* False when out of memory. */
bool wire_heap_push(struct wire_heap *h, uint64_t due_ns, void *item);

/* When the first is due; UINT64_MAX if there is none. */
uint64_t wire_heap_due(const struct wire_heap *h);

/* The first; NULL if there is none. */
void *wire_heap_pop(struct wire_heap *h);

void wire_heap_done(struct wire_heap *h);

#endif
