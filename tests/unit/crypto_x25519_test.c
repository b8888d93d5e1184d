/*
 * crypto_x25519_test.c - X25519: the vector of RFC 7748, agreement, points of low order refused.
 */
#include "common/crypto/x25519.h"

#include "tests/unit/crypto_hex.h"

START_TEST(the_vector_of_rfc_7748)
{
	uint8_t alice[32], bob[32], alice_public[32], bob_public[32], shared[32];

	unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", alice);
	unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", bob);
	ck_status(sp_x25519_public(alice, alice_public), SP_OK);
	ck_hex(alice_public, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	ck_status(sp_x25519_public(bob, bob_public), SP_OK);
	ck_hex(bob_public, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	ck_status(sp_x25519(alice, bob_public, shared), SP_OK);
	ck_hex(shared, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	ck_status(sp_x25519(bob, alice_public, shared), SP_OK);
	ck_hex(shared, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}
END_TEST

START_TEST(new_pairs_differ_and_agree)
{
	struct sp_x25519_pair a, b;
	uint8_t ab[32], ba[32], again[32];

	ck_status(sp_x25519_new(&a), SP_OK);
	ck_status(sp_x25519_new(&b), SP_OK);
	ck_assert_mem_ne(a.secret, b.secret, 32);
	ck_status(sp_x25519_public(a.secret, again), SP_OK);
	ck_assert_mem_eq(again, a.public_key, 32);
	ck_status(sp_x25519(a.secret, b.public_key, ab), SP_OK);
	ck_status(sp_x25519(b.secret, a.public_key, ba), SP_OK);
	ck_assert_mem_eq(ab, ba, 32);
}
END_TEST

START_TEST(points_of_low_order_are_refused)
{
	static const char *const points[] = { LOW_ORDER_POINTS };
	struct sp_x25519_pair a;
	uint8_t point[32], shared[32] = { 9 };

	ck_status(sp_x25519_new(&a), SP_OK);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		unhex(points[i], point);
		ck_status(sp_x25519(a.secret, point, shared), SP_E_SEAL);
		ck_assert_uint_eq(shared[0], 9);
	}
}
END_TEST

UNIT_MAIN("crypto/x25519", the_vector_of_rfc_7748, new_pairs_differ_and_agree, points_of_low_order_are_refused)
