/*
 * letters_memory_test.c - the replay memory: same letters, other letters under an id, its bounds, its end.
 */
#include "common/base/limits.h"
#include "peerd/letters/memory.h"
#include "tests/unit/unit.h"

static struct memory_key
key_of(uint8_t sender, uint32_t number)
{
	struct memory_key key = { { sender }, { { 0 } } };

	memcpy(key.id.b, &number, sizeof(number));
	return key;
}

static enum memory_verdict
look(struct memory *m, uint8_t sender, uint32_t number, uint8_t core, uint64_t now, struct memory_seen *seen)
{
	struct memory_key key = key_of(sender, number);
	struct sp_hash hash = { { core } };

	return memory_look(m, &key, &hash, now, seen);
}

START_TEST(a_letter_again_has_its_answer)
{
	SP_AUTO(memory) *m = memory_new();
	struct memory_key key = key_of(1, 1);
	struct memory_seen seen;
	int holder;

	ck_assert_int_eq(look(m, 1, 1, 7, 0, &seen), MEMORY_NEW);
	memory_hold(m, &key, &holder);
	ck_assert_int_eq(look(m, 1, 1, 7, 0, &seen), MEMORY_AGAIN);
	ck_assert_uint_eq(seen.answer.n, 0);
	ck_assert_ptr_eq(seen.holder, &holder);
	memory_answer(m, &key, sp_span_str("the answer"));
	ck_assert_int_eq(look(m, 1, 1, 7, 0, &seen), MEMORY_AGAIN);
	ck_assert(sp_span_eq(seen.answer, sp_span_str("the answer")));
	ck_assert_ptr_null(seen.holder);
	ck_assert_int_eq(look(m, 1, 1, 8, 0, &seen), MEMORY_OTHER);
	ck_assert_int_eq(look(m, 2, 1, 8, 0, &seen), MEMORY_NEW);	/* another's id */
	memory_forget(m, &key);
	ck_assert_int_eq(look(m, 1, 1, 8, 0, &seen), MEMORY_NEW);
}
END_TEST

START_TEST(it_lasts_as_long_as_a_letter_can_come_again)
{
	SP_AUTO(memory) *m = memory_new();
	struct memory_seen seen;

	ck_assert_int_eq(look(m, 1, 1, 7, 1000, &seen), MEMORY_NEW);
	ck_assert_int_eq(look(m, 1, 1, 7, 1000 + 2 * SP_LETTER_WINDOW_MS - 1, &seen), MEMORY_AGAIN);
	ck_assert_int_eq(look(m, 1, 1, 7, 1000 + 2 * SP_LETTER_WINDOW_MS, &seen), MEMORY_NEW);
	ck_assert_uint_eq(memory_count(m), 1);
}
END_TEST

START_TEST(nobody_pushes_the_others_out)
{
	SP_AUTO(memory) *m = memory_new();
	struct memory_seen seen;

	look(m, 1, 0, 7, 0, &seen);
	for (uint32_t i = 0; i <= SP_LETTER_MEMORY_SENDER; i++)
		ck_assert_int_eq(look(m, 2, i, 7, 0, &seen), MEMORY_NEW);
	ck_assert_uint_eq(memory_count(m), SP_LETTER_MEMORY_SENDER + 1);
	ck_assert_int_eq(look(m, 1, 0, 7, 0, &seen), MEMORY_AGAIN);
	ck_assert_int_eq(look(m, 2, 1, 7, 0, &seen), MEMORY_AGAIN);
	ck_assert_int_eq(look(m, 2, 0, 7, 0, &seen), MEMORY_NEW);	/* its own oldest */
}
END_TEST

START_TEST(it_is_bounded_in_all)
{
	SP_AUTO(memory) *m = memory_new();
	struct memory_seen seen;

	for (uint32_t i = 0; i < SP_LETTER_MEMORY + 100; i++)
		ck_assert_int_eq(look(m, (uint8_t)(i % 128), i, 7, 0, &seen), MEMORY_NEW);
	ck_assert_uint_eq(memory_count(m), SP_LETTER_MEMORY);
	ck_assert_int_eq(look(m, 100 % 128, 100, 7, 0, &seen), MEMORY_AGAIN);
	ck_assert_int_eq(look(m, 99 % 128, 99, 7, 0, &seen), MEMORY_NEW);
}
END_TEST

UNIT_MAIN("letters/memory", a_letter_again_has_its_answer, it_lasts_as_long_as_a_letter_can_come_again,
    nobody_pushes_the_others_out, it_is_bounded_in_all)
