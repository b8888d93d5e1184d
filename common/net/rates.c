/*
 * rates.c - the table: sets of a few buckets each.
 */
#include "common/net/rates.h"

#include <stdlib.h>

#include "common/base/limits.h"
#include "common/crypto/hash.h"
#include "common/crypto/rand.h"

#define WAYS 8
#define SETS (SP_RATES_MAX / WAYS)
_Static_assert((SETS & (SETS - 1)) == 0, "sets are found by bits");

struct slot {
	uint8_t name[8];		/* of kind and key, under the secret */
	bool used;
	struct sp_bucket bucket;
	struct sp_rate rate;
};

struct sp_rates {
	uint8_t secret[16];
	struct slot slots[SETS][WAYS];
};

/* ---- one bucket ---- */

void
sp_bucket_fill(struct sp_bucket *b, const struct sp_rate *rate, uint64_t boot_ms)
{
	*b = (struct sp_bucket){ (uint64_t)rate->burst * 1000, boot_ms };
}

static void
refill(struct sp_bucket *b, const struct sp_rate *rate, uint64_t boot_ms)
{
	uint64_t most = (uint64_t)rate->burst * 1000, ms = boot_ms > b->at_ms ? boot_ms - b->at_ms : 0;

	/* a long time fills it, and must not overflow */
	if (rate->rate == 0 || ms < most / rate->rate + 1)
		b->milli += ms * rate->rate;
	else
		b->milli = most;
	if (b->milli > most)
		b->milli = most;
	b->at_ms = boot_ms;
}

bool
sp_bucket_take(struct sp_bucket *b, const struct sp_rate *rate, uint64_t boot_ms)
{
	refill(b, rate, boot_ms);
	if (b->milli < 1000)
		return false;
	b->milli -= 1000;
	return true;
}

uint64_t
sp_bucket_level(struct sp_bucket *b, const struct sp_rate *rate, uint64_t boot_ms)
{
	refill(b, rate, boot_ms);
	return b->milli / 1000;
}

/* ---- many ---- */

struct sp_rates *
sp_rates_new(void)
{
	struct sp_rates *r = calloc(1, sizeof(*r));

	if (r != NULL)
		sp_random(r->secret, sizeof(r->secret));
	return r;
}

void
sp_rates_free(struct sp_rates *r)
{
	free(r);
}

/* How full it is, in thousandths. */
static uint64_t
fullness(struct slot *s, uint64_t boot_ms)
{
	refill(&s->bucket, &s->rate, boot_ms);
	return s->bucket.milli / (s->rate.burst > 0 ? s->rate.burst : 1);
}

/* The slot that a newcomer takes over, with its share of what was left there. */
static struct slot *
take_over(struct slot *set, const uint8_t name[8], const struct sp_rate *rate, uint64_t boot_ms)
{
	struct slot *best = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < WAYS; i++) {
		uint64_t full = set[i].used ? fullness(&set[i], boot_ms) : 1000;

		if (best == NULL || full > most) {
			best = &set[i];
			most = full;
		}
	}
	*best = (struct slot){ .used = true, .rate = *rate, .bucket = { most * rate->burst, boot_ms } };
	memcpy(best->name, name, sizeof(best->name));
	return best;
}

static struct slot *
slot_of(struct sp_rates *r, unsigned kind, struct sp_span key, const struct sp_rate *rate, uint64_t boot_ms)
{
	const uint8_t number = (uint8_t)kind;
	const struct sp_span parts[] = { sp_span(r->secret, sizeof(r->secret)), sp_span(&number, 1), key };
	struct sp_hash hash;
	struct slot *set;

	sp_sha256_parts(parts, 3, &hash);
	set = r->slots[(size_t)(hash.b[8] | hash.b[9] << 8) & (SETS - 1)];
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].used && memcmp(set[i].name, hash.b, sizeof(set[i].name)) == 0)
			return &set[i];
	return take_over(set, hash.b, rate, boot_ms);
}

bool
sp_rates_take(struct sp_rates *r, unsigned kind, struct sp_span key, const struct sp_rate *rate, uint64_t boot_ms)
{
	return sp_bucket_take(&slot_of(r, kind, key, rate, boot_ms)->bucket, rate, boot_ms);
}

void
sp_rates_give(struct sp_rates *r, unsigned kind, struct sp_span key, const struct sp_rate *rate, uint64_t boot_ms)
{
	struct sp_bucket *b = &slot_of(r, kind, key, rate, boot_ms)->bucket;

	b->milli += 1000;
	refill(b, rate, boot_ms);
}

/* ---- networks ---- */

struct network {
	uint8_t bytes[21];
};

static struct network
network_of(const struct sp_addr *from, unsigned bits4, unsigned bits6)
{
	struct sp_addr net = sp_addr_prefix(from, bits4, bits6);
	struct network n = { { net.family } };

	memcpy(n.bytes + 1, net.ip, sizeof(net.ip));
	memcpy(n.bytes + 17, &net.scope, sizeof(net.scope));
	return n;
}

bool
sp_rates_take_network(struct sp_rates *r, unsigned kind, const struct sp_addr *from, const struct sp_network_rates *rates,
    uint64_t boot_ms)
{
	struct network near = network_of(from, 32, 64), wide = network_of(from, 24, 48);

	return sp_rates_take(r, kind, sp_span(near.bytes, sizeof(near.bytes)), &rates->near, boot_ms) &&
	    sp_rates_take(r, kind + 1, sp_span(wide.bytes, sizeof(wide.bytes)), &rates->wide, boot_ms);
}

void
sp_rates_give_network(struct sp_rates *r, unsigned kind, const struct sp_addr *from, const struct sp_network_rates *rates,
    uint64_t boot_ms)
{
	struct network near = network_of(from, 32, 64), wide = network_of(from, 24, 48);

	sp_rates_give(r, kind, sp_span(near.bytes, sizeof(near.bytes)), &rates->near, boot_ms);
	sp_rates_give(r, kind + 1, sp_span(wide.bytes, sizeof(wide.bytes)), &rates->wide, boot_ms);
}
