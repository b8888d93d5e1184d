/*
 * book.c - entries of the destination book and known stations to and from the database.
 */
#include "peerd/store/book.h"

#include "peerd/store/columns.h"
#include "peerd/store/store_in.h"

/* ---- changes ---- */
struct change_job {
	struct store_job job;
	struct store *store;			/* borrowed */
	enum sql_id statement;
	const struct columns *columns;		/* NULL: remove by name */
	union {
		struct book_row entry;
		struct station_row station;	/* cert owned */
		char name[SP_NAME_TEXT];
	} row;
	store_done_fn *fn;
	void *arg;
};

static void
change_free(struct store_job *job)
{
	struct change_job *c = (struct change_job *)job;

	if (c->columns != NULL)
		columns_clear(c->columns, &c->row);
	free(c);
}

static enum sp_status
change_run(struct sqlite3 *db, struct store_job *job)
{
	struct change_job *c = (struct change_job *)job;
	struct sql *sql = store_sql(c->store);
	sqlite3_stmt *stmt = sql_begin(sql, c->statement);
	enum sp_status st;

	(void)db;
	if (c->columns == NULL)
		sqlite3_bind_text(stmt, 1, c->row.name, -1, SQLITE_STATIC);
	else if ((st = columns_bind(c->columns, stmt, &c->row)) != SP_OK)
		return st;
	return sql_run(sql, c->statement, &job->why);
}

static void
change_done(struct store_job *job)
{
	struct change_job *c = (struct change_job *)job;

	if (c->fn != NULL)
		c->fn(c->arg, job->status, &job->why);
	change_free(job);
}

static struct change_job *
change_new(struct store *s, enum sql_id statement, store_done_fn *fn, void *arg)
{
	struct change_job *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->job = (struct store_job){ .run = change_run, .done = change_done, .dropped = change_free,
		.step = "book" };
	c->store = s;
	c->statement = statement;
	c->fn = fn;
	c->arg = arg;
	return c;
}

static enum sp_status
put(struct store *s, enum sql_id statement, const struct columns *cols, const void *row, store_done_fn *fn, void *arg)
{
	struct change_job *c = change_new(s, statement, fn, arg);

	if (c == NULL)
		return SP_E_NOMEM;
	if (columns_copy(cols, row, &c->row) != SP_OK) {
		change_free(&c->job);
		return SP_E_NOMEM;
	}
	c->columns = cols;
	return store_submit_take(s, &c->job);
}

enum sp_status
store_book_put(struct store *s, const struct book_row *entry, store_done_fn *fn, void *arg)
{
	return put(s, SQL_BOOK_PUT, &book_columns, entry, fn, arg);
}

enum sp_status
store_station_put(struct store *s, const struct station_row *row, store_done_fn *fn, void *arg)
{
	return put(s, SQL_STATION_PUT, &station_columns, row, fn, arg);
}

enum sp_status
store_book_remove(struct store *s, const char *name, store_done_fn *fn, void *arg)
{
	struct change_job *c;

	if (strlen(name) >= sizeof(c->row.name))
		return SP_E_FORMAT;
	if ((c = change_new(s, SQL_BOOK_REMOVE, fn, arg)) == NULL)
		return SP_E_NOMEM;
	strcpy(c->row.name, name);
	return store_submit_take(s, &c->job);
}

/* ---- everything, at start ---- */
struct table {
	const struct columns *columns;
	size_t size;		/* of a row */
	uint8_t *rows;		/* owned */
	size_t count, room;
};

struct load_job {
	struct store_job job;
	struct store *store;	/* borrowed */
	struct table entries, stations;
	store_book_fn *fn;
	void *arg;
};

static void
table_done(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		columns_clear(t->columns, t->rows + i * t->size);
	free(t->rows);
}

static void
load_free(struct store_job *job)
{
	struct load_job *l = (struct load_job *)job;

	table_done(&l->entries);
	table_done(&l->stations);
	free(l);
}

static enum sp_status
table_add(struct table *t, sqlite3_stmt *stmt)
{
	enum sp_status st;

	if (t->count == t->room) {
		size_t room = t->room == 0 ? 16 : 2 * t->room;
		uint8_t *rows = reallocarray(t->rows, room, t->size);

		if (rows == NULL)
			return SP_E_NOMEM;
		t->rows = rows;
		t->room = room;
	}
	memset(t->rows + t->count * t->size, 0, t->size);
	if ((st = columns_read(t->columns, stmt, 1, t->rows + t->count * t->size)) == SP_OK)
		t->count++;
	return st;
}

static enum sp_status
table_load(struct sql *sql, enum sql_id id, struct table *t, struct sp_why *why)
{
	sqlite3_stmt *stmt = sql_begin(sql, id);
	enum sp_status st;
	bool row;

	while ((st = sql_step(sql, id, &row, why)) == SP_OK && row)
		if ((st = table_add(t, stmt)) != SP_OK)
			break;
	sql_end(sql, id);
	return st;
}

static enum sp_status
load_run(struct sqlite3 *db, struct store_job *job)
{
	struct load_job *l = (struct load_job *)job;
	struct sql *sql = store_sql(l->store);
	enum sp_status st;

	(void)db;
	if ((st = table_load(sql, SQL_BOOK_ALL, &l->entries, &job->why)) != SP_OK)
		return st;
	return table_load(sql, SQL_STATION_ALL, &l->stations, &job->why);
}

static void
load_done(struct store_job *job)
{
	struct load_job *l = (struct load_job *)job;

	if (job->status == SP_OK)
		l->fn(l->arg, SP_OK, (const struct book_row *)(const void *)l->entries.rows, l->entries.count,
		    (const struct station_row *)(const void *)l->stations.rows, l->stations.count);
	else
		l->fn(l->arg, job->status, NULL, 0, NULL, 0);
	load_free(job);
}

enum sp_status
store_book_load(struct store *s, store_book_fn *fn, void *arg)
{
	struct load_job *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return SP_E_NOMEM;
	l->job = (struct store_job){ .run = load_run, .done = load_done, .dropped = load_free };
	l->store = s;
	l->entries = (struct table){ .columns = &book_columns, .size = sizeof(struct book_row) };
	l->stations = (struct table){ .columns = &station_columns, .size = sizeof(struct station_row) };
	l->fn = fn;
	l->arg = arg;
	return store_submit_take(s, &l->job);
}
