/*
 * receipt_verify.c - what a .receipt proves: every byte of it is either checked or made again and compared.
 */
#include <string.h>

#include "common/base/limits.h"
#include "common/packet/files_txt.h"
#include "common/statements/receipt_in.h"

#define PEM_END "-----END CERTIFICATE-----\n"
enum { ROOT, ISSUER, RECIPIENT, DIRECT_CERTS, CERTD = DIRECT_CERTS, TSA, POSTMARK_CERTS };

enum sp_status
sp_receipt_chain(const struct sp_span *certs, size_t count, struct sp_buf *out, struct sp_why *why)
{
	enum sp_status st;

	if (count < DIRECT_CERTS || count > SP_RECEIPT_CERTS)
		return sp_fail(SP_E_ARGUMENT, why, "a receipt has %d to %d certificates", DIRECT_CERTS,
		    SP_RECEIPT_CERTS);
	for (size_t i = 0; i < count; i++)
		if ((st = sp_x509_to_pem(certs[i], out)) != SP_OK)
			return sp_fail(st, why, "certificate %zu of the receipt cannot be written", i + 1);
	return SP_OK;
}

/* The certificates of chain.pem. */
struct chain {
	struct sp_buf der[SP_RECEIPT_CERTS];	/* owned */
	size_t count;
};

static void
chain_done(struct chain *c)
{
	for (size_t i = 0; i < SP_RECEIPT_CERTS; i++)
		sp_buf_done(&c->der[i]);
}
SP_AUTO_DONE_DEFINE(chain);

/* Splits chain.pem; what it holds, written again, must be the same bytes. */
static enum sp_status
read_chain(struct sp_span pem, struct chain *c, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_span certs[SP_RECEIPT_CERTS], left = pem;

	while (left.n > 0) {
		const uint8_t *end = memmem(left.p, left.n, PEM_END, sizeof(PEM_END) - 1);
		size_t n = end != NULL ? (size_t)(end - left.p) + sizeof(PEM_END) - 1 : left.n;

		if (end == NULL || c->count == SP_RECEIPT_CERTS ||
		    sp_x509_from_pem(sp_span(left.p, n), &c->der[c->count]) != SP_OK)
			return sp_fail(SP_E_FORMAT, why, "chain.pem is not 3 to %d certificates", SP_RECEIPT_CERTS);
		certs[c->count] = sp_buf_span(&c->der[c->count]);
		c->count++;
		left = sp_span(left.p + n, left.n - n);
	}
	if (sp_receipt_chain(certs, c->count, &again, why) != SP_OK || !sp_span_eq(pem, sp_buf_span(&again)))
		return sp_fail(SP_E_FORMAT, why, "chain.pem is not written in its one form");
	return SP_OK;
}

/* Root and issuing certificate as the trust of the recipient's domain; is the root one that the caller gave? */
static enum sp_status
make_trust(const struct chain *c, const struct sp_hash *roots, size_t root_count, struct sp_receipt_proof *proof,
    struct sp_trust **ret_trust, struct sp_why *why)
{
	SP_AUTO(sp_trust) *trust = NULL;
	struct sp_identity leaf;
	enum sp_status st;

	if ((st = sp_identity_read(sp_buf_span(&c->der[RECIPIENT]), &leaf, why)) != SP_OK ||
	    (st = sp_trust_new(leaf.name.domain, &trust)) != SP_OK ||
	    (st = sp_trust_add_root(trust, sp_buf_span(&c->der[ROOT]), why)) != SP_OK ||
	    (st = sp_trust_add_issuer(trust, sp_buf_span(&c->der[ISSUER]), why)) != SP_OK)
		return st;
	sp_sha256(sp_buf_span(&c->der[ROOT]), &proof->root);
	memcpy(proof->domain, leaf.name.domain, sizeof(proof->domain));
	for (size_t i = 0; i < root_count; i++)
		proof->root_pinned = proof->root_pinned || sp_hash_eq(&roots[i], &proof->root);
	if (root_count > 0 && !proof->root_pinned)
		return sp_fail(SP_E_CERT, why, "the receipt's root is not the one that is trusted for %s",
		    proof->domain);
	*ret_trust = sp_take(&trust);
	return SP_OK;
}

static enum sp_status
check_cert(const struct chain *c, size_t number, const struct sp_buf *used, struct sp_why *why)
{
	if (!sp_span_eq(sp_buf_span(used), sp_buf_span(&c->der[number])))
		return sp_fail(SP_E_CERT, why, "chain.pem holds another certificate than that of who signed");
	return SP_OK;
}

