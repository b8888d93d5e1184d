/*
 * x509_view.c - takes a certificate apart by our own strict reader. Says nothing about who may have signed it.
 */
#include "common/crypto/x509_internal.h"

#define ID_CE(n) DER_INIT("\x06\x03\x55\x1d" n)

const struct x509_ext_row x509_exts[EXT_COUNT] = {
	[EXT_BASIC] = { ID_CE("\x13"), true },
	[EXT_USAGE] = { ID_CE("\x0f"), true },
	[EXT_SAN] = { ID_CE("\x11"), true },
	[EXT_PURPOSE] = { ID_CE("\x25"), true },
	[EXT_SKID] = { ID_CE("\x0e"), false },
	[EXT_AKID] = { ID_CE("\x23"), false },
	[EXT_CONSTRAINTS] = { ID_CE("\x1e"), true },
	/* 2.25.124776923779111995797868795838316501595 */
	[EXT_OWN] = { DER_INIT("\x06\x14\x69\x81\xbb\xdf\x94\xd4\x96\x87\xc2\xb8\xef\x97\xfc\xeb\x93\xa2\xf3\x95\xb4"
	    "\x5b"), false },
};

/* One Extension; an unknown one is skipped unless it is critical. */
static void
read_extension(struct sp_cursor *list, struct x509_view *v)
{
	struct sp_cursor in = sp_der_enter(list, DER_SEQUENCE);
	struct sp_span oid = sp_der_read_whole(&in, DER_OID), content;
	bool critical = sp_der_next_is(&in, DER_BOOLEAN);
	size_t i = 0;

	if (critical)
		sp_der_expect(&in, DER_LITERAL("\x01\x01\xff"));
	content = sp_der_read(&in, DER_OCTETS);
	sp_der_leave(list, &in);
	while (i < EXT_COUNT && !sp_span_eq(oid, x509_exts[i].oid))
		i++;
	if (i == EXT_COUNT ? critical : critical != x509_exts[i].critical || v->ext[i].p != NULL)
		sp_cursor_fail(list, SP_E_FORMAT);
	if (i < EXT_COUNT)
		v->ext[i] = content;
}

static void
read_tbs(struct sp_span tbs, struct sp_cursor *outer, struct x509_view *v)
{
	struct sp_cursor whole = sp_cursor(tbs), c = sp_der_enter(&whole, DER_SEQUENCE), in, list;

	sp_der_expect(&c, DER_LITERAL("\xa0\x03\x02\x01\x02"));		/* v3 */
	sp_der_read_uint(&c, v->serial, sizeof(v->serial));
	sp_der_expect(&c, DER_ALG_ECDSA_SHA256);
	v->issuer = sp_der_read_whole(&c, DER_SEQUENCE);
	in = sp_der_enter(&c, DER_SEQUENCE);
	v->not_before = sp_der_read_time(&in);
	v->not_after = sp_der_read_time(&in);
	sp_der_leave(&c, &in);
	v->subject = sp_der_read_whole(&c, DER_SEQUENCE);
	sp_der_expect(&c, X509_P256_HEAD);
	sp_cursor_copy(&c, v->public_key, sizeof(v->public_key));
	in = sp_der_enter(&c, DER_EXPLICIT(3));
	list = sp_der_enter(&in, DER_SEQUENCE);
	while (list.error == SP_OK && sp_cursor_left(&list) > 0)
		read_extension(&list, v);
	sp_der_leave(&in, &list);
	sp_der_leave(&c, &in);
	sp_der_leave(outer, &c);
}

enum sp_status
x509_view(struct sp_span der, struct x509_view *ret_view, struct sp_why *why)
{
	struct x509_view v = { 0 };
	struct sp_cursor whole = sp_cursor(der), c, bits;

	if (der.n == 0 || der.n > SP_CERT_MAX)
		return sp_fail(SP_E_CERT, why, "a certificate of %zu bytes, at most %d are allowed", der.n, SP_CERT_MAX);
	c = sp_der_enter(&whole, DER_SEQUENCE);
	v.tbs = sp_der_read_whole(&c, DER_SEQUENCE);
	if (c.error == SP_OK)
		read_tbs(v.tbs, &c, &v);
	sp_der_expect(&c, DER_ALG_ECDSA_SHA256);
	bits = sp_der_enter(&c, DER_BIT_STRING);
	sp_der_expect(&bits, DER_LITERAL("\x00"));	/* no unused bits */
	sp_der_read_signature(&bits, v.signature);
	sp_der_leave(&c, &bits);
	sp_der_leave(&whole, &c);
	if (sp_cursor_end(&whole) != SP_OK || v.public_key[0] != 4)
		return sp_fail(SP_E_CERT, why, "the certificate is not of our form (DER, X.509 v3, P-256, SHA-256)");
	*ret_view = v;
	return SP_OK;
}
