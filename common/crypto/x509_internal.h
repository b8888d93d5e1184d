/*
 * x509_internal.h - what the files that make, read and check certificates share. Internal to common/crypto.
 */
#ifndef SP_CRYPTO_X509_INTERNAL_H
#define SP_CRYPTO_X509_INTERNAL_H

#include "common/crypto/der.h"
#include "common/crypto/x509.h"

/* Extension contents of fixed form (the DER inside the OCTET STRING). */
#define FORM_BASIC_ROOT DER_LITERAL("\x30\x06\x01\x01\xff\x02\x01\x01")	/* CA, path length 1 */
#define FORM_BASIC_ISSUER DER_LITERAL("\x30\x06\x01\x01\xff\x02\x01\x00")	/* CA, path length 0 */
#define FORM_USAGE_CA DER_LITERAL("\x03\x02\x01\x06")		/* keyCertSign, cRLSign */
#define FORM_USAGE_LEAF DER_LITERAL("\x03\x02\x06\xc0")		/* digitalSignature, nonRepudiation */
#define FORM_PURPOSE_TSA DER_LITERAL("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08")	/* timeStamping */

/* Everything in front of the point in the SubjectPublicKeyInfo of a P-256 key. */
#define X509_P256_HEAD DER_LITERAL("\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03" \
	"\x01\x07\x03\x42\x00")

/* The private extension: its content is an OCTET STRING of the format number, two X25519 keys and the licence serial. */
#define X509_OWN_FORMAT 1
#define X509_SERIAL_MAX 32

/* The extensions we know, with whether they must be critical. */
enum x509_ext { EXT_BASIC, EXT_USAGE, EXT_SAN, EXT_PURPOSE, EXT_SKID, EXT_AKID, EXT_CONSTRAINTS, EXT_OWN,
	EXT_COUNT };
struct x509_ext_row {
	struct sp_span oid;	/* whole */
	bool critical;
};
extern const struct x509_ext_row x509_exts[EXT_COUNT];

/* A certificate taken apart; spans are borrowed from its bytes. An extension that is not there has p == NULL. */
struct x509_view {
	struct sp_span tbs, issuer, subject;	/* whole elements */
	struct sp_span ext[EXT_COUNT];		/* contents */
	uint8_t serial[16];
	int64_t not_before, not_after;
	uint8_t public_key[SP_P256_PUBLIC];
	uint8_t signature[SP_SIGNATURE];
};

/* Takes a certificate apart: strict DER, v3, P-256, ECDSA with SHA-256, no unknown critical extension. SP_E_CERT. */
SP_MUST_CHECK enum sp_status x509_view(struct sp_span der, struct x509_view *ret_view, struct sp_why *why);

/* "spiffe://domain/u/PERSON/d/STATION" or "spiffe://domain/s/ROLE/NAME". */
#define X509_URI_TEXT 160
const char *x509_uri(const struct sp_identity *id, char out[X509_URI_TEXT]);

/* Reads such a URI into role, name and service; SP_E_CERT if any byte of it is not as x509_uri() writes it. */
SP_MUST_CHECK enum sp_status x509_read_uri(struct sp_span uri, struct sp_identity *id);

/* The content of the critical name constraints of a domain's issuing CA. */
void x509_add_constraints(struct sp_buf *b, const char *domain);

/* The content of an AKID or SKID: 20 bytes of the SHA-256 of the public key (RFC 7093). */
void x509_key_id(const uint8_t public_key[SP_P256_PUBLIC], uint8_t out[20]);

/* Whether text is a domain as limits.h and text.h want it. */
bool x509_is_domain(const char *text);

#endif
