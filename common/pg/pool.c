/*
 * pool.c - the queue of items, the threads that take batches from it, and the way back.
 *
 * An item is owned by the queue, then by the thread whose batch it is in, then by the reply queue, then by
 * sp_pg_deliver(), which frees it. pending counts all of these, so the reply queue, which has the same bound, is
 * never full. The lock guards the queue and the counts only; no statement runs under it.
 */
#include "common/pg/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/pg/conn.h"
#include "common/pg/item.h"

#define TRIES_AGAIN 3
#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 1000

/* Items of one call in the order of asking. */
struct waiting {
	struct sp_pg_item *first, **end;
};

struct worker {
	struct sp_pg *pg;
	pthread_t thread;
	bool started;
	PGconn *conn;		/* owned by the thread; NULL while there is none */
	bool *ready;		/* a call's statement is prepared on conn */
	bool lost;		/* said in the log, until it is back */
	struct sp_buf arrays[SP_PG_PARAMS];
};

struct sp_pg {
	const struct sp_pg_call *calls;	/* borrowed */
	size_t ncalls;
	char *conninfo, *program;	/* owned */
	bool prepared;
	struct worker *workers;
	unsigned nworkers;
	struct sp_queue *replies;	/* of struct sp_pg_item, owned */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct waiting *waiting;	/* one a call */
	uint64_t asked;
	size_t pending, pending_bytes;
	bool closed, stopping;
};

static void
give_back(struct sp_pg *pg, struct sp_pg_item *item)
{
	enum sp_status st = sp_queue_push(pg->replies, item);

	assert(st == SP_OK);
	(void)st;
}

/* Answers those of the n items that have a reason to end now, keeps the others in order; returns how many are
 * left. */
static size_t
expire(struct sp_pg *pg, struct sp_pg_item **items, size_t n)
{
	uint64_t now = sp_clock_boot_ms();
	size_t left = 0;
	bool stopping;

	pthread_mutex_lock(&pg->lock);
	stopping = pg->stopping;
	pthread_mutex_unlock(&pg->lock);
	for (size_t i = 0; i < n; i++) {
		if (!stopping && now < items[i]->deadline_ms) {
			items[left++] = items[i];
			continue;
		}
		items[i]->st = stopping ? SP_E_CANCELLED : SP_E_DATABASE;
		give_back(pg, items[i]);
	}
	return left;
}

/* Sleeps unless the pool is stopping. */
static void
pause_ms(struct sp_pg *pg, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&pg->lock);
	while (!pg->stopping && pthread_cond_timedwait(&pg->changed, &pg->lock, &until) == 0)
		;
	pthread_mutex_unlock(&pg->lock);
}

static void
disconnect(struct worker *w)
{
	PQfinish(w->conn);
	w->conn = NULL;
	memset(w->ready, 0, w->pg->ncalls * sizeof(*w->ready));
}

static void
say_lost(struct worker *w, const struct sp_why *why)
{
	if (!w->lost)
		sp_log(SP_LOG_WARN, "database-lost", "reason=\"%s\"", why->text);
	w->lost = true;
}

/* One connection attempt if there is none. */
static bool
connected(struct worker *w)
{
	struct sp_why why = { "" };

	if (w->conn != NULL)
		return true;
	if ((w->conn = sp_pg_connect(w->pg->conninfo, w->pg->program, &why)) == NULL) {
		say_lost(w, &why);
		return false;
	}
	if (w->lost)
		sp_log(SP_LOG_INFO, "database-back", "server=%d", PQserverVersion(w->conn));
	w->lost = false;
	return true;
}

/* The statement of a call, prepared once a connection where that is allowed. */
static enum sp_pg_outcome
prepare(struct worker *w, size_t number, const Oid *types, int count, uint64_t deadline_ms, struct sp_why *why)
{
	SP_AUTO_RESULT *result = NULL;
	enum sp_pg_outcome outcome;
	int sent;

	if (!w->pg->prepared || w->ready[number])
		return SP_PG_DONE;
	sent = PQsendPrepare(w->conn, w->pg->calls[number].name, w->pg->calls[number].sql, count, types);
	outcome = sp_pg_wait(w->conn, sent, deadline_ms, &result, why);
	w->ready[number] = outcome == SP_PG_DONE;
	return outcome;
}

