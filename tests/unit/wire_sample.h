/*
 * wire_sample.h - valid samples of every row of messages.def, encoded by code that shares nothing with the codec: a sample
 * is each field's value as bytes, laid out by sample_bytes(). Tests change one value and ask what the codec says.
 */
#ifndef SP_TESTS_WIRE_SAMPLE_H
#define SP_TESTS_WIRE_SAMPLE_H

#include "common/wire/msg.h"
#include "tests/unit/unit.h"

#define SAMPLE_FIELDS 32

struct sample {
	const struct sp_desc *desc;
	bool there[SAMPLE_FIELDS];
	struct sp_buf value[SAMPLE_FIELDS];
};

enum sample_size { SAMPLE_LOW, SAMPLE_HIGH };

static inline bool
sample_is_int(const struct sp_field *f)
{
	return f->kind == SP_KIND_U8 || f->kind == SP_KIND_U16 || f->kind == SP_KIND_U32 || f->kind == SP_KIND_U64;
}

static inline size_t
sample_width(const struct sp_field *f)
{
	return f->kind == SP_KIND_U8 ? 1 : f->kind == SP_KIND_U16 ? 2 : f->kind == SP_KIND_U32 ? 4 : 8;
}

/* The lowest value or length that is valid and not the absence of the field. */
static inline uint64_t
sample_low(const struct sp_field *f)
{
	return f->min == 0 && !f->required ? 1 : f->min;
}

static inline uint64_t
sample_high(const struct sp_field *f)
{
	if (f->max > 0)
		return f->max;
	if (!sample_is_int(f))
		return f->min + 100;
	return sample_width(f) == 8 ? UINT64_MAX : (1ull << (8 * sample_width(f))) - 1;
}

static inline void
sample_add_int(struct sp_buf *b, uint64_t v, size_t n)
{
	while (n-- > 0)
		sp_buf_add_u8(b, (uint8_t)(v >> (8 * n)));
}

/* n bytes that are no zeroes and also plain text. */
static inline void
sample_add_letters(struct sp_buf *b, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sp_buf_add_u8(b, (uint8_t)('a' + i % 26));
}

/* One element of a list whose fields are lowest, the first that can grow longer by more bytes. */
static inline void
sample_add_element(struct sp_buf *list, const struct sp_desc *part, uint64_t more)
{
	size_t at = list->len, n;

	sample_add_int(list, 0, 4);
	for (size_t i = 0; i < part->nfields; i++) {
		const struct sp_field *f = &part->fields[i];
		uint64_t len = sample_low(f);

		if (!f->required && more == 0)
			continue;
		ck_assert_msg(!sample_is_int(f) && f->kind != SP_KIND_LIST, "teach the samples this kind of PART");
		if (f->kind == SP_KIND_ID || f->kind == SP_KIND_HASH)
			len = f->kind == SP_KIND_ID ? 16 : 32;
		else if (more > 0 && f->required && sample_high(f) - len >= more) {
			len += more;
			more = 0;
		}
		if (!f->required)
			continue;
		sample_add_int(list, f->tag, 2);
		sample_add_int(list, len, 4);
		sample_add_letters(list, len);
	}
	n = list->len - at - 4;
	for (size_t i = 0; i < 4; i++)
		list->data[at + i] = (uint8_t)(n >> (8 * (3 - i)));
}

/* A list of exactly total bytes (of one lowest element where total is too small for any). */
static inline void
sample_add_list(struct sp_buf *list, const struct sp_field *f, uint64_t total)
{
	const struct sp_desc *part = sp_desc_part(f);
	size_t one;

	ck_assert_ptr_nonnull(part);
	sample_add_element(list, part, 0);
	for (one = list->len; list->len + 2 * one <= total;)
		sample_add_element(list, part, 0);
	if (total > list->len && total - list->len >= one)
		sample_add_element(list, part, total - list->len - one);
}

/* Sets field i to this value or length. */
static inline void
sample_set(struct sample *s, size_t i, uint64_t v)
{
	const struct sp_field *f = &s->desc->fields[i];
	struct sp_buf *b = &s->value[i];

	sp_buf_clear(b);
	s->there[i] = true;
	if (sample_is_int(f))
		sample_add_int(b, v, sample_width(f));
	else if (f->kind == SP_KIND_LIST)
		sample_add_list(b, f, v);
	else
		sample_add_letters(b, f->kind == SP_KIND_ID ? 16 : f->kind == SP_KIND_HASH ? 32 : v);
}

