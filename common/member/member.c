/*
 * member.c - what the files say at start, and what others ask about ourselves.
 */
#include "common/member/member.h"

#include <stdio.h>

#include "common/base/log.h"
#include "common/member/member_in.h"

bool
member_keys_match(const struct sp_identity *id, const struct member_keys *keys)
{
	uint8_t sign[SP_P256_PUBLIC];

	sp_key_public(keys->sign, sign);
	if (memcmp(id->public_key, sign, sizeof(sign)) != 0)
		return false;
	if (id->role == SP_ROLE_TSA)	/* nobody writes to it */
		return !id->has_keys;
	return id->has_keys && memcmp(id->letter_key, keys->letter.public_key, SP_X25519) == 0 &&
	    memcmp(id->age_key, keys->age.public_key, SP_X25519) == 0;
}

enum sp_status
member_make_trust(const char *domain, struct sp_span root, struct sp_span issuers, struct sp_trust **ret_trust,
    struct sp_why *why)
{
	SP_AUTO(sp_trust) *trust = NULL;
	struct sp_span der;
	enum sp_status st;

	if ((st = sp_trust_new(domain, &trust)) != SP_OK ||
	    (st = sp_trust_add_root(trust, root, why)) != SP_OK)
		return st;
	while (issuers.n > 0)
		if ((st = files_next_der(&issuers, &der)) != SP_OK ||
		    (st = sp_trust_add_issuer(trust, der, why)) != SP_OK)
			return st;
	*ret_trust = sp_take(&trust);
	return SP_OK;
}

static enum sp_status
read_papers(struct member *s, struct sp_why *why)
{
	enum sp_status st;

	if ((st = files_read(s->dir, "root.der", FILES_ISSUERS_MAX, &s->root, why)) != SP_OK ||
	    (st = files_read(s->dir, "issuers.der", FILES_ISSUERS_MAX, &s->issuers, why)) != SP_OK ||
	    (st = files_read(s->dir, "keyd.addresses", 4096, &s->keyd, why)) != SP_OK ||
	    (st = files_read_keys(s->dir, &s->keys, why)) != SP_OK ||
	    (st = sp_identity_read(sp_buf_span(&s->cert), &s->identity, why)) != SP_OK ||
	    (st = member_make_trust(s->identity.name.domain, sp_buf_span(&s->root), sp_buf_span(&s->issuers),
	    &s->trust, why)) != SP_OK)
		return st;
	if (s->identity.role != s->role)
		return sp_fail(SP_E_ROLE, why, "cert.der is of a %s", sp_role_text(s->identity.role));
	if (!member_keys_match(&s->identity, &s->keys))
		return sp_fail(SP_E_MISMATCH, why, "cert.der is not of these keys");
	sp_buf_cstr(&s->keyd);
	return sp_buf_status(&s->keyd);
}

/* A roster that is gone or bad is fetched again; the directory's address is known without it. */
static void
read_roster(struct member *s)
{
	SP_AUTO_DONE(sp_buf) bytes = { 0 };
	struct sp_why why = { "" };
	enum sp_status st;

	st = files_read(s->dir, "roster.bin", FILES_ROSTER_MAX, &bytes, &why);
	if (st == SP_OK)
		st = roster_apply(s, sp_buf_span(&bytes), &why);
	if (st != SP_OK && st != SP_E_NOTFOUND)
		sp_log_fail(SP_LOG_WARN, "roster-not-read", st, &why);
}

static enum sp_status
read_all(struct member *s, struct sp_why *why)
{
	enum sp_status st = files_read(s->dir, "cert.der", SP_CERT_MAX, &s->cert, why);
	struct sp_why reason;

	if (st == SP_E_NOTFOUND)
		return SP_OK;
	if (st == SP_OK)
		st = read_papers(s, why);
	if (st != SP_OK) {
		reason = why != NULL ? *why : (struct sp_why){ "" };
		return sp_fail(st, why, "this station's identity cannot be read from %.80s: %.140s", s->dir,
		    reason.text);
	}
	s->enrolled = true;
	read_roster(s);
	return SP_OK;
}

