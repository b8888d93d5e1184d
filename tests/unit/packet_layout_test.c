/*
 * packet_layout_test.c - where everything stands: the layout against a tar assembled member by member.
 */
#include "common/packet/layout.h"

#include "tests/unit/packet_help.h"

#define DATA 0xdd	/* what the tests put where data is */

static struct sp_manifest *
small_tree(void)
{
	struct sp_manifest *m = test_manifest();

	ck_status(test_add(m, 'd', "d", 0, NULL), SP_OK);
	ck_status(test_add(m, 'f', "d/empty", 0, NULL), SP_OK);
	ck_status(test_add(m, 'f', "d/full block", 512, NULL), SP_OK);
	ck_status(test_add(m, 'f', "d/one", 1, NULL), SP_OK);
	ck_status(test_add(m, 'l', "d/sym", 0, "\xff"), SP_OK);
	ck_status(test_add(m, 'f', "d/two blocks", 513, NULL), SP_OK);
	ck_status(test_add(m, 'h', "d/two names", 0, "d/two blocks"), SP_OK);
	ck_status(test_add(m, 'f', "\xc3\xa9", 600, NULL), SP_OK);
	return m;
}

static void
pad(struct sp_buf *tar)
{
	static const uint8_t zeroes[SP_TAR_BLOCK];

	sp_buf_add(tar, zeroes, (SP_TAR_BLOCK - tar->len % SP_TAR_BLOCK) % SP_TAR_BLOCK);
}

/* The whole tar, assembled in order. */
static void
assemble(const struct sp_manifest *m, const struct sp_layout *l, struct sp_buf *tar)
{
	static const uint8_t zeroes[SP_TAR_END];
	uint8_t header[SP_TAR_BLOCK];

	sp_layout_manifest_header(sp_manifest_text_length(m), header);
	sp_buf_add(tar, header, sizeof(header));
	ck_status(sp_manifest_encode(m, tar), SP_OK);
	pad(tar);
	for (uint32_t i = 0; i < sp_manifest_count(m); i++) {
		struct sp_place place = sp_layout_entry(l, i);
		uint8_t *data;

		ck_assert_uint_eq(place.start, tar->len);
		ck_status(sp_layout_header(l, &place, tar), SP_OK);
		ck_assert_uint_eq(place.data_at, tar->len);
		data = sp_buf_reserve(tar, sp_manifest_entry(m, i).size);
		memset(data, DATA, sp_manifest_entry(m, i).size);
		ck_assert_uint_eq(place.data_at + place.data_len, tar->len);
		pad(tar);
		ck_assert_uint_eq(place.end, tar->len);
	}
	sp_buf_add(tar, zeroes, sizeof(zeroes));
	ck_status(sp_buf_status(tar), SP_OK);
}

START_TEST(layout_is_what_assembling_gives)
{
	SP_AUTO(sp_manifest) *m = small_tree();
	SP_AUTO(sp_layout) *l = NULL;
	SP_AUTO_DONE(sp_buf) tar = { 0 };

	ck_status(sp_layout_new(m, &l), SP_OK);
	assemble(m, l, &tar);
	ck_assert_uint_eq(sp_layout_length(l), tar.len);
	ck_assert_uint_eq(sp_layout_manifest(l).data_at, SP_TAR_BLOCK);
	ck_assert_uint_eq(sp_layout_manifest(l).end, sp_layout_entry(l, 0).start);
	ck_assert_uint_eq(sp_layout_end(l).start, sp_layout_entry(l, 7).end);
	ck_assert_uint_eq(sp_layout_end(l).end, tar.len);
}
END_TEST

