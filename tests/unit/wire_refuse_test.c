/*
 * wire_refuse_test.c - what the codec must refuse, over all rows of the table, with the field's name and nothing left behind.
 */
#include "tests/unit/wire_sample.h"

/* A row, its lowest sample and a buffer, fresh for each field of each row. */
struct bench {
	const struct sp_desc *d;
	struct sample s;
	struct sp_buf bytes;
};

static void
each_row(void (*test)(struct bench *b, size_t i, const struct sp_field *f), bool fields)
{
	for_each_row(d)
		for (size_t i = 0; i < (fields ? d->nfields : 1); i++) {
			struct bench b = { .d = d };

			sample_init(&b.s, d, SAMPLE_LOW);
			sample_bytes(&b.s, &b.bytes);
			test(&b, i, fields ? &d->fields[i] : NULL);
			sample_done(&b.s);
			sp_buf_done(&b.bytes);
		}
}

static void
refused(struct bench *b, enum sp_status want, const char *why_has)
{
	sample_bytes(&b->s, &b->bytes);
	expect_decode(b->d, &b->bytes, want, why_has);
}

static bool
is_fixed(const struct sp_field *f)
{
	return f->kind == SP_KIND_ID || f->kind == SP_KIND_HASH;
}

static void
beyond_bounds(struct bench *b, size_t i, const struct sp_field *f)
{
	if (is_fixed(f))
		return;
	if (f->max > 0 && (!sample_is_int(f) || f->max < UINT64_MAX >> (64 - 8 * sample_width(f)))) {
		/* a list can't be made one byte longer, only one element */
		sample_set(&b->s, i, f->kind == SP_KIND_LIST ? f->max + 100 : f->max + 1);
		refused(b, SP_E_RANGE, f->name);
	}
	if (f->min == 0)
		return;
	sample_set_raw(&b->s, i, NULL, 0);
	if (f->kind != SP_KIND_LIST)
		sample_set(&b->s, i, f->min - 1);
	refused(b, f->required ? SP_E_RANGE : f->min == 1 ? SP_E_FORMAT : SP_E_RANGE, f->name);
}

START_TEST(values_beyond_their_bounds)
{
	each_row(beyond_bounds, true);
}
END_TEST

/* The encoder refuses the same, and leaves what stood in the buffer. */
static void
beyond_bounds_encoded(struct bench *b, size_t i, const struct sp_field *f)
{
	SP_AUTO_MEM uint8_t *msg = malloc(b->d->size);
	SP_AUTO_MEM uint8_t *big = NULL;
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_why why = { "" };
	uint8_t *at = msg + f->offset;

	(void)i;
	ck_status(sp_decode(b->d, sp_buf_span(&b->bytes), msg, NULL), SP_OK);
	if (f->max == 0 || (sample_is_int(f) && f->max == UINT64_MAX >> (64 - 8 * sample_width(f))))
		return;
	if (sample_is_int(f)) {
		uint64_t v = f->max + 1;

		memcpy(at, (uint8_t *)&v, sample_width(f));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		memcpy(at, (uint8_t *)&v + 8 - sample_width(f), sample_width(f));
#endif
	} else {
		big = calloc(1, f->max + 1);
		*(struct sp_span *)(void *)at = sp_span(big, f->max + 1);
	}
	sp_buf_add_text(&out, "kept");
	ck_status(sp_encode(b->d, msg, &out, &why), SP_E_RANGE);
	ck_assert_ptr_nonnull(strstr(why.text, f->name));
	ck_assert(sp_span_eq(sp_buf_span(&out), sp_span("kept", 4)));
	if (sample_is_int(f) || !f->required)
		return;
	*(struct sp_span *)(void *)at = sp_span(NULL, 0);
	ck_status(sp_encode(b->d, msg, &out, &why), SP_E_MISSING);
	ck_assert(sp_span_eq(sp_buf_span(&out), sp_span("kept", 4)));
}

START_TEST(values_beyond_their_bounds_are_not_encoded)
{
	each_row(beyond_bounds_encoded, true);
}
END_TEST

static void
wrong_width(struct bench *b, size_t i, const struct sp_field *f)
{
	static const uint8_t ones[64] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	size_t n = b->s.value[i].len;

	if (!is_fixed(f) && !sample_is_int(f))
		return;
	for (size_t k = 0; k <= n + 1; k++) {
		sample_set_raw(&b->s, i, ones, k);
		if (k != n)
			refused(b, SP_E_FORMAT, f->name);
	}
}

