/*
 * crypto_sign_test.c - P-256: a signature of RFC 6979, own signatures, hostile ones, PEM files, a key shared by threads.
 */
#include "common/crypto/sign.h"

#include <pthread.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "tests/unit/crypto_hex.h"

#define RFC_KEY "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c" \
	"2d7e9f5177a3c294d4462299"
#define RFC_SIGNATURE "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e9" \
	"00dbb9aff4064dc4ab2f843acda8"
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

START_TEST(a_signature_of_rfc_6979_verifies)
{
	uint8_t key[65], sig[64];

	unhex(RFC_KEY, key);
	unhex(RFC_SIGNATURE, sig);
	ck_status(sp_verify(key, sp_span_str("sample"), sig), SP_OK);
	ck_status(sp_verify(key, sp_span_str("samplf"), sig), SP_E_SIGNATURE);
	key[64] ^= 1;	/* not on the curve */
	ck_status(sp_verify(key, sp_span_str("sample"), sig), SP_E_SIGNATURE);
	key[64] ^= 1;
	key[0] = 7;	/* the hybrid form of the same point */
	ck_status(sp_verify(key, sp_span_str("sample"), sig), SP_E_SIGNATURE);
	memset(key, 0, sizeof(key));
	ck_status(sp_verify(key, sp_span_str("sample"), sig), SP_E_SIGNATURE);
}
END_TEST

START_TEST(own_signatures_verify_and_changed_ones_do_not)
{
	SP_AUTO(sp_key) *key = NULL, *other = NULL;
	uint8_t public_key[65], sig[64];

	ck_status(sp_key_new(&key), SP_OK);
	ck_status(sp_key_new(&other), SP_OK);
	sp_key_public(key, public_key);
	for (int i = 0; i < 50; i++) {
		uint8_t text[50] = { 0 };

		text[0] = (uint8_t)i;
		ck_status(sp_sign(key, sp_span(text, (size_t)i), sig), SP_OK);
		ck_status(sp_verify(public_key, sp_span(text, (size_t)i), sig), SP_OK);
	}
	ck_status(sp_sign(key, sp_span_str("text"), sig), SP_OK);
	for (size_t bit = 0; bit < 8 * sizeof(sig); bit += 3) {
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_status(sp_verify(public_key, sp_span_str("text"), sig), SP_E_SIGNATURE);
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	sp_key_public(other, public_key);
	ck_status(sp_verify(public_key, sp_span_str("text"), sig), SP_E_SIGNATURE);
}
END_TEST

START_TEST(signatures_out_of_range_are_refused)
{
	uint8_t key[65], good[64], sig[64];

	unhex(RFC_KEY, key);
	unhex(RFC_SIGNATURE, good);
	for (int half = 0; half < 2; half++) {
		memcpy(sig, good, sizeof(sig));
		memset(sig + 32 * half, 0, 32);
		ck_status(sp_verify(key, sp_span_str("sample"), sig), SP_E_SIGNATURE);
		unhex(ORDER, sig + 32 * half);
		ck_status(sp_verify(key, sp_span_str("sample"), sig), SP_E_SIGNATURE);
		memset(sig + 32 * half, 0xff, 32);
		ck_status(sp_verify(key, sp_span_str("sample"), sig), SP_E_SIGNATURE);
	}
	memset(sig, 0, sizeof(sig));
	ck_status(sp_verify(key, sp_span_str("sample"), sig), SP_E_SIGNATURE);
}
END_TEST

START_TEST(a_key_survives_its_pem_file)
{
	SP_AUTO(sp_key) *key = NULL, *again = NULL;
	SP_AUTO_DONE(sp_buf) pem = { .secret = true };
	uint8_t a[65], b[65], sig[64];
	struct sp_why why;

	ck_status(sp_key_new(&key), SP_OK);
	ck_status(sp_key_to_pem(key, &pem), SP_OK);
	ck_assert_int_eq(strncmp(sp_buf_cstr(&pem), "-----BEGIN PRIVATE KEY-----\n", 28), 0);
	ck_status(sp_key_from_pem(sp_buf_span(&pem), &again, &why), SP_OK);
	sp_key_public(key, a);
	sp_key_public(again, b);
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_status(sp_sign(again, sp_span_str("text"), sig), SP_OK);
	ck_status(sp_verify(a, sp_span_str("text"), sig), SP_OK);
}
END_TEST

/* A key of another kind as PEM, encrypted if there is a password. */
static void
foreign_pem(const char *type, const char *param, const char *password, struct sp_buf *out)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, type, param);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	ck_assert_ptr_nonnull(pkey);
	ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, pkey, password != NULL ? EVP_aes_256_cbc() : NULL, password,
	    password != NULL ? (int)strlen(password) : 0, NULL, NULL), 1);
	n = BIO_get_mem_data(bio, &text);
	sp_buf_clear(out);
	sp_buf_add(out, text, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

START_TEST(foreign_keys_and_files_are_refused)
{
	SP_AUTO_DONE(sp_buf) pem = { 0 };
	SP_AUTO(sp_key) *key = NULL;
	struct sp_why why;

	ck_status(sp_key_from_pem(sp_span(NULL, 0), &key, &why), SP_E_FORMAT);
	ck_status(sp_key_from_pem(sp_span_str("no key\n"), &key, &why), SP_E_FORMAT);
	foreign_pem("EC", "secp384r1", NULL, &pem);
	ck_status(sp_key_from_pem(sp_buf_span(&pem), &key, &why), SP_E_FORMAT);
	foreign_pem("ED25519", NULL, NULL, &pem);
	ck_status(sp_key_from_pem(sp_buf_span(&pem), &key, &why), SP_E_FORMAT);
	foreign_pem("EC", "prime256v1", "secret", &pem);
	ck_status(sp_key_from_pem(sp_buf_span(&pem), &key, &why), SP_E_FORMAT);
	ck_assert_ptr_null(key);
	foreign_pem("EC", "prime256v1", NULL, &pem);
	ck_status(sp_key_from_pem(sp_buf_span(&pem), &key, &why), SP_OK);
	for (int i = 0; i < 5000; i++)
		sp_buf_add_u8(&pem, '\n');
	ck_status(sp_key_from_pem(sp_buf_span(&pem), &key, &why), SP_E_FORMAT);
}
END_TEST

static void *
sign_much(void *arg)
{
	const struct sp_key *key = arg;
	uint8_t public_key[65], sig[64];

	sp_key_public(key, public_key);
	for (int i = 0; i < 100; i++)
		if (sp_sign(key, sp_span_str("text"), sig) != SP_OK ||
		    sp_verify(public_key, sp_span_str("text"), sig) != SP_OK)
			return "wrong";
	return NULL;
}

START_TEST(threads_share_a_key)
{
	SP_AUTO(sp_key) *key = NULL;
	pthread_t threads[4];
	void *result;

	ck_status(sp_key_new(&key), SP_OK);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_much, key), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		ck_assert_ptr_null(result);
	}
}
END_TEST

UNIT_MAIN("crypto/sign", a_signature_of_rfc_6979_verifies, own_signatures_verify_and_changed_ones_do_not,
    signatures_out_of_range_are_refused, a_key_survives_its_pem_file, foreign_keys_and_files_are_refused,
    threads_share_a_key)
