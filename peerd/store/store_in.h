/*
 * store_in.h - inside peerd/store: what the typed calls share.
 */
#ifndef PEERD_STORE_STORE_IN_H
#define PEERD_STORE_STORE_IN_H

#include "peerd/store/sql.h"
#include "peerd/store/store.h"

/* The connection; for a job's run() only. */
struct sql *store_sql(struct store *s);

/* Submits a job that was just made; frees it by its dropped() when it cannot be queued or is NULL (SP_E_NOMEM). */
SP_MUST_CHECK enum sp_status store_submit_take(struct store *s, struct store_job *job);

#endif
