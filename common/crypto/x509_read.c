/*
 * x509_read.c - who a certificate names: roles, the URI, the keys in the private extension. No trust implied.
 */
#include <stdio.h>

#include "common/crypto/hash.h"
#include "common/crypto/x509_internal.h"

static const char *const role_texts[] = {
	[SP_ROLE_NONE] = "none",
	[SP_ROLE_STATION] = "station",
	[SP_ROLE_KEYD] = "keyd",
	[SP_ROLE_CREDITD] = "creditd",
	[SP_ROLE_CERTD] = "certd",
	[SP_ROLE_TSA] = "tsa",
};
#define ROLES (sizeof(role_texts) / sizeof(role_texts[0]))

const char *
sp_role_text(enum sp_role role)
{
	return (size_t)role < ROLES ? role_texts[role] : role_texts[SP_ROLE_NONE];
}

enum sp_role
sp_role_from_text(struct sp_span text)
{
	for (size_t i = SP_ROLE_STATION; i < ROLES; i++)
		if (sp_span_eq(text, sp_span_str(role_texts[i])))
			return (enum sp_role)i;
	return SP_ROLE_NONE;
}

const char *
sp_identity_text(const struct sp_identity *id, char out[SP_NAME_TEXT])
{
	if (id->role == SP_ROLE_STATION)
		return sp_name_text(&id->name, out);
	snprintf(out, SP_NAME_TEXT, "%s/%s@%s", sp_role_text(id->role), id->service, id->name.domain);
	return out;
}

const char *
x509_uri(const struct sp_identity *id, char out[X509_URI_TEXT])
{
	if (id->role == SP_ROLE_STATION)
		snprintf(out, X509_URI_TEXT, "spiffe://%s/u/%s/d/%s", id->name.domain, id->name.person, id->name.station);
	else
		snprintf(out, X509_URI_TEXT, "spiffe://%s/s/%s/%s", id->name.domain, sp_role_text(id->role), id->service);
	return out;
}

/* The next piece of a URI, up to the separator (taken off too) or the end. */
static struct sp_span
next_piece(struct sp_span *rest, const char *separator)
{
	struct sp_span piece = *rest;
	size_t n = strlen(separator);
	const uint8_t *at = rest->n > 0 ? memmem(rest->p, rest->n, separator, n) : NULL;

	if (at != NULL)
		piece.n = (size_t)(at - rest->p);
	*rest = at != NULL ? sp_span(at + n, rest->n - piece.n - n) : sp_span(NULL, 0);
	return piece;
}

enum sp_status
x509_read_uri(struct sp_span uri, struct sp_identity *id)
{
	struct sp_span rest = uri, domain, kind, first, second;
	char text[X509_URI_TEXT + 8];
	struct sp_name name;

	if (uri.n >= X509_URI_TEXT)
		return SP_E_CERT;
	next_piece(&rest, "spiffe://");
	domain = next_piece(&rest, "/");
	kind = next_piece(&rest, "/");
	first = next_piece(&rest, "/");
	if (sp_span_eq(kind, sp_span_str("u")))
		next_piece(&rest, "d/");
	second = rest;
	/* All labels obey the rules of names; the last comparison finds whatever else is not as we write it. */
	snprintf(text, sizeof(text), "%.*s/%.*s@%.*s", (int)first.n, first.p, (int)second.n, second.p, (int)domain.n,
	    domain.p);
	if (sp_name_parse(sp_span_str(text), &name) != SP_OK)
		return SP_E_CERT;
	if (sp_span_eq(kind, sp_span_str("u"))) {
		id->role = SP_ROLE_STATION;
		id->name = name;
	} else {
		id->role = sp_role_from_text(first);
		memcpy(id->service, name.station, sizeof(id->service));
		memcpy(id->name.domain, name.domain, sizeof(id->name.domain));
		if (id->role == SP_ROLE_STATION)
			return SP_E_CERT;
	}
	if (id->role == SP_ROLE_NONE || !sp_span_eq(sp_span_str(x509_uri(id, text)), uri))
		return SP_E_CERT;
	return SP_OK;
}

