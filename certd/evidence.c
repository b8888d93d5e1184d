/*
 * evidence.c - receipt, offer, certificates and frank of one delivery, held against each other.
 */
#include "certd/evidence.h"

#include <stdio.h>

#include "common/crypto/cms.h"

/* A certificate that may have ended a while ago: who it is. */
static enum sp_status
check_cert(struct sp_span der, const struct sp_trust *trust, uint64_t now_s, struct sp_identity *ret_id,
    uint64_t *ret_ended_s, struct sp_why *why)
{
	enum sp_status st;

	if ((st = sp_identity_read(der, ret_id, why)) != SP_OK ||
	    (st = sp_postmark_standing(ret_id, now_s, ret_ended_s, why)) != SP_OK)
		return st;
	return sp_trust_check(trust, der, sp_postmark_judge_ms(now_s, *ret_ended_s), ret_id, why);
}

static bool
same_station(const struct sp_name *name, const struct sp_identity *id)
{
	char left[SP_NAME_TEXT], right[SP_NAME_TEXT];

	return id->role == SP_ROLE_STATION && strcmp(sp_name_text(name, left), sp_identity_text(id, right)) == 0;
}

/* The receipt, from its recipient. */
static enum sp_status
check_receipt(const struct sp_msg_postmark *msg, const struct sp_identity *peer, const struct sp_trust *trust,
    uint64_t now_s, struct evidence *e, struct sp_identity *ret_recipient, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	enum sp_status st;

	if ((st = sp_cms_cert(msg->receipt, &cert, why)) != SP_OK ||
	    (st = check_cert(sp_buf_span(&cert), trust, now_s, ret_recipient, &e->ended_s, why)) != SP_OK)
		return st;
	st = sp_receipt_open(msg->receipt, trust, sp_postmark_judge_ms(now_s, e->ended_s), &e->receipt, &cert,
	    ret_recipient, why);
	if (st != SP_OK)
		return st;
	if (!same_station(&e->receipt.recipient, peer))
		return sp_fail(SP_E_PERMISSION, why, "only the recipient hands its receipt in");
	if (e->receipt.klass != SP_RECEIPT_POSTMARKED)
		return sp_fail(SP_E_ARGUMENT, why, "a receipt of class %s is not postmarked here",
		    sp_receipt_class_text(e->receipt.klass));
	sp_sha256(msg->receipt, &e->receipt_hash);
	return SP_OK;
}

static void
serials_text(const struct sp_frank *frank, struct evidence *e)
{
	size_t f = 0, c = 0;

	for (size_t i = 0; i < frank->count; i++) {
		f += (size_t)snprintf(e->firsts + f, sizeof(e->firsts) - f, "%s%u", i > 0 ? "," : "",
		    (unsigned)frank->serials[i].first);
		c += (size_t)snprintf(e->counts + c, sizeof(e->counts) - c, "%s%u", i > 0 ? "," : "",
		    (unsigned)frank->serials[i].count);
	}
}

static bool
serials_fit(const struct sp_frank *frank)
{
	for (size_t i = 0; i < frank->count; i++)
		if (frank->serials[i].first > INT32_MAX || frank->serials[i].count > SP_SHEET_SERIALS)
			return false;
	return true;
}

/* Whether the frank may pay: all but its sheet, which is creditd's. */
static void
check_frank(const struct sp_msg_postmark *msg, const struct sp_stmt_offer *offer, const struct sp_identity *sender,
    struct evidence *e)
{
	struct sp_frank frank;

	if (msg->frank.n == 0 && msg->frank_signature.n == 0)
		return;
	e->has_frank = msg->frank.n > 0 && msg->frank_signature.n == SP_SIGNATURE;
	if (!e->has_frank) {
		sp_why_set(&e->unfit, "half a frank");
		return;
	}
	if (sp_frank_open(msg->frank, msg->frank_signature, sender, &frank, &e->unfit) != SP_OK) {
		if (e->unfit.text[0] == '\0')
			sp_why_set(&e->unfit, "the frank cannot be read");
		return;
	}
	if (!sp_hash_eq(&frank.offer, &e->offer_hash))
		sp_why_set(&e->unfit, "the frank is for another offer");
	else if (!sp_hash_eq(&frank.recipient_cert, &offer->recipient_cert))
		sp_why_set(&e->unfit, "the frank is for another recipient");
	else if (frank.bytes != offer->bytes || frank.price != offer->price)
		sp_why_set(&e->unfit, "the frank's price is not that of the delivery");
	else if (!serials_fit(&frank))
		sp_why_set(&e->unfit, "no sheet has such serials");
	else
		e->unfit.text[0] = '\0';
	e->sheet = frank.sheet;
	serials_text(&frank, e);
}

enum sp_status
evidence_check(const struct sp_msg_postmark *msg, const struct sp_identity *peer, const struct sp_trust *trust,
    uint64_t now_s, struct evidence *ret_evidence, struct sp_why *why)
{
	struct evidence *e = ret_evidence;
	struct sp_identity recipient, sender;
	struct sp_stmt_offer offer;
	uint64_t sender_ended_s;
	enum sp_status st;

	*e = (struct evidence){ .ended_s = 0 };
	if ((st = check_receipt(msg, peer, trust, now_s, e, &recipient, why)) != SP_OK ||
	    (st = check_cert(msg->sender_cert, trust, now_s, &sender, &sender_ended_s, why)) != SP_OK)
		return st;
	st = sp_statement_open(SP_STMT_OFFER, msg->offer, msg->offer_signature, &sender, sp_trust_domain(trust), &offer,
	    why);
	if (st != SP_OK || (st = sp_offer_check(&offer, why)) != SP_OK)
		return st;
	sp_statement_hash(msg->offer, &e->offer_hash);
	if ((st = sp_receipt_fits(&e->receipt, &offer, &e->offer_hash, &sender, &recipient, NULL, why)) != SP_OK)
		return st;
	e->price = offer.price;
	e->return_port = offer.return_port;
	memcpy(e->return_host, offer.return_host.p != NULL ? (const char *)offer.return_host.p : "", offer.return_host.n);
	check_frank(msg, &offer, &sender, e);
	return SP_OK;
}