/* One execution and one commit for n items of one call. */
static enum sp_pg_outcome
execute(struct worker *w, struct sp_pg_item **items, size_t n, PGresult **ret_result, struct sp_why *why)
{
	const struct sp_pg_call *call = &w->pg->calls[items[0]->call];
	uint64_t deadline_ms = sp_clock_boot_ms() + SP_DB_STATEMENT_MS;
	const char *values[SP_PG_PARAMS];
	int lengths[SP_PG_PARAMS], formats[SP_PG_PARAMS], count = 0, sent;
	Oid types[SP_PG_PARAMS];
	enum sp_pg_outcome outcome;

	for (; call->params[count] != SP_PG_END; count++) {
		struct sp_buf *b = &w->arrays[count];

		sp_buf_clear(b);
		sp_pg_array_add(b, call->params[count], (unsigned)count, items, n);
		if (sp_buf_status(b) != SP_OK) {
			(void)sp_fail(SP_E_NOMEM, why, "out of memory");
			return SP_PG_FAILED;
		}
		values[count] = (const char *)b->data;
		lengths[count] = (int)b->len;
		formats[count] = 1;
		types[count] = sp_pg_array_oid(call->params[count]);
	}
	outcome = prepare(w, items[0]->call, types, count, deadline_ms, why);
	if (outcome != SP_PG_DONE)
		return outcome;
	if (w->pg->prepared)
		sent = PQsendQueryPrepared(w->conn, call->name, count, values, lengths, formats, 1);
	else
		sent = PQsendQueryParams(w->conn, call->sql, count, types, values, lengths, formats, 1);
	return sp_pg_wait(w->conn, sent, deadline_ms, ret_result, why);
}

/* The database has spoken for good about these n items of one batch. */
static void
answer(struct worker *w, struct sp_pg_item **items, size_t n, PGresult *result_take, struct sp_why *why)
{
	const struct sp_pg_call *call = &w->pg->calls[items[0]->call];
	enum sp_status st = SP_E_DATABASE;

	if (result_take != NULL)
		st = sp_pg_share(call, result_take, items, n, why);
	if (st != SP_OK)
		sp_log(SP_LOG_ERR, "database-error", "call=%s items=%zu reason=\"%s\"", call->name, n, why->text);
	for (size_t i = 0; i < n; i++) {
		items[i]->st = st;
		give_back(w->pg, items[i]);
	}
}

/* Runs items until each has its answer. A batch that fails is not answered: the number of its items is returned,
 * which the caller runs one by one; otherwise 0. */
static size_t
settle(struct worker *w, struct sp_pg_item **items, size_t n)
{
	unsigned again = 0, pause = 0;

	while ((n = expire(w->pg, items, n)) > 0) {
		PGresult *result = NULL;
		struct sp_why why = { "" };
		enum sp_pg_outcome outcome;

		SP_FAULT_STEP("before", "%s", w->pg->calls[items[0]->call].name);
		outcome = SP_FAULT_ERRNO(w->pg->calls[items[0]->call].name) == 0 && connected(w) ? execute(w, items, n, &result, &why) : SP_PG_LOST;
		if (outcome == SP_PG_DONE)
			SP_FAULT_STEP("after", "%s", w->pg->calls[items[0]->call].name);
		if (outcome == SP_PG_AGAIN && ++again == TRIES_AGAIN)
			outcome = SP_PG_FAILED;
		if (outcome == SP_PG_FAILED && n > 1)
			return n;
		if (outcome == SP_PG_DONE || outcome == SP_PG_FAILED) {
			answer(w, items, n, result, &why);
			return 0;
		}
		if (w->conn != NULL && outcome == SP_PG_LOST)
			say_lost(w, &why);
		disconnect(w);	/* after AGAIN too: a fresh connection has no stale plans */
		if (pause > 0)	/* the first time at once: an idle connection may have been cut */
			pause_ms(w->pg, pause);
		pause = pause == 0 ? PAUSE_FIRST_MS : pause * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause * 2;
	}
	return 0;
}

