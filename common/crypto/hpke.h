/*
 * hpke.h - HPKE (RFC 9180), one-shot, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
 * mode_auth seals letters; mode_base seals what goes to somebody by a key only (challenges).
 */
#ifndef SP_CRYPTO_HPKE_H
#define SP_CRYPTO_HPKE_H

#include "common/crypto/x25519.h"

#define SP_HPKE_ENC 32
#define SP_HPKE_TAG 16

/* Seals n bytes of text into out[n + 16], and the ephemeral key into ret_enc. sender == NULL is mode_base, else mode_auth.
 * (The caller cannot put enc into the AAD before the call: ret_enc is written first, then the AAD is read, so aad may
 * point at memory that contains ret_enc.) */
SP_MUST_CHECK enum sp_status sp_hpke_seal(const struct sp_x25519_pair *sender, const uint8_t receiver[SP_X25519],
    struct sp_span info, struct sp_span aad, struct sp_span text, uint8_t *ret_enc, uint8_t *out);

/* Opens sealed (tag included) into out[sealed.n - 16]. sender == NULL is mode_base. SP_E_SEAL if it does not open. */
SP_MUST_CHECK enum sp_status sp_hpke_open(const struct sp_x25519_pair *receiver, const uint8_t *sender,
    struct sp_span info, struct sp_span aad, const uint8_t *enc, struct sp_span sealed, uint8_t *out);

#endif
