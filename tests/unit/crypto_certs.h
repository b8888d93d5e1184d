/*
 * crypto_certs.h - a small office for tests: root, issuing CA and leaves of a domain.
 */
#ifndef SP_TESTS_CRYPTO_CERTS_H
#define SP_TESTS_CRYPTO_CERTS_H

#include <stdio.h>

#include "common/crypto/rand.h"
#include "common/crypto/x509.h"
#include "tests/unit/unit.h"

#ifndef NOW_MS
#define NOW_MS UINT64_C(1795593600000)		/* 2026-11-25 */
#endif
#define NOW_S ((int64_t)(NOW_MS / 1000))

struct ca {
	struct sp_key *root_key, *issuer_key;
	struct sp_buf root, issuer;		/* DER */
	struct sp_trust *trust;
};

static inline void
ca_make(struct ca *ca, const char *domain)
{
	uint8_t public_key[SP_P256_PUBLIC];

	*ca = (struct ca){ 0 };
	ck_status(sp_key_new(&ca->root_key), SP_OK);
	ck_status(sp_key_new(&ca->issuer_key), SP_OK);
	ck_status(sp_x509_make_root(ca->root_key, domain, NOW_MS, &ca->root), SP_OK);
	sp_key_public(ca->issuer_key, public_key);
	ck_status(sp_x509_make_issuer(ca->root_key, sp_buf_span(&ca->root), public_key, domain, NOW_MS, &ca->issuer), SP_OK);
	ck_status(sp_trust_new(domain, &ca->trust), SP_OK);
	ck_status(sp_trust_add_root(ca->trust, sp_buf_span(&ca->root), NULL), SP_OK);
	ck_status(sp_trust_add_issuer(ca->trust, sp_buf_span(&ca->issuer), NULL), SP_OK);
}

static inline void
ca_done(struct ca *ca)
{
	sp_key_free(ca->root_key);
	sp_key_free(ca->issuer_key);
	sp_buf_done(&ca->root);
	sp_buf_done(&ca->issuer);
	sp_trust_free(ca->trust);
}

/* A station's (service NULL) or service's identity with fresh keys; key may be NULL. */
static inline struct sp_identity
leaf_identity(const char *domain, enum sp_role role, const char *one, const char *two, struct sp_key **ret_key)
{
	struct sp_identity id = { .role = role, .has_keys = role != SP_ROLE_TSA, .not_before = NOW_S - 60,
		.not_after = NOW_S + 90 * 86400 };
	SP_AUTO(sp_key) *key = NULL;
	struct sp_x25519_pair pair;

	snprintf(id.name.domain, sizeof(id.name.domain), "%s", domain);
	if (role == SP_ROLE_STATION) {
		snprintf(id.name.person, sizeof(id.name.person), "%s", one);
		snprintf(id.name.station, sizeof(id.name.station), "%s", two);
	} else {
		snprintf(id.service, sizeof(id.service), "%s", one);
	}
	ck_status(sp_key_new(&key), SP_OK);
	sp_key_public(key, id.public_key);
	if (id.has_keys) {
		ck_status(sp_x25519_new(&pair), SP_OK);
		memcpy(id.letter_key, pair.public_key, 32);
		ck_status(sp_x25519_new(&pair), SP_OK);
		memcpy(id.age_key, pair.public_key, 32);
	}
	sp_random(id.cert_serial, sizeof(id.cert_serial));
	id.cert_serial[0] = 0x41;
	if (ret_key != NULL)
		*ret_key = sp_take(&key);
	return id;
}

static inline void
leaf_make(const struct ca *ca, const struct sp_identity *id, struct sp_buf *out)
{
	struct sp_why why = { "" };
	enum sp_status st = sp_x509_issue(ca->issuer_key, sp_buf_span(&ca->issuer), id, out, &why);

	ck_assert_msg(st == SP_OK, "%s: %s", sp_status_name(st), why.text);
}

/* Writes bytes into a file of the folder; for stock openssl. */
static inline void
put_file(const char *folder, const char *name, struct sp_span bytes)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	fclose(f);
}

static inline void
put_pem(const char *folder, const char *name, const struct sp_buf *der)
{
	SP_AUTO_DONE(sp_buf) pem = { 0 };

	ck_status(sp_x509_to_pem(sp_buf_span(der), &pem), SP_OK);
	put_file(folder, name, sp_buf_span(&pem));
}

/* The exit status of a shell command run in the folder. */
static inline int
run_in(const char *folder, const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "cd %s && %s >out.log 2>&1", folder, command);
	return system(line);
}

static inline void
remove_folder(const char *folder)
{
	char line[256];

	snprintf(line, sizeof(line), "rm -rf %s", folder);
	ck_assert_int_eq(system(line), 0);
}

#endif
