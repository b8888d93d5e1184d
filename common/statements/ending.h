/*
 * ending.h - the statements that end a transfer or vouch for its end: REFUSE, DONE, CANCEL, TRAILER, each bound to
 * its offer.
 *
 * signer is a checked identity: the one that the offer names for this part.
 */
#ifndef SP_STATEMENTS_ENDING_H
#define SP_STATEMENTS_ENDING_H

#include "common/statements/statement.h"

/* The recipient refuses. The reason as a status (SP_E_REFUSED for a number not listed). SP_E_MISMATCH: of
 * another offer. */
SP_MUST_CHECK enum sp_status sp_refuse_open(struct sp_span statement, struct sp_span signature,
    const struct sp_identity *signer, const struct sp_hash *offer, enum sp_status *ret_reason, struct sp_why *why);

/* Either party cancels. */
SP_MUST_CHECK enum sp_status sp_cancel_open(struct sp_span statement, struct sp_span signature,
    const struct sp_identity *signer, const struct sp_hash *offer, enum sp_status *ret_reason, struct sp_why *why);

/* The recipient has it. klass: the offer's class; a receipt must be named in every class but none, and a certd
 * if it is postmarked or certified (one of the offer's, given as certds). */
SP_MUST_CHECK enum sp_status sp_done_open(struct sp_span statement, struct sp_span signature,
    const struct sp_identity *signer, const struct sp_hash *offer, unsigned klass, struct sp_span certds,
    struct sp_stmt_done *ret_done, struct sp_why *why);

/* The sender vouches for what it sent; manifest is the offer's. */
SP_MUST_CHECK enum sp_status sp_trailer_open(struct sp_span statement, struct sp_span signature,
    const struct sp_identity *signer, const struct sp_hash *offer, const struct sp_hash *manifest,
    struct sp_stmt_trailer *ret_trailer, struct sp_hash *ret_hash, struct sp_why *why);

#endif