/* receipt.p7m: signed by the chain's leaf, a station, at the time that the receipt itself states. */
static enum sp_status
check_direct(const struct sp_receipt_parts *parts, const struct chain *c, const struct sp_trust *trust,
    struct sp_receipt_proof *proof, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	enum sp_status st;

	st = sp_receipt_open(parts->receipt_p7m, trust, parts->time_s * 1000, &proof->receipt, &cert,
	    &proof->recipient, why);
	if (st != SP_OK || (st = check_cert(c, RECIPIENT, &cert, why)) != SP_OK)
		return st;
	if (proof->receipt.received_s != parts->time_s)
		return sp_fail(SP_E_RECEIPT, why, "the receipt states another time than its file");
	return SP_OK;
}

/* receipt.p7m, postmark.p7m and postmark.tsr; the file's time is the token's. */
static enum sp_status
check_postmarked(const struct sp_receipt_parts *parts, const struct chain *c, const struct sp_trust *trust,
    struct sp_receipt_proof *proof, struct sp_why *why)
{
	SP_AUTO_DONE(sp_postmark_proof) p = { .token_s = 0 };
	const struct sp_postmark_parts three = { parts->receipt_p7m, parts->postmark_p7m, parts->postmark_tsr };
	enum sp_status st;

	if ((st = sp_postmark_verify(&three, trust, &p, why)) != SP_OK ||
	    (st = check_cert(c, RECIPIENT, &p.recipient_cert, why)) != SP_OK ||
	    (st = check_cert(c, CERTD, &p.certd_cert, why)) != SP_OK ||
	    (st = check_cert(c, TSA, &p.tsa_cert, why)) != SP_OK)
		return st;
	if (p.token_s != parts->time_s)
		return sp_fail(SP_E_RECEIPT, why, "the time-stamp states another time than the file");
	proof->receipt = p.receipt;
	proof->recipient = p.recipient;
	proof->postmark = p.postmark;
	proof->certd = p.certd;
	proof->tsa = p.tsa;
	proof->postmarked = true;
	return SP_OK;
}

/* files.txt: the list that receipt.txt names, and its numbers. */
static enum sp_status
check_files(struct sp_span text, const struct sp_receipt *receipt, struct sp_why *why)
{
	SP_AUTO(sp_files) *files = NULL;
	struct sp_hash hash;
	uint64_t changed = 0;
	bool fit;
	enum sp_status st;

	sp_sha256(text, &hash);
	if (!sp_hash_eq(&hash, &receipt->files_txt))
		return sp_fail(SP_E_RECEIPT, why, "files.txt is not the list that was signed");
	if ((st = sp_files_parse(text, &files, why)) != SP_OK ||
	    (st = sp_files_fit(files, receipt->bytes, &fit)) != SP_OK)
		return st;
	for (uint32_t i = 0; i < sp_files_count(files); i++)
		changed += sp_files_line(files, i).print.state == SP_PRINT_CHANGED;
	if (sp_files_count(files) != receipt->files || !fit || changed != receipt->changed)
		return sp_fail(SP_E_RECEIPT, why, "the receipt's numbers are not those of files.txt");
	return SP_OK;
}

enum sp_status
sp_receipt_verify(struct sp_span file, const struct sp_hash *roots, size_t root_count,
    struct sp_receipt_proof *ret_proof, struct sp_why *why)
{
	SP_AUTO_DONE(chain) chain = { 0 };
	SP_AUTO(sp_trust) *trust = NULL;
	struct sp_receipt_proof proof = { 0 };
	struct sp_receipt_parts parts;
	bool postmarked;
	enum sp_status st;

	if ((st = sp_receipt_file_read(file, &parts, why)) != SP_OK)
		return st;
	postmarked = parts.postmark_p7m.n > 0;
	if ((st = read_chain(parts.chain_pem, &chain, why)) != SP_OK)
		return st;
	if (chain.count != (postmarked ? POSTMARK_CERTS : DIRECT_CERTS))
		return sp_fail(SP_E_FORMAT, why, "chain.pem does not hold exactly the certificates that are used");
	if ((st = make_trust(&chain, roots, root_count, &proof, &trust, why)) != SP_OK ||
	    (st = (postmarked ? check_postmarked : check_direct)(&parts, &chain, trust, &proof, why)) != SP_OK ||
	    (st = check_files(parts.files_txt, &proof.receipt, why)) != SP_OK)
		return st;
	proof.time_s = parts.time_s;
	*ret_proof = proof;
	return SP_OK;
}
