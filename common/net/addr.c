/*
 * addr.c - numeric addresses through inet_pton and inet_ntop, kept in one form.
 */
#include "common/net/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "common/base/text.h"

static bool
is_host_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	    c == '_';
}

/* Numeric IPv6 text may also hold colons and a scope. */
static bool
is_v6_char(uint8_t c)
{
	return is_host_char(c) || c == ':' || c == '%';
}

/* Where the host ends and what follows it; the brackets of "[host]" are left out of ret_host. */
static enum sp_status
split(struct sp_span text, struct sp_span *ret_host, struct sp_span *ret_port, bool *ret_v6)
{
	const uint8_t *end = text.p + text.n, *colon = text.n > 0 ? memchr(text.p, ':', text.n) : NULL;

	*ret_port = sp_span(NULL, 0);
	*ret_v6 = false;
	if (text.n > 0 && text.p[0] == '[') {
		const uint8_t *close = memchr(text.p, ']', text.n);

		if (close == NULL || (close + 1 != end && close[1] != ':'))
			return SP_E_FORMAT;
		*ret_host = sp_span(text.p + 1, (size_t)(close - text.p) - 1);
		if (close + 1 != end)
			*ret_port = sp_span(close + 2, (size_t)(end - close) - 2);
		*ret_v6 = true;
		return close + 2 == end ? SP_E_FORMAT : SP_OK;
	}
	*ret_host = text;
	if (colon == NULL)
		return SP_OK;
	if (memchr(colon + 1, ':', (size_t)(end - colon) - 1) != NULL) {
		*ret_v6 = true;
		return SP_OK;
	}
	*ret_host = sp_span(text.p, (size_t)(colon - text.p));
	*ret_port = sp_span(colon + 1, (size_t)(end - colon) - 1);
	return ret_port->n > 0 ? SP_OK : SP_E_FORMAT;
}

enum sp_status
sp_hostport_split(struct sp_span text, uint16_t default_port, char ret_host[SP_HOST_MAX + 1], uint16_t *ret_port)
{
	struct sp_span host, port_text;
	uint64_t port = default_port;
	enum sp_status st;
	bool v6;

	if ((st = split(text, &host, &port_text, &v6)) != SP_OK)
		return st;
	if (host.n == 0 || host.n > SP_HOST_MAX)
		return SP_E_FORMAT;
	/* brackets stand around IPv6 addresses only */
	if (v6 && memchr(host.p, ':', host.n) == NULL)
		return SP_E_FORMAT;
	for (size_t i = 0; i < host.n; i++)
		if (!(v6 ? is_v6_char(host.p[i]) : is_host_char(host.p[i])))
			return SP_E_FORMAT;
	if (port_text.n > 0 && (st = sp_parse_u64(port_text, UINT16_MAX, &port)) != SP_OK)
		return st;
	if (port_text.n == 0 && default_port == 0)
		return SP_E_FORMAT;
	memcpy(ret_host, host.p, host.n);
	ret_host[host.n] = 0;
	*ret_port = (uint16_t)port;
	return SP_OK;
}

const char *
sp_hostport_text(struct sp_span host, uint16_t port, char out[SP_HOSTPORT_TEXT])
{
	bool v6 = host.n > 0 && memchr(host.p, ':', host.n) != NULL;

	snprintf(out, SP_HOSTPORT_TEXT, v6 ? "[%.*s]:%u" : "%.*s:%u", (int)host.n, host.n > 0 ? (const char *)host.p : "", port);
	return out;
}

static enum sp_status
parse_v6(char *host, struct sp_addr *a)
{
	char *percent = strchr(host, '%');
	uint64_t number;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (percent != NULL) {
		*percent++ = 0;
		in6.sin6_scope_id = if_nametoindex(percent);
		if (in6.sin6_scope_id == 0 && sp_parse_u64(sp_span_str(percent), UINT32_MAX, &number) == SP_OK)
			in6.sin6_scope_id = (uint32_t)number;
		if (in6.sin6_scope_id == 0)
			return SP_E_FORMAT;
	}
	if (inet_pton(AF_INET6, host, &in6.sin6_addr) != 1)
		return SP_E_FORMAT;
	return sp_addr_from_sockaddr((const struct sockaddr *)&in6, sizeof(in6), a);
}

