/*
 * crypto_lanes_test.c - several SHA-256 at once give what OpenSSL gives one by one: every length around the block, random
 * lengths, counts and contents, by each way that this processor has.
 */
#include <stdlib.h>

#include "common/crypto/hash.h"
#include "common/crypto/rand.h"
#include "common/crypto/sha256_lanes.h"
#include "tests/unit/unit.h"

#define LONGEST 2000
#define COUNT_MAX (2 * SP_SHA256_LANES_MAX + 3)

/* On a processor that lacks a way the next poorer one is tried twice. */
#define WAY_COUNT 3
static const size_t WAYS[WAY_COUNT] = { 16, 2, 1 };

static uint8_t bytes[COUNT_MAX * (LONGEST + 1)];

static void
same(size_t length, size_t count)
{
	struct sp_hash got[COUNT_MAX], want;

	sp_sha256_each(bytes, length, count, got);
	for (size_t i = 0; i < count; i++) {
		sp_sha256(sp_span(bytes + i * length, length), &want);
		ck_assert_msg(sp_hash_eq(&got[i], &want), "message %zu of %zu, %zu bytes, %zu lanes", i, count, length, sp_sha256_lanes());
	}
}

START_TEST(every_length_around_the_block)
{
	sp_random(bytes, sizeof(bytes));
	for (size_t w = 0; w < WAY_COUNT; w++) {
		sp_sha256_lanes_limit(WAYS[w]);
		for (size_t length = 0; length < 200; length++)
			for (size_t count = 0; count <= COUNT_MAX; count += count < 18 ? 1 : 17)
				same(length, count);
	}
	sp_sha256_lanes_limit(0);
}
END_TEST

START_TEST(a_million_messages_of_random_lengths)
{
	srandom(1837);
	sp_random(bytes, sizeof(bytes));
	for (size_t w = 0; w < WAY_COUNT; w++) {
		sp_sha256_lanes_limit(WAYS[w]);
		for (size_t done = 0, count; done < 333334; done += count) {
			count = 1 + (size_t)random() % COUNT_MAX;
			same((size_t)random() % 4 == 0 ? (size_t)random() % LONGEST : (size_t)random() % 130, count);
		}
	}
	sp_sha256_lanes_limit(0);
}
END_TEST

START_TEST(a_known_answer)
{
	struct sp_hash out[SP_SHA256_LANES_MAX];

	/* FIPS 180-2, B.1 */
	for (size_t i = 0; i < SP_SHA256_LANES_MAX; i++)
		memcpy(bytes + 3 * i, "abc", 3);
	for (size_t w = 0; w < WAY_COUNT; w++) {
		sp_sha256_lanes_limit(WAYS[w]);
		sp_sha256_each(bytes, 3, SP_SHA256_LANES_MAX, out);
		for (size_t i = 0; i < SP_SHA256_LANES_MAX; i++)
			ck_assert_mem_eq(out[i].b, "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
			    "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad", 32);
	}
	sp_sha256_lanes_limit(0);
}
END_TEST

UNIT_MAIN("crypto/lanes", a_known_answer, every_length_around_the_block, a_million_messages_of_random_lengths)
