/*
 * loop.h - the event loop of one thread: descriptors, one-shot timers on the boot clock, signals, and queues
 * that other threads fill. It wraps one libevent base; nothing outside this folder sees libevent. Everything
 * here belongs to the loop's thread, sp_loop_stop() aside. A callback may free any object but the loop, its own
 * included.
 */
#ifndef SP_NET_LOOP_H
#define SP_NET_LOOP_H

#include "common/base/auto.h"
#include "common/base/queue.h"
#include "common/base/status.h"

#include <stdint.h>

struct sp_loop;

/* SIGPIPE is ignored from the first loop on. */
SP_MUST_CHECK enum sp_status sp_loop_new(struct sp_loop **ret_loop, struct sp_why *why);

/* After all timers, watches and users of the loop are freed; drains and signals end with it. NULL is fine. */
void sp_loop_free(struct sp_loop *loop);
SP_AUTO_DEFINE(sp_loop);

/* Runs callbacks until sp_loop_stop(). May be called again afterwards. */
SP_MUST_CHECK enum sp_status sp_loop_run(struct sp_loop *loop);

/* Makes sp_loop_run() return within a turn, or at once when called before it. Any thread. */
void sp_loop_stop(struct sp_loop *loop);

/* ---- timers ---- */
typedef void sp_timer_fn(void *arg);
struct sp_timer;

/* A timer that is not set. NULL when out of memory; setting it later cannot fail. */
struct sp_timer *sp_timer_new(struct sp_loop *loop, sp_timer_fn *fn, void *arg);
void sp_timer_free(struct sp_timer *t);
SP_AUTO_DEFINE(sp_timer);

/* Fires once after delay_ms (0: at the loop's next turn, never inside this call); replaces what was set. */
void sp_timer_set(struct sp_timer *t, uint64_t delay_ms);

/* Fires once at a time of sp_clock_boot_ms(). */
void sp_timer_set_at(struct sp_timer *t, uint64_t boot_ms);
void sp_timer_stop(struct sp_timer *t);
bool sp_timer_is_set(const struct sp_timer *t);

/* ---- descriptors ---- */
#define SP_READ 1u
#define SP_WRITE 2u
typedef void sp_watch_fn(void *arg, unsigned ready);
struct sp_watch;

/* Calls fn with the SP_READ | SP_WRITE that fd is ready for, as often as it stays so (level-triggered). Watches for
 * nothing until sp_watch_set(). fd stays the caller's and must outlive the watch. NULL when out of memory. */
struct sp_watch *sp_watch_new(struct sp_loop *loop, int fd, sp_watch_fn *fn, void *arg);
void sp_watch_free(struct sp_watch *w);
SP_AUTO_DEFINE(sp_watch);

/* What to watch for; 0 = nothing. SP_E_SYS if the descriptor cannot be watched. */
SP_MUST_CHECK enum sp_status sp_watch_set(struct sp_watch *w, unsigned what);
void sp_watch_stop(struct sp_watch *w);		/* the same with 0 */

/* ---- signals and queues ---- */
typedef void sp_signal_fn(void *arg, int number);

/* Calls fn on the loop for each signal of this number, until the loop is freed. One loop of a process only. */
SP_MUST_CHECK enum sp_status sp_loop_on_signal(struct sp_loop *loop, int number, sp_signal_fn *fn, void *arg);

typedef void sp_drain_fn(void *arg, void *item);

/* Calls fn on the loop for each item that other threads push to q, a bounded number a turn. q is borrowed until
 * sp_loop_undrain() or sp_loop_free(). */
SP_MUST_CHECK enum sp_status sp_loop_drain(struct sp_loop *loop, struct sp_queue *q, sp_drain_fn *fn, void *arg);
void sp_loop_undrain(struct sp_loop *loop, struct sp_queue *q);

#endif
