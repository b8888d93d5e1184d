/*
 * evp.c - algorithms fetched once, and OpenSSL's errors as ours.
 */
#include "common/crypto/evp.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/err.h>

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_CIPHER *chacha20_poly1305;

static void
fetch_all(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	chacha20_poly1305 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	if (sha256 == NULL || chacha20_poly1305 == NULL)
		abort();
}

const EVP_MD *
sp_evp_sha256(void)
{
	pthread_once(&fetched, fetch_all);
	return sha256;
}

const EVP_CIPHER *
sp_evp_chacha20_poly1305(void)
{
	pthread_once(&fetched, fetch_all);
	return chacha20_poly1305;
}

enum sp_status
sp_fail_openssl(enum sp_status st, struct sp_why *why, const char *text)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return sp_fail(st, why, "%s%s%s", text, reason != NULL ? ": " : "", reason != NULL ? reason : "");
}
