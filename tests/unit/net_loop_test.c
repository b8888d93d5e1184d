/*
 * net_loop_test.c - timers in order, watches, signals, queues from other threads, and objects freed inside callbacks;
 * sd_notify beside.
 */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/net/notify.h"
#include "tests/unit/net_unit.h"

static struct unit_loop u;
static char order[64];

struct mark {
	char letter;
	bool last;
};

static void
on_mark(void *arg)
{
	const struct mark *m = arg;
	size_t n = strlen(order);

	ck_assert_uint_lt(n + 1, sizeof(order));
	order[n] = m->letter;
	order[n + 1] = 0;
	if (m->last)
		sp_loop_stop(u.loop);
}

START_TEST(timers_fire_in_order)
{
	static const struct mark marks[] = { { 'a', false }, { 'b', false }, { 'c', false }, { 'd', false }, { 'e',
	    true } };
	static const uint64_t delays[] = { 0, 10, 10, 40, 60 };
	struct sp_timer *t[5];
	uint64_t began;

	unit_loop_open(&u);
	order[0] = 0;
	for (int i = 4; i >= 0; i--)
		t[i] = sp_timer_new(u.loop, on_mark, (void *)(uintptr_t)&marks[i]);
	began = sp_clock_boot_ms();
	sp_timer_set(t[4], delays[4]);
	sp_timer_set(t[3], 5);
	sp_timer_set(t[1], delays[1]);
	sp_timer_set(t[2], delays[2]);
	sp_timer_set(t[0], delays[0]);
	sp_timer_set(t[3], delays[3]);	/* later than first said */
	ck_assert(sp_timer_is_set(t[3]));
	unit_loop_run(&u);
	ck_assert_str_eq(order, "abcde");
	ck_assert_uint_ge(sp_clock_boot_ms() - began, 60);
	ck_assert(!sp_timer_is_set(t[3]));
	for (size_t i = 0; i < 5; i++)
		sp_timer_free(t[i]);
	unit_loop_close(&u);
}
END_TEST

START_TEST(a_stopped_timer_is_silent)
{
	static const struct mark mark = { 'x', false };
	struct sp_timer *t;

	unit_loop_open(&u);
	order[0] = 0;
	t = sp_timer_new(u.loop, on_mark, (void *)(uintptr_t)&mark);
	sp_timer_set(t, 5);
	sp_timer_stop(t);
	unit_loop_run_ms(&u, 30);
	ck_assert_str_eq(order, "");
	sp_timer_set_at(t, 0);		/* long past: fires at once */
	unit_loop_run_ms(&u, 30);
	ck_assert_str_eq(order, "x");
	sp_timer_set(t, UINT64_MAX);
	unit_loop_run_ms(&u, 10);
	ck_assert_str_eq(order, "x");
	sp_timer_free(t);
	unit_loop_close(&u);
}
END_TEST

/* Many timers against an ordinary sort. */
#define MANY 500
static uint64_t fired[MANY];
static size_t nfired;
static uint64_t dues[MANY];

static void
on_many(void *arg)
{
	fired[nfired++] = *(uint64_t *)arg;
}

START_TEST(many_timers_keep_their_order)
{
	struct sp_timer *t[MANY];
	size_t stopped = 0;
	uint64_t now = sp_clock_boot_ms();

	unit_loop_open(&u);
	nfired = 0;
	srand(7);
	for (size_t i = 0; i < MANY; i++)
		t[i] = sp_timer_new(u.loop, on_many, &dues[i]);
	for (size_t i = 0; i < 4 * MANY; i++) {
		size_t k = (size_t)rand() % MANY;

		dues[k] = now + (uint64_t)(rand() % 40);
		sp_timer_set_at(t[k], dues[k]);
		if (i % 5 == 0)
			sp_timer_stop(t[rand() % MANY]);
	}
	for (size_t i = 0; i < MANY; i++)
		stopped += !sp_timer_is_set(t[i]);
	unit_loop_run_ms(&u, 100);
	ck_assert_uint_eq(nfired, MANY - stopped);
	ck_assert_uint_gt(nfired, MANY / 2);
	/* Those due before the loop ran come in one turn, in order; later ones too. */
	for (size_t i = 1; i < nfired; i++)
		ck_assert_uint_le(fired[i - 1], fired[i]);
	for (size_t i = 0; i < MANY; i++)
		sp_timer_free(t[i]);
	unit_loop_close(&u);
}
END_TEST

static struct sp_timer *self;
static int selves;

static void
on_self(void *arg)
{
	(void)arg;
	if (++selves < 3) {
		sp_timer_set(self, 0);
		return;
	}
	sp_timer_free(self);
	sp_loop_stop(u.loop);
}

START_TEST(a_timer_may_set_and_free_itself)
{
	unit_loop_open(&u);
	selves = 0;
	self = sp_timer_new(u.loop, on_self, NULL);
	sp_timer_set(self, 0);
	unit_loop_run(&u);
	ck_assert_int_eq(selves, 3);
	unit_loop_close(&u);
}
END_TEST

static struct sp_watch *watch;
static unsigned seen;
static int pair[2];

