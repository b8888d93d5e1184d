/*
 * store.c - the store thread and its two queues: changes in, answers out. As many jobs may be out as SP_STORE_QUEUE
 * says, so the queue of answers, which is as long, can never be full. What the jobs do is in event.c and book.c.
 */
#include "peerd/store/store.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "peerd/store/store_in.h"

struct store {
	struct sp_loop *loop;		/* borrowed */
	struct sp_queue *in, *out;	/* owned */
	size_t open;			/* jobs not answered yet; main loop */
	bool started;
	pthread_t thread;
	struct sql sql;			/* the thread's */
	uint64_t mark_ms;		/* of the clock, as it stands in the database; the thread's */
	void **batch;			/* owned, SP_STORE_QUEUE slots; the thread's */
};

struct sql *
store_sql(struct store *s)
{
	return &s->sql;
}

/* Everything of the batch that was thought done is not: its answers say why. */
static void
spoil(void **jobs, size_t n, enum sp_status st, const struct sp_why *why)
{
	for (size_t i = 0; i < n; i++) {
		struct store_job *job = jobs[i];

		if (job->status != SP_OK)
			continue;
		job->status = st;
		job->why = *why;
	}
}

static void
run_job(struct sql *sql, struct store_job *job)
{
	job->why.text[0] = '\0';
	if ((job->status = sql_run(sql, SQL_SAVEPOINT, &job->why)) != SP_OK)
		return;
	job->status = job->run(sql->db, job);
	/* SQLite itself rolls a whole transaction back when the disk fails badly. */
	if (sqlite3_get_autocommit(sql->db) != 0) {
		if (job->status == SP_OK)
			job->status = sp_fail(SP_E_IO, &job->why, "the database gave the change up");
		return;
	}
	if (job->status != SP_OK && sql_run(sql, SQL_UNDO, NULL) != SP_OK)
		sp_log(SP_LOG_ERR, "store-undo-failed", "reason=\"%s\"", sqlite3_errmsg(sql->db));
	if (sql_run(sql, SQL_RELEASE, NULL) != SP_OK && job->status == SP_OK)
		job->status = sql_status(sql, &job->why);
}

/* Each step of the batch, and the commit that makes them durable together, can be killed before and after it. */
static void
pass_faults(void **jobs, size_t n, const char *when)
{
	(void)when;
	for (size_t i = 0; i < n; i++) {
		const struct store_job *job = jobs[i];

		if (job->step != NULL && job->status == SP_OK)
			SP_FAULT_STEP(when, "store/%s", job->step);
	}
	SP_FAULT_STEP(when, "store-commit");
}

/* ---- the clock's mark ---- */
/* Is it worth writing down? least: by how much it must have risen; one that was brought back always is. */
static bool
mark_moved(const struct store *s, uint64_t mark_ms, uint64_t least_ms)
{
	return mark_ms < s->mark_ms || mark_ms >= s->mark_ms + least_ms;
}

static enum sp_status
put_mark(struct store *s, uint64_t mark_ms, struct sp_why *why)
{
	sqlite3_bind_int64(sql_begin(&s->sql, SQL_CLOCK_PUT), 1, (sqlite3_int64)mark_ms);
	return sql_run(&s->sql, SQL_CLOCK_PUT, why);
}

static enum sp_status
read_mark(struct store *s, struct sp_why *why)
{
	sqlite3_stmt *stmt = sql_begin(&s->sql, SQL_CLOCK);
	enum sp_status st;
	bool row;

	if ((st = sql_step(&s->sql, SQL_CLOCK, &row, why)) != SP_OK || !row)
		return st;
	s->mark_ms = (uint64_t)sqlite3_column_int64(stmt, 0);
	sql_end(&s->sql, SQL_CLOCK);
	sp_clock_remember(s->mark_ms);
	return SP_OK;
}

/* changed: there is something to lose; then the mark goes along, and costs no sync of its own. */
static enum sp_status
commit(struct store *s, void **jobs, size_t n, bool changed, struct sp_why *why)
{
	struct sql *sql = &s->sql;
	uint64_t mark_ms = sp_clock_mark_ms();
	bool marks = changed && mark_moved(s, mark_ms, SP_CLOCK_KEEP_MS);
	enum sp_status st = SP_OK;

	if (changed)
		pass_faults(jobs, n, "before");
	if (marks)
		st = put_mark(s, mark_ms, why);
	if (changed && (errno = SP_FAULT_ERRNO("store-commit")) != 0)
		st = sp_fail_errno(SP_E_IO, why, "the database cannot be written");
	if (st == SP_OK)
		st = sql_run(sql, SQL_COMMIT, why);
	if (st == SP_OK && marks)
		s->mark_ms = mark_ms;
	if (st != SP_OK && sqlite3_get_autocommit(sql->db) == 0 && sql_run(sql, SQL_ROLLBACK, NULL) != SP_OK)
		sp_log(SP_LOG_ERR, "store-rollback-failed", "reason=\"%s\"", sqlite3_errmsg(sql->db));
	if (changed)
		pass_faults(jobs, n, "after");
	return st;
}

