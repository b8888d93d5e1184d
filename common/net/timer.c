/*
 * timer.c - one-shot timers of a loop: a binary heap behind one timerfd on the boot clock, so that a machine
 * that slept finds its deadlines passed when it wakes.
 */
#include "common/net/loop_in.h"

#include <assert.h>
#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>

#include "common/base/clock.h"

#define NOT_SET SIZE_MAX

struct sp_timer {
	struct sp_loop *loop;	/* borrowed */
	sp_timer_fn *fn;
	void *arg;
	uint64_t due_ms;
	uint64_t seq;		/* of its setting: order among equals */
	size_t at;		/* its place in the heap, or NOT_SET */
};

static bool
before(const struct sp_timer *a, const struct sp_timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static void
put(struct sp_loop *loop, struct sp_timer *t, size_t at)
{
	loop->heap[at] = t;
	t->at = at;
}

static void
sift_up(struct sp_loop *loop, struct sp_timer *t, size_t at)
{
	while (at > 0 && before(t, loop->heap[(at - 1) / 2])) {
		put(loop, loop->heap[(at - 1) / 2], at);
		at = (at - 1) / 2;
	}
	put(loop, t, at);
}

static void
sift_down(struct sp_loop *loop, struct sp_timer *t, size_t at)
{
	size_t child;

	while ((child = 2 * at + 1) < loop->nheap) {
		if (child + 1 < loop->nheap && before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!before(loop->heap[child], t))
			break;
		put(loop, loop->heap[child], at);
		at = child;
	}
	put(loop, t, at);
}

static void
take_out(struct sp_timer *t)
{
	struct sp_loop *loop = t->loop;
	size_t at = t->at;
	struct sp_timer *last;

	if (at == NOT_SET)
		return;
	t->at = NOT_SET;
	last = loop->heap[--loop->nheap];
	if (last == t)
		return;
	if (at > 0 && before(last, loop->heap[(at - 1) / 2]))
		sift_up(loop, last, at);
	else
		sift_down(loop, last, at);
}

/* Sees to it that the timerfd fires no later than the earliest timer. Too early is fine: on_due() arms it again, and
 * timers that are moved on at every byte cost no system call. */
static void
arm(struct sp_loop *loop)
{
	uint64_t due = loop->nheap > 0 ? loop->heap[0]->due_ms : 0;
	struct itimerspec when = { 0 };

	if (loop->nheap == 0)
		return;
	if (due == 0)
		due = 1;	/* zero would switch it off */
	if (loop->armed_ms != 0 && loop->armed_ms <= due)
		return;
	when.it_value.tv_sec = (time_t)(due / 1000);
	when.it_value.tv_nsec = (long)(due % 1000) * 1000000;
	if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
		loop->armed_ms = due;
}

static void
on_due(void *arg, unsigned ready)
{
	struct sp_loop *loop = arg;
	uint64_t now = sp_clock_boot_ms(), turn = loop->timer_seq, gone;

	(void)ready;
	if (read(loop->timer_fd, &gone, sizeof(gone)) < 0 && errno != EAGAIN)
		return;
	loop->armed_ms = 0;
	/* What a callback sets anew waits for the next turn, so that timers can't keep the loop to themselves. */
	while (loop->nheap > 0 && loop->heap[0]->due_ms <= now && loop->heap[0]->seq <= turn) {
		struct sp_timer *t = loop->heap[0];

		take_out(t);
		t->fn(t->arg);
	}
	arm(loop);
}

enum sp_status
sp_loop_timers_init(struct sp_loop *loop, struct sp_why *why)
{
	loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->timer_fd < 0)
		return sp_fail_errno(SP_E_SYS, why, "cannot make a timer");
	loop->timer_watch = sp_watch_new(loop, loop->timer_fd, on_due, loop);
	if (loop->timer_watch == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	return sp_watch_set(loop->timer_watch, SP_READ);
}

void
sp_loop_timers_done(struct sp_loop *loop)
{
	assert(loop->ntimers == 0);
	sp_watch_free(loop->timer_watch);
	if (loop->timer_fd >= 0)
		close(loop->timer_fd);
	free(loop->heap);
}

struct sp_timer *
sp_timer_new(struct sp_loop *loop, sp_timer_fn *fn, void *arg)
{
	struct sp_timer *t = calloc(1, sizeof(*t));

	if (t != NULL && loop->ntimers == loop->heap_cap) {
		size_t cap = loop->heap_cap > 0 ? loop->heap_cap * 2 : 16;
		struct sp_timer **heap = reallocarray(loop->heap, cap, sizeof(struct sp_timer *));

		if (heap == NULL) {
			free(t);
			return NULL;
		}
		loop->heap = heap;
		loop->heap_cap = cap;
	}
	if (t == NULL)
		return NULL;
	*t = (struct sp_timer){ .loop = loop, .fn = fn, .arg = arg, .at = NOT_SET };
	loop->ntimers++;
	return t;
}

void
sp_timer_free(struct sp_timer *t)
{
	if (t == NULL)
		return;
	sp_timer_stop(t);
	t->loop->ntimers--;
	free(t);
}

void
sp_timer_set_at(struct sp_timer *t, uint64_t boot_ms)
{
	struct sp_loop *loop = t->loop;

	take_out(t);
	/* Far enough for anybody, and what a timespec holds. */
	t->due_ms = boot_ms < INT64_MAX / 1000000 ? boot_ms : INT64_MAX / 1000000;
	t->seq = ++loop->timer_seq;
	sift_up(loop, t, loop->nheap++);
	arm(loop);
}

void
sp_timer_set(struct sp_timer *t, uint64_t delay_ms)
{
	uint64_t due;

	if (__builtin_add_overflow(sp_clock_boot_ms(), delay_ms, &due))
		due = UINT64_MAX;
	sp_timer_set_at(t, due);
}

void
sp_timer_stop(struct sp_timer *t)
{
	take_out(t);
}

bool
sp_timer_is_set(const struct sp_timer *t)
{
	return t->at != NOT_SET;
}
