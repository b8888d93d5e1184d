/*
 * crypto_hpke_test.c - HPKE: the vector of RFC 9180, A.2.3 (mode_auth), both modes there and back, and everything that
 * must not open: another key, another sender, each flipped bit, points of low order.
 */
#include "common/crypto/hpke.h"

#include "common/crypto/hpke_internal.h"
#include "tests/unit/crypto_hex.h"

#define INFO "4f6465206f6e2061204772656369616e2055726e"
#define TEXT "4265617574792069732074727574682c20747275746820626561757479"
#define ENC "f7674cc8cd7baa5872d1f33dbaffe3314239f6197ddf5ded1746760bfc847e0e"
#define SEALED "ab1a13c9d4f01a87ec3440dbd756e2677bd2ecf9df0ce7ed73869b98e00c09be111cb9fdf077347aeb88e61bdf"
#define SECRET_E "c94619e1af28971c8fa7957192b7e62a71ca2dcdde0a7cc4a8a9e741d600ab13"
#define SECRET_R "3ca22a6d1cda1bb9480949ec5329d3bf0b080ca4c45879c95eddb55c70b80b82"
#define SECRET_S "2def0cb58ffcf83d1062dd085c8aceca7f4c0c3fd05912d847b61f3e54121f05"
#define PUBLIC_R "1a478716d63cb2e16786ee93004486dc151e988b34b475043d3e0175bdb01c44"
#define PUBLIC_S "f0f4f9e96c54aeed3f323de8534fffd7e0577e4ce269896716bcb95643c8712b"

static struct sp_x25519_pair
pair_of(const char *secret_hex)
{
	struct sp_x25519_pair pair;

	unhex(secret_hex, pair.secret);
	ck_status(sp_x25519_public(pair.secret, pair.public_key), SP_OK);
	return pair;
}

START_TEST(the_vector_of_rfc_9180)
{
	struct sp_x25519_pair e = pair_of(SECRET_E), r = pair_of(SECRET_R), s = pair_of(SECRET_S);
	uint8_t info[64], text[64], enc[32], out[80], back[64];
	struct sp_span info_span = sp_span(info, unhex(INFO, info)), text_span = sp_span(text, unhex(TEXT, text));
	struct sp_span aad = sp_span_str("Count-0");

	ck_hex(r.public_key, PUBLIC_R);
	ck_hex(s.public_key, PUBLIC_S);
	ck_status(sp_hpke_seal_with(&e, &s, r.public_key, info_span, aad, text_span, enc, out), SP_OK);
	ck_hex(enc, ENC);
	ck_hex(out, SEALED);
	ck_status(sp_hpke_open(&r, s.public_key, info_span, aad, enc, sp_span(out, text_span.n + 16), back), SP_OK);
	ck_assert_mem_eq(back, text, text_span.n);
}
END_TEST

START_TEST(both_modes_there_and_back)
{
	struct sp_x25519_pair r, s;
	uint8_t enc[32], enc2[32], out[100 + 16], out2[100 + 16], back[100], text[100];
	struct sp_span info = sp_span_str("info"), aad = sp_span_str("aad");

	memset(text, 'x', sizeof(text));
	ck_status(sp_x25519_new(&r), SP_OK);
	ck_status(sp_x25519_new(&s), SP_OK);
	for (size_t n = 0; n <= 100; n += 50) {
		struct sp_span t = sp_span(text, n);

		ck_status(sp_hpke_seal(NULL, r.public_key, info, aad, t, enc, out), SP_OK);
		ck_status(sp_hpke_open(&r, NULL, info, aad, enc, sp_span(out, n + 16), back), SP_OK);
		ck_assert_mem_eq(back, text, n);
		/* one mode never opens as the other */
		ck_status(sp_hpke_open(&r, s.public_key, info, aad, enc, sp_span(out, n + 16), back), SP_E_SEAL);
		ck_status(sp_hpke_seal(&s, r.public_key, info, aad, t, enc2, out2), SP_OK);
		ck_assert_mem_ne(enc, enc2, sizeof(enc));
		ck_status(sp_hpke_open(&r, s.public_key, info, aad, enc2, sp_span(out2, n + 16), back), SP_OK);
		ck_assert_mem_eq(back, text, n);
		ck_status(sp_hpke_open(&r, NULL, info, aad, enc2, sp_span(out2, n + 16), back), SP_E_SEAL);
	}
}
END_TEST

