/*
 * x509_trust.c - the roots and issuing certificates of one domain, and the check of a leaf against them. Our own reader
 * says what a certificate names and holds each kind to its only form; OpenSSL builds and checks the chain.
 */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "common/crypto/evp.h"
#include "common/crypto/x509_internal.h"

SP_OSSL_DEFINE(X509);
SP_OSSL_DEFINE(X509_STORE_CTX);

struct sp_trust {
	char domain[SP_DOMAIN_MAX + 1];
	X509_STORE *roots;		/* owned */
	STACK_OF(X509) *issuers;	/* owned with all in it */
	size_t count;			/* of both */
};

enum sp_status
sp_trust_new(const char *domain, struct sp_trust **ret_trust)
{
	SP_AUTO(sp_trust) *t = calloc(1, sizeof(*t));

	if (!x509_is_domain(domain))
		return SP_E_ARGUMENT;
	if (t == NULL || (t->roots = X509_STORE_new()) == NULL || (t->issuers = sk_X509_new_null()) == NULL) {
		ERR_clear_error();
		return SP_E_NOMEM;
	}
	memcpy(t->domain, domain, strlen(domain) + 1);
	*ret_trust = sp_take(&t);
	return SP_OK;
}

void
sp_trust_free(struct sp_trust *t)
{
	if (t == NULL)
		return;
	X509_STORE_free(t->roots);
	sk_X509_pop_free(t->issuers, X509_free);
	free(t);
}

const char *
sp_trust_domain(const struct sp_trust *t)
{
	return t->domain;
}

/* OpenSSL's object of a certificate that our reader has accepted. */
static X509 *
parse(struct sp_span der)
{
	const uint8_t *p = der.p;
	SP_OSSL(X509) *cert = d2i_X509(NULL, &p, (long)der.n);

	/* The look at its purpose fills what OpenSSL caches in it, before threads share it. */
	if (cert == NULL || p != der.p + der.n || X509_check_purpose(cert, -1, 0) != 1)
		return NULL;
	return sp_take(&cert);
}

/* Neither kind of CA certificate holds anything that is a leaf's. */
static bool
is_ca(const struct x509_view *v, struct sp_span basic)
{
	return sp_span_eq(v->ext[EXT_BASIC], basic) && sp_span_eq(v->ext[EXT_USAGE], FORM_USAGE_CA) &&
	    v->ext[EXT_SKID].p != NULL && v->ext[EXT_SAN].p == NULL && v->ext[EXT_PURPOSE].p == NULL &&
	    v->ext[EXT_OWN].p == NULL;
}

enum sp_status
sp_trust_add_root(struct sp_trust *t, struct sp_span der, struct sp_why *why)
{
	SP_OSSL(X509) *cert = NULL;
	struct x509_view v;
	enum sp_status st;

	if ((st = x509_view(der, &v, why)) != SP_OK)
		return st;
	if (!is_ca(&v, FORM_BASIC_ROOT) || v.ext[EXT_CONSTRAINTS].p != NULL || !sp_span_eq(v.issuer, v.subject) ||
	    sp_verify(v.public_key, v.tbs, v.signature) != SP_OK)
		return sp_fail(SP_E_CERT, why, "the certificate is not a root of our form");
	if (t->count >= SP_TRUST_CERTS_MAX)
		return sp_fail(SP_E_LIMIT, why, "too many certificates for the domain %s", t->domain);
	cert = parse(der);
	if (cert == NULL || X509_STORE_add_cert(t->roots, cert) != 1)
		return sp_fail_openssl(SP_E_CERT, why, "the root certificate cannot be used");
	t->count++;
	return SP_OK;
}

enum sp_status
sp_trust_add_issuer(struct sp_trust *t, struct sp_span der, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) constraints = { 0 };
	SP_OSSL(X509) *cert = NULL;
	struct x509_view v;
	enum sp_status st;

	if ((st = x509_view(der, &v, why)) != SP_OK)
		return st;
	x509_add_constraints(&constraints, t->domain);
	if ((st = sp_buf_status(&constraints)) != SP_OK)
		return sp_fail(st, why, "reading an issuing certificate");
	if (!is_ca(&v, FORM_BASIC_ISSUER))
		return sp_fail(SP_E_CERT, why, "the certificate is not an issuing certificate of our form");
	if (!sp_span_eq(v.ext[EXT_CONSTRAINTS], sp_buf_span(&constraints)))
		return sp_fail(SP_E_DOMAIN, why, "the issuing certificate is not for the domain %s alone", t->domain);
	if (t->count >= SP_TRUST_CERTS_MAX)
		return sp_fail(SP_E_LIMIT, why, "too many certificates for the domain %s", t->domain);
	cert = parse(der);
	if (cert == NULL || sk_X509_push(t->issuers, cert) <= 0)
		return sp_fail_openssl(SP_E_CERT, why, "the issuing certificate cannot be used");
	sp_take(&cert);
	t->count++;
	return SP_OK;
}

/* The chain leaf, issuing CA, root by OpenSSL, at that time. */
static enum sp_status
check_chain(const struct sp_trust *t, X509 *leaf, uint64_t wall_ms, struct sp_why *why)
{
	SP_OSSL(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int error;

	if (ctx == NULL || X509_STORE_CTX_init(ctx, t->roots, leaf, t->issuers) != 1 ||
	    (param = X509_STORE_CTX_get0_param(ctx)) == NULL ||
	    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT) != 1 ||
	    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY) != 1)
		return sp_fail_openssl(SP_E_LIBRARY, why, "checking a certificate");
	X509_VERIFY_PARAM_set_time(param, (time_t)(wall_ms / 1000));
	X509_VERIFY_PARAM_set_depth(param, 1);
	if (X509_verify_cert(ctx) == 1) {
		/* A root that signs a leaf itself is bound by no name constraints. */
		if (sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) == 3)
			return SP_OK;
		return sp_fail(SP_E_CERT, why, "the certificate was not signed by an issuing CA of %s", t->domain);
	}
	error = X509_STORE_CTX_get_error(ctx);
	ERR_clear_error();
	if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
		return sp_fail(SP_E_CERT_EXPIRED, why, "a certificate has %s: is the clock right, and that of who issued it?",
		    error == X509_V_ERR_CERT_HAS_EXPIRED ? "ended" : "not begun");
	return sp_fail(SP_E_CERT, why, "no way from the certificate to a root of %s: %s", t->domain,
	    X509_verify_cert_error_string(error));
}

enum sp_status
sp_trust_check(const struct sp_trust *t, struct sp_span der, uint64_t wall_ms, struct sp_identity *ret_id,
    struct sp_why *why)
{
	SP_OSSL(X509) *leaf = NULL;
	struct sp_identity id;
	char text[SP_NAME_TEXT];
	enum sp_status st;

	if ((st = sp_identity_read(der, &id, why)) != SP_OK)
		return st;
	if (strcmp(id.name.domain, t->domain) != 0)
		return sp_fail(SP_E_DOMAIN, why, "%s is not of the domain %s", sp_identity_text(&id, text), t->domain);
	leaf = parse(der);
	if (leaf == NULL)
		return sp_fail_openssl(SP_E_CERT, why, "the certificate cannot be used");
	if ((st = check_chain(t, leaf, wall_ms, why)) != SP_OK)
		return st;
	*ret_id = id;
	return SP_OK;
}
