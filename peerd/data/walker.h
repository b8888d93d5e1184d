/*
 * walker.h - walks on threads of their own. Internal to peerd/data.
 */
#ifndef PEERD_DATA_WALKER_H
#define PEERD_DATA_WALKER_H

#include "common/net/worker.h"
#include "peerd/data/data.h"

/* Queues a walk; its WALKED goes to fn on the worker's loop. SP_E_FULL, SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status data_walker_submit(struct sp_worker *worker, data_happening_fn *fn, void *arg,
    const struct sp_id *transfer, uint64_t generation, const char *const *paths, size_t count,
    const struct sp_manifest_head *head,
    const char *folder);

#endif
