/*
 * serials.c - ranges of serials, packed and read in one form.
 */
#include "common/statements/serials.h"

#include "common/base/cursor.h"

#define RANGE_BYTES 8

/* Do the ranges ascend without touching each other, within [first, end)? */
static bool
serials_ok(const struct sp_serials *ranges, size_t count, uint64_t first, uint64_t end)
{
	uint64_t at = first;

	if (count == 0 || count > SP_FRANK_RANGES)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].count == 0 || ranges[i].first < at || (i > 0 && ranges[i].first == at))
			return false;
		at = (uint64_t)ranges[i].first + ranges[i].count;
		if (at > end)
			return false;
	}
	return true;
}

enum sp_status
sp_serials_pack(const struct sp_serials *ranges, size_t count, struct sp_buf *out)
{
	if (!serials_ok(ranges, count, 0, (uint64_t)UINT32_MAX + 1))
		return SP_E_RANGE;
	for (size_t i = 0; i < count; i++) {
		sp_buf_add_u32(out, ranges[i].first);
		sp_buf_add_u32(out, ranges[i].count);
	}
	return sp_buf_status(out);
}

enum sp_status
sp_serials_parse(struct sp_span bytes, uint32_t first, uint32_t count_all,
    struct sp_serials ret_ranges[SP_FRANK_RANGES], size_t *ret_count, uint32_t *ret_total)
{
	struct sp_serials ranges[SP_FRANK_RANGES] = { 0 };
	struct sp_cursor c = sp_cursor(bytes);
	size_t count = bytes.n / RANGE_BYTES;
	uint32_t total = 0;

	if (bytes.n % RANGE_BYTES != 0 || count == 0 || count > SP_FRANK_RANGES)
		return SP_E_FORMAT;
	for (size_t i = 0; i < count; i++) {
		ranges[i].first = sp_cursor_u32(&c);
		ranges[i].count = sp_cursor_u32(&c);
	}
	if (!serials_ok(ranges, count, first, (uint64_t)first + count_all))
		return SP_E_RANGE;
	for (size_t i = 0; i < count; i++) {
		ret_ranges[i] = ranges[i];
		total += ranges[i].count;
	}
	*ret_count = count;
	*ret_total = total;
	return SP_OK;
}
