/*
 * packet_path_test.c - which paths are allowed, their order, links that lead outside, and safe showing.
 */
#include "common/packet/path.h"

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/crypto/hash.h"
#include "tests/unit/packet_help.h"

#define BYTES(text) { (const uint8_t *)(text), sizeof(text) - 1 }
#define SPAN(text) ((struct sp_span)BYTES(text))

START_TEST(pk16_paths_of_any_bytes_are_allowed)
{
	static const struct sp_span good[] = {
		BYTES("a"), BYTES("a/b/c"), BYTES("..."), BYTES("..a"), BYTES("a.."), BYTES(".a"), BYTES("a b"), BYTES("\xff\xfe"),
		BYTES("\n"), BYTES("a/\x01"), BYTES("-"), BYTES("\\"), BYTES("\xc3\xa9"), BYTES("%2e%2e"),
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_status(sp_path_check(good[i], NULL), SP_OK);
}
END_TEST

START_TEST(bad_paths_are_refused_with_a_reason)
{
	static const struct sp_span bad[] = {
		BYTES(""), BYTES("/"), BYTES("/a"), BYTES("a/"), BYTES("a//b"), BYTES("."), BYTES(".."), BYTES("./a"), BYTES("../a"),
		BYTES("a/./b"), BYTES("a/../b"), BYTES("a/.."), BYTES("a/."), BYTES("a\0b"), BYTES("\0"), BYTES("//"),
	};
	struct sp_why why;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why.text[0] = 0;
		ck_status(sp_path_check(bad[i], &why), SP_E_PATH);
		ck_assert_str_ne(why.text, "");
	}
}
END_TEST

START_TEST(lengths_and_depth_have_limits)
{
	char path[SP_PATH_MAX + 2], deep[2 * SP_DEPTH_MAX + 2];

	memset(path, 'a', sizeof(path));
	ck_status(sp_path_check(sp_span(path, SP_COMPONENT_MAX), NULL), SP_OK);
	ck_status(sp_path_check(sp_span(path, SP_COMPONENT_MAX + 1), NULL), SP_E_PATH);
	for (size_t i = SP_COMPONENT_MAX; i < SP_PATH_MAX - 1; i += SP_COMPONENT_MAX + 1)
		path[i] = '/';
	path[SP_PATH_MAX - 1] = 'a';
	path[SP_PATH_MAX - 2] = '/';
	ck_status(sp_path_check(sp_span(path, SP_PATH_MAX), NULL), SP_OK);
	ck_status(sp_path_check(sp_span(path, SP_PATH_MAX + 1), NULL), SP_E_PATH);
	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = i % 2 == 0 ? 'd' : '/';
	ck_status(sp_path_check(sp_span(deep, 2 * SP_DEPTH_MAX - 1), NULL), SP_OK);
	ck_status(sp_path_check(sp_span(deep, 2 * SP_DEPTH_MAX + 1), NULL), SP_E_PATH);
}
END_TEST

START_TEST(order_is_by_components)
{
	static const char *const rising[] = { "a", "a/b", "a/b/c", "a/b-", "a/b0", "a/c", "a\x01", "a ", "a-b", "a.b", "a0",
	    "aa", "b", "\x7f", "\xc3\xa9", "\xff" };

	for (size_t i = 0; i < sizeof(rising) / sizeof(rising[0]); i++)
		for (size_t j = 0; j < sizeof(rising) / sizeof(rising[0]); j++) {
			int order = sp_path_compare(sp_span_str(rising[i]), sp_span_str(rising[j]));

			ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
		}
}
END_TEST

START_TEST(parent_is_the_folder_part)
{
	ck_assert_uint_eq(sp_path_parent(SPAN("a/b/c")), 3);
	ck_assert_uint_eq(sp_path_parent(SPAN("a/b")), 1);
	ck_assert_uint_eq(sp_path_parent(SPAN("a")), 0);
}
END_TEST

START_TEST(links_that_lead_outside_are_known)
{
	static const struct { const char *path, *target; bool outside; } rows[] = {
		{ "l", "a", false }, { "l", "a/b", false }, { "l", ".", false }, { "l", "./a", false }, { "l", "/", true },
		{ "l", "/etc/passwd", true }, { "l", "..", true }, { "l", "../a", true }, { "l", "a/..", true },
		{ "l", "./..", true }, { "d/l", "..", false }, { "d/l", "../a", false }, { "d/l", "../..", true },
		{ "d/l", ".././../a", true }, { "d/e/l", "../../a", false }, { "d/e/l", ".././/../a", false },
		{ "d/e/l", "../../../a", true }, { "d/e/l", "../a/../b", true }, { "d/l", "...", false },
		{ "d/l", "..a", false }, { "d/l", "a/...", false }, { "d/l", "//", true }, { "d/l", "../x//", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(sp_link_is_outside(sp_span_str(rows[i].path), sp_span_str(rows[i].target)) == rows[i].outside,
		    "%s -> %s", rows[i].path, rows[i].target);
}
END_TEST

START_TEST(links_outside_are_counted_and_hashed)
{
	SP_AUTO(sp_manifest) *none = test_manifest();
	SP_AUTO(sp_manifest) *m = test_parse(HEAD_TEXT
	    "d 755 1.000000000 0 d\n"
	    "l 777 1.000000000 0 d/a%20b ../../x\n"
	    "l 777 1.000000000 0 d/in ../x\n"
	    "f 644 1.000000000 0 x\n"
	    "l 777 1.000000000 0 y /x\n");
	struct sp_hash got, want;
	uint32_t count;

	ck_status(sp_links_outside(none, &count, &got), SP_OK);
	sp_sha256(sp_span(NULL, 0), &want);
	ck_assert_uint_eq(count, 0);
	ck_assert(sp_hash_eq(&got, &want));
	ck_status(sp_links_outside(m, &count, &got), SP_OK);
	sp_sha256(SPAN("d/a%20b\ny\n"), &want);
	ck_assert_uint_eq(count, 2);
	ck_assert(sp_hash_eq(&got, &want));
}
END_TEST

START_TEST(shown_paths_are_safe_and_short)
{
	char out[SP_PATH_SHOW], path[SP_PATH_MAX];

	ck_assert_str_eq(sp_path_show(SPAN("a b/\xc3\xa9"), out), "a b/\xc3\xa9");
	ck_assert_str_eq(sp_path_show(SPAN("a\x1b[m\n"), out), "a\\x1b[m\\x0a");
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = (char)(i % 3 == 0 ? 0xe2 : i % 3 == 1 ? 0x82 : 0xac);	/* euro signs */
	for (size_t n = 0; n < 200; n++) {
		sp_path_show(sp_span(path, n), out);
		ck_assert_uint_lt(strlen(out), SP_PATH_SHOW);
		ck_assert(sp_utf8_ok(sp_span_str(out)));
		ck_assert_int_eq(strstr(out, "...") != NULL, n - n % 3 + 4 * (n % 3) > 90);
	}
	memset(path, 1, sizeof(path));
	sp_path_show(sp_span(path, sizeof(path)), out);
	ck_assert_uint_lt(strlen(out), SP_PATH_SHOW);
}
END_TEST

UNIT_MAIN("packet/path", pk16_paths_of_any_bytes_are_allowed, bad_paths_are_refused_with_a_reason,
    lengths_and_depth_have_limits, order_is_by_components, parent_is_the_folder_part, links_that_lead_outside_are_known,
    links_outside_are_counted_and_hashed, shown_paths_are_safe_and_short)
