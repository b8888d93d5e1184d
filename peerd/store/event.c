/*
 * event.c - events and their history to and from the database. Nothing here knows what a state means.
 */
#include "peerd/store/event.h"

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "peerd/store/columns.h"
#include "peerd/store/store_in.h"

#define FIND_ROWS 16		/* of events that begin with one prefix */

struct event_row *
event_row_new(void)
{
	return calloc(1, sizeof(struct event_row));
}

void
event_row_free(struct event_row *row)
{
	if (row == NULL)
		return;
	columns_clear(&event_columns, row);
	free(row);
}

struct event_row *
event_row_copy(const struct event_row *row)
{
	SP_AUTO(event_row) *copy = event_row_new();

	if (copy == NULL || columns_copy(&event_columns, row, copy) != SP_OK)
		return NULL;
	return sp_take(&copy);
}

void
event_rows_free(struct event_row **rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		event_row_free(rows[i]);
	free(rows);
}

/* ---- save ---- */
struct save_job {
	struct store_job job;
	struct store *store;		/* borrowed */
	struct event_row *row;		/* owned */
	enum event_kind kind;		/* whose payment is noted */
	char *what;			/* owned, or NULL: no history */
	uint64_t time_ms;
	store_done_fn *fn;
	void *arg;
};

static void
save_free(struct store_job *job)
{
	struct save_job *save = (struct save_job *)job;

	event_row_free(save->row);
	free(save->what);
	free(save);
}

static enum sp_status
put_event(struct sql *sql, const struct event_row *row, int64_t *ret_number, struct sp_why *why)
{
	sqlite3_stmt *stmt = sql_begin(sql, SQL_EVENT_PUT);
	enum sp_status st;
	bool more;

	if ((st = columns_bind(&event_columns, stmt, row)) != SP_OK ||
	    (st = sql_step(sql, SQL_EVENT_PUT, &more, why)) != SP_OK)
		return st;
	if (more)
		*ret_number = sqlite3_column_int64(stmt, 0);
	return more ? sql_run(sql, SQL_EVENT_PUT, why) : SP_E_DATABASE;
}

static enum sp_status
add_history(struct sql *sql, struct save_job *save, int64_t number, int64_t state)
{
	sqlite3_stmt *stmt = sql_begin(sql, SQL_HISTORY_ADD);

	sqlite3_bind_int64(stmt, 1, (int64_t)save->time_ms);
	sqlite3_bind_int64(stmt, 2, number);
	sqlite3_bind_int64(stmt, 3, state);
	sqlite3_bind_text(stmt, 4, save->what, -1, SQLITE_STATIC);
	return sql_run(sql, SQL_HISTORY_ADD, &save->job.why);
}

static enum sp_status
save_run(struct sqlite3 *db, struct store_job *job)
{
	struct save_job *save = (struct save_job *)job;
	struct sql *sql = store_sql(save->store);
	int64_t number = 0;
	enum sp_status st;

	(void)db;
	if ((st = put_event(sql, save->row, &number, &job->why)) != SP_OK || save->what == NULL)
		return st;
	return add_history(sql, save, number, save->row->state);
}

static void
save_done(struct store_job *job)
{
	struct save_job *save = (struct save_job *)job;

	if (save->fn != NULL)
		save->fn(save->arg, job->status, &job->why);
	save_free(job);
}

static enum sp_status
save_submit(struct store *s, const struct event_row *row, enum sp_status (*run)(struct sqlite3 *, struct store_job *),
    enum event_kind kind, const char *what, store_done_fn *fn, void *arg)
{
	struct save_job *save = calloc(1, sizeof(*save));

