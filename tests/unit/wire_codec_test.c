/*
 * wire_codec_test.c - what the codec must take, over all rows of the table: every field at its bounds, optional fields absent,
 * unknown odd fields, lists; what it takes it writes again byte for byte. Also the printed forms. Refusals: wire_refuse_test.c.
 */
#include <stdio.h>

#include "common/base/limits.h"
#include "common/base/text.h"
#include "tests/unit/wire_sample.h"

START_TEST(samples_at_both_ends_round)
{
	for_each_row(d)
		for (enum sample_size size = SAMPLE_LOW; size <= SAMPLE_HIGH; size++) {
			SP_AUTO_DONE(sp_buf) bytes = { 0 };
			struct sample s;

			sample_init(&s, d, size);
			sample_bytes(&s, &bytes);
			expect_round(d, &bytes);
			sample_done(&s);
		}
}
END_TEST

START_TEST(each_field_rounds_at_each_end)
{
	for_each_row(d)
		for (size_t i = 0; i < d->nfields; i++) {
			SP_AUTO_DONE(sp_buf) bytes = { 0 };
			struct sample s;

			sample_init(&s, d, SAMPLE_LOW);
			sample_set(&s, i, sample_high(&d->fields[i]));
			sample_bytes(&s, &bytes);
			expect_round(d, &bytes);
			sample_set(&s, i, sample_low(&d->fields[i]));
			s.there[i] = d->fields[i].required;
			sample_bytes(&s, &bytes);
			expect_round(d, &bytes);
			sample_done(&s);
		}
}
END_TEST

/* An unknown odd field before, between and after the known ones: skipped in messages, refused in statements. */
START_TEST(unknown_odd_fields_are_skipped)
{
	for_each_row(d)
		for (size_t at = 0; at <= d->nfields; at++) {
			SP_AUTO_DONE(sp_buf) bytes = { 0 };
			SP_AUTO_DONE(sp_buf) plain = { 0 };
			SP_AUTO_DONE(sp_buf) again = { 0 };
			SP_AUTO_MEM uint8_t *msg = malloc(d->size);
			struct sample s;

			sample_init(&s, d, SAMPLE_LOW);
			sample_bytes(&s, &plain);
			for (size_t i = 0; i <= d->nfields; i++) {
				if (i == at)
					sample_add_field(&bytes, i > 0 ? d->fields[i - 1].tag + 1u : 1, sp_span("new", 3));
				if (i < d->nfields)
					sample_add_field(&bytes, d->fields[i].tag, sp_buf_span(&s.value[i]));
			}
			if (d->transport == SP_TRANSPORT_STATEMENT) {
				expect_decode(d, &bytes, SP_E_VERSION, "not known");
			} else {
				ck_status(sp_decode(d, sp_buf_span(&bytes), msg, NULL), SP_OK);
				ck_status(sp_encode(d, msg, &again, NULL), SP_OK);
				ck_assert(sp_span_eq(sp_buf_span(&again), sp_buf_span(&plain)));
			}
			sample_done(&s);
		}
}
END_TEST

START_TEST(unknown_fields_have_a_bound)
{
	static const uint8_t zeroes[SP_FRAME_SLACK + 1];
	const struct sp_desc *ping = sp_desc_msg(SP_MSG_PING);
	SP_AUTO_DONE(sp_buf) bytes = { 0 };

	sample_add_field(&bytes, 0xffff, sp_span(zeroes, SP_FRAME_SLACK - 6));
	expect_decode(ping, &bytes, SP_OK, NULL);
	sp_buf_clear(&bytes);
	sample_add_field(&bytes, 0xffff, sp_span(zeroes, SP_FRAME_SLACK - 5));
	expect_decode(ping, &bytes, SP_E_LONG, "ping");
}
END_TEST

/* The literal bytes, so that both ends of the codec can't be wrong together. */
START_TEST(bytes_are_those_of_the_document)
{
	static const uint8_t want[] = { 0, 2, 0, 0, 0, 2, 0, 12, 0, 4, 0, 0, 0, 2, 'n', 'o', 0, 6, 0, 0, 0, 4, 0, 0, 1, 0 };
	struct sp_msg_error msg = { .status = 12, .text = sp_span("no", 2), .retry_ms = 256 }, back;
	SP_AUTO_DONE(sp_buf) out = { 0 };

	sp_buf_add_text(&out, "kept");
	ck_status(sp_encode(sp_desc_msg(SP_MSG_ERROR), &msg, &out, NULL), SP_OK);
	ck_assert(sp_span_eq(sp_span(out.data + 4, out.len - 4), sp_span(want, sizeof(want))));
	ck_status(sp_decode(sp_desc_msg(SP_MSG_ERROR), sp_span(want, sizeof(want)), &back, NULL), SP_OK);
	ck_assert_uint_eq(back.status, 12);
	ck_assert_uint_eq(back.retry_ms, 256);
	ck_assert_ptr_eq(back.text.p, want + 14);
}
END_TEST

