/*
 * db.h - the SQL functions that creditd calls; nothing else of it knows SQL. Status columns hold numbers of
 * common/base/status.def.
 */
#ifndef CREDITD_DB_H
#define CREDITD_DB_H

#include "common/pg/pool.h"

#define DB_SCHEMA 1	/* the last NNN-*.sql of creditd/schema */

enum db_call { DB_TOPUP, DB_STORE_ANSWER, DB_FIND_ANSWER, DB_TOLD, DB_SHEET_STATE, DB_LODGE, DB_CALLS };
extern const struct sp_pg_call db_calls[DB_CALLS];

/* The columns of each. */
enum { TOPUP_STATUS, TOPUP_DECISION, TOPUP_SHEET, TOPUP_FIRST, TOPUP_GRANTED, TOPUP_ISSUED, TOPUP_UNTIL, TOPUP_EPOCH,
	TOPUP_STATEMENT, TOPUP_SIGNATURE };
enum { STORED_STATUS, STORED_STATEMENT, STORED_SIGNATURE, STORED_SIGNER };
enum { FOUND_STATUS, FOUND_STATEMENT, FOUND_SIGNATURE, FOUND_SIGNER };
enum { TOLD_STATUS };
enum { STATE_STATUS, STATE_EPOCH, STATE_CLOSED };
enum { LODGED_STATUS };

#endif
