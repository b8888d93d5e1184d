/*
 * cms.c - texts signed by stations and services: SignedData of plain data in our one form.
 */
#include "common/crypto/cms.h"

#include "common/crypto/signed.h"

#define OID_DATA DER_LITERAL("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")

enum sp_status
sp_cms_sign(const struct sp_key *key, struct sp_span cert_der, struct sp_span text, struct sp_buf *out,
    struct sp_why *why)
{
	struct signed_form form = { .type = OID_DATA, .version = 1, .content = text, .cert = cert_der };

	return signed_make(&form, key, out, why);
}

enum sp_status
sp_cms_verify(struct sp_span der, const struct sp_trust *trust, uint64_t wall_ms, struct sp_buf *ret_text,
    struct sp_buf *ret_cert, struct sp_identity *ret_signer, struct sp_why *why)
{
	struct signed_form form;
	enum sp_status st;

	if ((st = signed_read(der, OID_DATA, 1, &form, why)) != SP_OK ||
	    (st = sp_trust_check(trust, form.cert, wall_ms, ret_signer, why)) != SP_OK)
		return st;
	sp_buf_add_span(ret_text, form.content);
	sp_buf_add_span(ret_cert, form.cert);
	return sp_buf_status(ret_text) != SP_OK ? sp_buf_status(ret_text) : sp_buf_status(ret_cert);
}

enum sp_status
sp_cms_cert(struct sp_span der, struct sp_buf *ret_cert, struct sp_why *why)
{
	struct signed_form form;
	enum sp_status st = signed_read(der, OID_DATA, 1, &form, why);

	if (st != SP_OK)
		return st;
	sp_buf_add_span(ret_cert, form.cert);
	return sp_buf_status(ret_cert);
}