START_TEST(integers_ids_and_hashes_of_another_length)
{
	each_row(wrong_width, true);
}
END_TEST

static void
empty_optional(struct bench *b, size_t i, const struct sp_field *f)
{
	static const uint8_t zeroes[64];

	if (f->required)
		return;
	sample_set_raw(&b->s, i, zeroes, is_fixed(f) || sample_is_int(f) ? b->s.value[i].len : 0);
	refused(b, SP_E_FORMAT, f->name);
}

START_TEST(optional_fields_that_should_have_been_left_out)
{
	each_row(empty_optional, true);
}
END_TEST

static void
missing(struct bench *b, size_t i, const struct sp_field *f)
{
	b->s.there[i] = false;
	if (f->required)
		refused(b, SP_E_MISSING, f->name);
	else
		sample_bytes(&b->s, &b->bytes), expect_round(b->d, &b->bytes);
}

START_TEST(required_fields_that_are_missing)
{
	each_row(missing, true);
}
END_TEST

static void
bad_text(struct bench *b, size_t i, const struct sp_field *f)
{
	static const char *const bad[] = { "a\nb", "a\x7f" "b", "a\x80" "b", "abc\xc3", "\xc0\xaf" "b", "\xed\xa0\x80",
		"a\xc2\x85" "b", "\x1b[1m" };

	if (f->kind != SP_KIND_TEXT)
		return;
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		sample_set_raw(&b->s, i, bad[k], strlen(bad[k]));
		refused(b, SP_E_FORMAT, f->name);
	}
	sample_set_raw(&b->s, i, "a\0b", 3);
	refused(b, SP_E_FORMAT, f->name);
	sample_set_raw(&b->s, i, "\xc3\xa4\xe2\x82\xac", 5);
	sample_bytes(&b->s, &b->bytes);
	expect_round(b->d, &b->bytes);
}

START_TEST(texts_that_are_not_plain)
{
	each_row(bad_text, true);
}
END_TEST

static void
bad_list(struct bench *b, size_t i, const struct sp_field *f)
{
	struct sp_buf *list = &b->s.value[i];

	if (f->kind != SP_KIND_LIST)
		return;
	for (size_t n = 1; n < list->len; n++) {
		SP_AUTO_DONE(sp_buf) cut = { 0 };

		sp_buf_add(&cut, list->data, list->len);
		sample_set_raw(&b->s, i, cut.data, n);
		refused(b, SP_E_FORMAT, f->name);
		sample_set_raw(&b->s, i, cut.data, cut.len);
	}
	sp_buf_add_u32(list, 0);	/* an element without its fields */
	refused(b, SP_E_FORMAT, f->name);
}

START_TEST(lists_with_a_bad_element)
{
	each_row(bad_list, true);
}
END_TEST

/* Every prefix: taken only where it ends between fields and all that follow are optional. */
static void
truncated(struct bench *b, size_t unused, const struct sp_field *none)
{
	size_t len = b->bytes.len, at = 0, next = 0, required = 0;

	(void)unused, (void)none;
	for (size_t i = 0; i < b->d->nfields; i++)
		required += b->d->fields[i].required;
	for (size_t n = 0; n < len; n++) {
		struct sp_buf cut = { .data = b->bytes.data, .len = n };

		if (n == at) {
			if (required == 0)
				expect_round(b->d, &cut);
			else
				expect_decode(b->d, &cut, SP_E_MISSING, NULL);
			at += 6 + b->s.value[next].len;
			required -= b->d->fields[next++].required;
		} else {
			expect_decode(b->d, &cut, SP_E_SHORT, b->d->name);
		}
	}
}

START_TEST(truncations)
{
	each_row(truncated, false);
}
END_TEST

static void
left_over(struct bench *b, size_t unused, const struct sp_field *none)
{
	static const uint8_t zeroes[8];

	(void)unused, (void)none;
	for (size_t n = 1; n < 6; n++) {
		sample_bytes(&b->s, &b->bytes);
		sp_buf_add(&b->bytes, zeroes, n);
		expect_decode(b->d, &b->bytes, SP_E_SHORT, b->d->name);
	}
	/* a length that reaches far beyond everything */
	sample_bytes(&b->s, &b->bytes);
	sp_buf_add(&b->bytes, "\xff\xff\xff\xff\xff\xff", 6);
	expect_decode(b->d, &b->bytes, SP_E_SHORT, b->d->name);
}

