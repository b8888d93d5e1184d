/*
 * x25519.h - X25519 key pairs and agreement (RFC 7748).
 */
#ifndef SP_CRYPTO_X25519_H
#define SP_CRYPTO_X25519_H

#include "common/base/span.h"
#include "common/base/status.h"

#define SP_X25519 32

/* secret is wiped by the owner with sp_wipe(). */
struct sp_x25519_pair {
	uint8_t secret[SP_X25519];
	uint8_t public_key[SP_X25519];
};

/* A new pair; SP_E_LIBRARY if OpenSSL fails. */
SP_MUST_CHECK enum sp_status sp_x25519_new(struct sp_x25519_pair *ret_pair);

/* The public key of a secret one. */
SP_MUST_CHECK enum sp_status sp_x25519_public(const uint8_t secret[SP_X25519], uint8_t ret_public[SP_X25519]);

/* The shared secret; an all-zero result is refused with SP_E_SEAL. */
SP_MUST_CHECK enum sp_status sp_x25519(const uint8_t secret[SP_X25519], const uint8_t other[SP_X25519],
    uint8_t ret_shared[SP_X25519]);

#endif
