/*
 * enrol.h - what a station signs to be certified; keyd and peerd make the same bytes.
 */
#ifndef SP_STATEMENTS_ENROL_H
#define SP_STATEMENTS_ENROL_H

#include "common/statements/statement.h"

/* The public keys of a station or service. */
struct sp_enrol_keys {
	uint8_t sign_key[SP_P256_PUBLIC];
	uint8_t letter_key[SP_X25519];
	uint8_t age_key[SP_X25519];
};

/* The canonical ENROL_REQUEST of a name ("alice/laptop@post.example", "creditd/main@post.example"), appended
 * to out (which may be NULL), and its hash: the request's identity. An empty name
 * is left out, as in ENROL, where the invitation says it. SP_E_FORMAT if a name is neither a
 * station's nor a service's. */
SP_MUST_CHECK enum sp_status sp_enrol_request(struct sp_span name, const struct sp_enrol_keys *keys,
    struct sp_buf *out, struct sp_hash *ret_hash, struct sp_why *why);

/* What ENROL.proof signs: "SPENRL", the connection's TLS exporter, the two opened nonces, the request's hash. */
#define SP_ENROL_PROOF (6 + 4 * 32)
void sp_enrol_proof(const uint8_t exporter[32], const uint8_t letter_nonce[32], const uint8_t age_nonce[32],
    const struct sp_hash *request, uint8_t ret_bytes[SP_ENROL_PROOF]);

/* HPKE info (mode_base) of the challenges: the nonce sealed to the letter key and to the age key. */
#define SP_ENROL_INFO_LETTER "sealpost enrol letter 1"
#define SP_ENROL_INFO_AGE "sealpost enrol age 1"

#endif
