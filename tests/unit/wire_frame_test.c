/*
 * wire_frame_test.c - service frames: packed, read byte by byte, and refused.
 */
#include "common/base/limits.h"
#include "common/wire/frame.h"
#include "tests/unit/unit.h"

static struct sp_msg_lookup lookup = { .name = { (const uint8_t *)"alice@post.example", 18 } };

START_TEST(a_frame_comes_back_as_it_went)
{
	const struct sp_desc *desc = sp_desc_msg(SP_MSG_LOOKUP);
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_id id = sp_id_new();
	struct sp_msg_lookup got;
	struct sp_frame frame;
	size_t n;

	ck_status(sp_frame_pack(desc, &id, &lookup, &out, NULL), SP_OK);
	ck_assert_uint_eq(out.len, SP_FRAME_HEAD + 6 + 18);
	sp_buf_add_text(&out, "next frame");
	ck_status(sp_frame_parse(sp_buf_span(&out), &frame, &n, NULL), SP_OK);
	ck_assert_uint_eq(n, SP_FRAME_HEAD + 6 + 18);
	ck_assert_uint_eq(frame.type, SP_MSG_LOOKUP);
	ck_assert(sp_id_eq(&frame.id, &id));
	ck_assert_ptr_eq(frame.desc, desc);
	ck_status(sp_decode(frame.desc, frame.body, &got, NULL), SP_OK);
	ck_assert(sp_span_eq(got.name, lookup.name));
}
END_TEST

START_TEST(says_how_much_must_still_come)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_id id = sp_id_new();
	struct sp_frame frame;
	size_t n;

	ck_status(sp_frame_pack(sp_desc_msg(SP_MSG_LOOKUP), &id, &lookup, &out, NULL), SP_OK);
	for (size_t have = 0; have < out.len; have++) {
		n = 0;
		ck_status(sp_frame_parse(sp_span(out.data, have), &frame, &n, NULL), SP_E_SHORT);
		ck_assert_uint_eq(n, have < SP_FRAME_HEAD ? SP_FRAME_HEAD : out.len);
	}
}
END_TEST

/* A head with these values. */
static void
head(struct sp_buf *out, uint32_t length, uint16_t type)
{
	sp_buf_clear(out);
	sp_buf_add_u32(out, length);
	sp_buf_add_u16(out, type);
	sp_buf_add(out, "0123456789abcdef", 16);
}

START_TEST(refuses_by_the_head_alone)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_frame frame;
	struct sp_why why;
	uint32_t most = (uint32_t)sp_frame_max(sp_desc_msg(SP_MSG_LOOKUP));
	size_t n;

	head(&out, most - 4, SP_MSG_LOOKUP);
	ck_status(sp_frame_parse(sp_buf_span(&out), &frame, &n, &why), SP_E_SHORT);
	head(&out, most - 3, SP_MSG_LOOKUP);
	ck_status(sp_frame_parse(sp_buf_span(&out), &frame, &n, &why), SP_E_LONG);
	head(&out, UINT32_MAX, SP_MSG_LOOKUP);
	ck_status(sp_frame_parse(sp_buf_span(&out), &frame, &n, &why), SP_E_LONG);
	head(&out, SP_FRAME_HEAD - 5, SP_MSG_LOOKUP);
	ck_status(sp_frame_parse(sp_buf_span(&out), &frame, &n, &why), SP_E_FORMAT);
	head(&out, 0, SP_MSG_LOOKUP);
	ck_status(sp_frame_parse(sp_buf_span(&out), &frame, &n, &why), SP_E_FORMAT);
}
END_TEST

START_TEST(an_unknown_type_still_tells_whom_to_answer)
{
	static const uint16_t types[] = { 0, 0xfff0, SP_MSG_PING, SP_MSG_DATA_OPEN, SP_MSG_CERT_PART };
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_frame frame;
	size_t n;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		head(&out, 18, types[i]);
		ck_status(sp_frame_parse(sp_buf_span(&out), &frame, &n, NULL), SP_E_UNKNOWN);
		ck_assert_uint_eq(frame.type, types[i]);
		ck_assert_mem_eq(frame.id.b, "0123456789abcdef", 16);
	}
}
END_TEST

START_TEST(packs_nothing_that_could_not_be_read)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_msg_lookup bad = { .name = { (const uint8_t *)"a", 1 } };
	struct sp_msg_ping ping = { 0 };
	struct sp_id id = sp_id_new();

	sp_buf_add_text(&out, "before");
	ck_status(sp_frame_pack(sp_desc_msg(SP_MSG_LOOKUP), &id, &bad, &out, NULL), SP_E_RANGE);
	ck_status(sp_frame_pack(sp_desc_msg(SP_MSG_PING), &id, &ping, &out, NULL), SP_E_ARGUMENT);
	ck_assert(sp_span_eq(sp_buf_span(&out), sp_span_str("before")));
}
END_TEST

START_TEST(no_row_is_longer_than_a_frame)
{
	const struct sp_desc *rows;
	size_t count;

	rows = sp_desc_all(&count);
	for (size_t i = 0; i < count; i++)
		if (rows[i].transport == SP_TRANSPORT_SERVICE)
			ck_assert_msg(sp_frame_max(&rows[i]) == SP_FRAME_HEAD + sp_desc_max(&rows[i]),
			    "%s at its bounds is over SP_FRAME_MAX", rows[i].name);
}
END_TEST

UNIT_MAIN("wire/frame", a_frame_comes_back_as_it_went, says_how_much_must_still_come, refuses_by_the_head_alone,
    an_unknown_type_still_tells_whom_to_answer, packs_nothing_that_could_not_be_read, no_row_is_longer_than_a_frame)
