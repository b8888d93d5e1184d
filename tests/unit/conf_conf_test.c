/*
 * conf_conf_test.c - settings by schema: each kind read, defaults, every refusal with its line, and the printed forms read back.
 */
#include <stdio.h>

#include "common/base/file.h"
#include "common/conf/conf.h"
#include "tests/unit/unit.h"

struct settings {
#define CONF SP_CONF_MEMBER
#include "tests/unit/conf_sample.def"
#undef CONF
};
#define SP_CONF_STRUCT struct settings
static const struct sp_conf_key keys[] = {
#define CONF SP_CONF_ROW
#include "tests/unit/conf_sample.def"
#undef CONF
};
#define N (sizeof(keys) / sizeof(keys[0]))
#define NEEDED "database = \"dbname=x\";\n"

/* A fresh folder; its file t.conf holds text. */
static char folder[] = "/tmp/sp-conf-XXXXXX";
static char path[64];

static void
write_file(const char *text)
{
	if (path[0] == 0) {
		ck_assert_ptr_nonnull(mkdtemp(folder));
		snprintf(path, sizeof(path), "%s/t.conf", folder);
	}
	ck_status(sp_file_write(path, sp_span_str(text), 0600, NULL), SP_OK);
}

static void
cleanup(void)
{
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}

START_TEST(defaults_hold_where_the_file_is_silent)
{
	struct settings s;
	char want[64];

	write_file(NEEDED);
	ck_status(sp_conf_read(keys, N, path, &s, NULL), SP_OK);
	ck_assert_str_eq(s.title, "a \"title\"");
	snprintf(want, sizeof(want), "%s/received", folder);
	ck_assert_str_eq(s.folder, want);
	ck_assert_str_eq(s.socket, "");
	ck_assert_uint_eq(s.max_batch, 256);
	ck_assert(s.strict);
	ck_assert_uint_eq(s.chunk, 65536);
	ck_assert_uint_eq(s.idle, 30000);
	ck_assert_uint_eq(s.links, 1);
	ck_assert_uint_eq(s.listen.count, 2);
	ck_assert_str_eq(s.listen.items[1], "[::1]:7678");
	ck_assert_str_eq(s.database, "dbname=x");
	sp_conf_done(keys, N, &s);
	ck_assert_ptr_null(s.database);
	ck_assert_uint_eq(s.listen.count, 0);
	sp_conf_done(keys, N, &s);
	cleanup();
}
END_TEST

START_TEST(each_kind_is_read)
{
	struct settings s;
	struct sp_why why = { "" };

	write_file(NEEDED "# a comment\ntitle = \"caf\xc3\xa9 \\\"x\\\"\"; folder = \"/abs/path\"; socket = \"s/x\";\n"
	    "max_batch = 1024; serial = 4000000000; strict = false;\nchunk = \"1 MiB\"; idle = \"2min\";\n"
	    "links = \"refuse\"; listen = [ \"a:1\", \"b:2\", \"c:3\" ];\n");
	ck_assert_msg(sp_conf_read(keys, N, path, &s, &why) == SP_OK, "%s", why.text);
	ck_assert_str_eq(s.title, "caf\xc3\xa9 \"x\"");
	ck_assert_str_eq(s.folder, "/abs/path");
	ck_assert_uint_eq(s.max_batch, 1024);
	ck_assert_uint_eq(s.serial, 4000000000u);
	ck_assert(!s.strict);
	ck_assert_uint_eq(s.chunk, 1024 * 1024);
	ck_assert_uint_eq(s.idle, 120000);
	ck_assert_uint_eq(s.links, 2);
	ck_assert_uint_eq(s.listen.count, 3);
	ck_assert_str_eq(s.listen.items[2], "c:3");
	sp_conf_done(keys, N, &s);
	write_file(NEEDED "listen = \"only:1\"; chunk = 4096; serial = 0xff; // 9 @\n/* 5 @ */ title = \"4 @ \\\" 5\";");
	ck_assert_msg(sp_conf_read(keys, N, path, &s, &why) == SP_OK, "%s", why.text);
	ck_assert_uint_eq(s.listen.count, 1);
	ck_assert_uint_eq(s.chunk, 4096);
	ck_assert_uint_eq(s.serial, 255);
	ck_assert_str_eq(s.title, "4 @ \" 5");
	sp_conf_done(keys, N, &s);
	cleanup();
}
END_TEST

