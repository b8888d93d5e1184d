/*
 * worker.c - two bounded queues around some threads. As many jobs may be out as the bound says,
    so the queue of answers,
 * which is as long, can never be full.
 */
#include "common/net/worker.h"

#include "common/base/thread.h"

struct sp_worker {
	struct sp_loop *loop;
	struct sp_queue *in, *out;	/* owned */
	size_t bound, open;		/* jobs that have not come back; loop thread */
	unsigned threads;
	pthread_t *ids;			/* owned */
};

static void *
run(void *arg)
{
	struct sp_worker *w = arg;
	void *item;

	while (sp_queue_wait(w->in, &item, 1) == 1) {
		struct sp_work *work = item;

		work->run(work);
		if (sp_queue_push(w->out, work) != SP_OK)
			abort();	/* cannot be: it is as long as the bound */
	}
	return NULL;
}

static void
finished(void *arg, void *item)
{
	struct sp_worker *w = arg;
	struct sp_work *work = item;

	w->open--;
	work->done(work);
}

static bool
start_thread(struct sp_worker *w)
{
	bool started = sp_thread_start(&w->ids[w->threads], run, w);

	w->threads += started;
	return started;
}

enum sp_status
sp_worker_new(struct sp_loop *loop, unsigned threads, size_t bound, struct sp_worker **ret_worker, struct sp_why *why)
{
	SP_AUTO(sp_worker) *w = calloc(1, sizeof(*w));
	enum sp_status st;

	if (w == NULL)
		return SP_E_NOMEM;
	w->loop = loop;
	w->bound = bound;
	w->in = sp_queue_new(bound);
	w->out = sp_queue_new(bound);
	w->ids = calloc(threads, sizeof(*w->ids));
	if (w->in == NULL || w->out == NULL || w->ids == NULL)
		return sp_fail(SP_E_NOMEM, why, "no memory or descriptors for worker threads");
	if ((st = sp_loop_drain(loop, w->out, finished, w)) != SP_OK)
		return st;
	while (w->threads < threads)
		if (!start_thread(w))
			return sp_fail(SP_E_SYS, why, "cannot start a worker thread");
	*ret_worker = sp_take(&w);
	return SP_OK;
}

void
sp_worker_free(struct sp_worker *w)
{
	void *item;

	if (w == NULL)
		return;
	if (w->in != NULL)
		sp_queue_close(w->in);
	for (unsigned i = 0; i < w->threads; i++)
		pthread_join(w->ids[i], NULL);
	if (w->out != NULL) {
		sp_loop_undrain(w->loop, w->out);
		while (sp_queue_pop(w->out, &item, 1) == 1)
			((struct sp_work *)item)->dropped(item);
	}
	sp_queue_free(w->in);
	sp_queue_free(w->out);
	free(w->ids);
	free(w);
}

enum sp_status
sp_worker_submit(struct sp_worker *w, struct sp_work *work)
{
	enum sp_status st;

	if (w->open >= w->bound)
		return SP_E_FULL;
	if ((st = sp_queue_push(w->in, work)) == SP_OK)
		w->open++;
	return st;
}
