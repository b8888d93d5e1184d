/*
 * rates.h - token buckets for whoever comes, in a table that never grows. When it is full a newcomer takes over the
 * fullest bucket of a few, with what is left in it: nobody gains by being forgotten. Places depend on a secret, so that
 * nobody can choose them. One thread.
 */
#ifndef SP_NET_RATES_H
#define SP_NET_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/auto.h"
#include "common/base/span.h"
#include "common/net/addr.h"

/* A bucket fills with rate tokens a second, up to burst. */
struct sp_rate {
	uint32_t rate, burst;
};

struct sp_bucket {
	uint64_t milli;			/* thousandths of a token */
	uint64_t at_ms;
};

/* Zeroes are an empty bucket; this makes a full one. */
void sp_bucket_fill(struct sp_bucket *b, const struct sp_rate *rate, uint64_t boot_ms);
bool sp_bucket_take(struct sp_bucket *b, const struct sp_rate *rate, uint64_t boot_ms);

/* Whole tokens that are there. */
uint64_t sp_bucket_level(struct sp_bucket *b, const struct sp_rate *rate, uint64_t boot_ms);

struct sp_rates;
struct sp_rates *sp_rates_new(void);	/* NULL when out of memory */
void sp_rates_free(struct sp_rates *r);
SP_AUTO_DEFINE(sp_rates);

/* One token of the bucket of this kind and key; false if there is none. A kind has one rate. */
bool sp_rates_take(struct sp_rates *r, unsigned kind, struct sp_span key, const struct sp_rate *rate, uint64_t boot_ms);

/* One token of the address's network (/32, IPv6 /64), whose buckets are of this kind, and one of the wider network's (/24, /48), of
 * kind + 1; false if one of them has none. */
struct sp_network_rates {
	struct sp_rate near, wide;
};
bool sp_rates_take_network(struct sp_rates *r, unsigned kind, const struct sp_addr *from, const struct sp_network_rates *rates,
    uint64_t boot_ms);

/* Puts a token back that should not have been taken; a full bucket stays as it is. */
void sp_rates_give(struct sp_rates *r, unsigned kind, struct sp_span key, const struct sp_rate *rate, uint64_t boot_ms);
void sp_rates_give_network(struct sp_rates *r, unsigned kind, const struct sp_addr *from, const struct sp_network_rates *rates,
    uint64_t boot_ms);

#endif
