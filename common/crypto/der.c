/*
 * der.c - DER there and back. The writer keeps a sticky error in the buffer, the reader in the cursor.
 */
#include "common/crypto/der.h"

#include <stdio.h>
#include <time.h>

/* 2050-01-01 and 10000-01-01: UTCTime ends before the one, GeneralizedTime before the other. */
#define UTC_TIME_END INT64_C(2524608000)
#define TIME_END INT64_C(253402300800)

size_t
sp_der_open(struct sp_buf *b, uint8_t tag)
{
	sp_buf_add_u8(b, tag);
	sp_buf_add_u8(b, 0);
	return b->len;
}

void
sp_der_close(struct sp_buf *b, size_t mark)
{
	size_t n, more = 0;

	if (sp_buf_status(b) != SP_OK)
		return;
	n = b->len - mark;
	if (n < 0x80) {
		b->data[mark - 1] = (uint8_t)n;
		return;
	}
	for (size_t left = n; left > 0; left >>= 8)
		more++;
	if (sp_buf_reserve(b, more) == NULL)
		return;
	memmove(b->data + mark + more, b->data + mark, n);
	b->data[mark - 1] = (uint8_t)(0x80 | more);
	for (size_t i = 0; i < more; i++)
		b->data[mark + i] = (uint8_t)(n >> (8 * (more - 1 - i)));
}

void
sp_der_add(struct sp_buf *b, uint8_t tag, struct sp_span content)
{
	size_t mark = sp_der_open(b, tag);

	sp_buf_add_span(b, content);
	sp_der_close(b, mark);
}

void
sp_der_add_uint(struct sp_buf *b, const uint8_t *p, size_t n)
{
	size_t mark = sp_der_open(b, DER_INTEGER);

	while (n > 1 && *p == 0) {
		p++;
		n--;
	}
	if (n == 0 || *p >= 0x80)
		sp_buf_add_u8(b, 0);
	sp_buf_add(b, p, n);
	sp_der_close(b, mark);
}

void
sp_der_add_time(struct sp_buf *b, int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[32];
	struct tm tm;
	bool utc = seconds < UTC_TIME_END;

	if (seconds < 0 || seconds >= TIME_END || gmtime_r(&t, &tm) == NULL) {
		b->error = SP_E_RANGE;
		return;
	}
	strftime(text, sizeof(text), utc ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ", &tm);
	sp_der_add(b, utc ? DER_UTC_TIME : DER_TIME, sp_span_str(text));
}

void
sp_der_add_signature(struct sp_buf *b, const uint8_t signature[SP_SIGNATURE])
{
	size_t mark = sp_der_open(b, DER_SEQUENCE);

	sp_der_add_uint(b, signature, SP_SIGNATURE / 2);
	sp_der_add_uint(b, signature + SP_SIGNATURE / 2, SP_SIGNATURE / 2);
	sp_der_close(b, mark);
}

/* The length of an element in its only form. */
static size_t
read_length(struct sp_cursor *c)
{
	uint8_t first = sp_cursor_u8(c);
	size_t n = 0;

	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x84) {
		sp_cursor_fail(c, SP_E_FORMAT);
		return 0;
	}
	for (int i = 0; i < (first & 0x7f); i++)
		n = n << 8 | sp_cursor_u8(c);
	if (n < 0x80 || n >> (8 * ((first & 0x7f) - 1)) == 0)
		sp_cursor_fail(c, SP_E_FORMAT);
	return n;
}

struct sp_span
sp_der_read(struct sp_cursor *c, uint8_t tag)
{
	size_t n;

	if (sp_cursor_u8(c) != tag)
		sp_cursor_fail(c, SP_E_FORMAT);
	n = read_length(c);
	return sp_cursor_bytes(c, n);
}

struct sp_cursor
sp_der_enter(struct sp_cursor *c, uint8_t tag)
{
	return sp_cursor(sp_der_read(c, tag));
}

struct sp_span
sp_der_read_whole(struct sp_cursor *c, uint8_t tag)
{
	const uint8_t *from = c->p;
	struct sp_span content = sp_der_read(c, tag);

	if (c->error != SP_OK)
		return sp_span(NULL, 0);
	return sp_span(from, (size_t)(content.p - from) + content.n);
}

bool
sp_der_next_is(const struct sp_cursor *c, uint8_t tag)
{
	return c->error == SP_OK && c->p < c->end && *c->p == tag;
}

void
sp_der_expect(struct sp_cursor *c, struct sp_span bytes)
{
	if (!sp_span_eq(sp_cursor_bytes(c, bytes.n), bytes))
		sp_cursor_fail(c, SP_E_FORMAT);
}

void
sp_der_read_uint(struct sp_cursor *c, uint8_t *out, size_t n)
{
	struct sp_span s = sp_der_read(c, DER_INTEGER);
	bool zero_first = s.n > 0 && s.p[0] == 0;

	memset(out, 0, n);
	/* Nothing, a negative number, zero itself, or a zero in front without need. */
	if (s.n == 0 || s.p[0] >= 0x80 || (zero_first && (s.n == 1 || s.p[1] < 0x80))) {
		sp_cursor_fail(c, SP_E_FORMAT);
		return;
	}
	if (zero_first)
		s = sp_span(s.p + 1, s.n - 1);
	if (s.n > n)
		sp_cursor_fail(c, SP_E_FORMAT);
	else
		memcpy(out + n - s.n, s.p, s.n);
}

int64_t
sp_der_read_time(struct sp_cursor *c)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	uint8_t tag = sp_der_next_is(c, DER_TIME) ? DER_TIME : DER_UTC_TIME;
	struct sp_span whole = sp_der_read_whole(c, tag);
	char text[16] = "20";
	size_t skip = tag == DER_UTC_TIME ? 2 : 0;
	struct tm tm = { 0 };
	int64_t seconds;

	if (c->error != SP_OK || whole.n - 2 + skip != 15) {
		sp_cursor_fail(c, SP_E_FORMAT);
		return 0;
	}
	memcpy(text + skip, whole.p + 2, whole.n - 2);
	/* Two digits stand for 1950 to 2049. */
	if (skip > 0 && text[2] >= '5')
		memcpy(text, "19", 2);
	text[15] = 0;
	if (sscanf(text, "%4d%2d%2d%2d%2d%2dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
	    &tm.tm_sec) != 6) {
		sp_cursor_fail(c, SP_E_FORMAT);
		return 0;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm);
	/* What strays from the form, or names a day that is none, does not come out the same. */
	sp_der_add_time(&again, seconds);
	if (sp_buf_status(&again) != SP_OK || !sp_span_eq(sp_buf_span(&again), whole))
		sp_cursor_fail(c, SP_E_FORMAT);
	return seconds;
}

void
sp_der_read_signature(struct sp_cursor *c, uint8_t signature[SP_SIGNATURE])
{
	struct sp_cursor in = sp_der_enter(c, DER_SEQUENCE);

	sp_der_read_uint(&in, signature, SP_SIGNATURE / 2);
	sp_der_read_uint(&in, signature + SP_SIGNATURE / 2, SP_SIGNATURE / 2);
	sp_der_leave(c, &in);
}

void
sp_der_leave(struct sp_cursor *outer, const struct sp_cursor *inner)
{
	if (sp_cursor_end(inner) != SP_OK)
		sp_cursor_fail(outer, SP_E_FORMAT);
}
