/*
 * fuzz.c - what fuzz targets share: promises, and the round trip of a message.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/text.h"

uint64_t fuzz_accepted;

void
fuzz_broken(const char *file, int line, const char *promise)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
	abort();
}

void
fuzz_reason(const struct sp_why *why)
{
	size_t n = strnlen(why->text, sizeof(why->text));

	fuzz_must(n < sizeof(why->text));
	for (size_t i = 0; i < n; i++)
		fuzz_must((uint8_t)why->text[i] >= ' ' && why->text[i] != 0x7f);
}

void
fuzz_same(struct sp_span a, struct sp_span b)
{
	fuzz_must(sp_span_eq(a, b));
}

void
fuzz_split(struct sp_span in, struct sp_span *ret_first, struct sp_span *ret_second)
{
	const uint8_t *zero = in.n > 0 ? memchr(in.p, 0, in.n) : NULL;
	size_t n = zero != NULL ? (size_t)(zero - in.p) : in.n;

	*ret_first = sp_span(in.p, n);
	*ret_second = zero != NULL ? sp_span(zero + 1, in.n - n - 1) : sp_span(NULL, 0);
}

static bool
is_field(const struct sp_desc *desc, unsigned tag)
{
	for (size_t i = 0; i < desc->nfields; i++)
		if (desc->fields[i].tag == tag)
			return true;
	return false;
}

/* The fields of the row alone, by a walk of our own. */
static void
known_fields(const struct sp_desc *desc, struct sp_span bytes, struct sp_buf *out)
{
	for (size_t at = 0; at < bytes.n;) {
		const uint8_t *p = bytes.p + at;
		size_t n;

		fuzz_must(bytes.n - at >= 6);
		n = (size_t)p[2] << 24 | (size_t)p[3] << 16 | (size_t)p[4] << 8 | p[5];
		fuzz_must(n <= bytes.n - at - 6);
		if (is_field(desc, (unsigned)(p[0] << 8 | p[1])))
			sp_buf_add(out, p, 6 + n);
		else
			fuzz_must(desc->transport != SP_TRANSPORT_STATEMENT && (p[1] & 1) == 1);
		at += 6 + n;
	}
}

bool
fuzz_decode(const struct sp_desc *desc, struct sp_span bytes, void *msg)
{
	SP_AUTO_DONE(sp_buf) known = { 0 }, again = { 0 }, shown = { 0 };
	struct sp_why why = { "" };

	memset(msg, 0x5a, desc->size);
	if (sp_decode(desc, bytes, msg, &why) != SP_OK) {
		fuzz_must(why.text[0] != 0);
		fuzz_reason(&why);
		for (size_t i = 0; i < desc->size; i++)
			fuzz_must(((const uint8_t *)msg)[i] == 0);
		return false;
	}
	known_fields(desc, bytes, &known);
	fuzz_ok(sp_encode(desc, msg, &again, &why));
	fuzz_same(sp_buf_span(&known), sp_buf_span(&again));
	sp_describe(desc, msg, &shown);
	fuzz_ok(sp_buf_status(&shown));
	fuzz_must(sp_is_text(sp_buf_span(&shown)));
	return true;
}
