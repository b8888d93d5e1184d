/*
 * packet_files_test.c - files.txt: written, read in one form only, and compared with another side's.
 */
#include "common/packet/files_txt.h"

#include "common/base/limits.h"
#include "tests/unit/packet_help.h"

#define HEX(digit) digit digit digit digit digit digit digit digit
#define ONE "sha256:" HEX(HEX("1"))
#define TWO_SHORT "sha256:" HEX(HEX("2"))
#define TWO "sha256-1m:" HEX(HEX("2"))
#define HEAD "sealpost-files 1\nsalt " SALT_HEX "\n\n"
#define TEXT HEAD                                                                                     \
	"a%20b 1 " ONE " 1700000000.000000005\n"                                                      \
	"c 1 " ONE " 1700000000.000000005\n"                                                          \
	"d/x\xff 67108865 " TWO " 1700000000.000000005\n"                                             \
	"e 0 changed 1700000000.000000005\n"

START_TEST(written_from_manifest_and_fingerprints)
{
	SP_AUTO(sp_manifest) *m = test_manifest();
	SP_AUTO(sp_prints) *prints = NULL;
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_print print = { .state = SP_PRINT_HASH };

	ck_status(test_add(m, 'f', "a b", 1, NULL), SP_OK);
	ck_status(test_add(m, 'h', "c", 0, "a b"), SP_OK);
	ck_status(test_add(m, 'd', "d", 0, NULL), SP_OK);
	ck_status(test_add(m, 'l', "d/l", 0, "x"), SP_OK);
	ck_status(test_add(m, 'f', "d/x\xff", SP_PRINT_WHOLE_MAX + 1, NULL), SP_OK);
	ck_status(test_add(m, 'f', "e", 0, NULL), SP_OK);
	ck_status(sp_prints_new(m, &prints), SP_OK);
	ck_status(sp_files_encode(m, prints, &text), SP_E_STATE);
	memset(print.hash.b, 0x11, 32);
	sp_prints_set(prints, 0, &print);
	memset(print.hash.b, 0x22, 32);
	sp_prints_set(prints, 4, &print);
	print = (struct sp_print){ .state = SP_PRINT_CHANGED };
	sp_prints_set(prints, 5, &print);
	ck_status(sp_files_encode(m, prints, &text), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&text), TEXT);
}
END_TEST

static struct sp_files *
parse(const char *text)
{
	struct sp_files *f = NULL;
	struct sp_why why = { "" };

	ck_assert_msg(sp_files_parse(sp_span_str(text), &f, &why) == SP_OK, "%s", why.text);
	return f;
}

START_TEST(read_back)
{
	SP_AUTO(sp_files) *f = parse(TEXT), *empty = parse(HEAD);
	struct sp_files_line line;
	uint32_t number;

	ck_assert_uint_eq(sp_files_salt(f)[31], 31);
	ck_assert_uint_eq(sp_files_count(f), 4);
	line = sp_files_line(f, 0);
	ck_assert_str_eq(line.path, "a b");
	ck_assert_uint_eq(line.path_len, 3);
	ck_assert_uint_eq(line.size, 1);
	ck_assert_int_eq(line.mtime_sec, 1700000000);
	ck_assert_uint_eq(line.mtime_nsec, 5);
	ck_assert_int_eq(line.print.state, SP_PRINT_HASH);
	ck_assert_int_eq(sp_files_line(f, 3).print.state, SP_PRINT_CHANGED);
	ck_assert(sp_files_find(f, sp_span_str("d/x\xff"), &number));
	ck_assert_uint_eq(number, 2);
	ck_assert(!sp_files_find(f, sp_span_str("d"), &number));
	ck_assert_uint_eq(sp_files_count(empty), 0);
}
END_TEST

