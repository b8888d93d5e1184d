/*
 * link_wire_test.c - the tests' network as a calculation: delay, rate, queue, chances, kinds, and the heap.
 */
#include "tests/link/wire.h"

#include <netinet/in.h>

#include "tests/unit/unit.h"

#define MS 1000000ull
#define MANY 100000

/* MANY packets of 1,000 bytes, one a millisecond; how many copies arrived. */
static unsigned
pass_many(struct wire *w)
{
	struct wire_copy c[2];
	unsigned arrived = 0;

	for (unsigned i = 0; i < MANY; i++)
		arrived += wire_pass(w, i * MS, IPPROTO_TCP, 1000, c);
	return arrived;
}

START_TEST(a_perfect_wire_delays_only_by_what_it_is_told)
{
	struct wire w;
	struct wire_copy c[2];

	wire_init(&w, 1);
	ck_assert_uint_eq(wire_pass(&w, 7 * MS, IPPROTO_UDP, 100, c), 1);
	ck_assert_uint_eq(c[0].due_ns, 7 * MS);
	ck_assert(!c[0].apart);
	w.set.delay_ns = 50 * MS;
	ck_assert_uint_eq(wire_pass(&w, 8 * MS, IPPROTO_UDP, 100, c), 1);
	ck_assert_uint_eq(c[0].due_ns, 58 * MS);
	ck_assert_uint_eq(w.counts.packets, 2);
	ck_assert_uint_eq(w.counts.bytes, 200);
}
END_TEST

START_TEST(a_rate_spaces_packets_and_a_full_queue_loses_the_last)
{
	struct wire w;
	struct wire_copy c[2];

	wire_init(&w, 1);
	w.set.rate_bit_s = 8000000;	/* 1,000 bytes take 1 ms */
	w.set.queue_ns = 0;
	w.set.queue_bytes = 3000;
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_uint_eq(wire_pass(&w, 0, IPPROTO_TCP, 1000, c), 1);
		ck_assert_uint_eq(c[0].due_ns, i * MS);
	}
	ck_assert_uint_eq(wire_pass(&w, 0, IPPROTO_TCP, 1000, c), 0);
	ck_assert_uint_eq(w.counts.full, 1);
	/* a millisecond later there is room for one */
	ck_assert_uint_eq(wire_pass(&w, MS, IPPROTO_TCP, 1000, c), 1);
	ck_assert_uint_eq(c[0].due_ns, 4 * MS);
	ck_assert_uint_eq(wire_pass(&w, MS, IPPROTO_TCP, 1, c), 0);
	/* the same bound as a time */
	wire_init(&w, 1);
	w.set.rate_bit_s = 8000000;
	w.set.queue_ns = 2 * MS;
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(wire_pass(&w, 0, IPPROTO_TCP, 1000, c), 1);
	ck_assert_uint_eq(wire_pass(&w, 0, IPPROTO_TCP, 1000, c), 0);
	/* idle time is not saved up */
	ck_assert_uint_eq(wire_pass(&w, 100 * MS, IPPROTO_TCP, 1000, c), 1);
	ck_assert_uint_eq(c[0].due_ns, 101 * MS);
}
END_TEST

START_TEST(chances_come_out_as_set_and_the_same_from_the_same_seed)
{
	struct wire w, again;

	wire_init(&w, 5);
	w.set.loss = 0.3;
	again = w;
	ck_assert_uint_eq(pass_many(&w), pass_many(&again));
	ck_assert_uint_eq(w.counts.lost, again.counts.lost);
	ck_assert(w.counts.lost > MANY * 0.29 && w.counts.lost < MANY * 0.31);
	wire_init(&again, 6);
	again.set.loss = 0.3;
	ck_assert_uint_ne(pass_many(&again), MANY - w.counts.lost);
	wire_init(&w, 5);
	w.set.doubled = 0.1;
	ck_assert_uint_eq(pass_many(&w), MANY + w.counts.doubled);
	ck_assert(w.counts.doubled > MANY * 0.095 && w.counts.doubled < MANY * 0.105);
	wire_init(&w, 5);
	w.set.loss = 1;
	ck_assert_uint_eq(pass_many(&w), 0);
}
END_TEST

