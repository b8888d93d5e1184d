/*
 * codec.c - one walk over a row's fields encodes, another decodes; there is no code for single messages.
 *
 * One form only: a struct has one encoding, and what decodes without unknown fields encodes to the same bytes. Therefore an
 * optional zero or empty value is never written and refused when it is there.
 */
#include "common/wire/msg.h"

#include "common/base/text.h"

static bool
is_int(const struct sp_field *f)
{
	return f->kind <= SP_KIND_U64;
}

static size_t
width(const struct sp_field *f)
{
	return (size_t)1 << f->kind;
}
_Static_assert(SP_KIND_U8 == 0 && SP_KIND_U16 == 1 && SP_KIND_U32 == 2 && SP_KIND_U64 == 3, "width() counts on it");

static enum sp_status
fail(enum sp_status st, struct sp_why *why, const struct sp_desc *desc, const struct sp_field *f, const char *reason)
{
	return sp_fail(st, why, "%s.%s %s", desc->name, f->name, reason);
}

/* The elements of a list, each a whole and valid PART. */
static bool
list_is_valid(const struct sp_field *f, struct sp_span bytes)
{
	const struct sp_desc *part = sp_desc_part(f);
	struct sp_cursor c = sp_cursor(bytes);

	while (sp_list_next(&c, part, NULL))
		;
	return sp_cursor_end(&c) == SP_OK;
}

/* What encoder and decoder ask of a value that is there: v is the integer, or the length of bytes. */
static enum sp_status
check(const struct sp_desc *desc, const struct sp_field *f, uint64_t v, struct sp_span bytes, struct sp_why *why)
{
	bool text = f->kind == SP_KIND_TEXT, list = f->kind == SP_KIND_LIST;

	if (f->kind == SP_KIND_ID || f->kind == SP_KIND_HASH)
		return SP_OK;
	if (v < f->min)
		return sp_fail(SP_E_RANGE, why, "%s.%s is %llu%s, at least %llu", desc->name, f->name,
		    (unsigned long long)v, is_int(f) ? "" : " bytes", (unsigned long long)f->min);
	if (f->max > 0 && v > f->max)
		return sp_fail(SP_E_RANGE, why, "%s.%s is %llu%s, at most %llu", desc->name, f->name,
		    (unsigned long long)v, is_int(f) ? "" : " bytes", (unsigned long long)f->max);
	if (text && !sp_is_text(bytes))
		return fail(SP_E_FORMAT, why, desc, f, "is not plain text");
	if (list && !list_is_valid(f, bytes))
		return fail(SP_E_FORMAT, why, desc, f, "is not a valid list");
	return SP_OK;
}

static uint64_t
load_int(const struct sp_field *f, const uint8_t *at)
{
	switch (f->kind) {
	case SP_KIND_U8:
		return *at;
	case SP_KIND_U16:
		return *(const uint16_t *)(const void *)at;
	case SP_KIND_U32:
		return *(const uint32_t *)(const void *)at;
	default:
		return *(const uint64_t *)(const void *)at;
	}
}

static void
store_int(const struct sp_field *f, uint8_t *at, uint64_t v)
{
	switch (f->kind) {
	case SP_KIND_U8:
		*at = (uint8_t)v;
		break;
	case SP_KIND_U16:
		*(uint16_t *)(void *)at = (uint16_t)v;
		break;
	case SP_KIND_U32:
		*(uint32_t *)(void *)at = (uint32_t)v;
		break;
	default:
		*(uint64_t *)(void *)at = v;
	}
}

struct sp_value
sp_field_get(const struct sp_field *f, const void *msg)
{
	const uint8_t *at = (const uint8_t *)msg + f->offset;
	struct sp_value v = { 0 };

	if (is_int(f)) {
		v.number = load_int(f, at);
		v.empty = v.number == 0;
		return v;
	}
	if (f->kind == SP_KIND_ID || f->kind == SP_KIND_HASH) {
		v.bytes = sp_span(at, f->kind == SP_KIND_ID ? sizeof(struct sp_id) : sizeof(struct sp_hash));
		v.empty = true;
		for (size_t i = 0; i < v.bytes.n; i++)
			v.empty = v.empty && v.bytes.p[i] == 0;
	} else {
		v.bytes = *(const struct sp_span *)(const void *)at;
		v.empty = v.bytes.n == 0;
	}
	v.number = v.bytes.n;
	return v;
}

static void
add_field(struct sp_buf *out, const struct sp_field *f, const struct sp_value *v)
{
	size_t n = is_int(f) ? width(f) : v->bytes.n;

	sp_buf_add_u16(out, f->tag);
	sp_buf_add_u32(out, (uint32_t)n);
	if (!is_int(f))
		sp_buf_add_span(out, v->bytes);
	for (size_t i = n; is_int(f) && i > 0; i--)
		sp_buf_add_u8(out, (uint8_t)(v->number >> (8 * (i - 1))));
}

enum sp_status
sp_encode(const struct sp_desc *desc, const void *msg, struct sp_buf *out, struct sp_why *why)
{
	size_t before = out->len;
	enum sp_status st = SP_OK;

	for (size_t i = 0; i < desc->nfields && st == SP_OK; i++) {
		const struct sp_field *f = &desc->fields[i];
		struct sp_value v = sp_field_get(f, msg);

		if (v.empty && !f->required)
			continue;
		if (!is_int(f) && v.bytes.n == 0 && f->min > 0)
			st = fail(SP_E_MISSING, why, desc, f, "is missing");
		else if (v.bytes.n > UINT32_MAX)
			st = fail(SP_E_RANGE, why, desc, f, "is too long");
		else if ((st = check(desc, f, v.number, v.bytes, why)) == SP_OK)
			add_field(out, f, &v);
	}
	if (st == SP_OK && sp_buf_status(out) != SP_OK)
		st = sp_fail(sp_buf_status(out), why, "%s does not fit", desc->name);
	if (st != SP_OK)
		out->len = before;
	return st;
}

