/*
 * tariff.h - price steps by size, as TARIFF and SHEET carry them: (from bytes u64, price u32), ascending, the
 * first from 0.
 */
#ifndef SP_STATEMENTS_TARIFF_H
#define SP_STATEMENTS_TARIFF_H

#include "common/base/buf.h"
#include "common/base/limits.h"

struct sp_step {
	uint64_t from_bytes;
	uint32_t price;		/* in credits, 0..SP_SHEET_SERIALS */
};
struct sp_tariff {
	struct sp_step steps[SP_TARIFF_STEPS];
	size_t count;		/* 0: everything is free */
};

/* Appends the packed form. SP_E_RANGE unless 1..SP_TARIFF_STEPS steps ascend from 0. */
SP_MUST_CHECK enum sp_status sp_tariff_pack(const struct sp_tariff *tariff, struct sp_buf *out);

/* The reverse. SP_E_FORMAT, SP_E_RANGE. */
SP_MUST_CHECK enum sp_status sp_tariff_parse(struct sp_span bytes, struct sp_tariff *ret_tariff);

/* The price of a packet whose file sizes have this sum; 0 for an empty tariff. */
uint32_t sp_tariff_price(const struct sp_tariff *tariff, uint64_t bytes);

#endif
