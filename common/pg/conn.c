/*
 * conn.c - libpq in its asynchronous form, so that a server that says nothing holds a thread no longer than the
 * deadline.
 */
#include "common/pg/conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/base/clock.h"

static void
ignore_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

/* The server's or libpq's words: one line, without its end. */
static void
set_why(struct sp_why *why, const char *what, const char *text)
{
	char line[200];
	size_t n = strcspn(text, "\n");

	if (n >= sizeof(line))
		n = sizeof(line) - 1;
	memcpy(line, text, n);
	line[n] = 0;
	(void)sp_fail(SP_E_DATABASE, why, "%s%s", what, line);
}

PGconn *
sp_pg_connect(const char *conninfo, const char *program, struct sp_why *why)
{
	/* Those before dbname are defaults that conninfo may change. */
	const char *const keys[] = { "connect_timeout", "target_session_attrs", "keepalives_idle", "tcp_user_timeout",
		"application_name", "dbname", "client_encoding", NULL };
	const char *const values[] = { "3", "read-write", "30", "10000", program, conninfo, "UTF8", NULL };
	PGconn *conn = PQconnectdbParams(keys, values, 1);

	if (conn != NULL && PQstatus(conn) == CONNECTION_OK && PQsetnonblocking(conn, 1) == 0) {
		PQsetNoticeProcessor(conn, ignore_notice, NULL);
		return conn;
	}
	set_why(why, "cannot connect to the database: ", conn != NULL ? PQerrorMessage(conn) : "out of memory");
	PQfinish(conn);
	return NULL;
}

/* SQLSTATEs (classes by two characters) that are about the server's state, or this moment, and not about the
 * statement. */
static enum sp_pg_outcome
outcome_of_state(const char *state)
{
	static const struct { const char *prefix; enum sp_pg_outcome outcome; } rows[] = {
		{ "08", SP_PG_LOST },		/* connection */
		{ "57P", SP_PG_LOST },		/* shutting down, crashed, starting */
		{ "53300", SP_PG_LOST },	/* too many connections */
		{ "25006", SP_PG_LOST },	/* read-only: the primary is elsewhere now */
		{ "40001", SP_PG_AGAIN },	/* serialization */
		{ "40P01", SP_PG_AGAIN },	/* deadlock */
		{ "55P03", SP_PG_AGAIN },	/* lock not available */
		{ "0A000", SP_PG_AGAIN },	/* a cached plan whose result type changed */
		{ "26000", SP_PG_AGAIN },	/* a prepared statement that is not there any more */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strncmp(state, rows[i].prefix, strlen(rows[i].prefix)) == 0)
			return rows[i].outcome;
	return SP_PG_FAILED;
}

enum sp_pg_outcome
sp_pg_outcome(PGconn *conn, const PGresult *result, struct sp_why *why)
{
	ExecStatusType st = PQresultStatus(result);
	const char *state, *message;

	if (result != NULL && (st == PGRES_TUPLES_OK || st == PGRES_COMMAND_OK))
		return SP_PG_DONE;
	if (result == NULL || (state = PQresultErrorField(result, PG_DIAG_SQLSTATE)) == NULL) {
		set_why(why, "", PQerrorMessage(conn));
		return SP_PG_LOST;
	}
	message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	(void)sp_fail(SP_E_DATABASE, why, "%s (SQLSTATE %s)", message != NULL ? message : "no message", state);
	return PQstatus(conn) == CONNECTION_OK ? outcome_of_state(state) : SP_PG_LOST;
}

/* Waits for the socket; false past the deadline. */
static bool
wait_socket(PGconn *conn, short events, uint64_t deadline_ms)
{
	struct pollfd fd = { .fd = PQsocket(conn), .events = events };
	uint64_t now = sp_clock_boot_ms();
	int n;

	if (fd.fd < 0 || now >= deadline_ms)
		return false;
	n = poll(&fd, 1, (int)(deadline_ms - now));
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Everything sent and a whole result there: false if that does not come in time, or the connection breaks. */
static bool
wait_ready(PGconn *conn, uint64_t deadline_ms)
{
	int left;

	while ((left = PQflush(conn)) == 1)
		if (!wait_socket(conn, POLLIN | POLLOUT, deadline_ms) || PQconsumeInput(conn) == 0)
			return false;
	if (left < 0)
		return false;
	while (PQisBusy(conn))
		if (!wait_socket(conn, POLLIN, deadline_ms) || PQconsumeInput(conn) == 0)
			return false;
	return true;
}

enum sp_pg_outcome
sp_pg_wait(PGconn *conn, int sent, uint64_t deadline_ms, PGresult **ret_result, struct sp_why *why)
{
	SP_AUTO_RESULT *result = NULL;
	enum sp_pg_outcome outcome;
	PGresult *more;

	if (sent != 1 || !wait_ready(conn, deadline_ms)) {
		if (PQstatus(conn) == CONNECTION_OK && sent == 1)
			set_why(why, "", "no answer from the database in time");
		else
			set_why(why, "", PQerrorMessage(conn));
		return SP_PG_LOST;
	}
	result = PQgetResult(conn);
	outcome = sp_pg_outcome(conn, result, why);
	for (;;) {	/* the end of the answer, without which the connection takes no new statement */
		if (!wait_ready(conn, deadline_ms)) {
			set_why(why, "", "no answer from the database in time");
			return SP_PG_LOST;
		}
		if ((more = PQgetResult(conn)) == NULL)
			break;
		PQclear(more);
	}
	if (outcome == SP_PG_DONE)
		*ret_result = sp_take(&result);
	return outcome;
}

enum sp_status
sp_pg_exec(PGconn *conn, const char *sql, PGresult **ret_result, struct sp_why *why)
{
	SP_AUTO_RESULT *result = PQexec(conn, sql);

	if (sp_pg_outcome(conn, result, why) != SP_PG_DONE)
		return SP_E_DATABASE;
	if (ret_result != NULL)
		*ret_result = sp_take(&result);
	return SP_OK;
}
