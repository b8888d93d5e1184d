/*
 * files_bytes.c - can a packet of so many bytes have this list? Hard links count once there, and the list has a line for each.
 */
#include "common/packet/files_txt.h"

#include <stdlib.h>

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* Puts lines side by side that may be names of one file: 0 if they are alike in all but their paths. */
static int
compare(const void *left, const void *right, void *list)
{
	const struct sp_files *f = *(const struct sp_files **)list;
	const struct sp_files_line a = sp_files_line(f, *(const uint32_t *)left);
	const struct sp_files_line b = sp_files_line(f, *(const uint32_t *)right);
	int order;

	if ((order = ORDER(a.size, b.size)) != 0 || (order = ORDER(a.mtime_sec, b.mtime_sec)) != 0 ||
	    (order = ORDER(a.mtime_nsec, b.mtime_nsec)) != 0 || (order = ORDER(a.print.state, b.print.state)) != 0)
		return order;
	return a.print.state == SP_PRINT_HASH ? memcmp(a.print.hash.b, b.print.hash.b, sizeof(a.print.hash.b)) : 0;
}

static uint64_t
add(uint64_t sum, uint64_t size)
{
	return sum <= UINT64_MAX - size ? sum + size : UINT64_MAX;
}

static uint64_t
common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

enum sp_status
sp_files_fit(const struct sp_files *f, uint64_t bytes, bool *ret_fit)
{
	const uint32_t count = sp_files_count(f);
	SP_AUTO_MEM uint32_t *lines = malloc(((size_t)count + 1) * sizeof(*lines));
	uint64_t least = 0, more = 0, unit = 0;		/* each file once; further names; what their sizes have in common */

	if (lines == NULL)
		return SP_E_NOMEM;
	for (uint32_t i = 0; i < count; i++)
		lines[i] = i;
	qsort_r(lines, count, sizeof(*lines), compare, &f);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t size = sp_files_line(f, lines[i]).size;

		if (i == 0 || compare(&lines[i - 1], &lines[i], &f) != 0) {
			least = add(least, size);
		} else {
			more = add(more, size);
			unit = common_divisor(unit, size);
		}
	}
	*ret_fit = bytes >= least && bytes - least <= more && (unit == 0 || (bytes - least) % unit == 0);
	return SP_OK;
}
