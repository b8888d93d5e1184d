/*
 * postmark.c - postmark.txt: twelve lines in one form; and the proof that a receipt was postmarked.
 */
#include "common/statements/postmark.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/crypto/cms.h"
#include "common/crypto/tsa.h"
#include "common/statements/lines.h"

#define FIRST_LINE "sealpost-postmark 1"

static const char *const payments[] = { [SP_PAYMENT_FREE] = "free", [SP_PAYMENT_PAID] = "paid",
    [SP_PAYMENT_PENDING] = "pending", [SP_PAYMENT_CONFLICT] = "conflict" };

const char *
sp_payment_text(unsigned payment)
{
	return payment >= SP_PAYMENT_FREE && payment <= SP_PAYMENT_CONFLICT ? payments[payment] : "unknown";
}

unsigned
sp_payment_from_text(struct sp_span text)
{
	for (unsigned i = SP_PAYMENT_FREE; i <= SP_PAYMENT_CONFLICT; i++)
		if (sp_span_eq(text, sp_span_str(payments[i])))
			return i;
	return 0;
}

/* ---- the text ---- */

/* Can all of it be written? */
static bool
is_writable(const struct sp_postmark *p)
{
	return lines_is_station(&p->certd) && strcmp(p->certd.person, "certd") == 0 &&
	    p->klass >= SP_RECEIPT_POSTMARKED && p->klass <= SP_RECEIPT_CERTIFIED && lines_is_station(&p->sender) &&
	    lines_is_station(&p->recipient) && p->received_s <= LINES_LAST_SECOND && p->ended_s <= p->received_s &&
	    p->payment >= SP_PAYMENT_FREE && p->payment <= SP_PAYMENT_CONFLICT;
}

enum sp_status
sp_postmark_encode(const struct sp_postmark *p, struct sp_buf *out, struct sp_why *why)
{
	size_t at = out->len;
	char id[SP_ID_TEXT], name[SP_NAME_TEXT], time[SP_TIME_TEXT];

	if (!is_writable(p))
		return sp_fail(SP_E_RANGE, why, "a value of the postmark is out of its range");
	sp_buf_add_text(out, FIRST_LINE "\n");
	sp_buf_addf(out, "number %s\n", sp_id_text(&p->number, id));
	sp_buf_addf(out, "certd %s\n", sp_name_text(&p->certd, name));
	sp_buf_addf(out, "class %s\n", sp_receipt_class_text(p->klass));
	sp_buf_addf(out, "transfer %s\n", sp_id_text(&p->transfer, id));
	sp_buf_addf(out, "sender %s\n", sp_name_text(&p->sender, name));
	sp_buf_addf(out, "recipient %s\n", sp_name_text(&p->recipient, name));
	lines_add_hash(out, "receipt", &p->receipt);
	sp_buf_addf(out, "received %s\n", sp_clock_text(p->received_s * 1000, time));
	if (p->ended_s > 0)
		sp_buf_addf(out, "certificate ended %s\n", sp_clock_text(p->ended_s * 1000, time));
	else
		sp_buf_add_text(out, "certificate in-force\n");
	lines_add_number(out, "status-list", p->status_list);
	sp_buf_addf(out, "payment %s\n", sp_payment_text(p->payment));
	if (sp_buf_status(out) == SP_OK && out->len - at > SP_POSTMARK_TEXT_MAX)
		return sp_fail(SP_E_LONG, why, "a postmark is at most %d bytes", SP_POSTMARK_TEXT_MAX);
	return sp_buf_status(out);
}

/* "certificate in-force", or "certificate ended" and when. */
static void
take_standing(struct lines *in, uint64_t *out_s)
{
	static const char in_force[] = "certificate in-force\n";

	if (!in->bad && in->left.n >= sizeof(in_force) - 1 &&
	    memcmp(in->left.p, in_force, sizeof(in_force) - 1) == 0) {
		(void)lines_take(in, "certificate");
		return;
	}
	lines_take_time(in, "certificate ended", out_s);
	lines_must(in, *out_s > 0);
}