	if (save == NULL)
		return SP_E_NOMEM;
	save->job = (struct store_job){ .run = run, .done = save_done, .dropped = save_free,
		.step = run == save_run ? "event" : "payment" };
	save->store = s;
	save->row = event_row_copy(row);
	save->kind = kind;
	save->what = what != NULL ? strdup(what) : NULL;
	save->time_ms = sp_clock_wall_ms();
	save->fn = fn;
	save->arg = arg;
	if (save->row == NULL || (what != NULL && save->what == NULL)) {
		save_free(&save->job);
		return SP_E_NOMEM;
	}
	return store_submit_take(s, &save->job);
}

enum sp_status
store_event_save(struct store *s, const struct event_row *row, const char *what, store_done_fn *fn, void *arg)
{
	return save_submit(s, row, save_run, row->kind, what, fn, arg);
}

static enum sp_status
payment_run(struct sqlite3 *db, struct store_job *job)
{
	struct save_job *save = (struct save_job *)job;
	struct sql *sql = store_sql(save->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_EVENT_PAYMENT);
	int64_t number = 0, state = 0;
	enum sp_status st;
	bool found;

	(void)db;
	sqlite3_bind_blob(stmt, 1, save->row->id.b, sizeof(save->row->id.b), SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, save->kind);
	sqlite3_bind_text(stmt, 3, save->row->peer, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, save->row->payment);
	sqlite3_bind_text(stmt, 5, save->row->receipt, -1, SQLITE_STATIC);
	if ((st = sql_step(sql, SQL_EVENT_PAYMENT, &found, &job->why)) != SP_OK || !found)
		return st;
	number = sqlite3_column_int64(stmt, 0);
	state = sqlite3_column_int64(stmt, 1);
	if ((st = sql_run(sql, SQL_EVENT_PAYMENT, &job->why)) != SP_OK)
		return st;
	return add_history(sql, save, number, state);
}

enum sp_status
store_event_payment(struct store *s, const struct event_row *row, enum event_kind kind, const char *what)
{
	return save_submit(s, row, payment_run, kind, what, NULL, NULL);
}

/* ---- read ---- */
struct rows_job {
	struct store_job job;
	struct store *store;		/* borrowed */
	enum sql_id statement;
	uint64_t before_ms;		/* listings */
	int64_t limit;			/* listings and find */
	int kind;			/* EVENTS_OF_KIND */
	struct sp_id low, high;		/* find */
	struct event_row **rows;	/* owned until done */
	size_t count, room;
	store_rows_fn *fn;
	void *arg;
};

static void
rows_free(struct store_job *job)
{
	struct rows_job *r = (struct rows_job *)job;

	event_rows_free(r->rows, r->count);
	free(r);
}

static void
rows_bind(const struct rows_job *r, sqlite3_stmt *stmt)
{
	if (r->statement == SQL_EVENTS_OPEN)
		return;
	if (r->statement == SQL_EVENT_FIND) {
		sqlite3_bind_blob(stmt, 1, r->low.b, sizeof(r->low.b), SQLITE_STATIC);
		sqlite3_bind_blob(stmt, 2, r->high.b, sizeof(r->high.b), SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 3, r->limit);
		return;
	}
	sqlite3_bind_int64(stmt, 1, r->before_ms > INT64_MAX ? INT64_MAX : (int64_t)r->before_ms);
	sqlite3_bind_int64(stmt, 2, r->limit);
	if (r->statement == SQL_EVENTS_OF_KIND)
		sqlite3_bind_int64(stmt, 3, r->kind);
}

static enum sp_status
rows_add(struct rows_job *r, sqlite3_stmt *stmt)
{
	SP_AUTO(event_row) *row = event_row_new();
	enum sp_status st;

	if (row == NULL)
		return SP_E_NOMEM;
	if ((st = columns_read(&event_columns, stmt, 1, row)) != SP_OK)
		return sp_fail(st, &r->job.why, "a row of the event table cannot be read");
	if (r->count == r->room) {
		size_t room = r->room == 0 ? 16 : 2 * r->room;
		struct event_row **rows = reallocarray(r->rows, room, sizeof(*rows));

		if (rows == NULL)
			return SP_E_NOMEM;
		r->rows = rows;
		r->room = room;
	}
	r->rows[r->count++] = sp_take(&row);
	return SP_OK;
}

