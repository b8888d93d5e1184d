/*
 * member_in.h - inside common/member: what is known of ourselves and of our provider.
 */
#ifndef SP_MEMBER_MEMBER_IN_H
#define SP_MEMBER_MEMBER_IN_H

#include "common/net/client.h"
#include "common/net/worker.h"
#include "common/member/files.h"
#include "common/member/member.h"

#define STATION_ISSUERS 8
#define MEMBER_ROLES 3

struct enrol;
struct ask;

/* A trust that was replaced: threads may still use it. */
struct old_trust {
	struct sp_trust *trust;		/* owned */
	struct old_trust *next;
};

#define MEMBER_SERVICES 64
#define MEMBER_LEARNT 16	/* services beyond the roster */

/* Addresses of one role's services, "host:port,…", and the client that was made for them. */
struct role_addresses {
	const char *role;
	enum sp_role number;
	struct sp_buf text;		/* owned */
	struct sp_client *client;	/* owned */
	struct sp_buf client_text;	/* owned: the addresses it was made with */
};

/* A client whose addresses are no longer those of the roster: questions may be under way. */
struct old_client {
	struct sp_client *client;	/* owned */
	struct old_client *next;
};

struct member {
	struct sp_loop *loop;		/* borrowed */
	char *dir;			/* owned: HOME/station */
	struct sp_resolver *resolver;	/* owned */
	struct sp_worker *worker;	/* owned: one thread, so that files are written in their order */

	bool enrolled;
	struct member_keys keys;
	struct sp_buf cert, root, issuers, keyd;	/* owned, as in the files */
	struct sp_identity identity;
	struct sp_trust *trust;		/* owned */
	struct old_trust *old;		/* owned */

	enum sp_role role;
	uint64_t roster_number;
	struct role_addresses services[MEMBER_ROLES];
	struct old_client *old_clients;				/* owned */
	struct member_service certs[MEMBER_SERVICES];		/* owned */
	size_t ncerts;
	struct member_service learnt[MEMBER_LEARNT];		/* owned; the oldest is replaced */
	size_t next_learnt;
	struct sp_tariff tariff;

	struct sp_client *client;	/* owned: of keyd */
	struct sp_buf client_addresses;
	struct ask *asks;		/* owned: lookups and rosters under way */
	struct enrol *enrol;		/* owned: at most one */
};

/* Root and issuers (one behind the other) of a domain as a trust. */
SP_MUST_CHECK enum sp_status member_make_trust(const char *domain, struct sp_span root, struct sp_span issuers,
    struct sp_trust **ret_trust, struct sp_why *why);

/* The keys of the certificate are these. */
bool member_keys_match(const struct sp_identity *id, const struct member_keys *keys);

/* Looks a ROSTER_IS through without taking it; ret_issuers: its issuing certificates one behind the other.
 * SP_E_MISMATCH if it is not of our provider, or older than ours. */
SP_MUST_CHECK enum sp_status roster_judge(const struct member *s, struct sp_span bytes, struct sp_buf *ret_issuers,
    struct sp_why *why);

/* Takes its services, and its issuers if they are others. */
SP_MUST_CHECK enum sp_status roster_apply(struct member *s, struct sp_span bytes, struct sp_why *why);

/* services.c: certificates and tariff of a roster; clients. */
void services_take(struct member *s, const struct sp_msg_roster_is *roster);
void services_done(struct member *s);
SP_MUST_CHECK enum sp_status services_client(struct member *s, enum sp_role role, const char *addresses,
    struct sp_client **ret_client, struct sp_why *why);

/* enrol.c, ask.c */
void enrol_free(struct enrol *e);
void ask_free(struct ask *a);

#endif
