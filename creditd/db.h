/*
 * db.h - the SQL functions that creditd calls; nothing else of it knows SQL. Status columns hold numbers of
 * common/base/status.def.
 */
#ifndef CREDITD_DB_H
#define CREDITD_DB_H

#include "common/pg/pool.h"

#define DB_SCHEMA 3	/* the last NNN-*.sql of creditd/schema */

enum db_call { DB_TOPUP, DB_UNANSWERED, DB_STORE_ANSWER, DB_FIND_ANSWER, DB_TOLD, DB_SHEET_STATE, DB_GIVE_BACK,
	DB_LODGE, DB_CALLS };
extern const struct sp_pg_call db_calls[DB_CALLS];

/* The columns of each. */
enum { TOPUP_STATUS, TOPUP_OUTCOME };
enum { UNANSWERED_REQUESTER, UNANSWERED_REQUEST, UNANSWERED_OUTCOME, UNANSWERED_LETTER_KEY = UNANSWERED_OUTCOME + 9,
	UNANSWERED_HOST, UNANSWERED_PORT };
/* What a top-up came to, counted from …_OUTCOME on. */
enum { OUT_DECISION, OUT_SHEET, OUT_FIRST, OUT_GRANTED, OUT_ISSUED, OUT_UNTIL, OUT_STATEMENT, OUT_SIGNATURE, OUT_SIGNER };
enum { STORED_STATUS, STORED_STATEMENT, STORED_SIGNATURE, STORED_SIGNER };
enum { FOUND_STATUS, FOUND_STATEMENT, FOUND_SIGNATURE, FOUND_SIGNER };
enum { TOLD_STATUS };
enum { STATE_STATUS, STATE_EPOCH, STATE_CLOSED };
enum { GIVEN_STATUS };
enum { LODGED_STATUS };

#endif
