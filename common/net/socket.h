/*
 * socket.h - opening sockets, and the one way in which this folder accepts connections. Used inside common/net.
 */
#ifndef SP_NET_SOCKET_H
#define SP_NET_SOCKET_H

#include "common/net/addr.h"
#include "common/net/loop.h"

/* Non-blocking sockets bound to an address, IPv6 ones for IPv6 only. The caller closes ret_fd. */
SP_MUST_CHECK enum sp_status sp_socket_udp(const struct sp_addr *bind_to, int *ret_fd, struct sp_why *why);
SP_MUST_CHECK enum sp_status sp_socket_listen(const struct sp_addr *bind_to, int *ret_fd, struct sp_why *why);

/* Starts to connect, from the host of bind_to unless that is NULL or a wildcard; writable means done, see
 * sp_socket_error(). */
SP_MUST_CHECK enum sp_status sp_socket_dial(const struct sp_addr *to, const struct sp_addr *bind_to, int *ret_fd,
    struct sp_why *why);

/* How a connect ended: SP_OK or SP_E_CONNECT with the reason. */
SP_MUST_CHECK enum sp_status sp_socket_error(int fd, const struct sp_addr *to, struct sp_why *why);

/* A listening socket on a loop. on_accept owns the new non-blocking descriptor; addr has family 0 for a UNIX
 * socket. Rests for a second when the process is out of descriptors. */
typedef void sp_accept_fn(void *arg, int fd, const struct sp_addr *addr);
struct sp_listener;

/* Takes fd_take over, on failure too. NULL when out of memory. */
struct sp_listener *sp_listener_new(struct sp_loop *loop, int fd_take, sp_accept_fn *fn, void *arg);
void sp_listener_free(struct sp_listener *l);
SP_AUTO_DEFINE(sp_listener);

#endif