START_TEST(lists_are_written_and_read)
{
	const struct sp_desc *part = sp_desc_msg(SP_MSG_CERT_PART), *row = sp_desc_msg(SP_MSG_LOOKUP_IS);
	struct sp_msg_cert_part one = { .cert = sp_span("first", 5) };
	struct sp_msg_lookup_is msg = { 0 };
	SP_AUTO_DONE(sp_buf) list = { 0 };
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_cursor c;

	ck_status(sp_list_add(&list, part, &one), SP_OK);
	one.cert = sp_span(NULL, 0);
	ck_status(sp_list_add(&list, part, &one), SP_E_MISSING);
	one.cert = sp_span("second", 6);
	ck_status(sp_list_add(&list, part, &one), SP_OK);
	msg.certs = sp_buf_span(&list);
	ck_status(sp_encode(row, &msg, &out, NULL), SP_OK);
	ck_status(sp_decode(row, sp_buf_span(&out), &msg, NULL), SP_OK);
	c = sp_cursor(msg.certs);
	ck_assert(sp_list_next(&c, part, &one));
	ck_assert(sp_span_eq(one.cert, sp_span("first", 5)));
	ck_assert(sp_list_next(&c, part, &one));
	ck_assert(sp_span_eq(one.cert, sp_span("second", 6)));
	ck_assert(!sp_list_next(&c, part, &one));
	ck_status(sp_cursor_end(&c), SP_OK);
	c = sp_cursor(sp_span(list.data, list.len - 1));
	ck_assert(sp_list_next(&c, part, &one));
	ck_assert(!sp_list_next(&c, part, &one));
	ck_assert(!sp_list_next(&c, part, &one));
	ck_status(sp_cursor_end(&c), SP_E_SHORT);
}
END_TEST

START_TEST(described_in_one_printable_line)
{
	struct sp_msg_enrol enrol = { .secret = sp_span("0123456789abcdef", 16), .proof = sp_span("x", 1) };
	struct sp_msg_error error = { .status = 5, .text = sp_span("a \"b\"\n\\", 7) };
	struct sp_msg_lookup_is lookup = { 0 };
	SP_AUTO_DONE(sp_buf) out = { 0 };

	sp_describe(sp_desc_msg(SP_MSG_ERROR), &error, &out);
	ck_assert_str_eq(sp_buf_cstr(&out), "error{status=5 text=\"a \\\"b\\\"\\x0a\\\\\"}");
	sp_buf_clear(&out);
	sp_describe(sp_desc_msg(SP_MSG_ENROL), &enrol, &out);
	ck_assert_str_eq(sp_buf_cstr(&out), "enrol{secret=<hidden> letter_key= age_key= sign_key= proof=78}");
	sp_buf_clear(&out);
	sp_describe(sp_desc_msg(SP_MSG_LOOKUP_IS), &lookup, &out);
	ck_assert_str_eq(sp_buf_cstr(&out), "lookup_is{}");
	for_each_row(d) {
		SP_AUTO_DONE(sp_buf) bytes = { 0 };
		SP_AUTO_MEM uint8_t *msg = malloc(d->size);
		struct sample s;

		sample_init(&s, d, SAMPLE_LOW);
		sample_bytes(&s, &bytes);
		ck_status(sp_decode(d, sp_buf_span(&bytes), msg, NULL), SP_OK);
		sp_buf_clear(&out);
		sp_describe(d, msg, &out);
		ck_assert(sp_is_text(sp_buf_span(&out)));
		for (size_t i = 0; i < d->nfields; i++)
			ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&out), d->fields[i].name));
		sample_done(&s);
	}
}
END_TEST

START_TEST(reference_names_every_row_and_field)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	const char *text;

	sp_wire_reference(&out);
	text = sp_buf_cstr(&out);
	for_each_row(d) {
		char head[80];
		const char *at;

		snprintf(head, sizeof(head), "\n### %s (", d->name);
		at = strstr(text, head);
		ck_assert_msg(at != NULL, "%s is not in the reference", d->name);
		for (size_t i = 0; i < d->nfields && at != NULL; i++) {
			snprintf(head, sizeof(head), "| %u | `%s` |", d->fields[i].tag, d->fields[i].name);
			at = strstr(at, head);
			ck_assert_msg(at != NULL, "%s.%s is not in the reference", d->name, d->fields[i].name);
		}
	}
}
END_TEST

UNIT_MAIN("wire/codec", samples_at_both_ends_round, each_field_rounds_at_each_end, unknown_odd_fields_are_skipped,
    unknown_fields_have_a_bound, bytes_are_those_of_the_document, lists_are_written_and_read,
    described_in_one_printable_line, reference_names_every_row_and_field)