START_TEST(left_over_bytes)
{
	each_row(left_over, false);
}
END_TEST

static void
unknown_even(struct bench *b, size_t i, const struct sp_field *f)
{
	unsigned tags[] = { 0, b->d->nfields > 0 ? b->d->fields[b->d->nfields - 1].tag + 2u : 2, 0xfffe };

	(void)i, (void)f;
	for (size_t k = 0; k < 3; k++) {
		sp_buf_clear(&b->bytes);
		if (tags[k] == 0)
			sample_add_field(&b->bytes, tags[k], sp_span(NULL, 0));
		for (size_t n = 0; n < b->d->nfields; n++)
			sample_add_field(&b->bytes, b->d->fields[n].tag, sp_buf_span(&b->s.value[n]));
		if (tags[k] != 0)
			sample_add_field(&b->bytes, tags[k], sp_span(NULL, 0));
		expect_decode(b->d, &b->bytes, SP_E_VERSION, NULL);
	}
}

START_TEST(unknown_even_fields)
{
	each_row(unknown_even, false);
}
END_TEST

/* Field i twice, and field i before the one that should precede it. */
static void
out_of_order(struct bench *b, size_t i, const struct sp_field *f)
{
	for (size_t swap = 0; swap < 2; swap++) {
		sp_buf_clear(&b->bytes);
		for (size_t k = 0; k < b->d->nfields; k++) {
			size_t n = swap && k + 1 == i ? i : swap && k == i && i > 0 ? i - 1 : k;

			sample_add_field(&b->bytes, b->d->fields[n].tag, sp_buf_span(&b->s.value[n]));
			if (!swap && k == i)
				sample_add_field(&b->bytes, f->tag, sp_buf_span(&b->s.value[i]));
		}
		if (swap && i == 0)
			continue;
		if (swap && b->d->fields[i - 1].required)
			expect_decode(b->d, &b->bytes, SP_E_MISSING, b->d->fields[i - 1].name);
		else
			expect_decode(b->d, &b->bytes, SP_E_FORMAT, "out of order");
	}
}

START_TEST(fields_twice_or_out_of_order)
{
	each_row(out_of_order, true);
}
END_TEST

/* Whatever a changed sample decodes to, it has one form. */
static void
mutated(struct bench *b, size_t unused, const struct sp_field *none)
{
	SP_AUTO_MEM uint8_t *msg = malloc(b->d->size);
	uint32_t seed = b->d->number * 2654435761u + 1;

	(void)unused, (void)none;
	for (int round = 0; round < 400 && b->bytes.len > 0; round++) {
		SP_AUTO_DONE(sp_buf) changed = { 0 };
		SP_AUTO_DONE(sp_buf) again = { 0 };

		sp_buf_add(&changed, b->bytes.data, b->bytes.len);
		for (int k = 0; k < 1 + round % 3; k++) {
			seed = seed * 1664525u + 1013904223u;
			changed.data[(seed >> 8) % changed.len] ^= (uint8_t)(1u << (seed >> 28) % 8);
		}
		if (sp_decode(b->d, sp_buf_span(&changed), msg, NULL) != SP_OK)
			continue;
		ck_status(sp_encode(b->d, msg, &again, NULL), SP_OK);
		/* shorter only by an optional field whose tag became an unknown odd one */
		if (again.len == changed.len || b->d->transport == SP_TRANSPORT_STATEMENT)
			ck_assert(sp_span_eq(sp_buf_span(&again), sp_buf_span(&changed)));
	}
}

START_TEST(changed_samples_have_one_form)
{
	each_row(mutated, false);
}
END_TEST

UNIT_MAIN("wire/refuse", values_beyond_their_bounds, values_beyond_their_bounds_are_not_encoded,
    integers_ids_and_hashes_of_another_length, optional_fields_that_should_have_been_left_out,
    required_fields_that_are_missing, texts_that_are_not_plain, lists_with_a_bad_element, truncations, left_over_bytes,
    unknown_even_fields, fields_twice_or_out_of_order, changed_samples_have_one_form)
