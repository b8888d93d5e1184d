/*
 * sign.h - P-256 signing keys: ECDSA with SHA-256 (FIPS 186-4), signatures as 64 raw bytes r || s.
 */
#ifndef SP_CRYPTO_SIGN_H
#define SP_CRYPTO_SIGN_H

#include "common/base/auto.h"
#include "common/base/buf.h"

#define SP_SIGNATURE 64
#define SP_P256_PUBLIC 65	/* uncompressed point */

/* A private P-256 key. Read-only after it was made, so threads may share it. */
struct sp_key;

SP_MUST_CHECK enum sp_status sp_key_new(struct sp_key **ret_key);
void sp_key_free(struct sp_key *key);
SP_AUTO_DEFINE(sp_key);

/* PKCS#8 PEM, unencrypted (files of mode 0600), to and from a buffer (which should be secret). */
SP_MUST_CHECK enum sp_status sp_key_to_pem(const struct sp_key *key, struct sp_buf *out);
SP_MUST_CHECK enum sp_status sp_key_from_pem(struct sp_span pem, struct sp_key **ret_key, struct sp_why *why);

void sp_key_public(const struct sp_key *key, uint8_t ret_public[SP_P256_PUBLIC]);

/* Signs SHA-256(bytes). */
SP_MUST_CHECK enum sp_status sp_sign(const struct sp_key *key, struct sp_span bytes, uint8_t ret_signature[SP_SIGNATURE]);

/* SP_E_SIGNATURE if it does not verify (a point not on the curve included). */
SP_MUST_CHECK enum sp_status sp_verify(const uint8_t public_key[SP_P256_PUBLIC], struct sp_span bytes,
    const uint8_t signature[SP_SIGNATURE]);

#endif
