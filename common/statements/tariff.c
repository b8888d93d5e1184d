/*
 * tariff.c - price steps, packed and read in one form, and the price of a size.
 */
#include "common/statements/tariff.h"

#include "common/base/cursor.h"

#define STEP_BYTES 12

static bool
steps_ok(const struct sp_step *steps, size_t count)
{
	if (count == 0 || count > SP_TARIFF_STEPS || steps[0].from_bytes != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (steps[i].price > SP_SHEET_SERIALS)
			return false;
		if (i > 0 && steps[i].from_bytes <= steps[i - 1].from_bytes)
			return false;
	}
	return true;
}

enum sp_status
sp_tariff_pack(const struct sp_tariff *tariff, struct sp_buf *out)
{
	if (!steps_ok(tariff->steps, tariff->count))
		return SP_E_RANGE;
	for (size_t i = 0; i < tariff->count; i++) {
		sp_buf_add_u64(out, tariff->steps[i].from_bytes);
		sp_buf_add_u32(out, tariff->steps[i].price);
	}
	return sp_buf_status(out);
}

enum sp_status
sp_tariff_parse(struct sp_span bytes, struct sp_tariff *ret_tariff)
{
	struct sp_tariff tariff = { .count = bytes.n / STEP_BYTES };
	struct sp_cursor c = sp_cursor(bytes);

	if (bytes.n % STEP_BYTES != 0 || tariff.count == 0 || tariff.count > SP_TARIFF_STEPS)
		return SP_E_FORMAT;
	for (size_t i = 0; i < tariff.count; i++) {
		tariff.steps[i].from_bytes = sp_cursor_u64(&c);
		tariff.steps[i].price = sp_cursor_u32(&c);
	}
	if (!steps_ok(tariff.steps, tariff.count))
		return SP_E_RANGE;
	*ret_tariff = tariff;
	return SP_OK;
}

uint32_t
sp_tariff_price(const struct sp_tariff *tariff, uint64_t bytes)
{
	uint32_t price = 0;

	for (size_t i = 0; i < tariff->count && tariff->steps[i].from_bytes <= bytes; i++)
		price = tariff->steps[i].price;
	return price;
}
