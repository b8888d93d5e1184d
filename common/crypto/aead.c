/*
 * aead.c - ChaCha20-Poly1305 over one OpenSSL context a key: only the nonce is set anew for each record.
 */
#include "common/crypto/aead.h"

#include <openssl/err.h>

#include "common/base/buf.h"
#include "common/crypto/evp.h"

/* OpenSSL counts in int; nothing of ours comes near. */
#define LENGTH_MAX ((size_t)1 << 30)

struct sp_aead {
	EVP_CIPHER_CTX *ctx;	/* owned */
	bool seal;
};

struct sp_aead *
sp_aead_new(const uint8_t key[SP_AEAD_KEY], bool seal)
{
	SP_AUTO(sp_aead) *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->seal = seal;
	a->ctx = EVP_CIPHER_CTX_new();
	if (a->ctx == NULL ||
	    EVP_CipherInit_ex2(a->ctx, sp_evp_chacha20_poly1305(), key, NULL, seal ? 1 : 0, NULL) != 1) {
		ERR_clear_error();
		return NULL;
	}
	return sp_take(&a);
}

void
sp_aead_free(struct sp_aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx);	/* wipes the key */
	free(a);
}

/* Sets the nonce, takes the AAD in and turns n bytes at in into n bytes at out. */
static bool
run(struct sp_aead *a, const uint8_t *nonce, struct sp_span aad, const void *in, size_t n, uint8_t *out)
{
	int len;

	if (EVP_CipherInit_ex2(a->ctx, NULL, NULL, nonce, -1, NULL) != 1)
		return false;
	if (aad.n > 0 && EVP_CipherUpdate(a->ctx, NULL, &len, aad.p, (int)aad.n) != 1)
		return false;
	return n == 0 || EVP_CipherUpdate(a->ctx, out, &len, in, (int)n) == 1;
}

enum sp_status
sp_aead_seal(struct sp_aead *a, const uint8_t nonce[SP_AEAD_NONCE], struct sp_span aad, const void *in, size_t n,
    uint8_t *out)
{
	int len;

	if (!a->seal || n > LENGTH_MAX || aad.n > LENGTH_MAX)
		return SP_E_ARGUMENT;
	if (!run(a, nonce, aad, in, n, out) ||
	    EVP_CipherFinal_ex(a->ctx, out + n, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, SP_AEAD_TAG, out + n) != 1) {
		ERR_clear_error();
		sp_wipe(out, n + SP_AEAD_TAG);
		return SP_E_LIBRARY;
	}
	return SP_OK;
}

enum sp_status
sp_aead_open(struct sp_aead *a, const uint8_t nonce[SP_AEAD_NONCE], struct sp_span aad, const void *in, size_t n,
    uint8_t *out)
{
	uint8_t tag[SP_AEAD_TAG], none[SP_AEAD_TAG];
	size_t text;
	int len;

	if (a->seal || n > LENGTH_MAX || aad.n > LENGTH_MAX)
		return SP_E_ARGUMENT;
	if (n < SP_AEAD_TAG)
		return SP_E_SEAL;
	text = n - SP_AEAD_TAG;
	memcpy(tag, (const uint8_t *)in + text, SP_AEAD_TAG);
	if (!run(a, nonce, aad, in, text, out) ||
	    EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, SP_AEAD_TAG, tag) != 1 ||
	    EVP_CipherFinal_ex(a->ctx, none, &len) != 1) {
		ERR_clear_error();
		sp_wipe(out, text);
		return SP_E_SEAL;
	}
	return SP_OK;
}

void
sp_aead_counter_nonce(uint64_t counter, uint8_t out[SP_AEAD_NONCE])
{
	memset(out, 0, 4);
	for (int i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(counter >> (56 - 8 * i));
}
