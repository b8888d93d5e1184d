/*
 * data_press_test.c - frames made, opened again, opened by the stock program, and lied about.
 */
#include "common/crypto/rand.h"
#include "peerd/data/press.h"
#include "tests/unit/tree_in_test.h"
#include "tests/unit/unit.h"

#include <zstd.h>

static struct press *press;
static struct press_in in;
static struct sp_why why;

static void
set_up(void)
{
	ck_status(press_new(&press), SP_OK);
	in = (struct press_in){ 0 };
}

static void
tear_down(void)
{
	press_in_done(&in);
	press_free(press);
}

/* Lines as in a log: no two alike, and still mostly the same. */
static void
fill_text(uint8_t *p, size_t n)
{
	static unsigned line;
	size_t at = 0;
	char text[64];

	while (at < n) {
		size_t did = (size_t)snprintf(text, sizeof(text), "%u a line of a log, as there are many\n", line++);

		did = did < n - at ? did : n - at;
		memcpy(p + at, text, did);
		at += did;
	}
}

/* A frame of other parameters than our own, in a buffer of its own. */
static struct sp_buf
made_by(size_t n, int checksum, int size, int window_log)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	struct sp_buf out = { 0 };
	uint8_t *plain = malloc(n);
	ZSTD_outBuffer to;
	ZSTD_inBuffer from = { plain, n, 0 };

	fill_text(plain, n);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, checksum);
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, size);
	if (window_log > 0)
		ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
	to = (ZSTD_outBuffer){ sp_buf_reserve(&out, ZSTD_compressBound(n)), ZSTD_compressBound(n), 0 };
	if (window_log > 0) {	/* in pieces, so that it is no single segment */
		if (size)
			ZSTD_CCtx_setPledgedSrcSize(c, n);
		from.size = n / 2;
		ck_assert(!ZSTD_isError(ZSTD_compressStream2(c, &to, &from, ZSTD_e_flush)));
		from.size = n;
	}
	ck_assert_uint_eq(ZSTD_compressStream2(c, &to, &from, ZSTD_e_end), 0);
	out.len = to.pos;
	free(plain);
	ZSTD_freeCCtx(c);
	return out;
}

/* All of it in parts of this size; the first status that is not OK, or how the end was. */
static enum sp_status
take(struct sp_span frame, size_t part, bool *ret_whole)
{
	enum sp_status st = SP_OK;

	*ret_whole = false;
	for (size_t at = 0; st == SP_OK && at < frame.n; at += part) {
		ck_assert(!*ret_whole);
		st = press_in_add(&in, 100, sp_span(frame.p + at, frame.n - at < part ? frame.n - at : part), ret_whole, &why);
	}
	return st;
}

START_TEST(what_is_packed_is_unpacked)
{
	static const size_t sizes[] = { 200, 511, 512, 70000, SP_PRESS_TAR - 1, SP_PRESS_TAR };
	static uint8_t want[SP_PRESS_TAR];

	set_up();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t part = 1; part <= SP_RECORD_DATA; part = part * 7 + 1) {
			struct sp_span frame, plain;
			bool whole;

			fill_text(press_plain(press), sizes[i]);
			memcpy(want, press_plain(press), sizes[i]);
			frame = press_pack(press, sizes[i]);
			ck_assert_uint_gt(frame.n, 0);
			ck_assert_uint_lt(frame.n, sizes[i]);
			ck_status(take(frame, part, &whole), SP_OK);
			ck_assert(whole);
			ck_assert_uint_eq(in.holds, sizes[i]);
			ck_status(press_unpack(press, &in, &plain, &why), SP_OK);
			ck_assert_uint_eq(plain.n, sizes[i]);
			ck_assert_mem_eq(plain.p, want, sizes[i]);
			ck_assert(!press_in_begun(&in));
		}
	}
	tear_down();
}
END_TEST

START_TEST(what_does_not_compress_is_noticed)
{
	struct press_tries t = { 0 };
	uint64_t at = 0;
	unsigned tried = 0;

	set_up();
	sp_random(press_plain(press), SP_PRESS_TAR);
	ck_assert_uint_eq(press_pack(press, SP_PRESS_TAR).n, 0);
	ck_assert_uint_eq(press_pack(press, 1).n, 0);
	ck_assert_uint_eq(press_pack(press, 10).n, 0);
	/* 64 MiB of it: tried in the beginning, then rarely */
	for (; at < 64 * 1024 * 1024; at += SP_PRESS_TAR)
		if (press_due(&t, at)) {
			press_learn(&t, at + SP_PRESS_TAR, false);
			tried++;
		}
	ck_assert_uint_ge(tried, 15);
	ck_assert_uint_le(tried, 21);
	/* the text behind it is found, and from then on all of it */
	while (!press_due(&t, at))
		at += SP_PRESS_TAR;
	ck_assert_uint_le(at, 64 * 1024 * 1024 + SP_PRESS_RARELY);
	for (int i = 0; i < 10; i++, at += SP_PRESS_TAR) {
		ck_assert(press_due(&t, at));
		press_learn(&t, at + SP_PRESS_TAR, true);
	}
	/* one picture in the text costs one turn */
	press_learn(&t, at, false);
	ck_assert(!press_due(&t, at));
	ck_assert(press_due(&t, at + SP_PRESS_TAR));
	tear_down();
}
END_TEST

