/*
 * wallet.c - sheets, the balance, and the franks that were taken, in SQLite. Every question and change is one job, so each is
 * whole or not at all. Which serials a transfer gets is in serials.c.
 */
#include "peerd/store/wallet_in.h"

void
sheet_row_done(struct sheet_row *row)
{
	sp_buf_done(&row->statement);
	sp_buf_done(&row->signature);
	sp_buf_done(&row->signer);
}

static void
job_free(struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;

	sheet_row_done(&w->sheet);
	for (size_t i = 0; i < w->nsheets; i++)
		sheet_row_done(&w->sheets[i]);
	free(w->sheets);
	free(w);
}

static void
job_done(struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;
	struct wallet_spend spend = { .sheet = &w->sheet, .count = w->count };

	memcpy(spend.ranges, w->ranges, sizeof(spend.ranges));
	for (size_t i = 0; i < w->count; i++)
		spend.price += w->ranges[i].count;
	if (w->done_fn != NULL)
		w->done_fn(w->arg, job->status, &job->why);
	if (w->sheets_fn != NULL)
		w->sheets_fn(w->arg, job->status, w->sheets, w->nsheets);
	if (w->spend_fn != NULL)
		w->spend_fn(w->arg, job->status, &job->why, job->status == SP_OK ? &spend : NULL);
	if (w->balance_fn != NULL)
		w->balance_fn(w->arg, job->status, &w->balance);
	job_free(job);
}

struct wallet_job *
wallet_job_new(struct store *s, enum sp_status (*run)(struct sqlite3 *, struct store_job *), void *arg)
{
	struct wallet_job *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->job = (struct store_job){ .run = run, .done = job_done, .dropped = job_free };
	w->store = s;
	w->arg = arg;
	return w;
}

void
wallet_bind(sqlite3_stmt *stmt, int at, struct sp_span bytes)
{
	sqlite3_bind_blob(stmt, at, bytes.n > 0 ? (const void *)bytes.p : "", (int)bytes.n, SQLITE_TRANSIENT);
}

void
wallet_bind_id(sqlite3_stmt *stmt, int at, const struct sp_id *id)
{
	wallet_bind(stmt, at, sp_span(id->b, sizeof(id->b)));
}

struct sp_span
wallet_column(sqlite3_stmt *stmt, int at)
{
	const void *p = sqlite3_column_blob(stmt, at);

	return sp_span(p, (size_t)sqlite3_column_bytes(stmt, at));
}

/* The columns of SHEET_COLUMNS in their order. */
enum sp_status
wallet_read_sheet(sqlite3_stmt *stmt, struct sheet_row *row)
{
	struct sp_span id = wallet_column(stmt, 1), hash = wallet_column(stmt, 2);

	if (id.n != sizeof(row->id.b) || hash.n != sizeof(row->hash.b))
		return SP_E_DATABASE;
	memcpy(row->id.b, id.p, sizeof(row->id.b));
	memcpy(row->hash.b, hash.p, sizeof(row->hash.b));
	sp_buf_add_span(&row->statement, wallet_column(stmt, 3));
	sp_buf_add_span(&row->signature, wallet_column(stmt, 4));
	sp_buf_add_span(&row->signer, wallet_column(stmt, 5));
	row->first = (uint32_t)sqlite3_column_int64(stmt, 6);
	row->count = (uint32_t)sqlite3_column_int64(stmt, 7);
	row->next = (uint32_t)sqlite3_column_int64(stmt, 8);
	row->epoch = (uint32_t)sqlite3_column_int64(stmt, 9);
	row->offline = (uint32_t)sqlite3_column_int64(stmt, 10);
	row->valid_until_ms = (uint64_t)sqlite3_column_int64(stmt, 11);
	row->closed = sqlite3_column_int(stmt, 12) != 0;
	row->reported = (uint32_t)sqlite3_column_int64(stmt, 13);
	if (wallet_column(stmt, 14).n == sizeof(row->report.b))
		memcpy(row->report.b, wallet_column(stmt, 14).p, sizeof(row->report.b));
	if (sqlite3_column_count(stmt) > 15)
		row->freed = (uint32_t)sqlite3_column_int64(stmt, 15);
	return sp_buf_status(&row->statement) == SP_OK && sp_buf_status(&row->signer) == SP_OK ? SP_OK : SP_E_NOMEM;
}

/* ---- sheets ---- */

