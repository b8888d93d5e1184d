/*
 * guard.c - the buckets, the jar, and the cookies of others.
 */
#include "common/net/guard.h"

#include <stdlib.h>

#include "common/base/limits.h"
#include "common/net/rates.h"

/* Cookies that others gave are used a little shorter than they hold. */
#define KEEP_MS (SP_LETTER_COOKIE_MS - 5000)
#define LOAD_MS 1000		/* load lasts at least so long, so that it does not flicker */

enum kind { NETWORK /* and the wider one */, STATION = 2, PROVED = 8, BY_TCP = 16 /* added to the others */ };

struct kept {
	uint8_t receiver[8];
	struct sp_addr addr;
	uint8_t cookie[SP_COOKIE];
	uint64_t until_ms;
};

struct sp_guard {
	struct sp_rates *rates;		/* owned */
	struct sp_cookie_jar jar;
	struct sp_rate common_rate;
	struct sp_bucket common, book;
	uint64_t loaded_until_ms;
	struct kept kept[SP_LETTER_COOKIES];
	size_t nkept, next;		/* next: the oldest, once all are used */
};

static const struct sp_rate book_rate = { SP_LETTER_OPENS_BOOK, 2 * SP_LETTER_OPENS_BOOK };
static const struct sp_network_rates network_rates = { { SP_LETTER_RATE, 2 * SP_LETTER_RATE },
	{ SP_LETTER_RATE_WIDE, 2 * SP_LETTER_RATE_WIDE } };
static const struct sp_rate station_rate = { SP_LETTER_RATE_STATION, 2 * SP_LETTER_RATE_STATION };
static const struct sp_rate forgeable_rate = { SP_LETTER_RATE_FORGEABLE, 2 * SP_LETTER_RATE_FORGEABLE };

struct sp_guard *
sp_guard_new(unsigned opens)
{
	struct sp_guard *g = calloc(1, sizeof(*g));

	if (g == NULL || (g->rates = sp_rates_new()) == NULL) {
		free(g);
		return NULL;
	}
	g->common_rate.rate = g->common_rate.burst = opens != 0 ? opens : SP_LETTER_OPENS;
	sp_bucket_fill(&g->common, &g->common_rate, 0);
	sp_bucket_fill(&g->book, &book_rate, 0);
	return g;
}

void
sp_guard_free(struct sp_guard *g)
{
	if (g == NULL)
		return;
	sp_rates_free(g->rates);
	sp_wipe(&g->jar, sizeof(g->jar));
	free(g);
}

/* An address as the bytes that a cookie is bound to. */
#define ADDR_BYTES 23
static struct sp_span
addr_bytes(const struct sp_addr *a, uint8_t out[ADDR_BYTES])
{
	out[0] = a->family;
	memcpy(out + 1, a->ip, sizeof(a->ip));
	out[17] = (uint8_t)(a->port >> 8);
	out[18] = (uint8_t)a->port;
	for (size_t i = 0; i < 4; i++)
		out[19 + i] = (uint8_t)(a->scope >> (24 - 8 * i));
	return sp_span(out, ADDR_BYTES);
}

/* ---- who may ---- */

static bool
network_may(struct sp_guard *g, const struct sp_addr *from, unsigned proved, uint64_t boot_ms)
{
	return sp_rates_take_network(g->rates, NETWORK + proved, from, &network_rates, boot_ms);
}

static bool
station_may(struct sp_guard *g, const uint8_t *station, unsigned proved, uint64_t boot_ms)
{
	return sp_rates_take(g->rates, STATION + proved, sp_span(station, SP_X25519),
	    proved != 0 ? &station_rate : &forgeable_rate, boot_ms);
}

bool
sp_guard_is_loaded(const struct sp_guard *g, uint64_t boot_ms)
{
	return boot_ms < g->loaded_until_ms;
}

/* Opening is what costs: load is what has used up half of the openings. */
static void
measure(struct sp_guard *g, bool crowded, uint64_t boot_ms)
{
	if (crowded || sp_bucket_level(&g->common, &g->common_rate, boot_ms) < g->common_rate.burst / 2)
		g->loaded_until_ms = boot_ms + LOAD_MS;
}

enum sp_guard_says
sp_guard_letter(struct sp_guard *g, const struct sp_guard_case *c, uint64_t boot_ms)
{
	uint8_t bytes[ADDR_BYTES];
	unsigned proved = 0;
	bool known;

	if (c->from->conn != 0)
		proved = BY_TCP;
	else if (sp_cookie_fits(&g->jar, c->letter, addr_bytes(&c->from->addr, bytes), boot_ms))
		proved = PROVED;
	known = c->from->dialled || (c->station != NULL && station_may(g, c->station, proved, boot_ms));
	if (known && sp_bucket_take(&g->book, &book_rate, boot_ms))
		return SP_GUARD_OPEN;
	measure(g, c->crowded, boot_ms);
	if (proved == 0 && (sp_guard_is_loaded(g, boot_ms) || !network_may(g, &c->from->addr, 0, boot_ms)))
		return SP_GUARD_COOKIE;
	if (proved != 0 && !network_may(g, &c->from->addr, proved, boot_ms))
		return SP_GUARD_LIMITED;
	return sp_bucket_take(&g->common, &g->common_rate, boot_ms) ? SP_GUARD_OPEN : SP_GUARD_BUSY;
}

void
sp_guard_cookie(struct sp_guard *g, const struct sp_letter_key *own, const struct sp_guard_case *c, uint64_t boot_ms,
    uint8_t out[SP_COOKIE_LETTER])
{
	uint8_t bytes[ADDR_BYTES], cookie[SP_COOKIE];

	sp_cookie_make(&g->jar, addr_bytes(&c->from->addr, bytes), boot_ms, cookie);
	sp_cookie_seal(own, c->letter, cookie, out);
}

/* ---- cookies of others ---- */

void
sp_guard_keep(struct sp_guard *g, const struct sp_letter_key *receiver, const struct sp_addr *addr,
    const uint8_t cookie[SP_COOKIE], uint64_t boot_ms)
{
	struct kept *k = NULL;

	for (size_t i = 0; k == NULL && i < g->nkept; i++)
		if (sp_addr_eq(&g->kept[i].addr, addr) && memcmp(g->kept[i].receiver, receiver->id, 8) == 0)
			k = &g->kept[i];
	if (k == NULL) {
		k = &g->kept[g->next];
		g->next = (g->next + 1) % SP_LETTER_COOKIES;
		g->nkept += g->nkept < SP_LETTER_COOKIES;
	}
	*k = (struct kept){ .addr = *addr, .until_ms = boot_ms + KEEP_MS };
	memcpy(k->receiver, receiver->id, sizeof(k->receiver));
	memcpy(k->cookie, cookie, SP_COOKIE);
}

void
sp_guard_stamp(const struct sp_guard *g, const struct sp_addr *addr, uint8_t *letter, size_t n, uint64_t boot_ms)
{
	const uint8_t *cookie = NULL;

	for (size_t i = 0; cookie == NULL && i < g->nkept; i++) {
		const struct kept *k = &g->kept[i];

		if (k->until_ms > boot_ms && sp_addr_eq(&k->addr, addr) && memcmp(k->receiver, letter + 2, 8) == 0)
			cookie = k->cookie;
	}
	sp_cookie_stamp(letter, n, cookie);
}
