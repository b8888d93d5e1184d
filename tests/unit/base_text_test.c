/*
 * base_text_test.c - hex, base64url, percent escapes, numbers, names, and foreign bytes made safe: one form only, each way.
 */
#include "common/base/text.h"
#include "tests/unit/unit.h"

START_TEST(hex_both_ways)
{
	uint8_t back[3];
	char out[7];

	ck_assert_str_eq(sp_hex("\x00\xab\xff", 3, out), "00abff");
	ck_assert_str_eq(sp_hex("", 0, out), "");
	ck_status(sp_unhex("00abff", 6, back, 3), SP_OK);
	ck_assert(memcmp(back, "\x00\xab\xff", 3) == 0);
	ck_status(sp_unhex("00ABFF", 6, back, 3), SP_E_FORMAT);
	ck_status(sp_unhex("00abf", 5, back, 2), SP_E_FORMAT);
	ck_status(sp_unhex("00abff", 6, back, 2), SP_E_FORMAT);
	ck_status(sp_unhex("0 abff", 6, back, 3), SP_E_FORMAT);
	ck_status(sp_unhex("", 0, back, 0), SP_OK);
}
END_TEST

START_TEST(base64url_both_ways)
{
	/* RFC 4648 §10 without padding, and bytes that need both special letters */
	static const struct { const char *raw, *text; } cases[] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff", "-_8" } };
	static const char *const bad[] = { "Z", "A", "Zh", "Zm9", "Zg==", "Zm8=", "+_8", "-/8", "Zm 8", "Zm9vY", "\xc3\xa4" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SP_AUTO_DONE(sp_buf) b = { 0 };

		sp_base64url_add(&b, sp_span_str(cases[i].raw));
		ck_assert_str_eq(sp_buf_cstr(&b), cases[i].text);
		sp_buf_clear(&b);
		ck_status(sp_base64url_read(sp_span_str(cases[i].text), &b), SP_OK);
		ck_assert_str_eq(sp_buf_cstr(&b), cases[i].raw);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SP_AUTO_DONE(sp_buf) b = { 0 };

		ck_assert_msg(sp_base64url_read(sp_span_str(bad[i]), &b) == SP_E_FORMAT, "taken: %s", bad[i]);
	}
}
END_TEST