enum sp_status
member_open(struct sp_loop *loop, const char *dir, enum sp_role role, struct member **ret_member, struct sp_why *why)
{
	static const enum sp_role roles[MEMBER_ROLES] = { SP_ROLE_KEYD, SP_ROLE_CREDITD, SP_ROLE_CERTD };
	SP_AUTO(member) *s = calloc(1, sizeof(*s));
	enum sp_status st;

	if (s == NULL || (s->dir = strdup(dir)) == NULL)
		return SP_E_NOMEM;
	s->loop = loop;
	s->role = role;
	for (size_t i = 0; i < MEMBER_ROLES; i++)
		s->services[i] = (struct role_addresses){ .role = sp_role_text(roles[i]), .number = roles[i] };
	if ((st = sp_resolver_new(loop, &s->resolver, why)) != SP_OK ||
	    (st = sp_worker_new(loop, 1, 16, &s->worker, why)) != SP_OK ||
	    (st = read_all(s, why)) != SP_OK)
		return st;
	*ret_member = sp_take(&s);
	return SP_OK;
}

void
member_free(struct member *s)
{
	if (s == NULL)
		return;
	sp_worker_free(s->worker);
	while (s->asks != NULL)
		ask_free(s->asks);
	enrol_free(s->enrol);
	sp_client_free(s->client);
	services_done(s);	/* its clients use resolver and trust */
	sp_resolver_free(s->resolver);
	for (struct old_trust *o = s->old, *next; o != NULL; o = next) {
		next = o->next;
		sp_trust_free(o->trust);
		free(o);
	}
	sp_trust_free(s->trust);
	member_keys_done(&s->keys);
	sp_buf_done(&s->client_addresses);
	sp_buf_done(&s->cert);
	sp_buf_done(&s->root);
	sp_buf_done(&s->issuers);
	sp_buf_done(&s->keyd);
	free(s->dir);
	free(s);
}

/* ---- who we are ---- */
bool
member_is_enrolled(const struct member *s)
{
	return s->enrolled;
}

const struct sp_identity *
member_identity(const struct member *s)
{
	return &s->identity;
}

struct sp_span
member_cert(const struct member *s)
{
	return sp_buf_span(&s->cert);
}

const struct sp_key *
member_key(const struct member *s)
{
	return s->keys.sign;
}

const struct sp_x25519_pair *
member_letter_pair(const struct member *s)
{
	return &s->keys.letter;
}

const struct sp_trust *
member_trust(const struct member *s)
{
	return s->trust;
}

struct sp_span
member_root(const struct member *s)
{
	return sp_buf_span(&s->root);
}

struct sp_span
member_issuer(const struct member *s, size_t number)
{
	struct sp_span rest = sp_buf_span(&s->issuers), der = { NULL, 0 };

	for (size_t i = 0; i <= number; i++)
		if (files_next_der(&rest, &der) != SP_OK)
			return sp_span(NULL, 0);
	return der;
}

size_t
member_issuers(const struct member *s)
{
	struct sp_span rest = sp_buf_span(&s->issuers), der;
	size_t n = 0;

	while (rest.n > 0 && files_next_der(&rest, &der) == SP_OK)
		n++;
	return n;
}

const char *
member_service(const struct member *s, const char *role)
{
	for (size_t i = 0; i < MEMBER_ROLES; i++)
		if (strcmp(role, s->services[i].role) == 0 && s->services[i].text.len > 0)
			return (const char *)s->services[i].text.data;
	/* Until there is a roster: where we enrolled. */
	if (strcmp(role, "keyd") == 0 && s->keyd.len > 0)
		return (const char *)s->keyd.data;
	return "";
}
