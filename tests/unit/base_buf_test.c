/*
 * base_buf_test.c - the growing buffer: contents, its maximum, the sticky error, secrets; and constant-time comparison.
 */
#include "common/base/buf.h"
#include "tests/unit/unit.h"

/* Under the address sanitizer, too, an allocation that cannot be is answered with NULL. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

START_TEST(appends_in_order_and_grows)
{
	SP_AUTO(sp_buf) *b = sp_buf_new();

	sp_buf_add_u8(b, 1);
	sp_buf_add_u16(b, 0x0203);
	sp_buf_add_u32(b, 0x04050607);
	sp_buf_add_u64(b, 0x08090a0b0c0d0e0full);
	for (unsigned i = 0; i < 15; i++)
		ck_assert_uint_eq(b->data[i], i + 1);
	sp_buf_clear(b);
	for (unsigned i = 0; i < 100000; i++)
		sp_buf_add_u8(b, (uint8_t)(i * 7));
	ck_assert_uint_eq(b->len, 100000);
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_uint_eq(b->data[i], (uint8_t)(i * 7));
	ck_status(sp_buf_status(b), SP_OK);
}
END_TEST

START_TEST(texts_and_formats)
{
	SP_AUTO_DONE(sp_buf) b = { 0 };

	ck_assert_str_eq(sp_buf_cstr(&b), "");
	sp_buf_add_text(&b, "one ");
	sp_buf_addf(&b, "%d-%s", 2, "three");
	sp_buf_add_span(&b, sp_span_str(" four"));
	sp_buf_add(&b, NULL, 0);
	sp_buf_add_text(&b, "");
	ck_assert_str_eq(sp_buf_cstr(&b), "one 2-three four");
	ck_assert_uint_eq(b.len, 16);
}
END_TEST

START_TEST(the_maximum_holds_and_the_error_sticks)
{
	SP_AUTO_DONE(sp_buf) b = { .max = 5 };

	sp_buf_add_text(&b, "12345");
	ck_status(sp_buf_status(&b), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&b), "12345");
	sp_buf_add_u8(&b, '6');
	ck_status(sp_buf_status(&b), SP_E_LONG);
	ck_assert_uint_eq(b.len, 5);
	sp_buf_consume(&b, 5);
	sp_buf_add_u8(&b, '7');
	ck_assert_uint_eq(b.len, 0);
	ck_assert_ptr_null(sp_buf_reserve(&b, 1));
	ck_assert_str_eq(sp_buf_cstr(&b), "");
	sp_buf_clear(&b);
	sp_buf_add_u8(&b, '8');
	ck_assert_str_eq(sp_buf_cstr(&b), "8");
	sp_buf_done(&b);
	ck_assert_uint_eq(b.max, 5);
	sp_buf_add_text(&b, "123456");
	ck_status(sp_buf_status(&b), SP_E_LONG);
}
END_TEST

START_TEST(lengths_that_overflow_are_refused)
{
	SP_AUTO_DONE(sp_buf) b = { 0 };
	SP_AUTO_DONE(sp_buf) c = { 0 };

	sp_buf_add_u8(&b, 1);
	ck_assert_ptr_null(sp_buf_reserve(&b, SIZE_MAX));
	ck_status(sp_buf_status(&b), SP_E_LONG);
	ck_assert_ptr_null(sp_buf_reserve(&c, SIZE_MAX / 2 + 1));
	ck_status(sp_buf_status(&c), SP_E_NOMEM);
	ck_assert_uint_eq(c.len, 0);
}
END_TEST

START_TEST(consume_takes_from_the_front)
{
	SP_AUTO_DONE(sp_buf) b = { 0 };

	sp_buf_add_text(&b, "abcdef");
	sp_buf_consume(&b, 2);
	ck_assert_str_eq(sp_buf_cstr(&b), "cdef");
	sp_buf_consume(&b, 0);
	ck_assert_str_eq(sp_buf_cstr(&b), "cdef");
	sp_buf_consume(&b, 100);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(secrets_are_wiped)
{
	SP_AUTO_DONE(sp_buf) b = { .secret = true };

	sp_buf_add_text(&b, "secret");
	sp_buf_consume(&b, 3);
	sp_buf_clear(&b);
	for (size_t i = 0; i < 6; i++)
		ck_assert_uint_eq(b.data[i], 0);
	sp_buf_done(&b);
	ck_assert(b.secret);
	sp_buf_free(NULL);
}
END_TEST

START_TEST(secrets_compare)
{
	ck_assert(sp_same_secret("abc", "abc", 3));
	ck_assert(!sp_same_secret("abc", "abd", 3));
	ck_assert(!sp_same_secret("xbc", "abc", 3));
	ck_assert(sp_same_secret("abc", "abd", 2));
	ck_assert(sp_same_secret("a", "b", 0));
}
END_TEST

START_TEST(spans_compare)
{
	ck_assert(sp_span_eq(sp_span("ab", 2), sp_span_str("ab")));
	ck_assert(!sp_span_eq(sp_span("ab", 2), sp_span_str("abc")));
	ck_assert(!sp_span_eq(sp_span("ab", 2), sp_span_str("ac")));
	ck_assert(sp_span_eq(sp_span(NULL, 0), sp_span_str("")));
	ck_assert_uint_eq(sp_span_str(NULL).n, 0);
}
END_TEST

START_TEST(ownership_moves)
{
	SP_AUTO(sp_buf) *b = sp_buf_new();
	struct sp_buf *moved = sp_take(&b);
	int fd = 5;

	ck_assert_ptr_null(b);
	ck_assert_ptr_nonnull(moved);
	sp_buf_free(moved);
	ck_assert_int_eq(sp_take_fd(&fd), 5);
	ck_assert_int_eq(fd, -1);
}
END_TEST

UNIT_MAIN("base/buf", appends_in_order_and_grows, texts_and_formats, the_maximum_holds_and_the_error_sticks,
    lengths_that_overflow_are_refused, consume_takes_from_the_front, secrets_are_wiped, secrets_compare, spans_compare,
    ownership_moves)