/* Exactly one name in the SAN, of type URI. */
static enum sp_status
read_san(struct sp_span san, struct sp_identity *id, struct sp_why *why)
{
	struct sp_cursor whole = sp_cursor(san), c = sp_der_enter(&whole, DER_SEQUENCE);
	struct sp_span uri = sp_der_read(&c, DER_CONTEXT(6));

	sp_der_leave(&whole, &c);
	if (san.p == NULL || sp_cursor_end(&whole) != SP_OK)
		return sp_fail(SP_E_CERT, why, "the certificate does not hold exactly one name, of type URI");
	if (x509_read_uri(uri, id) != SP_OK)
		return sp_fail(SP_E_CERT, why, "the URI in the certificate names neither a station nor a service");
	return SP_OK;
}

/* The licence serial: printable ASCII. */
static bool
read_serial(struct sp_cursor *c, char out[X509_SERIAL_MAX + 1])
{
	size_t n = sp_cursor_left(c);
	struct sp_span text = sp_cursor_bytes(c, n);

	if (n > X509_SERIAL_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return false;
	if (n > 0)
		memcpy(out, text.p, n);
	out[n] = 0;
	return true;
}

static enum sp_status
read_own(struct sp_span own, struct sp_identity *id, struct sp_why *why)
{
	struct sp_cursor whole = sp_cursor(own), c;

	if (own.p == NULL)
		return SP_OK;
	c = sp_der_enter(&whole, DER_OCTETS);
	if (sp_cursor_u8(&c) != X509_OWN_FORMAT)
		return sp_fail(SP_E_CERT, why, "the keys in the certificate are of a form not known here");
	sp_cursor_copy(&c, id->letter_key, SP_X25519);
	sp_cursor_copy(&c, id->age_key, SP_X25519);
	if (c.error != SP_OK || !read_serial(&c, id->serial) || sp_cursor_end(&whole) != SP_OK)
		return sp_fail(SP_E_CERT, why, "the keys in the certificate are malformed");
	id->has_keys = true;
	return SP_OK;
}

/* What the extensions of a leaf must be, by its role. */
static enum sp_status
check_leaf(const struct x509_view *v, const struct sp_identity *id, struct sp_why *why)
{
	bool tsa = id->role == SP_ROLE_TSA;

	if (!sp_span_eq(v->subject, DER_LITERAL("\x30\x00")))
		return sp_fail(SP_E_CERT, why, "the certificate has a subject, where the URI alone should stand");
	if (!sp_span_eq(v->ext[EXT_USAGE], FORM_USAGE_LEAF) || v->ext[EXT_BASIC].p != NULL ||
	    v->ext[EXT_CONSTRAINTS].p != NULL)
		return sp_fail(SP_E_CERT, why, "the certificate is not one for signing only");
	if (tsa ? !sp_span_eq(v->ext[EXT_PURPOSE], FORM_PURPOSE_TSA) : v->ext[EXT_PURPOSE].p != NULL)
		return sp_fail(SP_E_CERT, why, "the certificate is not for the purpose of its role");
	if (id->role == SP_ROLE_STATION && !id->has_keys)
		return sp_fail(SP_E_CERT, why, "the certificate of a station holds no keys for letters");
	if (v->not_after < v->not_before)
		return sp_fail(SP_E_CERT, why, "the certificate ends before it begins");
	return SP_OK;
}

enum sp_status
sp_identity_read(struct sp_span der, struct sp_identity *ret_id, struct sp_why *why)
{
	struct sp_identity id = { 0 };
	struct x509_view v;
	enum sp_status st;

	if ((st = x509_view(der, &v, why)) != SP_OK ||
	    (st = read_san(v.ext[EXT_SAN], &id, why)) != SP_OK ||
	    (st = read_own(v.ext[EXT_OWN], &id, why)) != SP_OK ||
	    (st = check_leaf(&v, &id, why)) != SP_OK)
		return st;
	memcpy(id.public_key, v.public_key, sizeof(id.public_key));
	memcpy(id.cert_serial, v.serial, sizeof(id.cert_serial));
	id.not_before = v.not_before;
	id.not_after = v.not_after;
	sp_sha256(der, &id.hash);
	*ret_id = id;
	return SP_OK;
}