static enum sp_status
add_run(struct sqlite3 *db, struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;
	const struct sheet_row *r = &w->sheet;
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SHEET_ADD);

	(void)db;
	wallet_bind_id(stmt, 1, &r->id);
	wallet_bind(stmt, 2, sp_span(r->hash.b, sizeof(r->hash.b)));
	wallet_bind(stmt, 3, sp_buf_span(&r->statement));
	wallet_bind(stmt, 4, sp_buf_span(&r->signature));
	wallet_bind(stmt, 5, sp_buf_span(&r->signer));
	sqlite3_bind_int64(stmt, 6, r->first);
	sqlite3_bind_int64(stmt, 7, r->count);
	sqlite3_bind_int64(stmt, 8, r->next);
	sqlite3_bind_int64(stmt, 9, r->epoch);
	sqlite3_bind_int64(stmt, 10, r->offline);
	sqlite3_bind_int64(stmt, 11, (sqlite3_int64)r->valid_until_ms);
	return sql_run(sql, SQL_SHEET_ADD, &job->why);
}

enum sp_status
store_sheet_add(struct store *s, const struct sheet_row *row, store_done_fn *fn, void *arg)
{
	struct wallet_job *w = wallet_job_new(s, add_run, arg);

	if (w != NULL) {
		w->job.step = "sheet-add";
		w->done_fn = fn;
		w->sheet = *row;
		w->sheet.statement = w->sheet.signature = w->sheet.signer = (struct sp_buf){ 0 };
		sp_buf_add_span(&w->sheet.statement, sp_buf_span(&row->statement));
		sp_buf_add_span(&w->sheet.signature, sp_buf_span(&row->signature));
		sp_buf_add_span(&w->sheet.signer, sp_buf_span(&row->signer));
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

static enum sp_status
state_run(struct sqlite3 *db, struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SHEET_STATE);

	(void)db;
	wallet_bind_id(stmt, 1, &w->sheet.id);
	sqlite3_bind_int64(stmt, 2, w->sheet.epoch);
	sqlite3_bind_int(stmt, 3, w->sheet.closed);
	sqlite3_bind_int64(stmt, 4, w->sheet.reported);
	return sql_run(sql, SQL_SHEET_STATE, &job->why);
}

enum sp_status
store_sheet_state(struct store *s, const struct sp_id *id, uint32_t epoch, bool closed, uint32_t reported,
    store_done_fn *fn, void *arg)
{
	struct wallet_job *w = wallet_job_new(s, state_run, arg);

	if (w != NULL) {
		w->job.step = "sheet-state";
		w->done_fn = fn;
		w->sheet.id = *id;
		w->sheet.epoch = epoch;
		w->sheet.closed = closed;
		w->sheet.reported = reported;
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

static enum sp_status
report_run(struct sqlite3 *db, struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SHEET_REPORT);

	(void)db;
	wallet_bind_id(stmt, 1, &w->sheet.id);
	wallet_bind_id(stmt, 2, &w->sheet.report);
	return sql_run(sql, SQL_SHEET_REPORT, &job->why);
}

enum sp_status
store_sheet_report(struct store *s, const struct sp_id *id, const struct sp_id *report, store_done_fn *fn, void *arg)
{
	struct wallet_job *w = wallet_job_new(s, report_run, arg);

	if (w != NULL) {
		w->job.step = "sheet-report";
		w->done_fn = fn;
		w->sheet.id = *id;
		w->sheet.report = *report;
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

/* All rows that a prepared question gives. */
static enum sp_status
read_sheets(struct wallet_job *w, enum sql_id id)
{
	struct sql *sql = store_sql(w->store);
	enum sp_status st;
	bool row;

	while ((st = sql_step(sql, id, &row, &w->job.why)) == SP_OK && row) {
		struct sheet_row *more = reallocarray(w->sheets, w->nsheets + 1, sizeof(*more));

		if (more == NULL) {
			sql_end(sql, id);
			return SP_E_NOMEM;
		}
		w->sheets = more;
		w->sheets[w->nsheets] = (struct sheet_row){ 0 };
		if ((st = wallet_read_sheet(sql->stmts[id], &w->sheets[w->nsheets++])) != SP_OK) {
			sql_end(sql, id);
			return st;
		}
	}
	return st;
}

static enum sp_status
sheets_run(struct sqlite3 *db, struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;

	(void)db;
	sql_begin(store_sql(w->store), SQL_SHEETS);
	return read_sheets(w, SQL_SHEETS);
}

enum sp_status
store_sheets(struct store *s, store_sheets_fn *fn, void *arg)
{
	struct wallet_job *w = wallet_job_new(s, sheets_run, arg);

	if (w != NULL)
		w->sheets_fn = fn;
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

static enum sp_status
find_run(struct sqlite3 *db, struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;
	sqlite3_stmt *stmt = sql_begin(store_sql(w->store), SQL_SHEET_FIND);

	(void)db;
	wallet_bind(stmt, 1, sp_span(w->sheet.hash.b, sizeof(w->sheet.hash.b)));
	return read_sheets(w, SQL_SHEET_FIND);
}

enum sp_status
store_sheet_find(struct store *s, const struct sp_hash *hash, store_sheets_fn *fn, void *arg)
{
	struct wallet_job *w = wallet_job_new(s, find_run, arg);

	if (w != NULL) {
		w->sheets_fn = fn;
		w->sheet.hash = *hash;
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

static enum sp_status
balance_run(struct sqlite3 *db, struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_BALANCE);
	enum sp_status st;
	bool row;

	(void)db;
	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)w->now_ms);
	if ((st = sql_step(sql, SQL_BALANCE, &row, &job->why)) != SP_OK || !row)
		return st;
	w->balance.free = (uint64_t)sqlite3_column_int64(stmt, 0);
	w->balance.reserved = (uint64_t)sqlite3_column_int64(stmt, 1);
	w->balance.spent = (uint64_t)sqlite3_column_int64(stmt, 2);
	w->balance.voided = (uint64_t)sqlite3_column_int64(stmt, 3);
	w->balance.sheets = (uint64_t)sqlite3_column_int64(stmt, 4);
	w->balance.withheld = (uint64_t)sqlite3_column_int64(stmt, 5);
	w->balance.ended = (uint64_t)sqlite3_column_int64(stmt, 6);
	sql_end(sql, SQL_BALANCE);
	return SP_OK;
}

enum sp_status
store_balance(struct store *s, uint64_t now_ms, store_balance_fn *fn, void *arg)
{
	struct wallet_job *w = wallet_job_new(s, balance_run, arg);

	if (w != NULL) {
		w->balance_fn = fn;
		w->now_ms = now_ms;
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

/* ---- as a recipient ---- */

static enum sp_status
take_one(struct wallet_job *w, uint32_t serial)
{
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_TAKEN_ADD);
	enum sp_status st;
	bool row;

	wallet_bind(stmt, 1, sp_span(w->sheet.hash.b, sizeof(w->sheet.hash.b)));
	sqlite3_bind_int64(stmt, 2, serial);
	wallet_bind_id(stmt, 3, &w->transfer);
	sqlite3_bind_text(stmt, 4, w->sender, -1, SQLITE_STATIC);
	if ((st = sql_run(sql, SQL_TAKEN_ADD, &w->job.why)) != SP_OK)
		return st;
	stmt = sql_begin(sql, SQL_TAKEN_BY);
	wallet_bind(stmt, 1, sp_span(w->sheet.hash.b, sizeof(w->sheet.hash.b)));
	sqlite3_bind_int64(stmt, 2, serial);
	if ((st = sql_step(sql, SQL_TAKEN_BY, &row, &w->job.why)) != SP_OK)
		return st;
	if (!row || !sp_span_eq(wallet_column(stmt, 0), sp_span(w->transfer.b, sizeof(w->transfer.b))) ||
	    strcmp((const char *)sqlite3_column_text(stmt, 1), w->sender) != 0)
		st = sp_fail(SP_E_SPENT, &w->job.why, "credit %u of this sheet came before, for another delivery", serial);
	sql_end(sql, SQL_TAKEN_BY);
	return st;
}

static enum sp_status
take_run(struct sqlite3 *db, struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;
	enum sp_status st = SP_OK;

	(void)db;
	for (size_t i = 0; i < w->count; i++)
		for (uint32_t n = 0; st == SP_OK && n < w->ranges[i].count; n++)
			st = take_one(w, w->ranges[i].first + n);
	return st;
}

enum sp_status
store_frank_take(struct store *s, const struct sp_hash *sheet, const struct sp_serials *ranges, size_t count,
    const struct sp_id *transfer, const char *sender, store_done_fn *fn, void *arg)
{
	struct wallet_job *w = count <= SP_FRANK_RANGES && strlen(sender) < SP_NAME_TEXT ? wallet_job_new(s, take_run, arg) : NULL;

	if (w != NULL) {
		w->job.step = "frank-take";
		w->done_fn = fn;
		w->sheet.hash = *sheet;
		memcpy(w->ranges, ranges, count * sizeof(*ranges));
		w->count = count;
		w->transfer = *transfer;
		memcpy(w->sender, sender, strlen(sender) + 1);
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}
