/*
 * schema.c - a step a version; PRAGMA user_version says which were done. Steps are never changed after a release: a
 * new column gets a new version in tables.h and an "ALTER TABLE … ADD COLUMN" step here.
 */
#include "peerd/store/schema.h"

#include <sqlite3.h>
#include <stdio.h>

#include "peerd/store/tables.h"

#define APPLICATION 0x5365616c	/* "Seal" */

#define TYPE_ID "BLOB NOT NULL"
#define TYPE_INT "INTEGER NOT NULL DEFAULT 0"
#define TYPE_BOOL TYPE_INT
#define TYPE_U8 TYPE_INT
#define TYPE_U32 TYPE_INT
#define TYPE_U64 TYPE_INT
#define TYPE_KEY "TEXT NOT NULL DEFAULT ''"
#define TYPE_CHARS TYPE_KEY
#define TYPE_TEXT "TEXT"
#define TYPE_BYTES "BLOB"
#define TYPE_HASH "BLOB"

#define IN_V1(text) text
#define IN_V3(text)
#define IN_V4(text)
#define CREATE(version, member, kind) IN_##version(", " #member " " TYPE_##kind)

static const char *const steps[] = {
	/* 1 */
	"CREATE TABLE event (number INTEGER PRIMARY KEY"
	EVENT_COLUMNS(CREATE)
	", UNIQUE (id, kind, peer)) STRICT;"
	"CREATE INDEX event_created ON event (created_ms);"
	"CREATE INDEX event_kind ON event (kind, created_ms);"
	"CREATE INDEX event_pending ON event (created_ms) WHERE ended = 0;"
	"CREATE INDEX event_failed ON event (created_ms) WHERE ended = 1 AND reason <> 0;"

	"CREATE TABLE history (seq INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL,"
	" event INTEGER NOT NULL REFERENCES event (number), state INTEGER NOT NULL, what TEXT NOT NULL) STRICT;"
	"CREATE INDEX history_event ON history (event, seq);"
	"CREATE TRIGGER history_update BEFORE UPDATE ON history"
	" BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;"
	"CREATE TRIGGER history_delete BEFORE DELETE ON history"
	" BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;"

	"CREATE TABLE book (number INTEGER PRIMARY KEY"
	BOOK_COLUMNS(CREATE)
	", UNIQUE (name)) STRICT;"

	"CREATE TABLE station (number INTEGER PRIMARY KEY"
	STATION_COLUMNS(CREATE)
	", UNIQUE (name)) STRICT;",

	/* 2: credits. serial.state: 0 free again, else enum serial_state */
	"CREATE TABLE sheet (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, hash BLOB NOT NULL UNIQUE,"
	" statement BLOB NOT NULL, signature BLOB NOT NULL, signer BLOB NOT NULL, first INTEGER NOT NULL,"
	" count INTEGER NOT NULL, next INTEGER NOT NULL, epoch INTEGER NOT NULL, offline INTEGER NOT NULL,"
	" valid_until_ms INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0,"
	" CHECK (next BETWEEN first AND first + count)) STRICT;"
	"CREATE TABLE serial (number INTEGER PRIMARY KEY, transfer BLOB NOT NULL, sheet INTEGER NOT NULL"
	" REFERENCES sheet (number), first INTEGER NOT NULL, count INTEGER NOT NULL CHECK (count >= 0),"
	" state INTEGER NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX serial_first ON serial (sheet, first);"
	"CREATE INDEX serial_transfer ON serial (transfer);"
	"CREATE TABLE taken (sheet BLOB NOT NULL, serial INTEGER NOT NULL, transfer BLOB NOT NULL, sender TEXT NOT NULL,"
	" PRIMARY KEY (sheet, serial)) STRICT, WITHOUT ROWID;",

	/* 3: requests to services; sheet.reported: the next serial that creditd was told of last; sheet.report: id of a report
	 * that may be on its way */
	"ALTER TABLE event ADD COLUMN cert BLOB;"
	"ALTER TABLE event ADD COLUMN payment INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE sheet ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE sheet ADD COLUMN report BLOB;",

	/* 4: sendings that go on after a break, or wait */
	"ALTER TABLE event ADD COLUMN breaks INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE event ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE event ADD COLUMN wait_peer INTEGER NOT NULL DEFAULT 0;",

	/* 5: the clock's mark, one row */
	"CREATE TABLE clock (number INTEGER PRIMARY KEY CHECK (number = 1), mark_ms INTEGER NOT NULL) STRICT;",
};

int
schema_version(void)
{
	return (int)(sizeof(steps) / sizeof(steps[0]));
}

static int
number_of(sqlite3 *db, const char *question, int *ret_number)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, question, -1, &stmt, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		*ret_number = sqlite3_column_int(stmt, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int
do_step(sqlite3 *db, int version)
{
	char mark[96];
	int rc;

	snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION,
	    version);
	if ((rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL)) == SQLITE_OK &&
	    (rc = sqlite3_exec(db, steps[version - 1], NULL, NULL, NULL)) == SQLITE_OK &&
	    (rc = sqlite3_exec(db, mark, NULL, NULL, NULL)) == SQLITE_OK)
		return rc;
	if (sqlite3_get_autocommit(db) == 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

enum sp_status
schema_migrate(struct sqlite3 *db, struct sp_why *why)
{
	int version = 0, application = 0, tables = 0;

	if (number_of(db, "PRAGMA user_version", &version) != SQLITE_OK ||
	    number_of(db, "PRAGMA application_id", &application) != SQLITE_OK ||
	    number_of(db, "SELECT count(*) FROM sqlite_schema", &tables) != SQLITE_OK)
		return sp_fail(SP_E_DATABASE, why, "the database cannot be read: %s", sqlite3_errmsg(db));
	if (application != (tables == 0 && version == 0 ? 0 : APPLICATION))
		return sp_fail(SP_E_SCHEMA, why, "the file is a database of another program");
	if (version < 0 || version > schema_version())
		return sp_fail(SP_E_SCHEMA, why, "the database has version %d; this program knows versions up to %d: "
		    "run the newer one", version, schema_version());
	while (version < schema_version())
		if (do_step(db, ++version) != SQLITE_OK)
			return sp_fail(SP_E_DATABASE, why, "the database cannot be brought to version %d: %s",
			    version, sqlite3_errmsg(db));
	return SP_OK;
}
