/*
 * office.c - makes, reads and uses the files of the office.
 */
#include "keyd/office.h"

#include <stdio.h>

#include "common/base/file.h"
#include "common/crypto/hash.h"
#include "common/crypto/rand.h"

#define FILE_MAX 16384

static enum sp_status
file_path(const char *folder, const char *name, char ret_path[4096], struct sp_why *why)
{
	if ((size_t)snprintf(ret_path, 4096, "%s/%s", folder, name) >= 4096)
		return sp_fail(SP_E_LONG, why, "%s: the path is too long", folder);
	return SP_OK;
}

static enum sp_status
write_file(const char *folder, const char *name, const struct sp_buf *bytes, mode_t mode, struct sp_why *why)
{
	char path[4096];
	enum sp_status st = file_path(folder, name, path, why);

	if (st == SP_OK)
		st = sp_buf_status(bytes);
	return st == SP_OK ? sp_file_write(path, sp_buf_span(bytes), mode, why) : st;
}

static enum sp_status
write_key(const char *folder, const char *name, const struct sp_key *key, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) pem = { .secret = true };
	enum sp_status st = sp_key_to_pem(key, &pem);

	return st == SP_OK ? write_file(folder, name, &pem, 0600, why) : st;
}

static enum sp_status
write_cert(const char *folder, const char *name, const struct sp_buf *der, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) pem = { 0 };
	enum sp_status st = sp_x509_to_pem(sp_buf_span(der), &pem);

	return st == SP_OK ? write_file(folder, name, &pem, 0644, why) : st;
}

static enum sp_status
read_file(const char *folder, const char *name, struct sp_buf *out, struct sp_why *why)
{
	char path[4096];
	enum sp_status st = file_path(folder, name, path, why);

	if (st == SP_OK)
		st = sp_file_read(path, FILE_MAX, out, why);
	if (st == SP_E_NOTFOUND)
		return sp_fail(st, why, "%s is not there: keyd --init-root makes it", path);
	return st;
}

static enum sp_status
read_key(const char *folder, const char *name, struct sp_key **ret_key, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) pem = { .secret = true };
	enum sp_status st = read_file(folder, name, &pem, why);

	return st == SP_OK ? sp_key_from_pem(sp_buf_span(&pem), ret_key, why) : st;
}

static enum sp_status
read_cert(const char *folder, const char *name, struct sp_buf *out_der, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) pem = { 0 };
	enum sp_status st = read_file(folder, name, &pem, why);

	if (st == SP_OK && (st = sp_x509_from_pem(sp_buf_span(&pem), out_der)) != SP_OK)
		return sp_fail(st, why, "%s/%s holds no certificate", folder, name);
	return st;
}

/* Nothing of an office may be there: a root is made once. */
static enum sp_status
refuse_existing(const char *folder, struct sp_why *why)
{
	static const char *const names[] = { "root.key", "root.pem", "issuing.key", "issuing.pem", "keyd.key",
	    "keyd.pem" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[4096];
		enum sp_status st = file_path(folder, names[i], path, why);

		if (st != SP_OK)
			return st;
		if (access(path, F_OK) == 0)
			return sp_fail(SP_E_EXISTS, why,
			    "%s is there already; a root is made once and never overwritten", path);
	}
	return SP_OK;
}

/* The identity of this keyd before it is issued. */
static void
own_identity(const char *domain, const char *name, const struct sp_key *key, struct sp_identity *out)
{
	*out = (struct sp_identity){ .role = SP_ROLE_KEYD };
	(void)snprintf(out->name.domain, sizeof(out->name.domain), "%s", domain);
	(void)snprintf(out->service, sizeof(out->service), "%s", name);
	sp_key_public(key, out->public_key);
}

/* Everything but the files: keys, root, issuing CA and keyd's own certificate. */
static enum sp_status
make_all(struct office *o, struct sp_key **ret_root_key, const char *domain, const char *name, uint64_t wall_ms,
    struct sp_why *why)
{
	SP_AUTO(sp_key) *root_key = NULL;
	uint8_t issuer_public[SP_P256_PUBLIC];
	enum sp_status st;

	if ((st = sp_key_new(&root_key)) != SP_OK || (st = sp_key_new(&o->issuer_key)) != SP_OK ||
	    (st = sp_key_new(&o->own_key)) != SP_OK)
		return st;
	sp_key_public(o->issuer_key, issuer_public);
	own_identity(domain, name, o->own_key, &o->own_id);
	if ((st = sp_x509_make_root(root_key, domain, wall_ms, &o->root)) != SP_OK ||
	    (st = sp_x509_make_issuer(root_key, sp_buf_span(&o->root), issuer_public, domain, wall_ms,
	    &o->issuer)) != SP_OK ||
	    (st = office_issue(o, &o->own_id, wall_ms, &o->own, why)) != SP_OK)
		return st;
	*ret_root_key = sp_take(&root_key);
	return SP_OK;
}

enum sp_status
office_make(const char *folder, const char *domain, const char *name, uint64_t wall_ms, struct sp_why *why)
{
	SP_AUTO(office) *o = calloc(1, sizeof(*o));
	SP_AUTO(sp_key) *root_key = NULL;
	enum sp_status st;

	if (o == NULL)
		return SP_E_NOMEM;
	if ((st = sp_mkdirs(folder, 0700, why)) != SP_OK || (st = refuse_existing(folder, why)) != SP_OK ||
	    (st = make_all(o, &root_key, domain, name, wall_ms, why)) != SP_OK)
		return st;
	/* Certificates last: what has its certificate is whole. */
	if ((st = write_key(folder, "root.key", root_key, why)) != SP_OK ||
	    (st = write_key(folder, "issuing.key", o->issuer_key, why)) != SP_OK ||
	    (st = write_key(folder, "keyd.key", o->own_key, why)) != SP_OK ||
	    (st = write_cert(folder, "root.pem", &o->root, why)) != SP_OK ||
	    (st = write_cert(folder, "issuing.pem", &o->issuer, why)) != SP_OK)
		return st;
	return write_cert(folder, "keyd.pem", &o->own, why);
}

