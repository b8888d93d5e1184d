/*
 * link_orders_test.c - what the tests' network understands, and that it obeys a line whole or not at all.
 */
#include "tests/link/orders.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct wire wires[2];

static void
fresh(void)
{
	wire_init(&wires[0], 1);
	wire_init(&wires[1], 2);
}

START_TEST(orders_for_both_directions_or_one)
{
	struct sp_why why = { 0 };

	fresh();
	ck_status(orders_obey(wires, "delay 50 jitter 0.5ms rate 1.5G queue 64k loss 0.1%", &why), SP_OK);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(wires[i].set.delay_ns, 50000000);
		ck_assert_uint_eq(wires[i].set.jitter_ns, 500000);
		ck_assert_uint_eq(wires[i].set.rate_bit_s, 1500000000);
		ck_assert_uint_eq(wires[i].set.queue_bytes, 65536);
		ck_assert_uint_eq(wires[i].set.queue_ns, 0);
		ck_assert_double_eq_tol(wires[i].set.loss, 0.001, 1e-9);
	}
	ck_status(orders_obey(wires, "a>b bursts 1 10 100 duplicate 2 reorder 3 20 drop udp queue 20ms down\r\n", &why), SP_OK);
	ck_assert_double_eq_tol(wires[0].set.burst_enter, 0.01, 1e-9);
	ck_assert_double_eq_tol(wires[0].set.burst_loss, 1, 1e-9);
	ck_assert_double_eq_tol(wires[0].set.doubled, 0.02, 1e-9);
	ck_assert_uint_eq(wires[0].set.reorder_ns, 20000000);
	ck_assert_uint_eq(wires[0].set.queue_ns, 20000000);
	ck_assert_int_eq(wires[0].set.drop, WIRE_DROP_UDP);
	ck_assert(wires[0].set.down && !wires[1].set.down);
	ck_assert_int_eq(wires[1].set.drop, WIRE_DROP_NOTHING);
	ck_status(orders_obey(wires, "b>a seed 77", &why), SP_OK);
	ck_assert_uint_eq(wires[1].chance, 77);
	ck_status(orders_obey(wires, "perfect", &why), SP_OK);
	ck_assert(!wires[0].set.down && wires[0].set.rate_bit_s == 0 && wires[0].set.drop == WIRE_DROP_NOTHING);
	ck_status(orders_obey(wires, "", &why), SP_OK);
}
END_TEST

START_TEST(what_is_not_understood_changes_nothing)
{
	static const char *const bad[] = { "loss", "loss x", "loss 101", "loss -1", "loss nan", "loss inf", "loss 1 2", "delay 1s",
		"delay 5 loss 200", "rate 5T", "queue 5s", "drop icmp", "drop", "reorder 5", "bursts 1 2", "faster", "a>b a>b down",
		"seed 1.5k" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sp_why why = { 0 };
		struct wire before[2];

		fresh();
		memcpy(before, wires, sizeof(wires));
		ck_assert_msg(orders_obey(wires, bad[i], &why) == SP_E_FORMAT, "%s was obeyed", bad[i]);
		ck_assert_msg(memcmp(before, wires, sizeof(wires)) == 0, "%s had an effect", bad[i]);
		ck_assert(why.text[0] != '\0');
	}
}
END_TEST

START_TEST(a_line_has_a_bound)
{
	char line[2000];
	struct sp_why why = { 0 };

	fresh();
	memset(line, ' ', sizeof(line));
	memcpy(line, "a>b down", 8);
	memcpy(line + 1990, " down", 6);
	ck_status(orders_obey(wires, line, &why), SP_E_RANGE);
	ck_assert(!wires[0].set.down);
}
END_TEST

UNIT_MAIN("link/orders", orders_for_both_directions_or_one, what_is_not_understood_changes_nothing, a_line_has_a_bound)
