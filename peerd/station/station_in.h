/*
 * station_in.h - inside peerd/station: what is known of ourselves and of our provider.
 */
#ifndef PEERD_STATION_STATION_IN_H
#define PEERD_STATION_STATION_IN_H

#include "common/net/client.h"
#include "common/net/worker.h"
#include "peerd/station/files.h"
#include "peerd/station/station.h"

#define STATION_ISSUERS 8
#define STATION_ROLES 3

struct enrol;
struct ask;

/* A trust that was replaced: threads may still use it. */
struct old_trust {
	struct sp_trust *trust;		/* owned */
	struct old_trust *next;
};

/* Addresses of one role's services, "host:port,…". */
struct role_addresses {
	const char *role;
	struct sp_buf text;		/* owned */
};

struct station {
	struct sp_loop *loop;		/* borrowed */
	char *dir;			/* owned: HOME/station */
	struct sp_resolver *resolver;	/* owned */
	struct sp_worker *worker;	/* owned: one thread, so that files are written in their order */

	bool enrolled;
	struct station_keys keys;
	struct sp_buf cert, root, issuers, keyd;	/* owned, as in the files */
	struct sp_identity identity;
	struct sp_trust *trust;		/* owned */
	struct old_trust *old;		/* owned */

	uint64_t roster_number;
	struct role_addresses services[STATION_ROLES];

	struct sp_client *client;	/* owned: of keyd */
	struct sp_buf client_addresses;
	struct ask *asks;		/* owned: lookups and rosters under way */
	struct enrol *enrol;		/* owned: at most one */
};

/* Root and issuers (one behind the other) of a domain as a trust. */
SP_MUST_CHECK enum sp_status station_make_trust(const char *domain, struct sp_span root, struct sp_span issuers,
    struct sp_trust **ret_trust, struct sp_why *why);

/* The keys of the certificate are these. */
bool station_keys_match(const struct sp_identity *id, const struct station_keys *keys);

/* Looks a ROSTER_IS through without taking it; ret_issuers: its issuing certificates one behind the other.
 * SP_E_MISMATCH if it is not of our provider, or older than ours. */
SP_MUST_CHECK enum sp_status roster_judge(const struct station *s, struct sp_span bytes, struct sp_buf *ret_issuers,
    struct sp_why *why);

/* Takes its services, and its issuers if they are others. */
SP_MUST_CHECK enum sp_status roster_apply(struct station *s, struct sp_span bytes, struct sp_why *why);

/* enrol.c, ask.c */
void enrol_free(struct enrol *e);
void ask_free(struct ask *a);

#endif