/* The issuing key is that of issuing.pem, and keyd.pem is this keyd's, under this root. A certificate issued now for
 * nobody must pass the check that all others make: that proves root, issuing certificate, its key and the domain at
 * once. */
static enum sp_status
check_office(struct office *o, const char *domain, const char *name, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) probe = { 0 };
	struct sp_identity id, read;
	uint64_t wall_ms;
	enum sp_status st;

	if ((st = sp_identity_read(sp_buf_span(&o->own), &o->own_id, why)) != SP_OK)
		return st;
	wall_ms = (uint64_t)o->own_id.not_before * 1000;
	own_identity(domain, name, o->own_key, &id);
	if ((st = office_issue(o, &id, wall_ms, &probe, why)) != SP_OK ||
	    (st = sp_trust_check(o->trust, sp_buf_span(&probe), wall_ms, &read, why)) != SP_OK)
		return sp_fail(st, why,
		    "%s: root.pem, issuing.pem and issuing.key do not belong together or to domain %s",
		    o->folder, domain);
	if (o->own_id.role != SP_ROLE_KEYD || strcmp(o->own_id.service, name) != 0 ||
	    memcmp(o->own_id.public_key, id.public_key, sizeof(id.public_key)) != 0 ||
	    sp_trust_check(o->trust, sp_buf_span(&o->own), wall_ms, &read, why) != SP_OK)
		return sp_fail(SP_E_IDENTITY, why, "%s/keyd.pem is not the certificate of keyd.key for keyd/%s@%s",
		    o->folder, name, domain);
	return SP_OK;
}

enum sp_status
office_open(const char *folder, const char *domain, const char *name, struct office **ret_office, struct sp_why *why)
{
	SP_AUTO(office) *o = calloc(1, sizeof(*o));
	enum sp_status st;

	if (o == NULL)
		return SP_E_NOMEM;
	if ((size_t)snprintf(o->folder, sizeof(o->folder), "%s", folder) >= sizeof(o->folder))
		return sp_fail(SP_E_LONG, why, "%s: the path is too long", folder);
	if ((st = read_cert(folder, "root.pem", &o->root, why)) != SP_OK ||
	    (st = read_cert(folder, "issuing.pem", &o->issuer, why)) != SP_OK ||
	    (st = read_key(folder, "issuing.key", &o->issuer_key, why)) != SP_OK ||
	    (st = read_cert(folder, "keyd.pem", &o->own, why)) != SP_OK ||
	    (st = read_key(folder, "keyd.key", &o->own_key, why)) != SP_OK ||
	    (st = sp_trust_new(domain, &o->trust)) != SP_OK ||
	    (st = sp_trust_add_root(o->trust, sp_buf_span(&o->root), why)) != SP_OK ||
	    (st = sp_trust_add_issuer(o->trust, sp_buf_span(&o->issuer), why)) != SP_OK ||
	    (st = check_office(o, domain, name, why)) != SP_OK)
		return st;
	sp_sha256(sp_buf_span(&o->root), &o->root_hash);
	*ret_office = sp_take(&o);
	return SP_OK;
}

void
office_free(struct office *o)
{
	if (o == NULL)
		return;
	sp_key_free(o->issuer_key);
	sp_key_free(o->own_key);
	sp_buf_done(&o->root);
	sp_buf_done(&o->issuer);
	sp_buf_done(&o->own);
	sp_trust_free(o->trust);
	free(o);
}

enum sp_status
office_renew(struct office *o, uint64_t wall_ms, bool *ret_renewed, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) der = { 0 };
	int64_t now = (int64_t)(wall_ms / 1000), life = o->own_id.not_after - o->own_id.not_before;
	struct sp_identity id;
	enum sp_status st;

	*ret_renewed = false;
	if (now < o->own_id.not_before + life / 3 * 2)
		return SP_OK;
	own_identity(o->own_id.name.domain, o->own_id.service, o->own_key, &id);
	if ((st = office_issue(o, &id, wall_ms, &der, why)) != SP_OK ||
	    (st = write_cert(o->folder, "keyd.pem", &der, why)) != SP_OK)
		return st;
	sp_buf_done(&o->own);
	o->own = der;
	der = (struct sp_buf){ 0 };
	o->own_id = id;
	*ret_renewed = true;
	return SP_OK;
}

enum sp_status
office_issue(const struct office *o, struct sp_identity *id, uint64_t wall_ms, struct sp_buf *out, struct sp_why *why)
{
	size_t before = out->len;
	enum sp_status st;

	sp_random(id->cert_serial, sizeof(id->cert_serial));
	/* Positive, and of full length in DER. */
	id->cert_serial[0] = (uint8_t)((id->cert_serial[0] & 0x7f) | 0x40);
	id->not_before = (int64_t)(wall_ms / 1000) - SP_CERT_SKEW_S;
	id->not_after = (int64_t)(wall_ms / 1000) + (int64_t)SP_CERT_DAYS * 86400;
	if ((st = sp_x509_issue(o->issuer_key, sp_buf_span(&o->issuer), id, out, why)) != SP_OK)
		return st;
	sp_sha256(sp_span(out->data + before, out->len - before), &id->hash);
	return SP_OK;
}