static void
on_ready(void *arg, unsigned ready)
{
	char byte;

	(void)arg;
	seen |= ready;
	if ((ready & SP_READ) != 0) {
		ck_assert_int_eq(read(pair[0], &byte, 1), 1);
		sp_watch_free(watch);
		sp_loop_stop(u.loop);
	} else {
		ck_status(sp_watch_set(watch, SP_READ), SP_OK);
		ck_assert_int_eq(write(pair[1], "x", 1), 1);
	}
}

START_TEST(a_watch_sees_what_it_is_set_to)
{
	unit_loop_open(&u);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	watch = sp_watch_new(u.loop, pair[0], on_ready, NULL);
	seen = 0;
	unit_loop_run_ms(&u, 20);
	ck_assert_uint_eq(seen, 0);
	ck_status(sp_watch_set(watch, SP_WRITE), SP_OK);
	unit_loop_run(&u);
	ck_assert_uint_eq(seen, SP_READ | SP_WRITE);
	close(pair[0]);
	close(pair[1]);
	unit_loop_close(&u);
}
END_TEST

static void
on_signal(void *arg, int number)
{
	*(int *)arg = number;
	sp_loop_stop(u.loop);
}

START_TEST(a_signal_comes_on_the_loop)
{
	int got = 0;

	unit_loop_open(&u);
	ck_status(sp_loop_on_signal(u.loop, SIGUSR1, on_signal, &got), SP_OK);
	kill(getpid(), SIGUSR1);
	unit_loop_run(&u);
	ck_assert_int_eq(got, SIGUSR1);
	unit_loop_close(&u);
}
END_TEST

static struct sp_queue *queue;
static size_t items, stop_at;

static void
on_item(void *arg, void *item)
{
	ck_assert_ptr_eq(arg, &items);
	ck_assert_uint_eq((uintptr_t)item, items + 1);
	if (++items == stop_at) {
		sp_loop_undrain(u.loop, queue);
		sp_loop_stop(u.loop);
	}
}

static void *
push_many(void *arg)
{
	size_t n = *(size_t *)arg;

	for (size_t i = 1; i <= n;)
		if (sp_queue_push(queue, (void *)(uintptr_t)i) == SP_OK)
			i++;
		else
			usleep(100);
	return NULL;
}

START_TEST(a_queue_of_another_thread_is_drained)
{
	size_t n = 1000;
	pthread_t thread;

	unit_loop_open(&u);
	queue = sp_queue_new(100);
	items = 0;
	stop_at = n - 20;
	ck_status(sp_loop_drain(u.loop, queue, on_item, &items), SP_OK);
	ck_assert_int_eq(pthread_create(&thread, NULL, push_many, &n), 0);
	unit_loop_run(&u);
	pthread_join(thread, NULL);
	/* Undrained in its own callback: the rest stays in the queue. */
	ck_assert_uint_eq(items, stop_at);
	unit_loop_run_ms(&u, 20);
	ck_assert_uint_eq(items, stop_at);
	ck_assert_uint_eq(sp_queue_length(queue), 20);
	sp_queue_free(queue);
	unit_loop_close(&u);
}
END_TEST

static void *
stop_later(void *arg)
{
	(void)arg;
	usleep(20000);
	sp_loop_stop(u.loop);
	return NULL;
}

START_TEST(another_thread_may_stop_the_loop)
{
	pthread_t thread;

	unit_loop_open(&u);
	ck_assert_int_eq(pthread_create(&thread, NULL, stop_later, NULL), 0);
	unit_loop_run(&u);
	pthread_join(thread, NULL);
	sp_loop_stop(u.loop);		/* before the run: it ends at once */
	unit_loop_run(&u);
	unit_loop_close(&u);
}
END_TEST

START_TEST(notify_tells_the_service_manager)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char got[64] = "", name[64];

	unsetenv("NOTIFY_SOCKET");
	ck_status(sp_notify("READY=1"), SP_OK);
	for (int abstract = 0; abstract < 2; abstract++) {
		size_t n = (size_t)snprintf(name, sizeof(name), "%cnet_loop_test.%d.sock", abstract ? '@' : '/',
		    (int)getpid());
		char path[128];

		close(fd);
		fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		snprintf(path, sizeof(path), "%s%s", abstract ? "" : "/tmp", name);
		n = strlen(path);
		memcpy(un.sun_path, path, n + 1);
		if (abstract)
			un.sun_path[0] = 0;
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, (socklen_t)(offsetof(struct sockaddr_un,
		    sun_path) + n)), 0);
		setenv("NOTIFY_SOCKET", path, 1);
		ck_status(sp_notify("READY=1"), SP_OK);
		memset(got, 0, sizeof(got));
		ck_assert_int_eq(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 7);
		ck_assert_str_eq(got, "READY=1");
		if (!abstract)
			unlink(path);
	}
	setenv("NOTIFY_SOCKET", "relative", 1);
	ck_status(sp_notify("READY=1"), SP_E_ARGUMENT);
	close(fd);
}
END_TEST

UNIT_MAIN("net/loop", timers_fire_in_order, a_stopped_timer_is_silent, many_timers_keep_their_order,
    a_timer_may_set_and_free_itself, a_watch_sees_what_it_is_set_to, a_signal_comes_on_the_loop,
    a_queue_of_another_thread_is_drained, another_thread_may_stop_the_loop, notify_tells_the_service_manager)
