/*
 * clock.h - the only door to time. Deadlines run on the boot clock; wall time is for what a statement or a schedule shows.
 */
#ifndef SP_BASE_CLOCK_H
#define SP_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since boot, sleep included; never goes back. */
uint64_t sp_clock_boot_ms(void);

/* Wall time in milliseconds since 1970-01-01 UTC. In test builds SEALPOST_CLOCK is added to it: milliseconds, or "@FILE" for a
 * file that holds them and may change at any time. */
uint64_t sp_clock_wall_ms(void);

/*
 * The mark: a time that is past, whatever the wall clock says later. It is raised to what a service says, as far as this
 * machine's clock has got there, too: a single clock that is ahead raises nothing. One thread may raise it.
 */
void sp_clock_signed(uint64_t signed_ms);	/* it stands in something that a service has signed at any time */
void sp_clock_told(uint64_t told_ms);		/* a service has just said so: a mark that both clocks contradict is brought back */
void sp_clock_remember(uint64_t mark_ms);	/* of an earlier run */
uint64_t sp_clock_mark_ms(void);

/* Is the wall clock behind the mark by more than letters may differ? */
bool sp_clock_is_behind(void);

/* What the time is for giving up what is under way: the earlier one of wall time and of what it was at the program's start and
 * the boot clock have made of it. A clock that runs ahead for a while ends nothing. */
uint64_t sp_clock_sure_ms(void);

/* What the time is for things that end – sheets, franks, certificates: the later one of wall time and mark. */
uint64_t sp_clock_end_ms(void);

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
