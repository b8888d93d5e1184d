/*
 * conn.h - one libpq connection of a database thread: connect, run one statement by a deadline, say what its failure
 * means. Inside common/pg only.
 */
#ifndef SP_PG_CONN_H
#define SP_PG_CONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/auto.h"
#include "common/base/status.h"

static inline void sp_auto_result(PGresult **r) { PQclear(*r); }
#define SP_AUTO_RESULT __attribute__((cleanup(sp_auto_result))) PGresult

/* What a statement came to; the failures differ in what helps. */
enum sp_pg_outcome {
	SP_PG_DONE,
	SP_PG_FAILED,	/* the transaction failed for a reason of its own: repeating the same will fail again */
	SP_PG_AGAIN,	/* deadlock, serialization, stale plan: the same may well work now */
	SP_PG_LOST,	/* no connection, or one to a server that cannot do it: reconnect, then the same */
};

/* Connects; good defaults stand before conninfo, which may change them. NULL with the reason. Blocks for some
 * seconds. */
PGconn *sp_pg_connect(const char *conninfo, const char *program, struct sp_why *why);

/* The outcome of a result (NULL = nothing came), with the server's words in why. */
enum sp_pg_outcome sp_pg_outcome(PGconn *conn, const PGresult *result, struct sp_why *why);

/* After one of the PQsend… functions: waits until deadline (boot clock) for the result. On SP_PG_DONE *ret_result is
 * the caller's; otherwise it is not touched. */
enum sp_pg_outcome sp_pg_wait(PGconn *conn, int sent, uint64_t deadline_ms, PGresult **ret_result,
    struct sp_why *why);

/* Simple statements of migrations: SP_E_DATABASE with the server's words. ret_result may be NULL. */
SP_MUST_CHECK enum sp_status sp_pg_exec(PGconn *conn, const char *sql, PGresult **ret_result, struct sp_why *why);

#endif
