/*
 * wallet.c - sheets, serials and franks in SQLite. Every question and change is one job, so each is whole or not at all.
 */
#include "peerd/store/wallet.h"

#include "common/statements/tariff.h"
#include "common/wire/msg.h"
#include "common/statements/statement.h"
#include "peerd/store/store_in.h"

void
sheet_row_done(struct sheet_row *row)
{
	sp_buf_done(&row->statement);
	sp_buf_done(&row->signature);
	sp_buf_done(&row->signer);
}

/* One job for all calls; what a call does not need stays zero. */
struct wallet_job {
	struct store_job job;
	struct store *store;		/* borrowed */
	struct sheet_row sheet;		/* owned: given, or found */
	struct sheet_row *sheets;	/* owned: a list */
	size_t nsheets;
	struct sp_id transfer;
	uint64_t bytes;
	uint32_t price;
	uint64_t now_ms;
	enum serial_state state;
	struct sp_serials ranges[SP_FRANK_RANGES];
	size_t count;
	char sender[SP_NAME_TEXT];
	struct wallet_balance balance;
	store_done_fn *done_fn;
	store_sheets_fn *sheets_fn;
	store_spend_fn *spend_fn;
	store_balance_fn *balance_fn;
	void *arg;
};

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

static struct wallet_job *
job_new(struct store *s, enum sp_status (*run)(struct sqlite3 *, struct store_job *), void *arg)
{
	struct wallet_job *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->job = (struct store_job){ .run = run, .done = job_done, .dropped = job_free };
	w->store = s;
	w->arg = arg;
	return w;
}

static void
bind_blob(sqlite3_stmt *stmt, int at, struct sp_span bytes)
{
	sqlite3_bind_blob(stmt, at, bytes.n > 0 ? (const void *)bytes.p : "", (int)bytes.n, SQLITE_TRANSIENT);
}

static void
bind_id(sqlite3_stmt *stmt, int at, const struct sp_id *id)
{
	bind_blob(stmt, at, sp_span(id->b, sizeof(id->b)));
}

static struct sp_span
column_blob(sqlite3_stmt *stmt, int at)
{
	const void *p = sqlite3_column_blob(stmt, at);

	return sp_span(p, (size_t)sqlite3_column_bytes(stmt, at));
}

