/*
 * packet_prints_test.c - the fingerprints of a packet and prints.txt, written and read.
 */
#include "common/packet/prints.h"

#include "common/base/limits.h"
#include "tests/unit/packet_help.h"

#define HEX(digit) digit digit digit digit digit digit digit digit
#define HEX64(digit) HEX(HEX(digit))

static struct sp_manifest *
tree(void)
{
	struct sp_manifest *m = test_manifest();

	ck_status(test_add(m, 'f', "a", 1, NULL), SP_OK);
	ck_status(test_add(m, 'd', "b", 0, NULL), SP_OK);
	ck_status(test_add(m, 'l', "b/l", 0, "x"), SP_OK);
	ck_status(test_add(m, 'h', "c", 0, "a"), SP_OK);
	ck_status(test_add(m, 'f', "d", SP_PRINT_WHOLE_MAX + 1, NULL), SP_OK);
	ck_status(test_add(m, 'f', "e", 0, NULL), SP_OK);
	return m;
}

static struct sp_print
hash_of(int byte)
{
	struct sp_print print = { .state = SP_PRINT_HASH };

	memset(print.hash.b, byte, sizeof(print.hash.b));
	return print;
}

#define TEXT "sealpost-prints 1\n\nsha256:" HEX64("1") "\nsha256-1m:" HEX64("2") "\nchanged\n"

START_TEST(written_in_the_order_of_the_manifest)
{
	SP_AUTO(sp_manifest) *m = tree();
	SP_AUTO(sp_prints) *prints = NULL;
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_print one = hash_of(0x11), two = hash_of(0x22), changed = { .state = SP_PRINT_CHANGED }, got;
	uint32_t none, count;

	ck_status(sp_prints_new(m, &prints), SP_OK);
	sp_prints_count(prints, &none, &count);
	ck_assert_uint_eq(none, 3);
	sp_prints_set(prints, 5, &changed);
	sp_prints_set(prints, 4, &two);
	ck_status(sp_prints_encode(prints, &text), SP_E_STATE);
	ck_assert_uint_eq(text.len, 0);
	sp_prints_set(prints, 0, &one);
	sp_prints_count(prints, &none, &count);
	ck_assert_uint_eq(none, 0);
	ck_assert_uint_eq(count, 1);
	ck_status(sp_prints_encode(prints, &text), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&text), TEXT);
	got = sp_prints_get(prints, 3);
	ck_assert(sp_print_eq(&got, &one));
	got = sp_prints_get(prints, 1);
	ck_assert_int_eq(got.state, SP_PRINT_NONE);
}
END_TEST

START_TEST(every_changed_byte_is_refused_or_another_fingerprint)
{
	SP_AUTO(sp_manifest) *m = tree();
	char text[] = TEXT;
	size_t kept = 0;

	for (size_t i = 0; i < 8 * (sizeof(text) - 1) + 1; i++) {
		SP_AUTO(sp_prints) *prints = NULL;
		SP_AUTO_DONE(sp_buf) again = { 0 };
		bool flip = i < 8 * (sizeof(text) - 1);

		if (flip)
			text[i / 8] ^= (char)(1 << i % 8);
		if (sp_prints_parse(sp_span(text, sizeof(text) - 1), m, &prints, NULL) == SP_OK) {
			ck_status(sp_prints_encode(prints, &again), SP_OK);
			ck_assert(sp_span_eq(sp_buf_span(&again), sp_span(text, sizeof(text) - 1)));
			kept++;
		}
		if (flip)
			text[i / 8] ^= (char)(1 << i % 8);
	}
	ck_assert_uint_gt(kept, 128);
	ck_assert_uint_lt(kept, 8 * 130);
}
END_TEST

START_TEST(texts_that_do_not_fit_are_refused)
{
	static const struct { const char *text; enum sp_status st; const char *where; } rows[] = {
		{ "", SP_E_FORMAT, "line 1 " }, { "sealpost-prints 2\n\n", SP_E_VERSION, "line 1 " },
		{ "sealpost-files 1\n\n", SP_E_FORMAT, "line 1 " }, { "sealpost-prints 1\n", SP_E_FORMAT, "line 2 " },
		{ "sealpost-prints 1\nchanged\nchanged\nchanged\n", SP_E_FORMAT, "line 2 " },
		{ "sealpost-prints 1\n\nchanged\nchanged\n", SP_E_FORMAT, "line 5 " },
		{ "sealpost-prints 1\n\nchanged\nchanged\nchanged", SP_E_FORMAT, "line 5 " },
		{ "sealpost-prints 1\n\nchanged\nchanged\nchanged\n\n", SP_E_LONG, "line 6 " },
		{ "sealpost-prints 1\n\nchanged\nchanged\nchanged\nchanged\n", SP_E_LONG, "line 6 " },
		{ "sealpost-prints 1\n\nchanged\nsha256:" HEX64("2") "\nchanged\n", SP_E_FORMAT, "line 4 " },
		{ "sealpost-prints 1\n\nsha256-1m:" HEX64("1") "\nchanged\nchanged\n", SP_E_FORMAT, "line 3 " },
		{ "sealpost-prints 1\n\nnone\nchanged\nchanged\n", SP_E_FORMAT, "line 3 " },
	};
	SP_AUTO(sp_manifest) *m = tree();
	struct sp_prints *prints = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sp_why why = { "" };

		ck_status(sp_prints_parse(sp_span_str(rows[i].text), m, &prints, &why), rows[i].st);
		ck_assert_msg(strncmp(why.text, rows[i].where, strlen(rows[i].where)) == 0, "%s: %s", rows[i].text, why.text);
	}
	ck_assert_ptr_null(prints);
}
END_TEST

START_TEST(a_packet_without_files_has_an_empty_list)
{
	SP_AUTO(sp_manifest) *m = test_manifest();
	SP_AUTO(sp_prints) *prints = NULL, *again = NULL;
	SP_AUTO_DONE(sp_buf) text = { 0 };

	ck_status(sp_prints_new(m, &prints), SP_OK);
	ck_status(sp_prints_encode(prints, &text), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&text), "sealpost-prints 1\n\n");
	ck_status(sp_prints_parse(sp_buf_span(&text), m, &again, NULL), SP_OK);
}
END_TEST

UNIT_MAIN("packet/prints", written_in_the_order_of_the_manifest, every_changed_byte_is_refused_or_another_fingerprint,
    texts_that_do_not_fit_are_refused, a_packet_without_files_has_an_empty_list)
