/*
 * cli_table_test.c - tables at every width: never wider, the ids whole, the unimportant columns gone first.
 */
#include <locale.h>
#include <string.h>

#include "peerd/cli/print.h"
#include "peerd/cli/table.h"
#include "tests/unit/unit.h"

__attribute__((constructor)) static void
choose_locale(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
}

static const struct table_column columns[] = {
	{ "ID", false, false, 0 }, { "WHEN", false, false, 2 }, { "WITH", true, false, 0 }, { "SIZE", false, true,
	    1 },
	{ "RESULT", true, false, 0 },
};

static void
fill(struct table *t)
{
	static const char *const rows[][5] = {
		{ "01a2113a-bdb3", "2026-11-24 05:08", "bob/desktop@post.example", "652 MB", "delivered" },
		{ "01a2113a-bdb4", "", "日本語/日本語日本語日本語@post.example", "9 B",
		    "everything was sent; waits for the signature" },
		{ "01a2113a-bdb5", "2026-11-24 05:09", "e\xcc\x81tude e\xcc\x81tude e\xcc\x81tude e\xcc\x81tude",
		    "1.5 GB", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		table_add(t, rows[i]);
}

/* Every line, its columns and its end; returns the number of lines. */
static size_t
widest(const char *text, size_t *ret_widest)
{
	size_t lines = 0;

	*ret_widest = 0;
	for (const char *p = text; *p != 0; lines++) {
		size_t n = strcspn(p, "\n");
		SP_AUTO_MEM char *line = strndup(p, n);
		size_t w = print_columns(line);

		ck_assert_msg(n == 0 || line[n - 1] != ' ', "a line ends in a space: \"%s\"", line);
		ck_assert_int_eq(p[n], '\n');
		*ret_widest = w > *ret_widest ? w : *ret_widest;
		p += n + 1;
	}
	return lines;
}

START_TEST(no_line_is_ever_wider_than_asked)
{
	SP_AUTO(table) *t = table_new(columns, 5);

	fill(t);
	for (unsigned width = 1; width <= 150; width++) {
		SP_AUTO_DONE(sp_buf) out = { 0 };
		size_t w;

		table_out(t, width, &out);
		ck_assert_uint_eq(widest(sp_buf_cstr(&out), &w), 4);
		ck_assert_msg(w <= width, "%zu columns of %u:\n%s", w, width, sp_buf_cstr(&out));
		if (width >= 40)
			ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&out), "\n01a2113a-bdb4  "));
	}
}
END_TEST

START_TEST(in_pipes_nothing_is_cut)
{
	SP_AUTO(table) *t = table_new(columns, 5);
	SP_AUTO_DONE(sp_buf) out = { 0 };

	fill(t);
	table_out(t, 0, &out);
	ck_assert_ptr_null(strstr(sp_buf_cstr(&out), "…"));
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&out), "everything was sent; waits for the signature\n"));
}
END_TEST

START_TEST(columns_stand_below_each_other)
{
	static const struct table_column two[] = { { "A", true, false, 0 }, { "B", false, true, 0 }, { "C", false,
	    false, 0 } };
	static const char *const rows[][3] = { { "日本", "1", "x" }, { "abcd", "22", "y" }, { "", "333", "" } };
	SP_AUTO(table) *t = table_new(two, 3);
	SP_AUTO_DONE(sp_buf) out = { 0 };

	for (size_t i = 0; i < 3; i++)
		table_add(t, rows[i]);
	table_out(t, 80, &out);
	ck_assert_str_eq(sp_buf_cstr(&out), "A       B  C\n日本    1  x\nabcd   22  y\n      333\n");
	sp_buf_clear(&out);
	/* a wide character that no longer fits leaves its columns empty, so that the next column stays in place */
	table_out(t, 11, &out);
	ck_assert_str_eq(sp_buf_cstr(&out), "A      B  C\n日…    1  x\nab…   22  y\n     333\n");
}
END_TEST

START_TEST(the_least_important_columns_go_first)
{
	SP_AUTO(table) *t = table_new(columns, 5);
	SP_AUTO_DONE(sp_buf) out = { 0 };

	fill(t);
	table_out(t, 60, &out);		/* 13 + 16 + 10 + 6 + 10 and the gaps: 63 */
	ck_assert_ptr_null(strstr(sp_buf_cstr(&out), "WHEN"));
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&out), "SIZE"));
	sp_buf_clear(&out);
	table_out(t, 44, &out);
	ck_assert_ptr_null(strstr(sp_buf_cstr(&out), "SIZE"));
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&out), "RESULT"));
}
END_TEST

START_TEST(foreign_texts_stay_on_their_line)
{
	static const struct table_column one[] = { { "TITLE", true, false, 0 } };
	static const char *const row[] = { "a\nb\x1b[2Jc\xff" };
	SP_AUTO(table) *t = table_new(one, 1);
	SP_AUTO_DONE(sp_buf) out = { 0 };

	table_add(t, row);
	table_out(t, 80, &out);
	ck_assert_str_eq(sp_buf_cstr(&out), "TITLE\na\\x0ab\\x1b[2Jc\\xff\n");
}
END_TEST

UNIT_MAIN("cli/table", no_line_is_ever_wider_than_asked, in_pipes_nothing_is_cut, columns_stand_below_each_other,
    the_least_important_columns_go_first, foreign_texts_stay_on_their_line)
