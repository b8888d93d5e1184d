/*
 * tsa.h - RFC 3161 time-stamp tokens: certd makes them over postmarks, verify checks them.
 */
#ifndef SP_CRYPTO_TSA_H
#define SP_CRYPTO_TSA_H

#include "common/crypto/x509.h"

/* A signer; one per thread. cert must be the tsa's (sole critical EKU timeStamping). */
struct sp_tsa;
SP_MUST_CHECK enum sp_status sp_tsa_new(const struct sp_key *key, struct sp_span cert_der, struct sp_tsa **ret_tsa,
    struct sp_why *why);
void sp_tsa_free(struct sp_tsa *tsa);
SP_AUTO_DEFINE(sp_tsa);

/* A time-stamp response (TimeStampResp, status granted, certificate included) over bytes at wall_ms with the given serial
 * number (16 bytes big-endian). DER appended to out. */
SP_MUST_CHECK enum sp_status sp_tsa_stamp(struct sp_tsa *tsa, struct sp_span bytes, uint64_t wall_ms,
    const uint8_t serial[16], struct sp_buf *out, struct sp_why *why);

/* Strict verification of such a response over bytes: imprint, signature, tsa certificate good under trust at the token's own
 * time, DER one form, nothing unsigned. Gives the token's time and the signer's certificate (appended) and identity. */
SP_MUST_CHECK enum sp_status sp_tsa_verify(struct sp_span der, struct sp_span bytes, const struct sp_trust *trust,
    uint64_t *ret_wall_ms, struct sp_buf *ret_cert, struct sp_identity *ret_signer, struct sp_why *why);

#endif
