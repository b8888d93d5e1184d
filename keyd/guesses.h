/*
 * guesses.h - invitations are secrets, so each network may be wrong about them only so often: whoever asks uses up a
 * try, and whoever was right, or did not guess, gets it back when that is clear. So many are under way from it at most, too. Loop thread only.
 */
#ifndef KEYD_GUESSES_H
#define KEYD_GUESSES_H

#include "common/net/addr.h"
#include "common/net/rates.h"

/* False: this network (/32, IPv6 /64), or the wider one (/24, /48), has no try left for now. */
bool guesses_take(struct sp_rates *rates, const struct sp_addr *from, uint64_t boot_ms);

/* It was no guess. */
void guesses_give(struct sp_rates *rates, const struct sp_addr *from, uint64_t boot_ms);

#endif
