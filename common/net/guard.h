/*
 * guard.h - who may have a letter opened: cookies under load, a rate for each network, a share for known stations. It
 * stands between sp_letter_check() and sp_letter_open(), opens nothing, sends nothing and counts nothing. It also keeps
 * the cookies that others gave us. One thread.
 *
 * Anybody can write a letter in another one's name and from another one's address, so neither the sender's key nor the
 * address proves anything yet. What arrived from an address that was given a cookie, or by TCP, did come from there.
 * Both sorts draw on buckets of their own: what forgers use up is never what a cookie gives.
 */
#ifndef SP_NET_GUARD_H
#define SP_NET_GUARD_H

#include "common/net/letterbox.h"
#include "common/wire/cookie.h"

struct sp_guard;

/* opens: letters of unknown senders opened in a second, 0 = SP_LETTER_OPENS. NULL when out of memory. */
struct sp_guard *sp_guard_new(unsigned opens);
void sp_guard_free(struct sp_guard *g);
SP_AUTO_DEFINE(sp_guard);

enum sp_guard_says {
	SP_GUARD_OPEN,		/* open it */
	SP_GUARD_COOKIE,	/* answer with sp_guard_cookie() instead */
	SP_GUARD_LIMITED,	/* its network or station writes too much */
	SP_GUARD_BUSY,		/* everybody together writes too much */
};

/* A letter that passed sp_letter_check(). */
struct sp_guard_case {
	const struct sp_return *from;
	struct sp_span letter;
	const uint8_t *station;	/* letter key of a station of the book, if the letter names it and comes from where that station
				 * was last seen or should be; else NULL. SP_X25519 bytes */
	bool crowded;		/* too much waits elsewhere: as if under load */
};
enum sp_guard_says sp_guard_letter(struct sp_guard *g, const struct sp_guard_case *c, uint64_t boot_ms);

/* Under load: who comes without a cookie gets one and nothing else. */
bool sp_guard_is_loaded(const struct sp_guard *g, uint64_t boot_ms);

/* The answer that SP_GUARD_COOKIE asks for. */
void sp_guard_cookie(struct sp_guard *g, const struct sp_letter_key *own, const struct sp_guard_case *c, uint64_t boot_ms,
    uint8_t out[SP_COOKIE_LETTER]);

/* ---- cookies of others ---- */
/* Keeps the cookie that the station of this key gave us for letters to this address. */
void sp_guard_keep(struct sp_guard *g, const struct sp_letter_key *receiver, const struct sp_addr *addr,
    const uint8_t cookie[SP_COOKIE], uint64_t boot_ms);

/* Writes mac2 into a letter that goes to this address: by the cookie that is kept for it, else zeroes. */
void sp_guard_stamp(const struct sp_guard *g, const struct sp_addr *addr, uint8_t *letter, size_t n, uint64_t boot_ms);

#endif
