/*
 * item.h - what is asked of the pool, on its way there and back; and the arrays that a batch of items becomes.
 * Inside common/pg only.
 */
#ifndef SP_PG_ITEM_H
#define SP_PG_ITEM_H

#include <libpq-fe.h>
#include <stdatomic.h>

#include "common/base/buf.h"
#include "common/pg/pool.h"

/* A result that the items of one batch share; the last one frees it. */
struct sp_pg_shared {
	PGresult *result;	/* owned */
	atomic_uint users;
};

struct sp_pg_rows {
	struct sp_pg_shared *shared;	/* counted; NULL while there is none */
	size_t first, count;		/* rows of this item */
	unsigned columns;
};

struct sp_pg_item {
	struct sp_pg_item *next;	/* in the queue of its call */
	uint64_t number;		/* order of asking */
	uint64_t deadline_ms;		/* boot clock */
	size_t call;
	sp_pg_cb *cb;
	void *arg;
	enum sp_status st;		/* the answer */
	struct sp_pg_rows rows;
	size_t size;			/* bytes of this allocation */
	unsigned nvalues;
	struct sp_pg_value values[];	/* their bytes stand behind them */
};

/* A copy of the question in one allocation; NULL when out of memory. */
struct sp_pg_item *sp_pg_item_new(const struct sp_pg_value *values, unsigned nvalues);
void sp_pg_item_free(struct sp_pg_item *item);
SP_AUTO_DEFINE(sp_pg_item);

/* OIDs of PostgreSQL's built-in types (fixed for ever in pg_type.dat). */
unsigned sp_pg_oid(enum sp_pg_type type);
unsigned sp_pg_array_oid(enum sp_pg_type type);

/* Appends parameter number param of n items as an array in PostgreSQL's binary form. */
void sp_pg_array_add(struct sp_buf *out, enum sp_pg_type type, unsigned param, struct sp_pg_item *const *items,
    size_t n);

/*
 * Gives each of n items its rows of the result (owned from here on, freed with the last of them). SP_E_DATABASE with
 * the reason, and no item touched, when the result is not what the call's row declares: that is an error of ours.
 */
SP_MUST_CHECK enum sp_status sp_pg_share(const struct sp_pg_call *call, PGresult *result_take,
    struct sp_pg_item *const *items, size_t n, struct sp_why *why);

#endif
