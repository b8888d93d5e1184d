/*
 * signed.c - SignedData written by our own DER writer and read by writing it again: what is not byte for byte what we would
 * have written is refused, so nothing in it can be changed or added unnoticed.
 */
#include "common/crypto/signed.h"

#include "common/crypto/hash.h"

#define PKCS9 "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define OID_SIGNED_DATA DER_LITERAL("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
#define OID_CONTENT_TYPE DER_LITERAL("\x06\x09" PKCS9 "\x03")
#define OID_MESSAGE_DIGEST DER_LITERAL("\x06\x09" PKCS9 "\x04")
#define OID_SIGNING_CERT DER_LITERAL("\x06\x0b" PKCS9 "\x10\x02\x2f")

/* Attribute { type, SET { value } }: opened here, closed by attribute_end(). */
struct attribute {
	size_t whole, values;
};

static struct attribute
attribute_begin(struct sp_buf *b, struct sp_span oid)
{
	struct attribute a;

	a.whole = sp_der_open(b, DER_SEQUENCE);
	sp_buf_add_span(b, oid);
	a.values = sp_der_open(b, DER_SET);
	return a;
}

static void
attribute_end(struct sp_buf *b, struct attribute a)
{
	sp_der_close(b, a.values);
	sp_der_close(b, a.whole);
}

/* The signed attributes, under the tag SET as they are signed or [0] as they stand. Shortest first: that is DER's order. */
static void
add_attributes(struct sp_buf *b, const struct signed_form *f, uint8_t tag)
{
	size_t set = sp_der_open(b, tag), levels[3];
	struct attribute a = attribute_begin(b, OID_CONTENT_TYPE);
	struct sp_hash hash;

	sp_buf_add_span(b, f->type);
	attribute_end(b, a);
	a = attribute_begin(b, OID_MESSAGE_DIGEST);
	sp_sha256(f->content, &hash);
	sp_der_add(b, DER_OCTETS, sp_span(hash.b, sizeof(hash.b)));
	attribute_end(b, a);
	a = attribute_begin(b, OID_SIGNING_CERT);
	for (size_t i = 0; i < 3; i++)
		levels[i] = sp_der_open(b, DER_SEQUENCE);
	sp_sha256(f->cert, &hash);
	sp_der_add(b, DER_OCTETS, sp_span(hash.b, sizeof(hash.b)));
	for (size_t i = 3; i > 0; i--)
		sp_der_close(b, levels[i - 1]);
	attribute_end(b, a);
	sp_der_close(b, set);
}

static void
add_signer(struct sp_buf *b, const struct signed_form *f, const struct x509_view *cert)
{
	size_t info = sp_der_open(b, DER_SEQUENCE), sid, octets;

	sp_buf_add_span(b, DER_LITERAL("\x02\x01\x01"));
	sid = sp_der_open(b, DER_SEQUENCE);
	sp_buf_add_span(b, cert->issuer);
	sp_der_add_uint(b, cert->serial, sizeof(cert->serial));
	sp_der_close(b, sid);
	sp_buf_add_span(b, DER_ALG_SHA256);
	add_attributes(b, f, DER_EXPLICIT(0));
	sp_buf_add_span(b, DER_ALG_ECDSA_SHA256);
	octets = sp_der_open(b, DER_OCTETS);
	sp_der_add_signature(b, f->signature);
	sp_der_close(b, octets);
	sp_der_close(b, info);
}

static void
write_form(struct sp_buf *b, const struct signed_form *f, const struct x509_view *cert)
{
	size_t info = sp_der_open(b, DER_SEQUENCE), outer, data, inner, explicit_content;

	sp_buf_add_span(b, OID_SIGNED_DATA);
	outer = sp_der_open(b, DER_EXPLICIT(0));
	data = sp_der_open(b, DER_SEQUENCE);
	sp_der_add_uint(b, &f->version, 1);
	inner = sp_der_open(b, DER_SET);
	sp_buf_add_span(b, DER_ALG_SHA256);
	sp_der_close(b, inner);
	inner = sp_der_open(b, DER_SEQUENCE);
	sp_buf_add_span(b, f->type);
	explicit_content = sp_der_open(b, DER_EXPLICIT(0));
	sp_der_add(b, DER_OCTETS, f->content);
	sp_der_close(b, explicit_content);
	sp_der_close(b, inner);
	sp_der_add(b, DER_EXPLICIT(0), f->cert);
	inner = sp_der_open(b, DER_SET);
	add_signer(b, f, cert);
	sp_der_close(b, inner);
	sp_der_close(b, data);
	sp_der_close(b, outer);
	sp_der_close(b, info);
}

