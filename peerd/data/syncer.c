/*
 * syncer.c - takes all jobs that wait, syncs each file system among them once, then each journal: what a journal tells of is
 * on the disk before the journal is.
 */
#include "peerd/data/syncer.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fault.h"
#include "common/base/thread.h"

#define BATCH 64

struct data_syncer {
	struct sp_queue *in;	/* owned */
	pthread_t id;
	bool started;
};

static void
sync_fs(struct data_order **jobs, size_t count)
{
	dev_t done[BATCH];
	size_t ndone = 0;

	for (size_t i = 0; i < count; i++) {
		struct data_sync *s = &jobs[i]->sync;
		struct stat sb;
		size_t known = 0;

		if (s->folder < 0)
			continue;
		if (fstat(s->folder, &sb) != 0) {
			s->status = sp_fail_errno(SP_E_IO, NULL, "stat");
			continue;
		}
		while (known < ndone && done[known] != sb.st_dev)
			known++;
		if (known < ndone)
			continue;
		SP_FAULT("checkpoint-data-before");
		errno = SP_FAULT_ERRNO("checkpoint-data");
		if (errno == 0 && syncfs(s->folder) == 0)
			done[ndone++] = sb.st_dev;
		else
			s->status = sp_fail_errno(SP_E_IO, NULL, "sync");
		SP_FAULT("checkpoint-data-after");
	}
}

/* Its digests; or, when these and their data are durable, the mark that says so. */
static void
sync_journal(struct data_sync *s)
{
	if (s->marked)
		SP_FAULT("checkpoint-mark-before");
	else
		SP_FAULT("checkpoint-digests-before");
	if ((errno = SP_FAULT_ERRNO("checkpoint-digests")) != 0 || fdatasync(s->journal) != 0)
		s->status = sp_fail_errno(SP_E_IO, NULL, "sync");
	if (s->marked)
		SP_FAULT("checkpoint-mark-after");
	else
		SP_FAULT("checkpoint-digests-after");
}

static void *
run(void *arg)
{
	struct data_syncer *s = arg;
	void *items[BATCH];
	size_t n;

	while ((n = sp_queue_wait(s->in, items, BATCH)) > 0) {
		struct data_order **jobs = (struct data_order **)items;

		sync_fs(jobs, n);
		for (size_t i = 0; i < n; i++) {
			struct data_order *o = jobs[i];

			if (o->sync.status == SP_OK)
				sync_journal(&o->sync);
			if (sp_queue_push(o->sync.back->in, o) != SP_OK)
				abort();	/* cannot be: DATA_ORDERS */
		}
	}
	return NULL;
}

enum sp_status
data_syncer_new(struct data_syncer **ret_syncer, struct sp_why *why)
{
	SP_AUTO(data_syncer) *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->in = sp_queue_new(2 * SP_DATA_TRANSFERS)) == NULL)
		return sp_fail(SP_E_NOMEM, why, "no memory or descriptors for the sync helper");
	s->started = sp_thread_start(&s->id, run, s);
	if (!s->started)
		return sp_fail(SP_E_SYS, why, "cannot start the sync helper");
	*ret_syncer = sp_take(&s);
	return SP_OK;
}

void
data_syncer_stop(struct data_syncer *s)
{
	if (s == NULL || !s->started)
		return;
	sp_queue_close(s->in);
	pthread_join(s->id, NULL);
	s->started = false;
}

void
data_syncer_free(struct data_syncer *s)
{
	if (s == NULL)
		return;
	data_syncer_stop(s);
	sp_queue_free(s->in);
	free(s);
}

enum sp_status
data_syncer_give(struct data_syncer *s, struct data_order *take)
{
	enum sp_status st = sp_queue_push(s->in, take);

	if (st != SP_OK)
		data_order_free(take);
	return st;
}