/* Writes a parsed list again, by hand: the form is a line's five fields. */
static void
write_again(const struct sp_files *f, struct sp_buf *out)
{
	char print[SP_PRINT_TEXT];

	for (uint32_t i = 0; i < sp_files_count(f); i++) {
		struct sp_files_line line = sp_files_line(f, i);

		for (size_t k = 0; k < line.path_len; k++) {
			uint8_t c = (uint8_t)line.path[k];

			if (c <= 0x20 || c == 0x7f || c == '%')
				sp_buf_addf(out, "%%%02X", c);
			else
				sp_buf_add_u8(out, c);
		}
		sp_buf_addf(out, " %llu %s %lld.%09u\n", (unsigned long long)line.size,
		    sp_print_text(&line.print, line.size, print), (long long)line.mtime_sec, line.mtime_nsec);
	}
}

START_TEST(every_changed_byte_is_refused_or_another_list)
{
	char text[] = TEXT;
	size_t n = sizeof(text) - 1, head = sizeof(HEAD) - 1, kept = 0, refused = 0;

	for (size_t i = 0; i < 8 * n; i++) {
		SP_AUTO(sp_files) *f = NULL;
		SP_AUTO_DONE(sp_buf) again = { 0 };

		text[i / 8] ^= (char)(1 << i % 8);
		if (sp_files_parse(sp_span(text, n), &f, NULL) == SP_OK) {
			write_again(f, &again);
			ck_assert(sp_span_eq(sp_buf_span(&again), sp_span(text + head, n - head)));
			kept++;
		} else {
			refused++;
		}
		text[i / 8] ^= (char)(1 << i % 8);
	}
	ck_assert_uint_gt(kept, 500);
	ck_assert_uint_gt(refused, 500);
}
END_TEST

START_TEST(malformed_lists_are_refused)
{
	static const struct { const char *text; enum sp_status st; const char *where; } rows[] = {
		{ "", SP_E_FORMAT, "line 1 " }, { "sealpost-files 2\n", SP_E_VERSION, "line 1 " },
		{ "sealpost-files 1\nsalt 00\n\n", SP_E_FORMAT, "line 2 " },
		{ "sealpost-files 1\nsalt " SALT_HEX "\n", SP_E_FORMAT, "line 3 " },
		{ HEAD "a 1 " ONE " 1.000000000", SP_E_FORMAT, "line 4 " },
		{ HEAD "a 1 " ONE " 1.000000000 \n", SP_E_FORMAT, "line 4 " },
		{ HEAD "a 1 " ONE "\n", SP_E_FORMAT, "line 4 " },
		{ HEAD "\n", SP_E_FORMAT, "line 4 " },
		{ HEAD "a b 1 " ONE " 1.000000000\n", SP_E_FORMAT, "line 4 " },
		{ HEAD "a 01 " ONE " 1.000000000\n", SP_E_FORMAT, "line 4 " },
		{ HEAD "a 1 " ONE " 1.0\n", SP_E_FORMAT, "line 4 " },
		{ HEAD "a 1 none 1.000000000\n", SP_E_FORMAT, "line 4 " },
		{ HEAD "a 1 " TWO " 1.000000000\n", SP_E_FORMAT, "line 4 " },
		{ HEAD "a 67108865 " ONE " 1.000000000\n", SP_E_FORMAT, "line 4 " },
		{ HEAD "a 4611686018427387905 changed 1.000000000\n", SP_E_LIMIT, "line 4 " },
		{ HEAD "/a 1 " ONE " 1.000000000\n", SP_E_PATH, "line 4 " },
		{ HEAD "../a 1 " ONE " 1.000000000\n", SP_E_PATH, "line 4 " },
		{ HEAD "a%00 1 " ONE " 1.000000000\n", SP_E_PATH, "line 4 " },
		{ HEAD "a%41 1 " ONE " 1.000000000\n", SP_E_PATH, "line 4 " },
		{ HEAD " 1 " ONE " 1.000000000\n", SP_E_PATH, "line 4 " },
		{ HEAD "a 1 " ONE " 1.000000000\na 1 " ONE " 1.000000000\n", SP_E_FORMAT, "line 5 " },
		{ HEAD "b 1 " ONE " 1.000000000\na 1 " ONE " 1.000000000\n", SP_E_FORMAT, "line 5 " },
	};
	struct sp_files *f = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sp_why why = { "" };

		ck_status(sp_files_parse(sp_span_str(rows[i].text), &f, &why), rows[i].st);
		ck_assert_msg(strncmp(why.text, rows[i].where, strlen(rows[i].where)) == 0, "%s: %s", rows[i].text, why.text);
	}
	ck_assert_ptr_null(f);
}
END_TEST

