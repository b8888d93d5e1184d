/*
 * item.c - items, the binary arrays that carry a batch to PostgreSQL, and the rows that come back.
 */
#include "common/pg/item.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

struct sp_pg_item *
sp_pg_item_new(const struct sp_pg_value *values, unsigned nvalues)
{
	struct sp_pg_item *item;
	size_t size = sizeof(*item) + nvalues * sizeof(*values);
	uint8_t *p;

	for (unsigned i = 0; i < nvalues; i++)
		if (__builtin_add_overflow(size, values[i].bytes.n, &size))
			return NULL;
	if ((item = calloc(1, size)) == NULL)
		return NULL;
	item->size = size;
	item->nvalues = nvalues;
	p = (uint8_t *)&item->values[nvalues];
	for (unsigned i = 0; i < nvalues; i++) {
		size_t n = values[i].bytes.n;

		item->values[i] = values[i];
		if (n > 0)
			memcpy(p, values[i].bytes.p, n);
		item->values[i].bytes = sp_span(p, n);
		p += n;
	}
	return item;
}

void
sp_pg_item_free(struct sp_pg_item *item)
{
	if (item == NULL)
		return;
	if (item->rows.shared != NULL && atomic_fetch_sub(&item->rows.shared->users, 1) == 1) {
		PQclear(item->rows.shared->result);
		free(item->rows.shared);
	}
	free(item);
}

static const struct { unsigned oid, array; } oids[] = {
	[SP_PG_INT] = { 20, 1016 },
	[SP_PG_BYTES] = { 17, 1001 },
	[SP_PG_TEXT] = { 25, 1009 },
	[SP_PG_ID] = { 2950, 2951 },
};

unsigned
sp_pg_oid(enum sp_pg_type type)
{
	return oids[type].oid;
}

unsigned
sp_pg_array_oid(enum sp_pg_type type)
{
	return oids[type].array;
}

void
sp_pg_array_add(struct sp_buf *out, enum sp_pg_type type, unsigned param, struct sp_pg_item *const *items, size_t n)
{
	uint32_t nulls = 0;

	for (size_t i = 0; i < n; i++)
		if (items[i]->values[param].null)
			nulls = 1;
	sp_buf_add_u32(out, 1);		/* dimensions */
	sp_buf_add_u32(out, nulls);
	sp_buf_add_u32(out, sp_pg_oid(type));
	sp_buf_add_u32(out, (uint32_t)n);
	sp_buf_add_u32(out, 1);		/* lower bound */
	for (size_t i = 0; i < n; i++) {
		const struct sp_pg_value *v = &items[i]->values[param];

		if (v->null) {
			sp_buf_add_u32(out, UINT32_MAX);
		} else if (type == SP_PG_INT) {
			sp_buf_add_u32(out, 8);
			sp_buf_add_u64(out, (uint64_t)v->number);
		} else {
			sp_buf_add_u32(out, (uint32_t)v->bytes.n);
			sp_buf_add_span(out, v->bytes);
		}
	}
}

/* Columns of the declared number, types and binary form. */
static enum sp_status
check_columns(const struct sp_pg_call *call, const PGresult *result, unsigned *ret_columns, struct sp_why *why)
{
	unsigned n = 0;

	while (call->columns[n] != SP_PG_END)
		n++;
	if (PQnfields(result) != (int)n + 1)
		return sp_fail(SP_E_DATABASE, why, "%s gives %d columns, not item and %u", call->name,
		    PQnfields(result), n);
	for (int i = 0; i <= (int)n; i++) {
		Oid got = PQftype(result, i);
		bool good = i == 0 ? got == 20 || got == 23 : got == sp_pg_oid(call->columns[i - 1]);

		if (!good || PQfformat(result, i) != 1)
			return sp_fail(SP_E_DATABASE, why, "%s: column %s has type number %u", call->name,
			    PQfname(result, i), got);
	}
	*ret_columns = n;
	return SP_OK;
}

/* Big-endian integer of 4 or 8 bytes. */
static int64_t
read_int(const char *p, int n)
{
	uint64_t v8;
	uint32_t v4;

	if (n == 4) {
		memcpy(&v4, p, 4);
		return (int32_t)be32toh(v4);
	}
	assert(n == 8);
	memcpy(&v8, p, 8);
	return (int64_t)be64toh(v8);
}

/* The item number of a row; 0 if it is NULL. */
static int64_t
item_of(const PGresult *result, int row)
{
	return PQgetisnull(result, row, 0) ? 0 : read_int(PQgetvalue(result, row, 0), PQgetlength(result, row, 0));
}

enum sp_status
sp_pg_share(const struct sp_pg_call *call, PGresult *result_take, struct sp_pg_item *const *items, size_t n,
    struct sp_why *why)
{
	struct sp_pg_shared *shared = NULL;
	int rows = PQntuples(result_take), row = 0;
	unsigned columns = 0;
	enum sp_status st = check_columns(call, result_take, &columns, why);

	for (int64_t i = 1; st == SP_OK && row < rows; row++) {	/* first look at all, then touch the items */
		int64_t item = item_of(result_take, row);

		if (item < i || item > (int64_t)n)
			st = sp_fail(SP_E_DATABASE, why, "%s: rows are not in the order of their items", call->name);
		i = call->many ? item : item + 1;
	}
	if (st == SP_OK && !call->many && (size_t)rows != n)
		st = sp_fail(SP_E_DATABASE, why, "%s gives %d rows for %zu items", call->name, rows, n);
	if (st == SP_OK && (shared = malloc(sizeof(*shared))) == NULL)
		st = SP_E_NOMEM;
	if (st != SP_OK) {
		PQclear(result_take);
		return st;
	}
	shared->result = result_take;
	atomic_init(&shared->users, (unsigned)n);
	row = 0;
	for (size_t i = 0; i < n; i++) {
		struct sp_pg_rows *mine = &items[i]->rows;

		*mine = (struct sp_pg_rows){ .shared = shared, .first = (size_t)row, .columns = columns };
		while (row < rows && item_of(result_take, row) == (int64_t)i + 1)
			row++;
		mine->count = (size_t)row - mine->first;
		items[i]->st = SP_OK;
	}
	return SP_OK;
}

size_t
sp_pg_count(const struct sp_pg_rows *rows)
{
	return rows->count;
}

/* Where a value stands in the shared result. */
static int
place(const struct sp_pg_rows *rows, size_t row, unsigned column)
{
	assert(row < rows->count && column < rows->columns);
	return (int)(rows->first + row);
}

bool
sp_pg_is_null(const struct sp_pg_rows *rows, size_t row, unsigned column)
{
	return PQgetisnull(rows->shared->result, place(rows, row, column), (int)column + 1);
}

int64_t
sp_pg_get_int(const struct sp_pg_rows *rows, size_t row, unsigned column)
{
	int at = place(rows, row, column), c = (int)column + 1;
	const PGresult *result = rows->shared->result;

	assert(PQftype(result, c) == sp_pg_oid(SP_PG_INT));
	return PQgetisnull(result, at, c) ? 0 : read_int(PQgetvalue(result, at, c), PQgetlength(result, at, c));
}

struct sp_span
sp_pg_get_bytes(const struct sp_pg_rows *rows, size_t row, unsigned column)
{
	int at = place(rows, row, column), c = (int)column + 1;
	const PGresult *result = rows->shared->result;

	if (PQgetisnull(result, at, c))
		return sp_span(NULL, 0);
	return sp_span(PQgetvalue(result, at, c), (size_t)PQgetlength(result, at, c));
}
