/*
 * addr.h - an IPv4 or IPv6 address with a port, as a value: parse, print, compare, cut to its network.
 * No name is resolved here (resolve.h does that).
 */
#ifndef SP_NET_ADDR_H
#define SP_NET_ADDR_H

#include <sys/socket.h>

#include "common/base/limits.h"
#include "common/base/span.h"
#include "common/base/status.h"

/* One form only: IPv4-mapped IPv6 becomes IPv4, unused bytes are zero. Zeroes are "no address". */
struct sp_addr {
	uint8_t family;		/* 4, 6, or 0 = none */
	uint8_t ip[16];		/* network order; IPv4 in the first 4 */
	uint16_t port;		/* host order */
	uint32_t scope;		/* interface of a link-local IPv6 address, else 0 */
};

#define SP_ADDR_TEXT 72		/* "[v6%scope]:port" with its end */

/* "1.2.3.4:7325", "[::1]:7325", and without a port "1.2.3.4", "::1", "[::1]" (default_port then; 0 = a port is
 * required). Numeric only: SP_E_FORMAT otherwise, names included. */
SP_MUST_CHECK enum sp_status sp_addr_parse(struct sp_span text, uint16_t default_port, struct sp_addr *ret_addr);

/* "host:port" split without looking at what host is: a name of at most SP_HOST_MAX safe characters, or a numeric
 * address (brackets taken off). The same rule for a missing port. SP_E_FORMAT / SP_E_RANGE otherwise. */
SP_MUST_CHECK enum sp_status sp_hostport_split(struct sp_span text, uint16_t default_port,
    char ret_host[SP_HOST_MAX + 1],
    uint16_t *ret_port);

/* The reverse: "host:port", brackets around an IPv6 address. host is at most SP_HOST_MAX bytes. */
#define SP_HOSTPORT_TEXT (SP_HOST_MAX + 10)
const char *sp_hostport_text(struct sp_span host, uint16_t port, char out[SP_HOSTPORT_TEXT]);

/* The text that sp_addr_parse() reads, into out[SP_ADDR_TEXT]; returns out. "none" for no address. */
const char *sp_addr_text(const struct sp_addr *a, char out[SP_ADDR_TEXT]);

/* The address without its port into out[SP_ADDR_TEXT]: "1.2.3.4", "::1". */
const char *sp_addr_host(const struct sp_addr *a, char out[SP_ADDR_TEXT]);

bool sp_addr_eq(const struct sp_addr *a, const struct sp_addr *b);		/* port included */
bool sp_addr_eq_host(const struct sp_addr *a, const struct sp_addr *b);		/* port aside */

/* The network it lies in: the first bits4 or bits6 bits, port 0. What one holder of addresses can vary is bits6
 * = 64. */
struct sp_addr sp_addr_prefix(const struct sp_addr *a, unsigned bits4, unsigned bits6);

/* To and from what the system calls take. from: SP_E_ARGUMENT for any other family. */
socklen_t sp_addr_to_sockaddr(const struct sp_addr *a, struct sockaddr_storage *out);
SP_MUST_CHECK enum sp_status sp_addr_from_sockaddr(const struct sockaddr *sa, socklen_t len,
    struct sp_addr *ret_addr);

/* The local address of a bound socket. */
SP_MUST_CHECK enum sp_status sp_addr_local(int fd, struct sp_addr *ret_addr);

#endif
