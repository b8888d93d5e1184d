/*
 * crypto_hash_test.c - SHA-256, HMAC and HKDF against the vectors of FIPS 180, RFC 4231 and RFC 5869; parts, running
 * hashes and threads agree with the whole.
 */
#include "common/crypto/hash.h"

#include <pthread.h>

#include "tests/unit/crypto_hex.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

START_TEST(sha256_of_known_inputs)
{
	struct sp_hash h;

	sp_sha256(sp_span_str("abc"), &h);
	ck_hex(h.b, ABC);
	sp_sha256(sp_span(NULL, 0), &h);
	ck_hex(h.b, EMPTY);
	sp_sha256_parts(NULL, 0, &h);
	ck_hex(h.b, EMPTY);
}
END_TEST

START_TEST(parts_hash_as_the_whole)
{
	struct sp_span parts[] = { sp_span_str("a"), sp_span(NULL, 0), sp_span_str("bc") };
	struct sp_hash h;

	sp_sha256_parts(parts, 3, &h);
	ck_hex(h.b, ABC);
}
END_TEST

START_TEST(a_running_hash_can_be_reset)
{
	SP_AUTO(sp_hasher) *hasher = sp_hasher_new();
	struct sp_hash h;
	char block[1000];

	memset(block, 'a', sizeof(block));
	for (int i = 0; i < 1000; i++)
		sp_hasher_add(hasher, block, sizeof(block));
	sp_hasher_end(hasher, &h);
	ck_hex(h.b, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	sp_hasher_reset(hasher);
	sp_hasher_add(hasher, "ab", 2);
	sp_hasher_add(hasher, NULL, 0);
	sp_hasher_add(hasher, "c", 1);
	sp_hasher_end(hasher, &h);
	ck_hex(h.b, ABC);
	sp_hasher_reset(hasher);
	sp_hasher_add(hasher, "half a message", 14);
	sp_hasher_reset(hasher);
	sp_hasher_end(hasher, &h);
	ck_hex(h.b, EMPTY);
}
END_TEST

START_TEST(hmac_of_rfc_4231)
{
	uint8_t key[131], out[32];
	struct sp_span parts[] = { sp_span_str("what do ya want "), sp_span_str("for nothing?") };

	memset(key, 0x0b, 20);
	sp_hmac(sp_span(key, 20), sp_span_str("Hi There"), out);
	ck_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	sp_hmac_parts(sp_span_str("Jefe"), parts, 2, out);
	ck_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	sp_hmac(sp_span(key, sizeof(key)), sp_span_str("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	ck_hex(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(hkdf_of_rfc_5869)
{
	uint8_t ikm[22], salt[13], info[10], out[42], prk[32];

	memset(ikm, 0x0b, sizeof(ikm));
	unhex("000102030405060708090a0b0c", salt);
	unhex("f0f1f2f3f4f5f6f7f8f9", info);
	sp_hkdf_extract(sp_span(salt, 13), sp_span(ikm, 22), prk);
	ck_hex(prk, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
	sp_hkdf(sp_span(salt, 13), sp_span(ikm, 22), sp_span(info, 10), out, sizeof(out));
	ck_hex(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	sp_hkdf(sp_span(NULL, 0), sp_span(ikm, 22), sp_span(NULL, 0), out, sizeof(out));
	ck_hex(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}
END_TEST

START_TEST(hkdf_gives_its_longest_output)
{
	static uint8_t out[255 * 32 + 1];
	uint8_t prk[32] = { 1 }, start[50];

	sp_hkdf_expand(prk, sp_span_str("x"), out, 255 * 32);
	ck_assert_uint_eq(out[255 * 32], 0);
	sp_hkdf_expand(prk, sp_span_str("x"), start, sizeof(start));
	ck_assert_mem_eq(out, start, sizeof(start));
}
END_TEST

static void *
hash_much(void *arg)
{
	struct sp_hash h;

	(void)arg;
	for (int i = 0; i < 2000; i++) {
		sp_sha256(sp_span_str("abc"), &h);
		if (h.b[0] != 0xba || h.b[31] != 0xad)
			return "wrong";
	}
	return NULL;
}

START_TEST(threads_do_not_disturb_each_other)
{
	pthread_t threads[4];
	void *result;

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hash_much, NULL), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		ck_assert_ptr_null(result);
	}
}
END_TEST

UNIT_MAIN("crypto/hash", sha256_of_known_inputs, parts_hash_as_the_whole, a_running_hash_can_be_reset, hmac_of_rfc_4231,
    hkdf_of_rfc_5869, hkdf_gives_its_longest_output, threads_do_not_disturb_each_other)
