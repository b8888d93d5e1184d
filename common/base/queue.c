/*
 * queue.c - a ring of pointers behind a mutex; the eventfd is readable exactly while there is something in it.
 */
#include "common/base/queue.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>

struct sp_queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	void **ring;		/* owned, bound slots */
	size_t bound, first, count;
	bool closed;
	int fd;
};

struct sp_queue *
sp_queue_new(size_t bound)
{
	struct sp_queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->bound = bound;
	q->ring = calloc(bound, sizeof(*q->ring));
	q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
	if (q->ring == NULL || q->fd < 0) {
		sp_queue_free(q);
		return NULL;
	}
	return q;
}

void
sp_queue_free(struct sp_queue *q)
{
	if (q == NULL)
		return;
	if (q->fd >= 0)
		close(q->fd);
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
	free(q->ring);
	free(q);
}

enum sp_status
sp_queue_push(struct sp_queue *q, void *item)
{
	enum sp_status st = SP_OK;

	pthread_mutex_lock(&q->lock);
	if (q->closed) {
		st = SP_E_CLOSED;
	} else if (q->count == q->bound) {
		st = SP_E_FULL;
	} else {
		q->ring[(q->first + q->count++) % q->bound] = item;
		if (q->count == 1)
			eventfd_write(q->fd, 1);
		pthread_cond_signal(&q->filled);
	}
	pthread_mutex_unlock(&q->lock);
	return st;
}

/* Under the lock. */
static size_t
take(struct sp_queue *q, void **items, size_t max)
{
	size_t n = q->count < max ? q->count : max;

	for (size_t i = 0; i < n; i++)
		items[i] = q->ring[(q->first + i) % q->bound];
	q->first = (q->first + n) % q->bound;
	q->count -= n;
	if (n > 0 && q->count == 0) {
		eventfd_t gone;

		eventfd_read(q->fd, &gone);
	}
	return n;
}

size_t
sp_queue_pop(struct sp_queue *q, void **items, size_t max)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = take(q, items, max);
	pthread_mutex_unlock(&q->lock);
	return n;
}

size_t
sp_queue_wait(struct sp_queue *q, void **items, size_t max)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	while (q->count == 0 && !q->closed)
		pthread_cond_wait(&q->filled, &q->lock);
	n = take(q, items, max);
	pthread_mutex_unlock(&q->lock);
	return n;
}

void
sp_queue_close(struct sp_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

size_t
sp_queue_length(struct sp_queue *q)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = q->count;
	pthread_mutex_unlock(&q->lock);
	return n;
}

int
sp_queue_fd(const struct sp_queue *q)
{
	return q->fd;
}
