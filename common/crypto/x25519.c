/*
 * x25519.c - X25519 over OpenSSL; what depends on the other side's key ends as SP_E_SEAL.
 */
#include "common/crypto/x25519.h"

#include <openssl/err.h>

#include "common/base/buf.h"
#include "common/crypto/evp.h"
#include "common/crypto/rand.h"

enum sp_status
sp_x25519_new(struct sp_x25519_pair *ret_pair)
{
	struct sp_x25519_pair pair;
	enum sp_status st;

	/* Any 32 bytes are a secret key: the function itself clamps them. */
	sp_random(pair.secret, sizeof(pair.secret));
	if ((st = sp_x25519_public(pair.secret, pair.public_key)) == SP_OK)
		*ret_pair = pair;
	sp_wipe(&pair, sizeof(pair));
	return st;
}

enum sp_status
sp_x25519_public(const uint8_t secret[SP_X25519], uint8_t ret_public[SP_X25519])
{
	SP_OSSL(EVP_PKEY) *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, SP_X25519);
	uint8_t public_key[SP_X25519];
	size_t n = sizeof(public_key);

	if (key == NULL || EVP_PKEY_get_raw_public_key(key, public_key, &n) != 1 || n != sizeof(public_key)) {
		ERR_clear_error();
		return SP_E_LIBRARY;
	}
	memcpy(ret_public, public_key, sizeof(public_key));
	return SP_OK;
}

enum sp_status
sp_x25519(const uint8_t secret[SP_X25519], const uint8_t other[SP_X25519], uint8_t ret_shared[SP_X25519])
{
	static const uint8_t zeroes[SP_X25519];
	SP_OSSL(EVP_PKEY) *mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, SP_X25519);
	SP_OSSL(EVP_PKEY) *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, other, SP_X25519);
	SP_OSSL(EVP_PKEY_CTX) *ctx = NULL;
	uint8_t shared[SP_X25519];
	size_t n = sizeof(shared);

	if (mine == NULL || theirs == NULL || (ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL)) == NULL ||
	    EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer_ex(ctx, theirs, 0) != 1) {
		ERR_clear_error();
		return SP_E_LIBRARY;
	}
	/* OpenSSL itself fails on an all-zero result (a point of low order); looked at again, since much hangs on it. */
	if (EVP_PKEY_derive(ctx, shared, &n) != 1 || n != sizeof(shared) ||
	    sp_same_secret(shared, zeroes, sizeof(shared))) {
		ERR_clear_error();
		return SP_E_SEAL;
	}
	memcpy(ret_shared, shared, sizeof(shared));
	sp_wipe(shared, sizeof(shared));
	return SP_OK;
}
