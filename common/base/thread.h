/*
 * thread.h - starts threads beside a loop. They must not take the signals that the loop waits for.
 */
#ifndef SP_BASE_THREAD_H
#define SP_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "common/base/status.h"

/* Runs fn(arg) in a thread with all signals blocked; to be joined. false: there are too many, and ret_id is not set. */
SP_MUST_CHECK bool sp_thread_start(pthread_t *ret_id, void *(*fn)(void *arg), void *arg);

#endif