/* What was sent opens with the stock program, as frames one behind the other. */
START_TEST(pk01_stock_zstd_opens_what_was_sent)
{
	static uint8_t all[3 * SP_PRESS_TAR];
	SP_AUTO_DONE(sp_buf) frames = { 0 };
	char command[512];

	set_up();
	tree_new();
	for (size_t i = 0; i < 3; i++) {
		fill_text(press_plain(press), SP_PRESS_TAR);
		memcpy(all + i * SP_PRESS_TAR, press_plain(press), SP_PRESS_TAR);
		sp_buf_add_span(&frames, press_pack(press, SP_PRESS_TAR));
	}
	tree_file("plain", (const char *)all, sizeof(all), 0600);
	tree_file("frames.zst", (const char *)frames.data, frames.len, 0600);
	snprintf(command, sizeof(command), "zstd -q -d -c '%s/frames.zst' | cmp - '%s/plain'", tree_dir, tree_dir);
	ck_assert_int_eq(system(command), 0);
	tree_done();
	tear_down();
}
END_TEST

/* Frames of another compressor, of this format, are taken. */
START_TEST(another_writers_frames_are_taken)
{
	SP_AUTO_DONE(sp_buf) largest = made_by(SP_PRESS_MAX, 0, 1, 0), windowed = made_by(300000, 0, 1, 18);
	struct sp_span plain;
	bool whole;

	set_up();
	ck_assert_int_eq(windowed.data[4] & 0x20, 0);
	ck_status(take(sp_buf_span(&largest), SP_RECORD_DATA, &whole), SP_OK);
	ck_assert(whole);
	ck_status(press_unpack(press, &in, &plain, &why), SP_OK);
	ck_assert_uint_eq(plain.n, SP_PRESS_MAX);
	ck_status(take(sp_buf_span(&windowed), 5000, &whole), SP_OK);
	ck_assert(whole);
	ck_status(press_unpack(press, &in, &plain, &why), SP_OK);
	ck_assert_uint_eq(plain.n, 300000);
	tear_down();
}
END_TEST

/* Refused before anything is unpacked. */
START_TEST(lies_in_the_head)
{
	static const struct { size_t n; int checksum, size, window_log; enum sp_status st; } cases[] = {
		{ SP_PRESS_MAX + 1, 0, 1, 0, SP_E_LONG }, { 1 << 26, 0, 1, 0, SP_E_LONG },	/* bombs that say so */
		{ 1000, 1, 1, 0, SP_E_FORMAT },		/* a checksum */
		{ 1000, 0, 0, 0, SP_E_FORMAT },		/* no size */
		{ 300000, 0, 0, 20, SP_E_FORMAT },
		{ SP_PRESS_MAX * 20, 0, 1, 24, SP_E_LONG },
	};
	static const uint8_t heads[][8] = {
		{ 0x28, 0xb5, 0x2f, 0xfc, 0x20, 200 },			/* another magic number */
		{ 0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0 },			/* a frame to be skipped */
		{ 0x28, 0xb5, 0x2f, 0xfd, 0x21, 200 },			/* a dictionary */
		{ 0x28, 0xb5, 0x2f, 0xfd, 0x28, 200 },			/* the reserved bit */
		{ 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0 },			/* nothing in it */
		{ 0x28, 0xb5, 0x2f, 0xfd, 0x40, 0x69, 0, 1 },		/* a window beyond 8 MiB */
		{ 0x28, 0xb5, 0x2f, 0xfd, 0x20, 200, 6, 0 },		/* then a block of the reserved type, below */
	};
	bool whole;

	set_up();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SP_AUTO_DONE(sp_buf) b = made_by(cases[i].n, cases[i].checksum, cases[i].size, cases[i].window_log);

		ck_status(take(sp_buf_span(&b), SP_RECORD_DATA, &whole), cases[i].st);
		press_in_done(&in);
		ck_status(take(sp_buf_span(&b), 1, &whole), cases[i].st);
		press_in_done(&in);
	}
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		SP_AUTO_DONE(sp_buf) b = { 0 };

		sp_buf_add(&b, heads[i], sizeof(heads[i]));
		sp_buf_add_u8(&b, 0);
		ck_assert_int_ne(take(sp_buf_span(&b), 9, &whole), SP_OK);
		press_in_done(&in);
	}
	tear_down();
}
END_TEST

