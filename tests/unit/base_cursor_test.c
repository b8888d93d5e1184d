/*
 * base_cursor_test.c - bounded reading: values, the sticky error, and left-over bytes.
 */
#include "common/base/cursor.h"
#include "tests/unit/unit.h"

START_TEST(reads_big_endian_integers)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct sp_cursor c = sp_cursor(sp_span(bytes, sizeof(bytes)));

	ck_assert_uint_eq(sp_cursor_u8(&c), 1);
	ck_assert_uint_eq(sp_cursor_u16(&c), 0x0203);
	ck_assert_uint_eq(sp_cursor_u32(&c), 0x04050607);
	ck_assert_uint_eq(sp_cursor_u64(&c), 0x08090a0b0c0d0e0full);
	ck_status(sp_cursor_end(&c), SP_OK);
}
END_TEST

START_TEST(first_error_sticks)
{
	struct sp_cursor c = sp_cursor(sp_span("abc", 3));

	ck_assert_uint_eq(sp_cursor_u32(&c), 0);
	ck_assert_uint_eq(sp_cursor_u8(&c), 0);
	ck_assert_uint_eq(sp_cursor_bytes(&c, 1).n, 0);
	ck_status(sp_cursor_end(&c), SP_E_SHORT);
	sp_cursor_fail(&c, SP_E_FORMAT);
	ck_status(sp_cursor_end(&c), SP_E_SHORT);
}
END_TEST

START_TEST(left_over_bytes_are_an_error)
{
	struct sp_cursor c = sp_cursor(sp_span("abc", 3));

	ck_assert_uint_eq(sp_cursor_u16(&c), 0x6162);
	ck_status(sp_cursor_end(&c), SP_E_LONG);
}
END_TEST

START_TEST(copy_zeroes_what_is_not_there)
{
	struct sp_cursor c = sp_cursor(sp_span(NULL, 0));
	uint8_t out[2] = { 7, 7 };

	sp_cursor_copy(&c, out, sizeof(out));
	ck_assert_uint_eq(out[0] | out[1], 0);
	ck_status(sp_cursor_end(&c), SP_E_SHORT);
}
END_TEST

UNIT_MAIN("base/cursor", reads_big_endian_integers, first_error_sticks, left_over_bytes_are_an_error,
    copy_zeroes_what_is_not_there)
