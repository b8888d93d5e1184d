/*
 * press.c - frames made and opened with libzstd, in one step each; their heads and blocks (RFC 8878) are walked here, so that
 * a frame's end and its claims are known before anything is unpacked.
 */
#include "peerd/data/press.h"

#include <stdlib.h>
#include <zstd.h>

#define LEVEL 1		/* faster than most lines; the next ones cost twice the time for a tenth of the bytes */
#define MAGIC_BYTES 4
#define HEAD_MIN 5	/* magic, descriptor */
#define BLOCK_HEAD 3

struct press {
	ZSTD_CCtx *pack;	/* owned, as all */
	ZSTD_DCtx *unpack;
	uint8_t *plain;		/* SP_PRESS_MAX */
	uint8_t *frame;		/* SP_PRESS_TAR */
};

enum sp_status
press_new(struct press **ret_press)
{
	SP_AUTO(press) *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return SP_E_NOMEM;
	p->pack = ZSTD_createCCtx();
	p->unpack = ZSTD_createDCtx();
	p->plain = malloc(SP_PRESS_MAX);
	p->frame = malloc(SP_PRESS_TAR);
	if (p->pack == NULL || p->unpack == NULL || p->plain == NULL || p->frame == NULL)
		return SP_E_NOMEM;
	if (ZSTD_isError(ZSTD_CCtx_setParameter(p->pack, ZSTD_c_compressionLevel, LEVEL)))
		return SP_E_LIBRARY;
	*ret_press = sp_take(&p);
	return SP_OK;
}

void
press_free(struct press *p)
{
	if (p == NULL)
		return;
	ZSTD_freeCCtx(p->pack);
	ZSTD_freeDCtx(p->unpack);
	free(p->plain);
	free(p->frame);
	free(p);
}

/* ---- sending ---- */

uint8_t *
press_plain(struct press *p)
{
	return p->plain;
}

struct sp_span
press_pack(struct press *p, size_t n)
{
	size_t worth = n - n / SP_PRESS_WORTH, did;

	/* With no room for more than what is worth it, the library stops early. */
	did = ZSTD_compress2(p->pack, p->frame, worth < SP_PRESS_TAR ? worth : SP_PRESS_TAR, p->plain, n);
	return ZSTD_isError(did) || did >= n ? sp_span(NULL, 0) : sp_span(p->frame, did);
}

void
press_learn(struct press_tries *t, uint64_t at, bool worth)
{
	if (worth)
		t->run = 0;
	else if (t->run == 0)
		t->run = SP_PRESS_TAR;
	else if (t->run < SP_PRESS_RARELY)
		t->run *= 2;
	t->raw_until = at + t->run;
}

/* ---- receiving ---- */

void
press_in_done(struct press_in *in)
{
	sp_buf_done(&in->bytes);
	*in = (struct press_in){ 0 };
}

static uint64_t
little(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static enum sp_status
no_frame(struct sp_why *why)
{
	return sp_fail(SP_E_FORMAT, why, "what the sender compressed is no frame as it should be");
}

/* The window that byte 5 asks for, without its last three bits: enough to compare. */
static uint64_t
window(uint8_t descriptor)
{
	return (1ull << (10 + (descriptor >> 3))) / 8 * (8 + (descriptor & 7));
}

/* Descriptor: two bits of how long the size is, single segment, unused, reserved, checksum, two bits of dictionary. */
static enum sp_status
read_head(struct press_in *in, struct sp_why *why)
{
	static const uint8_t magic[MAGIC_BYTES] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const uint8_t size_bytes[] = { 0, 2, 4, 8 };
	const uint8_t *b = in->bytes.data;
	bool single;
	size_t n, size_at;
	uint64_t holds;

	if (in->bytes.len < HEAD_MIN)
		return SP_OK;
	single = (b[4] & 0x20) != 0;
	n = size_bytes[b[4] >> 6];
	if (n == 0 && single)
		n = 1;
	if (memcmp(b, magic, sizeof(magic)) != 0 || n == 0 || (b[4] & 0x0f) != 0)
		return no_frame(why);
	size_at = HEAD_MIN + !single;
	if (in->bytes.len < size_at + n)
		return SP_OK;
	if (!single && window(b[HEAD_MIN]) > SP_PRESS_WINDOW)
		return sp_fail(SP_E_LONG, why, "a compressed frame asks for too large a window");
	holds = little(b + size_at, n) + (n == 2 ? 256 : 0);
	if (holds == 0 || holds > SP_PRESS_MAX)
		return sp_fail(SP_E_LONG, why, "a compressed frame holds %llu bytes: at most %d are possible",
		    (unsigned long long)holds, SP_PRESS_MAX);
	in->holds = (size_t)holds;
	in->next = size_at + n;
	return SP_OK;
}

/* Block head: last, two bits of type, length; a run of one byte (type 1) is one byte long. */
static enum sp_status
walk_blocks(struct press_in *in, bool *ret_whole, struct sp_why *why)
{
	while (in->next + BLOCK_HEAD <= in->bytes.len) {
		uint64_t head = little(in->bytes.data + in->next, BLOCK_HEAD);
		unsigned type = head >> 1 & 3;
		size_t end = in->next + BLOCK_HEAD + (type == 1 ? 1 : (size_t)(head >> 3));

		if (type == 3)
			return no_frame(why);
		if (end >= in->holds)
			return sp_fail(SP_E_LONG, why, "a compressed frame is not shorter than what it holds");
		if (end > in->bytes.len)	/* the rest of the block is still to come */
			return SP_OK;
		if ((head & 1) != 0) {
			*ret_whole = true;
			return end == in->bytes.len ? SP_OK : no_frame(why);
		}
		in->next = end;
	}
	return SP_OK;
}

enum sp_status
press_in_add(struct press_in *in, uint64_t offset, struct sp_span part, bool *ret_whole, struct sp_why *why)
{
	enum sp_status st;

	*ret_whole = false;
	if (press_in_begun(in) && offset != in->offset)
		return sp_fail(SP_E_FORMAT, why, "a compressed frame was not ended");
	in->offset = offset;
	sp_buf_add_span(&in->bytes, part);
	if ((st = sp_buf_status(&in->bytes)) == SP_OK && in->next == 0)
		st = read_head(in, why);
	if (st != SP_OK || in->next == 0)
		return st;
	if (in->bytes.len >= in->holds)
		return sp_fail(SP_E_LONG, why, "a compressed frame is not shorter than what it holds");
	return walk_blocks(in, ret_whole, why);
}

enum sp_status
press_unpack(struct press *p, struct press_in *in, struct sp_span *ret_plain, struct sp_why *why)
{
	size_t holds = in->holds;
	size_t did = ZSTD_decompressDCtx(p->unpack, p->plain, holds, in->bytes.data, in->bytes.len);

	press_in_done(in);
	if (ZSTD_isError(did))
		return sp_fail(SP_E_FORMAT, why, "a compressed frame does not unpack: %.80s", ZSTD_getErrorName(did));
	if (did != holds)
		return no_frame(why);
	*ret_plain = sp_span(p->plain, did);
	return SP_OK;
}