START_TEST(wrong_files_are_refused_with_the_line)
{
	static const struct { const char *text, *line, *reason; } cases[] = {
		{ NEEDED "max_batch = 9000;\n", ":2: ", "max_batch is 9000, at most 1024" },
		{ NEEDED "\n\nmax_batch = 0;\n", ":4: ", "max_batch is 0, at least 1" },
		{ NEEDED "max_batch = -1;\n", ":2: ", "max_batch is -1, it can't be negative" },
		{ NEEDED "max_batch = 5000000000L;\n", ":2: ", "max_batch is 5000000000, at most 1024" },
		{ NEEDED "max_batch = 4294967297;\n", ":2: ", "max_batch is 4294967297, at most 1024" },
		{ NEEDED "serial = 99999999999999999999999;\n", ":2: ", "at most 4294967295" },
		{ NEEDED "serial = 0x1ffffffff;\n", ":2: ", "serial is 8589934591, at most 4294967295" },
		{ NEEDED "serial = 5000000000L;\n", ":2: ", "serial is 5000000000, at most 4294967295" },
		{ NEEDED "max_batch = \"12\";\n", ":2: ", "max_batch is \"12\", it must be a number" },
		{ NEEDED "max_batch = 1.5;\n", ":2: ", "max_batch must be a number" },
		{ NEEDED "max_batch = { a = 1; };\n", ":2: ", "max_batch must be a number" },
		{ NEEDED "max_batch = [ 1, 2 ];\n", ":2: ", "max_batch must be a number" },
		{ NEEDED "max_bach = 9;\n", ":2: ", "there is no setting max_bach" },
		{ NEEDED "group = { max_batch = 9; };\n", ":2: ", "there is no setting group" },
		{ NEEDED "strict = 1;\n", ":2: ", "strict must be true or false" },
		{ NEEDED "strict = \"yes\";\n", ":2: ", "strict is \"yes\", it must be true or false" },
		{ NEEDED "title = \"\";\n", ":2: ", "title is 0 bytes, at least 1" },
		{ NEEDED "title = \"123456789012345678901\";\n", ":2: ", "title is 21 bytes, at most 20" },
		{ NEEDED "title = \"a\\nb\";\n", ":2: ", "title is not plain text" },
		{ NEEDED "title = 5;\n", ":2: ", "title must be a text in quotes" },
		{ NEEDED "title = true;\n", ":2: ", "title must be a text in quotes" },
		{ NEEDED "title = [ \"a\" ];\n", ":2: ", "title must be a text in quotes" },
		{ NEEDED "chunk = \"64 K\";\n", ":2: ", "chunk is \"64 K\", not a number and a unit" },
		{ NEEDED "chunk = \"1 KiB\";\n", ":2: ", "chunk is 1 KiB, at least 2 KiB" },
		{ NEEDED "chunk = \"2 GiB\";\n", ":2: ", "chunk is 2 GiB, at most 1 MiB" },
		{ NEEDED "chunk = \"18446744073709551615 KiB\";\n", ":2: ", "too large" },
		{ NEEDED "chunk = \"99999999999999999999 B\";\n", ":2: ", "not a number and a unit" },
		{ NEEDED "chunk = -4096;\n", ":2: ", "negative" },
		{ NEEDED "idle = 30;\n", ":2: ", "idle needs a unit, like \"30 s\"" },
		{ NEEDED "idle = \"30\";\n", ":2: ", "not a number and a unit" },
		{ NEEDED "idle = \"s\";\n", ":2: ", "not a number and a unit" },
		{ NEEDED "idle = \"5  s\";\n", ":2: ", "not a number and a unit" },
		{ NEEDED "idle = \"2 h\";\n", ":2: ", "idle is 2 h, at most 1 h" },
		{ NEEDED "links = \"kee\";\n", ":2: ", "links is \"kee\", not one of keep|leave|refuse" },
		{ NEEDED "links = \"\";\n", ":2: ", "not one of" },
		{ NEEDED "links = 1;\n", ":2: ", "links must be keep|leave|refuse" },
		{ NEEDED "listen = [];\n", ":2: ", "listen is 0 items, at least 1" },
		{ NEEDED "listen = [ \"a\", \"b\", \"c\", \"d\" ];\n", ":2: ", "listen is 4 items, at most 3" },
		{ NEEDED "listen = [ \"a\", \"\" ];\n", ":2: ", "listen has an empty item" },
		{ NEEDED "listen = ( \"a\", 5 );\n", ":2: ", "listen must be a text" },
		{ NEEDED "max_batch = 1;\nmax_batch = 2;\n", ":3: ", "" },
		{ NEEDED "max_batch = ;\n", ":2: ", "syntax error" },
		{ NEEDED "max_batch = \"open\n", ":", "" },
		{ "max_batch = 1;\n", ": ", "database is missing: how to reach the database" },
		{ NEEDED "  @include \"/etc/passwd\"\n", ": ", "@include" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s;
		struct sp_why why = { "" };
		char where[80];

		write_file(cases[i].text);
		ck_assert_msg(sp_conf_read(keys, N, path, &s, &why) == SP_E_CONFIG, "taken: %s", cases[i].text);
		snprintf(where, sizeof(where), "%s%s", path, cases[i].line);
		ck_assert_msg(strncmp(why.text, where, strlen(where)) == 0 && strstr(why.text, cases[i].reason) != NULL,
		    "%s says: %s", cases[i].text, why.text);
		ck_assert_ptr_null(s.database);
		ck_assert_ptr_null(s.title);
		ck_assert_ptr_null(s.listen.items);
	}
	cleanup();
}
END_TEST

START_TEST(files_that_are_not_there_or_no_text)
{
	struct settings s;
	struct sp_why why = { "" };

	write_file("");
	ck_status(sp_file_write(path, sp_span(NEEDED "\0x", sizeof(NEEDED) + 1), 0600, NULL), SP_OK);
	ck_status(sp_conf_read(keys, N, path, &s, &why), SP_E_CONFIG);
	ck_status(sp_conf_read(keys, N, folder, &s, &why), SP_E_IO);
	ck_assert_int_eq(unlink(path), 0);
	ck_status(sp_conf_read(keys, N, path, &s, &why), SP_E_NOTFOUND);
	/* without the required row, a missing file gives the defaults */
	ck_status(sp_conf_read_if_there(keys, N, path, &s, &why), SP_E_CONFIG);
	ck_status(sp_conf_read_if_there(keys, N - 1, path, &s, &why), SP_OK);
	ck_assert_uint_eq(s.max_batch, 256);
	sp_conf_done(keys, N - 1, &s);
	cleanup();
}
END_TEST

START_TEST(the_sample_reads_back_to_the_defaults)
{
	struct settings s;
	SP_AUTO_DONE(sp_buf) sample = { 0 };
	SP_AUTO_DONE(sp_buf) file = { 0 };
	const char *at;

	sp_conf_sample(keys, N, &sample);
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&sample), "# requests taken at once (1 to 1024 requests)\n#max_batch = 256;"));
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&sample), "# needed:\n#database = \"\";"));
	/* with every setting put in force */
	for (at = sp_buf_cstr(&sample); *at != 0; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] != 0)) {
		bool setting = at[0] == '#' && at[1] != ' ';

		sp_buf_add(&file, at + setting, strcspn(at, "\n") - setting);
		sp_buf_add_text(&file, "\n");
	}
	at = strstr(sp_buf_cstr(&file), "database = \"\"");
	ck_assert_ptr_nonnull(at);
	file.len = (size_t)(at - (const char *)file.data);
	sp_buf_add_text(&file, NEEDED);
	write_file(sp_buf_cstr(&file));
	ck_status(sp_conf_read(keys, N, path, &s, NULL), SP_OK);
	ck_assert_str_eq(s.title, "a \"title\"");
	ck_assert_uint_eq(s.links, 1);
	ck_assert_uint_eq(s.chunk, 65536);
	ck_assert_uint_eq(s.listen.count, 2);
	sp_conf_done(keys, N, &s);
	cleanup();
}
END_TEST

