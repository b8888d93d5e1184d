/*
 * crypto_hex.h - what the tests of common/crypto share: vectors typed as hex, X25519 points that must be refused.
 */
#ifndef SP_TESTS_CRYPTO_HEX_H
#define SP_TESTS_CRYPTO_HEX_H

#include <string.h>

#include "common/base/text.h"
#include "tests/unit/unit.h"

/* The X25519 points of low order: every agreement with them is all zeroes. */
#define LOW_ORDER_POINTS                                                                            \
	"0000000000000000000000000000000000000000000000000000000000000000",                         \
	"0100000000000000000000000000000000000000000000000000000000000000",                         \
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",                         \
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",                         \
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",                         \
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",                         \
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"

/* The bytes of a vector into out, which has room; returns how many. */
static inline size_t
unhex(const char *hex, uint8_t *out)
{
	ck_status(sp_unhex(hex, strlen(hex), out, strlen(hex) / 2), SP_OK);
	return strlen(hex) / 2;
}

/* p holds exactly the bytes of the vector. */
static inline void
ck_hex(const void *p, const char *hex)
{
	uint8_t want[1024];
	size_t n = unhex(hex, want);

	ck_assert_mem_eq(p, want, n);
}

#endif