static inline void
sample_set_raw(struct sample *s, size_t i, const void *p, size_t n)
{
	sp_buf_clear(&s->value[i]);
	sp_buf_add(&s->value[i], p, n);
	s->there[i] = true;
}

static inline void
sample_init(struct sample *s, const struct sp_desc *desc, enum sample_size size)
{
	*s = (struct sample){ .desc = desc };
	ck_assert_uint_le(desc->nfields, SAMPLE_FIELDS);
	for (size_t i = 0; i < desc->nfields; i++)
		sample_set(s, i, size == SAMPLE_LOW ? sample_low(&desc->fields[i]) : sample_high(&desc->fields[i]));
}

static inline void
sample_done(struct sample *s)
{
	for (size_t i = 0; i < SAMPLE_FIELDS; i++)
		sp_buf_done(&s->value[i]);
}

static inline void
sample_add_field(struct sp_buf *out, unsigned tag, struct sp_span value)
{
	sample_add_int(out, tag, 2);
	sample_add_int(out, value.n, 4);
	sp_buf_add_span(out, value);
}

/* The encoding of the fields that are there, into an empty out. */
static inline void
sample_bytes(const struct sample *s, struct sp_buf *out)
{
	sp_buf_clear(out);
	for (size_t i = 0; i < s->desc->nfields; i++)
		if (s->there[i])
			sample_add_field(out, s->desc->fields[i].tag, sp_buf_span(&s->value[i]));
}

/* Decodes bytes and asks for this status; where why_has is given, the reason must hold it. */
static inline void
expect_decode(const struct sp_desc *desc, const struct sp_buf *bytes, enum sp_status want, const char *why_has)
{
	/* a copy of the exact size, so that the sanitizer sees every step beyond it */
	SP_AUTO_MEM uint8_t *exact = malloc(bytes->len > 0 ? bytes->len : 1);
	SP_AUTO_MEM uint8_t *msg = malloc(desc->size);
	struct sp_why why = { "" };
	enum sp_status st;

	if (bytes->len > 0)
		memcpy(exact, bytes->data, bytes->len);
	st = sp_decode(desc, sp_span(exact, bytes->len), msg, &why);
	ck_assert_msg(st == want, "%s: %s (%s), not %s", desc->name, sp_status_name(st), why.text, sp_status_name(want));
	if (why_has != NULL)
		ck_assert_msg(strstr(why.text, why_has) != NULL, "%s: '%s' doesn't name %s", desc->name, why.text, why_has);
	for (size_t i = 0; st != SP_OK && i < desc->size; i++)
		ck_assert_msg(msg[i] == 0, "%s: refused, yet something was left in the struct", desc->name);
}

/* Decodes and encodes again; the bytes must be the same. */
static inline void
expect_round(const struct sp_desc *desc, const struct sp_buf *bytes)
{
	SP_AUTO_MEM uint8_t *msg = malloc(desc->size);
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_why why = { "" };

	ck_assert_msg(sp_decode(desc, sp_buf_span(bytes), msg, &why) == SP_OK, "%s: %s", desc->name, why.text);
	ck_assert_msg(sp_encode(desc, msg, &again, &why) == SP_OK, "%s: %s", desc->name, why.text);
	ck_assert_msg(sp_span_eq(sp_buf_span(&again), sp_buf_span(bytes)), "%s: another form", desc->name);
}

/* for_each_row(d) { … }: every row of the table; may be nested, break leaves one row only. */
#define for_each_row(d) \
	for (size_t d##_at = 0; d##_at < sample_rows(); d##_at++) \
		for (const struct sp_desc *d = sample_row(d##_at); d != NULL; d = NULL)

static inline size_t
sample_rows(void)
{
	size_t n;

	sp_desc_all(&n);
	return n;
}

static inline const struct sp_desc *
sample_row(size_t i)
{
	size_t n;

	return sp_desc_all(&n) + i;
}

#endif
