/*
 * station.h - who this peer is: keys, certificate, the roster's roots; files under HOME/station/, replaced
 * atomically.
 *
 * Files: sign.pem, letter.key, age.key (0600), cert.der, root.der, issuers.der (concatenated), roster.bin (ROSTER_IS
 * as it came). Enrolment writes keys first, the certificate last: with a certificate there is a whole identity,
 * without one the request is repeated with the same keys.
 */
#ifndef PEERD_STATION_STATION_H
#define PEERD_STATION_STATION_H

#include "common/crypto/x509.h"
#include "common/net/loop.h"

struct station;

/* Reads HOME/station/ if there is one. SP_OK also when not enrolled yet. */
SP_MUST_CHECK enum sp_status station_open(struct sp_loop *loop, const char *home, struct station **ret_station,
    struct sp_why *why);
void station_free(struct station *s);
SP_AUTO_DEFINE(station);

bool station_is_enrolled(const struct station *s);

/* Borrowed; only when enrolled. */
const struct sp_identity *station_identity(const struct station *s);
struct sp_span station_cert(const struct station *s);
const struct sp_key *station_key(const struct station *s);
const struct sp_x25519_pair *station_letter_pair(const struct station *s);
const struct sp_trust *station_trust(const struct station *s);
struct sp_span station_root(const struct station *s);
/* The issuing certificates, count of them. */
struct sp_span station_issuer(const struct station *s, size_t number);
size_t station_issuers(const struct station *s);

/* Addresses "host:port,…" of a role's services in the roster; "" if none. Borrowed until the next roster. */
const char *station_service(const struct station *s, const char *role);

/* Enrols with an invitation's token; fn on the loop, once. A repeat of the same token after success answers SP_OK. */
typedef void station_done_fn(void *arg, enum sp_status st, const struct sp_why *why);
void station_enrol(struct station *s, const char *token, station_done_fn *fn, void *arg);

/* Fetches the roster (at start, daily, when a service fails). fn may be NULL. */
void station_refresh(struct station *s, station_done_fn *fn, void *arg);

/* Looks a person or station up at keyd. certs[i] are DER, borrowed during the call. */
typedef void station_lookup_fn(void *arg, enum sp_status st, const struct sp_why *why, const struct sp_span *certs,
    size_t count);
void station_lookup(struct station *s, const char *name, station_lookup_fn *fn, void *arg);

#endif
