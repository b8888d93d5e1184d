/*
 * cookie.h - what a station under load gives instead of work: a proof that letters sent to an address arrive there. The
 * writer sends its letter again with mac2, which only the cookie makes. No sockets, no clock: addresses are bytes, times
 * are given in.
 *
 * Letter of kind 4: version u8, kind u8, reference (8: the first bytes of enc of the letter that it answers), nonce (16),
 * sealed cookie (32). It opens only to who knows that letter's mac1, and is shorter than any letter.
 */
#ifndef SP_WIRE_COOKIE_H
#define SP_WIRE_COOKIE_H

#include "common/wire/letter.h"

#define SP_COOKIE 16
#define SP_COOKIE_REF 8
#define SP_COOKIE_LETTER (2 + SP_COOKIE_REF + 16 + SP_COOKIE + 16)

/* ---- who gives cookies ---- */
/* Zeroes are a jar without a secret: it makes one when it is needed. */
struct sp_cookie_jar {
	uint8_t secret[2][32];		/* now, and the one before */
	uint64_t made_ms;
	bool has[2];
};

/* The cookie of an address, under a secret that holds for one to two times SP_LETTER_COOKIE_MS. */
void sp_cookie_make(struct sp_cookie_jar *jar, struct sp_span address, uint64_t boot_ms, uint8_t ret_cookie[SP_COOKIE]);

/* Is mac2 made with a cookie that this address was given? The letter has passed sp_letter_check(). */
bool sp_cookie_fits(struct sp_cookie_jar *jar, struct sp_span letter, struct sp_span address, uint64_t boot_ms);

/* The answer to a letter that has passed sp_letter_check() under own. */
void sp_cookie_seal(const struct sp_letter_key *own, struct sp_span letter, const uint8_t cookie[SP_COOKIE],
    uint8_t out[SP_COOKIE_LETTER]);

/* ---- who gets them ---- */
/* Length, version and kind; the reference is borrowed. SP_E_SHORT, SP_E_LONG, SP_E_VERSION, SP_E_UNKNOWN. */
SP_MUST_CHECK enum sp_status sp_cookie_peek(struct sp_span bytes, const uint8_t **ret_ref);

/* Where a letter's reference stands in it. */
const uint8_t *sp_cookie_ref(struct sp_span letter);

/* Opens the answer to this letter of ours. SP_E_SEAL unless its receiver gave it for exactly that letter. */
SP_MUST_CHECK enum sp_status sp_cookie_open(const struct sp_letter_key *receiver, struct sp_span letter,
    struct sp_span bytes, uint8_t ret_cookie[SP_COOKIE]);

/* Writes mac2 into a sealed letter; NULL: zeroes. */
void sp_cookie_stamp(uint8_t *letter, size_t n, const uint8_t cookie[SP_COOKIE]);

#endif