/* A frame that says 1 MiB and unpacks to GiBs, and one that says more than it has: nothing beyond what it says is written. */
START_TEST(a_size_that_is_a_lie)
{
	SP_AUTO_DONE(sp_buf) honest = made_by(200000, 0, 1, 0), bomb = { 0 };
	uint8_t *size = honest.data + 5;
	struct sp_span plain;
	bool whole;

	set_up();
	ck_assert_int_eq(honest.data[4], 0xa0);		/* a single segment, four bytes of size */
	for (int by = -1; by <= 1; by += 2) {
		size[0] = (uint8_t)(size[0] + by);
		ck_status(take(sp_buf_span(&honest), SP_RECORD_DATA, &whole), SP_OK);
		ck_assert(whole);
		ck_status(press_unpack(press, &in, &plain, &why), SP_E_FORMAT);
		ck_assert(!press_in_begun(&in));
		size[0] = (uint8_t)(size[0] - by);
	}
	/* runs of 128 KiB in four bytes each: 64 KiB of them would be 2 GiB */
	sp_buf_add(&bomb, (const uint8_t[]){ 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x10, 0 }, 9);
	for (int i = 0; i < 16384; i++) {
		uint32_t head = (131072u << 3) | 2 | (i == 16383);

		sp_buf_add(&bomb, (const uint8_t[]){ (uint8_t)head, (uint8_t)(head >> 8), (uint8_t)(head >> 16), 'x' }, 4);
	}
	ck_status(take(sp_buf_span(&bomb), SP_RECORD_DATA, &whole), SP_OK);
	ck_assert(whole);
	ck_status(press_unpack(press, &in, &plain, &why), SP_E_FORMAT);
	tear_down();
}
END_TEST

START_TEST(bytes_too_few_or_too_many)
{
	SP_AUTO_DONE(sp_buf) frame = made_by(5000, 0, 1, 0), more = { 0 };
	struct sp_span plain;
	bool whole;

	set_up();
	/* a frame that is cut anywhere is never whole, and no other may begin in it */
	for (size_t n = 1; n < frame.len; n++) {
		ck_status(take(sp_span(frame.data, n), SP_RECORD_DATA, &whole), SP_OK);
		ck_assert(!whole);
		ck_status(press_in_add(&in, 5100, sp_buf_span(&frame), &whole, &why), SP_E_FORMAT);
		press_in_done(&in);
	}
	/* one byte behind it; the same frame again behind it */
	sp_buf_add_span(&more, sp_buf_span(&frame));
	sp_buf_add_u8(&more, 0);
	ck_status(take(sp_buf_span(&more), SP_RECORD_DATA, &whole), SP_E_FORMAT);
	press_in_done(&in);
	more.len--;
	sp_buf_add_span(&more, sp_buf_span(&frame));
	ck_status(take(sp_buf_span(&more), SP_RECORD_DATA, &whole), SP_E_FORMAT);
	press_in_done(&in);
	/* every byte of it changed: it is refused, or unpacks to no more than it says */
	for (size_t at = 0; at < frame.len; at++) {
		frame.data[at] ^= 0x55;
		if (take(sp_buf_span(&frame), 64, &whole) == SP_OK && whole &&
		    press_unpack(press, &in, &plain, &why) == SP_OK)
			ck_assert_uint_le(plain.n, SP_PRESS_MAX);
		press_in_done(&in);
		frame.data[at] ^= 0x55;
	}
	tear_down();
}
END_TEST

/* A frame without end holds no memory: it must be shorter than what it says it holds. */
START_TEST(a_frame_that_never_ends)
{
	SP_AUTO_DONE(sp_buf) head = { 0 };
	uint8_t empty[3000] = { 0 };	/* blocks of nothing */
	bool whole;
	size_t sent = 9;

	set_up();
	sp_buf_add(&head, (const uint8_t[]){ 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x10, 0 }, 9);
	ck_status(take(sp_buf_span(&head), 9, &whole), SP_OK);
	while (press_in_add(&in, 100, sp_span(empty, sizeof(empty)), &whole, &why) == SP_OK)
		sent += sizeof(empty);
	ck_assert_uint_lt(sent, SP_PRESS_MAX);
	ck_assert_uint_le(in.bytes.len, SP_PRESS_MAX + sizeof(empty));
	tear_down();
}
END_TEST

UNIT_MAIN("data/press", what_is_packed_is_unpacked, what_does_not_compress_is_noticed,
    pk01_stock_zstd_opens_what_was_sent, another_writers_frames_are_taken, lies_in_the_head, a_size_that_is_a_lie,
    bytes_too_few_or_too_many, a_frame_that_never_ends)
