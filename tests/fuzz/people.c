/*
 * people.c - keys and certificates that never change (but for the signatures of the certificates).
 */
#include "tests/fuzz/people.h"

#include "tests/fuzz/fuzz.h"

enum { ROOT = FUZZ_PEOPLE, ISSUER, KEYS };

/* PKCS#8, P-256, without the lines that frame it. */
static const char *const key_texts[KEYS] = {
	[ROOT] = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDwfs+Btb4y5SjNga\n"
	    "GVSbNxreXUX6Yh/l80wy/urYobuhRANCAATrj41vu3ntZb/1bNtDOfip94T7Mko5\n"
	    "88P9uxMcBDcdkASQSsQjA14CsvJJeK1s7+7BQlbasZ+RpBZgvAc4RDBN\n",
	[ISSUER] = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgu91ilIT2FzLSs4gO\n"
	    "jbpv0jstcQ5aGL0/SrjOiGrC0C6hRANCAATkK74I8gLbQE38UVby9aMTem4gTjUn\n"
	    "XPGYXM1IY7o+haLJjlR+QVjIlGywP3nANYuZlyPEl2QkluH+K3Kq3nMn\n",
	[FUZZ_ALICE] = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGzDcwqTU4gkdTOjQ\n"
	    "9DYcPqkivhPxWqq638T0DQhuZ0ChRANCAATRNsa6IMQp5jGp+XCte8k5DNVrMIbc\n"
	    "gKsUm2zGie3wf0fVIq5ngLs3n1LlA5ojfsY0NSpJqcRJ9D5Pf+LEJLcJ\n",
	[FUZZ_BOB] = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+ld9tM+LD+aIlh5R\n"
	    "ZNUdXH3hsnAA6N8ngxE7zLOnEs6hRANCAAR7Y7RDIIUOP1KdohEE4OJQU4jIIMeb\n"
	    "MREQipltT/ST+G1KJc4BQQGZhH7N0oGXIZIdrQ+GB70LHZGKrDuT/Lt7\n",
	[FUZZ_CREDITD] = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeEUqfb6G8JlIcYJV\n"
	    "5MA+LTHcVItvbVmzK6vImW/LSWShRANCAAQ9/U+2WdO28XsS25Ozg/M3MVJGH2wy\n"
	    "NbeDidlngTU6dBu6RVx3nbNLbW/QJM0UiA2Ymy4vK0DsWpjiQX1nWi3x\n",
	[FUZZ_CERTD] = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgL+7eZMcCcHLR7ioz\n"
	    "DBXorc+i5MrtCwsRjN70dKoZ6JyhRANCAATWXHn1JTFDLD+duDZ8QUL1W1kdESk8\n"
	    "qlzRfwGqERaj/J64jYSflG1j+9950KLHClJGW+yeLMyCJDw1wwLRrgbd\n",
	[FUZZ_TSA] = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgq7xbgOv7UBKGRMvq\n"
	    "QVurMpUDfnRUQeFGmKsrwBLqdgahRANCAAQBcWKNvCbnSgkQRRiklIs5MhubRTEF\n"
	    "CDRJ4iWfJn46HhWTZHaOFwfGM8qLzH15EJjsAuCBIuLZsWDRp9oSzncQ\n",
};

static const struct {
	enum sp_role role;
	const char *name, *service;	/* of a station; of a service */
} people[FUZZ_PEOPLE] = {
	[FUZZ_ALICE] = { SP_ROLE_STATION, "alice/laptop@" FUZZ_DOMAIN, NULL },
	[FUZZ_BOB] = { SP_ROLE_STATION, "bob/desk@" FUZZ_DOMAIN, NULL },
	[FUZZ_CREDITD] = { SP_ROLE_CREDITD, NULL, "main" },
	[FUZZ_CERTD] = { SP_ROLE_CERTD, NULL, "main" },
	[FUZZ_TSA] = { SP_ROLE_TSA, NULL, "main" },
};

