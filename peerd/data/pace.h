/*
 * pace.h - how fast bytes may come and go. A bucket is charged for bytes when they have passed, and says until when whoever
 * moved them rests; who shares it are served in the order in which they were charged. Internal to peerd/data; any thread.
 */
#ifndef PEERD_DATA_PACE_H
#define PEERD_DATA_PACE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroes: no limit. */
struct pace {
	uint64_t rate;			/* bytes a second; 0 = no limit. Set before it is shared */
	_Atomic uint64_t paid_ns;	/* boot clock: what was charged is worked off by then */
};

/* n bytes have passed. The time until which to rest, in ns of the boot clock; not after now: it goes on at once. */
uint64_t pace_charge(struct pace *p, uint64_t now_ns, size_t n);

/* The most bytes to move at once, that many may share a slow bucket without long rests; most is what it would be without one. */
size_t pace_turn(const struct pace *p, size_t most);

#endif
