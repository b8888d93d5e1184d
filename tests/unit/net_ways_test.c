/*
 * net_ways_test.c - which way a letter goes first, by what letters to the same address have met; for how long that is
 * remembered, and of how many addresses.
 */
#include "common/net/ways.h"
#include "tests/unit/unit.h"

#define TRIES 5

static struct sp_ways ways;

static struct sp_addr
at(unsigned number)
{
	return (struct sp_addr){ .family = 4, .ip = { 10, 0, (uint8_t)(number >> 8), (uint8_t)number }, .port = 7325 };
}

static unsigned
tries(unsigned number, uint64_t ms)
{
	struct sp_addr a = at(number);

	return sp_ways_tries(&ways, &a, TRIES, ms);
}

static void
set_up(void)
{
	memset(&ways, 0, sizeof(ways));
}

START_TEST(where_only_tcp_answered_it_comes_first_and_a_datagram_now_and_then)
{
	struct sp_addr a = at(1);

	set_up();
	ck_assert_uint_eq(tries(1, 1000), TRIES);
	sp_ways_tcp(&ways, &a, true, 1000);
	ck_assert_uint_eq(tries(1, 1001), 0);
	ck_assert_uint_eq(tries(2, 1001), TRIES);
	ck_assert_uint_eq(tries(1, 1000 + SP_WAYS_TRY_MS), 1);
	ck_assert_uint_eq(tries(1, 1001 + SP_WAYS_TRY_MS), 0);
	/* each answer by TCP prolongs it, though none was in vain */
	sp_ways_tcp(&ways, &a, false, SP_WAYS_MS);
	ck_assert_uint_eq(tries(1, SP_WAYS_MS + 2000), 1);
	ck_assert_uint_eq(tries(1, SP_WAYS_MS + 2001), 0);
	ck_assert_uint_eq(tries(1, 2 * SP_WAYS_MS), TRIES);
}
END_TEST

START_TEST(an_answer_by_datagram_ends_it)
{
	struct sp_addr a = at(1);

	set_up();
	sp_ways_tcp(&ways, &a, true, 1000);
	sp_ways_udp(&ways, &a);
	ck_assert_uint_eq(tries(1, 1001), TRIES);
	/* an answer by TCP to what was asked by TCP says nothing about datagrams */
	sp_ways_tcp(&ways, &a, false, 1002);
	ck_assert_uint_eq(tries(1, 1003), TRIES);
}
END_TEST

START_TEST(tcp_that_leads_nowhere_is_remembered_and_comes_first_no_more)
{
	struct sp_addr a = at(1), b = at(2);

	set_up();
	sp_ways_tcp(&ways, &a, true, 1000);
	sp_ways_no_tcp(&ways, &a, 2000);
	ck_assert_uint_eq(tries(1, 2001), TRIES);
	ck_assert(sp_ways_lacks_tcp(&ways, &a, 2001));
	ck_assert(!sp_ways_lacks_tcp(&ways, &b, 2001));
	ck_assert(!sp_ways_lacks_tcp(&ways, &a, 2000 + SP_WAYS_MS));
	sp_ways_no_tcp(&ways, &a, 3000);
	sp_ways_tcp(&ways, &a, false, 3001);
	ck_assert(!sp_ways_lacks_tcp(&ways, &a, 3002));
}
END_TEST

START_TEST(the_table_keeps_the_newest)
{
	set_up();
	for (unsigned i = 0; i < SP_WAYS + 10; i++) {
		struct sp_addr a = at(i);

		for (unsigned again = 0; again < 3; again++)		/* takes one place only */
			sp_ways_tcp(&ways, &a, true, 1000 + i);
	}
	for (unsigned i = 0; i < SP_WAYS + 10; i++)
		ck_assert_uint_eq(tries(i, 2000), i < 10 ? TRIES : 0);
}
END_TEST

UNIT_MAIN("net/ways", where_only_tcp_answered_it_comes_first_and_a_datagram_now_and_then, an_answer_by_datagram_ends_it,
    tcp_that_leads_nowhere_is_remembered_and_comes_first_no_more, the_table_keeps_the_newest)
