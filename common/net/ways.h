/*
 * ways.h - what letters to an address have met lately: datagrams that get no answer where TCP does, and TCP that leads
 * nowhere. A table that never grows; what is not in it is tried by datagram first. It sends nothing. One thread.
 */
#ifndef SP_NET_WAYS_H
#define SP_NET_WAYS_H

#include "common/base/limits.h"
#include "common/net/addr.h"

struct sp_way {
	struct sp_addr addr;
	uint64_t until_ms;		/* forgotten then */
	uint64_t try_ms;		/* when a datagram is tried again */
	bool silent;			/* datagrams got no answer, TCP did */
	bool no_tcp;
};

/* Zeroes: nothing is known. */
struct sp_ways {
	struct sp_way ways[SP_WAYS];
	size_t next;			/* whose place a newcomer takes */
};

/* An answer came by datagram. */
void sp_ways_udp(struct sp_ways *w, const struct sp_addr *addr);

/* An answer came by TCP. in_vain: datagrams had been sent and had got none. */
void sp_ways_tcp(struct sp_ways *w, const struct sp_addr *addr, bool in_vain, uint64_t boot_ms);

/* No answer came by TCP. */
void sp_ways_no_tcp(struct sp_ways *w, const struct sp_addr *addr, uint64_t boot_ms);

/* How many datagrams a letter is worth before it goes by TCP: all of them (tries), none, or now and then one. */
unsigned sp_ways_tries(struct sp_ways *w, const struct sp_addr *addr, unsigned tries, uint64_t boot_ms);

/* TCP led nowhere lately. */
bool sp_ways_lacks_tcp(struct sp_ways *w, const struct sp_addr *addr, uint64_t boot_ms);

#endif
