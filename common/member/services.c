/*
 * services.c - what a roster says of services beside their addresses: certificates and prices, each checked before it counts;
 * and the clients that ask them.
 */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/member/member_in.h"
#include "common/statements/statement.h"

static void
take_cert(struct member *s, struct sp_span der)
{
	struct member_service *m = &s->certs[s->ncerts];
	struct sp_why why = { "" };
	enum sp_status st = sp_trust_check(s->trust, der, sp_clock_end_ms(), &m->identity, &why);

	if (st == SP_OK) {
		sp_buf_clear(&m->cert);
		sp_buf_add_span(&m->cert, der);
		st = sp_buf_status(&m->cert);
	}
	if (st == SP_OK)
		s->ncerts++;
	else
		sp_log_fail(SP_LOG_WARN, "service-certificate-refused", st, &why);
}

/* Everything is free unless the tariff is signed by a creditd of our own domain. */
static enum sp_status
read_tariff(struct member *s, const struct sp_msg_roster_is *roster, struct sp_why *why)
{
	struct sp_stmt_tariff tariff;
	struct sp_identity signer;
	const char *domain = s->identity.name.domain;
	enum sp_status st;

	if ((st = sp_trust_check(s->trust, roster->tariff_signer, sp_clock_end_ms(), &signer, why)) != SP_OK ||
	    (st = sp_statement_open(SP_STMT_TARIFF, roster->tariff, roster->tariff_signature, &signer, domain, &tariff,
	    why)) != SP_OK)
		return st;
	if (!sp_span_eq(tariff.domain, sp_span_str(domain)))
		return sp_fail(SP_E_DOMAIN, why, "the tariff is of another domain");
	return sp_tariff_parse(tariff.steps, &s->tariff);
}

void
services_take(struct member *s, const struct sp_msg_roster_is *roster)
{
	struct sp_cursor c = sp_cursor(roster->services);
	struct sp_msg_service_part part;
	struct sp_why why = { "" };
	enum sp_status st;

	s->ncerts = 0;
	while (s->ncerts < MEMBER_SERVICES && sp_list_next(&c, sp_desc_msg(SP_MSG_SERVICE_PART), &part))
		if (part.cert.n > 0)
			take_cert(s, part.cert);
	s->tariff = (struct sp_tariff){ 0 };
	if (roster->tariff.n > 0 && (st = read_tariff(s, roster, &why)) != SP_OK)
		sp_log_fail(SP_LOG_WARN, "tariff-refused", st, &why);
}

void
services_done(struct member *s)
{
	struct old_client *old;

	while ((old = s->old_clients) != NULL) {
		s->old_clients = old->next;
		sp_client_free(old->client);
		free(old);
	}
	for (size_t i = 0; i < MEMBER_ROLES; i++) {
		sp_client_free(s->services[i].client);
		sp_buf_done(&s->services[i].client_text);
		sp_buf_done(&s->services[i].text);
	}
	for (size_t i = 0; i < MEMBER_SERVICES; i++)
		sp_buf_done(&s->certs[i].cert);
	for (size_t i = 0; i < MEMBER_LEARNT; i++)
		sp_buf_done(&s->learnt[i].cert);
}

enum sp_status
member_learn_service(struct member *s, struct sp_span cert, struct sp_why *why)
{
	struct member_service *m = &s->learnt[s->next_learnt];
	struct sp_identity id;
	enum sp_status st = sp_trust_check(s->trust, cert, sp_clock_end_ms(), &id, why);

	if (st != SP_OK)
		return st;
	if (id.role == SP_ROLE_STATION || id.role == SP_ROLE_NONE)
		return sp_fail(SP_E_ROLE, why, "the certificate is no service's");
	if (strcmp(id.name.domain, s->identity.name.domain) != 0)
		return sp_fail(SP_E_DOMAIN, why, "the certificate is of a service of another domain");
	if (member_service_by_cert(s, &id.hash) != NULL)
		return SP_OK;
	sp_buf_clear(&m->cert);
	sp_buf_add_span(&m->cert, cert);
	if ((st = sp_buf_status(&m->cert)) != SP_OK) {
		*m = (struct member_service){ .cert = m->cert };
		return st;
	}
	m->identity = id;
	s->next_learnt = (s->next_learnt + 1) % MEMBER_LEARNT;
	return SP_OK;
}

static bool
has_key(const struct member_service *m, const uint8_t letter_key[SP_X25519])
{
	return m->cert.len > 0 && m->identity.has_keys && memcmp(m->identity.letter_key, letter_key, SP_X25519) == 0;
}

static bool
has_cert(const struct member_service *m, const struct sp_hash *cert)
{
	return m->cert.len > 0 && sp_hash_eq(&m->identity.hash, cert);
}

const struct member_service *
member_service_by_cert(const struct member *s, const struct sp_hash *cert)
{
	for (size_t i = 0; i < s->ncerts; i++)
		if (has_cert(&s->certs[i], cert))
			return &s->certs[i];
	for (size_t i = 0; i < MEMBER_LEARNT; i++)
		if (has_cert(&s->learnt[i], cert))
			return &s->learnt[i];
	return NULL;
}

const struct member_service *
member_service_by_key(const struct member *s, const uint8_t letter_key[SP_X25519])
{
	for (size_t i = 0; i < s->ncerts; i++)
		if (has_key(&s->certs[i], letter_key))
			return &s->certs[i];
	for (size_t i = 0; i < MEMBER_LEARNT; i++)
		if (has_key(&s->learnt[i], letter_key))
			return &s->learnt[i];
	return NULL;
}

const char *
member_service_names(const struct member *s, enum sp_role role, size_t max, char *out, size_t size)
{
	size_t used = 0, n = 0;

	out[0] = 0;
	for (size_t i = 0; i < s->ncerts && n < max; i++) {
		size_t length = strlen(s->certs[i].identity.service);

		if (s->certs[i].identity.role != role || used + length + 2 > size)
			continue;
		if (n++ > 0)
			out[used++] = ',';
		memcpy(out + used, s->certs[i].identity.service, length + 1);
		used += length;
	}
	return out;
}

const struct sp_tariff *
member_tariff(const struct member *s)
{
	return &s->tariff;
}

/* ---- clients ---- */

/* What is under way at the old addresses ends there. */
static enum sp_status
retire(struct member *s, struct role_addresses *r)
{
	struct old_client *old = malloc(sizeof(*old));

	if (old == NULL)
		return SP_E_NOMEM;
	*old = (struct old_client){ r->client, s->old_clients };
	s->old_clients = old;
	r->client = NULL;
	return SP_OK;
}

struct sp_client *
member_client(struct member *s, enum sp_role role, struct sp_why *why)
{
	struct role_addresses *r = NULL;

	for (size_t i = 0; i < MEMBER_ROLES; i++)
		if (s->services[i].number == role)
			r = &s->services[i];
	if (!s->enrolled || r == NULL || r->text.len == 0) {
		sp_fail(SP_E_CONNECT, why, "no %s is known", sp_role_text(role));
		return NULL;
	}
	if (r->client != NULL && sp_span_eq(sp_buf_span(&r->text), sp_buf_span(&r->client_text)))
		return r->client;
	if (r->client != NULL && retire(s, r) != SP_OK)
		return NULL;
	sp_buf_clear(&r->client_text);
	sp_buf_add_span(&r->client_text, sp_buf_span(&r->text));
	if (sp_buf_status(&r->client_text) != SP_OK ||
	    services_client(s, role, sp_buf_cstr(&r->text), &r->client, why) != SP_OK)
		return NULL;
	return r->client;
}
