/*
 * receipts.h - inside peerd/events: receipts on the disk, and postmarks as they come from a certd. fetch.c and postmarking.c use
 * it for what was sent, hand_in.c for what was received.
 */
#ifndef PEERD_EVENTS_RECEIPTS_H
#define PEERD_EVENTS_RECEIPTS_H

#include "common/statements/receipt_file.h"
#include "peerd/events/live.h"

/* Where the .receipt of an event lies: that of what was sent, and apart from it the copy of who received. Appended to out. */
void receipts_path(const struct live *l, struct sp_buf *out);

/* chain.pem: our domain's root and issuing certificates, then these (DER). Appended to out. */
SP_MUST_CHECK enum sp_status receipts_chain(const struct live *l, const struct sp_span *leaves, size_t count,
    struct sp_buf *out, struct sp_why *why);

/* Writes a .receipt and the folders above it. Blocks: for a worker. */
SP_MUST_CHECK enum sp_status receipts_write(const char *path, const struct sp_receipt_parts *parts, struct sp_why *why);

/* Did the delivery leave files out because they changed at the sender? DONE says so. */
bool receipts_is_part(const struct live *l);

/* The postmarked .receipt is written, row->payment and row->receipt say so; or st says why it is not: then only the payment is
 * noted. words: who postmarked it, and how it was paid. */
typedef void receipts_kept_fn(struct live *l, enum sp_status st, const struct sp_why *why, const char *words);

/* Takes what a certd answered: a good postmark of row->receipt_p7m, strictly checked, which is put into the .receipt. fn follows,
 * unless the event is quieted. On failure it is not called: the certd's own status, or what is wrong with the postmark. */
SP_MUST_CHECK enum sp_status receipts_take(struct live *l, const struct sp_answer *answer, receipts_kept_fn *fn,
    struct sp_why *why);

#endif
