/*
 * cursor.h - bounded reading of bytes; the first error sticks and later reads give zeroes, so that a parser is straight
 * lines with one check at its end.
 */
#ifndef SP_BASE_CURSOR_H
#define SP_BASE_CURSOR_H

#include "common/base/span.h"
#include "common/base/status.h"

/* p..end is borrowed. */
struct sp_cursor {
	const uint8_t *p;
	const uint8_t *end;
	enum sp_status error;	/* sticky: SP_E_SHORT, or what sp_cursor_fail() was given */
};

struct sp_cursor sp_cursor(struct sp_span bytes);

/* Big-endian integers; 0 past the end. */
uint8_t sp_cursor_u8(struct sp_cursor *c);
uint16_t sp_cursor_u16(struct sp_cursor *c);
uint32_t sp_cursor_u32(struct sp_cursor *c);
uint64_t sp_cursor_u64(struct sp_cursor *c);

/* The next n bytes, borrowed; an empty span if there are fewer. */
struct sp_span sp_cursor_bytes(struct sp_cursor *c, size_t n);

/* Copies exactly n bytes to out; zeroes it if there are fewer. */
void sp_cursor_copy(struct sp_cursor *c, void *out, size_t n);

static inline size_t sp_cursor_left(const struct sp_cursor *c) { return (size_t)(c->end - c->p); }

/* Sets the error unless one is set. */
void sp_cursor_fail(struct sp_cursor *c, enum sp_status st);

/* SP_OK if nothing failed and nothing is left over (SP_E_LONG then). */
SP_MUST_CHECK enum sp_status sp_cursor_end(const struct sp_cursor *c);

#endif