static struct {
	bool made;
	struct fuzz_person people[FUZZ_PEOPLE];
	struct sp_key *root_key, *issuer_key;
	struct sp_buf root, issuer;
	struct sp_trust *trust;
} office;

static struct sp_key *
key(int number)
{
	SP_AUTO_DONE(sp_buf) pem = { 0 };
	struct sp_key *made;

	sp_buf_addf(&pem, "-----BEGIN %s KEY-----\n%s-----END %s KEY-----\n", "PRIVATE", key_texts[number], "PRIVATE");
	fuzz_ok(sp_key_from_pem(sp_buf_span(&pem), &made, NULL));
	return made;
}

struct sp_x25519_pair
fuzz_pair(uint8_t number)
{
	struct sp_x25519_pair pair;

	memset(pair.secret, number + 1, sizeof(pair.secret));
	fuzz_ok(sp_x25519_public(pair.secret, pair.public_key));
	return pair;
}

static void
make_person(int who)
{
	struct fuzz_person *p = &office.people[who];
	struct sp_identity *id = &p->identity;
	struct sp_x25519_pair age = fuzz_pair((uint8_t)(50 + who));

	p->key = key(who);
	p->letter = fuzz_pair((uint8_t)who);
	id->role = people[who].role;
	if (people[who].name != NULL)
		fuzz_ok(sp_name_parse(sp_span_str(people[who].name), &id->name));
	strcpy(id->name.domain, FUZZ_DOMAIN);
	if (people[who].service != NULL)
		strcpy(id->service, people[who].service);
	sp_key_public(p->key, id->public_key);
	id->has_keys = id->role != SP_ROLE_TSA;
	if (id->has_keys) {
		memcpy(id->letter_key, p->letter.public_key, SP_X25519);
		memcpy(id->age_key, age.public_key, SP_X25519);
	}
	memset(id->cert_serial, 0x41 + who, sizeof(id->cert_serial));
	id->not_before = (int64_t)FUZZ_NOW_S - 3600;
	id->not_after = (int64_t)FUZZ_NOW_S + 90 * 86400;
	fuzz_ok(sp_x509_issue(office.issuer_key, sp_buf_span(&office.issuer), id, &p->cert, NULL));
	/* the certificate's own hash changes with its signature, and inputs that name it must not */
	memset(id->hash.b, 0x61 + who, sizeof(id->hash.b));
}

static void
make_office(void)
{
	uint8_t public_key[SP_P256_PUBLIC];

	if (office.made)
		return;
	office.made = true;
	office.root_key = key(ROOT);
	office.issuer_key = key(ISSUER);
	sp_key_public(office.issuer_key, public_key);
	fuzz_ok(sp_x509_make_root(office.root_key, FUZZ_DOMAIN, FUZZ_NOW_MS, &office.root));
	fuzz_ok(sp_x509_make_issuer(office.root_key, sp_buf_span(&office.root), public_key, FUZZ_DOMAIN, FUZZ_NOW_MS,
	    &office.issuer));
	fuzz_ok(sp_trust_new(FUZZ_DOMAIN, &office.trust));
	fuzz_ok(sp_trust_add_root(office.trust, sp_buf_span(&office.root), NULL));
	fuzz_ok(sp_trust_add_issuer(office.trust, sp_buf_span(&office.issuer), NULL));
	for (int who = 0; who < FUZZ_PEOPLE; who++)
		make_person(who);
}

const struct fuzz_person *
fuzz_person(enum fuzz_who who)
{
	make_office();
	return &office.people[who];
}

const struct sp_trust *
fuzz_trust(void)
{
	make_office();
	return office.trust;
}

struct sp_span
fuzz_root(void)
{
	make_office();
	return sp_buf_span(&office.root);
}

struct sp_span
fuzz_issuer(void)
{
	make_office();
	return sp_buf_span(&office.issuer);
}
