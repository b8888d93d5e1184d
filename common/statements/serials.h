/*
 * serials.h - ranges of a sheet's serials as FRANK and VOID carry them: (first u32, count u32), ascending, at most 8.
 */
#ifndef SP_STATEMENTS_SERIALS_H
#define SP_STATEMENTS_SERIALS_H

#include "common/base/buf.h"
#include "common/base/limits.h"

struct sp_serials {
	uint32_t first;
	uint32_t count;
};

/* Appends the packed form. One form only: no range is empty, goes beyond 2^32 - 1 or touches the next.
 * SP_E_RANGE otherwise. */
SP_MUST_CHECK enum sp_status sp_serials_pack(const struct sp_serials *ranges, size_t count, struct sp_buf *out);

/* The reverse: all of them within the count_all serials from first on. ret_total: how many serials in all.
 * SP_E_FORMAT, SP_E_RANGE. */
SP_MUST_CHECK enum sp_status sp_serials_parse(struct sp_span bytes, uint32_t first, uint32_t count_all,
    struct sp_serials ret_ranges[SP_FRANK_RANGES], size_t *ret_count, uint32_t *ret_total);

#endif
