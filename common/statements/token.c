/*
 * token.c - the invitation's text. Each part is read by a rule that leaves it one form only.
 */
#include "common/statements/token.h"

#include <stdio.h>

#include "common/statements/host.h"

#define START "sealpost:enrol?d="

/* Cuts what stands before the literal off the front of *text, the literal too. */
static bool
cut(struct sp_span *text, const char *literal, struct sp_span *ret_part)
{
	size_t n = strlen(literal);
	const uint8_t *at = text->n > 0 ? memmem(text->p, text->n, literal, n) : NULL;

	if (at == NULL)
		return false;
	*ret_part = sp_span(text->p, (size_t)(at - text->p));
	*text = sp_span(at + n, text->n - ret_part->n - n);
	return true;
}

static bool
read_domain(struct sp_span text, char out[SP_DOMAIN_MAX + 1])
{
	char whole[2 + SP_DOMAIN_MAX + 1] = "x@";
	struct sp_name name;

	if (text.n > SP_DOMAIN_MAX)
		return false;
	memcpy(whole + 2, text.p, text.n);
	if (sp_name_parse(sp_span(whole, 2 + text.n), &name) != SP_OK)
		return false;
	memcpy(out, name.domain, SP_DOMAIN_MAX + 1);
	return true;
}

/* One HOST:PORT, an IPv6 address in brackets. */
static bool
read_address(struct sp_span text, struct sp_token_address *out)
{
	const uint8_t *colon = text.n > 0 ? memrchr(text.p, ':', text.n) : NULL;
	struct sp_span host, port;
	uint64_t number;

	if (colon == NULL)
		return false;
	host = sp_span(text.p, (size_t)(colon - text.p));
	port = sp_span(colon + 1, text.n - host.n - 1);
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host = sp_span(host.p + 1, host.n - 2);
		if (!sp_host_is_v6(host))
			return false;
	} else if (memchr(text.p, ':', host.n) != NULL) {
		return false;
	}
	if (!sp_host_ok(host) || sp_parse_u64(port, UINT16_MAX, &number) != SP_OK || number == 0)
		return false;
	memcpy(out->host, host.p, host.n);
	out->host[host.n] = '\0';
	out->port = (uint16_t)number;
	return true;
}

static bool
read_addresses(struct sp_span text, struct sp_token *token)
{
	bool more = true;

	while (more) {
		const uint8_t *comma = text.n > 0 ? memchr(text.p, ',', text.n) : NULL;
		struct sp_span one = sp_span(text.p, comma != NULL ? (size_t)(comma - text.p) : text.n);

		if (token->keyd_count == SP_TOKEN_ADDRESSES || !read_address(one, &token->keyd[token->keyd_count]))
			return false;
		token->keyd_count++;
		more = comma != NULL;
		if (more)
			text = sp_span(comma + 1, text.n - one.n - 1);
	}
	return true;
}

/* The secret's 16 bytes from 22 characters of base64url. */
static bool
read_secret(struct sp_span text, uint8_t out[SP_TOKEN_SECRET])
{
	SP_AUTO_DONE(sp_buf) bytes = { .secret = true };

	if (sp_base64url_read(text, &bytes) != SP_OK || bytes.len != SP_TOKEN_SECRET)
		return false;
	memcpy(out, bytes.data, SP_TOKEN_SECRET);
	return true;
}

static enum sp_status
read_parts(struct sp_span text, struct sp_token *token, struct sp_why *why)
{
	struct sp_span part;

	if (text.n > SP_TOKEN_TEXT_MAX || !cut(&text, START, &part) || part.n != 0)
		return sp_fail(SP_E_FORMAT, why, "an invitation begins with " START);
	if (!cut(&text, "&k=", &part) || !read_domain(part, token->domain))
		return sp_fail(SP_E_FORMAT, why, "the invitation's domain (d=) is not a domain");
	if (!cut(&text, "&r=", &part) || !read_addresses(part, token))
		return sp_fail(SP_E_FORMAT, why,
		    "the invitation's addresses of keyd (k=) are not HOST:PORT, 1 to %d of them",
		    SP_TOKEN_ADDRESSES);
	if (!cut(&text, "&s=", &part) ||
	    sp_unhex((const char *)part.p, part.n, token->root.b, sizeof(token->root.b)) != SP_OK)
		return sp_fail(SP_E_FORMAT, why, "the invitation's root (r=) is not 64 hexadecimal digits");
	if (!read_secret(text, token->secret))
		return sp_fail(SP_E_FORMAT, why, "the invitation's secret (s=) is not whole");
	return SP_OK;
}

enum sp_status
sp_token_parse(struct sp_span text, struct sp_token *ret_token, struct sp_why *why)
{
	struct sp_token token = { 0 };
	enum sp_status st;

	if ((st = read_parts(text, &token, why)) == SP_OK)
		*ret_token = token;
	sp_wipe(&token, sizeof(token));
	return st;
}

enum sp_status
sp_token_print(const struct sp_token *token, struct sp_buf *out)
{
	char hex[65], domain[SP_DOMAIN_MAX + 1];

	if (token->keyd_count == 0 || token->keyd_count > SP_TOKEN_ADDRESSES ||
	    !read_domain(sp_span_str(token->domain), domain))
		return SP_E_ARGUMENT;
	sp_buf_addf(out, START "%s&k=", token->domain);
	for (size_t i = 0; i < token->keyd_count; i++) {
		const struct sp_token_address *a = &token->keyd[i];
		bool v6 = sp_host_is_v6(sp_span_str(a->host));

		if (!sp_host_ok(sp_span_str(a->host)) || a->port == 0)
			return SP_E_ARGUMENT;
		sp_buf_addf(out, "%s%s%s%s:%u", i > 0 ? "," : "", v6 ? "[" : "", a->host, v6 ? "]" : "", a->port);
	}
	sp_buf_addf(out, "&r=%s&s=", sp_hex(token->root.b, sizeof(token->root.b), hex));
	sp_base64url_add(out, sp_span(token->secret, sizeof(token->secret)));
	return sp_buf_status(out);
}
