/*
 * guesses.c - the tries of each network. A secret has 128 bits: what is kept from a guesser is not the secret but the
 * signers, the database and the log.
 */
#include "keyd/guesses.h"

#include <string.h>

#include "common/base/limits.h"

enum kind { NETWORK, WIDE };
static const struct sp_rate rate[] = {
	[NETWORK] = { SP_ENROL_RATE, SP_ENROL_BURST },
	[WIDE] = { 4 * SP_ENROL_RATE, 4 * SP_ENROL_BURST },
};

struct name {
	uint8_t bytes[17];
};

static struct name
name_of(const struct sp_addr *from, enum kind kind)
{
	struct sp_addr net = kind == NETWORK ? sp_addr_prefix(from, 32, 64) : sp_addr_prefix(from, 24, 48);
	struct name n = { { net.family } };

	memcpy(n.bytes + 1, net.ip, sizeof(net.ip));
	return n;
}

bool
guesses_take(struct sp_rates *rates, const struct sp_addr *from, uint64_t boot_ms)
{
	struct name near = name_of(from, NETWORK), wide = name_of(from, WIDE);

	return sp_rates_take(rates, NETWORK, sp_span(near.bytes, sizeof(near.bytes)), &rate[NETWORK], boot_ms) &&
	    sp_rates_take(rates, WIDE, sp_span(wide.bytes, sizeof(wide.bytes)), &rate[WIDE], boot_ms);
}

void
guesses_give(struct sp_rates *rates, const struct sp_addr *from, uint64_t boot_ms)
{
	struct name near = name_of(from, NETWORK), wide = name_of(from, WIDE);

	sp_rates_give(rates, NETWORK, sp_span(near.bytes, sizeof(near.bytes)), &rate[NETWORK], boot_ms);
	sp_rates_give(rates, WIDE, sp_span(wide.bytes, sizeof(wide.bytes)), &rate[WIDE], boot_ms);
}
