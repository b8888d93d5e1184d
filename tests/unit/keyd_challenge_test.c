/*
 * keyd_challenge_test.c - who holds the keys can answer the challenge, on that connection and for those keys; nobody
 * else.
 */
#include "keyd/challenge.h"

#include "common/crypto/hpke.h"
#include "tests/unit/unit.h"

static const uint8_t secret[32] = { 1 }, exporter[32] = { 2 };

/* A station with its three keys. */
struct asker {
	struct sp_key *sign;
	struct sp_x25519_pair letter, age;
	struct sp_enrol_keys keys;
};

static void
asker_init(struct asker *a)
{
	ck_status(sp_key_new(&a->sign), SP_OK);
	ck_status(sp_x25519_new(&a->letter), SP_OK);
	ck_status(sp_x25519_new(&a->age), SP_OK);
	sp_key_public(a->sign, a->keys.sign_key);
	memcpy(a->keys.letter_key, a->letter.public_key, SP_X25519);
	memcpy(a->keys.age_key, a->age.public_key, SP_X25519);
}

static void
open_nonce(const struct sp_x25519_pair *pair, const char *info, const uint8_t sealed[CHALLENGE_SEALED],
    uint8_t *ret_nonce)
{
	ck_status(sp_hpke_open(pair, NULL, sp_span_str(info), sp_span(NULL, 0), sealed,
	    sp_span(sealed + SP_HPKE_ENC, CHALLENGE_SEALED - SP_HPKE_ENC), ret_nonce), SP_OK);
}

/* What an honest station answers to the challenge it gets on a connection. */
static void
answer(const struct asker *a, const uint8_t on[32], uint8_t ret_proof[SP_SIGNATURE], struct sp_hash *ret_request)
{
	uint8_t letter[CHALLENGE_SEALED], age[CHALLENGE_SEALED], n1[32], n2[32], bytes[SP_ENROL_PROOF];

	ck_status(challenge_seal(secret, on, a->keys.letter_key, a->keys.age_key, letter, age), SP_OK);
	open_nonce(&a->letter, SP_ENROL_INFO_LETTER, letter, n1);
	open_nonce(&a->age, SP_ENROL_INFO_AGE, age, n2);
	ck_status(sp_enrol_request(sp_span(NULL, 0), &a->keys, NULL, ret_request, NULL), SP_OK);
	sp_enrol_proof(on, n1, n2, ret_request, bytes);
	ck_status(sp_sign(a->sign, sp_span(bytes, sizeof(bytes)), ret_proof), SP_OK);
}

START_TEST(ky01_who_holds_the_keys_passes)
{
	struct asker a;
	uint8_t proof[SP_SIGNATURE];
	struct sp_hash mine, theirs;

	asker_init(&a);
	answer(&a, exporter, proof, &mine);
	ck_status(challenge_check(secret, exporter, &a.keys, proof, &theirs, NULL), SP_OK);
	ck_assert(sp_hash_eq(&mine, &theirs));
	sp_key_free(a.sign);
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const uint8_t elsewhere[32] = { 3 }, restarted[32] = { 4 };
	struct asker a, b;
	uint8_t proof[SP_SIGNATURE];
	struct sp_hash request;
	struct sp_enrol_keys mixed;

	asker_init(&a);
	asker_init(&b);
	answer(&a, exporter, proof, &request);
	ck_status(challenge_check(secret, elsewhere, &a.keys, proof, &request, NULL), SP_E_SIGNATURE);
	ck_status(challenge_check(restarted, exporter, &a.keys, proof, &request, NULL), SP_E_SIGNATURE);
	ck_status(challenge_check(secret, exporter, &b.keys, proof, &request, NULL), SP_E_SIGNATURE);
	mixed = a.keys;	/* another's letter key beside one's own others */
	memcpy(mixed.letter_key, b.keys.letter_key, SP_X25519);
	ck_status(challenge_check(secret, exporter, &mixed, proof, &request, NULL), SP_E_SIGNATURE);
	mixed = a.keys;
	memcpy(mixed.age_key, b.keys.age_key, SP_X25519);
	ck_status(challenge_check(secret, exporter, &mixed, proof, &request, NULL), SP_E_SIGNATURE);
	for (size_t i = 0; i < sizeof(proof); i++) {
		proof[i] ^= 1;
		ck_status(challenge_check(secret, exporter, &a.keys, proof, &request, NULL), SP_E_SIGNATURE);
		proof[i] ^= 1;
	}
	ck_status(challenge_check(secret, exporter, &a.keys, proof, &request, NULL), SP_OK);
	sp_key_free(a.sign);
	sp_key_free(b.sign);
}
END_TEST

START_TEST(nonces_are_of_one_connection_and_one_pair_of_keys)
{
	uint8_t key[32] = { 9 }, other[32] = { 7 }, l[4][32], g[4][32];

	challenge_nonces(secret, exporter, key, other, l[0], g[0]);
	challenge_nonces(secret, other, key, other, l[1], g[1]);
	challenge_nonces(secret, exporter, other, key, l[2], g[2]);
	challenge_nonces(other, exporter, key, other, l[3], g[3]);
	for (int i = 0; i < 4; i++) {
		ck_assert_mem_ne(l[i], g[i], 32);
		for (int k = 0; k < i; k++) {
			ck_assert_mem_ne(l[i], l[k], 32);
			ck_assert_mem_ne(g[i], g[k], 32);
		}
	}
}
END_TEST

START_TEST(a_key_that_opens_for_everybody_is_refused)
{
	static const uint8_t zero[SP_X25519] = { 0 };
	struct asker a;
	uint8_t letter[CHALLENGE_SEALED], age[CHALLENGE_SEALED];

	asker_init(&a);
	ck_status(challenge_seal(secret, exporter, zero, a.keys.age_key, letter, age), SP_E_SEAL);
	ck_status(challenge_seal(secret, exporter, a.keys.letter_key, zero, letter, age), SP_E_SEAL);
	sp_key_free(a.sign);
}
END_TEST

UNIT_MAIN("keyd/challenge", ky01_who_holds_the_keys_passes, anything_else_is_refused,
    nonces_are_of_one_connection_and_one_pair_of_keys, a_key_that_opens_for_everybody_is_refused)