enum sp_status
signed_make(struct signed_form *form, const struct sp_key *key, struct sp_buf *out, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) attributes = { 0 };
	uint8_t public_key[SP_P256_PUBLIC];
	struct x509_view cert;
	enum sp_status st;

	if ((st = x509_view(form->cert, &cert, why)) != SP_OK)
		return st;
	sp_key_public(key, public_key);
	if (memcmp(public_key, cert.public_key, sizeof(public_key)) != 0)
		return sp_fail(SP_E_ARGUMENT, why, "the key is not that of the certificate");
	add_attributes(&attributes, form, DER_SET);
	if ((st = sp_buf_status(&attributes)) != SP_OK ||
	    (st = sp_sign(key, sp_buf_span(&attributes), form->signature)) != SP_OK)
		return sp_fail(st, why, "signing failed");
	write_form(out, form, &cert);
	return sp_buf_status(out);
}

/* Down to what varies; everything else is compared afterwards. */
static enum sp_status
take_apart(struct sp_span der, uint8_t version, struct signed_form *f)
{
	struct sp_cursor whole = sp_cursor(der), info = sp_der_enter(&whole, DER_SEQUENCE), outer, data, inner, signer;

	sp_der_expect(&info, OID_SIGNED_DATA);
	outer = sp_der_enter(&info, DER_EXPLICIT(0));
	data = sp_der_enter(&outer, DER_SEQUENCE);
	(void)sp_der_read(&data, DER_INTEGER);
	(void)sp_der_read(&data, DER_SET);
	inner = sp_der_enter(&data, DER_SEQUENCE);
	f->type = sp_der_read_whole(&inner, DER_OID);
	inner = sp_der_enter(&inner, DER_EXPLICIT(0));
	f->content = sp_der_read(&inner, DER_OCTETS);
	f->cert = sp_der_read(&data, DER_EXPLICIT(0));
	inner = sp_der_enter(&data, DER_SET);
	signer = sp_der_enter(&inner, DER_SEQUENCE);
	(void)sp_der_read(&signer, DER_INTEGER);
	(void)sp_der_read(&signer, DER_SEQUENCE);
	(void)sp_der_read(&signer, DER_SEQUENCE);
	(void)sp_der_read(&signer, DER_EXPLICIT(0));
	(void)sp_der_read(&signer, DER_SEQUENCE);
	inner = sp_der_enter(&signer, DER_OCTETS);
	sp_der_read_signature(&inner, f->signature);
	f->version = version;
	return signer.error != SP_OK || inner.error != SP_OK || data.error != SP_OK ? SP_E_FORMAT : SP_OK;
}

enum sp_status
signed_read(struct sp_span der, struct sp_span type, uint8_t version, struct signed_form *ret_form, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	SP_AUTO_DONE(sp_buf) attributes = { 0 };
	struct signed_form f = { 0 };
	struct x509_view cert;
	enum sp_status st;

	if (take_apart(der, version, &f) != SP_OK || !sp_span_eq(f.type, type))
		return sp_fail(SP_E_FORMAT, why, "it is not signed data of our form");
	if ((st = x509_view(f.cert, &cert, why)) != SP_OK)
		return st;
	write_form(&again, &f, &cert);
	add_attributes(&attributes, &f, DER_SET);
	if (sp_buf_status(&again) != SP_OK || sp_buf_status(&attributes) != SP_OK)
		return sp_fail(SP_E_NOMEM, why, "reading signed data");
	if (!sp_span_eq(sp_buf_span(&again), der))
		return sp_fail(SP_E_FORMAT, why, "it is not byte for byte the form that we write");
	if (sp_verify(cert.public_key, sp_buf_span(&attributes), f.signature) != SP_OK)
		return sp_fail(SP_E_SIGNATURE, why, "the signature is not that of the certificate in it");
	*ret_form = f;
	return SP_OK;
}
