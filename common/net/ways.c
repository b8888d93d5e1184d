/*
 * ways.c - the table of addresses that need another way than a datagram, or have no other.
 */
#include "common/net/ways.h"

static struct sp_way *
find(struct sp_ways *w, const struct sp_addr *addr)
{
	for (size_t i = 0; i < SP_WAYS; i++)
		if (w->ways[i].until_ms != 0 && sp_addr_eq(&w->ways[i].addr, addr))
			return &w->ways[i];
	return NULL;
}

/* The place of this address, a new one if need be: what was known before counts no more. */
static void
put(struct sp_ways *w, struct sp_way way)
{
	struct sp_way *at = find(w, &way.addr);

	if (at == NULL) {
		at = &w->ways[w->next];
		w->next = (w->next + 1) % SP_WAYS;
	}
	*at = way;
}

void
sp_ways_udp(struct sp_ways *w, const struct sp_addr *addr)
{
	struct sp_way *at = find(w, addr);

	if (at != NULL)
		at->silent = false;
}

void
sp_ways_tcp(struct sp_ways *w, const struct sp_addr *addr, bool in_vain, uint64_t boot_ms)
{
	struct sp_way *at = find(w, addr);

	if (at != NULL) {
		at->no_tcp = false;
		at->until_ms = boot_ms + SP_WAYS_MS;
	}
	if (in_vain && (at == NULL || !at->silent))
		put(w, (struct sp_way){ .addr = *addr, .until_ms = boot_ms + SP_WAYS_MS, .try_ms = boot_ms + SP_WAYS_TRY_MS,
		    .silent = true });
}

void
sp_ways_no_tcp(struct sp_ways *w, const struct sp_addr *addr, uint64_t boot_ms)
{
	put(w, (struct sp_way){ .addr = *addr, .until_ms = boot_ms + SP_WAYS_MS, .no_tcp = true });
}

unsigned
sp_ways_tries(struct sp_ways *w, const struct sp_addr *addr, unsigned tries, uint64_t boot_ms)
{
	struct sp_way *at = find(w, addr);

	if (at == NULL || !at->silent || at->until_ms <= boot_ms)
		return tries;
	if (at->try_ms > boot_ms)
		return 0;
	at->try_ms = boot_ms + SP_WAYS_TRY_MS;
	return tries < 1 ? tries : 1;
}

bool
sp_ways_lacks_tcp(struct sp_ways *w, const struct sp_addr *addr, uint64_t boot_ms)
{
	const struct sp_way *at = find(w, addr);

	return at != NULL && at->no_tcp && at->until_ms > boot_ms;
}