static enum sp_status
rows_run(struct sqlite3 *db, struct store_job *job)
{
	struct rows_job *r = (struct rows_job *)job;
	struct sql *sql = store_sql(r->store);
	sqlite3_stmt *stmt = sql_begin(sql, r->statement);
	enum sp_status st;
	bool row;

	(void)db;
	rows_bind(r, stmt);
	while ((st = sql_step(sql, r->statement, &row, &job->why)) == SP_OK && row)
		if ((st = rows_add(r, stmt)) != SP_OK)
			break;
	sql_end(sql, r->statement);
	return st;
}

static void
rows_done(struct store_job *job)
{
	struct rows_job *r = (struct rows_job *)job;

	if (job->status == SP_OK && r->statement == SQL_EVENT_FIND && r->count > 1 &&
	    !sp_id_eq(&r->rows[0]->id, &r->rows[r->count - 1]->id))
		job->status = SP_E_ARGUMENT;
	if (job->status == SP_OK) {
		r->fn(r->arg, SP_OK, r->rows, r->count);
		r->rows = NULL;
		r->count = 0;
	} else {
		r->fn(r->arg, job->status, NULL, 0);
	}
	rows_free(job);
}

static enum sp_status
rows_submit(struct store *s, const struct rows_job *what)
{
	struct rows_job *r = malloc(sizeof(*r));

	if (r == NULL)
		return SP_E_NOMEM;
	*r = *what;
	r->store = s;
	r->job = (struct store_job){ .run = rows_run, .done = rows_done, .dropped = rows_free };
	return store_submit_take(s, &r->job);
}

enum sp_status
store_events_open(struct store *s, store_rows_fn *fn, void *arg)
{
	return rows_submit(s, &(struct rows_job){ .statement = SQL_EVENTS_OPEN, .fn = fn, .arg = arg });
}

enum sp_status
store_events_list(struct store *s, enum event_filter filter, uint64_t before_ms, uint32_t limit, store_rows_fn *fn,
    void *arg)
{
	static const enum sql_id statements[] = {
		[EVENTS_ALL] = SQL_EVENTS_ALL,
		[EVENTS_PENDING] = SQL_EVENTS_PENDING,
		[EVENTS_SENT] = SQL_EVENTS_OF_KIND,
		[EVENTS_RECEIVED] = SQL_EVENTS_OF_KIND,
		[EVENTS_FAILED] = SQL_EVENTS_FAILED,
		[EVENTS_CREDITS] = SQL_EVENTS_OF_KIND,
	};

	return rows_submit(s, &(struct rows_job){
		.statement = statements[filter],
		.kind = filter == EVENTS_SENT ? EVENT_SEND : filter == EVENTS_CREDITS ? EVENT_CREDIT : EVENT_RECEIVE,
		.before_ms = before_ms == 0 ? UINT64_MAX : before_ms,
		.limit = limit < SP_STORE_ROWS ? limit : SP_STORE_ROWS,
		.fn = fn, .arg = arg });
}

/* The ids whose text begins so: from prefix000… to prefixfff…. */
static enum sp_status
prefix_range(const char *prefix, struct sp_id *ret_low, struct sp_id *ret_high)
{
	char low[] = "00000000-0000-0000-0000-000000000000", high[] = "ffffffff-ffff-ffff-ffff-ffffffffffff";
	size_t n = strlen(prefix);
	enum sp_status st;

	if (n < 4 || n >= sizeof(low))
		return SP_E_FORMAT;
	memcpy(low, prefix, n);
	memcpy(high, prefix, n);
	if ((st = sp_id_parse(low, ret_low)) != SP_OK)
		return st;
	return sp_id_parse(high, ret_high);
}