START_TEST(the_aad_may_contain_enc)
{
	struct sp_x25519_pair r, s;
	uint8_t envelope[40 + 32] = { 1, 2, 3 }, out[5 + 16], back[5];
	struct sp_span none = sp_span(NULL, 0), aad = sp_span(envelope, sizeof(envelope));

	ck_status(sp_x25519_new(&r), SP_OK);
	ck_status(sp_x25519_new(&s), SP_OK);
	ck_status(sp_hpke_seal(&s, r.public_key, none, aad, sp_span_str("hello"), envelope + 40, out), SP_OK);
	ck_status(sp_hpke_open(&r, s.public_key, none, aad, envelope + 40, sp_span(out, sizeof(out)), back), SP_OK);
	ck_assert_mem_eq(back, "hello", 5);
}
END_TEST

START_TEST(wrong_keys_and_info_do_not_open)
{
	struct sp_x25519_pair r, s, x;
	uint8_t enc[32], out[5 + 16], back[5];
	struct sp_span info = sp_span_str("info"), aad = sp_span_str("aad"), sealed = sp_span(out, sizeof(out));

	ck_status(sp_x25519_new(&r), SP_OK);
	ck_status(sp_x25519_new(&s), SP_OK);
	ck_status(sp_x25519_new(&x), SP_OK);
	ck_status(sp_hpke_seal(&s, r.public_key, info, aad, sp_span_str("hello"), enc, out), SP_OK);
	ck_status(sp_hpke_open(&x, s.public_key, info, aad, enc, sealed, back), SP_E_SEAL);
	ck_status(sp_hpke_open(&r, x.public_key, info, aad, enc, sealed, back), SP_E_SEAL);
	ck_status(sp_hpke_open(&r, s.public_key, sp_span_str("inf"), aad, enc, sealed, back), SP_E_SEAL);
	ck_status(sp_hpke_open(&r, s.public_key, info, sp_span_str("aa"), enc, sealed, back), SP_E_SEAL);
	for (size_t n = 0; n < sizeof(out); n++)
		ck_status(sp_hpke_open(&r, s.public_key, info, aad, enc, sp_span(out, n), back), SP_E_SEAL);
	ck_status(sp_hpke_open(&r, s.public_key, info, aad, enc, sealed, back), SP_OK);
}
END_TEST

START_TEST(each_flipped_bit_does_not_open)
{
	struct sp_x25519_pair r, s;
	uint8_t whole[3 + 32 + 5 + 16] = "aad", back[5];
	uint8_t *enc = whole + 3, *out = enc + 32;
	struct sp_span none = sp_span(NULL, 0), aad = sp_span(whole, 3), sealed = sp_span(out, 5 + 16);

	ck_status(sp_x25519_new(&r), SP_OK);
	ck_status(sp_x25519_new(&s), SP_OK);
	ck_status(sp_hpke_seal(&s, r.public_key, none, aad, sp_span_str("hello"), enc, out), SP_OK);
	for (size_t bit = 0; bit < 8 * sizeof(whole); bit++) {
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_status(sp_hpke_open(&r, s.public_key, none, aad, enc, sealed, back), SP_E_SEAL);
		whole[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_status(sp_hpke_open(&r, s.public_key, none, aad, enc, sealed, back), SP_OK);
}
END_TEST

START_TEST(points_of_low_order_are_refused)
{
	static const char *const points[] = { LOW_ORDER_POINTS };
	struct sp_x25519_pair r, s;
	uint8_t point[32], enc[32], out[5 + 16] = { 0 }, back[5];
	struct sp_span none = sp_span(NULL, 0), sealed = sp_span(out, sizeof(out));

	ck_status(sp_x25519_new(&r), SP_OK);
	ck_status(sp_x25519_new(&s), SP_OK);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		unhex(points[i], point);
		ck_status(sp_hpke_seal(&s, point, none, none, sp_span_str("hello"), enc, out), SP_E_SEAL);
		ck_status(sp_hpke_seal(NULL, point, none, none, sp_span_str("hello"), enc, out), SP_E_SEAL);
		ck_status(sp_hpke_open(&r, s.public_key, none, none, point, sealed, back), SP_E_SEAL);
		ck_status(sp_hpke_open(&r, NULL, none, none, point, sealed, back), SP_E_SEAL);
		ck_status(sp_hpke_open(&r, point, none, none, s.public_key, sealed, back), SP_E_SEAL);
	}
}
END_TEST

UNIT_MAIN("crypto/hpke", the_vector_of_rfc_9180, both_modes_there_and_back, the_aad_may_contain_enc,
    wrong_keys_and_info_do_not_open, each_flipped_bit_does_not_open, points_of_low_order_are_refused)
