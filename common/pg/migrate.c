/*
 * migrate.c - applies what is missing, makes functions and views anew, and refuses a history that is not the files'.
 */
#include "common/pg/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/pg/conn.h"
#include "common/pg/patches.h"

#define RETRY_MS 500

struct migration {
	PGconn *conn;
	const char *schema;
	struct sp_why *why;
};

/* One statement with the schema's name at each %1$s. */
static enum sp_status
run(struct migration *m, const char *fmt, PGresult **ret_result)
{
	SP_AUTO_DONE(sp_buf) sql = { 0 };

	for (const char *p = fmt, *at; *p != 0; p = at + 4) {
		at = strstr(p, "%1$s");
		if (at == NULL) {
			sp_buf_add_text(&sql, p);
			break;
		}
		sp_buf_add(&sql, p, (size_t)(at - p));
		sp_buf_add_text(&sql, m->schema);
	}
	return sp_pg_exec(m->conn, sp_buf_cstr(&sql), ret_result, m->why);
}

static const char prepare_schema[] =
	"CREATE SCHEMA IF NOT EXISTS %1$s;"
	"REVOKE ALL ON SCHEMA %1$s FROM PUBLIC;"
	"ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;"
	"ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC;"
	"GRANT USAGE ON SCHEMA %1$s TO %1$s_daemon;"
	"CREATE TABLE IF NOT EXISTS %1$s.patch ("
	"	number integer PRIMARY KEY CHECK (number > 0),"
	"	name text NOT NULL,"
	"	sha256 bytea NOT NULL CHECK (length(sha256) = 32),"
	"	applied timestamptz NOT NULL DEFAULT now());"
	"COMMENT ON TABLE %1$s.patch IS 'schema files applied to this database, in order'";

/* Functions that triggers call belong to the tables and stay. */
static const char drop_functions[] =
	"DO $$ DECLARE r record; BEGIN "
	"FOR r IN SELECT oid::regclass AS it FROM pg_class WHERE relnamespace = '%1$s'::regnamespace"
	"	AND relkind = 'v' LOOP"
	"	EXECUTE 'DROP VIEW IF EXISTS ' || r.it || ' CASCADE'; END LOOP; "
	"FOR r IN SELECT oid::regprocedure AS it FROM pg_proc p WHERE pronamespace = '%1$s'::regnamespace"
	"	AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid) LOOP"
	"	EXECUTE 'DROP ROUTINE IF EXISTS ' || r.it; END LOOP; END $$";

static const char make_patch_last[] =
	"CREATE FUNCTION %1$s.patch_last() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER"
	"	SET search_path = %1$s, pg_temp AS 'SELECT max(number) FROM %1$s.patch';"
	"COMMENT ON FUNCTION %1$s.patch_last() IS 'number of the last schema file applied';"
	"REVOKE ALL ON FUNCTION %1$s.patch_last() FROM PUBLIC;"
	"GRANT EXECUTE ON FUNCTION %1$s.patch_last() TO %1$s_daemon";

/* Line of a position (in characters, from 1) that the server gave; position 0 is unknown. */
static unsigned
line_of(const char *text, int position)
{
	unsigned line = 1;

	for (int i = 1; i < position && *text != 0; text++) {
		line += *text == '\n';
		i += (text[1] & 0xc0) != 0x80;
	}
	return line;
}

/* Runs a file within the open transaction; a failure is said as FILE:LINE: words. */
static enum sp_status
run_file(struct migration *m, struct sp_pg_file *file)
{
	SP_AUTO_RESULT *result = PQexec(m->conn, sp_buf_cstr(&file->text));
	const char *position;
	struct sp_why words = { "" };

	if (sp_pg_outcome(m->conn, result, &words) == SP_PG_DONE && PQtransactionStatus(m->conn) == PQTRANS_INTRANS)
		return SP_OK;
	if (words.text[0] == 0)
		return sp_fail(SP_E_SCHEMA, m->why, "%s ends the transaction it runs in", file->name);
	position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	if (position == NULL)
		return sp_fail(SP_E_DATABASE, m->why, "%s: %s", file->name, words.text);
	return sp_fail(SP_E_DATABASE, m->why, "%s:%u: %s", file->name, line_of(sp_buf_cstr(&file->text),
	    atoi(position)), words.text);
}

static enum sp_status
record(struct migration *m, const struct sp_pg_file *file, int number)
{
	SP_AUTO_DONE(sp_buf) sql = { 0 };
	char hex[65];

	/* The name is one of a file that fits NNN-*.sql; quotes are doubled all the same. */
	sp_buf_addf(&sql, "INSERT INTO %s.patch (number, name, sha256) VALUES (%d, '", m->schema, number);
	for (const char *p = file->name; *p != 0; p++) {
		if (*p == '\'')
			sp_buf_add_u8(&sql, '\'');
		sp_buf_add_u8(&sql, (uint8_t)*p);
	}
	sp_buf_addf(&sql, "', '\\x%s')", sp_hex(file->hash.b, sizeof(file->hash.b), hex));
	return sp_pg_exec(m->conn, sp_buf_cstr(&sql), NULL, m->why);
}

