/*
 * loop.c - one libevent base without locks: watches, signals, drained queues, and an eventfd that ends the run.
 * Timers are in timer.c: libevent's run on the monotonic clock, which stands still while a laptop sleeps.
 */
#include "common/net/loop_in.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "common/base/limits.h"

struct sp_watch {
	struct event *event;	/* owned */
	struct event_base *base;
	int fd;
	unsigned what;
	sp_watch_fn *fn;
	void *arg;
};

struct loop_signal {
	LIST_ENTRY(loop_signal) link;
	struct event *event;	/* owned */
	int number;
	sp_signal_fn *fn;
	void *arg;
};

struct loop_drain {
	LIST_ENTRY(loop_drain) link;
	struct sp_watch *watch;		/* owned */
	struct sp_queue *queue;		/* borrowed */
	sp_drain_fn *fn;
	void *arg;
	bool *gone;			/* set when it is freed while it calls fn */
};

static void
drain_free(struct loop_drain *d)
{
	if (d == NULL)
		return;
	if (d->gone != NULL)
		*d->gone = true;
	sp_watch_free(d->watch);
	free(d);
}

static void
on_stop(void *arg, unsigned ready)
{
	struct sp_loop *loop = arg;
	eventfd_t gone;

	(void)ready;
	eventfd_read(loop->stop_fd, &gone);
	event_base_loopbreak(loop->base);
}

static enum sp_status
loop_open(struct sp_loop *loop, struct sp_why *why)
{
	struct event_config *config = event_config_new();

	if (config == NULL)
		return SP_E_NOMEM;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (loop->base == NULL)
		return sp_fail_errno(SP_E_SYS, why, "cannot make an event loop");
	loop->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->stop_fd < 0)
		return sp_fail_errno(SP_E_SYS, why, "cannot make an eventfd");
	loop->stop_watch = sp_watch_new(loop, loop->stop_fd, on_stop, loop);
	if (loop->stop_watch == NULL)
		return SP_E_NOMEM;
	return sp_watch_set(loop->stop_watch, SP_READ);
}

enum sp_status
sp_loop_new(struct sp_loop **ret_loop, struct sp_why *why)
{
	SP_AUTO(sp_loop) *loop = calloc(1, sizeof(*loop));
	enum sp_status st;

	if (loop == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	loop->stop_fd = loop->timer_fd = -1;
	/* A peer that goes away is a failed write, not the end of the program. */
	signal(SIGPIPE, SIG_IGN);
	if ((st = loop_open(loop, why)) != SP_OK || (st = sp_loop_timers_init(loop, why)) != SP_OK)
		return st;
	*ret_loop = sp_take(&loop);
	return SP_OK;
}

void
sp_loop_free(struct sp_loop *loop)
{
	struct loop_signal *s;
	struct loop_drain *d;

	if (loop == NULL)
		return;
	while ((s = LIST_FIRST(&loop->signals)) != NULL) {
		LIST_REMOVE(s, link);
		event_free(s->event);
		free(s);
	}
	while ((d = LIST_FIRST(&loop->drains)) != NULL) {
		LIST_REMOVE(d, link);
		drain_free(d);
	}
	sp_loop_timers_done(loop);
	sp_watch_free(loop->stop_watch);
	if (loop->stop_fd >= 0)
		close(loop->stop_fd);
	if (loop->base != NULL)
		event_base_free(loop->base);
	free(loop);
}

enum sp_status
sp_loop_run(struct sp_loop *loop)
{
	return event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0 ? SP_E_SYS : SP_OK;
}

void
sp_loop_stop(struct sp_loop *loop)
{
	eventfd_write(loop->stop_fd, 1);
}

/* ---- descriptors ---- */

static void
on_event(evutil_socket_t fd, short events, void *arg)
{
	const struct sp_watch *w = arg;
	unsigned ready = ((events & EV_READ) != 0 ? SP_READ : 0) | ((events & EV_WRITE) != 0 ? SP_WRITE : 0);

	(void)fd;
	w->fn(w->arg, ready);
}

struct sp_watch *
sp_watch_new(struct sp_loop *loop, int fd, sp_watch_fn *fn, void *arg)
{
	struct sp_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	*w = (struct sp_watch){ .base = loop->base, .fd = fd, .fn = fn, .arg = arg };
	w->event = event_new(loop->base, fd, EV_PERSIST, on_event, w);
	if (w->event == NULL) {
		free(w);
		return NULL;
	}
	return w;
}

void
sp_watch_free(struct sp_watch *w)
{
	if (w == NULL)
		return;
	event_free(w->event);
	free(w);
}

enum sp_status
sp_watch_set(struct sp_watch *w, unsigned what)
{
	int events = EV_PERSIST | ((what & SP_READ) != 0 ? EV_READ : 0) | ((what & SP_WRITE) != 0 ? EV_WRITE : 0);

	if (what == w->what)
		return SP_OK;
	w->what = 0;
	if (event_del(w->event) != 0 || event_assign(w->event, w->base, w->fd, (short)events, on_event, w) != 0)
		return SP_E_SYS;
	if (what != 0 && event_add(w->event, NULL) != 0)
		return SP_E_SYS;
	w->what = what;
	return SP_OK;
}

void
sp_watch_stop(struct sp_watch *w)
{
	event_del(w->event);
	w->what = 0;
}

/* ---- signals and queues ---- */

static void
on_signal_event(evutil_socket_t number, short events, void *arg)
{
	const struct loop_signal *s = arg;

	(void)number;
	(void)events;
	s->fn(s->arg, s->number);
}

enum sp_status
sp_loop_on_signal(struct sp_loop *loop, int number, sp_signal_fn *fn, void *arg)
{
	struct loop_signal *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return SP_E_NOMEM;
	*s = (struct loop_signal){ .number = number, .fn = fn, .arg = arg };
	s->event = evsignal_new(loop->base, number, on_signal_event, s);
	if (s->event == NULL || evsignal_add(s->event, NULL) != 0) {
		if (s->event != NULL)
			event_free(s->event);
		free(s);
		return SP_E_SYS;
	}
	LIST_INSERT_HEAD(&loop->signals, s, link);
	return SP_OK;
}

static void
on_queue(void *arg, unsigned ready)
{
	struct loop_drain *d = arg;
	bool gone = false;
	void *item;

	(void)ready;
	assert(d->gone == NULL);	/* the loop is not run from inside a callback */
	d->gone = &gone;
	/* One at a time, so that items are still in the queue if fn ends the draining. */
	for (size_t i = 0; i < SP_LOOP_TURN && sp_queue_pop(d->queue, &item, 1) == 1; i++) {
		d->fn(d->arg, item);
		if (gone)
			return;
	}
	d->gone = NULL;
}

enum sp_status
sp_loop_drain(struct sp_loop *loop, struct sp_queue *q, sp_drain_fn *fn, void *arg)
{
	struct loop_drain *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return SP_E_NOMEM;
	*d = (struct loop_drain){ .queue = q, .fn = fn, .arg = arg };
	d->watch = sp_watch_new(loop, sp_queue_fd(q), on_queue, d);
	if (d->watch == NULL || sp_watch_set(d->watch, SP_READ) != SP_OK) {
		drain_free(d);
		return SP_E_SYS;
	}
	LIST_INSERT_HEAD(&loop->drains, d, link);
	return SP_OK;
}

void
sp_loop_undrain(struct sp_loop *loop, struct sp_queue *q)
{
	struct loop_drain *d;

	LIST_FOREACH(d, &loop->drains, link) {
		if (d->queue == q) {
			LIST_REMOVE(d, link);
			drain_free(d);
			return;
		}
	}
}