/* One value into the struct at msg, or only checked where msg is NULL. */
static enum sp_status
take_value(const struct sp_desc *desc, const struct sp_field *f, struct sp_span bytes, uint8_t *msg, struct sp_why *why)
{
	struct sp_cursor c = sp_cursor(bytes);
	uint64_t number = bytes.n;
	uint8_t seen = 0;
	size_t fixed = is_int(f) ? width(f) : f->kind == SP_KIND_ID ? sizeof(struct sp_id) :
	    f->kind == SP_KIND_HASH ? sizeof(struct sp_hash) : 0;
	enum sp_status st;

	if (fixed > 0 && bytes.n != fixed)
		return fail(SP_E_FORMAT, why, desc, f, "is not of the right length");
	for (size_t i = 0; i < fixed; i++)
		seen |= bytes.p[i];
	if (!f->required && (fixed > 0 ? seen == 0 : bytes.n == 0))
		return fail(SP_E_FORMAT, why, desc, f, "is empty, so it must be left out");
	if (is_int(f))
		for (number = 0; sp_cursor_left(&c) > 0;)
			number = number << 8 | sp_cursor_u8(&c);
	if ((st = check(desc, f, number, bytes, why)) != SP_OK || msg == NULL)
		return st;
	if (is_int(f))
		store_int(f, msg + f->offset, number);
	else if (fixed > 0)
		memcpy(msg + f->offset, bytes.p, fixed);
	else
		*(struct sp_span *)(void *)(msg + f->offset) = bytes;
	return SP_OK;
}

/* Steps over the rows before tag: none of them may be one that is required. tag 0x10000 means the end. */
static enum sp_status
pass_absent(const struct sp_desc *desc, size_t *next, uint32_t tag, struct sp_why *why)
{
	for (; *next < desc->nfields && desc->fields[*next].tag < tag; ++*next)
		if (desc->fields[*next].required)
			return fail(SP_E_MISSING, why, desc, &desc->fields[*next], "is missing");
	return SP_OK;
}

static enum sp_status
decode(const struct sp_desc *desc, struct sp_span bytes, uint8_t *msg, struct sp_why *why)
{
	struct sp_cursor c = sp_cursor(bytes);
	bool statement = desc->transport == SP_TRANSPORT_STATEMENT;
	int last = -1;
	size_t next = 0;
	enum sp_status st;

	if (bytes.n > sp_desc_max(desc))
		return sp_fail(SP_E_LONG, why, "%s is longer than allowed", desc->name);
	while (sp_cursor_left(&c) > 0) {
		uint16_t tag = sp_cursor_u16(&c);
		struct sp_span value = sp_cursor_bytes(&c, sp_cursor_u32(&c));

		if (c.error != SP_OK)
			return sp_fail(c.error, why, "%s ends within a field", desc->name);
		if (tag <= last)
			return sp_fail(SP_E_FORMAT, why, "%s: field %u is out of order", desc->name, tag);
		last = tag;
		if ((st = pass_absent(desc, &next, tag, why)) != SP_OK)
			return st;
		if (next < desc->nfields && desc->fields[next].tag == tag) {
			if ((st = take_value(desc, &desc->fields[next++], value, msg, why)) != SP_OK)
				return st;
		} else if (statement || tag % 2 == 0) {
			return sp_fail(SP_E_VERSION, why, "%s: field %u is not known here", desc->name, tag);
		}
	}
	return pass_absent(desc, &next, 0x10000, why);
}

enum sp_status
sp_decode(const struct sp_desc *desc, struct sp_span bytes, void *ret_msg, struct sp_why *why)
{
	enum sp_status st;

	memset(ret_msg, 0, desc->size);
	st = decode(desc, bytes, ret_msg, why);
	if (st != SP_OK)
		memset(ret_msg, 0, desc->size);
	return st;
}

enum sp_status
sp_list_add(struct sp_buf *list, const struct sp_desc *part, const void *msg)
{
	size_t before = list->len;
	enum sp_status st;

	sp_buf_add_u32(list, 0);
	st = sp_encode(part, msg, list, NULL);
	if (st != SP_OK) {
		list->len = before;
		return st;
	}
	for (size_t i = 0, n = list->len - before - 4; i < 4; i++)
		list->data[before + i] = (uint8_t)(n >> (8 * (3 - i)));
	return SP_OK;
}

bool
sp_list_next(struct sp_cursor *list, const struct sp_desc *part, void *ret_msg)
{
	struct sp_span bytes;
	enum sp_status st;

	if (list->error != SP_OK || sp_cursor_left(list) == 0)
		return false;
	bytes = sp_cursor_bytes(list, sp_cursor_u32(list));
	if (list->error != SP_OK)
		return false;
	st = ret_msg != NULL ? sp_decode(part, bytes, ret_msg, NULL) : decode(part, bytes, NULL, NULL);
	if (st != SP_OK)
		sp_cursor_fail(list, st);
	return st == SP_OK;
}
