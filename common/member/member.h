/*
 * member.h - who this program is in its domain: keys, certificate, trust, roster; files in a folder of its own, replaced
 * atomically. Stations and services alike.
 *
 * Files: sign.pem, letter.key, age.key (0600), cert.der, root.der, issuers.der (concatenated), roster.bin (ROSTER_IS
 * as it came). Enrolment writes keys first, the certificate last: with a certificate there is a whole identity,
 * without one the request is repeated with the same keys.
 */
#ifndef SP_MEMBER_MEMBER_H
#define SP_MEMBER_MEMBER_H

#include "common/crypto/x509.h"
#include "common/net/client.h"
#include "common/net/loop.h"
#include "common/statements/tariff.h"

struct member;

/* Reads the folder if there is one. SP_OK also when not enrolled yet. role: that the certificate must have; an enrolment that
 * brings another is refused. */
SP_MUST_CHECK enum sp_status member_open(struct sp_loop *loop, const char *dir, enum sp_role role,
    struct member **ret_member, struct sp_why *why);
void member_free(struct member *s);
SP_AUTO_DEFINE(member);

bool member_is_enrolled(const struct member *s);

/* Borrowed; only when enrolled. */
const struct sp_identity *member_identity(const struct member *s);
struct sp_span member_cert(const struct member *s);
const struct sp_key *member_key(const struct member *s);
const struct sp_x25519_pair *member_letter_pair(const struct member *s);
const struct sp_trust *member_trust(const struct member *s);
struct sp_span member_root(const struct member *s);
/* The issuing certificates, count of them. */
struct sp_span member_issuer(const struct member *s, size_t number);
size_t member_issuers(const struct member *s);

/* Addresses "host:port,…" of a role's services in the roster; "" if none. Borrowed until the next roster. */
const char *member_service(const struct member *s, const char *role);

/* For asking a service of this role; borrowed. NULL if the roster knows none, with the reason. */
struct sp_client *member_client(struct member *s, enum sp_role role, struct sp_why *why);

/* The certificate of a service in the roster, or learnt (checked), by its hash or its letter key; NULL if there is none.
 * Borrowed until the loop's next turn. */
struct member_service {
	struct sp_identity identity;
	struct sp_buf cert;	/* DER */
};
const struct member_service *member_service_by_cert(const struct member *s, const struct sp_hash *cert);
const struct member_service *member_service_by_key(const struct member *s, const uint8_t letter_key[SP_X25519]);

/* Takes the certificate of a service of our domain that this member's share of the roster does not name. A few are remembered.
 * SP_E_ROLE, SP_E_DOMAIN, or what the trust says. */
SP_MUST_CHECK enum sp_status member_learn_service(struct member *s, struct sp_span cert, struct sp_why *why);

/* Names of up to max services of a role, with a comma between, as an offer carries them; "" if there are none. */
const char *member_service_names(const struct member *s, enum sp_role role, size_t max, char *out, size_t size);

/* The domain's prices, signed by a creditd; count 0: everything is free. */
const struct sp_tariff *member_tariff(const struct member *s);

/* Enrols with an invitation's token; fn on the loop, once. A repeat of the same token after success answers SP_OK. */
typedef void member_done_fn(void *arg, enum sp_status st, const struct sp_why *why);
void member_enrol(struct member *s, const char *token, member_done_fn *fn, void *arg);

/* Fetches the roster (at start, daily, when a service fails). fn may be NULL. */
void member_refresh(struct member *s, member_done_fn *fn, void *arg);

/* Looks a person or station up at keyd. certs[i] are DER, borrowed during the call. */
typedef void member_lookup_fn(void *arg, enum sp_status st, const struct sp_why *why, const struct sp_span *certs,
    size_t count);
void member_lookup(struct member *s, const char *name, member_lookup_fn *fn, void *arg);

#endif
