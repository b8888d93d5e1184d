/*
 * cursor.c - bounded reading with a sticky error.
 */
#include "common/base/cursor.h"

struct sp_cursor
sp_cursor(struct sp_span bytes)
{
	static const uint8_t none[1];
	const uint8_t *p = bytes.p != NULL ? bytes.p : none;

	return (struct sp_cursor){ p, p + bytes.n, SP_OK };
}

void
sp_cursor_fail(struct sp_cursor *c, enum sp_status st)
{
	if (c->error == SP_OK)
		c->error = st;
}

struct sp_span
sp_cursor_bytes(struct sp_cursor *c, size_t n)
{
	struct sp_span s;

	if (c->error != SP_OK || n > sp_cursor_left(c)) {
		sp_cursor_fail(c, SP_E_SHORT);
		return sp_span(NULL, 0);
	}
	s = sp_span(c->p, n);
	c->p += n;
	return s;
}

void
sp_cursor_copy(struct sp_cursor *c, void *out, size_t n)
{
	struct sp_span s = sp_cursor_bytes(c, n);

	if (s.n == n && n > 0)
		memcpy(out, s.p, n);
	else
		memset(out, 0, n);
}

static uint64_t
read_int(struct sp_cursor *c, size_t n)
{
	struct sp_span s = sp_cursor_bytes(c, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t
sp_cursor_u8(struct sp_cursor *c)
{
	return (uint8_t)read_int(c, 1);
}

uint16_t
sp_cursor_u16(struct sp_cursor *c)
{
	return (uint16_t)read_int(c, 2);
}

uint32_t
sp_cursor_u32(struct sp_cursor *c)
{
	return (uint32_t)read_int(c, 4);
}

uint64_t
sp_cursor_u64(struct sp_cursor *c)
{
	return read_int(c, 8);
}

enum sp_status
sp_cursor_end(const struct sp_cursor *c)
{
	if (c->error != SP_OK)
		return c->error;
	return c->p == c->end ? SP_OK : SP_E_LONG;
}
