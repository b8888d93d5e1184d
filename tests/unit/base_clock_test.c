/*
 * base_clock_test.c - waits that grow, and what may happen so often a minute.
 */
#include "tests/unit/unit.h"

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

UNIT_MAIN("base/clock", waits_double_up_to_a_bound, a_minute_allows_so_many)
