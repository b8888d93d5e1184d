/*
 * press_choice.h - whether compressing makes a transfer faster on its way, found out by trying: on a line that is slower than
 * the processor it does, on one that is faster it does not. Internal to peerd/data; numbers in and out.
 */
#ifndef PEERD_DATA_PRESS_CHOICE_H
#define PEERD_DATA_PRESS_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#define PRESS_STRETCH (1024 * 1024)	/* bytes of tar, and time, over which is measured */
#define PRESS_STRETCH_MS 20
#define PRESS_AGAIN (64ull * 1024 * 1024)	/* bytes of tar until the other way is tried again; at most, after vain tries */
#define PRESS_AGAIN_MAX (16 * PRESS_AGAIN)

/* Zeroes: nothing is known yet, what begins is compressed. */
struct press_choice {
	bool raw;		/* as it is, for now */
	bool trying;		/* the other way than the one that was chosen */
	uint64_t next;		/* offset of the tar from which the other way is tried again; 0: never tried yet */
	uint64_t spacing;	/* from the last try to that */
	uint64_t from, since_ms;	/* the stretch that is measured: since_ms 0: none yet */
	unsigned turns, held_up;	/* of the stretch: in how many the line took less than there was */
	uint64_t rate[2];	/* bytes of tar a second in the last stretch that was: compressed, raw */
};

static inline bool press_choice_is_raw(const struct press_choice *c) { return c->raw; }

/* A turn has passed: the tar is sent up to at; held_up: the line did not take all of it. */
void press_choice_turn(struct press_choice *c, uint64_t at, uint64_t now_ms, bool held_up);

#endif
