/*
 * packet_hostile_test.c - manifests that lie or are malformed: each refused with its status and the line's number.
 */
#include "common/base/buf.h"
#include "common/packet/manifest.h"
#include "tests/unit/packet_help.h"

/* The lines of a good header, one of which a row replaces. */
static const char *const head_lines[] = {
	"sealpost-manifest 1", "kind files", "salt " SALT_HEX, "person alice@post.example",
	"station alice/laptop@post.example", "organisation ", "title t", "message hello%20there", "",
};
#define HEAD_LINES (sizeof(head_lines) / sizeof(head_lines[0]))

static enum sp_status
parse_with_line(size_t number, const char *line, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	SP_AUTO(sp_manifest) *m = NULL;

	for (size_t i = 0; i < HEAD_LINES; i++) {
		sp_buf_add_text(&text, i == number ? line : head_lines[i]);
		sp_buf_add_u8(&text, '\n');
	}
	why->text[0] = 0;
	return sp_manifest_parse(sp_buf_span(&text), &m, why);
}

START_TEST(header_lines_have_one_form)
{
	static const struct { size_t number; const char *line; enum sp_status st; } rows[] = {
		{ 0, "sealpost-manifest 2", SP_E_VERSION }, { 0, "sealpost-manifest 01", SP_E_MANIFEST },
		{ 0, "sealpost-manifest", SP_E_MANIFEST }, { 0, "sealpost-manifest 1 ", SP_E_MANIFEST },
		{ 0, "Sealpost-manifest 1", SP_E_MANIFEST }, { 0, "sealpost-manifest -1", SP_E_MANIFEST },
		{ 0, "", SP_E_MANIFEST }, { 0, "sealpost-manifest 1\r", SP_E_MANIFEST },
		{ 1, "kind file", SP_E_MANIFEST }, { 1, "kind ", SP_E_MANIFEST }, { 1, "kind FILES", SP_E_MANIFEST },
		{ 1, "kind  files", SP_E_MANIFEST }, { 1, "type files", SP_E_MANIFEST }, { 1, "kind files ", SP_E_MANIFEST },
		{ 2, "salt " SALT_HEX "0", SP_E_MANIFEST }, { 2, "salt 00", SP_E_MANIFEST }, { 2, "salt ", SP_E_MANIFEST },
		{ 2, "salt 000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f", SP_E_MANIFEST },
		{ 3, "person alice", SP_E_MANIFEST }, { 3, "person alice/laptop@post.example", SP_E_MANIFEST },
		{ 3, "person %61lice@post.example", SP_E_MANIFEST }, { 3, "person bob@post.example", SP_E_MANIFEST },
		{ 4, "station alice@post.example", SP_E_MANIFEST }, { 4, "station alice/x@other.example", SP_E_MANIFEST },
		{ 5, "organisation", SP_E_MANIFEST }, { 5, "organisation a b", SP_E_MANIFEST },
		{ 5, "organisation %00", SP_E_MANIFEST }, { 5, "organisation %2", SP_E_MANIFEST },
		{ 5, "organisation %41", SP_E_MANIFEST }, { 5, "organisation %0a", SP_E_MANIFEST },
		{ 5, "organisation \x7f", SP_E_MANIFEST }, { 5, "organisation\ta", SP_E_MANIFEST },
		{ 6, "title ", SP_E_MANIFEST }, { 6, "title t\ntitle u", SP_E_MANIFEST },
		{ 6, "title 12345678901234567890123456789012345678901234567890123456789012345678901234567890"
		    "123456789012345678901", SP_E_MANIFEST },
		{ 6, "title a%0Ab", SP_E_MANIFEST }, { 6, "title \xff", SP_E_MANIFEST }, { 7, "message \xff", SP_E_MANIFEST },
		{ 7, "organisation x", SP_E_MANIFEST }, { 8, " ", SP_E_MANIFEST }, { 8, "x y", SP_E_MANIFEST },
	};
	char line[16];
	struct sp_why why;

	ck_status(parse_with_line(HEAD_LINES, "", &why), SP_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum sp_status st = parse_with_line(rows[i].number, rows[i].line, &why);

		ck_assert_msg(st == rows[i].st, "\"%s\": %s %s", rows[i].line, sp_status_name(st), why.text);
		snprintf(line, sizeof(line), "line %zu ", rows[i].number + 1);
		ck_assert_msg(strncmp(why.text, line, strlen(line)) == 0 || strncmp(why.text, "the header ", 11) == 0 ||
		    strchr(rows[i].line, '\n') != NULL, "\"%s\": %s", rows[i].line, why.text);
	}
}
END_TEST

