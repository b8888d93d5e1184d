/*
 * cookie_fuzz.c - cookies: bytes that claim to be one for a letter of alice's to bob, and mac2 on a letter (what follows a zero byte)
 * from an address that was given a cookie.
 */
#include "common/wire/cookie.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

/* A letter of fixed bytes: nothing of it is opened, so that nothing need be sealed. */
static void
make_letter(uint8_t out[SP_LETTER_OVER])
{
	for (size_t i = 0; i < SP_LETTER_OVER; i++)
		out[i] = (uint8_t)(i * 7);
	out[0] = SP_LETTER_VERSION;
	out[1] = SP_LETTER_SEALED;
}

/* Only what bob seals for this letter opens, and it is the cookie. */
static void
open_it(struct sp_span in, const struct sp_letter_key *bob)
{
	static const uint8_t given[SP_COOKIE] = "a cookie of bob";
	uint8_t letter[SP_LETTER_OVER], cookie[SP_COOKIE], sealed[SP_COOKIE_LETTER];
	const uint8_t *ref;

	make_letter(letter);
	if (sp_cookie_peek(in, &ref) == SP_OK)
		fuzz_must(in.n == SP_COOKIE_LETTER && ref >= in.p && ref + SP_COOKIE_REF <= in.p + in.n);
	if (sp_cookie_open(bob, sp_span(letter, sizeof(letter)), in, cookie) == SP_OK) {
		fuzz_must(sp_cookie_peek(in, &ref) == SP_OK && memcmp(cookie, given, sizeof(given)) == 0);
		fuzz_accept();
	}
	sp_cookie_seal(bob, sp_span(letter, sizeof(letter)), given, sealed);
	if (in.n > 0)
		sealed[in.p[0] % sizeof(sealed)] ^= in.p[in.n - 1];
	if (in.n > 0 && in.p[in.n - 1] != 0)
		fuzz_must(sp_cookie_open(bob, sp_span(letter, sizeof(letter)), sp_span(sealed, sizeof(sealed)), cookie) != SP_OK);
	else
		fuzz_ok(sp_cookie_open(bob, sp_span(letter, sizeof(letter)), sp_span(sealed, sizeof(sealed)), cookie));
}

/* mac2 fits for who was given a cookie, on the letter that it was stamped on, and not one bit beside it. */
static void
stamp(struct sp_span in, struct sp_span address)
{
	struct sp_cookie_jar jar = { .secret = { { 1 }, { 2 } }, .made_ms = 1000, .has = { true, true } };
	uint8_t letter[SP_LETTER_OVER], cookie[SP_COOKIE];
	struct sp_span whole = sp_span(letter, sizeof(letter));
	bool changed = in.n > 1 && in.p[1] != 0;

	make_letter(letter);
	sp_cookie_make(&jar, address, 1000, cookie);
	sp_cookie_stamp(letter, sizeof(letter), cookie);
	fuzz_must(sp_cookie_fits(&jar, whole, address, 1000));
	if (changed)
		letter[in.p[0] % sizeof(letter)] ^= in.p[1];
	fuzz_must(sp_cookie_fits(&jar, whole, address, 1000) == !changed);
	fuzz_must(!sp_cookie_fits(&jar, whole, sp_span_str("another address"), 1000) || sp_span_eq(address,
	    sp_span_str("another address")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sp_x25519_pair pair = fuzz_pair(FUZZ_BOB);
	struct sp_span first, second;
	struct sp_letter_key bob;

	sp_letter_key_init(&bob, pair.public_key);
	open_it(sp_span(data, size), &bob);
	fuzz_split(sp_span(data, size), &first, &second);
	stamp(first, second);
	return 0;
}
