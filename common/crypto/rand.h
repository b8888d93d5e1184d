/*
 * rand.h - randomness for keys, nonces and choices.
 */
#ifndef SP_CRYPTO_RAND_H
#define SP_CRYPTO_RAND_H

#include <stddef.h>
#include <stdint.h>

/* n random bytes; aborts the program if the system has none (nothing can go on then). */
void sp_random(void *out, size_t n);

/* A uniform number in [0, bound), bound > 0. */
uint64_t sp_random_below(uint64_t bound);

#endif