struct lie {
	const char *entries;
	enum sp_status st;
};

static void
refuse_all(const struct lie *lies, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		SP_AUTO_DONE(sp_buf) text = { 0 };
		SP_AUTO(sp_manifest) *m = NULL;
		struct sp_why why = { "" };
		enum sp_status st;

		sp_buf_add_text(&text, HEAD_TEXT);
		sp_buf_add_text(&text, lies[i].entries);
		st = sp_manifest_parse(sp_buf_span(&text), &m, &why);
		ck_assert_msg(st == lies[i].st, "%s: %s %s", lies[i].entries, sp_status_name(st), why.text);
		ck_assert_ptr_null(m);
		ck_assert_msg(strncmp(why.text, "line ", 5) == 0, "%s: %s", lies[i].entries, why.text);
	}
}
#define REFUSE_ALL(lies) refuse_all(lies, sizeof(lies) / sizeof(lies[0]))

START_TEST(paths_that_escape_or_repeat_are_refused)
{
	static const struct lie lies[] = {
		{ "f 644 1.000000000 0 /etc/passwd\n", SP_E_PATH },
		{ "f 644 1.000000000 0 ..\n", SP_E_PATH },
		{ "f 644 1.000000000 0 ../x\n", SP_E_PATH },
		{ "d 755 1.000000000 0 d\nf 644 1.000000000 0 d/../x\n", SP_E_PATH },
		{ "d 755 1.000000000 0 d\nf 644 1.000000000 0 d//x\n", SP_E_PATH },
		{ "d 755 1.000000000 0 d/\n", SP_E_PATH },
		{ "f 644 1.000000000 0 .\n", SP_E_PATH },
		{ "f 644 1.000000000 0 \n", SP_E_PATH },
		{ "f 644 1.000000000 0 a%00b\n", SP_E_PATH },
		{ "f 644 1.000000000 0 a%2Fb\n", SP_E_PATH },
		{ "f 644 1.000000000 0 a%2\n", SP_E_PATH },
		{ "f 644 1.000000000 0 a%\n", SP_E_PATH },
		{ "f 644 1.000000000 0 a%0a\n", SP_E_PATH },
		{ "f 644 1.000000000 0 a\tb\n", SP_E_PATH },
		{ "f 644 1.000000000 0 a\x7f\n", SP_E_PATH },
		{ "f 644 1.000000000 0 .sealpost-manifest\n", SP_E_PATH },
		{ "f 644 1.000000000 0 a\nf 644 1.000000000 0 a\n", SP_E_MANIFEST },
		{ "d 755 1.000000000 0 a\nf 644 1.000000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 b\nf 644 1.000000000 0 a\n", SP_E_MANIFEST },
		{ "d 755 1.000000000 0 a\nf 644 1.000000000 0 a-\nf 644 1.000000000 0 a/x\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a/x\n", SP_E_MANIFEST },
		{ "d 755 1.000000000 0 a\nf 644 1.000000000 0 a/b/x\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\nf 644 1.000000000 0 a/x\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 f\nh 644 1.000000000 0 g f\nf 644 1.000000000 0 g/x\n", SP_E_MANIFEST },
		{ "l 777 1.000000000 0 a /etc\nf 644 1.000000000 0 a/x\n", SP_E_MANIFEST },
		{ "d 755 1.000000000 0 ab\nf 644 1.000000000 0 b/x\n", SP_E_MANIFEST },
		{ "d 755 1.000000000 0 a\nf 644 1.000000000 0 b/x\n", SP_E_MANIFEST },
		{ "d 755 1.000000000 0 a\nd 755 1.000000000 0 a/b\nf 644 1.000000000 0 c/x\n", SP_E_MANIFEST },
	};

	REFUSE_ALL(lies);
}
END_TEST