START_TEST(pk16_percent_keeps_any_byte)
{
	SP_AUTO_DONE(sp_buf) raw = { 0 };
	SP_AUTO_DONE(sp_buf) text = { 0 };
	SP_AUTO_DONE(sp_buf) back = { 0 };
	static const char *const bad[] = { "%", "%4", "%41", "%0a", "%0G", "a b", "a\nb", "%%20", "\x7f", "%2" };

	for (unsigned i = 0; i < 256; i++)
		sp_buf_add_u8(&raw, (uint8_t)i);
	sp_percent_add(&text, sp_buf_span(&raw));
	ck_assert_uint_eq(text.len, 256 + 2 * (33 + 2));
	ck_assert_uint_eq(sp_percent_length(sp_buf_span(&raw)), text.len);
	for (size_t i = 0; i < text.len; i++)
		ck_assert(text.data[i] > 0x20 && text.data[i] != 0x7f);
	ck_status(sp_percent_read(sp_buf_span(&text), &back), SP_OK);
	ck_assert(sp_span_eq(sp_buf_span(&back), sp_buf_span(&raw)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sp_buf_clear(&back);
		ck_assert_msg(sp_percent_read(sp_span_str(bad[i]), &back) == SP_E_FORMAT, "taken: %s", bad[i]);
	}
}
END_TEST

START_TEST(utf8_is_the_shortest_form_only)
{
	static const char *const good[] = { "a", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3(" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_uint_eq(sp_utf8_length((const uint8_t *)good[i], strlen(good[i])), strlen(good[i]));
		ck_assert(sp_is_text(sp_span_str(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_uint_eq(sp_utf8_length((const uint8_t *)bad[i], strlen(bad[i])), 0);
		ck_assert(!sp_is_text(sp_span_str(bad[i])));
	}
	ck_assert_uint_eq(sp_utf8_length(NULL, 0), 0);
	ck_assert(sp_is_text(sp_span(NULL, 0)));
	ck_assert(!sp_is_text(sp_span("a\0b", 3)));
	ck_assert(!sp_is_text(sp_span_str("a\tb")));
	ck_assert(!sp_is_text(sp_span_str("\x7f")));
	ck_assert(!sp_is_text(sp_span_str("\xc2\x9b" "31m")));
}
END_TEST

START_TEST(foreign_bytes_are_made_printable)
{
	static const struct { const char *raw, *shown; } cases[] = {
		{ "plain", "plain" }, { "a\\b", "a\\\\b" }, { "a\x1b[31m", "a\\x1b[31m" }, { "a\nb\rc\td", "a\\x0ab\\x0dc\\x09d" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xae", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xae" },
		{ "\xff\xc3", "\\xff\\xc3" }, { "\x7f", "\\x7f" }, { "\xc2\x9b", "\\xc2\\x9b" },
		/* typography stays, what turns or hides text does not */
		{ "\xe2\x80\x93 \xe2\x80\x9cx\xe2\x80\x9d\xe2\x80\xa6", "\xe2\x80\x93 \xe2\x80\x9cx\xe2\x80\x9d\xe2\x80\xa6" },
		{ "\xe2\x80\xae" "fdp", "\\xe2\\x80\\xaefdp" }, { "\xe2\x80\x8b", "\\xe2\\x80\\x8b" }, { "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" }, { "\xef\xbb\xbf", "\\xef\\xbb\\xbf" }, { "\xd8\x9c", "\\xd8\\x9c" },
	};
	SP_AUTO_DONE(sp_buf) b = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sp_buf_clear(&b);
		sp_printable_add(&b, sp_span_str(cases[i].raw));
		ck_assert_str_eq(sp_buf_cstr(&b), cases[i].shown);
	}
	sp_buf_clear(&b);
	sp_printable_add(&b, sp_span("\0", 1));
	ck_assert_str_eq(sp_buf_cstr(&b), "\\x00");
}
END_TEST

START_TEST(numbers_have_one_form)
{
	uint64_t v = 7;

	ck_status(sp_parse_u64(sp_span_str("0"), 10, &v), SP_OK);
	ck_assert_uint_eq(v, 0);
	ck_status(sp_parse_u64(sp_span_str("18446744073709551615"), UINT64_MAX, &v), SP_OK);
	ck_assert_uint_eq(v, UINT64_MAX);
	ck_status(sp_parse_u64(sp_span_str("10"), 10, &v), SP_OK);
	ck_assert_uint_eq(v, 10);
	ck_status(sp_parse_u64(sp_span_str("11"), 10, &v), SP_E_RANGE);
	ck_status(sp_parse_u64(sp_span_str("18446744073709551616"), UINT64_MAX, &v), SP_E_RANGE);
	ck_status(sp_parse_u64(sp_span_str("99999999999999999999"), UINT64_MAX, &v), SP_E_RANGE);
	ck_status(sp_parse_u64(sp_span_str("100000000000000000000"), UINT64_MAX, &v), SP_E_FORMAT);
	ck_status(sp_parse_u64(sp_span_str(""), 10, &v), SP_E_FORMAT);
	ck_status(sp_parse_u64(sp_span_str("01"), 10, &v), SP_E_FORMAT);
	ck_status(sp_parse_u64(sp_span_str("+1"), 10, &v), SP_E_FORMAT);
	ck_status(sp_parse_u64(sp_span_str("-1"), 10, &v), SP_E_FORMAT);
	ck_status(sp_parse_u64(sp_span_str("1 "), 10, &v), SP_E_FORMAT);
	ck_status(sp_parse_u64(sp_span("1\0", 2), 10, &v), SP_E_FORMAT);
	ck_assert_uint_eq(v, 10);
}
END_TEST

START_TEST(names_are_split_and_checked)
{
	static const char *const good[] = { "alice@post.example", "alice/laptop@post.example", "a/b@c", "a.b-c_d/0@x-y.z",
		"abcdefghijklmnopqrstuvwxyz012345/abcdefghijklmnopqrstuvwx@"
		"abcdefghijklmnopqrstuvwxyz0123456789.abcdefghi.c" };
	static const char *const bad[] = { "", "@", "alice", "alice@", "@post.example", "/laptop@post.example",
		"alice/@post.example", "alice/a/b@post.example", "alice@post@example", "Alice@post.example", "alice@Post.example",
		"-alice@post.example", ".alice@post.example", "al ice@post.example", "alice@.post", "alice@post.", "alice@po..st",
		"alice@post-.example", "alice@-post", "alice@post.-example", "alice@post:1", "alice/Laptop@post.example",
		"alice/lap_top@po_st", "alice%40x@post", "\xc3\xa4@post.example",
		"abcdefghijklmnopqrstuvwxyz0123456@x", "a/abcdefghijklmnopqrstuvwxy@x",
		"a@abcdefghijklmnopqrstuvwxyz0123456789.abcdefghi.cd" };
	struct sp_name name;
	char text[SP_NAME_TEXT];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(sp_name_parse(sp_span_str(good[i]), &name) == SP_OK, "refused: %s", good[i]);
		ck_assert_str_eq(sp_name_text(&name, text), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(sp_name_parse(sp_span_str(bad[i]), &name) == SP_E_FORMAT, "taken: %s", bad[i]);
	ck_status(sp_name_parse(sp_span("a\0b@post.example", 16), &name), SP_E_FORMAT);
	ck_status(sp_name_parse(sp_span(NULL, 0), &name), SP_E_FORMAT);
	ck_status(sp_name_parse(sp_span_str("alice@post.example"), &name), SP_OK);
	ck_assert_str_eq(name.person, "alice");
	ck_assert_str_eq(name.station, "");
	ck_assert_str_eq(name.domain, "post.example");
}
END_TEST

UNIT_MAIN("base/text", hex_both_ways, base64url_both_ways, pk16_percent_keeps_any_byte, utf8_is_the_shortest_form_only,
    foreign_bytes_are_made_printable, numbers_have_one_form, names_are_split_and_checked)
