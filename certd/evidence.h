/*
 * evidence.h - is what a recipient hands in a receipt that can be postmarked? Its parts checked against each other;
 * neither database nor network. Runs on any thread.
 */
#ifndef CERTD_EVIDENCE_H
#define CERTD_EVIDENCE_H

#include "common/statements/frank.h"
#include "common/statements/postmark.h"

#define SERIALS_TEXT 96	/* SP_FRANK_RANGES numbers of ten digits with commas between */

struct evidence {
	struct sp_receipt receipt;
	struct sp_hash receipt_hash, offer_hash;
	uint64_t ended_s;			/* of the recipient's certificate, 0: in force */
	uint32_t price;				/* that the offer names */
	char return_host[SP_HOST_MAX + 1];	/* of the sender; "" if it can't be called back */
	uint16_t return_port;
	bool has_frank;				/* with a signature of the right length; whether it fits is another matter */
	struct sp_why unfit;			/* why the frank does not pay this delivery; "" if it may */
	struct sp_hash sheet;			/* of a frank that fits */
	char firsts[SERIALS_TEXT], counts[SERIALS_TEXT];	/* its ranges: "1,7", "3,2" */
};

/* peer: who hands it in. SP_E_PERMISSION if that is not the recipient; what the parts of msg are found to be else. A frank
 * never makes it fail. */
SP_MUST_CHECK enum sp_status evidence_check(const struct sp_msg_postmark *msg, const struct sp_identity *peer,
    const struct sp_trust *trust, uint64_t now_s, struct evidence *ret_evidence, struct sp_why *why);

#endif
