/*
 * queue.h - the bounded queue between threads: pointers in, pointers out, an eventfd that tells a loop.
 */
#ifndef SP_BASE_QUEUE_H
#define SP_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/auto.h"
#include "common/base/status.h"

struct sp_queue;

/* A queue of at most bound pointers; NULL when out of memory or descriptors. */
struct sp_queue *sp_queue_new(size_t bound);

/* Must be empty or hold pointers that somebody else owns. NULL is fine. */
void sp_queue_free(struct sp_queue *q);
SP_AUTO_DEFINE(sp_queue);

/* Adds an item (never NULL). SP_E_FULL at the bound, SP_E_CLOSED after sp_queue_close(). Any thread. */
SP_MUST_CHECK enum sp_status sp_queue_push(struct sp_queue *q, void *item);

/* Takes up to max items without waiting; returns how many. Any thread. Clears the eventfd when it empties the queue. */
size_t sp_queue_pop(struct sp_queue *q, void **items, size_t max);

/* Waits until there is an item or the queue is closed; 0 means closed and empty. */
size_t sp_queue_wait(struct sp_queue *q, void **items, size_t max);

/* No more items; waiting threads wake. */
void sp_queue_close(struct sp_queue *q);

size_t sp_queue_length(struct sp_queue *q);

/* A descriptor that is readable while the queue is not empty (owned by the queue). */
int sp_queue_fd(const struct sp_queue *q);

#endif
