/*
 * wire_table_test.c - the table itself: it keeps its own rules, and every letter fits its datagram at its bounds.
 */
#include "common/base/limits.h"
#include "common/wire/letter.h"
#include "tests/unit/wire_sample.h"

#define STATEMENT_HEAD 8	/* "SPSTMT" and the purpose */

START_TEST(rows_keep_the_rules)
{
	for_each_row(d) {
		size_t n, same = 0;
		const struct sp_desc *all = sp_desc_all(&n);
		bool statement = d->transport == SP_TRANSPORT_STATEMENT;

		for (size_t i = 0; i < n; i++)
			same += strcmp(all[i].name, d->name) == 0;
		ck_assert_msg(same == 1, "two rows are called %s", d->name);
		ck_assert_ptr_eq(statement ? sp_desc_statement(d->number) : sp_desc_msg(d->number), d);
		ck_assert_msg((d->role != NULL) == statement, "%s: role", d->name);
		ck_assert_uint_gt(d->number, 0);
		ck_assert_uint_le(d->number, 0xffff);
		for (size_t i = 0, last = 0; i < d->nfields; last = d->fields[i++].tag) {
			const struct sp_field *f = &d->fields[i];

			ck_assert_msg(f->tag > last && f->tag % 2 == 0, "%s.%s: tag %u", d->name, f->name, f->tag);
			ck_assert_msg(f->max == 0 || f->min <= f->max, "%s.%s: bounds", d->name, f->name);
			ck_assert_msg(f->max <= sample_high(f) && (!sample_is_int(f) || sample_width(f) == 8 ||
			    f->max >> (8 * sample_width(f)) == 0), "%s.%s: bound beyond its kind", d->name, f->name);
			ck_assert_msg(sample_is_int(f) || f->kind <= SP_KIND_HASH || f->max > 0,
			    "%s.%s: bytes without a bound", d->name, f->name);
			if (f->kind != SP_KIND_LIST)
				continue;
			ck_assert_msg(sp_desc_part(f) != NULL, "%s.%s: no PART %s", d->name, f->name, f->text);
			ck_assert_msg(d->transport != SP_TRANSPORT_PART, "%s: lists in lists", d->name);
		}
	}
	ck_assert_ptr_null(sp_desc_msg(0));
	ck_assert_ptr_null(sp_desc_statement(0));
	ck_assert_ptr_null(sp_desc_msg(0xffff));
}
END_TEST

static size_t
longest(const struct sp_desc *d)
{
	return sp_desc_max(d) - SP_FRAME_SLACK;
}

START_TEST(maximum_is_that_of_the_longest_sample)
{
	for_each_row(d) {
		SP_AUTO_DONE(sp_buf) bytes = { 0 };
		struct sample s;

		sample_init(&s, d, SAMPLE_HIGH);
		sample_bytes(&s, &bytes);
		ck_assert_msg(bytes.len == longest(d), "%s: %zu, not %zu", d->name, bytes.len, longest(d));
		sample_done(&s);
	}
}
END_TEST

START_TEST(letters_fit_a_datagram_at_their_bounds)
{
	for_each_row(d) {
		size_t limit = SP_LETTER_MAX;

		if (d->transport == SP_TRANSPORT_SERVICE)
			limit = SP_FRAME_MAX;
		else if (d->transport == SP_TRANSPORT_RECORD)
			limit = SP_RECORD_DATA;
		else if (d->transport != SP_TRANSPORT_LETTER)
			continue;
		else if (strstr(d->text, "(TCP form)") != NULL)
			limit = SP_LETTER_TCP_MAX;
		ck_assert_msg(longest(d) + SP_LETTER_OVER <= limit, "%s: %zu bytes", d->name, longest(d));
	}
}
END_TEST

/* "OFFER" as a word of its own in text; name is "offer". */
static bool
names_statement(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; *at != 0; at++) {
		size_t word = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

		if (word == n && strncasecmp(at, name, n) == 0)
			return true;
		at += word > 0 ? word - 1 : 0;
	}
	return false;
}

/* A field that carries a statement says so by the statement's name in capitals. */
START_TEST(bounds_hold_the_statements_that_fields_carry)
{
	size_t found = 0;

	for_each_row(d)
		for_each_row(carried)
			for (size_t i = 0; i < d->nfields; i++) {
				const struct sp_field *f = &d->fields[i];

				if (f->kind != SP_KIND_BYTES || carried->transport != SP_TRANSPORT_STATEMENT ||
				    !names_statement(f->text, carried->name))
					continue;
				ck_assert_msg(longest(carried) + STATEMENT_HEAD <= f->max, "%s.%s is too short for %s",
				    d->name, f->name, carried->name);
				found++;
			}
	ck_assert_uint_ge(found, 15);
}
END_TEST

UNIT_MAIN("wire/table", rows_keep_the_rules, maximum_is_that_of_the_longest_sample,
    letters_fit_a_datagram_at_their_bounds, bounds_hold_the_statements_that_fields_carry)
