/*
 * db.c - the table of calls.
 */
#include "creditd/db.h"

const struct sp_pg_call db_calls[DB_CALLS] = {
	[DB_TOPUP] = { "credit.topup", "SELECT item, status, decision, sheet, first, granted, issued_ms, valid_until_ms,"
	    " statement, signature, signer FROM credit.topup($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
	    { SP_PG_TEXT, SP_PG_ID, SP_PG_BYTES, SP_PG_TEXT, SP_PG_INT, SP_PG_TEXT, SP_PG_INT, SP_PG_BYTES, SP_PG_INT,
	      SP_PG_INT, SP_PG_INT },
	    { SP_PG_INT, SP_PG_INT, SP_PG_ID, SP_PG_INT, SP_PG_INT, SP_PG_INT, SP_PG_INT, SP_PG_BYTES, SP_PG_BYTES,
	      SP_PG_BYTES }, false },
	[DB_UNANSWERED] = { "credit.unanswered", "SELECT item, requester, request, decision, sheet, first, granted, issued_ms,"
	    " valid_until_ms, statement, signature, signer, letter_key, return_host, return_port FROM credit.unanswered($1)",
	    { SP_PG_INT },
	    { SP_PG_TEXT, SP_PG_ID, SP_PG_INT, SP_PG_ID, SP_PG_INT, SP_PG_INT, SP_PG_INT, SP_PG_INT, SP_PG_BYTES, SP_PG_BYTES,
	      SP_PG_BYTES, SP_PG_BYTES, SP_PG_TEXT, SP_PG_INT }, true },
	[DB_STORE_ANSWER] = { "credit.store_answer",
	    "SELECT item, status, stored, stored_signature, stored_signer FROM credit.store_answer($1, $2, $3, $4, $5, $6)",
	    { SP_PG_TEXT, SP_PG_ID, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES },
	    { SP_PG_INT, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES }, false },
	[DB_FIND_ANSWER] = { "credit.find_answer",
	    "SELECT item, status, statement, signature, signer FROM credit.find_answer($1, $2)",
	    { SP_PG_TEXT, SP_PG_ID }, { SP_PG_INT, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES }, false },
	[DB_TOLD] = { "credit.note_told", "SELECT item, status FROM credit.note_told($1, $2)",
	    { SP_PG_TEXT, SP_PG_ID }, { SP_PG_INT }, false },
	[DB_SHEET_STATE] = { "credit.sheet_state",
	    "SELECT item, status, epoch_now, closed FROM credit.sheet_state($1, $2, $3, $4, $5, $6)",
	    { SP_PG_TEXT, SP_PG_ID, SP_PG_INT, SP_PG_INT, SP_PG_INT, SP_PG_ID }, { SP_PG_INT, SP_PG_INT, SP_PG_INT }, false },
	[DB_GIVE_BACK] = { "credit.give_back", "SELECT item, status FROM credit.give_back($1, $2, $3, $4, $5, $6, $7)",
	    { SP_PG_TEXT, SP_PG_ID, SP_PG_INT, SP_PG_INT, SP_PG_TEXT, SP_PG_BYTES, SP_PG_BYTES }, { SP_PG_INT }, false },
	[DB_LODGE] = { "credit.lodge", "SELECT item, status FROM credit.lodge($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
	    { SP_PG_BYTES, SP_PG_TEXT, SP_PG_ID, SP_PG_TEXT, SP_PG_BYTES, SP_PG_TEXT, SP_PG_INT, SP_PG_BYTES, SP_PG_BYTES,
	      SP_PG_BYTES }, { SP_PG_INT }, false },
};
