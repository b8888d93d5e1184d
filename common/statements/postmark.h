/*
 * postmark.h - postmark.txt, the text that a certd signs about a receipt; and what receipt.p7m, postmark.p7m and
 * postmark.tsr prove together. One text for one postmark: what parses encodes to itself.
 */
#ifndef SP_STATEMENTS_POSTMARK_H
#define SP_STATEMENTS_POSTMARK_H

#include "common/statements/receipt.h"

/* How the delivery was paid when it was postmarked. */
enum sp_payment {
	SP_PAYMENT_FREE = 1,	/* nothing was to be paid */
	SP_PAYMENT_PAID,	/* the frank is settled */
	SP_PAYMENT_PENDING,	/* it is settled elsewhere, later */
	SP_PAYMENT_CONFLICT,	/* it does not fit, or its serials were settled for another delivery */
};

/* "free", "paid", "pending", "conflict"; and back (0 if it is none of them). */
const char *sp_payment_text(unsigned payment);
unsigned sp_payment_from_text(struct sp_span text);

struct sp_postmark {
	struct sp_id number;
	struct sp_name certd;			/* "certd/NAME@domain": who signs */
	uint8_t klass;				/* enum sp_receipt_class */
	struct sp_id transfer;
	struct sp_name sender, recipient;	/* stations */
	struct sp_hash receipt;			/* SHA-256 of receipt.p7m */
	uint64_t received_s;			/* when the certd got it, seconds since 1970 */
	uint64_t ended_s;			/* the recipient's certificate had ended then; 0: it was in force */
	uint64_t status_list;			/* number of the list of revoked stations that was looked at; 0: none */
	uint8_t payment;			/* enum sp_payment */
};

/* Appends the text, <= SP_POSTMARK_TEXT_MAX. SP_E_RANGE for a field that cannot be written. */
SP_MUST_CHECK enum sp_status sp_postmark_encode(const struct sp_postmark *postmark, struct sp_buf *out,
    struct sp_why *why);

/* Reads the text. SP_E_VERSION, SP_E_FORMAT with the line's number. */
SP_MUST_CHECK enum sp_status sp_postmark_parse(struct sp_span text, struct sp_postmark *ret_postmark,
    struct sp_why *why);

/* How a certificate that signed a receipt stands at now_s: *ret_ended_s is 0 if it is in force, its end if it ended up
 * to SP_CERT_AFTER_DAYS ago. SP_E_CERT_EXPIRED beyond that, or before it begins. */
SP_MUST_CHECK enum sp_status sp_postmark_standing(const struct sp_identity *id, uint64_t now_s, uint64_t *ret_ended_s,
    struct sp_why *why);

/* The time at which such a certificate is to be checked: now_s, or the last second of its life. */
static inline uint64_t
sp_postmark_judge_ms(uint64_t now_s, uint64_t ended_s)
{
	return (ended_s > 0 ? ended_s - 1 : now_s) * 1000;
}

/* The three signed parts, borrowed. */
struct sp_postmark_parts {
	struct sp_span receipt_p7m, postmark_p7m, postmark_tsr;
};

/* What they prove. The certificates are DER, owned. */
struct sp_postmark_proof {
	struct sp_postmark postmark;
	struct sp_receipt receipt;
	struct sp_identity recipient, certd, tsa;
	struct sp_buf recipient_cert, certd_cert, tsa_cert;
	uint64_t token_s;	/* time of the time-stamp: -attime of the commands */
};
void sp_postmark_proof_done(struct sp_postmark_proof *proof);	/* safe on zeroes */
SP_AUTO_DONE_DEFINE(sp_postmark_proof);

/*
 * Verifies them strictly under the trust of the provider's domain: the token over postmark.p7m by a tsa, the postmark
 * signed at the token's time by the certd that it names, about exactly this receipt.p7m, its transfer and its parties;
 * the receipt by its recipient's station, whose certificate stood as the postmark says. ret_proof is zeroes before.
 * SP_E_FORMAT, SP_E_SIGNATURE, SP_E_ROLE, SP_E_CERT…, SP_E_IDENTITY, SP_E_RECEIPT.
 */
SP_MUST_CHECK enum sp_status sp_postmark_verify(const struct sp_postmark_parts *parts, const struct sp_trust *trust,
    struct sp_postmark_proof *ret_proof, struct sp_why *why);

/* receipt.p7m alone: signed by a station, which is the recipient that it names, under a certificate good at judge_ms.
 * cert and what else is found is appended or written. */
SP_MUST_CHECK enum sp_status sp_receipt_open(struct sp_span p7m, const struct sp_trust *trust, uint64_t judge_ms,
    struct sp_receipt *ret_receipt, struct sp_buf *ret_cert, struct sp_identity *ret_recipient, struct sp_why *why);

#endif