static void
take_all(struct lines *in, struct sp_postmark *p)
{
	lines_take_id(in, "number", &p->number);
	lines_take_name(in, "certd", &p->certd);
	p->klass = (uint8_t)sp_receipt_class_from_text(lines_take(in, "class"));
	lines_must(in, p->klass >= SP_RECEIPT_POSTMARKED);
	lines_take_id(in, "transfer", &p->transfer);
	lines_take_name(in, "sender", &p->sender);
	lines_take_name(in, "recipient", &p->recipient);
	lines_take_hash(in, "receipt", &p->receipt);
	lines_take_time(in, "received", &p->received_s);
	take_standing(in, &p->ended_s);
	lines_take_number(in, "status-list", UINT64_MAX, &p->status_list);
	p->payment = (uint8_t)sp_payment_from_text(lines_take(in, "payment"));
	lines_must(in, p->payment != 0);
}

enum sp_status
sp_postmark_parse(struct sp_span text, struct sp_postmark *ret_postmark, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct lines in = { .left = text };
	struct sp_postmark p = { .payment = 0 };
	struct sp_span version;

	if (text.n > SP_POSTMARK_TEXT_MAX)
		return sp_fail(SP_E_LONG, why, "a postmark of %zu bytes, at most %d", text.n, SP_POSTMARK_TEXT_MAX);
	version = lines_take(&in, "sealpost-postmark");
	if (in.bad)
		return sp_fail(SP_E_FORMAT, why, "this is no postmark");
	if (!sp_span_eq(version, sp_span_str("1")))
		return sp_fail(SP_E_VERSION, why, "a postmark of a form that is not known here");
	take_all(&in, &p);
	if (in.bad)
		return sp_fail(SP_E_FORMAT, why, "line %u of the postmark is not right", in.number);
	if (sp_postmark_encode(&p, &again, why) != SP_OK || !sp_span_eq(text, sp_buf_span(&again)))
		return sp_fail(SP_E_FORMAT, why, "the postmark is not written in its one form");
	*ret_postmark = p;
	return SP_OK;
}

/* ---- standing and proof ---- */

enum sp_status
sp_postmark_standing(const struct sp_identity *id, uint64_t now_s, uint64_t *ret_ended_s, struct sp_why *why)
{
	char name[SP_NAME_TEXT];
	int64_t now = (int64_t)now_s;

	if (now < id->not_before)
		return sp_fail(SP_E_CERT_EXPIRED, why, "the certificate of %s has not begun", sp_identity_text(id, name));
	if (now - (int64_t)SP_CERT_AFTER_DAYS * 86400 > id->not_after)
		return sp_fail(SP_E_CERT_EXPIRED, why, "the certificate of %s ended more than %d days ago",
		    sp_identity_text(id, name), SP_CERT_AFTER_DAYS);
	*ret_ended_s = now >= id->not_after ? (uint64_t)id->not_after : 0;
	return SP_OK;
}

enum sp_status
sp_receipt_open(struct sp_span p7m, const struct sp_trust *trust, uint64_t judge_ms, struct sp_receipt *ret_receipt,
    struct sp_buf *ret_cert, struct sp_identity *ret_recipient, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	char signer[SP_NAME_TEXT], named[SP_NAME_TEXT];
	enum sp_status st;

	if ((st = sp_cms_verify(p7m, trust, judge_ms, &text, ret_cert, ret_recipient, why)) != SP_OK)
		return st;
	sp_identity_text(ret_recipient, signer);
	if (ret_recipient->role != SP_ROLE_STATION)
		return sp_fail(SP_E_ROLE, why, "%s may not sign a receipt", signer);
	if ((st = sp_receipt_parse(sp_buf_span(&text), ret_receipt, why)) != SP_OK)
		return st;
	sp_name_text(&ret_receipt->recipient, named);
	if (strcmp(signer, named) != 0 || !sp_hash_eq(&ret_receipt->recipient_cert, &ret_recipient->hash))
		return sp_fail(SP_E_IDENTITY, why, "the receipt of %s was signed by %s", named, signer);
	return SP_OK;
}

