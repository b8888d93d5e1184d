/*
 * sql.c - opens the database so that a commit that returned survives a power cut, and steps prepared statements.
 */
#include "peerd/store/sql.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/auto.h"
#include "peerd/store/schema.h"
#include "peerd/store/tables.h"

static const char *const texts[SQL_COUNT] = {
#define SQL(NAME, text) [SQL_##NAME] = text,
#include "peerd/store/sql.def"
#undef SQL
};

static const char *const pragmas[] = {
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = FULL",
	"PRAGMA foreign_keys = ON",
	"PRAGMA trusted_schema = OFF",
	"PRAGMA temp_store = MEMORY",
};

/* Made before SQLite sees it, so that nobody else can read it (its -wal and -shm take its mode). */
static enum sp_status
make_file(const char *path, struct sp_why *why)
{
	SP_AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return sp_fail_errno(SP_E_DATABASE, why, "the database %s cannot be opened", path);
	if (fchmod(fd, 0600) != 0)
		return sp_fail_errno(SP_E_DATABASE, why, "the database %s cannot be made private", path);
	return SP_OK;
}

static enum sp_status
prepare_all(struct sql *sql, struct sp_why *why)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(sql->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &sql->stmts[i],
		    NULL) != SQLITE_OK)
			return sp_fail(SP_E_DATABASE, why, "the database is not of the form it says it is: %s",
			    sqlite3_errmsg(sql->db));
	return SP_OK;
}

static enum sp_status
set_up(struct sql *sql, const char *path, struct sp_why *why)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	enum sp_status st;

	if ((st = make_file(path, why)) != SP_OK)
		return st;
	if (sqlite3_open_v2(path, &sql->db, flags, NULL) != SQLITE_OK)
		return sp_fail(SP_E_DATABASE, why, "the database %s cannot be opened: %s", path,
		    sqlite3_errmsg(sql->db));
	sqlite3_busy_timeout(sql->db, 5000);
	for (size_t i = 0; i < sizeof(pragmas) / sizeof(pragmas[0]); i++)
		if (sqlite3_exec(sql->db, pragmas[i], NULL, NULL, NULL) != SQLITE_OK)
			return sp_fail(SP_E_DATABASE, why, "the database %s cannot be used: %s", path,
			    sqlite3_errmsg(sql->db));
	if ((st = schema_migrate(sql->db, why)) != SP_OK)
		return st;
	return prepare_all(sql, why);
}

enum sp_status
sql_open(struct sql *sql, const char *path, struct sp_why *why)
{
	enum sp_status st;

	*sql = (struct sql){ 0 };
	if ((st = set_up(sql, path, why)) != SP_OK)
		sql_close(sql);
	return st;
}

void
sql_close(struct sql *sql)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(sql->stmts[i]);
	sqlite3_close(sql->db);
	*sql = (struct sql){ 0 };
}

sqlite3_stmt *
sql_begin(struct sql *sql, enum sql_id id)
{
	sql_end(sql, id);
	return sql->stmts[id];
}

void
sql_end(struct sql *sql, enum sql_id id)
{
	sqlite3_reset(sql->stmts[id]);
	sqlite3_clear_bindings(sql->stmts[id]);
}

enum sp_status
sql_status(const struct sql *sql, struct sp_why *why)
{
	const char *words = sqlite3_errmsg(sql->db);

	switch (sqlite3_errcode(sql->db) & 0xff) {
	case SQLITE_FULL:
		return sp_fail(SP_E_SPACE, why, "the database cannot grow: %s", words);
	case SQLITE_NOMEM:
		return sp_fail(SP_E_NOMEM, why, "out of memory in the database");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return sp_fail(SP_E_BUSY, why, "another program uses the database: %s", words);
	case SQLITE_IOERR:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		return sp_fail(SP_E_IO, why, "the database cannot be read or written: %s", words);
	case SQLITE_CONSTRAINT:
		return sp_fail(SP_E_CONFLICT, why, "the database refused it: %s", words);
	case SQLITE_TOOBIG:
		return sp_fail(SP_E_LIMIT, why, "too large for the database");
	default:
		return sp_fail(SP_E_DATABASE, why, "the database failed: %s", words);
	}
}

enum sp_status
sql_step(struct sql *sql, enum sql_id id, bool *ret_row, struct sp_why *why)
{
	enum sp_status st = SP_OK;
	int rc = sqlite3_step(sql->stmts[id]);

	*ret_row = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW)
		return SP_OK;
	if (rc != SQLITE_DONE)
		st = sql_status(sql, why);
	sql_end(sql, id);
	return st;
}

enum sp_status
sql_run(struct sql *sql, enum sql_id id, struct sp_why *why)
{
	enum sp_status st;
	bool row;

	do
		st = sql_step(sql, id, &row, why);
	while (st == SP_OK && row);
	return st;
}
