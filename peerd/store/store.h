/*
 * store.h - the store thread: the only owner of the peer's SQLite database.
 *
 * Changes queue up; the thread takes all that is queued into one transaction (each in a savepoint of its own, so that
 * one that fails takes nothing else along), commits with a full sync, and only then do the answers go back to the
 * main loop. Typed calls are in event.h and book.h; nothing else speaks SQL.
 */
#ifndef PEERD_STORE_STORE_H
#define PEERD_STORE_STORE_H

#include "common/base/auto.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/net/loop.h"

struct store;
struct sqlite3;

/* Opens (makes, migrates) the database at path and starts the thread; answers are delivered on the loop.
 * SP_E_SCHEMA for a database of a newer program, SP_E_DATABASE when it cannot be opened. */
SP_MUST_CHECK enum sp_status store_new(struct sp_loop *loop, const char *path, struct store **ret_store,
    struct sp_why *why);

/* Finishes what is queued (jobs are dropped, not answered), closes the database. NULL is fine. */
void store_free(struct store *s);
SP_AUTO_DEFINE(store);

/* One unit of work; embedded at the start of the caller's own struct. */
struct store_job {
	/* store thread, inside the transaction */
	enum sp_status (*run)(struct sqlite3 *db, struct store_job *job);
	/* main loop, after the commit; status and why are set; frees the job */
	void (*done)(struct store_job *job);
	/* instead of done when the store is freed first; frees the job */
	void (*dropped)(struct store_job *job);
	const char *step;	/* the durable step that it is, for kills in tests; NULL: only reads */
	enum sp_status status;
	struct sp_why why;
};

/* Queues the job. SP_E_FULL at SP_STORE_QUEUE: then done is not called, the job still is the caller's. Main loop
 * only. */
SP_MUST_CHECK enum sp_status store_submit(struct store *s, struct store_job *job);

/* The answer to a plain change. */
typedef void store_done_fn(void *arg, enum sp_status st, const struct sp_why *why);

#endif
