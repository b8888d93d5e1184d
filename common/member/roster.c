/*
 * roster.c - what the directory says of its domain: issuing certificates and services. The root is the invitation's:
 * no roster changes it.
 */
#include "common/base/clock.h"
#include "common/member/member_in.h"

/* Elements of the list, one behind the other. */
static enum sp_status
gather_issuers(struct sp_span list, struct sp_buf *out)
{
	struct sp_cursor c = sp_cursor(list);
	struct sp_msg_cert_part part;
	size_t n = 0;

	while (sp_list_next(&c, sp_desc_msg(SP_MSG_CERT_PART), &part)) {
		if (++n > STATION_ISSUERS)
			return SP_E_LIMIT;
		sp_buf_add_span(out, part.cert);
	}
	return sp_buf_status(out);
}

static enum sp_status
read_roster(const struct member *s, struct sp_span bytes, struct sp_msg_roster_is *ret_roster,
    struct sp_buf *issuers, struct sp_why *why)
{
	enum sp_status st;

	if ((st = sp_decode(sp_desc_msg(SP_MSG_ROSTER_IS), bytes, ret_roster, why)) != SP_OK)
		return st;
	if (!sp_span_eq(ret_roster->domain, sp_span_str(s->identity.name.domain)) ||
	    !sp_span_eq(ret_roster->root, sp_buf_span(&s->root)))
		return sp_fail(SP_E_MISMATCH, why, "the roster is not that of our domain and its root");
	if (ret_roster->number < s->roster_number)
		return sp_fail(SP_E_MISMATCH, why, "the roster is older than the one that we have");
	if ((st = gather_issuers(ret_roster->issuers, issuers)) != SP_OK)
		return sp_fail(st, why, "the roster's issuing certificates cannot be taken");
	return SP_OK;
}

/* The issuers of a roster must vouch for ourselves, unless our own certificate has ended. */
static enum sp_status
check_issuers(const struct member *s, struct sp_span issuers, struct sp_trust **ret_trust, struct sp_why *why)
{
	SP_AUTO(sp_trust) *trust = NULL;
	struct sp_identity own;
	enum sp_status st;

	if ((st = member_make_trust(s->identity.name.domain, sp_buf_span(&s->root), issuers, &trust, why)) != SP_OK)
		return st;
	st = sp_trust_check(trust, sp_buf_span(&s->cert), sp_clock_wall_ms(), &own, why);
	if (st != SP_OK && st != SP_E_CERT_EXPIRED)
		return st;
	*ret_trust = sp_take(&trust);
	return SP_OK;
}

enum sp_status
roster_judge(const struct member *s, struct sp_span bytes, struct sp_buf *ret_issuers, struct sp_why *why)
{
	SP_AUTO(sp_trust) *trust = NULL;
	struct sp_msg_roster_is roster;
	enum sp_status st;

	if ((st = read_roster(s, bytes, &roster, ret_issuers, why)) != SP_OK)
		return st;
	return check_issuers(s, sp_buf_span(ret_issuers), &trust, why);
}

/* Threads may be using the trust that is replaced: it is kept to the end. */
static enum sp_status
take_issuers(struct member *s, struct sp_buf *issuers, struct sp_why *why)
{
	SP_AUTO(sp_trust) *trust = NULL;
	struct old_trust *old;
	enum sp_status st;

	if (sp_span_eq(sp_buf_span(issuers), sp_buf_span(&s->issuers)))
		return SP_OK;
	if ((st = check_issuers(s, sp_buf_span(issuers), &trust, why)) != SP_OK)
		return st;
	if ((old = calloc(1, sizeof(*old))) == NULL)
		return SP_E_NOMEM;
	*old = (struct old_trust){ .trust = s->trust, .next = s->old };
	s->old = old;
	s->trust = sp_take(&trust);
	if (s->client != NULL)
		sp_client_set_trust(s->client, s->trust);
	sp_buf_done(&s->issuers);
	s->issuers = *issuers;
	*issuers = (struct sp_buf){ 0 };
	return SP_OK;
}

static enum sp_status
take_services(struct member *s, struct sp_span list)
{
	struct sp_msg_service_part part;

	for (size_t i = 0; i < MEMBER_ROLES; i++) {
		struct role_addresses *r = &s->services[i];
		struct sp_cursor c = sp_cursor(list);

		sp_buf_clear(&r->text);
		while (sp_list_next(&c, sp_desc_msg(SP_MSG_SERVICE_PART), &part)) {
			if (!sp_span_eq(part.role, sp_span_str(r->role)))
				continue;
			if (r->text.len > 0)
				sp_buf_add_u8(&r->text, ',');
			sp_buf_add_span(&r->text, part.addresses);
		}
		sp_buf_cstr(&r->text);
		if (sp_buf_status(&r->text) != SP_OK)
			return sp_buf_status(&r->text);
	}
	return SP_OK;
}

enum sp_status
roster_apply(struct member *s, struct sp_span bytes, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) issuers = { 0 };
	struct sp_msg_roster_is roster;
	enum sp_status st;

	if ((st = read_roster(s, bytes, &roster, &issuers, why)) != SP_OK ||
	    (st = take_issuers(s, &issuers, why)) != SP_OK ||
	    (st = take_services(s, roster.services)) != SP_OK)
		return st;
	services_take(s, &roster);
	s->roster_number = roster.number;
	return SP_OK;
}
