/*
 * serials.c - which serials a transfer gets, and what becomes of them.
 */
#include "common/statements/statement.h"
#include "common/statements/tariff.h"
#include "common/wire/msg.h"
#include "peerd/store/wallet_in.h"

/* What the transfer has already, with its sheet's number. */
static enum sp_status
serials_of(struct wallet_job *w, sqlite3_int64 *ret_sheet)
{
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SERIALS_OF);
	enum sp_status st;
	bool row;

	wallet_bind_id(stmt, 1, &w->transfer);
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

/* Serials that touch and that nobody uses: a row of them, or (row 0) the end of a sheet that was never touched. */
struct piece {
	sqlite3_int64 row;
	struct sp_serials serials;
};

/* Where a delivery's serials can come from. */
struct choice {
	sqlite3_int64 sheet;
	struct piece pieces[SP_FRANK_RANGES];
	size_t count;
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

/* As many pieces of the sheet as the price takes; *ret_enough: they are enough. What came back free is used again first. */
static enum sp_status
look_at_sheet(struct wallet_job *w, struct choice *c, bool *ret_enough)
{
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SERIALS_UNUSED);
	uint64_t sum = 0;
	enum sp_status st = SP_OK;
	bool row = false;

	c->count = 0;
	sqlite3_bind_int64(stmt, 1, c->sheet);
	sqlite3_bind_int64(stmt, 2, w->price);
	while (sum < w->price && c->count < SP_FRANK_RANGES &&
	    (st = sql_step(sql, SQL_SERIALS_UNUSED, &row, &w->job.why)) == SP_OK && row) {
		struct piece *p = &c->pieces[c->count++];

		p->row = sqlite3_column_int64(stmt, 0);
		p->serials.first = (uint32_t)sqlite3_column_int64(stmt, 1);
		p->serials.count = (uint32_t)sqlite3_column_int64(stmt, 2);
		sum += p->serials.count;
	}
	if (st == SP_OK)
		sql_end(sql, SQL_SERIALS_UNUSED);
	*ret_enough = sum >= w->price;
	return st;
}

/* The oldest sheet that has enough for its price. */
static enum sp_status
choose_sheet(struct wallet_job *w, struct choice *ret)
{
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SHEETS_OPEN);
	enum sp_status st;
	bool row = false, enough = false, withheld = false;

	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)w->now_ms);
	while ((st = sql_step(sql, SQL_SHEETS_OPEN, &row, &w->job.why)) == SP_OK && row) {
		ret->sheet = sqlite3_column_int64(stmt, 0);
		if ((st = price_at(wallet_column(stmt, 1), w->bytes, &w->price)) != SP_OK ||
		    (st = look_at_sheet(w, ret, &enough)) != SP_OK || enough)
			break;
		withheld = withheld || sqlite3_column_int64(stmt, 2) >= (sqlite3_int64)w->price;
	}
	if (row)
		sql_end(sql, SQL_SHEETS_OPEN);
	if (st != SP_OK || enough)
		return st;
	if (withheld)
		return sp_fail(SP_E_CREDITS, &w->job.why, "creditd must be reached before more can be spent");
	return w->price > 0 ? sp_fail(SP_E_CREDITS, &w->job.why, "this costs %u credits, and no sheet has so many left",
	    w->price) : sp_fail(SP_E_CREDITS, &w->job.why, "there are no credits");
}

/* The first n serials of a piece are used from now on. */
static enum sp_status
take_piece(struct wallet_job *w, sqlite3_int64 sheet, const struct piece *p, uint32_t n)
{
	enum sql_id change = p->row == 0 ? SQL_SHEET_NEXT : SQL_FREED_TAKE;
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, change);

	sqlite3_bind_int64(stmt, 1, p->row == 0 ? sheet : p->row);
	sqlite3_bind_int64(stmt, 2, n);
	return sql_run(sql, change, &w->job.why);
}

/* In ascending order, none touching the next, as a frank names them. */
static void
enter_range(struct wallet_job *w, struct sp_serials r)
{
	size_t at = w->count;

	while (at > 0 && w->ranges[at - 1].first > r.first)
		at--;
	memmove(w->ranges + at + 1, w->ranges + at, (w->count++ - at) * sizeof(r));
	w->ranges[at] = r;
	for (size_t i = 1; i < w->count;) {
		if (w->ranges[i - 1].first + w->ranges[i - 1].count != w->ranges[i].first) {
			i++;
			continue;
		}
		w->ranges[i - 1].count += w->ranges[i].count;
		w->count--;
		memmove(w->ranges + i, w->ranges + i + 1, (w->count - i) * sizeof(r));
	}
}

