/*
 * statements_lists_test.c - serials and price steps: one form, in bounds, and the price of a size.
 */
#include "common/statements/serials.h"
#include "common/statements/tariff.h"
#include "tests/unit/unit.h"

START_TEST(serials_have_one_form)
{
	static const struct { struct sp_serials r[2]; size_t n; uint32_t total; enum sp_status st; } cases[] = {
		{ { { 100, 1 } }, 1, 1, SP_OK }, { { { 100, 50 } }, 1, 50, SP_OK }, { { { 100, 51 } }, 1, 0,
		SP_E_RANGE },
		{ { { 99, 1 } }, 1, 0, SP_E_RANGE }, { { { 149, 1 } }, 1, 1, SP_OK }, { { { 150, 1 } }, 1, 0,
		SP_E_RANGE },
		{ { { 100, 0 } }, 1, 0, SP_E_RANGE }, { { { 100, 5 }, { 106, 2 } }, 2, 7, SP_OK },
		{ { { 100, 5 }, { 105, 2 } }, 2, 0, SP_E_RANGE }, { { { 100, 5 }, { 104, 2 } }, 2, 0, SP_E_RANGE },
		{ { { 106, 2 }, { 100, 5 } }, 2, 0, SP_E_RANGE }, { { { 100, UINT32_MAX } }, 1, 0, SP_E_RANGE },
	};
	struct sp_serials got[SP_FRANK_RANGES], many[SP_FRANK_RANGES + 1];
	SP_AUTO_DONE(sp_buf) out = { 0 };
	uint32_t total;
	size_t n;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sp_buf_clear(&out);
		for (size_t k = 0; k < cases[i].n; k++) {
			sp_buf_add_u32(&out, cases[i].r[k].first);
			sp_buf_add_u32(&out, cases[i].r[k].count);
		}
		total = 0;
		ck_status(sp_serials_parse(sp_buf_span(&out), 100, 50, got, &n, &total), cases[i].st);
		ck_assert_uint_eq(total, cases[i].total);
	}
	for (uint32_t i = 0; i <= SP_FRANK_RANGES; i++)
		many[i] = (struct sp_serials){ 10 * i + 1, 2 };
	sp_buf_clear(&out);
	ck_status(sp_serials_pack(many, SP_FRANK_RANGES + 1, &out), SP_E_RANGE);
	ck_status(sp_serials_pack(many, 0, &out), SP_E_RANGE);
	ck_status(sp_serials_pack(many, SP_FRANK_RANGES, &out), SP_OK);
	ck_status(sp_serials_parse(sp_buf_span(&out), 1, 1000, got, &n, &total), SP_OK);
	ck_assert_mem_eq(got, many, sizeof(got));
	ck_assert_uint_eq(total, 2 * SP_FRANK_RANGES);
	ck_status(sp_serials_parse(sp_span(out.data, out.len - 1), 1, 1000, got, &n, &total), SP_E_FORMAT);
	ck_status(sp_serials_parse(sp_span(NULL, 0), 1, 1000, got, &n, &total), SP_E_FORMAT);
	sp_buf_add(&out, "12345678", 8);
	ck_status(sp_serials_parse(sp_buf_span(&out), 0, UINT32_MAX, got, &n, &total), SP_E_FORMAT);
}
END_TEST

START_TEST(the_price_goes_by_steps)
{
	struct sp_tariff tariff = { .steps = { { 0, 1 }, { 1000000, 2 }, { 5000000, 9 } }, .count = 3 }, got;
	SP_AUTO_DONE(sp_buf) out = { 0 };

	ck_status(sp_tariff_pack(&tariff, &out), SP_OK);
	ck_assert_uint_eq(out.len, 36);
	ck_status(sp_tariff_parse(sp_buf_span(&out), &got), SP_OK);
	ck_assert_uint_eq(got.count, 3);
	ck_assert_uint_eq(sp_tariff_price(&got, 0), 1);
	ck_assert_uint_eq(sp_tariff_price(&got, 999999), 1);
	ck_assert_uint_eq(sp_tariff_price(&got, 1000000), 2);
	ck_assert_uint_eq(sp_tariff_price(&got, 5000000), 9);
	ck_assert_uint_eq(sp_tariff_price(&got, UINT64_MAX), 9);
	got.count = 0;
	ck_assert_uint_eq(sp_tariff_price(&got, 5), 0);
}
END_TEST

START_TEST(tariffs_have_one_form)
{
	static const struct { struct sp_step s[2]; size_t n; enum sp_status st; } cases[] = {
		{ { { 0, 0 } }, 1, SP_OK }, { { { 1, 1 } }, 1, SP_E_RANGE }, { { { 0, SP_SHEET_SERIALS } }, 1,
		SP_OK },
		{ { { 0, SP_SHEET_SERIALS + 1 } }, 1, SP_E_RANGE }, { { { 0, 1 }, { 0, 2 } }, 2, SP_E_RANGE },
		{ { { 0, 2 }, { 1, 1 } }, 2, SP_OK },
	};
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_tariff got;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sp_buf_clear(&out);
		for (size_t k = 0; k < cases[i].n; k++) {
			sp_buf_add_u64(&out, cases[i].s[k].from_bytes);
			sp_buf_add_u32(&out, cases[i].s[k].price);
		}
		ck_status(sp_tariff_parse(sp_buf_span(&out), &got), cases[i].st);
	}
	ck_status(sp_tariff_parse(sp_span(out.data, out.len - 1), &got), SP_E_FORMAT);
	ck_status(sp_tariff_parse(sp_span(NULL, 0), &got), SP_E_FORMAT);
	for (size_t i = 2; i <= SP_TARIFF_STEPS; i++) {
		sp_buf_add_u64(&out, i);
		sp_buf_add_u32(&out, 1);
	}
	ck_status(sp_tariff_parse(sp_buf_span(&out), &got), SP_E_FORMAT);
	got = (struct sp_tariff){ 0 };
	ck_status(sp_tariff_pack(&got, &out), SP_E_RANGE);
}
END_TEST

UNIT_MAIN("statements/lists", serials_have_one_form, the_price_goes_by_steps, tariffs_have_one_form)
