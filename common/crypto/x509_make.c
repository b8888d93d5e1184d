/*
 * x509_make.c - writes certificates: root, issuing CA, leaves. What is written is read back before it leaves, so that
 * nothing is issued that nobody would accept.
 */
#include <stdio.h>

#include "common/crypto/hash.h"
#include "common/crypto/rand.h"
#include "common/crypto/x509_internal.h"

#define DAY INT64_C(86400)
#define ROOT_DAYS (20 * 365 + 5)
#define ISSUER_DAYS (5 * 365 + 1)

/* What the three kinds differ in. Spans are borrowed. */
struct plan {
	uint8_t serial[16];
	struct sp_span issuer, subject;		/* whole names */
	int64_t not_before, not_after;
	const uint8_t *public_key;
	struct sp_span ext[EXT_COUNT];		/* contents; p == NULL: none */
};

bool
x509_is_domain(const char *text)
{
	char whole[SP_DOMAIN_MAX + 8];
	struct sp_name name;
	int n = snprintf(whole, sizeof(whole), "x@%s", text);

	return n > 0 && (size_t)n < sizeof(whole) && sp_name_parse(sp_span_str(whole), &name) == SP_OK;
}

void
x509_key_id(const uint8_t public_key[SP_P256_PUBLIC], uint8_t out[20])
{
	struct sp_hash hash;

	sp_sha256(sp_span(public_key, SP_P256_PUBLIC), &hash);
	memcpy(out, hash.b, 20);
}

void
x509_add_constraints(struct sp_buf *b, const char *domain)
{
	static const struct { uint8_t tag; const char *base; } rows[] = {
		{ DER_CONTEXT(6), NULL },		/* URI: the domain */
		{ DER_CONTEXT(2), "invalid" },		/* DNS: nothing that exists */
		{ DER_CONTEXT(1), "invalid" },		/* e-mail: likewise */
	};
	size_t whole = sp_der_open(b, DER_SEQUENCE), permitted = sp_der_open(b, DER_EXPLICIT(0));

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t subtree = sp_der_open(b, DER_SEQUENCE);

		sp_der_add(b, rows[i].tag, sp_span_str(rows[i].base != NULL ? rows[i].base : domain));
		sp_der_close(b, subtree);
	}
	sp_der_close(b, permitted);
	sp_der_close(b, whole);
}

/* A name of one CN, for people who look at certificates; nothing here reads it. */
static void
add_name(struct sp_buf *b, const char *domain, const char *what)
{
	char text[SP_DOMAIN_MAX + 16];
	size_t name = sp_der_open(b, DER_SEQUENCE), set = sp_der_open(b, DER_SET), pair = sp_der_open(b, DER_SEQUENCE);

	snprintf(text, sizeof(text), "%s %s", domain, what);
	sp_buf_add_span(b, DER_LITERAL("\x06\x03\x55\x04\x03"));
	sp_der_add(b, DER_UTF8, sp_span_str(text));
	sp_der_close(b, pair);
	sp_der_close(b, set);
	sp_der_close(b, name);
}

static void
add_extensions(struct sp_buf *b, const struct plan *p)
{
	size_t whole = sp_der_open(b, DER_EXPLICIT(3)), list = sp_der_open(b, DER_SEQUENCE);

	for (size_t i = 0; i < EXT_COUNT; i++) {
		size_t ext;

		if (p->ext[i].p == NULL)
			continue;
		ext = sp_der_open(b, DER_SEQUENCE);
		sp_buf_add_span(b, x509_exts[i].oid);
		if (x509_exts[i].critical)
			sp_buf_add_span(b, DER_LITERAL("\x01\x01\xff"));
		sp_der_add(b, DER_OCTETS, p->ext[i]);
		sp_der_close(b, ext);
	}
	sp_der_close(b, list);
	sp_der_close(b, whole);
}

static void
add_tbs(struct sp_buf *b, const struct plan *p)
{
	size_t tbs = sp_der_open(b, DER_SEQUENCE), validity;

	sp_buf_add_span(b, DER_LITERAL("\xa0\x03\x02\x01\x02"));
	sp_der_add_uint(b, p->serial, sizeof(p->serial));
	sp_buf_add_span(b, DER_ALG_ECDSA_SHA256);
	sp_buf_add_span(b, p->issuer);
	validity = sp_der_open(b, DER_SEQUENCE);
	sp_der_add_time(b, p->not_before);
	sp_der_add_time(b, p->not_after);
	sp_der_close(b, validity);
	sp_buf_add_span(b, p->subject);
	sp_buf_add_span(b, X509_P256_HEAD);
	sp_buf_add(b, p->public_key, SP_P256_PUBLIC);
	add_extensions(b, p);
	sp_der_close(b, tbs);
}

