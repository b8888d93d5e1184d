/*
 * wallet.h - credits at rest: the sheets that creditd issued to this station, which of their serials go where, and the franks
 * that this station took from others. Serials are written down before they are used, and never used for two transfers.
 */
#ifndef PEERD_STORE_WALLET_H
#define PEERD_STORE_WALLET_H

#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/base/limits.h"
#include "common/statements/serials.h"
#include "peerd/store/store.h"

/* What became of serials; numbers stand in the database. Reserved ones become free again unless a frank names them. */
enum serial_state { SERIAL_RESERVED = 1, SERIAL_FRANKED = 2, SERIAL_SPENT = 3, SERIAL_VOID = 4 };

/* A sheet. Buffers are owned. next is the first serial that was never reserved, reported what creditd was told of it last
 * (of a sheet that is added: next). report: id of a report of a start that may be on its way, zero = none. */
struct sheet_row {
	struct sp_id id;
	struct sp_hash hash;				/* of the statement */
	struct sp_buf statement, signature, signer;	/* signer: certificate, DER */
	uint32_t first, count, next, epoch, offline, reported;
	struct sp_id report;
	uint32_t freed;			/* of those below next, free again; known of lists only */
	uint64_t valid_until_ms;
	bool closed;
};
void sheet_row_done(struct sheet_row *row);
SP_AUTO_DONE_DEFINE(sheet_row);

/* Enters a sheet that was granted; the same one again changes nothing. Copied. */
SP_MUST_CHECK enum sp_status store_sheet_add(struct store *s, const struct sheet_row *row, store_done_fn *fn, void *arg);

/* Epoch and state as creditd says, which was told that next is reported; closed: nothing of it is spent any more, ever. */
SP_MUST_CHECK enum sp_status store_sheet_state(struct store *s, const struct sp_id *id, uint32_t epoch, bool closed,
    uint32_t reported, store_done_fn *fn, void *arg);

/* A report of this id is about to leave: whoever has to repeat it repeats it under that id. */
SP_MUST_CHECK enum sp_status store_sheet_report(struct store *s, const struct sp_id *id, const struct sp_id *report,
    store_done_fn *fn, void *arg);

/* The sheets, oldest first; borrowed during the call. */
typedef void store_sheets_fn(void *arg, enum sp_status st, const struct sheet_row *rows, size_t count);
SP_MUST_CHECK enum sp_status store_sheets(struct store *s, store_sheets_fn *fn, void *arg);

/* The one of this hash (count 1) or none. */
SP_MUST_CHECK enum sp_status store_sheet_find(struct store *s, const struct sp_hash *hash, store_sheets_fn *fn, void *arg);

/* What a transfer spends: ranges of one sheet. Borrowed during the call. */
struct wallet_spend {
	const struct sheet_row *sheet;
	uint32_t price;		/* serials in all */
	struct sp_serials ranges[SP_FRANK_RANGES];
	size_t count;
};
typedef void store_spend_fn(void *arg, enum sp_status st, const struct sp_why *why, const struct wallet_spend *spend);

/* Reserves the price of a packet whose file sizes have this sum, on the oldest sheet that has enough for its own tariff (open,
 * valid at now_ms), or gives the serials that the transfer has already: one transfer, one set. A price of 0 takes none.
 * SP_E_CREDITS when no sheet has enough, or not before creditd was told what is spent already. */
SP_MUST_CHECK enum sp_status store_serials_reserve(struct store *s, const struct sp_id *transfer, uint64_t bytes,
    uint64_t now_ms, store_spend_fn *fn, void *arg);

/* A transfer's serials: a frank names them, they are spent, or the transfer has failed for good (reserved ones are free again,
 * franked ones void). Nothing to do is fine. */
SP_MUST_CHECK enum sp_status store_serials_mark(struct store *s, const struct sp_id *transfer, enum serial_state state,
    store_done_fn *fn, void *arg);

/* A transfer that failed is tried again: what its frank names is its own again, not void. SP_E_STATE if their sheet has ended. */
SP_MUST_CHECK enum sp_status store_serials_again(struct store *s, const struct sp_id *transfer, uint64_t now_ms,
    store_done_fn *fn, void *arg);

/* For a start: the same for transfers that have ended and whose serials nobody marked, because something stopped in between. */
SP_MUST_CHECK enum sp_status store_serials_mend(struct store *s, store_done_fn *fn, void *arg);

/* Free and withheld are counted over open sheets that are valid at now_ms. withheld: of the free ones, what may be spent only
 * when creditd was told of what is spent already. ended: what sheets had left when they ended. */
struct wallet_balance {
	uint64_t free, withheld, reserved, spent, voided, sheets, ended;
};
typedef void store_balance_fn(void *arg, enum sp_status st, const struct wallet_balance *balance);
SP_MUST_CHECK enum sp_status store_balance(struct store *s, uint64_t now_ms, store_balance_fn *fn, void *arg);

/* ---- as a recipient ---- */
/* Notes that a frank's serials came for this transfer. SP_E_SPENT if one came for another before; the same again is fine. */
SP_MUST_CHECK enum sp_status store_frank_take(struct store *s, const struct sp_hash *sheet,
    const struct sp_serials *ranges, size_t count, const struct sp_id *transfer, const char *sender, store_done_fn *fn,
    void *arg);

#endif