/* The columns of SHEET_COLUMNS in their order. */
static enum sp_status
read_sheet(sqlite3_stmt *stmt, struct sheet_row *row)
{
	struct sp_span id = column_blob(stmt, 1), hash = column_blob(stmt, 2);

	if (id.n != sizeof(row->id.b) || hash.n != sizeof(row->hash.b))
		return SP_E_DATABASE;
	memcpy(row->id.b, id.p, sizeof(row->id.b));
	memcpy(row->hash.b, hash.p, sizeof(row->hash.b));
	sp_buf_add_span(&row->statement, column_blob(stmt, 3));
	sp_buf_add_span(&row->signature, column_blob(stmt, 4));
	sp_buf_add_span(&row->signer, column_blob(stmt, 5));
	row->first = (uint32_t)sqlite3_column_int64(stmt, 6);
	row->count = (uint32_t)sqlite3_column_int64(stmt, 7);
	row->next = (uint32_t)sqlite3_column_int64(stmt, 8);
	row->epoch = (uint32_t)sqlite3_column_int64(stmt, 9);
	row->offline = (uint32_t)sqlite3_column_int64(stmt, 10);
	row->valid_until_ms = (uint64_t)sqlite3_column_int64(stmt, 11);
	row->closed = sqlite3_column_int(stmt, 12) != 0;
	row->reported = (uint32_t)sqlite3_column_int64(stmt, 13);
	if (column_blob(stmt, 14).n == sizeof(row->report.b))
		memcpy(row->report.b, column_blob(stmt, 14).p, sizeof(row->report.b));
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
	bind_id(stmt, 1, &r->id);
	bind_blob(stmt, 2, sp_span(r->hash.b, sizeof(r->hash.b)));
	bind_blob(stmt, 3, sp_buf_span(&r->statement));
	bind_blob(stmt, 4, sp_buf_span(&r->signature));
	bind_blob(stmt, 5, sp_buf_span(&r->signer));
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
	struct wallet_job *w = job_new(s, add_run, arg);

	if (w != NULL) {
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
	bind_id(stmt, 1, &w->sheet.id);
	sqlite3_bind_int64(stmt, 2, w->sheet.epoch);
	sqlite3_bind_int(stmt, 3, w->sheet.closed);
	sqlite3_bind_int64(stmt, 4, w->sheet.reported);
	return sql_run(sql, SQL_SHEET_STATE, &job->why);
}

enum sp_status
store_sheet_state(struct store *s, const struct sp_id *id, uint32_t epoch, bool closed, uint32_t reported,
    store_done_fn *fn, void *arg)
{
	struct wallet_job *w = job_new(s, state_run, arg);

	if (w != NULL) {
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
	bind_id(stmt, 1, &w->sheet.id);
	bind_id(stmt, 2, &w->sheet.report);
	return sql_run(sql, SQL_SHEET_REPORT, &job->why);
}

enum sp_status
store_sheet_report(struct store *s, const struct sp_id *id, const struct sp_id *report, store_done_fn *fn, void *arg)
{
	struct wallet_job *w = job_new(s, report_run, arg);

	if (w != NULL) {
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
		if ((st = read_sheet(sql->stmts[id], &w->sheets[w->nsheets++])) != SP_OK) {
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
	struct wallet_job *w = job_new(s, sheets_run, arg);

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
	bind_blob(stmt, 1, sp_span(w->sheet.hash.b, sizeof(w->sheet.hash.b)));
	return read_sheets(w, SQL_SHEET_FIND);
}

enum sp_status
store_sheet_find(struct store *s, const struct sp_hash *hash, store_sheets_fn *fn, void *arg)
{
	struct wallet_job *w = job_new(s, find_run, arg);

	if (w != NULL) {
		w->sheets_fn = fn;
		w->sheet.hash = *hash;
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

/* ---- serials ---- */

/* What the transfer has already, with its sheet's number. */
static enum sp_status
serials_of(struct wallet_job *w, sqlite3_int64 *ret_sheet)
{
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SERIALS_OF);
	enum sp_status st;
	bool row;

	bind_id(stmt, 1, &w->transfer);
	while ((st = sql_step(sql, SQL_SERIALS_OF, &row, &w->job.why)) == SP_OK && row) {
		if (w->count == SP_FRANK_RANGES) {
			sql_end(sql, SQL_SERIALS_OF);
			return SP_E_DATABASE;
		}
		*ret_sheet = sqlite3_column_int64(stmt, 0);
		w->ranges[w->count].first = (uint32_t)sqlite3_column_int64(stmt, 1);
		w->ranges[w->count++].count = (uint32_t)sqlite3_column_int64(stmt, 2);
	}
	return st;
}

static enum sp_status
add_range(struct wallet_job *w, sqlite3_int64 sheet, uint32_t first, uint32_t count)
{
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SERIALS_ADD);

	bind_id(stmt, 1, &w->transfer);
	sqlite3_bind_int64(stmt, 2, sheet);
	sqlite3_bind_int64(stmt, 3, first);
	sqlite3_bind_int64(stmt, 4, count);
	w->ranges[w->count].first = first;
	w->ranges[w->count++].count = count;
	return sql_run(sql, SQL_SERIALS_ADD, &w->job.why);
}

/* What a delivery would take from one sheet. */
struct offer_of_sheet {
	sqlite3_int64 sheet, freed;		/* freed: row of serials that are free again, 0 = from the untouched end */
	uint32_t first, count;			/* of the row or the end */
};

/* By the sheet's own tariff. */
static enum sp_status
price_at(struct sp_span statement, uint64_t bytes, uint32_t *ret_price)
{
	struct sp_stmt_sheet sheet;
	struct sp_tariff tariff;

	if (sp_statement_read(SP_STMT_SHEET, statement, &sheet, NULL) != SP_OK ||
	    sp_tariff_parse(sheet.tariff, &tariff) != SP_OK)
		return SP_E_DATABASE;
	*ret_price = sp_tariff_price(&tariff, bytes);
	return SP_OK;
}

/* Serials that came back free (their transfer failed before a frank was made) are used again first. */
static enum sp_status
look_at_freed(struct wallet_job *w, struct offer_of_sheet *o, uint32_t price)
{
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_FREED_WITH);
	enum sp_status st;
	bool row;

	sqlite3_bind_int64(stmt, 1, price);
	sqlite3_bind_int64(stmt, 2, o->sheet);
	if ((st = sql_step(sql, SQL_FREED_WITH, &row, &w->job.why)) != SP_OK || !row)
		return st;
	o->freed = sqlite3_column_int64(stmt, 0);
	o->first = (uint32_t)sqlite3_column_int64(stmt, 1);
	o->count = (uint32_t)sqlite3_column_int64(stmt, 2);
	sql_end(sql, SQL_FREED_WITH);
	return SP_OK;
}

/* The oldest sheet that has enough for its price: *ret is zeroes if there is none. */
static enum sp_status
choose_sheet(struct wallet_job *w, struct offer_of_sheet *ret)
{
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SHEETS_OPEN);
	struct offer_of_sheet o = { 0 };
	enum sp_status st;
	bool row = false, withheld = false;

	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)w->now_ms);
	while ((st = sql_step(sql, SQL_SHEETS_OPEN, &row, &w->job.why)) == SP_OK && row) {
		o = (struct offer_of_sheet){ .sheet = sqlite3_column_int64(stmt, 0),
			.first = (uint32_t)sqlite3_column_int64(stmt, 1), .count = (uint32_t)sqlite3_column_int64(stmt, 2) };
		st = price_at(column_blob(stmt, 3), w->bytes, &w->price);
		if (st == SP_OK)
			st = look_at_freed(w, &o, w->price);
		if (st != SP_OK || o.count >= w->price)
			break;
		withheld = withheld || (uint64_t)sqlite3_column_int64(stmt, 4) >= w->price;
	}
	if (row)
		sql_end(sql, SQL_SHEETS_OPEN);
	if (st == SP_OK && row)
		*ret = o;
	else if (st == SP_OK && withheld)
		st = sp_fail(SP_E_CREDITS, &w->job.why, "creditd must be reached before more can be spent");
	else if (st == SP_OK)
		st = w->price > 0 ? sp_fail(SP_E_CREDITS, &w->job.why, "this costs %u credits, and no sheet has so many left",
		    w->price) : sp_fail(SP_E_CREDITS, &w->job.why, "there are no credits");
	return st;
}

