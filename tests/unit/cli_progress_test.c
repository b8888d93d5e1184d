/*
 * cli_progress_test.c - the progress line at every width, and the rate that it shows.
 */
#include <locale.h>
#include <string.h>

#include "peerd/cli/print.h"
#include "peerd/cli/progress.h"
#include "tests/unit/unit.h"

__attribute__((constructor)) static void
choose_locale(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
}

static const char *
line(struct sp_buf *out, const char *label, uint64_t done, uint64_t whole, uint64_t rate, unsigned width)
{
	sp_buf_clear(out);
	progress_line(label, done, whole, rate, width, out);
	return sp_buf_cstr(out);
}

START_TEST(it_never_exceeds_any_width)
{
	static const char *const labels[] = { "", "bob", "bob/desktop@post.example", "日本語日本語日本語日本語日本語",
		"e\xcc\x81tude/with@marks.example" };
	static const uint64_t numbers[][3] = { { 0, 1, 0 }, { 1, 3, 1 }, { 352000000, 652000000, 231000000 },
		{ 999, 1000, 1 }, { 5, 5, 999499 }, { UINT64_MAX, UINT64_MAX, UINT64_MAX }, { 0, UINT64_MAX, 1 }, { 9,
		    5, 7 },
		{ 0, 86400ULL * 98, 1 }, { 0, 0, 0 } };
	SP_AUTO_DONE(sp_buf) out = { 0 };

	for (size_t l = 0; l < sizeof(labels) / sizeof(labels[0]); l++)
		for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++)
			for (unsigned width = 0; width <= 200; width++) {
				const char *text = line(&out, labels[l], numbers[n][0], numbers[n][1], numbers[n][2],
				    width);

				ck_assert_msg(print_columns(text) <= width, "%zu of %u: %s", print_columns(text),
				    width, text);
				ck_assert_ptr_null(strpbrk(text, "\r\n\x1b"));
			}
}
END_TEST

START_TEST(it_says_what_fits)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	const uint64_t mb = 1000000;

	ck_assert_str_eq(line(&out, "bob", 326 * mb, 652 * mb, 163 * mb, 70),
	    "bob [###############---------------]  50%   326 MB   163 MB/s     0:02");
	ck_assert_str_eq(line(&out, "bob", 326 * mb, 652 * mb, 163 * mb, 60),
	    "bob [##########----------]  50%   326 MB   163 MB/s     0:02");
	ck_assert_str_eq(line(&out, "bob", 326 * mb, 652 * mb, 163 * mb, 39), "bob  50%   163 MB/s     0:02");
	ck_assert_str_eq(line(&out, "bob", 326 * mb, 652 * mb, 163 * mb, 16), "bob  50%");
	ck_assert_str_eq(line(&out, "bob/desktop@post.example", 326 * mb, 652 * mb, 163 * mb, 16),
	    "bob/deskto…  50%");
	ck_assert_str_eq(line(&out, "bob", 326 * mb, 652 * mb, 163 * mb, 4), "bob");
}
END_TEST

START_TEST(the_time_left_is_only_said_when_it_is_known)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	ck_assert_ptr_null(strstr(line(&out, "bob", 1, 1000000000, 0, 100), ":"));
	ck_assert_ptr_null(strstr(line(&out, "bob", 1, UINT64_MAX, 1, 100), "days"));
	ck_assert_ptr_null(strstr(line(&out, "bob", 1, 1000000000, PROGRESS_UNKNOWN, 100), "/s"));
	ck_assert_ptr_nonnull(strstr(line(&out, "bob", 1, 1000000000, 0, 100), " 0 B/s"));
	ck_assert_ptr_nonnull(strstr(line(&out, "bob", 9, 10, 100, 100), " 0:01"));
	ck_assert_ptr_nonnull(strstr(line(&out, "bob", 0, 86400ULL * 4, 1, 100), "4 days"));
	ck_assert_ptr_nonnull(strstr(line(&out, "bob", 5, 5, 1, 100), "100%"));
}
END_TEST

START_TEST(the_rate_is_that_of_the_last_seconds)
{
	struct progress p = { 0 };
	uint64_t now = 1000, done = 0;

	ck_assert_uint_eq(progress_rate(&p, now, 0), PROGRESS_UNKNOWN);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(progress_rate(&p, now += 250, done += 25000), 100000);
	/* slower from here: after the window the old speed is forgotten */
	for (int i = 0; i < 40; i++)
		progress_rate(&p, now += 250, done += 250);
	ck_assert_uint_eq(progress_rate(&p, now += 250, done += 250), 1000);
	/* a stall falls towards nothing, also when nobody reports */
	for (int i = 0; i < 10; i++)
		progress_rate(&p, now += 1000, done);
	ck_assert_uint_lt(progress_rate(&p, now += 10000, done), 200);
	/* it began again */
	ck_assert_uint_eq(progress_rate(&p, now += 1000, 0), PROGRESS_UNKNOWN);
	ck_assert_uint_eq(progress_rate(&p, now += 1000, 5000), 5000);
}
END_TEST

UNIT_MAIN("cli/progress", it_never_exceeds_any_width, it_says_what_fits, the_time_left_is_only_said_when_it_is_known,
    the_rate_is_that_of_the_last_seconds)
