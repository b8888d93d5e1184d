/*
 * pace.c - a bucket as one number: the time by which all that was charged is worked off at its rate. Lock-free, since data
 * threads share the buckets of all transfers and of one peer.
 */
#include "peerd/data/pace.h"

#include "common/base/limits.h"

#define SECOND 1000000000ull

uint64_t
pace_charge(struct pace *p, uint64_t now_ns, size_t n)
{
	uint64_t before, from, until, cost;

	if (p->rate == 0)
		return 0;
	/* n is a turn: the product fits */
	cost = (uint64_t)n * SECOND / p->rate;
	before = atomic_load(&p->paid_ns);
	do {
		from = before > now_ns - SP_PACE_SAVED_NS || now_ns < SP_PACE_SAVED_NS ? before : now_ns - SP_PACE_SAVED_NS;
		until = from + cost;
	} while (!atomic_compare_exchange_weak(&p->paid_ns, &before, until));
	return until;
}

size_t
pace_turn(const struct pace *p, size_t most)
{
	uint64_t n = p->rate / SP_PACE_TURNS;

	if (p->rate == 0 || n >= most)
		return most;
	return n > SP_RECORD_DATA_MIN ? (size_t)n : SP_RECORD_DATA_MIN;
}