START_TEST(every_offset_is_found_with_its_area)
{
	SP_AUTO(sp_manifest) *m = small_tree();
	SP_AUTO(sp_layout) *l = NULL;
	struct sp_place place, last = { 0 };
	uint64_t left;

	ck_status(sp_layout_new(m, &l), SP_OK);
	for (uint64_t at = 0; at < sp_layout_length(l); at++) {
		enum sp_area area;

		ck_status(sp_layout_find(l, at, &place), SP_OK);
		ck_assert(place.start <= at && at < place.end);
		ck_assert(place.start == last.start || place.start == last.end);
		area = sp_place_area(&place, at, &left);
		ck_assert_uint_gt(left, 0);
		ck_assert_int_eq(area, at < place.data_at ? SP_AREA_HEADER :
		    at < place.data_at + place.data_len ? SP_AREA_DATA : SP_AREA_ZEROES);
		ck_assert_uint_eq(at + left, area == SP_AREA_HEADER ? place.data_at :
		    area == SP_AREA_DATA ? place.data_at + place.data_len : place.end);
		last = place;
	}
	ck_assert_int_eq(last.member, SP_MEMBER_END);
	ck_status(sp_layout_find(l, sp_layout_length(l), &place), SP_E_RANGE);
	ck_status(sp_layout_find(l, UINT64_MAX, &place), SP_E_RANGE);
}
END_TEST

/* Fills [offset, offset + n) over data bytes and compares with the assembled tar. */
static void
try_fill(const struct sp_layout *l, const struct sp_buf *tar, size_t manifest_end, size_t offset, size_t n)
{
	static uint8_t out[64 * 1024];

	ck_assert_uint_le(n, sizeof(out));
	memset(out, DATA, n);
	/* the manifest's text is data, too */
	for (size_t i = 0; i < n && offset + i < manifest_end; i++)
		out[i] = offset + i >= SP_TAR_BLOCK ? tar->data[offset + i] : DATA;
	ck_status(sp_layout_fill(l, offset, out, n), SP_OK);
	ck_assert_msg(n == 0 || memcmp(out, tar->data + offset, n) == 0, "differs in %zu + %zu", offset, n);
	ck_status(sp_layout_check(l, offset, sp_span(out, n), NULL), SP_OK);
}

START_TEST(fill_and_check_at_every_offset)
{
	static const size_t lengths[] = { 0, 1, 2, 511, 512, 513, 1024, 3000 };
	SP_AUTO(sp_manifest) *m = small_tree();
	SP_AUTO(sp_layout) *l = NULL;
	SP_AUTO_DONE(sp_buf) tar = { 0 };
	size_t text_end;

	ck_status(sp_layout_new(m, &l), SP_OK);
	assemble(m, l, &tar);
	text_end = SP_TAR_BLOCK + sp_manifest_text_length(m);
	for (size_t at = 0; at <= tar.len; at++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
			if (lengths[i] <= tar.len - at)
				try_fill(l, &tar, text_end, at, lengths[i]);
		try_fill(l, &tar, text_end, at, tar.len - at);
	}
}
END_TEST

START_TEST(fill_writes_no_data)
{
	SP_AUTO(sp_manifest) *m = small_tree();
	SP_AUTO(sp_layout) *l = NULL;
	struct sp_place place;
	uint8_t *out;
	uint64_t left;

	ck_status(sp_layout_new(m, &l), SP_OK);
	out = malloc(sp_layout_length(l));
	ck_assert_ptr_nonnull(out);
	memset(out, 0xee, sp_layout_length(l));
	ck_status(sp_layout_fill(l, 0, out, sp_layout_length(l)), SP_OK);
	for (uint64_t at = 0; at < sp_layout_length(l); at++) {
		ck_status(sp_layout_find(l, at, &place), SP_OK);
		if (sp_place_area(&place, at, &left) == SP_AREA_DATA)
			ck_assert_int_eq(out[at], 0xee);
		else
			ck_assert_int_ne(out[at], 0xee);
	}
	free(out);
}
END_TEST

START_TEST(every_wrong_byte_between_the_data_is_seen)
{
	SP_AUTO(sp_manifest) *m = small_tree();
	SP_AUTO(sp_layout) *l = NULL;
	SP_AUTO_DONE(sp_buf) tar = { 0 };
	struct sp_place place;
	char offset[32];
	uint64_t left;

	ck_status(sp_layout_new(m, &l), SP_OK);
	assemble(m, l, &tar);
	for (size_t at = 0; at < tar.len; at++) {
		struct sp_why why = { "" };
		enum sp_status st;

		ck_status(sp_layout_find(l, at, &place), SP_OK);
		tar.data[at] ^= 0x10;
		st = sp_layout_check(l, 0, sp_buf_span(&tar), &why);
		tar.data[at] ^= 0x10;
		if (sp_place_area(&place, at, &left) == SP_AREA_DATA) {
			ck_status(st, SP_OK);
			continue;
		}
		ck_status(st, SP_E_MISMATCH);
		snprintf(offset, sizeof(offset), " %zu ", at);
		ck_assert_msg(strstr(why.text, offset) != NULL, "%zu: %s", at, why.text);
	}
}
END_TEST

