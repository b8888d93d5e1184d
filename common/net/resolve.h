/*
 * resolve.h - host names to addresses without blocking a loop: getaddrinfo() in small threads behind a bounded queue.
 */
#ifndef SP_NET_RESOLVE_H
#define SP_NET_RESOLVE_H

#include "common/net/addr.h"
#include "common/net/loop.h"

struct sp_resolver;

/* Starts the threads; callbacks come on this loop. */
SP_MUST_CHECK enum sp_status sp_resolver_new(struct sp_loop *loop, struct sp_resolver **ret_resolver,
    struct sp_why *why);

/* No callback comes any more; look-ups under way end by themselves, nothing waits for them. Before the loop is
 * freed. */
void sp_resolver_free(struct sp_resolver *r);
SP_AUTO_DEFINE(sp_resolver);

/* SP_OK with 1 … SP_RESOLVE_MAX addresses in the system's order, or SP_E_NOTFOUND / SP_E_CONNECT with the
 * reason. addrs is borrowed. */
typedef void sp_resolve_fn(void *arg, enum sp_status st, const struct sp_addr *addrs, size_t n,
    const struct sp_why *why);

/* Looks "host:port" up (sp_hostport_split()); numeric addresses are answered at the next turn. fn is called
 * exactly once, never inside this call, unless cancelled. SP_E_FORMAT / SP_E_RANGE for a bad text, SP_E_FULL
 * beyond the bound: fn is not called then. ret_handle is never 0. */
SP_MUST_CHECK enum sp_status sp_resolve(struct sp_resolver *r, struct sp_span hostport, uint16_t default_port,
    sp_resolve_fn *fn, void *arg, uint64_t *ret_handle);

/* fn of this handle is not called any more. A handle that is done, or 0, is fine. */
void sp_resolve_cancel(struct sp_resolver *r, uint64_t handle);

#endif