/* Can a packet of so many bytes have these lines (without the head)? */
static bool
fits(const char *lines, uint64_t bytes)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	SP_AUTO(sp_files) *f = NULL;
	bool fit;

	sp_buf_add_text(&text, HEAD);
	sp_buf_add_text(&text, lines);
	f = parse(sp_buf_cstr(&text));
	ck_status(sp_files_fit(f, bytes, &fit), SP_OK);
	return fit;
}

START_TEST(pk16_hard_links_count_once_and_nothing_else_does)
{
	static const char apart[] = "a 5 " ONE " 1.000000000\nb 5 " ONE " 1.000000001\nc 5 changed 1.000000000\n"
	    "d 5 " TWO_SHORT " 1.000000000\ne 5 " ONE " 2.000000000\nf 6 " ONE " 1.000000000\n";
	static const char alike[] = "a 5 " ONE " 1.000000000\nb 7 " ONE " 1.000000000\nc 5 " ONE " 1.000000000\n"
	    "d 5 " ONE " 1.000000000\n";
	static const char two[] = "a 6 " ONE " 1.000000000\nb 4 changed 1.000000000\nc 4 changed 1.000000000\n"
	    "d 6 " ONE " 1.000000000\n";
	static const char empty[] = "a 0 " ONE " 1.000000000\nb 0 " ONE " 1.000000000\n";
	const struct {
		const char *lines, *good;	/* a digit or letter for each number of bytes that fits: 0-9, a-z */
	} rows[] = { { "", "0" }, { apart, "v" }, { alike, "chm" }, { two, "acegik" }, { empty, "0" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (uint64_t bytes = 0; bytes < 36; bytes++)
			ck_assert_msg(fits(rows[i].lines, bytes) ==
			    (strchr(rows[i].good, "0123456789abcdefghijklmnopqrstuvwxyz"[bytes]) != NULL), "%s: %u", rows[i].lines,
			    (unsigned)bytes);
}
END_TEST

START_TEST(sums_beyond_64_bits_are_no_small_ones)
{
	SP_AUTO_DONE(sp_buf) links = { 0 };
	SP_AUTO_DONE(sp_buf) files = { 0 };
	char name[] = "a";

	for (; name[0] <= 'h'; name[0]++) {
		sp_buf_addf(&links, "%s 4611686018427387904 changed 1.000000000\n", name);
		sp_buf_addf(&files, "%s 4611686018427387904 changed %c.000000000\n", name, '1' + name[0] - 'a');
	}
	ck_assert(fits(sp_buf_cstr(&links), SP_PACKET_MAX));
	ck_assert(!fits(sp_buf_cstr(&links), 0));
	ck_assert(!fits(sp_buf_cstr(&links), SP_PACKET_MAX - 1));
	ck_assert(!fits(sp_buf_cstr(&files), 0));
	ck_assert(!fits(sp_buf_cstr(&files), SP_PACKET_MAX));
}
END_TEST

struct pair {
	const char *ours, *theirs;
	enum sp_files_verdict verdict;
	uint32_t missing, extra, other, changed;
	const char *words;
};

static void
compare(const struct pair *pair)
{
	SP_AUTO(sp_files) *ours = parse(pair->ours), *theirs = parse(pair->theirs);
	SP_AUTO_DONE(sp_buf) words = { 0 };
	struct sp_files_diff diff, again;

	ck_status(sp_files_compare(ours, theirs, &diff, &words), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&words), pair->words);
	ck_assert_int_eq(diff.verdict, pair->verdict);
	ck_assert_uint_eq(diff.missing, pair->missing);
	ck_assert_uint_eq(diff.extra, pair->extra);
	ck_assert_uint_eq(diff.other, pair->other);
	ck_assert_uint_eq(diff.changed, pair->changed);
	ck_status(sp_files_compare(ours, theirs, &again, NULL), SP_OK);
	ck_assert_int_eq(again.verdict, pair->verdict);
}

#define A HEAD "a 1 " ONE " 1.000000000\n"
#define OTHER_SALT "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

START_TEST(rx06_differences_are_found_and_said)
{
	static const struct pair pairs[] = {
		{ TEXT, TEXT, SP_FILES_CHANGED, 0, 0, 0, 1, "e: it changed while it was being sent\n" },
		{ A, A, SP_FILES_SAME, 0, 0, 0, 0, "" },
		{ HEAD, HEAD, SP_FILES_SAME, 0, 0, 0, 0, "" },
		{ A, HEAD, SP_FILES_DIFFERENT, 1, 0, 0, 0, "a: missing\n" },
		{ HEAD, A, SP_FILES_DIFFERENT, 0, 1, 0, 0, "a: not in the packet\n" },
		{ A, HEAD "b 1 " ONE " 1.000000000\n", SP_FILES_DIFFERENT, 1, 1, 0, 0, "a: missing\nb: not in the packet\n" },
		{ A "b 1 " ONE " 1.000000000\n", A "c 1 " ONE " 1.000000000\n", SP_FILES_DIFFERENT, 1, 1, 0, 0,
		    "b: missing\nc: not in the packet\n" },
		{ A, HEAD "a 2 " ONE " 1.000000000\n", SP_FILES_DIFFERENT, 0, 0, 1, 0, "a: another size\n" },
		{ A, HEAD "a 1 " ONE " 2.000000000\n", SP_FILES_DIFFERENT, 0, 0, 1, 0, "a: another time\n" },
		{ A, HEAD "a 1 " ONE " 1.000000001\n", SP_FILES_DIFFERENT, 0, 0, 1, 0, "a: another time\n" },
		{ A, HEAD "a 1 sha256:" HEX(HEX("3")) " 1.000000000\n", SP_FILES_DIFFERENT, 0, 0, 1, 0, "a: another content\n" },
		{ A, HEAD "a 1 changed 1.000000000\n", SP_FILES_CHANGED, 0, 0, 0, 1, "a: it changed while it was being sent\n" },
		{ HEAD "a 1 changed 1.000000000\n", A, SP_FILES_CHANGED, 0, 0, 0, 1, "a: it changed while it was being sent\n" },
		{ HEAD "a 1 changed 1.000000000\n", HEAD "a 2 changed 1.000000000\n", SP_FILES_DIFFERENT, 0, 0, 1, 0,
		    "a: another size\n" },
		{ A, "sealpost-files 1\nsalt " OTHER_SALT "\n\na 1 " ONE " 1.000000000\n", SP_FILES_DIFFERENT, 0, 0, 0, 0,
		    "the lists are those of two different packets\n" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		compare(&pairs[i]);
}
END_TEST

START_TEST(many_differences_are_counted_not_listed)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	SP_AUTO_DONE(sp_buf) words = { 0 };
	SP_AUTO(sp_files) *ours = parse(HEAD), *theirs = NULL;
	struct sp_files_diff diff;
	size_t lines = 0;

	sp_buf_add_text(&text, HEAD);
	for (int i = 0; i < 100; i++)
		sp_buf_addf(&text, "%03d%%0A 1 " ONE " 1.000000000\n", i);
	ck_status(sp_files_parse(sp_buf_span(&text), &theirs, NULL), SP_OK);
	ck_status(sp_files_compare(ours, theirs, &diff, &words), SP_OK);
	ck_assert_uint_eq(diff.extra, 100);
	for (size_t i = 0; i < words.len; i++)
		lines += words.data[i] == '\n';
	ck_assert_uint_eq(lines, SP_FILES_DIFF_LINES + 1);
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&words), "\nand 80 more\n"));
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&words), "000\\x0a: not in the packet\n"));
}
END_TEST

UNIT_MAIN("packet/files", written_from_manifest_and_fingerprints, read_back,
    every_changed_byte_is_refused_or_another_list, malformed_lists_are_refused, pk16_hard_links_count_once_and_nothing_else_does,
    sums_beyond_64_bits_are_no_small_ones,
    rx06_differences_are_found_and_said, many_differences_are_counted_not_listed)