START_TEST(printed_settings_read_back_and_hide_secrets)
{
	struct settings s;
	SP_AUTO_DONE(sp_buf) first = { 0 };
	SP_AUTO_DONE(sp_buf) again = { 0 };

	write_file(NEEDED "title = \"b\\\\s\\\"q\"; idle = \"1500 ms\"; chunk = \"3 kB\"; links = \"keep\"; strict = false;\n"
	    "listen = [ \"z\" ]; serial = 7;\n");
	ck_status(sp_conf_read(keys, N, path, &s, NULL), SP_OK);
	sp_conf_print(keys, N, &s, &first);
	sp_conf_done(keys, N, &s);
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&first), "\nidle = \"1500 ms\";"));
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&first), "\ntitle = \"b\\\\s\\\"q\";"));
	ck_assert_ptr_null(strstr(sp_buf_cstr(&first), "dbname"));
	sp_buf_add_text(&again, NEEDED);
	sp_buf_add(&again, first.data, first.len);
	write_file(sp_buf_cstr(&again));
	ck_status(sp_conf_read(keys, N, path, &s, NULL), SP_OK);
	sp_buf_clear(&again);
	sp_conf_print(keys, N, &s, &again);
	ck_assert_str_eq(sp_buf_cstr(&again), sp_buf_cstr(&first));
	ck_assert_str_eq(s.title, "b\\s\"q");
	ck_assert_uint_eq(s.chunk, 3000);
	sp_conf_done(keys, N, &s);
	cleanup();
}
END_TEST

START_TEST(the_manual_lists_every_row)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	sp_conf_man(keys, N, &out);
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&out),
	    ".TP\n.B idle\nwhen it is closed.\n(1 s to 1 h; default \"30 s\").\n"));
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&out), ".B links\nwhat happens to links.\n(one of keep, leave, refuse; "
	    "default \"leave\").\n"));
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&out), ".B database\nhow to reach the database.\n(1 to 100 bytes; needed).\n"));
}
END_TEST

UNIT_MAIN("conf/conf", defaults_hold_where_the_file_is_silent, each_kind_is_read, wrong_files_are_refused_with_the_line,
    files_that_are_not_there_or_no_text, the_sample_reads_back_to_the_defaults,
    printed_settings_read_back_and_hide_secrets, the_manual_lists_every_row)