static enum sp_status
add_ranges(struct wallet_job *w, sqlite3_int64 sheet)
{
	struct sql *sql = store_sql(w->store);
	enum sp_status st = SP_OK;

	for (size_t i = 0; st == SP_OK && i < w->count; i++) {
		sqlite3_stmt *stmt = sql_begin(sql, SQL_SERIALS_ADD);

		wallet_bind_id(stmt, 1, &w->transfer);
		sqlite3_bind_int64(stmt, 2, sheet);
		sqlite3_bind_int64(stmt, 3, w->ranges[i].first);
		sqlite3_bind_int64(stmt, 4, w->ranges[i].count);
		st = sql_run(sql, SQL_SERIALS_ADD, &w->job.why);
	}
	return st;
}

static enum sp_status
reserve_new(struct wallet_job *w, sqlite3_int64 *ret_sheet)
{
	struct sql *sql = store_sql(w->store);
	struct choice c = { .count = 0 };
	enum sp_status st = choose_sheet(w, &c);
	uint32_t left = w->price;

	for (size_t i = 0; st == SP_OK && i < c.count; i++) {
		struct sp_serials all = c.pieces[i].serials, taken = { all.first, all.count < left ? all.count : left };

		if ((st = take_piece(w, c.sheet, &c.pieces[i], taken.count)) == SP_OK)
			enter_range(w, taken);
		left -= taken.count;
	}
	if (st != SP_OK)
		return st;
	*ret_sheet = c.sheet;
	sql_begin(sql, SQL_FREED_EMPTY);
	if ((st = sql_run(sql, SQL_FREED_EMPTY, &w->job.why)) != SP_OK)
		return st;
	return add_ranges(w, c.sheet);
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
	st = row ? wallet_read_sheet(stmt, &w->sheet) : SP_E_DATABASE;
	sql_end(sql, SQL_SHEET_BY_NUMBER);
	return st;
}

enum sp_status
store_serials_reserve(struct store *s, const struct sp_id *transfer, uint64_t bytes, uint64_t now_ms,
    store_spend_fn *fn, void *arg)
{
	struct wallet_job *w = wallet_job_new(s, reserve_run, arg);

	if (w != NULL) {
		w->job.step = "serials-reserve";
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
		wallet_bind_id(sql_begin(sql, changes[w->state][i]), 1, &w->transfer);
		st = sql_run(sql, changes[w->state][i], &job->why);
	}
	return st;
}

enum sp_status
store_serials_mark(struct store *s, const struct sp_id *transfer, enum serial_state state, store_done_fn *fn, void *arg)
{
	static const char *const steps[] = { [SERIAL_FRANKED] = "serials-franked", [SERIAL_SPENT] = "serials-spent",
		[SERIAL_VOID] = "serials-void" };
	struct wallet_job *w = wallet_job_new(s, mark_run, arg);

	if (w != NULL) {
		w->job.step = steps[state];
		w->done_fn = fn;
		w->transfer = *transfer;
		w->state = state;
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

/* What a closed or ended sheet still held is with the account again. */
static enum sp_status
again_run(struct sqlite3 *db, struct store_job *job)
{
	struct wallet_job *w = (struct wallet_job *)job;
	struct sql *sql = store_sql(w->store);
	sqlite3_stmt *stmt = sql_begin(sql, SQL_SERIALS_GONE);
	enum sp_status st;
	bool row = false;

	(void)db;
	wallet_bind_id(stmt, 1, &w->transfer);
	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)w->now_ms);
	if ((st = sql_step(sql, SQL_SERIALS_GONE, &row, &job->why)) != SP_OK)
		return st;
	if (row) {
		sql_end(sql, SQL_SERIALS_GONE);
		return sp_fail(SP_E_STATE, &job->why, "the sheet of credits that it was paid from has ended: send it anew");
	}
	wallet_bind_id(sql_begin(sql, SQL_SERIALS_AGAIN), 1, &w->transfer);
	return sql_run(sql, SQL_SERIALS_AGAIN, &job->why);
}

enum sp_status
store_serials_again(struct store *s, const struct sp_id *transfer, uint64_t now_ms, store_done_fn *fn, void *arg)
{
	struct wallet_job *w = wallet_job_new(s, again_run, arg);

	if (w != NULL) {
		w->done_fn = fn;
		w->transfer = *transfer;
		w->job.step = "serials-again";
		w->now_ms = now_ms;
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}

static enum sp_status
mend_run(struct sqlite3 *db, struct store_job *job)
{
	static const enum sql_id changes[] = { SQL_MEND_SPENT, SQL_MEND_VOID, SQL_MEND_FREE };
	struct sql *sql = store_sql(((struct wallet_job *)job)->store);
	enum sp_status st = SP_OK;

	(void)db;
	for (size_t i = 0; st == SP_OK && i < sizeof(changes) / sizeof(changes[0]); i++) {
		sql_begin(sql, changes[i]);
		st = sql_run(sql, changes[i], &job->why);
	}
	return st;
}

enum sp_status
store_serials_mend(struct store *s, store_done_fn *fn, void *arg)
{
	struct wallet_job *w = wallet_job_new(s, mend_run, arg);

	if (w != NULL) {
		w->job.step = "serials-mend";
		w->done_fn = fn;
	}
	return store_submit_take(s, w != NULL ? &w->job : NULL);
}
