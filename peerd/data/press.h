/*
 * press.h - bytes of the tar as zstd frames and back. A frame stands alone: it holds up to SP_PRESS_MAX bytes, says how many,
 * is shorter than they are, has no checksum (the records have one) and no dictionary. Internal to peerd/data; bytes in, bytes
 * out.
 */
#ifndef PEERD_DATA_PRESS_H
#define PEERD_DATA_PRESS_H

#include "common/base/buf.h"
#include "common/base/limits.h"

/* What one thread needs for it, whichever transfer has its turn. */
struct press;
SP_MUST_CHECK enum sp_status press_new(struct press **ret_press);
void press_free(struct press *p);
SP_AUTO_DEFINE(press);

/* ---- sending ---- */

/* Where the next SP_PRESS_TAR bytes of a packet are put. */
uint8_t *press_plain(struct press *p);

/* The first n of them as a frame (borrowed, until the next call); empty where that saves too little to be worth its while. */
struct sp_span press_pack(struct press *p, size_t n);

/* What a sender has learned of its packet. Zeroes: nothing yet. */
struct press_tries {
	uint64_t raw_until;	/* of the tar: up to here nothing is tried */
	uint64_t run;		/* so long that was after the last vain try */
};

/* Is what begins at this offset to be tried? Then it is told what came of it, and where the try ended. After vain tries they
 * become rarer, one in SP_PRESS_RARELY of content. */
static inline bool press_due(const struct press_tries *t, uint64_t at) { return at >= t->raw_until; }
void press_learn(struct press_tries *t, uint64_t at, bool worth);

/* ---- receiving ---- */

/* A frame that comes in, record by record. Zeroes: none has begun. */
struct press_in {
	struct sp_buf bytes;
	uint64_t offset;	/* of the tar, where it begins */
	size_t next;		/* where its next block begins; 0 = its head is not whole */
	size_t holds;		/* bytes of the tar that it says it holds, once its head is whole */
};
void press_in_done(struct press_in *in);

static inline bool press_in_begun(const struct press_in *in) { return in->bytes.len > 0; }

/*
 * The next bytes of a frame. ret_whole: it ends with them, exactly. Looks at heads and lengths only. SP_E_FORMAT: it is no
 * frame as above, or these bytes belong to another one. SP_E_LONG: it holds too much, or is no shorter than what it holds.
 */
SP_MUST_CHECK enum sp_status press_in_add(struct press_in *in, uint64_t offset, struct sp_span part, bool *ret_whole,
    struct sp_why *why);

/* What a whole frame holds (borrowed, until the next call); in is empty again. SP_E_FORMAT: it does not unpack, or not to what
 * it says. */
SP_MUST_CHECK enum sp_status press_unpack(struct press *p, struct press_in *in, struct sp_span *ret_plain, struct sp_why *why);

#endif