/* Everything that waits for the call whose first item is the oldest; waits for some. 0 = the pool ends. Thread. */
static size_t
take_batch(struct sp_pg *pg, struct sp_pg_item **items)
{
	struct waiting *oldest = NULL;
	size_t n = 0;

	pthread_mutex_lock(&pg->lock);
	while (!pg->stopping) {
		for (size_t i = 0; i < pg->ncalls; i++)
			if (pg->waiting[i].first != NULL &&
			    (oldest == NULL || pg->waiting[i].first->number < oldest->first->number))
				oldest = &pg->waiting[i];
		if (oldest != NULL || pg->closed)
			break;
		pthread_cond_wait(&pg->changed, &pg->lock);
	}
	while (oldest != NULL && oldest->first != NULL && n < SP_DB_BATCH) {
		items[n++] = oldest->first;
		if ((oldest->first = oldest->first->next) == NULL)
			oldest->end = &oldest->first;
	}
	pthread_mutex_unlock(&pg->lock);
	return n;
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct sp_pg_item *items[SP_DB_BATCH];
	size_t n;

	(void)connected(w);	/* before the first request, so that a wrong conninfo is said at start */
	while ((n = take_batch(w->pg, items)) > 0) {
		size_t call = items[0]->call;

		n = settle(w, items, n);
		if (n > 0)
			sp_log(SP_LOG_DEBUG, "database-split", "call=%s items=%zu", w->pg->calls[call].name, n);
		for (size_t i = 0; i < n; i++)
			(void)settle(w, &items[i], 1);
	}
	disconnect(w);
	return NULL;
}

static enum sp_status
start_workers(struct sp_pg *pg, struct sp_why *why)
{
	for (unsigned i = 0; i < pg->nworkers; i++) {
		struct worker *w = &pg->workers[i];

		w->pg = pg;
		if ((w->ready = calloc(pg->ncalls, sizeof(*w->ready))) == NULL)
			return SP_E_NOMEM;
		w->started = sp_thread_start(&w->thread, worker_main, w);
		if (!w->started)
			return sp_fail(SP_E_SYS, why, "cannot start a database thread");
	}
	return SP_OK;
}

enum sp_status
sp_pg_open(const struct sp_pg_options *options, const struct sp_pg_call *calls, size_t ncalls, struct sp_pg **ret_pg,
    struct sp_why *why)
{
	SP_AUTO(sp_pg) *pg = calloc(1, sizeof(*pg));
	pthread_condattr_t attr;
	enum sp_status st;

	if (pg == NULL)
		return SP_E_NOMEM;
	pthread_mutex_init(&pg->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pg->changed, &attr);
	pthread_condattr_destroy(&attr);
	pg->calls = calls;
	pg->ncalls = ncalls;
	pg->prepared = options->prepared;
	pg->conninfo = strdup(options->conninfo);
	pg->program = strdup(options->program);
	pg->replies = sp_queue_new(SP_SERVICE_QUEUE);
	pg->waiting = calloc(ncalls, sizeof(*pg->waiting));
	pg->nworkers = options->threads > 0 ? options->threads : SP_DB_THREADS;
	pg->workers = calloc(pg->nworkers, sizeof(*pg->workers));
	if (pg->conninfo == NULL || pg->program == NULL || pg->replies == NULL || pg->waiting == NULL ||
	    pg->workers == NULL)
		return SP_E_NOMEM;
	for (size_t i = 0; i < ncalls; i++)
		pg->waiting[i].end = &pg->waiting[i].first;
	if ((st = start_workers(pg, why)) != SP_OK)
		return st;
	*ret_pg = sp_take(&pg);
	return SP_OK;
}

