/*
 * challenge.h - does whoever asks to be certified hold the keys? Two nonces, one sealed to each X25519 key, answered
 * by a signature under the P-256 key. Pure functions but for the randomness of the seals.
 *
 * Nothing is remembered between question and answer: the nonces are derived from a secret of this process, the TLS
 * exporter of the connection and the keys, so they are good on that connection and for those keys only.
 */
#ifndef KEYD_CHALLENGE_H
#define KEYD_CHALLENGE_H

#include "common/statements/enrol.h"

#define CHALLENGE_NONCE 32
#define CHALLENGE_SEALED (32 + CHALLENGE_NONCE + 16)	/* enc and what HPKE made of a nonce */

/* The nonces for these keys on the connection of this exporter. */
void challenge_nonces(const uint8_t secret[32], const uint8_t exporter[32], const uint8_t letter_key[SP_X25519],
    const uint8_t age_key[SP_X25519], uint8_t ret_letter[CHALLENGE_NONCE], uint8_t ret_age[CHALLENGE_NONCE]);

/* Seals the nonces, one to each key. SP_E_SEAL for a key that nothing can be sealed to. */
SP_MUST_CHECK enum sp_status challenge_seal(const uint8_t secret[32], const uint8_t exporter[32],
    const uint8_t letter_key[SP_X25519], const uint8_t age_key[SP_X25519], uint8_t ret_letter[CHALLENGE_SEALED],
    uint8_t ret_age[CHALLENGE_SEALED]);

/* Checks the proof and gives the request's identity. SP_E_SIGNATURE with the reason. */
SP_MUST_CHECK enum sp_status challenge_check(const uint8_t secret[32], const uint8_t exporter[32],
    const struct sp_enrol_keys *keys, const uint8_t proof[SP_SIGNATURE], struct sp_hash *ret_request,
    struct sp_why *why);

#endif
