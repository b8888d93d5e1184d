/*
 * authority_in_test.h - for tests: the root and the issuing CA of a provider.
 */
#ifndef SP_TESTS_AUTHORITY_IN_TEST_H
#define SP_TESTS_AUTHORITY_IN_TEST_H

#include "common/base/clock.h"
#include "common/crypto/rand.h"
#include "common/crypto/x509.h"
#include "tests/unit/unit.h"

#define DOMAIN "post.example"

/* Root and issuing CA of the domain; another one of the same name for those who lie. */
struct authority {
	struct sp_key *root_key, *issuer_key;
	struct sp_buf root, issuer;
	struct sp_trust *trust;
};

static inline void
make_authority(struct authority *a)
{
	uint8_t public_key[SP_P256_PUBLIC];
	uint64_t now = sp_clock_wall_ms();

	ck_status(sp_key_new(&a->root_key), SP_OK);
	ck_status(sp_key_new(&a->issuer_key), SP_OK);
	sp_key_public(a->issuer_key, public_key);
	ck_status(sp_x509_make_root(a->root_key, DOMAIN, now, &a->root), SP_OK);
	ck_status(sp_x509_make_issuer(a->root_key, sp_buf_span(&a->root), public_key, DOMAIN, now, &a->issuer), SP_OK);
	ck_status(sp_trust_new(DOMAIN, &a->trust), SP_OK);
	ck_status(sp_trust_add_root(a->trust, sp_buf_span(&a->root), NULL), SP_OK);
	ck_status(sp_trust_add_issuer(a->trust, sp_buf_span(&a->issuer), NULL), SP_OK);
}

static inline void
free_authority(struct authority *a)
{
	sp_key_free(a->root_key);
	sp_key_free(a->issuer_key);
	sp_buf_done(&a->root);
	sp_buf_done(&a->issuer);
	sp_trust_free(a->trust);
	memset(a, 0, sizeof(*a));
}

/* A certificate for what id says, from days ago to days ahead; cert_serial is chosen here. */
static inline void
issue(const struct authority *a, struct sp_identity *id, int begins, int ends, struct sp_buf *out)
{
	int64_t now = (int64_t)(sp_clock_wall_ms() / 1000);
	struct sp_why why;

	sp_random(id->cert_serial, sizeof(id->cert_serial));
	id->cert_serial[0] = (uint8_t)((id->cert_serial[0] & 0x3f) | 1);
	id->not_before = now + begins * 86400ll;
	id->not_after = now + ends * 86400ll;
	ck_status(sp_x509_issue(a->issuer_key, sp_buf_span(&a->issuer), id, out, &why), SP_OK);
}

#endif