enum sp_status
sp_addr_parse(struct sp_span text, uint16_t default_port, struct sp_addr *ret_addr)
{
	struct sp_addr a = { .family = 4 };
	char host[SP_HOST_MAX + 1];
	uint16_t port;
	enum sp_status st;

	if ((st = sp_hostport_split(text, default_port, host, &port)) != SP_OK)
		return st;
	if (text.p[0] == '[' || strchr(host, ':') != NULL)
		st = parse_v6(host, &a);
	else
		st = inet_pton(AF_INET, host, a.ip) == 1 ? SP_OK : SP_E_FORMAT;
	if (st != SP_OK)
		return st;
	a.port = port;
	*ret_addr = a;
	return SP_OK;
}

const char *
sp_addr_host(const struct sp_addr *a, char out[SP_ADDR_TEXT])
{
	size_t n;

	if (a->family == 0) {
		snprintf(out, SP_ADDR_TEXT, "none");
		return out;
	}
	inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, out, SP_ADDR_TEXT);
	n = strlen(out);
	if (a->scope != 0)
		snprintf(out + n, SP_ADDR_TEXT - n, "%%%u", a->scope);
	return out;
}

const char *
sp_addr_text(const struct sp_addr *a, char out[SP_ADDR_TEXT])
{
	char host[SP_ADDR_TEXT];

	sp_addr_host(a, host);
	if (a->family == 0)
		snprintf(out, SP_ADDR_TEXT, "none");
	else
		snprintf(out, SP_ADDR_TEXT, a->family == 4 ? "%.60s:%u" : "[%.60s]:%u", host, a->port);
	return out;
}

bool
sp_addr_eq_host(const struct sp_addr *a, const struct sp_addr *b)
{
	return a->family == b->family && a->scope == b->scope && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool
sp_addr_eq(const struct sp_addr *a, const struct sp_addr *b)
{
	return sp_addr_eq_host(a, b) && a->port == b->port;
}

struct sp_addr
sp_addr_prefix(const struct sp_addr *a, unsigned bits4, unsigned bits6)
{
	struct sp_addr net = *a;
	unsigned bits = a->family == 4 ? bits4 : bits6;

	net.port = 0;
	for (unsigned i = 0; i < sizeof(net.ip); i++) {
		unsigned keep = bits > 8 * i ? bits - 8 * i : 0;

		if (keep < 8)
			net.ip[i] &= (uint8_t)(0xff00u >> keep);
	}
	return net;
}

socklen_t
sp_addr_to_sockaddr(const struct sp_addr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (a->family == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	in6->sin6_scope_id = a->scope;
	memcpy(&in6->sin6_addr, a->ip, 16);
	return sizeof(*in6);
}

enum sp_status
sp_addr_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct sp_addr *ret_addr)
{
	struct sp_addr a = { 0 };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (len >= sizeof(in) && sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		a.family = 4;
		a.port = ntohs(in.sin_port);
		memcpy(a.ip, &in.sin_addr, 4);
	} else if (len >= sizeof(in6) && sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		a.port = ntohs(in6.sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			a.family = 4;
			memcpy(a.ip, in6.sin6_addr.s6_addr + 12, 4);
		} else {
			a.family = 6;
			a.scope = IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) ? in6.sin6_scope_id : 0;
			memcpy(a.ip, &in6.sin6_addr, 16);
		}
	} else {
		return SP_E_ARGUMENT;
	}
	*ret_addr = a;
	return SP_OK;
}

enum sp_status
sp_addr_local(int fd, struct sp_addr *ret_addr)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return SP_E_SYS;
	return sp_addr_from_sockaddr((const struct sockaddr *)&ss, len, ret_addr);
}
