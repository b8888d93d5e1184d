/*
 * lines.h - the packet's texts line by line: lines, fields, numbers and times in their one form.
 *
 * Internal to common/packet; used by the manifest, prints.txt and files.txt.
 */
#ifndef SP_PACKET_LINES_H
#define SP_PACKET_LINES_H

#include "common/base/buf.h"

/* The lines of a text; rest is borrowed. */
struct sp_lines {
	struct sp_span rest;
	uint32_t number;	/* of the line read last, from 1 */
};

static inline struct sp_lines sp_lines(struct sp_span text) { return (struct sp_lines){ text, 0 }; }
static inline bool sp_lines_left(const struct sp_lines *l) { return l->rest.n > 0; }

/* The next line without its newline. SP_E_FORMAT when the text is at its end or the line has no newline. */
SP_MUST_CHECK enum sp_status sp_lines_next(struct sp_lines *l, struct sp_span *ret_line, struct sp_why *why);

/* How many lines follow, counted up to max + 1. */
size_t sp_lines_count(const struct sp_lines *l, size_t max);

/* The first line of a format: "NAME 1". SP_E_VERSION for another number, SP_E_FORMAT for anything else. */
SP_MUST_CHECK enum sp_status sp_lines_magic(struct sp_lines *l, const char *name, struct sp_why *why);

/* The next line must be "NAME value"; the value may be empty. */
SP_MUST_CHECK enum sp_status sp_lines_value(struct sp_lines *l, const char *name, struct sp_span *ret_value,
    struct sp_why *why);

/* The next line must be empty. */
SP_MUST_CHECK enum sp_status sp_lines_blank(struct sp_lines *l, struct sp_why *why);

/* Splits a line at each space; true if that gives exactly count fields (which may be empty). */
bool sp_line_fields(struct sp_span line, struct sp_span *fields, size_t count);

/* An escaped text, read into scratch (emptied before) only if it holds an escape. SP_E_FORMAT on another form than
 * sp_percent_add() makes or a zero byte in it, SP_E_LONG, SP_E_NOMEM. ret_raw is borrowed from text or scratch. */
SP_MUST_CHECK enum sp_status sp_raw_read(struct sp_span text, struct sp_buf *scratch, struct sp_span *ret_raw);

/* Digits of a number into out, no end; returns how many. */
#define SP_U64_TEXT 20
size_t sp_u64_write(uint64_t value, char *out);

/* SECONDS.NNNNNNNNN, seconds perhaps negative, the nanoseconds counting forward from them. No end; returns the length. */
#define SP_MTIME_TEXT 32
size_t sp_mtime_write(int64_t sec, uint32_t nsec, char *out);
SP_MUST_CHECK enum sp_status sp_mtime_read(struct sp_span text, int64_t *ret_sec, uint32_t *ret_nsec);

#endif
