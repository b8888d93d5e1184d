/*
 * cli_print_test.c - words for people: sizes, spans, times, texts that fit and cannot drive a terminal.
 */
#include <locale.h>
#include <string.h>
#include <time.h>

#include "peerd/cli/print.h"
#include "tests/unit/unit.h"

/* Widths of characters depend on it, as in the command. */
__attribute__((constructor)) static void
choose_locale(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
}

START_TEST(sizes_have_three_digits)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" }, { 1, "1 B" }, { 999, "999 B" }, { 1000, "1.0 kB" }, { 1049, "1.0 kB" }, { 99949,
		    "99.9 kB" },
		{ 99950, "100 kB" }, { 999499, "999 kB" }, { 999500, "1.0 MB" }, { 1000000, "1.0 MB" },
		{ 652000000, "652 MB" }, { 1500000000, "1.5 GB" }, { UINT64_MAX, "18.4 EB" },
	};
	char out[PRINT_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(print_size(cases[i].bytes, out), cases[i].text);
}
END_TEST

START_TEST(spans_grow_by_units)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "0:00" }, { 7, "0:07" }, { 723, "12:03" }, { 3599, "59:59" }, { 3600, "1:00:00" }, { 7500,
		    "2:05:00" },
		{ 3 * 86400 - 1, "71:59:59" }, { 3 * 86400, "3 days" }, { UINT64_MAX, "213503982334601 days" },
	};
	char out[PRINT_SPAN];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(print_span(cases[i].seconds, out), cases[i].text);
}
END_TEST

START_TEST(times_are_local_and_malformed_ones_are_empty)
{
	static const char *const bad[] = { "", "yesterday", "2026-11-24", "2026-11-24T05:08:41",
	    "2026-11-24T05:08:41Zx",
		"2026-13-24T05:08:41Z" };
	char out[PRINT_SPAN];

	ck_assert_int_eq(setenv("TZ", "UTC-1", 1), 0);
	tzset();
	ck_assert_str_eq(print_when("2026-11-24T23:08:41Z", out), "2026-11-25 00:08");
	ck_assert_str_eq(print_when(NULL, out), "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_str_eq(print_when(bad[i], out), "");
}
END_TEST

static void
safe_is(const char *text, const char *want)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	print_safe(&out, text);
	ck_assert_str_eq(sp_buf_cstr(&out), want);
}

START_TEST(pk16_texts_cannot_drive_the_terminal)
{
	safe_is("plain \xc3\xa4\xe6\x97\xa5", "plain \xc3\xa4\xe6\x97\xa5");
	safe_is("a\x1b[31mb", "a\\x1b[31mb");
	safe_is("a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f");
	safe_is("c1 \xc2\x9b", "c1 \\xc2\\x9b");
	safe_is("\xff\xfe", "\\xff\\xfe");
	safe_is("cut \xe6\x97", "cut \\xe6\\x97");
	safe_is("back\\slash", "back\\slash");
}
END_TEST

static void
raw_is(const char *text, const char *want)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	print_raw(&out, text);
	ck_assert_str_eq(sp_buf_cstr(&out), want);
}

START_TEST(pk16_printable_paths_go_back_to_bytes)
{
	raw_is("/plain", "/plain");
	raw_is("/a\\xff\\xfe b", "/a\xff\xfe b");
	raw_is("/a\\\\xff", "/a\\xff");
	raw_is("/end\\", "/end\\");
	raw_is("/odd\\x4", "/odd\\x4");
	raw_is("/odd\\xG0", "/odd\\xG0");
}
END_TEST

static void
word_is(const char *text, const char *want)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	print_word(&out, text);
	ck_assert_str_eq(sp_buf_cstr(&out), want);
}

START_TEST(words_are_quoted_for_a_shell)
{
	word_is("/home/a/x.receipt", "/home/a/x.receipt");
	word_is("", "''");
	word_is("-n", "'-n'");
	word_is("a b", "'a b'");
	word_is("it's", "'it'\\''s'");
	word_is("$(x)", "'$(x)'");
	word_is("~a", "'~a'");
}
END_TEST

static void
cut_is(const char *text, size_t width, const char *want, size_t columns)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	ck_assert_uint_eq(print_cut(&out, text, width), columns);
	ck_assert_str_eq(sp_buf_cstr(&out), want);
	ck_assert_uint_eq(print_columns(sp_buf_cstr(&out)), columns);
}

START_TEST(texts_are_cut_by_columns_not_bytes)
{
	cut_is("short", 5, "short", 5);
	cut_is("longer", 5, "long…", 5);
	cut_is("ää", 2, "ää", 2);
	cut_is("äää", 2, "ä…", 2);
	/* two columns a character */
	cut_is("日本語", 6, "日本語", 6);
	cut_is("日本語", 5, "日本…", 5);
	cut_is("日本語", 4, "日…", 3);
	/* a mark that takes no column stays with its letter */
	cut_is("e\xcc\x81tude", 3, "e\xcc\x81t…", 3);
	cut_is("x", 0, "", 0);
	cut_is("xy", 1, "…", 1);
	cut_is("", 0, "", 0);
}
END_TEST

static void
bar_is(uint64_t part, uint64_t whole, unsigned width, const char *want)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	print_bar(part, whole, width, &out);
	ck_assert_str_eq(sp_buf_cstr(&out), want);
}

START_TEST(bars_are_as_wide_as_they_may_be)
{
	bar_is(0, 10, 6, "[----]");
	bar_is(5, 10, 6, "[##--]");
	bar_is(10, 10, 6, "[####]");
	bar_is(20, 10, 6, "[####]");
	bar_is(0, 0, 6, "[----]");
	bar_is(UINT64_MAX, UINT64_MAX, 6, "[####]");
	bar_is(1, 2, 3, "[-]");
	bar_is(1, 2, 2, "");
}
END_TEST

UNIT_MAIN("cli/print", sizes_have_three_digits, spans_grow_by_units, times_are_local_and_malformed_ones_are_empty,
    pk16_texts_cannot_drive_the_terminal, pk16_printable_paths_go_back_to_bytes, words_are_quoted_for_a_shell,
    texts_are_cut_by_columns_not_bytes, bars_are_as_wide_as_they_may_be)