/* Writes and signs; read back as a check of its form and size. */
static enum sp_status
make(const struct sp_key *key, const struct plan *p, struct sp_buf *out, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) tbs = { 0 }, cert = { 0 };
	uint8_t signature[SP_SIGNATURE];
	struct x509_view view;
	size_t whole, bits;
	enum sp_status st;

	add_tbs(&tbs, p);
	if ((st = sp_buf_status(&tbs)) != SP_OK || (st = sp_sign(key, sp_buf_span(&tbs), signature)) != SP_OK)
		return sp_fail(st, why, "the certificate cannot be written");
	whole = sp_der_open(&cert, DER_SEQUENCE);
	sp_buf_add_span(&cert, sp_buf_span(&tbs));
	sp_buf_add_span(&cert, DER_ALG_ECDSA_SHA256);
	bits = sp_der_open(&cert, DER_BIT_STRING);
	sp_buf_add_u8(&cert, 0);
	sp_der_add_signature(&cert, signature);
	sp_der_close(&cert, bits);
	sp_der_close(&cert, whole);
	if ((st = sp_buf_status(&cert)) != SP_OK)
		return sp_fail(st, why, "the certificate cannot be written");
	if (x509_view(sp_buf_span(&cert), &view, why) != SP_OK)
		return SP_E_ARGUMENT;
	sp_buf_add_span(out, sp_buf_span(&cert));
	return sp_buf_status(out);
}

static void
random_serial(uint8_t out[16])
{
	sp_random(out, 16);
	out[0] = (uint8_t)(out[0] & 0x7f) | 0x40;	/* positive, never zero, always as long */
}

static enum sp_status
set_life(struct plan *p, uint64_t wall_ms, int64_t days)
{
	int64_t now;

	/* Up to the year 9000 all sums fit. */
	if (wall_ms < (uint64_t)DAY * 1000 || wall_ms / 1000 > UINT64_C(221845392000))
		return SP_E_ARGUMENT;
	now = (int64_t)(wall_ms / 1000);
	p->not_before = now - DAY;
	p->not_after = now + days * DAY;
	return SP_OK;
}

enum sp_status
sp_x509_make_root(const struct sp_key *key, const char *domain, uint64_t wall_ms, struct sp_buf *out)
{
	SP_AUTO_DONE(sp_buf) name = { 0 };
	struct plan p = { 0 };
	uint8_t public_key[SP_P256_PUBLIC], skid[22] = { DER_OCTETS, 20 };

	if (!x509_is_domain(domain) || set_life(&p, wall_ms, ROOT_DAYS) != SP_OK)
		return SP_E_ARGUMENT;
	add_name(&name, domain, "root");
	if (sp_buf_status(&name) != SP_OK)
		return sp_buf_status(&name);
	sp_key_public(key, public_key);
	x509_key_id(public_key, skid + 2);
	random_serial(p.serial);
	p.issuer = p.subject = sp_buf_span(&name);
	p.public_key = public_key;
	p.ext[EXT_BASIC] = FORM_BASIC_ROOT;
	p.ext[EXT_USAGE] = FORM_USAGE_CA;
	p.ext[EXT_SKID] = sp_span(skid, sizeof(skid));
	return make(key, &p, out, NULL);
}

/* The content of an AKID that names a key by its id: SEQUENCE { [0] id }. */
static void
authority(const uint8_t public_key[SP_P256_PUBLIC], uint8_t out[24])
{
	memcpy(out, "\x30\x16\x80\x14", 4);
	x509_key_id(public_key, out + 4);
}

/* Whether the key belongs to the certificate that is to sign with it. */
static bool
key_fits(const struct sp_key *key, const struct x509_view *cert)
{
	uint8_t public_key[SP_P256_PUBLIC];

	sp_key_public(key, public_key);
	return memcmp(public_key, cert->public_key, sizeof(public_key)) == 0;
}

