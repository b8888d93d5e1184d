/*
 * wallet_in.h - inside peerd/store: what the wallet's two files share.
 */
#ifndef PEERD_STORE_WALLET_IN_H
#define PEERD_STORE_WALLET_IN_H

#include "peerd/store/store_in.h"
#include "peerd/store/wallet.h"

/* One job for all calls; what a call does not need stays zero. */
struct wallet_job {
	struct store_job job;
	struct store *store;		/* borrowed */
	struct sheet_row sheet;		/* owned: given, or found */
	struct sheet_row *sheets;	/* owned: a list */
	size_t nsheets;
	struct sp_id transfer;
	uint64_t bytes;
	uint32_t price;
	uint64_t now_ms;
	enum serial_state state;
	struct sp_serials ranges[SP_FRANK_RANGES];
	size_t count;
	char sender[SP_NAME_TEXT];
	struct wallet_balance balance;
	store_done_fn *done_fn;
	store_sheets_fn *sheets_fn;
	store_spend_fn *spend_fn;
	store_balance_fn *balance_fn;
	void *arg;
};

/* Answers by whichever fn is set. NULL when out of memory. */
struct wallet_job *wallet_job_new(struct store *s, enum sp_status (*run)(struct sqlite3 *, struct store_job *), void *arg);

void wallet_bind(sqlite3_stmt *stmt, int at, struct sp_span bytes);
void wallet_bind_id(sqlite3_stmt *stmt, int at, const struct sp_id *id);
struct sp_span wallet_column(sqlite3_stmt *stmt, int at);

/* A row of the table sheet. */
SP_MUST_CHECK enum sp_status wallet_read_sheet(sqlite3_stmt *stmt, struct sheet_row *row);

#endif
