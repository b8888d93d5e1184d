/*
 * host.c - checks the texts of hosts and services.
 */
#include "common/statements/host.h"

#include <arpa/inet.h>

#include "common/base/limits.h"

static bool
is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
sp_host_is_v6(struct sp_span text)
{
	char copy[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (text.n == 0 || text.n >= sizeof(copy) || memchr(text.p, 0, text.n) != NULL)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	/* an IPv4 address has one text: its own */
	return inet_pton(AF_INET6, copy, &addr) == 1 && !IN6_IS_ADDR_V4MAPPED(&addr) &&
	    inet_ntop(AF_INET6, &addr, again, sizeof(again)) != NULL && strcmp(copy, again) == 0;
}

bool
sp_host_ok(struct sp_span text)
{
	if (text.n == 0 || text.n > SP_HOST_MAX)
		return false;
	if (memchr(text.p, ':', text.n) != NULL)
		return sp_host_is_v6(text);
	for (size_t i = 0; i < text.n; i++) {
		bool edge = i == 0 || i + 1 == text.n || text.p[i - 1] == '.' || text.p[i + 1] == '.';

		if (!is_alnum(text.p[i]) && (edge || (text.p[i] != '-' && text.p[i] != '.')))
			return false;
	}
	return true;
}

bool
sp_service_name_ok(struct sp_span text)
{
	if (text.n == 0 || text.n > SP_SERVICE_MAX || !is_alnum(text.p[0]))
		return false;
	for (size_t i = 1; i < text.n; i++)
		if (!is_alnum(text.p[i]) && text.p[i] != '.' && text.p[i] != '_' && text.p[i] != '-')
			return false;
	return true;
}
