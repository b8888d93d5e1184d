/*
 * base_queue_test.c - the queue between threads: order, its bound, the descriptor, closing, and many threads at once.
 */
#include "common/base/queue.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>

#include "tests/unit/unit.h"

static bool
readable(const struct sp_queue *q)
{
	struct pollfd p = { .fd = sp_queue_fd(q), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

START_TEST(first_in_first_out_up_to_the_bound)
{
	SP_AUTO(sp_queue) *q = sp_queue_new(3);
	static int item[4];
	void *out[4];

	/* twice around the ring */
	for (int round = 0; round < 4; round++) {
		ck_assert(!readable(q));
		for (int i = 0; i < 3; i++)
			ck_status(sp_queue_push(q, &item[i]), SP_OK);
		ck_status(sp_queue_push(q, &item[3]), SP_E_FULL);
		ck_assert_uint_eq(sp_queue_length(q), 3);
		ck_assert(readable(q));
		ck_assert_uint_eq(sp_queue_pop(q, out, 2), 2);
		ck_assert_ptr_eq(out[0], &item[0]);
		ck_assert_ptr_eq(out[1], &item[1]);
		ck_assert(readable(q));
		ck_status(sp_queue_push(q, &item[3]), SP_OK);
		ck_assert_uint_eq(sp_queue_pop(q, out, 4), 2);
		ck_assert_ptr_eq(out[0], &item[2]);
		ck_assert_ptr_eq(out[1], &item[3]);
		ck_assert(!readable(q));
		ck_assert_uint_eq(sp_queue_pop(q, out, 4), 0);
	}
}
END_TEST

START_TEST(after_closing_what_is_in_comes_out_and_no_more_goes_in)
{
	SP_AUTO(sp_queue) *q = sp_queue_new(3);
	static int item[2];
	void *out[4];

	ck_status(sp_queue_push(q, &item[0]), SP_OK);
	sp_queue_close(q);
	ck_status(sp_queue_push(q, &item[1]), SP_E_CLOSED);
	ck_assert_uint_eq(sp_queue_wait(q, out, 4), 1);
	ck_assert_ptr_eq(out[0], &item[0]);
	ck_assert_uint_eq(sp_queue_wait(q, out, 4), 0);
	sp_queue_free(NULL);
}
END_TEST

static void *
wait_once(void *q)
{
	void *out[1];

	return (void *)(uintptr_t)sp_queue_wait(q, out, 1);
}

START_TEST(closing_wakes_all_who_wait)
{
	SP_AUTO(sp_queue) *q = sp_queue_new(3);
	pthread_t threads[3];
	void *got;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_once, q), 0);
	usleep(20000);
	sp_queue_close(q);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &got);
		ck_assert_ptr_null(got);
	}
}
END_TEST

#define MANY 20000

static struct sp_queue *shared;
static uint8_t seen[2 * MANY];

static void *
produce(void *from)
{
	for (uintptr_t i = (uintptr_t)from; i < (uintptr_t)from + MANY;)
		if (sp_queue_push(shared, (void *)(i + 1)) == SP_OK)
			i++;
		else
			sched_yield();
	return NULL;
}

static void *
consume(void *unused)
{
	void *out[7];
	size_t n;

	while ((n = sp_queue_wait(shared, out, 7)) > 0)
		for (size_t i = 0; i < n; i++)
			__atomic_add_fetch(&seen[(uintptr_t)out[i] - 1], 1, __ATOMIC_RELAXED);
	return unused;
}

START_TEST(every_item_arrives_once)
{
	pthread_t in[2], out[2];

	shared = sp_queue_new(16);
	for (uintptr_t i = 0; i < 2; i++) {
		pthread_create(&out[i], NULL, consume, NULL);
		pthread_create(&in[i], NULL, produce, (void *)(i * MANY));
	}
	for (int i = 0; i < 2; i++)
		pthread_join(in[i], NULL);
	sp_queue_close(shared);
	for (int i = 0; i < 2; i++)
		pthread_join(out[i], NULL);
	for (size_t i = 0; i < 2 * MANY; i++)
		ck_assert_uint_eq(seen[i], 1);
	ck_assert(!readable(shared));
	sp_queue_free(shared);
}
END_TEST

UNIT_MAIN("base/queue", first_in_first_out_up_to_the_bound, after_closing_what_is_in_comes_out_and_no_more_goes_in,
    closing_wakes_all_who_wait, every_item_arrives_once)
