/*
 * net_rates_test.c - token buckets, one and in a table that more come to than it holds.
 */
#include "common/base/limits.h"
#include "common/net/rates.h"
#include "tests/unit/unit.h"

static const struct sp_rate ten = { 10, 20 };

static unsigned
take_all(struct sp_rates *r, unsigned kind, uint32_t key, uint64_t ms)
{
	unsigned n = 0;

	while (n < 1000 && sp_rates_take(r, kind, sp_span(&key, sizeof(key)), &ten, ms))
		n++;
	return n;
}

START_TEST(a_bucket_fills_with_its_rate_up_to_its_burst)
{
	SP_AUTO(sp_rates) *r = sp_rates_new();

	ck_assert_uint_eq(take_all(r, 1, 7, 1000), 20);
	ck_assert_uint_eq(take_all(r, 1, 7, 1000), 0);
	ck_assert_uint_eq(take_all(r, 1, 7, 1099), 0);
	ck_assert_uint_eq(take_all(r, 1, 7, 1100), 1);
	ck_assert_uint_eq(take_all(r, 1, 7, 2100), 10);
	ck_assert_uint_eq(take_all(r, 1, 7, UINT64_MAX / 2), 20);
	ck_assert_uint_eq(take_all(r, 1, 7, 5), 0);		/* a clock that goes back gives nothing */
	/* another kind and another key have their own */
	ck_assert_uint_eq(take_all(r, 2, 7, 5), 20);
	ck_assert_uint_eq(take_all(r, 1, 8, 5), 20);
}
END_TEST

START_TEST(what_is_given_back_can_be_taken_again_but_never_more_than_the_burst)
{
	SP_AUTO(sp_rates) *r = sp_rates_new();
	const uint32_t key = 7;

	ck_assert_uint_eq(take_all(r, 1, key, 1000), 20);
	for (int i = 0; i < 3; i++)
		sp_rates_give(r, 1, sp_span(&key, sizeof(key)), &ten, 1000);
	ck_assert_uint_eq(take_all(r, 1, key, 1000), 3);
	for (int i = 0; i < 300; i++)
		sp_rates_give(r, 1, sp_span(&key, sizeof(key)), &ten, 1000);
	ck_assert_uint_eq(take_all(r, 1, key, 1000), 20);
}
END_TEST

START_TEST(who_is_forgotten_gains_nothing)
{
	SP_AUTO(sp_rates) *r = sp_rates_new();
	unsigned all = 0;

	for (uint32_t key = 0; key < 4 * SP_RATES_MAX; key++)
		all += take_all(r, 1, key, 1000);
	/* Every bucket was emptied once, however many came. */
	ck_assert_uint_eq(all, SP_RATES_MAX * 20);
	ck_assert_uint_eq(take_all(r, 1, 0, 1000), 0);
	/* A second later there is something for newcomers again, for each bucket half of it. */
	all = 0;
	for (uint32_t key = 0; key < 4 * SP_RATES_MAX; key++)
		all += take_all(r, 1, key + 1000000, 2000);
	ck_assert_uint_eq(all, SP_RATES_MAX * 10);
}
END_TEST

UNIT_MAIN("net/rates", a_bucket_fills_with_its_rate_up_to_its_burst,
    what_is_given_back_can_be_taken_again_but_never_more_than_the_burst, who_is_forgotten_gains_nothing)
