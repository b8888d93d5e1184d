/*
 * receipt.h - receipt.txt, the text that a recipient signs. One text for one receipt: what parses encodes to itself.
 */
#ifndef SP_STATEMENTS_RECEIPT_H
#define SP_STATEMENTS_RECEIPT_H

#include "common/statements/offer.h"

struct sp_receipt {
	uint8_t klass;				/* enum sp_receipt_class, not none */
	struct sp_id transfer;
	struct sp_name sender, recipient;	/* stations */
	struct sp_hash sender_cert, recipient_cert;
	struct sp_hash offer, manifest, trailer;
	uint64_t received_s;			/* seconds since 1970 */
	uint64_t files;				/* lines of files.txt */
	uint64_t bytes;				/* sum of their sizes, hard links counted once */
	uint64_t changed;			/* of which: changed at the sender, not delivered */
	uint64_t left_out;			/* links that point outside the packet */
	struct sp_hash left_out_paths;		/* by sp_receipt_left_out_add(), if left_out > 0 */
	struct sp_hash files_txt;		/* SHA-256 of files.txt */
};

/* Appends the text, <= SP_RECEIPT_TEXT_MAX. SP_E_RANGE for a field that cannot be written. */
SP_MUST_CHECK enum sp_status sp_receipt_encode(const struct sp_receipt *receipt, struct sp_buf *out,
    struct sp_why *why);

/* Reads the text. SP_E_VERSION, SP_E_FORMAT with the line's number. */
SP_MUST_CHECK enum sp_status sp_receipt_parse(struct sp_span text, struct sp_receipt *ret_receipt,
    struct sp_why *why);

/* Links left out, in manifest order: add each path to a fresh hasher; its end is left_out_paths. */
struct sp_hasher;
void sp_receipt_left_out_add(struct sp_hasher *h, struct sp_span path);

/* Does the receipt belong to the offer (its hash given), of as many files and bytes, between these certificates, and to
 * this trailer (NULL: not known)? SP_E_RECEIPT with what differs. */
SP_MUST_CHECK enum sp_status sp_receipt_fits(const struct sp_receipt *receipt, const struct sp_stmt_offer *offer,
    const struct sp_hash *offer_hash, const struct sp_identity *sender, const struct sp_identity *recipient,
    const struct sp_hash *trailer, struct sp_why *why);

#endif
