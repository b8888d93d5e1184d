/*
 * cookie.c - makes, seals, opens and checks cookies, and mac2.
 */
#include "common/wire/cookie.h"

#include "common/crypto/aead.h"
#include "common/crypto/hash.h"
#include "common/crypto/rand.h"

#define LABEL "sealpost cookie 1"

enum { AT_REF = 2, AT_NONCE = AT_REF + SP_COOKIE_REF, NONCE = 16, AT_SEALED = AT_NONCE + NONCE, AT_ENC = 42, MAC = 16 };
_Static_assert(SP_COOKIE_LETTER == AT_SEALED + SP_COOKIE + SP_AEAD_TAG, "the cookie's letter");
_Static_assert(SP_COOKIE_LETTER < SP_LETTER_OVER, "a cookie is shorter than any letter");

/* ---- the jar ---- */

/* A secret that is used no longer is gone, however long nobody asked. */
static void
turn(struct sp_cookie_jar *jar, uint64_t boot_ms)
{
	uint64_t age = boot_ms - jar->made_ms;

	if (jar->has[0] && age < SP_LETTER_COOKIE_MS)
		return;
	jar->has[1] = jar->has[0] && age < 2 * SP_LETTER_COOKIE_MS;
	memcpy(jar->secret[1], jar->secret[0], sizeof(jar->secret[1]));
	if (!jar->has[1])
		sp_wipe(jar->secret[1], sizeof(jar->secret[1]));
	sp_random(jar->secret[0], sizeof(jar->secret[0]));
	jar->has[0] = true;
	jar->made_ms = boot_ms;
}

static void
make(const uint8_t secret[32], struct sp_span address, uint8_t out[SP_COOKIE])
{
	uint8_t whole[32];

	sp_hmac(sp_span(secret, 32), address, whole);
	memcpy(out, whole, SP_COOKIE);
}

void
sp_cookie_make(struct sp_cookie_jar *jar, struct sp_span address, uint64_t boot_ms, uint8_t ret_cookie[SP_COOKIE])
{
	turn(jar, boot_ms);
	make(jar->secret[0], address, ret_cookie);
}

/* mac2: over all that stands before it. */
static void
mac2(const uint8_t cookie[SP_COOKIE], struct sp_span letter, uint8_t out[MAC])
{
	uint8_t whole[32];

	sp_hmac(sp_span(cookie, SP_COOKIE), sp_span(letter.p, letter.n - MAC), whole);
	memcpy(out, whole, MAC);
}

bool
sp_cookie_fits(struct sp_cookie_jar *jar, struct sp_span letter, struct sp_span address, uint64_t boot_ms)
{
	static const uint8_t none[MAC];
	const uint8_t *shown = letter.p + letter.n - MAC;

	if (memcmp(shown, none, MAC) == 0)
		return false;
	turn(jar, boot_ms);
	for (size_t i = 0; i < 2 && jar->has[i]; i++) {
		uint8_t cookie[SP_COOKIE], want[MAC];

		make(jar->secret[i], address, cookie);
		mac2(cookie, letter, want);
		if (sp_same_secret(want, shown, MAC))
			return true;
	}
	return false;
}

/* ---- the answer ---- */

/* Each nonce and mac1 make a key of their own, so the cipher's nonce may stay zero. */
static struct sp_aead *
cipher(const struct sp_letter_key *receiver, const uint8_t *nonce, struct sp_span letter, bool seal)
{
	const struct sp_span name[] = { sp_span_str(LABEL), sp_span(receiver->public_key, SP_X25519) };
	const struct sp_span what[] = { sp_span(nonce, NONCE), sp_span(letter.p + letter.n - SP_LETTER_MACS, MAC) };
	uint8_t key[SP_AEAD_KEY];
	struct sp_hash base;
	struct sp_aead *aead;

	sp_sha256_parts(name, 2, &base);
	sp_hmac_parts(sp_span(base.b, sizeof(base.b)), what, 2, key);
	aead = sp_aead_new(key, seal);
	sp_wipe(key, sizeof(key));
	return aead;
}

void
sp_cookie_seal(const struct sp_letter_key *own, struct sp_span letter, const uint8_t cookie[SP_COOKIE],
    uint8_t out[SP_COOKIE_LETTER])
{
	static const uint8_t zero[SP_AEAD_NONCE];
	SP_AUTO(sp_aead) *aead = NULL;

	out[0] = SP_LETTER_VERSION;
	out[1] = SP_LETTER_COOKIE;
	memcpy(out + AT_REF, sp_cookie_ref(letter), SP_COOKIE_REF);
	sp_random(out + AT_NONCE, NONCE);
	aead = cipher(own, out + AT_NONCE, letter, true);
	/* Without memory it is as good as lost on the way. */
	if (aead == NULL || sp_aead_seal(aead, zero, sp_span(out, AT_SEALED), cookie, SP_COOKIE, out + AT_SEALED) != SP_OK)
		memset(out + AT_SEALED, 0, SP_COOKIE + SP_AEAD_TAG);
}

enum sp_status
sp_cookie_peek(struct sp_span bytes, const uint8_t **ret_ref)
{
	if (bytes.n < SP_COOKIE_LETTER)
		return SP_E_SHORT;
	if (bytes.p[0] != SP_LETTER_VERSION)
		return SP_E_VERSION;
	if (bytes.p[1] != SP_LETTER_COOKIE)
		return SP_E_UNKNOWN;
	if (bytes.n > SP_COOKIE_LETTER)
		return SP_E_LONG;
	*ret_ref = bytes.p + AT_REF;
	return SP_OK;
}

const uint8_t *
sp_cookie_ref(struct sp_span letter)
{
	return letter.p + AT_ENC;
}

enum sp_status
sp_cookie_open(const struct sp_letter_key *receiver, struct sp_span letter, struct sp_span bytes,
    uint8_t ret_cookie[SP_COOKIE])
{
	static const uint8_t zero[SP_AEAD_NONCE];
	SP_AUTO(sp_aead) *aead = NULL;
	uint8_t cookie[SP_COOKIE];
	const uint8_t *ref;
	enum sp_status st;

	if ((st = sp_cookie_peek(bytes, &ref)) != SP_OK)
		return st;
	if (letter.n < SP_LETTER_OVER || memcmp(ref, sp_cookie_ref(letter), SP_COOKIE_REF) != 0)
		return SP_E_SEAL;
	if ((aead = cipher(receiver, bytes.p + AT_NONCE, letter, false)) == NULL)
		return SP_E_NOMEM;
	st = sp_aead_open(aead, zero, sp_span(bytes.p, AT_SEALED), bytes.p + AT_SEALED, SP_COOKIE + SP_AEAD_TAG, cookie);
	if (st == SP_OK)
		memcpy(ret_cookie, cookie, SP_COOKIE);
	return st;
}

void
sp_cookie_stamp(uint8_t *letter, size_t n, const uint8_t cookie[SP_COOKIE])
{
	if (cookie != NULL)
		mac2(cookie, sp_span(letter, n), letter + n - MAC);
	else
		memset(letter + n - MAC, 0, MAC);
}
