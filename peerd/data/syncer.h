/*
 * syncer.h - the thread that waits for the disk, so that no data thread does. Jobs are orders of the kind ORDER_SYNC: each
 * comes back to the thread that gave it, with its status. Internal to peerd/data.
 */
#ifndef PEERD_DATA_SYNCER_H
#define PEERD_DATA_SYNCER_H

#include "peerd/data/data_in.h"

struct data_syncer;

SP_MUST_CHECK enum sp_status data_syncer_new(struct data_syncer **ret_syncer, struct sp_why *why);

/* What is queued is done, and goes back to threads that still take orders; then nothing more is taken. Then they may end. */
void data_syncer_stop(struct data_syncer *s);
void data_syncer_free(struct data_syncer *s);
SP_AUTO_DEFINE(data_syncer);

/* Any thread. The job is taken, also on failure. SP_E_CLOSED once it has stopped. */
SP_MUST_CHECK enum sp_status data_syncer_give(struct data_syncer *s, struct data_order *take);

#endif
