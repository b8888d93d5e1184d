/*
 * base_clock_test.c - waits that grow, what may happen so often a minute, and what is past however the clock is set.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"

START_TEST(waits_double_up_to_a_bound)
{
	ck_assert_uint_eq(sp_backoff_ms(0, 500, 60000), 500);
	ck_assert_uint_eq(sp_backoff_ms(1, 500, 60000), 1000);
	ck_assert_uint_eq(sp_backoff_ms(6, 500, 60000), 32000);
	ck_assert_uint_eq(sp_backoff_ms(7, 500, 60000), 60000);
	ck_assert_uint_eq(sp_backoff_ms(UINT32_MAX, 500, 60000), 60000);
	ck_assert_uint_eq(sp_backoff_ms(0, 500, 100), 100);
}
END_TEST

START_TEST(a_minute_allows_so_many)
{
	struct sp_minute m = { 0 };

	ck_assert(sp_minute_allows(&m, 2));
	ck_assert(sp_minute_allows(&m, 2));
	ck_assert(!sp_minute_allows(&m, 2));
	m.from_ms = 1;		/* long ago, if the machine has run for a minute; else it is the minute still */
	ck_assert_int_eq(sp_minute_allows(&m, 2), sp_clock_boot_ms() > 60 * 1000 + 1);
}
END_TEST

#ifdef SP_FAULTS
#define HOUR (3600 * 1000ll)
#define DAY (24 * HOUR)

/* The time by the machine's own clock, which set() moves. */
static uint64_t right_ms;

static void
set(int64_t off_ms)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)off_ms);
	setenv("SEALPOST_CLOCK", text, 1);
}

static bool
is_about(uint64_t ms, int64_t off_ms)
{
	int64_t apart = (int64_t)ms - (int64_t)right_ms - off_ms;

	return apart >= -1000 && apart < 60 * 1000;
}

/* A new process, at the right time, that knows of no mark. */
static void
begin(void)
{
	set(0);
	sp_clock_remember(0);
	right_ms = sp_clock_wall_ms();
}

START_TEST(a_test_moves_the_clock)
{
	char path[] = "/tmp/clockXXXXXX", name[sizeof(path) + 1];
	int fd = mkstemp(path);

	begin();
	set(DAY);
	ck_assert(is_about(sp_clock_wall_ms(), DAY));
	snprintf(name, sizeof(name), "@%s", path);
	setenv("SEALPOST_CLOCK", name, 1);
	ck_assert(is_about(sp_clock_wall_ms(), 0));
	ck_assert_int_eq(write(fd, "-3600000", 8), 8);
	ck_assert(is_about(sp_clock_wall_ms(), -HOUR));
	close(fd);
	unlink(path);
	ck_assert(is_about(sp_clock_wall_ms(), 0));
}
END_TEST

START_TEST(wal09_what_is_past_stays_past)
{
	begin();
	ck_assert(is_about(sp_clock_end_ms(), 0));
	sp_clock_signed(right_ms);
	set(-10 * DAY);
	ck_assert(is_about(sp_clock_wall_ms(), -10 * DAY));
	ck_assert_uint_eq(sp_clock_end_ms(), right_ms);
	sp_clock_signed(right_ms + DAY);	/* here nobody has seen that day yet */
	sp_clock_signed(right_ms - 20 * DAY);
	sp_clock_told(right_ms - 20 * DAY);
	sp_clock_told(right_ms);
	ck_assert_uint_eq(sp_clock_mark_ms(), right_ms);
	set(DAY);
	ck_assert(is_about(sp_clock_end_ms(), DAY));
	ck_assert_uint_eq(sp_clock_mark_ms(), right_ms);
}
END_TEST

START_TEST(rc13_a_jump_ahead_is_no_reason_to_give_up)
{
	begin();
	ck_assert(is_about(sp_clock_sure_ms(), 0));
	set(3650 * DAY);
	ck_assert(is_about(sp_clock_sure_ms(), 0));
	set(-DAY);
	ck_assert(is_about(sp_clock_sure_ms(), -DAY));
}
END_TEST

START_TEST(wal09_one_clock_that_is_ahead_is_not_believed)
{
	begin();
	sp_clock_signed(right_ms + 3650 * DAY);		/* the service's */
	sp_clock_told(right_ms + 3650 * DAY);
	ck_assert(is_about(sp_clock_mark_ms(), 0));
	set(3650 * DAY);				/* our own */
	sp_clock_signed(right_ms + HOUR);
	sp_clock_told(right_ms + HOUR);
	ck_assert_uint_eq(sp_clock_mark_ms(), right_ms + HOUR);
}
END_TEST

START_TEST(wal09_two_clocks_that_were_ahead_are_forgiven)
{
	begin();
	set(30 * DAY);
	sp_clock_told(right_ms + 30 * DAY);
	ck_assert_uint_eq(sp_clock_mark_ms(), right_ms + 30 * DAY);
	set(0);
	sp_clock_signed(right_ms);			/* may be an old paper */
	sp_clock_told(right_ms - 2 * HOUR);		/* the two do not agree */
	ck_assert_uint_eq(sp_clock_mark_ms(), right_ms + 30 * DAY);
	sp_clock_told(right_ms - HOUR / 2);
	ck_assert_uint_eq(sp_clock_mark_ms(), right_ms - HOUR / 2);
	set(-DAY / 2);					/* less than a day is no mistake that must be mended */
	sp_clock_told(right_ms - DAY / 2);
	ck_assert_uint_eq(sp_clock_mark_ms(), right_ms - HOUR / 2);
}
END_TEST

UNIT_MAIN("base/clock", waits_double_up_to_a_bound, a_minute_allows_so_many, a_test_moves_the_clock,
    wal09_what_is_past_stays_past, rc13_a_jump_ahead_is_no_reason_to_give_up, wal09_one_clock_that_is_ahead_is_not_believed,
    wal09_two_clocks_that_were_ahead_are_forgiven)
#else
UNIT_MAIN("base/clock", waits_double_up_to_a_bound, a_minute_allows_so_many)
#endif
