/*
 * rand.c - randomness from OpenSSL's generator (one per thread, reseeded from the system and after a fork).
 */
#include "common/crypto/rand.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/rand.h>

#define CHUNK ((size_t)1 << 20)

void
sp_random(void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		size_t part = n < CHUNK ? n : CHUNK;

		if (RAND_bytes(p, (int)part) != 1)
			abort();
		p += part;
		n -= part;
	}
}

uint64_t
sp_random_below(uint64_t bound)
{
	uint64_t v, skip;

	assert(bound > 0);
	/* 2^64 mod bound values at the low end are left out, so that every remainder is equally likely. */
	skip = (0 - bound) % bound;
	do
		sp_random(&v, sizeof(v));
	while (v < skip);
	return v % bound;
}
