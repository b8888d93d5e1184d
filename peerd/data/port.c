/*
 * port.c - opening a data port.
 */
#include "peerd/data/port.h"

#include "common/base/auto.h"
#include "common/crypto/rand.h"
#include "common/net/socket.h"

static enum sp_status
open_one(const struct sp_addr *bind, uint16_t port, int ret_fds[2], struct sp_why *why)
{
	struct sp_addr v4 = { .family = 4, .port = port }, v6 = { .family = 6, .port = port }, one = *bind;
	enum sp_status st;

	ret_fds[0] = ret_fds[1] = -1;
	one.port = port;
	st = sp_socket_listen(bind->family != 0 ? &one : &v4, &ret_fds[0], why);
	if (st != SP_OK || bind->family != 0)
		return st;
	/* Without IPv6 in the kernel, IPv4 alone will do; a port that only others use there will not. */
	if (sp_socket_listen(&v6, &ret_fds[1], NULL) == SP_E_EXISTS) {
		close(sp_take_fd(&ret_fds[0]));
		return sp_fail(SP_E_EXISTS, why, "the port is in use");
	}
	return SP_OK;
}

enum sp_status
data_port_open(const struct sp_addr *bind, uint16_t first, uint16_t last, int ret_fds[2], uint16_t *ret_port,
    struct sp_why *why)
{
	unsigned count = (unsigned)(last - first) + 1, start = (unsigned)sp_random_below(count);
	enum sp_status st;

	for (unsigned i = 0; i < count; i++) {
		uint16_t port = (uint16_t)(first + (start + i) % count);

		st = open_one(bind, port, ret_fds, why);
		if (st == SP_OK)
			*ret_port = port;
		if (st != SP_E_EXISTS)
			return st;
	}
	return sp_fail(SP_E_BUSY, why, "every data port from %u to %u is in use", (unsigned)first, (unsigned)last);
}
