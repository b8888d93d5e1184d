/*
 * data_pace_test.c - how fast bytes pass a bucket, alone and shared.
 */
#include "common/base/limits.h"
#include "peerd/data/pace.h"
#include "tests/unit/unit.h"

#define MS 1000000ull
#define SECOND (1000 * MS)

START_TEST(no_limit)
{
	struct pace p = { 0 };

	ck_assert_uint_eq(pace_charge(&p, 5 * SECOND, 1u << 30), 0);
	ck_assert_uint_eq(pace_turn(&p, 1000), 1000);
}
END_TEST

/* Whoever rests as told moves so many bytes a second, whatever the size of the turns. */
START_TEST(sys04_a_rate_is_kept)
{
	static const size_t turns[] = { 1, 2048, 100000, 262144 };
	static const uint64_t rates[] = { 1024, 100000, 50000000, 2000000000 };

	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			struct pace p = { .rate = rates[j] };
			uint64_t begin = 1000 * SECOND, now = begin, moved = 0;

			for (int n = 0; n < 1000; n++) {
				uint64_t until = pace_charge(&p, now, turns[i]);

				moved += turns[i];
				/* timers are of milliseconds: who rests rests a little longer */
				if (until > now)
					now += (until - now + MS - 1) / MS * MS;
			}
			/* what was saved before may go at once */
			if (now > begin + SECOND) {
				double rate = (double)moved / ((double)(now - begin) / (double)SECOND);

				ck_assert_double_le(rate, 1.2 * (double)rates[j] + (double)turns[i]);
				ck_assert_double_ge(rate, 0.8 * (double)rates[j]);
			} else {
				ck_assert_uint_le(moved, rates[j] + rates[j] / 5 + turns[i]);
			}
		}
}
END_TEST

/* Who shares a bucket has its turn in the order of the charges, each once before any has it twice. */
START_TEST(tx09_who_shares_takes_turns)
{
	enum { USERS = 10 };
	struct pace p = { .rate = 1000000 };
	uint64_t next[USERS] = { 0 }, now = SECOND;
	unsigned turns[USERS] = { 0 };

	for (int n = 0; n < 1000; n++) {
		unsigned first = 0;

		for (unsigned u = 1; u < USERS; u++)
			if (next[u] < next[first])
				first = u;
		now = next[first] > now ? next[first] : now;
		next[first] = pace_charge(&p, now, 32768);
		turns[first]++;
	}
	for (unsigned u = 0; u < USERS; u++) {
		ck_assert_uint_ge(turns[u], 90);
		ck_assert_uint_le(turns[u], 110);
	}
}
END_TEST

START_TEST(slow_buckets_have_small_turns)
{
	struct pace p = { .rate = 32 * 10000 };

	ck_assert_uint_eq(pace_turn(&p, SP_SEND_BATCH), 10000);
	p.rate = 1024;
	ck_assert_uint_eq(pace_turn(&p, SP_SEND_BATCH), SP_RECORD_DATA_MIN);
	p.rate = 1ull << 40;
	ck_assert_uint_eq(pace_turn(&p, SP_SEND_BATCH), SP_SEND_BATCH);
}
END_TEST

UNIT_MAIN("data/pace", no_limit, sys04_a_rate_is_kept, tx09_who_shares_takes_turns, slow_buckets_have_small_turns)
