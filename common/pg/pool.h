/*
 * pool.h - SQL function calls in batches: a few database threads with one connection each, fed by a bounded queue.
 *
 * The owner asks from its main loop and is answered there. A free thread takes everything that waits for one call
 * (<= SP_DB_BATCH items) into one execution with arrays and one commit, so a busy service makes bigger batches, not
 * more transactions. Whatever goes wrong, the same items are sent again: every called function must be safe to run
 * twice.
 *
 * A failed transaction is repeated item by item; after a lost connection the same items are sent again once it is
 * back, for SP_DB_WAIT_MS from the asking on, then answered with SP_E_DATABASE. Losing and regaining the database is
 * logged here.
 */
#ifndef SP_PG_POOL_H
#define SP_PG_POOL_H

#include "common/base/id.h"
#include "common/base/limits.h"
#include "common/base/queue.h"

#define SP_PG_PARAMS 24
#define SP_PG_COLUMNS 16

enum sp_pg_type {
	SP_PG_END,	/* closes a list */
	SP_PG_INT,	/* bigint */
	SP_PG_BYTES,	/* bytea */
	SP_PG_TEXT,	/* text */
	SP_PG_ID,	/* uuid */
};

/*
 * One row of a daemon's table of calls. The SQL is "SELECT item, status, cert FROM key.enrol($1, $2, …)": each
 * parameter is an array of its type (cast by the pool's own types, so the function's signature must be bigint[],
 * bytea[], text[], uuid[]), all of one length; the result's first column is item (integer or bigint, 1-based place in
 * the arrays), the columns named here follow, and rows ascend by item.
 */
struct sp_pg_call {
	const char *name;
	const char *sql;
	enum sp_pg_type params[SP_PG_PARAMS + 1];
	enum sp_pg_type columns[SP_PG_COLUMNS + 1];
	bool many;	/* false: exactly one row an item (anything else is SP_E_DATABASE); true: any number */
};

/* One parameter of an item; copied by sp_pg_ask(). */
struct sp_pg_value {
	bool null;
	int64_t number;		/* SP_PG_INT */
	struct sp_span bytes;	/* the others; SP_PG_ID has 16 */
};
static inline struct sp_pg_value sp_pg_null(void) { return (struct sp_pg_value){ .null = true }; }
static inline struct sp_pg_value sp_pg_int(int64_t v) { return (struct sp_pg_value){ .number = v }; }
static inline struct sp_pg_value sp_pg_span(struct sp_span s) { return (struct sp_pg_value){ .bytes = s }; }
static inline struct sp_pg_value sp_pg_str(const char *s) { return (struct sp_pg_value){ .bytes = sp_span_str(s) }; }
static inline struct sp_pg_value sp_pg_hash(const struct sp_hash *h) { return sp_pg_span(sp_span(h->b, 32)); }
static inline struct sp_pg_value sp_pg_id(const struct sp_id *id) { return sp_pg_span(sp_span(id->b, 16)); }

/* The rows that one item got; borrowed, as is all that it gives, until the callback returns. Column 0 is the first
 * after item. A row or column that is not there is an error of ours (assert). */
struct sp_pg_rows;
size_t sp_pg_count(const struct sp_pg_rows *rows);
bool sp_pg_is_null(const struct sp_pg_rows *rows, size_t row, unsigned column);
int64_t sp_pg_get_int(const struct sp_pg_rows *rows, size_t row, unsigned column);		/* NULL: 0 */
struct sp_span sp_pg_get_bytes(const struct sp_pg_rows *rows, size_t row, unsigned column);	/* NULL: empty */

/* Called once for each item accepted, on the thread that calls sp_pg_deliver(). rows is NULL unless st is SP_OK. */
typedef void sp_pg_cb(void *arg, enum sp_status st, const struct sp_pg_rows *rows);

struct sp_pg_options {
	const char *conninfo;	/* libpq's; multi-host is fine, the one that takes writes is found */
	const char *program;	/* application_name */
	bool prepared;		/* false where PgBouncer (transaction mode) stands between */
	unsigned threads;	/* 0 = SP_DB_THREADS */
};

struct sp_pg;

/* Starts the threads; they connect by themselves, now and after every loss. calls is borrowed for the pool's life. */
SP_MUST_CHECK enum sp_status sp_pg_open(const struct sp_pg_options *options, const struct sp_pg_call *calls,
    size_t ncalls, struct sp_pg **ret_pg, struct sp_why *why);

/* Queues one item for calls[call]: as many values as it has parameters. SP_E_BUSY when SP_SERVICE_QUEUE items (or
 * SP_DB_QUEUE_BYTES) are on their way, SP_E_CLOSED after sp_pg_close(); then cb is not called. Any thread. */
SP_MUST_CHECK enum sp_status sp_pg_ask(struct sp_pg *pg, size_t call, const struct sp_pg_value *values, sp_pg_cb *cb,
    void *arg);

/* Answers wait in this queue (its descriptor wakes a loop); each item taken from it is given to sp_pg_deliver()
 * once. */
struct sp_queue *sp_pg_replies(struct sp_pg *pg);
void sp_pg_deliver(struct sp_pg *pg, void *reply);

/* Takes and delivers everything that is ready; returns how many. */
size_t sp_pg_drain(struct sp_pg *pg);

/* Items accepted and not yet delivered. */
size_t sp_pg_pending(struct sp_pg *pg);

/* No more items. Those queued are still done; sp_pg_free() answers what is left with SP_E_CANCELLED (callbacks run),
 * ends the threads within the running statement (<= SP_DB_STATEMENT_MS) and frees. NULL is fine. */
void sp_pg_close(struct sp_pg *pg);
void sp_pg_free(struct sp_pg *pg);
SP_AUTO_DEFINE(sp_pg);

#endif