void
sp_postmark_proof_done(struct sp_postmark_proof *proof)
{
	sp_buf_done(&proof->recipient_cert);
	sp_buf_done(&proof->certd_cert);
	sp_buf_done(&proof->tsa_cert);
}

/* postmark.p7m: signed by the certd that it names, before the token. */
static enum sp_status
check_postmark(const struct sp_postmark_parts *parts, const struct sp_trust *trust, struct sp_postmark_proof *p,
    struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	char signer[SP_NAME_TEXT], named[SP_NAME_TEXT];
	struct sp_hash receipt;
	enum sp_status st;

	st = sp_cms_verify(parts->postmark_p7m, trust, p->token_s * 1000, &text, &p->certd_cert, &p->certd, why);
	if (st != SP_OK)
		return st;
	sp_identity_text(&p->certd, signer);
	if (p->certd.role != SP_ROLE_CERTD)
		return sp_fail(SP_E_ROLE, why, "%s may not sign a postmark", signer);
	if ((st = sp_postmark_parse(sp_buf_span(&text), &p->postmark, why)) != SP_OK)
		return st;
	sp_name_text(&p->postmark.certd, named);
	if (strcmp(signer, named) != 0)
		return sp_fail(SP_E_IDENTITY, why, "the postmark of %s was signed by %s", named, signer);
	sp_sha256(parts->receipt_p7m, &receipt);
	if (!sp_hash_eq(&receipt, &p->postmark.receipt))
		return sp_fail(SP_E_RECEIPT, why, "the postmark is of another receipt");
	if (p->postmark.received_s > p->token_s)
		return sp_fail(SP_E_RECEIPT, why, "the postmark is later than its time-stamp");
	return SP_OK;
}

static bool
same_name(const struct sp_name *a, const struct sp_name *b)
{
	char left[SP_NAME_TEXT], right[SP_NAME_TEXT];

	return strcmp(sp_name_text(a, left), sp_name_text(b, right)) == 0;
}

/* receipt.p7m: as the postmark says, by a certificate that stood as it says. */
static enum sp_status
check_receipt(const struct sp_postmark_parts *parts, const struct sp_trust *trust, struct sp_postmark_proof *p,
    struct sp_why *why)
{
	const struct sp_postmark *m = &p->postmark;
	uint64_t ended_s;
	enum sp_status st;

	st = sp_receipt_open(parts->receipt_p7m, trust, sp_postmark_judge_ms(m->received_s, m->ended_s), &p->receipt,
	    &p->recipient_cert, &p->recipient, why);
	if (st != SP_OK || (st = sp_postmark_standing(&p->recipient, m->received_s, &ended_s, why)) != SP_OK)
		return st;
	if (ended_s != m->ended_s)
		return sp_fail(SP_E_CERT, why, "the recipient's certificate does not stand as the postmark says");
	if (!sp_id_eq(&m->transfer, &p->receipt.transfer) || m->klass != p->receipt.klass ||
	    !same_name(&m->sender, &p->receipt.sender) || !same_name(&m->recipient, &p->receipt.recipient))
		return sp_fail(SP_E_RECEIPT, why, "the postmark states another delivery than the receipt");
	return SP_OK;
}

enum sp_status
sp_postmark_verify(const struct sp_postmark_parts *parts, const struct sp_trust *trust,
    struct sp_postmark_proof *ret_proof, struct sp_why *why)
{
	uint64_t token_ms;
	enum sp_status st;

	st = sp_tsa_verify(parts->postmark_tsr, parts->postmark_p7m, trust, &token_ms, &ret_proof->tsa_cert,
	    &ret_proof->tsa, why);
	if (st != SP_OK)
		return st;
	ret_proof->token_s = token_ms / 1000;
	if ((st = check_postmark(parts, trust, ret_proof, why)) != SP_OK)
		return st;
	return check_receipt(parts, trust, ret_proof, why);
}