enum sp_status
sp_x509_make_issuer(const struct sp_key *root_key, struct sp_span root_der, const uint8_t issuer_public[SP_P256_PUBLIC],
    const char *domain, uint64_t wall_ms, struct sp_buf *out)
{
	SP_AUTO_DONE(sp_buf) name = { 0 }, constraints = { 0 };
	struct plan p = { 0 };
	struct x509_view root;
	uint8_t skid[22] = { DER_OCTETS, 20 }, akid[24];

	if (!x509_is_domain(domain) || set_life(&p, wall_ms, ISSUER_DAYS) != SP_OK ||
	    x509_view(root_der, &root, NULL) != SP_OK || !key_fits(root_key, &root))
		return SP_E_ARGUMENT;
	add_name(&name, domain, "issuing");
	x509_add_constraints(&constraints, domain);
	if (sp_buf_status(&name) != SP_OK || sp_buf_status(&constraints) != SP_OK)
		return SP_E_NOMEM;
	x509_key_id(issuer_public, skid + 2);
	authority(root.public_key, akid);
	random_serial(p.serial);
	p.issuer = root.subject;
	p.subject = sp_buf_span(&name);
	p.public_key = issuer_public;
	p.ext[EXT_BASIC] = FORM_BASIC_ISSUER;
	p.ext[EXT_USAGE] = FORM_USAGE_CA;
	p.ext[EXT_SKID] = sp_span(skid, sizeof(skid));
	p.ext[EXT_AKID] = sp_span(akid, sizeof(akid));
	p.ext[EXT_CONSTRAINTS] = sp_buf_span(&constraints);
	return make(root_key, &p, out, NULL);
}

/* The contents of the SAN and of the private extension. */
static void
add_identity(const struct sp_identity *id, struct sp_buf *san, struct sp_buf *own)
{
	char uri[X509_URI_TEXT];
	size_t mark = sp_der_open(san, DER_SEQUENCE);

	sp_der_add(san, DER_CONTEXT(6), sp_span_str(x509_uri(id, uri)));
	sp_der_close(san, mark);
	mark = sp_der_open(own, DER_OCTETS);
	sp_buf_add_u8(own, X509_OWN_FORMAT);
	sp_buf_add(own, id->letter_key, SP_X25519);
	sp_buf_add(own, id->age_key, SP_X25519);
	sp_buf_add_text(own, id->serial);
	sp_der_close(own, mark);
}

/* What was written names exactly what was asked for. */
static enum sp_status
check_same(struct sp_span der, const struct sp_identity *id, struct sp_why *why)
{
	struct sp_identity got;
	char a[X509_URI_TEXT], b[X509_URI_TEXT];

	if (sp_identity_read(der, &got, why) != SP_OK)
		return SP_E_ARGUMENT;
	if (strcmp(x509_uri(id, a), x509_uri(&got, b)) != 0 || strcmp(id->serial, got.serial) != 0 ||
	    id->has_keys != got.has_keys)
		return sp_fail(SP_E_ARGUMENT, why, "these names cannot stand in a certificate");
	return SP_OK;
}

enum sp_status
sp_x509_issue(const struct sp_key *issuer_key, struct sp_span issuer_der, const struct sp_identity *id,
    struct sp_buf *out, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) constraints = { 0 }, san = { 0 }, own = { 0 }, cert = { 0 };
	struct plan p = { .not_before = id->not_before, .not_after = id->not_after, .public_key = id->public_key };
	struct x509_view issuer;
	uint8_t akid[24];
	enum sp_status st;

	if (x509_view(issuer_der, &issuer, why) != SP_OK)
		return SP_E_ARGUMENT;
	x509_add_constraints(&constraints, id->name.domain);
	add_identity(id, &san, &own);
	if (sp_buf_status(&constraints) != SP_OK || sp_buf_status(&san) != SP_OK || sp_buf_status(&own) != SP_OK)
		return sp_fail(SP_E_NOMEM, why, "issuing a certificate");
	if (!key_fits(issuer_key, &issuer))
		return sp_fail(SP_E_ARGUMENT, why, "the issuing key and the issuing certificate do not belong together");
	if (!sp_span_eq(issuer.ext[EXT_CONSTRAINTS], sp_buf_span(&constraints)))
		return sp_fail(SP_E_ARGUMENT, why, "the issuing certificate is not for the domain of this name");
	authority(issuer.public_key, akid);
	memcpy(p.serial, id->cert_serial, sizeof(p.serial));
	p.issuer = issuer.subject;
	p.subject = DER_LITERAL("\x30\x00");
	p.ext[EXT_USAGE] = FORM_USAGE_LEAF;
	p.ext[EXT_SAN] = sp_buf_span(&san);
	p.ext[EXT_AKID] = sp_span(akid, sizeof(akid));
	if (id->role == SP_ROLE_TSA)
		p.ext[EXT_PURPOSE] = FORM_PURPOSE_TSA;
	if (id->has_keys || id->serial[0] != 0)
		p.ext[EXT_OWN] = sp_buf_span(&own);
	if ((st = make(issuer_key, &p, &cert, why)) != SP_OK || (st = check_same(sp_buf_span(&cert), id, why)) != SP_OK)
		return st;
	sp_buf_add_span(out, sp_buf_span(&cert));
	return sp_buf_status(out);
}
