/*
 * evp.h - what the files of this folder, and the TLS file of common/net, share of OpenSSL: clean-up of its types,
 * algorithms fetched once, errors turned into ours. Nobody else includes it.
 */
#ifndef SP_CRYPTO_EVP_H
#define SP_CRYPTO_EVP_H

#include <openssl/bio.h>
#include <openssl/evp.h>

#include "common/crypto/sign.h"

/* SP_OSSL(BIO) *b = NULL; is freed when its scope ends, like SP_AUTO. */
#define SP_OSSL_DEFINE(type)                                                                   \
	static inline void sp_ossl_auto_##type(type **p) { type##_free(*p); }                  \
	struct sp_ossl_unused_##type
#define SP_OSSL(type) __attribute__((cleanup(sp_ossl_auto_##type))) type

static inline void sp_ossl_auto_BIO(BIO **p) { BIO_free_all(*p); }
SP_OSSL_DEFINE(EVP_PKEY);
SP_OSSL_DEFINE(EVP_PKEY_CTX);
SP_OSSL_DEFINE(EVP_CIPHER_CTX);
SP_OSSL_DEFINE(EVP_MD_CTX);

/* Fetched at the first call and kept (a fetch costs more than hashing a small input). The program ends if OpenSSL lacks
 * them: nothing can go on then. Any thread. */
const EVP_MD *sp_evp_sha256(void);
const EVP_CIPHER *sp_evp_chacha20_poly1305(void);

/* Like sp_fail(), with OpenSSL's own reason behind the text; empties OpenSSL's error queue (TLS would trip over it). */
enum sp_status sp_fail_openssl(enum sp_status st, struct sp_why *why, const char *text);

/* The key as OpenSSL's: borrowed, read-only, lives as long as the key. */
EVP_PKEY *sp_key_evp(const struct sp_key *key);

/* The public key of an uncompressed point as OpenSSL's; NULL if it is none on P-256. Owned by the caller. */
EVP_PKEY *sp_evp_p256_public(const uint8_t public_key[SP_P256_PUBLIC]);

#endif
