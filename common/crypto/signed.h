/*
 * signed.h - CMS SignedData (RFC 5652) in the one form that we write and accept: content attached, one signer by issuer and
 * serial number, its certificate alone, P-256 with SHA-256, and exactly the attributes content type, message digest and
 * signing-certificate-v2 (CAdES-BES). Internal to common/crypto; receipts and time-stamps are both of it.
 */
#ifndef SP_CRYPTO_SIGNED_H
#define SP_CRYPTO_SIGNED_H

#include "common/crypto/x509_internal.h"

/* What varies. Spans are borrowed; type is a whole OID. */
struct signed_form {
	struct sp_span type;
	uint8_t version;		/* of SignedData: 1 for plain data, 3 for anything else */
	struct sp_span content;
	struct sp_span cert;		/* DER of the signer's certificate */
	uint8_t signature[SP_SIGNATURE];
};

/* Signs form->content with the key of form->cert and appends the ContentInfo. Fills form->signature. */
SP_MUST_CHECK enum sp_status signed_make(struct signed_form *form, const struct sp_key *key, struct sp_buf *out,
    struct sp_why *why);

/* Reads a ContentInfo of this type and version: written anew from what was read, it must be the same bytes, and the signature
 * must be that of the certificate in it (which the caller has yet to check). Spans are borrowed from der. */
SP_MUST_CHECK enum sp_status signed_read(struct sp_span der, struct sp_span type, uint8_t version,
    struct signed_form *ret_form, struct sp_why *why);

#endif
