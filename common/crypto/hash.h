/*
 * hash.h - SHA-256 in one go or as bytes pass, and HKDF-SHA256 (RFC 5869).
 */
#ifndef SP_CRYPTO_HASH_H
#define SP_CRYPTO_HASH_H

#include "common/base/auto.h"
#include "common/base/span.h"
#include "common/base/status.h"

/* SHA-256 of bytes. */
void sp_sha256(struct sp_span bytes, struct sp_hash *out);

/* SHA-256 of several spans in order. */
void sp_sha256_parts(const struct sp_span *parts, size_t count, struct sp_hash *out);

/* A running SHA-256. One thread at a time. NULL when out of memory. */
struct sp_hasher;
struct sp_hasher *sp_hasher_new(void);
void sp_hasher_free(struct sp_hasher *h);
SP_AUTO_DEFINE(sp_hasher);
void sp_hasher_reset(struct sp_hasher *h);
void sp_hasher_add(struct sp_hasher *h, const void *p, size_t n);
void sp_hasher_end(struct sp_hasher *h, struct sp_hash *out);	/* reset before the next use */

/* HKDF-SHA256: extract and expand to n <= 255*32 bytes. */
void sp_hkdf(struct sp_span salt, struct sp_span secret, struct sp_span info, void *out, size_t n);
void sp_hkdf_extract(struct sp_span salt, struct sp_span secret, uint8_t out[32]);
void sp_hkdf_expand(const uint8_t prk[32], struct sp_span info, void *out, size_t n);

/* HMAC-SHA256 of bytes, and of several spans in order. */
void sp_hmac(struct sp_span key, struct sp_span bytes, uint8_t out[32]);
void sp_hmac_parts(struct sp_span key, const struct sp_span *parts, size_t count, uint8_t out[32]);

#endif