/* The recorded patches are a beginning of the files, byte for byte. */
static enum sp_status
check_history(struct migration *m, const struct sp_pg_files *files, int *ret_from)
{
	SP_AUTO_RESULT *rows = NULL;
	enum sp_status st;
	int count;

	st = run(m, "SELECT number, name, encode(sha256, 'hex') FROM %1$s.patch ORDER BY number", &rows);
	if (st != SP_OK)
		return st;
	count = PQntuples(rows);
	for (int i = 0; i < count; i++) {
		const char *number = PQgetvalue(rows, i, 0), *name = PQgetvalue(rows, i, 1);
		char hex[65];

		if (i >= files->npatches)
			return sp_fail(SP_E_SCHEMA, m->why,
			    "schema %s is at number %s (%s), this program knows %d: it is"
			    " older than the database", m->schema, PQgetvalue(rows, count - 1, 0), name,
			    files->npatches);
		(void)sp_hex(files->patches[i].hash.b, sizeof(files->patches[i].hash.b), hex);
		if (atoi(number) != i + 1 || strcmp(hex, PQgetvalue(rows, i, 2)) != 0)
			return sp_fail(SP_E_SCHEMA, m->why,
			    "%s differs from %s as it was applied to schema %s; files once"
			    " applied are never changed", files->patches[i].name, name, m->schema);
	}
	*ret_from = count;
	return SP_OK;
}

/* Runs step(m, files, number) in a transaction of its own. */
static enum sp_status
in_transaction(struct migration *m, struct sp_pg_files *files, int number,
    enum sp_status (*step)(struct migration *m, struct sp_pg_files *files, int number))
{
	enum sp_status st = sp_pg_exec(m->conn, "BEGIN", NULL, m->why);

	if (st == SP_OK)
		st = step(m, files, number);
	if (st == SP_OK)
		st = sp_pg_exec(m->conn, "COMMIT", NULL, m->why);
	if (st != SP_OK && PQstatus(m->conn) == CONNECTION_OK)
		PQclear(PQexec(m->conn, "ROLLBACK"));	/* the first reason is the one that counts */
	return st;
}

static enum sp_status
apply_patch(struct migration *m, struct sp_pg_files *files, int number)
{
	struct sp_pg_file *file = &files->patches[number - 1];
	enum sp_status st = run_file(m, file);

	return st == SP_OK ? record(m, file, number) : st;
}

static enum sp_status
load_functions(struct migration *m, struct sp_pg_files *files, int number)
{
	enum sp_status st = run(m, drop_functions, NULL);

	(void)number;
	for (int i = 0; st == SP_OK && i < files->nfunctions; i++)
		st = run_file(m, &files->functions[i]);
	return st == SP_OK ? run(m, make_patch_last, NULL) : st;
}

enum sp_status
sp_pg_migrate(const char *conninfo, const char *schema, const char *dir, struct sp_pg_migrated *ret_did,
    struct sp_why *why)
{
	SP_AUTO(sp_pg_files) *files = NULL;
	struct migration m = { .schema = schema, .why = why };
	struct sp_pg_migrated did = { 0 };
	enum sp_status st;

	if ((st = sp_pg_files_read(dir, &files, why)) != SP_OK)
		return st;
	if ((m.conn = sp_pg_connect(conninfo, "sealpost-migrate", why)) == NULL)
		return SP_E_DATABASE;
	/* Held until the connection ends: a second migrator waits here, then finds everything done. */
	if ((st = run(&m, "SELECT pg_advisory_lock(hashtext('sealpost.%1$s'))", NULL)) == SP_OK &&
	    (st = run(&m, prepare_schema, NULL)) == SP_OK)
		st = check_history(&m, files, &did.from);
	for (int i = did.from + 1; st == SP_OK && i <= files->npatches; i++)
		st = in_transaction(&m, files, i, apply_patch);
	if (st == SP_OK)
		st = in_transaction(&m, files, 0, load_functions);
	PQfinish(m.conn);
	if (st != SP_OK)
		return st;
	did.to = files->npatches;
	did.functions = files->nfunctions;
	*ret_did = did;
	return SP_OK;
}

/* Connects, trying again until the deadline. */
static PGconn *
connect_in_time(const char *conninfo, int wait_ms, struct sp_why *why)
{
	uint64_t end = sp_clock_boot_ms() + (uint64_t)wait_ms;
	PGconn *conn;

	while ((conn = sp_pg_connect(conninfo, "sealpost", why)) == NULL && sp_clock_boot_ms() < end)
		usleep(RETRY_MS * 1000);
	return conn;
}

enum sp_status
sp_pg_check_schema(const char *conninfo, const char *schema, int known, int wait_ms, struct sp_why *why)
{
	PGconn *conn = connect_in_time(conninfo, wait_ms, why);
	struct migration m = { .conn = conn, .schema = schema, .why = why };
	SP_AUTO_RESULT *result = NULL;
	enum sp_status st;
	int number;

	if (conn == NULL)
		return SP_E_DATABASE;
	st = run(&m,
	    "SELECT CASE WHEN to_regnamespace('%1$s') IS NULL OR to_regprocedure('%1$s.patch_last()') IS NULL"
	    " THEN 0 ELSE 1 END", &result);
	if (st == SP_OK && PQgetvalue(result, 0, 0)[0] == '0')
		st = sp_fail(SP_E_SCHEMA, why, "schema %s is not in the database yet: run --migrate first", schema);
	PQclear(result);
	result = NULL;
	if (st == SP_OK)
		st = run(&m, "SELECT coalesce(%1$s.patch_last(), 0)", &result);
	if (st == SP_OK && (number = atoi(PQgetvalue(result, 0, 0))) != known)
		st = sp_fail(SP_E_SCHEMA, why, "schema %s is at number %d, this program knows %d: %s", schema, number,
		    known, number < known ? "run --migrate first" : "use the newer program");
	PQfinish(conn);
	return st;
}
