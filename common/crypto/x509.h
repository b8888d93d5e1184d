/*
 * x509.h - the certificates of a domain: root, issuing CA, stations, services; making, reading, checking them.
 * Identity is exactly one SAN of type URI; the two X25519 keys stand in a private extension that begins with a format
 * number (1) and holds the licence serial number too. CN is never read.
 */
#ifndef SP_CRYPTO_X509_H
#define SP_CRYPTO_X509_H

#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/crypto/sign.h"
#include "common/crypto/x25519.h"

enum sp_role { SP_ROLE_NONE, SP_ROLE_STATION, SP_ROLE_KEYD, SP_ROLE_CREDITD, SP_ROLE_CERTD, SP_ROLE_TSA };

/* "station", "keyd", "creditd", "certd", "tsa"; and back (NONE if it is no role). */
const char *sp_role_text(enum sp_role role);
enum sp_role sp_role_from_text(struct sp_span text);

/* Everything a certificate says, copied out of it. */
struct sp_identity {
	enum sp_role role;
	struct sp_name name;			/* stations: person, station, domain; services: domain only */
	char service[SP_SERVICE_MAX + 1];	/* services: NAME of spiffe://domain/s/ROLE/NAME */
	uint8_t public_key[SP_P256_PUBLIC];
	bool has_keys;				/* the two X25519 keys are there (stations, creditd, certd) */
	uint8_t letter_key[SP_X25519];
	uint8_t age_key[SP_X25519];
	char serial[33];			/* licence serial of the program, "" if none */
	uint8_t cert_serial[16];		/* serial number of the certificate, big-endian */
	int64_t not_before, not_after;		/* seconds since 1970 */
	struct sp_hash hash;			/* SHA-256 of the certificate's DER: its name everywhere */
};

/* "alice/laptop@post.example" or "creditd/main@post.example" into out[SP_NAME_TEXT]; returns out. */
const char *sp_identity_text(const struct sp_identity *id, char out[SP_NAME_TEXT]);

/* Reads one DER certificate (nothing after it) of a station or service. SP_E_CERT with the reason otherwise. No trust implied. */
SP_MUST_CHECK enum sp_status sp_identity_read(struct sp_span der, struct sp_identity *ret_id, struct sp_why *why);

/* The roots of one domain with the issuing certificates to build chains from. */
struct sp_trust;
SP_MUST_CHECK enum sp_status sp_trust_new(const char *domain, struct sp_trust **ret_trust);
void sp_trust_free(struct sp_trust *t);
SP_AUTO_DEFINE(sp_trust);
SP_MUST_CHECK enum sp_status sp_trust_add_root(struct sp_trust *t, struct sp_span der, struct sp_why *why);
SP_MUST_CHECK enum sp_status sp_trust_add_issuer(struct sp_trust *t, struct sp_span der, struct sp_why *why);
const char *sp_trust_domain(const struct sp_trust *t);

/* Checks a leaf at wall_ms: chain to a root of the trust's own domain, name constraints, validity, one URI SAN, P-256, domain.
 * Fills ret_id on success. SP_E_CERT, SP_E_CERT_EXPIRED, SP_E_DOMAIN with the reason. Thread-safe (the trust is not changed). */
SP_MUST_CHECK enum sp_status sp_trust_check(const struct sp_trust *t, struct sp_span der, uint64_t wall_ms,
    struct sp_identity *ret_id, struct sp_why *why);

/* A self-signed root of a domain, from a day before wall_ms (clocks differ) for 20 years. DER appended to out. */
SP_MUST_CHECK enum sp_status sp_x509_make_root(const struct sp_key *key, const char *domain, uint64_t wall_ms,
    struct sp_buf *out);

/* An issuing CA under the root, from a day before wall_ms for 5 years, path length 0, critical name constraints URI:domain, DNS:invalid, email:invalid. */
SP_MUST_CHECK enum sp_status sp_x509_make_issuer(const struct sp_key *root_key, struct sp_span root_der,
    const uint8_t issuer_public[SP_P256_PUBLIC], const char *domain, uint64_t wall_ms, struct sp_buf *out);

/* A leaf as id says (role, name, service, keys, serial, cert_serial, not_before, not_after; hash is ignored): empty subject,
 * critical URI SAN, keyUsage digitalSignature+nonRepudiation, no EKU but the tsa's (timeStamping, sole, critical).
 * <= SP_CERT_MAX bytes. */
SP_MUST_CHECK enum sp_status sp_x509_issue(const struct sp_key *issuer_key, struct sp_span issuer_der,
    const struct sp_identity *id, struct sp_buf *out, struct sp_why *why);

/* DER <-> PEM of one certificate. from_pem reads the first certificate of the text; SP_E_FORMAT. */
SP_MUST_CHECK enum sp_status sp_x509_to_pem(struct sp_span der, struct sp_buf *out);
SP_MUST_CHECK enum sp_status sp_x509_from_pem(struct sp_span pem, struct sp_buf *out_der);

#endif
