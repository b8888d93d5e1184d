/*
 * base_inodes_test.c - inodes and their numbers: met once, found again, apart by device, through growth.
 */
#include "common/base/inodes.h"

#include "tests/unit/unit.h"

START_TEST(an_empty_table_knows_nothing)
{
	struct sp_inodes t = { 0 };
	uint32_t number;

	ck_assert(!sp_inodes_find(&t, 1, 1, &number));
	sp_inodes_done(&t);
}
END_TEST

START_TEST(the_first_number_stays)
{
	SP_AUTO_DONE(sp_inodes) t = { 0 };
	uint32_t number;
	bool known;

	ck_status(sp_inodes_meet(&t, 1, 7, 40, &known, &number), SP_OK);
	ck_assert(!known);
	ck_assert_uint_eq(number, 40);
	ck_status(sp_inodes_meet(&t, 1, 7, 41, &known, &number), SP_OK);
	ck_assert(known);
	ck_assert_uint_eq(number, 40);
	ck_assert(!sp_inodes_find(&t, 2, 7, &number));	/* another device */
	ck_assert(!sp_inodes_find(&t, 1, 8, &number));
}
END_TEST

START_TEST(growing_loses_none)
{
	SP_AUTO_DONE(sp_inodes) t = { 0 };
	uint32_t number;
	bool known;

	for (uint32_t i = 0; i < 10000; i++) {
		ck_status(sp_inodes_meet(&t, i % 3, (uint64_t)i / 3 << 8, i, &known, &number), SP_OK);
		ck_assert(!known);
	}
	for (uint32_t i = 0; i < 10000; i++) {
		ck_assert(sp_inodes_find(&t, i % 3, (uint64_t)i / 3 << 8, &number));
		ck_assert_uint_eq(number, i);
	}
	ck_assert(!sp_inodes_find(&t, 3, 0, &number));
}
END_TEST

UNIT_MAIN("base/inodes", an_empty_table_knows_nothing, the_first_number_stays, growing_loses_none)