static enum sp_status
reserve_new(struct wallet_job *w, sqlite3_int64 *ret_sheet)
{
	struct sql *sql = store_sql(w->store);
	struct offer_of_sheet o = { 0 };
	sqlite3_stmt *stmt;
	enum sp_status st = choose_sheet(w, &o);

	if (st != SP_OK)
		return st;
	*ret_sheet = o.sheet;
	if (w->price == 0)
		return SP_OK;
	stmt = sql_begin(sql, o.freed != 0 ? SQL_FREED_TAKE : SQL_SHEET_NEXT);
	sqlite3_bind_int64(stmt, 1, o.freed != 0 ? o.freed : o.sheet);
	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)o.first + w->price);
	if (o.freed != 0)
		sqlite3_bind_int64(stmt, 3, (sqlite3_int64)o.count - w->price);
	if ((st = sql_run(sql, o.freed != 0 ? SQL_FREED_TAKE : SQL_SHEET_NEXT, &w->job.why)) != SP_OK ||
	    (st = sql_run((sql_begin(sql, SQL_FREED_EMPTY), sql), SQL_FREED_EMPTY, &w->job.why)) != SP_OK)
		return st;
	return add_range(w, o.sheet, o.first, w->price);
}

static enum sp_status
reserve_run(struct sqlite3 *db, struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;
	struct sql *sql = store_sql(w->store);
	sqlite3_int64 sheet = 0;
	sqlite3_stmt *stmt;
	enum sp_status st = serials_of(w, &sheet);
	bool row = false;

	(void)db;
	if (st == SP_OK && w->count == 0)
		st = reserve_new(w, &sheet);
	if (st != SP_OK)
		return st;
	stmt = sql_begin(sql, SQL_SHEET_BY_NUMBER);
	sqlite3_bind_int64(stmt, 1, sheet);
	if ((st = sql_step(sql, SQL_SHEET_BY_NUMBER, &row, &job->why)) != SP_OK)
		return st;
	st = row ? read_sheet(stmt, &w->sheet) : SP_E_DATABASE;
	sql_end(sql, SQL_SHEET_BY_NUMBER);
	return st;
}

