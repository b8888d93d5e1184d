/*
 * packet_tar_test.c - header blocks at their edges: plain ustar as long as all fits, a pax header where it doesn't.
 */
#include "common/packet/tar.h"

#include <stdio.h>

#include "common/base/text.h"
#include "tests/unit/packet_help.h"

static const struct sp_entry file = { .type = SP_ENTRY_FILE, .mode = 0644, .mtime_sec = 1700000000, .mtime_nsec = 7,
    .size = 5, .path = "a", .path_len = 1, .target = "" };

/* Makes the headers; returns the pax records as text ("" if there are none) and the ustar header. */
static const char *
head(const struct sp_entry *e, uint8_t out[SP_TAR_HEAD_MAX], const uint8_t **ret_ustar)
{
	static char records[SP_TAR_HEAD_MAX];
	size_t n = sp_tar_head(e, out), length;

	ck_assert_uint_eq(n, sp_tar_head_length(e));
	ck_assert_uint_eq(n % SP_TAR_BLOCK, 0);
	*ret_ustar = out + n - SP_TAR_BLOCK;
	if (n == SP_TAR_BLOCK)
		return "";
	ck_assert_uint_ge(n, 3 * SP_TAR_BLOCK);
	ck_assert_str_eq((char *)out, "PaxHeader");
	ck_assert_int_eq(out[156], 'x');
	length = strtoul((char *)out + 124, NULL, 8);
	ck_assert_uint_eq(n, 2 * SP_TAR_BLOCK + (length + SP_TAR_BLOCK - 1) / SP_TAR_BLOCK * SP_TAR_BLOCK);
	memcpy(records, out + SP_TAR_BLOCK, length);
	records[length] = 0;
	return records;
}

START_TEST(a_plain_header_byte_by_byte)
{
	uint8_t out[SP_TAR_HEAD_MAX], want[SP_TAR_BLOCK] = { 0 };
	unsigned sum = 0;

	memcpy(want, "a", 1);
	memcpy(want + 100, "0000644", 8);
	memcpy(want + 108, "0000000", 8);
	memcpy(want + 116, "0000000", 8);
	memcpy(want + 124, "00000000005", 12);
	memcpy(want + 136, "14524770400", 12);
	memcpy(want + 148, "        0", 9);
	memcpy(want + 257, "ustar\00000", 8);
	memcpy(want + 329, "0000000", 8);
	memcpy(want + 337, "0000000", 8);
	for (size_t i = 0; i < sizeof(want); i++)
		sum += want[i];
	snprintf((char *)want + 148, 8, "%06o", sum);
	want[155] = ' ';
	ck_assert_uint_eq(sp_tar_head(&file, out), SP_TAR_BLOCK);
	ck_assert_mem_eq(out, want, SP_TAR_BLOCK);
}
END_TEST

START_TEST(types_have_their_flags_and_links)
{
	static const struct { enum sp_entry_type type; char flag; const char *target; } rows[] = {
		{ SP_ENTRY_FILE, '0', "" }, { SP_ENTRY_FOLDER, '5', "" }, { SP_ENTRY_SYMLINK, '2', "../t" },
		{ SP_ENTRY_HARDLINK, '1', "first" },
	};
	uint8_t out[SP_TAR_HEAD_MAX];

	for (size_t i = 0; i < 4; i++) {
		struct sp_entry e = file;
		const uint8_t *ustar;

		e.type = rows[i].type;
		e.target = rows[i].target;
		e.target_len = strlen(e.target);
		ck_assert_str_eq(head(&e, out, &ustar), "");
		ck_assert_int_eq(ustar[156], rows[i].flag);
		ck_assert_str_eq((const char *)ustar + 157, rows[i].target);
	}
}
END_TEST

/* n bytes of path: components of 'p' of at most 200 bytes. */
static const char *
long_path(size_t n)
{
	static char path[SP_PATH_MAX + 1];

	for (size_t i = 0; i < n; i++)
		path[i] = i % 201 == 200 ? '/' : 'p';
	path[n] = 0;
	return path;
}

START_TEST(pk16_paths_of_100_bytes_fit_and_101_do_not)
{
	static const size_t lengths[] = { 99, 100, 101, 988, 989, 990, 4096 };
	uint8_t out[SP_TAR_HEAD_MAX];
	char want[SP_PATH_MAX + 32];

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct sp_entry e = file;
		const uint8_t *ustar;
		const char *pax;
		size_t n = lengths[i], digits = n + 10 < 1000 ? 3 : 4;

		e.path = long_path(n);
		e.path_len = n;
		pax = head(&e, out, &ustar);
		snprintf(want, sizeof(want), "%zu path=%s\n", n + 7 + digits, e.path);
		ck_assert_str_eq(pax, n <= 100 ? "" : want);
		ck_assert_mem_eq(ustar, e.path, n < 100 ? n : 100);
		ck_assert_int_eq(ustar[100], '0');
		ck_assert_int_eq(ustar[345], 0);
	}
}
END_TEST

START_TEST(lengths_of_records_count_their_own_digits)
{
	uint8_t out[SP_TAR_HEAD_MAX];

	/* a record whose length is just below, at and just above another number of digits */
	for (size_t n = 101; n <= SP_PATH_MAX; n++) {
		struct sp_entry e = file;
		const uint8_t *ustar;
		const char *pax;
		unsigned long said;

		e.path = long_path(n);
		e.path_len = n;
		pax = head(&e, out, &ustar);
		said = strtoul(pax, NULL, 10);
		ck_assert_uint_eq(said, strlen(pax));
		ck_assert_int_eq(pax[said - 1], '\n');
	}
}
END_TEST

