/*
 * worker.h - threads that do what may block or takes long (files, syncs, signatures),
    so that the loop never does. A job
 * owns its input and output and holds ids, not pointers to what the loop owns.
 */
#ifndef SP_NET_WORKER_H
#define SP_NET_WORKER_H

#include "common/net/loop.h"

struct sp_worker;

/* One unit of work; embedded at the start of the caller's own struct. */
struct sp_work {
	void (*run)(struct sp_work *work);	/* on a thread of the worker */
	void (*done)(struct sp_work *work);	/* on the loop, afterwards; frees the job */
	void (*dropped)(struct sp_work *work);	/* instead of done when the worker is freed first; frees the job */
};

/* threads >= 1 of them; at most bound jobs wait or are under way. Answers come on this loop. */
SP_MUST_CHECK enum sp_status sp_worker_new(struct sp_loop *loop, unsigned threads, size_t bound,
    struct sp_worker **ret_worker, struct sp_why *why);

/* Runs what is queued to its end, then frees it without done. Before the loop is freed. NULL is fine. */
void sp_worker_free(struct sp_worker *w);
SP_AUTO_DEFINE(sp_worker);

/* Queues a job. SP_E_FULL beyond the bound: the job still is the caller's. Loop thread only. With one thread,
    jobs run in
 * their order. */
SP_MUST_CHECK enum sp_status sp_worker_submit(struct sp_worker *w, struct sp_work *work);

#endif
