/*
 * span.h - bytes that belong to somebody else: a borrowed pointer and a length.
 */
#ifndef SP_BASE_SPAN_H
#define SP_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* p is borrowed and may be NULL when n is 0. */
struct sp_span {
	const uint8_t *p;
	size_t n;
};

static inline struct sp_span
sp_span(const void *p, size_t n)
{
	return (struct sp_span){ p, n };
}

/* The bytes of a string without its end. NULL counts as empty. */
static inline struct sp_span
sp_span_str(const char *s)
{
	return (struct sp_span){ (const uint8_t *)s, s != NULL ? strlen(s) : 0 };
}

static inline bool
sp_span_eq(struct sp_span a, struct sp_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* A SHA-256 (or any 32-byte value that is compared as a whole). */
struct sp_hash {
	uint8_t b[32];
};

static inline bool
sp_hash_eq(const struct sp_hash *a, const struct sp_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool
sp_hash_is_zero(const struct sp_hash *h)
{
	static const struct sp_hash zero;

	return sp_hash_eq(h, &zero);
}

#endif