enum sp_status
store_serials_reserve(struct store *s, const struct sp_id *transfer, uint64_t bytes, uint64_t now_ms,
    store_spend_fn *fn, void *arg)
{
	struct wallet_job *w = job_new(s, reserve_run, arg);

	if (w != NULL) {
		w->spend_fn = fn;
		w->transfer = *transfer;
		w->bytes = bytes;
		w->now_ms = now_ms;
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

static enum sp_status
mark_run(struct sqlite3 *db, struct store_job *job)
{
	static const enum sql_id changes[][2] = {
		[SERIAL_RESERVED] = { SQL_COUNT, SQL_COUNT },
		[SERIAL_FRANKED] = { SQL_SERIALS_FRANKED, SQL_COUNT },
		[SERIAL_SPENT] = { SQL_SERIALS_SPENT, SQL_COUNT },
		[SERIAL_VOID] = { SQL_SERIALS_VOID, SQL_SERIALS_FREE },
	};
	struct wallet_job *w = (struct wallet_job *)job;
	struct sql *sql = store_sql(w->store);
	enum sp_status st = SP_OK;

	(void)db;
	for (size_t i = 0; st == SP_OK && i < 2 && changes[w->state][i] != SQL_COUNT; i++) {
		bind_id(sql_begin(sql, changes[w->state][i]), 1, &w->transfer);
		st = sql_run(sql, changes[w->state][i], &job->why);
	}
	return st;
}

enum sp_status
store_serials_mark(struct store *s, const struct sp_id *transfer, enum serial_state state, store_done_fn *fn, void *arg)
{
	struct wallet_job *w = job_new(s, mark_run, arg);

	if (w != NULL) {
		w->done_fn = fn;
		w->transfer = *transfer;
		w->state = state;
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
	sql_end(sql, SQL_BALANCE);
	return SP_OK;
}

enum sp_status
store_balance(struct store *s, uint64_t now_ms, store_balance_fn *fn, void *arg)
{
	struct wallet_job *w = job_new(s, balance_run, arg);

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

	bind_blob(stmt, 1, sp_span(w->sheet.hash.b, sizeof(w->sheet.hash.b)));
	sqlite3_bind_int64(stmt, 2, serial);
	bind_id(stmt, 3, &w->transfer);
	sqlite3_bind_text(stmt, 4, w->sender, -1, SQLITE_STATIC);
	if ((st = sql_run(sql, SQL_TAKEN_ADD, &w->job.why)) != SP_OK)
		return st;
	stmt = sql_begin(sql, SQL_TAKEN_BY);
	bind_blob(stmt, 1, sp_span(w->sheet.hash.b, sizeof(w->sheet.hash.b)));
	sqlite3_bind_int64(stmt, 2, serial);
	if ((st = sql_step(sql, SQL_TAKEN_BY, &row, &w->job.why)) != SP_OK)
		return st;
	if (!row || !sp_span_eq(column_blob(stmt, 0), sp_span(w->transfer.b, sizeof(w->transfer.b))) ||
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
	struct wallet_job *w = count <= SP_FRANK_RANGES && strlen(sender) < SP_NAME_TEXT ? job_new(s, take_run, arg) : NULL;

	if (w != NULL) {
		w->done_fn = fn;
		w->sheet.hash = *sheet;
		memcpy(w->ranges, ranges, count * sizeof(*ranges));
		w->count = count;
		w->transfer = *transfer;
		memcpy(w->sender, sender, strlen(sender) + 1);
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}
