/*
 * clock.h - the only door to time. Deadlines run on the boot clock; wall time is for what a statement or a schedule shows.
 */
#ifndef SP_BASE_CLOCK_H
#define SP_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since boot, sleep included; never goes back. */
uint64_t sp_clock_boot_ms(void);

/* Wall time in milliseconds since 1970-01-01 UTC; SEALPOST_CLOCK_OFFSET_MS (tests) is added, and in test builds what stands in
 * the file that SEALPOST_CLOCK_FILE names, which may change at any time. */
uint64_t sp_clock_wall_ms(void);

/* "2026-11-24T05:08:41Z" of wall milliseconds into out[21]; returns out. */
#define SP_TIME_TEXT 21
const char *sp_clock_text(uint64_t wall_ms, char out[SP_TIME_TEXT]);

/* How long to wait before the next of several tries: first_ms before the first (tries 0), twice as long each time, up to most_ms. */
uint64_t sp_backoff_ms(uint32_t tries, uint64_t first_ms, uint64_t most_ms);

/* Counts what may happen so often a minute only (lines in the log about what others send); zeroes to begin with. */
struct sp_minute {
	uint64_t from_ms;	/* boot clock */
	uint32_t count;
};

/* Counts one more; false if there were most of them in this minute. */
bool sp_minute_allows(struct sp_minute *m, uint32_t most);

#endif
