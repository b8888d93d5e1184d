/*
 * sign.c - P-256 keys and ECDSA. The key object of OpenSSL is only read once it is made (each signature has a context of
 * its own), so threads share it. Signatures are 64 raw bytes outside this file, DER inside OpenSSL.
 */
#include "common/crypto/sign.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "common/crypto/evp.h"
#include "common/crypto/hash.h"

#define CURVE "prime256v1"
#define DER_MAX 72		/* the longest ECDSA signature of P-256 */
#define PEM_TEXT_MAX 4096	/* a key's PEM is 241 bytes */

SP_OSSL_DEFINE(ECDSA_SIG);

struct sp_key {
	EVP_PKEY *pkey;				/* owned */
	uint8_t public_key[SP_P256_PUBLIC];
};

/* Wraps a key of OpenSSL's (taken over, also on failure) after a look that it is what it should be. */
static enum sp_status
wrap(EVP_PKEY *pkey, struct sp_key **ret_key)
{
	SP_AUTO(sp_key) *key = calloc(1, sizeof(*key));
	size_t n;

	if (key == NULL) {
		EVP_PKEY_free(pkey);
		return SP_E_NOMEM;
	}
	key->pkey = pkey;
	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, key->public_key, sizeof(key->public_key),
	    &n) != 1 || n != SP_P256_PUBLIC || key->public_key[0] != 4) {
		ERR_clear_error();
		return SP_E_LIBRARY;
	}
	*ret_key = sp_take(&key);
	return SP_OK;
}

enum sp_status
sp_key_new(struct sp_key **ret_key)
{
	EVP_PKEY *pkey = EVP_EC_gen(CURVE);

	if (pkey == NULL) {
		ERR_clear_error();
		return SP_E_LIBRARY;
	}
	return wrap(pkey, ret_key);
}

void
sp_key_free(struct sp_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

EVP_PKEY *
sp_key_evp(const struct sp_key *key)
{
	return key->pkey;
}

void
sp_key_public(const struct sp_key *key, uint8_t ret_public[SP_P256_PUBLIC])
{
	memcpy(ret_public, key->public_key, SP_P256_PUBLIC);
}

enum sp_status
sp_key_to_pem(const struct sp_key *key, struct sp_buf *out)
{
	SP_OSSL(BIO) *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
	    (n = BIO_get_mem_data(bio, &text)) <= 0) {
		ERR_clear_error();
		return SP_E_LIBRARY;
	}
	sp_buf_add(out, text, (size_t)n);
	sp_wipe(text, (size_t)n);
	return sp_buf_status(out);
}

/* An encrypted file would make OpenSSL ask on the terminal. */
static int
no_password(char *buf, int size, int rwflag, void *arg)
{
	(void)buf, (void)size, (void)rwflag, (void)arg;
	return -1;
}

/* P-256 by name, and a public half that belongs to the private one. */
static bool
is_sound(EVP_PKEY *pkey)
{
	SP_OSSL(EVP_PKEY_CTX) *ctx = NULL;
	char group[32];

	if (!EVP_PKEY_is_a(pkey, "EC") ||
	    EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) != 1 ||
	    strcmp(group, CURVE) != 0)
		return false;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	return ctx != NULL && EVP_PKEY_check(ctx) == 1;
}

enum sp_status
sp_key_from_pem(struct sp_span pem, struct sp_key **ret_key, struct sp_why *why)
{
	SP_OSSL(BIO) *bio = NULL;
	SP_OSSL(EVP_PKEY) *pkey = NULL;
	enum sp_status st;

	if (pem.n == 0 || pem.n > PEM_TEXT_MAX)
		return sp_fail(SP_E_FORMAT, why, "a private key of %zu bytes is not a PEM file of ours", pem.n);
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		return sp_fail_openssl(SP_E_NOMEM, why, "reading the private key");
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (pkey == NULL)
		return sp_fail_openssl(SP_E_FORMAT, why, "the private key is not unencrypted PKCS#8 PEM");
	if (!is_sound(pkey))
		return sp_fail_openssl(SP_E_FORMAT, why, "the private key is not a sound P-256 key");
	if ((st = wrap(sp_take(&pkey), ret_key)) != SP_OK)
		return sp_fail(st, why, "the private key cannot be used");
	return SP_OK;
}

enum sp_status
sp_sign(const struct sp_key *key, struct sp_span bytes, uint8_t ret_signature[SP_SIGNATURE])
{
	SP_OSSL(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	SP_OSSL(ECDSA_SIG) *sig = NULL;
	uint8_t der[DER_MAX], raw[SP_SIGNATURE];
	const uint8_t *p = der;
	size_t n = sizeof(der);
	struct sp_hash hash;

	sp_sha256(bytes, &hash);
	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1 ||
	    EVP_PKEY_sign(ctx, der, &n, hash.b, sizeof(hash.b)) != 1 ||
	    (sig = d2i_ECDSA_SIG(NULL, &p, (long)n)) == NULL ||
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, SP_SIGNATURE / 2) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + SP_SIGNATURE / 2, SP_SIGNATURE / 2) < 0) {
		ERR_clear_error();
		return SP_E_LIBRARY;
	}
	memcpy(ret_signature, raw, sizeof(raw));
	return SP_OK;
}

EVP_PKEY *
sp_evp_p256_public(const uint8_t public_key[SP_P256_PUBLIC])
{
	SP_OSSL(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t point[SP_P256_PUBLIC];
	char curve[] = CURVE;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;

	memcpy(point, public_key, sizeof(point));
	if (point[0] != 4 || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		ERR_clear_error();
		return NULL;
	}
	return pkey;
}

/* The DER form of r || s; its length, 0 when out of memory. */
static size_t
signature_der(const uint8_t raw[SP_SIGNATURE], uint8_t out[DER_MAX])
{
	SP_OSSL(ECDSA_SIG) *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, SP_SIGNATURE / 2, NULL);
	BIGNUM *s = BN_bin2bn(raw + SP_SIGNATURE / 2, SP_SIGNATURE / 2, NULL);
	int n;

	if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return 0;
	}
	n = i2d_ECDSA_SIG(sig, &out);
	return n > 0 ? (size_t)n : 0;
}

enum sp_status
sp_verify(const uint8_t public_key[SP_P256_PUBLIC], struct sp_span bytes, const uint8_t signature[SP_SIGNATURE])
{
	SP_OSSL(EVP_PKEY) *pkey = sp_evp_p256_public(public_key);
	SP_OSSL(EVP_PKEY_CTX) *ctx = NULL;
	uint8_t der[DER_MAX];
	struct sp_hash hash;
	size_t n;

	if (pkey == NULL)
		return SP_E_SIGNATURE;
	n = signature_der(signature, der);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (n == 0 || ctx == NULL || EVP_PKEY_verify_init(ctx) != 1) {
		ERR_clear_error();
		return SP_E_LIBRARY;
	}
	sp_sha256(bytes, &hash);
	if (EVP_PKEY_verify(ctx, der, n, hash.b, sizeof(hash.b)) != 1) {
		ERR_clear_error();
		return SP_E_SIGNATURE;
	}
	return SP_OK;
}
