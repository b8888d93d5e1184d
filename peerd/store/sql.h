/*
 * sql.h - inside peerd/store: the connection, its prepared statements, and SQLite's results as statuses.
 */
#ifndef PEERD_STORE_SQL_H
#define PEERD_STORE_SQL_H

#include <sqlite3.h>

#include "common/base/span.h"
#include "common/base/status.h"

enum sql_id {
#define SQL(NAME, text) SQL_##NAME,
#include "peerd/store/sql.def"
#undef SQL
	SQL_COUNT
};

/* One connection; one thread at a time. */
struct sql {
	sqlite3 *db;			/* owned */
	sqlite3_stmt *stmts[SQL_COUNT];	/* owned */
};

/* Opens or makes the file (0600), migrates it, prepares all statements. On failure sql is closed. */
SP_MUST_CHECK enum sp_status sql_open(struct sql *sql, const char *path, struct sp_why *why);
void sql_close(struct sql *sql);

/* A statement ready to be bound. */
sqlite3_stmt *sql_begin(struct sql *sql, enum sql_id id);

/* The next row, or none. After none and after a failure the statement is reset. */
SP_MUST_CHECK enum sp_status sql_step(struct sql *sql, enum sql_id id, bool *ret_row, struct sp_why *why);

/* Runs a statement that gives no row that matters to its end. */
SP_MUST_CHECK enum sp_status sql_run(struct sql *sql, enum sql_id id, struct sp_why *why);

/* Resets the statement and lets go of what was bound. */
void sql_end(struct sql *sql, enum sql_id id);

/* What the connection's last failure means. */
enum sp_status sql_status(const struct sql *sql, struct sp_why *why);

#endif
