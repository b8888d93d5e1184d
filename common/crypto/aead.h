/*
 * aead.h - ChaCha20-Poly1305 (RFC 8439) with a context that is set up once a key and used many times.
 */
#ifndef SP_CRYPTO_AEAD_H
#define SP_CRYPTO_AEAD_H

#include "common/base/auto.h"
#include "common/base/span.h"
#include "common/base/status.h"

#define SP_AEAD_KEY 32
#define SP_AEAD_NONCE 12
#define SP_AEAD_TAG 16

/* One direction under one key; not shared between threads. */
struct sp_aead;

/* seal: true to seal, false to open. NULL when out of memory. The key is copied. */
struct sp_aead *sp_aead_new(const uint8_t key[SP_AEAD_KEY], bool seal);
void sp_aead_free(struct sp_aead *a);	/* wipes; NULL is fine */
SP_AUTO_DEFINE(sp_aead);

/* Seals n bytes at in (may equal out) into out[n + 16]. */
SP_MUST_CHECK enum sp_status sp_aead_seal(struct sp_aead *a, const uint8_t nonce[SP_AEAD_NONCE], struct sp_span aad,
    const void *in, size_t n, uint8_t *out);

/* Opens n bytes (tag included, n >= 16) at in (may equal out) into out[n - 16]; SP_E_SEAL and out wiped if it does not fit. */
SP_MUST_CHECK enum sp_status sp_aead_open(struct sp_aead *a, const uint8_t nonce[SP_AEAD_NONCE], struct sp_span aad,
    const void *in, size_t n, uint8_t *out);

/* The nonce of record number counter: 4 zero bytes, then the counter big-endian. */
void sp_aead_counter_nonce(uint64_t counter, uint8_t out[SP_AEAD_NONCE]);

#endif
