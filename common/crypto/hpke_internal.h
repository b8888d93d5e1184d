/*
 * hpke_internal.h - sealing with a given ephemeral pair: for hpke.c and for the test with the RFC's vectors only. An
 * ephemeral pair used twice gives the content away.
 */
#ifndef SP_CRYPTO_HPKE_INTERNAL_H
#define SP_CRYPTO_HPKE_INTERNAL_H

#include "common/crypto/hpke.h"

/* As sp_hpke_seal(); ephemeral is the pair whose public key becomes enc. */
SP_MUST_CHECK enum sp_status sp_hpke_seal_with(const struct sp_x25519_pair *ephemeral,
    const struct sp_x25519_pair *sender, const uint8_t receiver[SP_X25519], struct sp_span info, struct sp_span aad,
    struct sp_span text, uint8_t *ret_enc, uint8_t *out);

#endif
