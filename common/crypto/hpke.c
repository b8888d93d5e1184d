/*
 * hpke.c - HPKE in one shot: the KEM, the key schedule, one record under the base nonce. Only what letters need: two
 * modes, one suite, no exporter, no sequence numbers. Names of the steps are those of RFC 9180.
 */
#include "common/crypto/hpke.h"

#include <assert.h>

#include "common/base/buf.h"
#include "common/crypto/aead.h"
#include "common/crypto/hash.h"
#include "common/crypto/hpke_internal.h"

#define MODE_BASE 0x00
#define MODE_AUTH 0x02
#define CONTEXT_MAX 96		/* the longest info of LabeledExpand: kem_context in mode_auth */

static const uint8_t kem_suite[] = { 'K', 'E', 'M', 0x00, 0x20 };
static const uint8_t hpke_suite[] = { 'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03 };
#define SUITE(s) sp_span(s, sizeof(s))

struct keys {
	uint8_t key[SP_AEAD_KEY];
	uint8_t base_nonce[SP_AEAD_NONCE];
};

static void
labeled_extract(struct sp_span suite, struct sp_span salt, const char *label, struct sp_span ikm, uint8_t out[32])
{
	struct sp_span parts[] = { sp_span_str("HPKE-v1"), suite, sp_span_str(label), ikm };

	sp_hmac_parts(salt, parts, 4, out);
}

static void
labeled_expand(struct sp_span suite, const uint8_t prk[32], const char *label, struct sp_span info, uint8_t *out,
    size_t n)
{
	uint8_t text[2 + 7 + sizeof(hpke_suite) + 16 + CONTEXT_MAX];
	struct sp_span parts[] = { sp_span_str("HPKE-v1"), suite, sp_span_str(label), info };
	size_t len = 2;

	assert(strlen(label) <= 16 && info.n <= CONTEXT_MAX && suite.n <= sizeof(hpke_suite));
	text[0] = (uint8_t)(n >> 8);
	text[1] = (uint8_t)n;
	for (size_t i = 0; i < 4; i++) {
		if (parts[i].n > 0)
			memcpy(text + len, parts[i].p, parts[i].n);
		len += parts[i].n;
	}
	sp_hkdf_expand(prk, sp_span(text, len), out, n);
}

/* ExtractAndExpand over one or two Diffie-Hellman results; kem_context is enc, receiver and (mode_auth) sender. */
static void
extract_and_expand(struct sp_span dh, const uint8_t *enc, const uint8_t *receiver, const uint8_t *sender,
    uint8_t shared[32])
{
	uint8_t context[CONTEXT_MAX], prk[32];
	size_t n = 2 * SP_X25519;

	memcpy(context, enc, SP_X25519);
	memcpy(context + SP_X25519, receiver, SP_X25519);
	if (sender != NULL) {
		memcpy(context + n, sender, SP_X25519);
		n += SP_X25519;
	}
	labeled_extract(SUITE(kem_suite), sp_span(NULL, 0), "eae_prk", dh, prk);
	labeled_expand(SUITE(kem_suite), prk, "shared_secret", sp_span(context, n), shared, 32);
	sp_wipe(prk, sizeof(prk));
}

static void
key_schedule(uint8_t mode, const uint8_t shared[32], struct sp_span info, struct keys *out)
{
	uint8_t context[1 + 32 + 32], secret[32];
	struct sp_span none = sp_span(NULL, 0), whole = sp_span(context, sizeof(context));

	context[0] = mode;
	labeled_extract(SUITE(hpke_suite), none, "psk_id_hash", none, context + 1);
	labeled_extract(SUITE(hpke_suite), none, "info_hash", info, context + 33);
	labeled_extract(SUITE(hpke_suite), sp_span(shared, 32), "secret", none, secret);
	labeled_expand(SUITE(hpke_suite), secret, "key", whole, out->key, sizeof(out->key));
	labeled_expand(SUITE(hpke_suite), secret, "base_nonce", whole, out->base_nonce, sizeof(out->base_nonce));
	sp_wipe(secret, sizeof(secret));
}

/* Encap and AuthEncap, then the key schedule. */
static enum sp_status
keys_to_seal(const struct sp_x25519_pair *ephemeral, const struct sp_x25519_pair *sender, const uint8_t *receiver,
    struct sp_span info, struct keys *out)
{
	uint8_t dh[2 * SP_X25519], shared[32];
	size_t n = SP_X25519;
	enum sp_status st = sp_x25519(ephemeral->secret, receiver, dh);

	if (st == SP_OK && sender != NULL) {
		st = sp_x25519(sender->secret, receiver, dh + n);
		n += SP_X25519;
	}
	if (st == SP_OK) {
		extract_and_expand(sp_span(dh, n), ephemeral->public_key, receiver,
		    sender != NULL ? sender->public_key : NULL, shared);
		key_schedule(sender != NULL ? MODE_AUTH : MODE_BASE, shared, info, out);
	}
	sp_wipe(dh, sizeof(dh));
	sp_wipe(shared, sizeof(shared));
	return st;
}

/* Decap and AuthDecap, then the key schedule. */
static enum sp_status
keys_to_open(const struct sp_x25519_pair *receiver, const uint8_t *sender, const uint8_t *enc, struct sp_span info,
    struct keys *out)
{
	uint8_t dh[2 * SP_X25519], shared[32];
	size_t n = SP_X25519;
	enum sp_status st = sp_x25519(receiver->secret, enc, dh);

	if (st == SP_OK && sender != NULL) {
		st = sp_x25519(receiver->secret, sender, dh + n);
		n += SP_X25519;
	}
	if (st == SP_OK) {
		extract_and_expand(sp_span(dh, n), enc, receiver->public_key, sender, shared);
		key_schedule(sender != NULL ? MODE_AUTH : MODE_BASE, shared, info, out);
	}
	sp_wipe(dh, sizeof(dh));
	sp_wipe(shared, sizeof(shared));
	return st;
}

enum sp_status
sp_hpke_seal_with(const struct sp_x25519_pair *ephemeral, const struct sp_x25519_pair *sender,
    const uint8_t receiver[SP_X25519], struct sp_span info, struct sp_span aad, struct sp_span text, uint8_t *ret_enc,
    uint8_t *out)
{
	SP_AUTO(sp_aead) *aead = NULL;
	struct keys keys;
	enum sp_status st;

	if ((st = keys_to_seal(ephemeral, sender, receiver, info, &keys)) != SP_OK)
		return st;
	aead = sp_aead_new(keys.key, true);
	if (aead == NULL) {
		st = SP_E_NOMEM;
	} else {
		memcpy(ret_enc, ephemeral->public_key, SP_HPKE_ENC);
		st = sp_aead_seal(aead, keys.base_nonce, aad, text.p, text.n, out);
	}
	sp_wipe(&keys, sizeof(keys));
	return st;
}

enum sp_status
sp_hpke_seal(const struct sp_x25519_pair *sender, const uint8_t receiver[SP_X25519], struct sp_span info,
    struct sp_span aad, struct sp_span text, uint8_t *ret_enc, uint8_t *out)
{
	struct sp_x25519_pair ephemeral;
	enum sp_status st = sp_x25519_new(&ephemeral);

	if (st != SP_OK)
		return st;
	st = sp_hpke_seal_with(&ephemeral, sender, receiver, info, aad, text, ret_enc, out);
	sp_wipe(&ephemeral, sizeof(ephemeral));
	return st;
}

enum sp_status
sp_hpke_open(const struct sp_x25519_pair *receiver, const uint8_t *sender, struct sp_span info, struct sp_span aad,
    const uint8_t *enc, struct sp_span sealed, uint8_t *out)
{
	SP_AUTO(sp_aead) *aead = NULL;
	struct keys keys;
	enum sp_status st;

	if (sealed.n < SP_HPKE_TAG)
		return SP_E_SEAL;
	if ((st = keys_to_open(receiver, sender, enc, info, &keys)) != SP_OK)
		return st;
	aead = sp_aead_new(keys.key, false);
	st = aead == NULL ? SP_E_NOMEM : sp_aead_open(aead, keys.base_nonce, aad, sealed.p, sealed.n, out);
	sp_wipe(&keys, sizeof(keys));
	return st;
}
