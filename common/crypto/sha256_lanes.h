/*
 * sha256_lanes.h - SHA-256 (FIPS 180-4) of several messages of one length at once. One message alone leaves most of a processor
 * idle, since each step waits for the one before; several fill each other's waits. Messages of their own are for hash.h.
 */
#ifndef SP_CRYPTO_SHA256_LANES_H
#define SP_CRYPTO_SHA256_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/span.h"

#define SP_SHA256_LANES_MAX 16

/* How many at once are fastest on this processor, 1 to SP_SHA256_LANES_MAX: 16 with AVX-512, 2 with the SHA extensions. */
size_t sp_sha256_lanes(void);

/* For tests: no more than so many, as on another processor; 0: what this one can. */
void sp_sha256_lanes_limit(size_t most);

/* The digests of count messages of length bytes, one behind the other in bytes, into out. Any count. */
void sp_sha256_each(const uint8_t *bytes, size_t length, size_t count, struct sp_hash *out);

#endif
