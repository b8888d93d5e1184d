/*
 * guesses.c - the tries of each network. A secret has 128 bits: what is kept from a guesser is not the secret but the
 * signers, the database and the log.
 */
#include "keyd/guesses.h"

#include "common/base/limits.h"

#define KIND 0
static const struct sp_network_rates rates_of = { { SP_ENROL_RATE, SP_ENROL_BURST }, { 4 * SP_ENROL_RATE, 4 * SP_ENROL_BURST } };

bool
guesses_take(struct sp_rates *rates, const struct sp_addr *from, uint64_t boot_ms)
{
	return sp_rates_take_network(rates, KIND, from, &rates_of, boot_ms);
}

void
guesses_give(struct sp_rates *rates, const struct sp_addr *from, uint64_t boot_ms)
{
	sp_rates_give_network(rates, KIND, from, &rates_of, boot_ms);
}
