/*
 * statements_people.h - identities for tests, as certificates would give them, and statements broken on purpose.
 */
#ifndef SP_TESTS_STATEMENTS_PEOPLE_H
#define SP_TESTS_STATEMENTS_PEOPLE_H

#include "common/crypto/rand.h"
#include "common/statements/statement.h"
#include "tests/unit/unit.h"

struct person {
	struct sp_identity identity;
	struct sp_key *key;
	struct sp_x25519_pair letter;
};

/* A station by name, or a service by "ROLE/NAME@domain". */
static inline void
person_init(struct person *p, const char *name, enum sp_role role)
{
	memset(p, 0, sizeof(*p));
	ck_status(sp_name_parse(sp_span_str(name), &p->identity.name), SP_OK);
	p->identity.role = role;
	if (role != SP_ROLE_STATION) {
		memcpy(p->identity.service, p->identity.name.station, sizeof(p->identity.service));
		memset(p->identity.name.person, 0, sizeof(p->identity.name.person));
		memset(p->identity.name.station, 0, sizeof(p->identity.name.station));
	}
	ck_status(sp_key_new(&p->key), SP_OK);
	ck_status(sp_x25519_new(&p->letter), SP_OK);
	sp_key_public(p->key, p->identity.public_key);
	memcpy(p->identity.letter_key, p->letter.public_key, SP_X25519);
	p->identity.has_keys = true;
	sp_random(p->identity.hash.b, sizeof(p->identity.hash.b));
}

static inline void
person_done(struct person *p)
{
	sp_key_free(p->key);
	memset(p, 0, sizeof(*p));
}

#endif
