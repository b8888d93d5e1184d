/*
 * ending.c - REFUSE, CANCEL, DONE and TRAILER: statements that count for one offer only.
 */
#include "common/statements/ending.h"

#include "common/statements/offer.h"

static enum sp_status
check_offer(const struct sp_hash *stated, const struct sp_hash *offer, const char *what, struct sp_why *why)
{
	if (!sp_hash_eq(stated, offer))
		return sp_fail(SP_E_MISMATCH, why, "the %s is for another offer", what);
	return SP_OK;
}

/* A later version's reason is one all the same. */
static enum sp_status
known_reason(unsigned number)
{
	enum sp_status st = sp_status_from_number(number);

	return st == SP_E_UNKNOWN && number != SP_E_UNKNOWN ? SP_E_REFUSED : st;
}

enum sp_status
sp_refuse_open(struct sp_span statement, struct sp_span signature, const struct sp_identity *signer,
    const struct sp_hash *offer, enum sp_status *ret_reason, struct sp_why *why)
{
	struct sp_stmt_refuse refuse;
	enum sp_status st;

	st = sp_statement_open(SP_STMT_REFUSE, statement, signature, signer, NULL, &refuse, why);
	if (st != SP_OK || (st = check_offer(&refuse.offer, offer, "refusal", why)) != SP_OK)
		return st;
	*ret_reason = known_reason(refuse.reason);
	return SP_OK;
}

enum sp_status
sp_cancel_open(struct sp_span statement, struct sp_span signature, const struct sp_identity *signer,
    const struct sp_hash *offer, enum sp_status *ret_reason, struct sp_why *why)
{
	struct sp_stmt_cancel cancel;
	enum sp_status st;

	st = sp_statement_open(SP_STMT_CANCEL, statement, signature, signer, NULL, &cancel, why);
	if (st != SP_OK || (st = check_offer(&cancel.offer, offer, "cancellation", why)) != SP_OK)
		return st;
	*ret_reason = known_reason(cancel.reason);
	return SP_OK;
}

/* Does DONE name a receipt where there must be one, and a certd of the offer where one is asked for? */
static enum sp_status
check_done(const struct sp_stmt_done *done, unsigned klass, struct sp_span certds, struct sp_why *why)
{
	static const struct sp_hash none;
	bool has_receipt = !sp_hash_eq(&done->receipt, &none);

	if (has_receipt != (klass != SP_RECEIPT_NONE))
		return sp_fail(SP_E_RECEIPT, why, "a delivery of class %s was ended %s receipt",
		    sp_receipt_class_text(klass), has_receipt ? "with a" : "without");
	if (klass != SP_RECEIPT_POSTMARKED && klass != SP_RECEIPT_CERTIFIED) {
		if (done->certd.n > 0)
			return sp_fail(SP_E_RECEIPT, why, "a delivery of class %s names a certd",
			    sp_receipt_class_text(klass));
		return SP_OK;
	}
	if (done->certd.n == 0 || (!sp_span_eq(done->certd, sp_offer_service(certds, 0)) &&
	    !sp_span_eq(done->certd, sp_offer_service(certds, 1))))
		return sp_fail(SP_E_RECEIPT, why, "the recipient chose no certd that the offer names");
	return SP_OK;
}

enum sp_status
sp_done_open(struct sp_span statement, struct sp_span signature, const struct sp_identity *signer,
    const struct sp_hash *offer, unsigned klass, struct sp_span certds, struct sp_stmt_done *ret_done,
    struct sp_why *why)
{
	struct sp_stmt_done done;
	enum sp_status st;

	st = sp_statement_open(SP_STMT_DONE, statement, signature, signer, NULL, &done, why);
	if (st != SP_OK || (st = check_offer(&done.offer, offer, "end", why)) != SP_OK ||
	    (st = check_done(&done, klass, certds, why)) != SP_OK)
		return st;
	*ret_done = done;
	return SP_OK;
}

enum sp_status
sp_trailer_open(struct sp_span statement, struct sp_span signature, const struct sp_identity *signer,
    const struct sp_hash *offer, const struct sp_hash *manifest, struct sp_stmt_trailer *ret_trailer,
    struct sp_hash *ret_hash, struct sp_why *why)
{
	struct sp_stmt_trailer trailer;
	enum sp_status st;

	st = sp_statement_open(SP_STMT_TRAILER, statement, signature, signer, NULL, &trailer, why);
	if (st != SP_OK || (st = check_offer(&trailer.offer, offer, "trailer", why)) != SP_OK)
		return st;
	if (!sp_hash_eq(&trailer.manifest, manifest))
		return sp_fail(SP_E_MISMATCH, why, "the trailer names another manifest than the offer");
	*ret_trailer = trailer;
	sp_statement_hash(statement, ret_hash);
	return SP_OK;
}
