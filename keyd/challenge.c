/*
 * challenge.c - derives and seals the nonces, checks the answer.
 */
#include "keyd/challenge.h"

#include "common/crypto/hash.h"
#include "common/crypto/hpke.h"

void
challenge_nonces(const uint8_t secret[32], const uint8_t exporter[32], const uint8_t letter_key[SP_X25519],
    const uint8_t age_key[SP_X25519], uint8_t ret_letter[CHALLENGE_NONCE], uint8_t ret_age[CHALLENGE_NONCE])
{
	uint8_t info[32 + 2 * SP_X25519], nonces[2 * CHALLENGE_NONCE];

	memcpy(info, exporter, 32);
	memcpy(info + 32, letter_key, SP_X25519);
	memcpy(info + 32 + SP_X25519, age_key, SP_X25519);
	sp_hkdf(sp_span_str("keyd enrolment challenge"), sp_span(secret, 32), sp_span(info, sizeof(info)), nonces,
	    sizeof(nonces));
	memcpy(ret_letter, nonces, CHALLENGE_NONCE);
	memcpy(ret_age, nonces + CHALLENGE_NONCE, CHALLENGE_NONCE);
	sp_wipe(nonces, sizeof(nonces));
}

enum sp_status
challenge_seal(const uint8_t secret[32], const uint8_t exporter[32], const uint8_t letter_key[SP_X25519],
    const uint8_t age_key[SP_X25519], uint8_t ret_letter[CHALLENGE_SEALED], uint8_t ret_age[CHALLENGE_SEALED])
{
	uint8_t letter[CHALLENGE_NONCE], age[CHALLENGE_NONCE];
	struct sp_span none = sp_span(NULL, 0);
	enum sp_status st;

	challenge_nonces(secret, exporter, letter_key, age_key, letter, age);
	st = sp_hpke_seal(NULL, letter_key, sp_span_str(SP_ENROL_INFO_LETTER), none, sp_span(letter, sizeof(letter)),
	    ret_letter, ret_letter + SP_HPKE_ENC);
	if (st == SP_OK)
		st = sp_hpke_seal(NULL, age_key, sp_span_str(SP_ENROL_INFO_AGE), none, sp_span(age, sizeof(age)),
		    ret_age, ret_age + SP_HPKE_ENC);
	sp_wipe(letter, sizeof(letter));
	sp_wipe(age, sizeof(age));
	return st;
}

enum sp_status
challenge_check(const uint8_t secret[32], const uint8_t exporter[32], const struct sp_enrol_keys *keys,
    const uint8_t proof[SP_SIGNATURE], struct sp_hash *ret_request, struct sp_why *why)
{
	uint8_t letter[CHALLENGE_NONCE], age[CHALLENGE_NONCE], bytes[SP_ENROL_PROOF];
	struct sp_hash request;
	enum sp_status st;

	if ((st = sp_enrol_request(sp_span(NULL, 0), keys, NULL, &request, why)) != SP_OK)
		return st;
	challenge_nonces(secret, exporter, keys->letter_key, keys->age_key, letter, age);
	sp_enrol_proof(exporter, letter, age, &request, bytes);
	sp_wipe(letter, sizeof(letter));
	sp_wipe(age, sizeof(age));
	st = sp_verify(keys->sign_key, sp_span(bytes, sizeof(bytes)), proof);
	sp_wipe(bytes, sizeof(bytes));
	if (st != SP_OK)
		return sp_fail(st, why, "the proof does not show that the asker holds these keys");
	*ret_request = request;
	return SP_OK;
}
