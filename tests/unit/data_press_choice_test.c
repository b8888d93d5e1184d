/*
 * data_press_choice_test.c - lines and processors of several speeds, and what the choice makes of them.
 */
#include "peerd/data/press_choice.h"
#include "tests/unit/unit.h"

#define MB 1000000ull
#define TURN (256 * 1024ull)

/* A way: what the line takes, what a processor makes of it raw and compressed, all in bytes of its own kind a second; the
 * compressed is a share-th. */
struct way {
	double line, raw, pressed, share;
};

struct outcome {
	uint64_t ms;
	uint64_t raw;		/* bytes of tar that went as they are */
};

/* Sends so much of the tar. Whoever is slower, processor or line, sets the pace. */
static struct outcome
sent(struct press_choice *c, struct way w, uint64_t from, uint64_t to)
{
	struct outcome o = { 0 };
	double now = 1000;

	for (uint64_t at = from; at < to;) {
		bool raw = press_choice_is_raw(c);
		double work = (double)TURN / (raw ? w.raw : w.pressed), wire = (double)TURN / (raw ? 1 : w.share) / w.line;

		now += (work > wire ? work : wire) * 1000;
		o.raw += raw ? TURN : 0;
		at += TURN;
		press_choice_turn(c, at, (uint64_t)now, wire > work);
	}
	o.ms = (uint64_t)now - 1000;
	return o;
}

START_TEST(pk01_a_slow_line_gets_it_compressed)
{
	struct press_choice c = { 0 };
	struct way w = { .line = 12 * MB, .raw = 900 * MB, .pressed = 450 * MB, .share = 4 };
	struct outcome o = sent(&c, w, 0, 1000 * MB);

	/* tried the other way now and then, at no great cost */
	ck_assert_uint_gt(o.raw, 0);
	ck_assert_uint_lt(o.raw, 10 * MB);
	ck_assert_uint_lt(o.ms, 1000 * 1000 / 4 / 12 * 11 / 10);
}
END_TEST

START_TEST(pk01_a_fast_line_gets_it_as_it_is)
{
	struct press_choice c = { 0 };
	struct way w = { .line = 3000 * MB, .raw = 900 * MB, .pressed = 450 * MB, .share = 4 };
	struct outcome o = sent(&c, w, 0, 1000 * MB);

	ck_assert_uint_gt(o.raw, 900 * MB);
	ck_assert_uint_lt(o.ms, 1000 * 1000 / 900 * 11 / 10);
}
END_TEST

/* Compressed so well that the line is not full, and yet faster than the line takes it raw. */
START_TEST(a_line_that_compressing_outruns)
{
	struct press_choice c = { 0 };
	struct way w = { .line = 117 * MB, .raw = 900 * MB, .pressed = 450 * MB, .share = 10 };
	struct outcome o = sent(&c, w, 0, 1000 * MB);

	ck_assert_uint_lt(o.raw, 50 * MB);
	ck_assert_uint_lt(o.ms, 1000 * 1000 / 450 * 12 / 10);
}
END_TEST

START_TEST(a_line_that_changes_is_noticed)
{
	struct press_choice c = { 0 };
	struct way fast = { .line = 3000 * MB, .raw = 900 * MB, .pressed = 450 * MB, .share = 4 }, slow = fast;
	struct outcome o;

	slow.line = 12 * MB;
	(void)sent(&c, fast, 0, 80 * MB);
	ck_assert(press_choice_is_raw(&c));
	o = sent(&c, slow, 80 * MB, 1000 * MB);
	ck_assert_uint_lt(o.raw, 200 * MB);
	ck_assert(!press_choice_is_raw(&c));
}
END_TEST

/* Nothing to choose from: whatever is sent compresses to what it was. */
START_TEST(no_difference_costs_nothing)
{
	struct press_choice c = { 0 };
	struct way w = { .line = 3000 * MB, .raw = 900 * MB, .pressed = 900 * MB, .share = 1 };

	ck_assert_uint_le(sent(&c, w, 0, 1000 * MB).ms, 1000 * 1000 / 900 + 5);
}
END_TEST

START_TEST(short_packets_learn_nothing)
{
	struct press_choice c = { 0 };
	struct way w = { .line = 3000 * MB, .raw = 900 * MB, .pressed = 450 * MB, .share = 4 };

	ck_assert_uint_eq(sent(&c, w, 0, PRESS_STRETCH).raw, 0);
}
END_TEST

UNIT_MAIN("data/press_choice", pk01_a_slow_line_gets_it_compressed, pk01_a_fast_line_gets_it_as_it_is,
    a_line_that_compressing_outruns, a_line_that_changes_is_noticed, no_difference_costs_nothing, short_packets_learn_nothing)
