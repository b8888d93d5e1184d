/*
 * loop_in.h - what loop.c and timer.c share: the inside of a loop. No other file includes it.
 */
#ifndef SP_NET_LOOP_IN_H
#define SP_NET_LOOP_IN_H

#include <sys/queue.h>

#include "common/net/loop.h"

struct loop_signal;
struct loop_drain;

struct sp_loop {
	struct event_base *base;		/* owned */
	struct sp_watch *stop_watch;		/* owned */
	int stop_fd;				/* owned eventfd */
	LIST_HEAD(, loop_signal) signals;	/* owned */
	LIST_HEAD(, loop_drain) drains;		/* owned */

	/* timer.c */
	int timer_fd;				/* owned timerfd */
	struct sp_watch *timer_watch;		/* owned */
	struct sp_timer **heap;			/* owned; nheap set timers, the earliest first */
	size_t nheap;
	size_t ntimers;				/* that exist: heap has room for all of them */
	size_t heap_cap;
	uint64_t timer_seq;			/* rises with each setting */
	uint64_t armed_ms;			/* what timer_fd is set to, 0 = nothing */
};

SP_MUST_CHECK enum sp_status sp_loop_timers_init(struct sp_loop *loop, struct sp_why *why);
void sp_loop_timers_done(struct sp_loop *loop);

#endif
