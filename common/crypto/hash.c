/*
 * hash.c - SHA-256, HMAC and HKDF. Small inputs are hashed in a context that each thread keeps, since making one costs
 * more than the hashing. Nothing here can fail but for want of memory at a thread's first hash, which ends the program.
 */
#include "common/crypto/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/crypto/evp.h"

#define BLOCK 64

struct sp_hasher {
	EVP_MD_CTX *ctx;	/* owned */
};

static pthread_once_t key_made = PTHREAD_ONCE_INIT;
static pthread_key_t ctx_key;
static __thread EVP_MD_CTX *thread_ctx;		/* owned by the thread through ctx_key */

static void
free_ctx(void *ctx)
{
	EVP_MD_CTX_free(ctx);
	thread_ctx = NULL;
}

static void
make_key(void)
{
	if (pthread_key_create(&ctx_key, free_ctx) != 0)
		abort();
}

/* This thread's context, begun anew. */
static EVP_MD_CTX *
begin(void)
{
	if (thread_ctx == NULL) {
		pthread_once(&key_made, make_key);
		thread_ctx = EVP_MD_CTX_new();
		if (thread_ctx == NULL || pthread_setspecific(ctx_key, thread_ctx) != 0)
			abort();
	}
	if (EVP_DigestInit_ex2(thread_ctx, sp_evp_sha256(), NULL) != 1)
		abort();
	return thread_ctx;
}

static void
add(EVP_MD_CTX *ctx, const void *p, size_t n)
{
	if (n > 0 && EVP_DigestUpdate(ctx, p, n) != 1)
		abort();
}

static void
end(EVP_MD_CTX *ctx, uint8_t out[32])
{
	if (EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		abort();
}

void
sp_sha256(struct sp_span bytes, struct sp_hash *out)
{
	sp_sha256_parts(&bytes, 1, out);
}

void
sp_sha256_parts(const struct sp_span *parts, size_t count, struct sp_hash *out)
{
	EVP_MD_CTX *ctx = begin();

	for (size_t i = 0; i < count; i++)
		add(ctx, parts[i].p, parts[i].n);
	end(ctx, out->b);
}

struct sp_hasher *
sp_hasher_new(void)
{
	SP_AUTO(sp_hasher) *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || EVP_DigestInit_ex2(h->ctx, sp_evp_sha256(), NULL) != 1)
		return NULL;
	return sp_take(&h);
}

void
sp_hasher_free(struct sp_hasher *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void
sp_hasher_reset(struct sp_hasher *h)
{
	if (EVP_DigestInit_ex2(h->ctx, sp_evp_sha256(), NULL) != 1)
		abort();
}

void
sp_hasher_add(struct sp_hasher *h, const void *p, size_t n)
{
	add(h->ctx, p, n);
}

void
sp_hasher_end(struct sp_hasher *h, struct sp_hash *out)
{
	end(h->ctx, out->b);
}

/* One of HMAC's two hashes: the key, padded with zeroes and xored with pad, then the parts. */
static void
keyed_hash(const uint8_t key[BLOCK], uint8_t pad, const struct sp_span *parts, size_t count, uint8_t out[32])
{
	EVP_MD_CTX *ctx = begin();
	uint8_t block[BLOCK];

	for (size_t i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	add(ctx, block, BLOCK);
	for (size_t i = 0; i < count; i++)
		add(ctx, parts[i].p, parts[i].n);
	end(ctx, out);
	sp_wipe(block, sizeof(block));
}

void
sp_hmac_parts(struct sp_span key, const struct sp_span *parts, size_t count, uint8_t out[32])
{
	uint8_t block[BLOCK] = { 0 }, inner[32];
	struct sp_hash short_key;
	struct sp_span whole = sp_span(inner, sizeof(inner));

	if (key.n > BLOCK) {
		sp_sha256(key, &short_key);
		memcpy(block, short_key.b, sizeof(short_key.b));
		sp_wipe(&short_key, sizeof(short_key));
	} else if (key.n > 0) {
		memcpy(block, key.p, key.n);
	}
	keyed_hash(block, 0x36, parts, count, inner);
	keyed_hash(block, 0x5c, &whole, 1, out);
	sp_wipe(block, sizeof(block));
	sp_wipe(inner, sizeof(inner));
}

void
sp_hmac(struct sp_span key, struct sp_span bytes, uint8_t out[32])
{
	sp_hmac_parts(key, &bytes, 1, out);
}

void
sp_hkdf_extract(struct sp_span salt, struct sp_span secret, uint8_t out[32])
{
	/* An absent salt is 32 zeroes, which HMAC pads to the same block as an empty key. */
	sp_hmac(salt, secret, out);
}

void
sp_hkdf_expand(const uint8_t prk[32], struct sp_span info, void *out, size_t n)
{
	uint8_t *p = out, block[32], count = 0;

	assert(n <= 255 * sizeof(block));
	while (n > 0) {
		size_t part = n < sizeof(block) ? n : sizeof(block);
		uint8_t number = (uint8_t)(count + 1);
		struct sp_span parts[] = { { block, count > 0 ? sizeof(block) : 0 }, info, { &number, 1 } };

		sp_hmac_parts(sp_span(prk, 32), parts, 3, block);
		memcpy(p, block, part);
		p += part;
		n -= part;
		count = number;
	}
	sp_wipe(block, sizeof(block));
}

void
sp_hkdf(struct sp_span salt, struct sp_span secret, struct sp_span info, void *out, size_t n)
{
	uint8_t prk[32];

	sp_hkdf_extract(salt, secret, prk);
	sp_hkdf_expand(prk, info, out, n);
	sp_wipe(prk, sizeof(prk));
}
