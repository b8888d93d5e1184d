/*
 * linger.c - closing so that the last record arrives: a socket closed with unread bytes resets the connection, and
 * the other side might never read why. So the end is sent, and what still comes is read and dropped, for a short
 * while.
 */
#include <errno.h>
#include <sys/socket.h>

#include "common/base/limits.h"
#include "peerd/data/data_in.h"

struct data_linger {
	LIST_ENTRY(data_linger) list;
	struct data_thread *thread;
	struct data_link link;
	struct sp_timer *timer;		/* owned */
};

static void
drop(struct data_linger *l)
{
	LIST_REMOVE(l, list);
	l->thread->nlingers--;
	sp_timer_free(l->timer);
	data_link_done(&l->link);
	free(l);
}

static void
on_timer(void *arg)
{
	drop(arg);
}

/* False when it is over. */
static bool
step(struct data_linger *l)
{
	ssize_t n = 0;

	if (data_link_flush(&l->link, NULL) != SP_OK)
		return false;
	if (data_link_waiting(&l->link) == 0)
		(void)shutdown(l->link.fd, SHUT_WR);
	n = recv(l->link.fd, l->thread->scratch, SP_SEND_BATCH, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		return false;
	return data_link_want(&l->link, data_link_waiting(&l->link) > 0 ? SP_READ | SP_WRITE : SP_READ) == SP_OK;
}

static void
on_ready(void *arg, unsigned ready)
{
	(void)ready;
	if (!step(arg))
		drop(arg);
}

void
data_linger(struct data_thread *t, struct data_link *take)
{
	struct data_linger *l = t->nlingers < SP_DATA_TRANSFERS ? calloc(1, sizeof(*l)) : NULL;

	if (l == NULL) {
		data_link_done(take);
		return;
	}
	l->thread = t;
	l->link = *take;
	data_link_init(take);
	LIST_INSERT_HEAD(&t->lingers, l, list);
	t->nlingers++;
	sp_watch_free(l->link.watch);
	l->link.watching = 0;
	l->link.watch = sp_watch_new(t->loop, l->link.fd, on_ready, l);
	l->timer = sp_timer_new(t->loop, on_timer, l);
	if (l->link.watch == NULL || l->timer == NULL) {
		drop(l);
		return;
	}
	sp_timer_set(l->timer, SP_DATA_LINGER_MS);
	if (!step(l))
		drop(l);
}

void
data_linger_drop_all(struct data_thread *t)
{
	struct data_linger *l;

	while ((l = LIST_FIRST(&t->lingers)) != NULL)
		drop(l);
}