START_TEST(types_and_links_that_lie_are_refused)
{
	static const struct lie lies[] = {
		{ "c 644 1.000000000 0 a\n", SP_E_TYPE }, { "b 644 1.000000000 0 a\n", SP_E_TYPE },
		{ "p 644 1.000000000 0 a\n", SP_E_TYPE }, { "F 644 1.000000000 0 a\n", SP_E_TYPE }, { "\n", SP_E_TYPE },
		{ " f 644 1.000000000 0 a\n", SP_E_TYPE }, { "ff 644 1.000000000 0 a\n", SP_E_MANIFEST },
		{ "h 644 1.000000000 0 a b\nf 644 1.000000000 0 b\n", SP_E_MANIFEST },
		{ "h 644 1.000000000 0 a a\n", SP_E_MANIFEST }, { "h 644 1.000000000 0 a nowhere\n", SP_E_MANIFEST },
		{ "d 644 1.000000000 0 a\nh 644 1.000000000 0 b a\n", SP_E_MANIFEST },
		{ "l 777 1.000000000 0 a x\nh 777 1.000000000 0 b a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\nh 644 1.000000000 0 b a\nh 644 1.000000000 0 c b\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\nh 600 1.000000000 0 b a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\nh 644 2.000000000 0 b a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\nh 644 1.000000001 0 b a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 5 a\nh 644 1.000000000 5 b a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\nh 644 1.000000000 0 b\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\nh 644 1.000000000 0 b \n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\nh 644 1.000000000 0 b ../a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a b\n", SP_E_MANIFEST }, { "d 755 1.000000000 0 a \n", SP_E_MANIFEST },
		{ "d 755 1.000000000 1 a\n", SP_E_MANIFEST }, { "l 777 1.000000000 1 a b\n", SP_E_MANIFEST },
		{ "l 755 1.000000000 0 a b\n", SP_E_MANIFEST }, { "l 777 1.000000000 0 a \n", SP_E_MANIFEST },
		{ "l 777 1.000000000 0 a %00\n", SP_E_PATH }, { "l 777 1.000000000 0 a b c\n", SP_E_MANIFEST },
		{ "l 777 1.000000000 0 a b%20\xff%\n", SP_E_PATH },
	};

	REFUSE_ALL(lies);
}
END_TEST

START_TEST(numbers_have_one_form_and_bounds)
{
	static const struct lie lies[] = {
		{ "f 0644 1.000000000 0 a\n", SP_E_MANIFEST }, { "f 64 1.000000000 0 a\n", SP_E_MANIFEST },
		{ "f 648 1.000000000 0 a\n", SP_E_MANIFEST }, { "f 1644 1.000000000 0 a\n", SP_E_MANIFEST },
		{ "f -44 1.000000000 0 a\n", SP_E_MANIFEST }, { "f  1.000000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 1 0 a\n", SP_E_MANIFEST }, { "f 644 1. 0 a\n", SP_E_MANIFEST }, { "f 644 .000000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 1.0 0 a\n", SP_E_MANIFEST }, { "f 644 1.0000000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 01.000000000 0 a\n", SP_E_MANIFEST }, { "f 644 +1.000000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 -0.000000000 0 a\n", SP_E_MANIFEST }, { "f 644 -0.500000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 --1.000000000 0 a\n", SP_E_MANIFEST }, { "f 644 1.00000000a 0 a\n", SP_E_MANIFEST },
		{ "f 644 1,000000000 0 a\n", SP_E_MANIFEST }, { "f 644 9223372036854775808.000000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 -9223372036854775809.000000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 99999999999999999999999.000000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 00 a\n", SP_E_MANIFEST }, { "f 644 1.000000000 01 a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 -1 a\n", SP_E_MANIFEST }, { "f 644 1.000000000 +1 a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0x1 a\n", SP_E_MANIFEST }, { "f 644 1.000000000  a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 1e3 a\n", SP_E_MANIFEST }, { "f 644 1.000000000 4611686018427387905 a\n", SP_E_LIMIT },
		{ "f 644 1.000000000 18446744073709551616 a\n", SP_E_LIMIT },
		{ "f 644 1.000000000 999999999999999999999999 a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 4611686018427387904 a\nf 644 1.000000000 1 b\n", SP_E_LIMIT },
	};

	REFUSE_ALL(lies);
}
END_TEST

START_TEST(extreme_numbers_that_fit_are_taken)
{
	SP_AUTO(sp_manifest) *m = test_parse(HEAD_TEXT
	    "f 000 -9223372036854775808.999999999 4611686018427387904 a\n"
	    "f 777 9223372036854775807.999999999 0 b\n");

	ck_assert(sp_manifest_entry(m, 0).mtime_sec == INT64_MIN);
	ck_assert(sp_manifest_entry(m, 1).mtime_sec == INT64_MAX);
	ck_assert_uint_eq(sp_manifest_bytes(m), SP_PACKET_MAX);
}
END_TEST