/* One transaction over as many of the jobs as it carries; returns how many have their status now. */
static size_t
run_transaction(struct store *s, void **jobs, size_t n)
{
	struct sql *sql = &s->sql;
	struct sp_why why = { "" };
	int changes = sqlite3_total_changes(sql->db);
	enum sp_status st;

	for (size_t i = 0; i < n; i++)
		((struct store_job *)jobs[i])->status = SP_OK;
	if ((st = sql_run(sql, SQL_BEGIN, &why)) != SP_OK) {
		spoil(jobs, n, st, &why);
		return n;
	}
	for (size_t i = 0; i < n; i++) {
		struct store_job *job = jobs[i];

		run_job(sql, job);
		if (sqlite3_get_autocommit(sql->db) != 0) {
			spoil(jobs, i, job->status, &job->why);
			return i + 1;
		}
	}
	if ((st = commit(s, jobs, n, sqlite3_total_changes(sql->db) != changes, &why)) != SP_OK)
		spoil(jobs, n, st, &why);
	return n;
}

static void *
store_thread(void *arg)
{
	struct store *s = arg;
	size_t n;

	while ((n = sp_queue_wait(s->in, s->batch, SP_STORE_QUEUE)) > 0) {
		for (size_t done = 0; done < n;)
			done += run_transaction(s, s->batch + done, n - done);
		for (size_t i = 0; i < n; i++)
			if (sp_queue_push(s->out, s->batch[i]) != SP_OK)
				abort();	/* cannot be: it is as long as what may be open */
	}
	return NULL;
}

static void
answered(void *arg, void *item)
{
	struct store *s = arg;
	struct store_job *job = item;

	s->open--;
	job->done(job);
}

static enum sp_status
start_thread(struct store *s, struct sp_why *why)
{
	s->started = sp_thread_start(&s->thread, store_thread, s);
	return s->started ? SP_OK : sp_fail(SP_E_SYS, why, "the store's thread cannot be started");
}

enum sp_status
store_new(struct sp_loop *loop, const char *path, struct store **ret_store, struct sp_why *why)
{
	SP_AUTO(store) *s = calloc(1, sizeof(*s));
	enum sp_status st;

	if (s == NULL)
		return SP_E_NOMEM;
	s->loop = loop;
	s->in = sp_queue_new(SP_STORE_QUEUE);
	s->out = sp_queue_new(SP_STORE_QUEUE);
	s->batch = calloc(SP_STORE_QUEUE, sizeof(*s->batch));
	if (s->in == NULL || s->out == NULL || s->batch == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory or descriptors");
	if ((st = sql_open(&s->sql, path, why)) != SP_OK ||
	    (st = read_mark(s, why)) != SP_OK ||
	    (st = sp_loop_drain(loop, s->out, answered, s)) != SP_OK ||
	    (st = start_thread(s, why)) != SP_OK)
		return st;
	*ret_store = sp_take(&s);
	return SP_OK;
}

static void
drop_answers(struct store *s)
{
	void *item;

	while (sp_queue_pop(s->out, &item, 1) == 1) {
		struct store_job *job = item;

		job->dropped(job);
	}
}

/* What rose since the last change, so that a start after a stop knows all of it. */
static void
keep_mark(struct store *s)
{
	uint64_t mark_ms = sp_clock_mark_ms();
	struct sp_why why = { "" };
	enum sp_status st = mark_moved(s, mark_ms, 1) ? put_mark(s, mark_ms, &why) : SP_OK;

	if (st != SP_OK)
		sp_log_fail(SP_LOG_WARN, "mark-not-kept", st, &why);
}

void
store_free(struct store *s)
{
	if (s == NULL)
		return;
	if (s->started) {
		sp_queue_close(s->in);
		pthread_join(s->thread, NULL);
		keep_mark(s);
	}
	if (s->out != NULL) {
		sp_loop_undrain(s->loop, s->out);
		drop_answers(s);
	}
	sql_close(&s->sql);
	sp_queue_free(s->in);
	sp_queue_free(s->out);
	free(s->batch);
	free(s);
}

enum sp_status
store_submit(struct store *s, struct store_job *job)
{
	enum sp_status st;

	if (s->open == SP_STORE_QUEUE || SP_FAULT_ERRNO_AT("store-queue", job->step != NULL ? job->step : "read") != 0)
		return SP_E_FULL;
	if ((st = sp_queue_push(s->in, job)) == SP_OK)
		s->open++;
	return st;
}

enum sp_status
store_submit_take(struct store *s, struct store_job *job)
{
	enum sp_status st = job == NULL ? SP_E_NOMEM : store_submit(s, job);

	if (st != SP_OK && job != NULL)
		job->dropped(job);
	return st;
}