START_TEST(losses_come_in_bursts)
{
	struct wire w;
	struct wire_copy c[2];
	unsigned bursts = 0, lost = 0;
	bool before = false;

	wire_init(&w, 9);
	w.set.burst_enter = 0.01;
	w.set.burst_leave = 0.1;
	w.set.burst_loss = 1;
	for (unsigned i = 0; i < MANY; i++) {
		bool now = wire_pass(&w, i * MS, IPPROTO_TCP, 1000, c) == 0;

		lost += now;
		bursts += now && !before;
		before = now;
	}
	/* a share of enter/(enter+leave) in runs of 1/leave */
	ck_assert(lost > MANY * 0.08 && lost < MANY * 0.10);
	ck_assert(lost / bursts >= 8 && lost / bursts <= 12);
}
END_TEST

START_TEST(jitter_keeps_the_order_and_reordering_does_not)
{
	struct wire w;
	struct wire_copy c[2];
	uint64_t last = 0, least = UINT64_MAX, most = 0;

	wire_init(&w, 3);
	w.set.jitter_ns = 10 * MS;
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_uint_eq(wire_pass(&w, i * MS, IPPROTO_UDP, 100, c), 1);
		ck_assert_uint_ge(c[0].due_ns, last);
		last = c[0].due_ns;
		least = last - i * MS < least ? last - i * MS : least;
		most = last - i * MS > most ? last - i * MS : most;
	}
	ck_assert(least < 2 * MS && most > 9 * MS && most <= 10 * MS);
	wire_init(&w, 3);
	w.set.reordered = 0.2;
	w.set.reorder_ns = 20 * MS;
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_uint_eq(wire_pass(&w, i * MS, IPPROTO_UDP, 100, c), 1);
		ck_assert_uint_eq(c[0].due_ns, i * MS + (c[0].apart ? 20 * MS : 0));
	}
	ck_assert(w.counts.reordered > MANY * 0.19 && w.counts.reordered < MANY * 0.21);
}
END_TEST

START_TEST(kinds_are_lost_alone_and_a_line_that_is_down_takes_nothing)
{
	static const struct { enum wire_drop drop; bool down; unsigned udp, tcp; } cases[] = {
		{ WIRE_DROP_NOTHING, false, 1, 1 }, { WIRE_DROP_UDP, false, 0, 1 }, { WIRE_DROP_TCP, false, 1, 0 },
		{ WIRE_DROP_ALL, false, 0, 0 }, { WIRE_DROP_NOTHING, true, 0, 0 },
	};
	struct wire_copy c[2];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire w;

		wire_init(&w, 1);
		w.set.drop = cases[i].drop;
		w.set.down = cases[i].down;
		ck_assert_uint_eq(wire_pass(&w, 0, IPPROTO_UDP, 100, c), cases[i].udp);
		ck_assert_uint_eq(wire_pass(&w, 0, IPPROTO_TCP, 100, c), cases[i].tcp);
		ck_assert_uint_eq(w.counts.dropped, 2 - cases[i].udp - cases[i].tcp);
	}
}
END_TEST

START_TEST(the_heap_gives_by_time_and_equals_in_their_order)
{
	struct wire_heap h = { 0 };
	struct wire w;
	uint64_t last = 0;
	uintptr_t number = 0;

	ck_assert_ptr_null(wire_heap_pop(&h));
	ck_assert_uint_eq(wire_heap_due(&h), UINT64_MAX);
	wire_init(&w, 11);
	w.set.jitter_ns = 500;
	for (uintptr_t i = 1; i <= 5000; i++) {
		struct wire_copy c[2];

		w.last_ns = 0;
		ck_assert_uint_eq(wire_pass(&w, 0, IPPROTO_UDP, 1, c), 1);
		ck_assert(wire_heap_push(&h, c[0].due_ns, (void *)i));
	}
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t due = wire_heap_due(&h);
		uintptr_t it = (uintptr_t)wire_heap_pop(&h);

		ck_assert_uint_ge(due, last);
		ck_assert(it > 0 && (due > last || it > number));
		last = due;
		number = it;
	}
	ck_assert_ptr_null(wire_heap_pop(&h));
	wire_heap_done(&h);
}
END_TEST

UNIT_MAIN("link/wire", a_perfect_wire_delays_only_by_what_it_is_told, a_rate_spaces_packets_and_a_full_queue_loses_the_last,
    chances_come_out_as_set_and_the_same_from_the_same_seed, losses_come_in_bursts, jitter_keeps_the_order_and_reordering_does_not,
    kinds_are_lost_alone_and_a_line_that_is_down_takes_nothing, the_heap_gives_by_time_and_equals_in_their_order)
