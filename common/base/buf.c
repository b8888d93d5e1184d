/*
 * buf.c - the growing buffer: doubles, keeps to its maximum, wipes secrets when it moves them.
 */
#include "common/base/buf.h"

#include <stdio.h>

void
sp_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

bool
sp_same_secret(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= (uint8_t)(x[i] ^ y[i]);
	return diff == 0;
}

struct sp_buf *
sp_buf_new(void)
{
	return calloc(1, sizeof(struct sp_buf));
}

void
sp_buf_done(struct sp_buf *b)
{
	size_t max = b->max;
	bool secret = b->secret;

	if (secret && b->data != NULL)
		sp_wipe(b->data, b->cap);
	free(b->data);
	*b = (struct sp_buf){ .max = max, .secret = secret };
}

void
sp_buf_free(struct sp_buf *b)
{
	if (b == NULL)
		return;
	sp_buf_done(b);
	free(b);
}

void
sp_buf_clear(struct sp_buf *b)
{
	if (b->secret && b->data != NULL)
		sp_wipe(b->data, b->cap);
	b->len = 0;
	b->error = SP_OK;
}

/* Room for want bytes in all; false (and the error set) otherwise. */
static bool
grow(struct sp_buf *b, size_t want)
{
	size_t cap = b->cap > 0 ? b->cap : 64;
	uint8_t *data;

	if (want <= b->cap)
		return true;
	while (cap < want) {
		if (cap > SIZE_MAX / 2) {
			cap = want;
			break;
		}
		cap *= 2;
	}
	data = malloc(cap);
	if (data == NULL) {
		b->error = SP_E_NOMEM;
		return false;
	}
	if (b->data != NULL) {
		memcpy(data, b->data, b->len);
		if (b->secret)
			sp_wipe(b->data, b->cap);
		free(b->data);
	}
	b->data = data;
	b->cap = cap;
	return true;
}

uint8_t *
sp_buf_reserve(struct sp_buf *b, size_t n)
{
	size_t want;

	if (b->error != SP_OK)
		return NULL;
	if (__builtin_add_overflow(b->len, n, &want) || (b->max > 0 && want > b->max)) {
		b->error = SP_E_LONG;
		return NULL;
	}
	if (!grow(b, want > 0 ? want : 1))
		return NULL;
	b->len = want;
	return b->data + want - n;
}

void
sp_buf_add(struct sp_buf *b, const void *p, size_t n)
{
	uint8_t *to = sp_buf_reserve(b, n);

	if (to != NULL && n > 0)
		memcpy(to, p, n);
}

void
sp_buf_add_span(struct sp_buf *b, struct sp_span s)
{
	sp_buf_add(b, s.p, s.n);
}

static void
add_int(struct sp_buf *b, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	sp_buf_add(b, bytes, n);
}

void
sp_buf_add_u8(struct sp_buf *b, uint8_t v)
{
	add_int(b, v, 1);
}

void
sp_buf_add_u16(struct sp_buf *b, uint16_t v)
{
	add_int(b, v, 2);
}

void
sp_buf_add_u32(struct sp_buf *b, uint32_t v)
{
	add_int(b, v, 4);
}

void
sp_buf_add_u64(struct sp_buf *b, uint64_t v)
{
	add_int(b, v, 8);
}

void
sp_buf_add_text(struct sp_buf *b, const char *s)
{
	sp_buf_add(b, s, strlen(s));
}

void
sp_buf_addf(struct sp_buf *b, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		if (b->error == SP_OK)
			b->error = SP_E_NOMEM;
		return;
	}
	sp_buf_add(b, text, (size_t)n);
	if (b->secret)
		sp_wipe(text, (size_t)n);
	free(text);
}

void
sp_buf_consume(struct sp_buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *
sp_buf_cstr(struct sp_buf *b)
{
	if (b->error != SP_OK || !grow(b, b->len + 1))
		return "";
	b->data[b->len] = 0;
	return (const char *)b->data;
}