START_TEST(nothing_beyond_the_end)
{
	SP_AUTO(sp_manifest) *m = small_tree();
	SP_AUTO(sp_layout) *l = NULL;
	uint8_t out[2] = { 9, 9 };
	uint64_t end;

	ck_status(sp_layout_new(m, &l), SP_OK);
	end = sp_layout_length(l);
	ck_status(sp_layout_fill(l, end - 2, out, 2), SP_OK);
	ck_status(sp_layout_fill(l, end, out, 0), SP_OK);
	ck_status(sp_layout_fill(l, end - 1, out, 2), SP_E_RANGE);
	ck_status(sp_layout_fill(l, end + 1, out, 0), SP_E_RANGE);
	ck_status(sp_layout_fill(l, UINT64_MAX, out, 2), SP_E_RANGE);
	ck_status(sp_layout_check(l, end - 1, sp_span(out, 2), NULL), SP_E_RANGE);
	ck_status(sp_layout_check(l, 0, sp_span(out, SIZE_MAX), NULL), SP_E_RANGE);
}
END_TEST

START_TEST(a_packet_without_entries_has_a_layout)
{
	SP_AUTO(sp_manifest) *m = test_manifest();
	SP_AUTO(sp_layout) *l = NULL;
	SP_AUTO_DONE(sp_buf) tar = { 0 };
	struct sp_place place;

	ck_status(sp_layout_new(m, &l), SP_OK);
	assemble(m, l, &tar);
	ck_assert_uint_eq(tar.len, 512 + 512 + 1024);
	ck_assert_uint_eq(sp_layout_length(l), tar.len);
	ck_status(sp_layout_find(l, 1023, &place), SP_OK);
	ck_assert_int_eq(place.member, SP_MEMBER_MANIFEST);
	ck_status(sp_layout_find(l, 1024, &place), SP_OK);
	ck_assert_int_eq(place.member, SP_MEMBER_END);
	try_fill(l, &tar, SP_TAR_BLOCK + sp_manifest_text_length(m), 0, tar.len);
}
END_TEST

START_TEST(huge_files_cost_nothing)
{
	SP_AUTO(sp_manifest) *m = test_manifest();
	SP_AUTO(sp_layout) *l = NULL;
	struct sp_place place;
	uint8_t tail[SP_TAR_END];

	ck_status(test_add(m, 'f', "huge", SP_PACKET_MAX - 1, NULL), SP_OK);
	ck_status(test_add(m, 'f', "one", 1, NULL), SP_OK);
	ck_status(sp_layout_new(m, &l), SP_OK);
	ck_assert_uint_eq(sp_layout_length(l), 512 + 512 + 3 * 512 + SP_PACKET_MAX + 512 + 512 + 1024);
	ck_status(sp_layout_find(l, SP_PACKET_MAX / 2, &place), SP_OK);
	ck_assert_uint_eq(place.entry, 0);
	ck_status(sp_layout_fill(l, sp_layout_end(l).start, tail, sizeof(tail)), SP_OK);
	/* bytes that are all data are not looked at: this span isn't even there */
	ck_status(sp_layout_check(l, place.data_at, sp_span(tail, 1ull << 60), NULL), SP_OK);
}
END_TEST

UNIT_MAIN("packet/layout", layout_is_what_assembling_gives, every_offset_is_found_with_its_area,
    fill_and_check_at_every_offset, fill_writes_no_data, every_wrong_byte_between_the_data_is_seen,
    nothing_beyond_the_end, a_packet_without_entries_has_a_layout, huge_files_cost_nothing)
