/*
 * people.h - the same root, stations and services in every run, so that what a corpus holds of signatures and sealed bytes still
 * opens. The keys are public: they are good for nothing else.
 */
#ifndef SP_TESTS_FUZZ_PEOPLE_H
#define SP_TESTS_FUZZ_PEOPLE_H

#include "common/crypto/x509.h"

#define FUZZ_NOW_MS UINT64_C(1795593600000)	/* 2026-11-25: certificates hold then */
#define FUZZ_NOW_S (FUZZ_NOW_MS / 1000)
#define FUZZ_DOMAIN "post.example"

enum fuzz_who { FUZZ_ALICE, FUZZ_BOB, FUZZ_CREDITD, FUZZ_CERTD, FUZZ_TSA, FUZZ_PEOPLE };

struct fuzz_person {
	struct sp_identity identity;
	struct sp_key *key;
	struct sp_x25519_pair letter;
	struct sp_buf cert;	/* DER */
};

/* Made at the first call, kept to the end. */
const struct fuzz_person *fuzz_person(enum fuzz_who who);
const struct sp_trust *fuzz_trust(void);
struct sp_span fuzz_root(void);		/* DER */
struct sp_span fuzz_issuer(void);

/* A key pair that is always the same, for a number. */
struct sp_x25519_pair fuzz_pair(uint8_t number);

#endif