enum sp_status
sp_pg_ask(struct sp_pg *pg, size_t call, const struct sp_pg_value *values, sp_pg_cb *cb, void *arg)
{
	SP_AUTO(sp_pg_item) *item = NULL;
	enum sp_status st = SP_OK;
	unsigned n = 0;

	assert(call < pg->ncalls);
	while (pg->calls[call].params[n] != SP_PG_END)
		n++;
	if ((item = sp_pg_item_new(values, n)) == NULL)
		return SP_E_NOMEM;
	item->call = call;
	item->cb = cb;
	item->arg = arg;
	item->deadline_ms = sp_clock_boot_ms() + SP_DB_WAIT_MS;
	pthread_mutex_lock(&pg->lock);
	if (pg->closed) {
		st = SP_E_CLOSED;
	} else if (pg->pending == SP_SERVICE_QUEUE || pg->pending_bytes + item->size > SP_DB_QUEUE_BYTES) {
		st = SP_E_BUSY;
	} else {
		pg->pending++;
		pg->pending_bytes += item->size;
		item->number = pg->asked++;
		*pg->waiting[call].end = item;
		pg->waiting[call].end = &item->next;
		item = NULL;
		pthread_cond_signal(&pg->changed);
	}
	pthread_mutex_unlock(&pg->lock);
	return st;
}

struct sp_queue *
sp_pg_replies(struct sp_pg *pg)
{
	return pg->replies;
}

void
sp_pg_deliver(struct sp_pg *pg, void *reply)
{
	struct sp_pg_item *item = reply;

	pthread_mutex_lock(&pg->lock);
	pg->pending--;
	pg->pending_bytes -= item->size;
	pthread_mutex_unlock(&pg->lock);
	item->cb(item->arg, item->st, item->st == SP_OK ? &item->rows : NULL);
	sp_pg_item_free(item);
}

size_t
sp_pg_drain(struct sp_pg *pg)
{
	void *items[64];
	size_t n, all = 0;

	while ((n = sp_queue_pop(pg->replies, items, sizeof(items) / sizeof(items[0]))) > 0) {
		for (size_t i = 0; i < n; i++)
			sp_pg_deliver(pg, items[i]);
		all += n;
	}
	return all;
}

size_t
sp_pg_pending(struct sp_pg *pg)
{
	size_t n;

	pthread_mutex_lock(&pg->lock);
	n = pg->pending;
	pthread_mutex_unlock(&pg->lock);
	return n;
}

void
sp_pg_close(struct sp_pg *pg)
{
	pthread_mutex_lock(&pg->lock);
	pg->closed = true;
	pthread_cond_broadcast(&pg->changed);
	pthread_mutex_unlock(&pg->lock);
}

/* Ends the threads and answers what nobody will do any more. */
static void
stop(struct sp_pg *pg)
{
	pthread_mutex_lock(&pg->lock);
	pg->closed = pg->stopping = true;
	pthread_cond_broadcast(&pg->changed);
	pthread_mutex_unlock(&pg->lock);
	for (unsigned i = 0; i < pg->nworkers; i++)
		if (pg->workers[i].started)
			pthread_join(pg->workers[i].thread, NULL);
	for (size_t i = 0; i < pg->ncalls; i++) {
		struct sp_pg_item *item = pg->waiting[i].first, *next;

		for (; item != NULL; item = next) {
			next = item->next;
			item->st = SP_E_CANCELLED;
			give_back(pg, item);
		}
	}
	(void)sp_pg_drain(pg);
}

void
sp_pg_free(struct sp_pg *pg)
{
	if (pg == NULL)
		return;
	if (pg->workers != NULL && pg->replies != NULL && pg->waiting != NULL)
		stop(pg);
	for (unsigned i = 0; pg->workers != NULL && i < pg->nworkers; i++) {
		for (size_t k = 0; k < SP_PG_PARAMS; k++)
			sp_buf_done(&pg->workers[i].arrays[k]);
		free(pg->workers[i].ready);
	}
	sp_queue_free(pg->replies);
	pthread_cond_destroy(&pg->changed);
	pthread_mutex_destroy(&pg->lock);
	free(pg->workers);
	free(pg->waiting);
	free(pg->conninfo);
	free(pg->program);
	free(pg);
}