START_TEST(names_that_are_not_ascii_go_into_pax)
{
	static const struct { const char *path, *target, *pax; } rows[] = {
		{ "\x7f\x01", "", "" },
		{ "\xc3\xa9", "", "11 path=\xc3\xa9\n" },
		{ "\xff", "", "21 hdrcharset=BINARY\n9 path=\xff\n" },
		{ "\xc3", "", "21 hdrcharset=BINARY\n9 path=\xc3\n" },
		{ "\xc0\xaf", "", "21 hdrcharset=BINARY\n11 path=\xc0\xaf\n" },
		{ "\xed\xa0\x80", "", "21 hdrcharset=BINARY\n12 path=\xed\xa0\x80\n" },
		{ "\xf4\x90\x80\x80", "", "21 hdrcharset=BINARY\n13 path=\xf4\x90\x80\x80\n" },
		{ "\xf4\x8f\xbf\xbf", "", "13 path=\xf4\x8f\xbf\xbf\n" },
		{ "l", "\xc3\xa9", "15 linkpath=\xc3\xa9\n" },
		{ "l", "\xff", "21 hdrcharset=BINARY\n14 linkpath=\xff\n" },
		{ "\xc3\xa9", "\xff", "21 hdrcharset=BINARY\n11 path=\xc3\xa9\n14 linkpath=\xff\n" },
		{ "\xff", "t", "21 hdrcharset=BINARY\n9 path=\xff\n" },
	};
	uint8_t out[SP_TAR_HEAD_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sp_entry e = file;
		const uint8_t *ustar;

		e.type = SP_ENTRY_SYMLINK;
		e.path = rows[i].path;
		e.path_len = strlen(e.path);
		e.target = rows[i].target;
		e.target_len = strlen(e.target);
		ck_assert_str_eq(head(&e, out, &ustar), rows[i].pax);
		ck_assert_str_eq((const char *)ustar, rows[i].path);
		ck_assert_str_eq((const char *)ustar + 157, rows[i].target);
	}
}
END_TEST

START_TEST(pk16_sizes_of_8_gib_and_times_out_of_range_go_into_pax)
{
	static const struct { uint64_t size; int64_t mtime; const char *pax, *octal_size, *octal_time; } rows[] = {
		{ 8589934591, 8589934591, "", "77777777777", "77777777777" },
		{ 8589934592, 0, "19 size=8589934592\n", "00000000000", "00000000000" },
		{ SP_PACKET_MAX, 1, "28 size=4611686018427387904\n", "00000000000", "00000000001" },
		{ 1, 8589934592, "20 mtime=8589934592\n", "00000000001", "00000000000" },
		{ 1, -1, "12 mtime=-1\n", "00000000001", "00000000000" },
		{ 8589934592, INT64_MIN, "19 size=8589934592\n30 mtime=-9223372036854775808\n", "00000000000", "00000000000" },
	};
	uint8_t out[SP_TAR_HEAD_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sp_entry e = file;
		const uint8_t *ustar;

		e.size = rows[i].size;
		e.mtime_sec = rows[i].mtime;
		ck_assert_str_eq(head(&e, out, &ustar), rows[i].pax);
		ck_assert_str_eq((const char *)ustar + 124, rows[i].octal_size);
		ck_assert_str_eq((const char *)ustar + 136, rows[i].octal_time);
	}
}
END_TEST

START_TEST(the_longest_header_fits)
{
	uint8_t out[SP_TAR_HEAD_MAX];
	char name[SP_PATH_MAX];
	struct sp_entry e = file;

	memset(name, 0xff, sizeof(name));
	e.type = SP_ENTRY_HARDLINK;
	e.path = e.target = name;
	e.path_len = e.target_len = SP_PATH_MAX;
	e.size = SP_PACKET_MAX;
	e.mtime_sec = INT64_MIN;
	ck_assert_uint_eq(sp_tar_head(&e, out), SP_TAR_HEAD_MAX);
}
END_TEST

START_TEST(the_manifest_member_is_read_in_one_form_only)
{
	static const uint64_t lengths[] = { 1, 511, 512, SP_MANIFEST_MAX };
	uint8_t header[SP_TAR_BLOCK];
	uint64_t length;
	struct sp_why why = { "" };

	for (size_t i = 0; i < 4; i++) {
		sp_layout_manifest_header(lengths[i], header);
		ck_assert_str_eq((char *)header, SP_MANIFEST_MEMBER);
		ck_status(sp_layout_manifest_length(header, &length, NULL), SP_OK);
		ck_assert_uint_eq(length, lengths[i]);
	}
	sp_layout_manifest_header((uint64_t)SP_MANIFEST_MAX + 1, header);
	ck_status(sp_layout_manifest_length(header, &length, &why), SP_E_LIMIT);
	sp_layout_manifest_header(0, header);
	ck_status(sp_layout_manifest_length(header, &length, &why), SP_E_MANIFEST);
	sp_layout_manifest_header(1234, header);
	for (size_t i = 0; i < 8 * SP_TAR_BLOCK; i++) {
		header[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_status(sp_layout_manifest_length(header, &length, &why), SP_E_MANIFEST);
		header[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ck_status(sp_layout_manifest_length(header, &length, &why), SP_OK);
}
END_TEST

UNIT_MAIN("packet/tar", a_plain_header_byte_by_byte, types_have_their_flags_and_links,
    pk16_paths_of_100_bytes_fit_and_101_do_not, lengths_of_records_count_their_own_digits,
    names_that_are_not_ascii_go_into_pax, pk16_sizes_of_8_gib_and_times_out_of_range_go_into_pax,
    the_longest_header_fits, the_manifest_member_is_read_in_one_form_only)
