/*
 * crypto_aead_test.c - ChaCha20-Poly1305: the vector of RFC 8439, in place, many records under one context, each bit
 * flipped refused.
 */
#include "common/crypto/aead.h"

#include "tests/unit/crypto_hex.h"

#define SUNSCREEN "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " \
	"sunscreen would be it."

static const char sealed_hex[] =
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29"
    "05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b"
    "6116"
    "1ae10b594f09e26a7e902ecbd0600691";

START_TEST(the_vector_of_rfc_8439)
{
	SP_AUTO(sp_aead) *seal = NULL, *opener = NULL;
	uint8_t key[32], nonce[12], aad[12], out[256], back[256];
	size_t n = strlen(SUNSCREEN);

	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)(0x80 + i);
	unhex("070000004041424344454647", nonce);
	unhex("50515253c0c1c2c3c4c5c6c7", aad);
	seal = sp_aead_new(key, true);
	opener = sp_aead_new(key, false);
	ck_status(sp_aead_seal(seal, nonce, sp_span(aad, 12), SUNSCREEN, n, out), SP_OK);
	ck_hex(out, sealed_hex);
	ck_status(sp_aead_open(opener, nonce, sp_span(aad, 12), out, n + SP_AEAD_TAG, back), SP_OK);
	ck_assert_mem_eq(back, SUNSCREEN, n);
	ck_status(sp_aead_open(seal, nonce, sp_span(aad, 12), out, n + SP_AEAD_TAG, back), SP_E_ARGUMENT);
	ck_status(sp_aead_seal(opener, nonce, sp_span(aad, 12), SUNSCREEN, n, out), SP_E_ARGUMENT);
}
END_TEST

START_TEST(many_records_in_place)
{
	uint8_t key[32] = { 7 }, nonce[12], record[300];
	SP_AUTO(sp_aead) *seal = sp_aead_new(key, true), *opener = sp_aead_new(key, false);

	for (uint64_t i = 0; i < 200; i++) {
		size_t n = i % 5 == 0 ? 0 : i;

		memset(record, (int)i, sizeof(record));
		sp_aead_counter_nonce(i, nonce);
		ck_status(sp_aead_seal(seal, nonce, sp_span_str(i % 2 == 0 ? "" : "aad"), record, n, record), SP_OK);
		ck_status(sp_aead_open(opener, nonce, sp_span_str(i % 2 == 0 ? "" : "aad"), record, n + 16, record),
		    SP_OK);
		for (size_t k = 0; k < n; k++)
			ck_assert_uint_eq(record[k], i);
	}
}
END_TEST

START_TEST(each_flipped_bit_is_refused_and_the_output_wiped)
{
	uint8_t key[32] = { 7 }, nonce[12] = { 0 }, record[5 + 16], out[5];
	SP_AUTO(sp_aead) *seal = sp_aead_new(key, true), *opener = sp_aead_new(key, false);

	ck_status(sp_aead_seal(seal, nonce, sp_span_str("aad"), "hello", 5, record), SP_OK);
	for (size_t bit = 0; bit < 8 * sizeof(record); bit++) {
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(out, 0x55, sizeof(out));
		ck_status(sp_aead_open(opener, nonce, sp_span_str("aad"), record, sizeof(record), out), SP_E_SEAL);
		for (size_t i = 0; i < sizeof(out); i++)
			ck_assert_uint_eq(out[i], 0);
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_status(sp_aead_open(opener, nonce, sp_span_str("aae"), record, sizeof(record), out), SP_E_SEAL);
	ck_status(sp_aead_open(opener, nonce, sp_span_str("aad"), record, sizeof(record) - 1, out), SP_E_SEAL);
	ck_status(sp_aead_open(opener, nonce, sp_span_str("aad"), record, 15, out), SP_E_SEAL);
	nonce[11] = 1;
	ck_status(sp_aead_open(opener, nonce, sp_span_str("aad"), record, sizeof(record), out), SP_E_SEAL);
	nonce[11] = 0;
	ck_status(sp_aead_open(opener, nonce, sp_span_str("aad"), record, sizeof(record), out), SP_OK);
	ck_assert_mem_eq(out, "hello", 5);
}
END_TEST

START_TEST(the_nonce_of_a_record_number)
{
	uint8_t nonce[12];

	sp_aead_counter_nonce(0x0102030405060708ull, nonce);
	ck_hex(nonce, "000000000102030405060708");
}
END_TEST

UNIT_MAIN("crypto/aead", the_vector_of_rfc_8439, many_records_in_place,
    each_flipped_bit_is_refused_and_the_output_wiped, the_nonce_of_a_record_number)
