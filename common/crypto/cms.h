/*
 * cms.h - CMS SignedData with the content attached, CAdES-BES (signing-certificate-v2), P-256 and SHA-256: receipts and
 * postmarks, which stock openssl verifies (openssl cms -verify -cades).
 */
#ifndef SP_CRYPTO_CMS_H
#define SP_CRYPTO_CMS_H

#include "common/crypto/x509.h"

/* Signs text with key, whose certificate is cert_der; the signer's certificate alone is put in. DER appended to out. */
SP_MUST_CHECK enum sp_status sp_cms_sign(const struct sp_key *key, struct sp_span cert_der, struct sp_span text,
    struct sp_buf *out, struct sp_why *why);

/*
 * Strict verification: exactly the form that sp_cms_sign() makes (one signer, one certificate, no unsigned attributes,
 * no CRLs, DER that re-encodes to itself), the signature and the ESS hash right, and the certificate good under the trust
 * at wall_ms. Gives the text (appended), the certificate (appended) and its identity.
 * SP_E_FORMAT, SP_E_SIGNATURE, or what sp_trust_check() says.
 */
SP_MUST_CHECK enum sp_status sp_cms_verify(struct sp_span der, const struct sp_trust *trust, uint64_t wall_ms,
    struct sp_buf *ret_text, struct sp_buf *ret_cert, struct sp_identity *ret_signer, struct sp_why *why);

/* The signer's certificate (appended), out of the same form with a right signature; nobody vouches for the certificate yet. */
SP_MUST_CHECK enum sp_status sp_cms_cert(struct sp_span der, struct sp_buf *ret_cert, struct sp_why *why);

#endif