START_TEST(bytes_left_over_or_missing_are_refused)
{
	static const struct lie lies[] = {
		{ "f 644 1.000000000 0 a", SP_E_MANIFEST }, { "f 644 1.000000000 0 a\nx", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\n\n", SP_E_TYPE }, { "f 644 1.000000000 0 a \n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0 a\r\n", SP_E_PATH }, { "f  644 1.000000000 0 a\n", SP_E_MANIFEST },
		{ "f 644 1.000000000 0\n", SP_E_MANIFEST }, { "f\n", SP_E_MANIFEST }, { "f ", SP_E_MANIFEST },
	};
	static const char zero[] = HEAD_TEXT "f 644 1.000000000 0 a\n\0";
	SP_AUTO(sp_manifest) *m = NULL;

	REFUSE_ALL(lies);
	ck_status(sp_manifest_parse(sp_span(zero, sizeof(zero) - 1), &m, NULL), SP_E_MANIFEST);
	ck_status(sp_manifest_parse(sp_span(NULL, 0), &m, NULL), SP_E_MANIFEST);
	ck_status(sp_manifest_parse(sp_span("", 0), &m, NULL), SP_E_MANIFEST);
}
END_TEST

START_TEST(too_long_names_are_refused)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	SP_AUTO(sp_manifest) *m = NULL;
	static char name[SP_TARGET_MAX + 2];

	memset(name, 'n', sizeof(name) - 1);
	sp_buf_add_text(&text, HEAD_TEXT);
	sp_buf_addf(&text, "f 644 1.000000000 0 %.256s\n", name);
	ck_status(sp_manifest_parse(sp_buf_span(&text), &m, NULL), SP_E_PATH);
	sp_buf_clear(&text);
	sp_buf_add_text(&text, HEAD_TEXT);
	sp_buf_addf(&text, "l 777 1.000000000 0 %.255s %.4095s\n", name, name);
	ck_status(sp_manifest_parse(sp_buf_span(&text), &m, NULL), SP_OK);
	ck_assert_uint_eq(sp_manifest_entry(m, 0).target_len, SP_TARGET_MAX);
	sp_manifest_free(sp_take(&m));
	sp_buf_clear(&text);
	sp_buf_add_text(&text, HEAD_TEXT);
	sp_buf_addf(&text, "l 777 1.000000000 0 a %s\n", name);
	ck_status(sp_manifest_parse(sp_buf_span(&text), &m, NULL), SP_E_MANIFEST);
	sp_buf_clear(&text);
	sp_buf_add_text(&text, HEAD_TEXT);
	sp_buf_addf(&text, "l 777 1.000000000 0 a %sx%%20\n", name);
	ck_status(sp_manifest_parse(sp_buf_span(&text), &m, NULL), SP_E_PATH);
}
END_TEST

START_TEST(too_many_entries_are_refused_before_they_are_read)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	SP_AUTO(sp_manifest) *m = NULL;
	struct sp_why why = { "" };
	uint8_t *lines;

	sp_buf_add_text(&text, HEAD_TEXT);
	lines = sp_buf_reserve(&text, SP_ENTRIES_MAX + 1);
	ck_assert_ptr_nonnull(lines);
	memset(lines, '\n', SP_ENTRIES_MAX + 1);
	ck_status(sp_manifest_parse(sp_buf_span(&text), &m, &why), SP_E_LIMIT);
	text.len--;
	ck_status(sp_manifest_parse(sp_buf_span(&text), &m, &why), SP_E_TYPE);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_refused_unread)
{
	uint8_t *zeroes = calloc(1, (size_t)SP_MANIFEST_MAX + 1);
	SP_AUTO(sp_manifest) *m = NULL;

	ck_assert_ptr_nonnull(zeroes);
	ck_status(sp_manifest_parse(sp_span(zeroes, SP_MANIFEST_MAX), &m, NULL), SP_E_MANIFEST);
	ck_status(sp_manifest_parse(sp_span(zeroes, (size_t)SP_MANIFEST_MAX + 1), &m, NULL), SP_E_LIMIT);
	free(zeroes);
}
END_TEST

UNIT_MAIN("packet/hostile", header_lines_have_one_form, paths_that_escape_or_repeat_are_refused,
    types_and_links_that_lie_are_refused, numbers_have_one_form_and_bounds, extreme_numbers_that_fit_are_taken,
    bytes_left_over_or_missing_are_refused, too_long_names_are_refused,
    too_many_entries_are_refused_before_they_are_read, a_text_that_is_too_long_is_refused_unread)
