/*
 * resolve.c - getaddrinfo() in two detached threads. They share with the resolver only what is counted by
 * reference, so that a look-up that hangs keeps nobody from ending.
 */
#include "common/net/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/queue.h>

/* A look-up under way: it belongs to the thread while it is in todo, to the loop while it is in done. */
struct lookup {
	LIST_ENTRY(lookup) link;	/* loop thread only */
	uint64_t handle;
	char host[SP_HOST_MAX + 1];
	uint16_t port;
	sp_resolve_fn *fn;		/* NULL: cancelled; loop thread only */
	void *arg;
	enum sp_status status;
	struct sp_why why;
	struct sp_addr addrs[SP_RESOLVE_MAX];
	size_t naddrs;
};

/* What threads and resolver share; freed by the last of them. */
struct shared {
	atomic_uint refs;
	atomic_bool over;	/* nobody waits any more: what is queued is dropped */
	struct sp_queue *todo;	/* owned */
	struct sp_queue *done;	/* owned; as large as all look-ups together, so never full */
};

struct sp_resolver {
	struct sp_loop *loop;			/* borrowed */
	struct shared *shared;			/* counted */
	LIST_HEAD(, lookup) lookups;		/* all that are not answered yet */
	size_t nlookups;
	uint64_t last_handle;
};

static void
shared_unref(struct shared *sh)
{
	void *item;

	if (sh == NULL || atomic_fetch_sub(&sh->refs, 1) != 1)
		return;
	/* Nobody is left to answer to. */
	while (sh->todo != NULL && sp_queue_pop(sh->todo, &item, 1) == 1)
		free(item);
	while (sh->done != NULL && sp_queue_pop(sh->done, &item, 1) == 1)
		free(item);
	sp_queue_free(sh->todo);
	sp_queue_free(sh->done);
	free(sh);
}

static void
look_up(struct lookup *l)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", l->port);
	error = getaddrinfo(l->host, port, &hints, &list);
	if (error != 0) {
		l->status = sp_fail(error == EAI_NONAME ? SP_E_NOTFOUND : SP_E_CONNECT, &l->why,
		    "cannot find the host %s: %s",
		    l->host, gai_strerror(error));
		return;
	}
	for (const struct addrinfo *a = list; a != NULL && l->naddrs < SP_RESOLVE_MAX; a = a->ai_next)
		if (sp_addr_from_sockaddr(a->ai_addr, a->ai_addrlen, &l->addrs[l->naddrs]) == SP_OK)
			l->naddrs++;
	freeaddrinfo(list);
	l->status = l->naddrs > 0 ? SP_OK :
	    sp_fail(SP_E_NOTFOUND, &l->why, "the host %s has no address", l->host);
}

static void *
resolver_thread(void *arg)
{
	struct shared *sh = arg;
	void *item;

	while (sp_queue_wait(sh->todo, &item, 1) == 1) {
		if (!atomic_load(&sh->over))
			look_up(item);
		if (sp_queue_push(sh->done, item) != SP_OK)
			free(item);
	}
	shared_unref(sh);
	return NULL;
}

static void
on_done(void *arg, void *item)
{
	struct sp_resolver *r = arg;
	struct lookup *l = item;

	LIST_REMOVE(l, link);
	r->nlookups--;
	/* fn may free the resolver: nothing of it is used afterwards. */
	if (l->fn != NULL)
		l->fn(l->arg, l->status, l->addrs, l->naddrs, &l->why);
	free(l);
}

static enum sp_status
start_threads(struct shared *sh, struct sp_why *why)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error = 0;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (size_t i = 0; i < SP_RESOLVE_THREADS && error == 0; i++) {
		atomic_fetch_add(&sh->refs, 1);
		error = pthread_create(&thread, &attr, resolver_thread, sh);
		if (error != 0)
			atomic_fetch_sub(&sh->refs, 1);
	}
	pthread_attr_destroy(&attr);
	return error == 0 ? SP_OK : sp_fail(SP_E_SYS, why, "cannot start a thread");
}

enum sp_status
sp_resolver_new(struct sp_loop *loop, struct sp_resolver **ret_resolver, struct sp_why *why)
{
	SP_AUTO(sp_resolver) *r = calloc(1, sizeof(*r));
	enum sp_status st;

	if (r == NULL || (r->shared = calloc(1, sizeof(*r->shared))) == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	r->loop = loop;
	atomic_init(&r->shared->refs, 1);
	r->shared->todo = sp_queue_new(SP_RESOLVE_QUEUE);
	r->shared->done = sp_queue_new(SP_RESOLVE_QUEUE);
	if (r->shared->todo == NULL || r->shared->done == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	if ((st = sp_loop_drain(loop, r->shared->done, on_done, r)) != SP_OK || (st = start_threads(r->shared,
	    why)) != SP_OK)
		return st;
	*ret_resolver = sp_take(&r);
	return SP_OK;
}

void
sp_resolver_free(struct sp_resolver *r)
{
	if (r == NULL)
		return;
	if (r->shared != NULL && r->shared->done != NULL) {
		sp_loop_undrain(r->loop, r->shared->done);
		atomic_store(&r->shared->over, true);
		if (r->shared->todo != NULL)
			sp_queue_close(r->shared->todo);
		sp_queue_close(r->shared->done);
	}
	shared_unref(r->shared);
	free(r);
}

enum sp_status
sp_resolve(struct sp_resolver *r, struct sp_span hostport, uint16_t default_port, sp_resolve_fn *fn, void *arg,
    uint64_t *ret_handle)
{
	SP_AUTO_MEM struct lookup *l = calloc(1, sizeof(*l));
	struct sp_queue *q = r->shared->todo;
	enum sp_status st;

	if (l == NULL)
		return SP_E_NOMEM;
	if ((st = sp_hostport_split(hostport, default_port, l->host, &l->port)) != SP_OK)
		return st;
	if (r->nlookups >= SP_RESOLVE_QUEUE)
		return SP_E_FULL;
	l->handle = ++r->last_handle;
	l->fn = fn;
	l->arg = arg;
	if (sp_addr_parse(hostport, default_port, &l->addrs[0]) == SP_OK) {
		l->naddrs = 1;
		q = r->shared->done;
	}
	/* The thread may be done with it before the push returns, but only the loop takes it out of the list. */
	LIST_INSERT_HEAD(&r->lookups, l, link);
	if ((st = sp_queue_push(q, l)) != SP_OK) {
		LIST_REMOVE(l, link);
		return st;
	}
	r->nlookups++;
	*ret_handle = l->handle;
	l = NULL;
	return SP_OK;
}

void
sp_resolve_cancel(struct sp_resolver *r, uint64_t handle)
{
	struct lookup *l;

	LIST_FOREACH(l, &r->lookups, link)
		if (l->handle == handle)
			l->fn = NULL;
}