enum sp_status
store_event_find(struct store *s, const char *id_or_prefix, store_rows_fn *fn, void *arg)
{
	struct rows_job r = { .statement = SQL_EVENT_FIND, .limit = FIND_ROWS, .fn = fn, .arg = arg };
	enum sp_status st;

	if ((st = prefix_range(id_or_prefix, &r.low, &r.high)) != SP_OK)
		return st;
	return rows_submit(s, &r);
}

/* ---- history ---- */
struct history_job {
	struct store_job job;
	struct store *store;		/* borrowed */
	uint64_t after;
	bool of_one;
	struct sp_id id;
	uint32_t limit;
	struct history_row *rows;	/* owned, limit of them */
	size_t count;
	store_history_fn *fn;
	void *arg;
};

static void
history_free(struct store_job *job)
{
	struct history_job *h = (struct history_job *)job;

	for (size_t i = 0; i < h->count; i++)
		free(h->rows[i].what);
	free(h->rows);
	free(h);
}

static enum sp_status
history_add(struct history_job *h, sqlite3_stmt *stmt)
{
	struct history_row *row = &h->rows[h->count];
	const char *what = (const char *)sqlite3_column_text(stmt, 5);

	row->seq = (uint64_t)sqlite3_column_int64(stmt, 0);
	row->time_ms = (uint64_t)sqlite3_column_int64(stmt, 1);
	row->kind = (enum event_kind)sqlite3_column_int(stmt, 3);
	row->state = sqlite3_column_int(stmt, 4);
	if (sqlite3_column_bytes(stmt, 2) != (int)sizeof(row->id.b))
		return SP_E_FORMAT;
	memcpy(row->id.b, sqlite3_column_blob(stmt, 2), sizeof(row->id.b));
	if (what == NULL || (row->what = strdup(what)) == NULL)
		return SP_E_NOMEM;
	h->count++;
	return SP_OK;
}

static enum sp_status
history_run(struct sqlite3 *db, struct store_job *job)
{
	struct history_job *h = (struct history_job *)job;
	struct sql *sql = store_sql(h->store);
	enum sql_id id = h->of_one ? SQL_HISTORY_OF : SQL_HISTORY;
	sqlite3_stmt *stmt = sql_begin(sql, id);
	enum sp_status st;
	bool row;

	(void)db;
	sqlite3_bind_int64(stmt, 1, h->after > INT64_MAX ? INT64_MAX : (int64_t)h->after);
	sqlite3_bind_int64(stmt, 2, h->limit);
	if (h->of_one)
		sqlite3_bind_blob(stmt, 3, h->id.b, sizeof(h->id.b), SQLITE_STATIC);
	while ((st = sql_step(sql, id, &row, &job->why)) == SP_OK && row)
		if ((st = history_add(h, stmt)) != SP_OK)
			break;
	sql_end(sql, id);
	return st;
}

static void
history_done(struct store_job *job)
{
	struct history_job *h = (struct history_job *)job;

	h->fn(h->arg, job->status, job->status == SP_OK ? h->rows : NULL, job->status == SP_OK ? h->count : 0);
	history_free(job);
}

enum sp_status
store_history(struct store *s, uint64_t after, const struct sp_id *id, uint32_t limit, store_history_fn *fn,
    void *arg)
{
	struct history_job *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return SP_E_NOMEM;
	h->job = (struct store_job){ .run = history_run, .done = history_done, .dropped = history_free };
	h->store = s;
	h->after = after;
	h->of_one = id != NULL;
	if (id != NULL)
		h->id = *id;
	h->limit = limit < SP_STORE_ROWS ? limit : SP_STORE_ROWS;
	h->rows = calloc((size_t)h->limit + 1, sizeof(*h->rows));
	h->fn = fn;
	h->arg = arg;
	if (h->rows == NULL) {
		history_free(&h->job);
		return SP_E_NOMEM;
	}
	return store_submit_take(s, &h->job);
}
