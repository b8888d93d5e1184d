/*
 * pool.c - the data channel as the main loop sees it: a table of the transfers under way, which thread has each, and
 * the ports that are open for them. No socket is read here.
 *
 * The table is what bounds the queues: a transfer keeps its row until its last news was taken, so a thread can never
 * have more to say than there is room for.
 */
#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/limits.h"
#include "peerd/data/data_in.h"
#include "peerd/data/port.h"
#include "peerd/data/syncer.h"
#include "peerd/data/walker.h"

_Static_assert(SP_DATA_THREADS <= SP_DATA_PORTS_OPEN, "each thread has at most one port");

/* A station that transfers are under way with: its share of the rates. */
struct sharer {
	LIST_ENTRY(sharer) list;
	unsigned users;			/* transfers */
	struct pace send, receive;
	char name[];
};

struct active {
	bool used;
	bool sending;
	bool aborted;
	bool needs_port;
	struct sp_id id;
	uint64_t generation, serial;
	struct data_thread *thread;	/* borrowed */
	struct sharer *sharer;		/* a use of it; NULL = nobody's */
	uint64_t packet, left;		/* receiving: bytes of the tar, and those still to come */
};

struct data_pool {
	struct sp_loop *loop;		/* borrowed */
	data_happening_fn *fn;
	void *arg;
	struct sp_addr bind;		/* family 0 = all addresses */
	uint16_t port_first, port_last;
	struct sp_queue *news;		/* owned */
	bool drains;
	atomic_ullong refused;
	struct sp_worker *walkers;	/* owned */
	struct data_syncer *syncer;	/* owned */
	struct data_thread threads[SP_DATA_THREADS];
	unsigned nthreads;		/* started or not, to be ended */
	uint64_t serials;
	unsigned count, most;		/* transfers under way, and how many can be */
	struct pace send, receive;	/* of all; the data threads charge them */
	uint64_t peer_send, peer_receive;	/* rates of one */
	LIST_HEAD(, sharer) sharers;	/* owned */
	struct active table[SP_DATA_TRANSFERS];
};

/* ---- the table ---- */

static void
release_port(struct active *a)
{
	struct data_thread *t = a->thread;
	struct data_order *o;

	if (!a->needs_port)
		return;
	a->needs_port = false;
	if (--t->port_users > 0)
		return;
	t->port = 0;
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		abort();
	o->what = ORDER_UNLISTEN;
	if (sp_queue_push(t->in, o) != SP_OK)
		abort();	/* cannot be: DATA_ORDERS */
}

static void
release(struct data_pool *p, struct active *a)
{
	release_port(a);
	if (a->sharer != NULL && --a->sharer->users == 0) {
		LIST_REMOVE(a->sharer, list);
		free(a->sharer);
	}
	a->thread->load--;
	a->used = false;
	p->count--;
}

/* Without memory for it the peer has no rate of its own. */
static struct sharer *
share(struct data_pool *p, const char *name)
{
	struct sharer *s;

	if (name == NULL || (p->peer_send == 0 && p->peer_receive == 0))
		return NULL;
	LIST_FOREACH(s, &p->sharers, list)
		if (strcmp(s->name, name) == 0)
			break;
	if (s == NULL && (s = calloc(1, sizeof(*s) + strlen(name) + 1)) != NULL) {
		strcpy(s->name, name);
		s->send.rate = p->peer_send;
		s->receive.rate = p->peer_receive;
		LIST_INSERT_HEAD(&p->sharers, s, list);
	}
	if (s != NULL)
		s->users++;
	return s;
}

/* What others that are being received have still to get. */
static uint64_t
promised(const struct data_pool *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SP_DATA_TRANSFERS; i++)
		if (p->table[i].used && !p->table[i].sending && __builtin_add_overflow(sum, p->table[i].left, &sum))
			return UINT64_MAX;
	return sum;
}

static void
on_news(void *arg, void *item)
{
	struct data_pool *p = arg;
	struct data_news *n = item;
	struct active *a = &p->table[n->slot];

	assert(a->used && a->serial == n->serial);
	if (n->h.what == DATA_CONNECTED)
		release_port(a);
	else if (n->h.what == DATA_FINISHED || n->h.what == DATA_BROKEN)
		release(p, a);
	else if (!a->sending)
		a->left = a->packet > n->h.bytes ? a->packet - n->h.bytes : 0;
	p->fn(p->arg, &n->h);
	data_news_free(n);
}

/* The thread with the least to do; but an older attempt of the same transfer must be over before the new one
 * begins, so that goes to the same thread, behind it. */
static struct data_thread *
choose_thread(struct data_pool *p, const struct sp_id *id)
{
	struct data_thread *best = &p->threads[0];

	for (size_t i = 0; i < SP_DATA_TRANSFERS; i++)
		if (p->table[i].used && sp_id_eq(&p->table[i].id, id))
			return p->table[i].thread;
	for (unsigned i = 1; i < p->nthreads; i++)
		if (p->threads[i].load < best->load)
			best = &p->threads[i];
	return best;
}

static struct active *
enter(struct data_pool *p, const struct sp_id *id, uint64_t generation, bool sending, const char *peer)
{
	struct data_thread *t = choose_thread(p, id);

	for (size_t i = 0; i < SP_DATA_TRANSFERS && p->count < p->most; i++) {
		struct active *a = &p->table[i];

		if (a->used)
			continue;
		*a = (struct active){ .used = true, .sending = sending, .id = *id, .generation = generation,
			.serial = ++p->serials, .thread = t,
			.sharer = share(p, peer) };
		t->load++;
		p->count++;
		return a;
	}
	return NULL;
}

static struct data_order *
order_new(struct data_pool *p, const struct active *a, enum data_order_what what)
{
	struct data_order *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->what = what;
	o->serial = a->serial;
	o->slot = (uint32_t)(a - p->table);
	o->fds[0] = o->fds[1] = -1;
	o->paces[0] = a->sending ? &p->send : &p->receive;
	if (a->sharer != NULL)
		o->paces[1] = a->sending ? &a->sharer->send : &a->sharer->receive;
	return o;
}

static enum sp_status
give(struct active *a, struct data_order *take)
{
	enum sp_status st = take != NULL ? sp_queue_push(a->thread->in, take) : SP_E_NOMEM;

	if (st != SP_OK)
		data_order_free(take);
	return st;
}

/* ---- orders ---- */

enum sp_status
data_walk(struct data_pool *p, const struct sp_id *transfer, uint64_t generation, const char *const *paths,
    size_t count, const struct sp_manifest_head *head, const char *folder)
{
	return data_walker_submit(p->walkers, p->fn, p->arg, transfer, generation, paths, count, head, folder);
}

enum sp_status
data_send(struct data_pool *p, const struct data_send_order *order)
{
	struct active *a = enter(p, &order->transfer, order->generation, true, order->peer);
	struct data_order *o = a != NULL ? order_new(p, a, ORDER_SEND) : NULL;
	enum sp_status st;

	if (o == NULL) {
		source_free(order->source);
		if (a != NULL)
			release(p, a);
		return a != NULL ? SP_E_NOMEM : SP_E_FULL;
	}
	o->send = *order;
	o->send.peer = NULL;
	if (order->folder != NULL && (o->send.folder = strdup(order->folder)) == NULL)
		o->send.held = 0;	/* it is only that nothing is kept of this connection */
	if ((st = give(a, o)) != SP_OK)
		release(p, a);
	return st;
}

/* The thread's port, opened if it has none. */
static enum sp_status
hold_port(struct data_pool *p, struct active *a, struct sp_why *why)
{
	struct data_thread *t = a->thread;
	struct data_order *o;
	uint16_t port = 0;
	enum sp_status st;

	if (t->port == 0) {
		o = order_new(p, a, ORDER_LISTEN);
		if (o == NULL)
			return SP_E_NOMEM;
		st = data_port_open(&p->bind, p->port_first, p->port_last, o->fds, &port, why);
		if (st != SP_OK) {
			data_order_free(o);
			return st;
		}
		if ((st = give(a, o)) != SP_OK)
			return st;
		t->port = port;
	}
	t->port_users++;
	a->needs_port = true;
	return SP_OK;
}

enum sp_status
data_reserve(struct data_pool *p, const struct data_receive_order *order, uint16_t *ret_port, struct sp_why *why)
{
	uint64_t others = promised(p);
	char peer[SP_NAME_TEXT];
	struct active *a = enter(p, &order->transfer, order->generation, false, sp_name_text(&order->sender.name, peer));
	struct data_order *o;
	enum sp_status st;

	if (a == NULL)
		return sp_fail(SP_E_FULL, why, "as many transfers as this station can have are under way");
	a->packet = a->left = order->packet;
	if ((st = hold_port(p, a, why)) != SP_OK) {
		release(p, a);
		return st;
	}
	*ret_port = a->thread->port;
	o = order_new(p, a, ORDER_RESERVE);
	if (o != NULL) {
		o->receive = *order;
		o->promised = others;
		o->receive.received = strdup(order->received);
		if (o->receive.received == NULL)
			data_order_free(sp_take(&o));
	}
	if ((st = give(a, o)) != SP_OK)
		release(p, a);
	return st;
}

/* The receiving of this order, NULL if it is over. */
static struct active *
receiving(struct data_pool *p, const struct sp_id *transfer, uint64_t generation)
{
	for (size_t i = 0; i < SP_DATA_TRANSFERS; i++) {
		struct active *a = &p->table[i];

		if (a->used && !a->sending && a->generation == generation && sp_id_eq(&a->id, transfer))
			return a;
	}
	return NULL;
}

enum sp_status
data_start(struct data_pool *p, const struct sp_id *transfer, uint64_t generation, const struct sp_hash *accept)
{
	struct active *a = receiving(p, transfer, generation);
	struct data_order *o = a != NULL ? order_new(p, a, ORDER_START) : NULL;

	if (a == NULL)
		return SP_E_NOTFOUND;
	if (o != NULL)
		o->accept = *accept;
	return give(a, o);
}

enum sp_status
data_release(struct data_pool *p, const struct sp_id *transfer, uint64_t generation)
{
	struct active *a = receiving(p, transfer, generation);

	return a != NULL ? give(a, order_new(p, a, ORDER_RELEASE)) : SP_E_NOTFOUND;
}

void
data_abort(struct data_pool *p, const struct sp_id *transfer, bool sending, enum sp_status reason)
{
	for (size_t i = 0; i < SP_DATA_TRANSFERS; i++) {
		struct active *a = &p->table[i];
		struct data_order *o;

		if (!a->used || a->aborted || a->sending != sending || !sp_id_eq(&a->id, transfer))
			continue;
		o = order_new(p, a, ORDER_ABORT);
		if (o != NULL)
			o->reason = reason;
		a->aborted = give(a, o) == SP_OK;
	}
}

bool
data_pool_is_full(const struct data_pool *p)
{
	return p->count >= p->most;
}

unsigned
data_pool_most(const struct data_pool *p)
{
	return p->most;
}

uint64_t
data_pool_refused(const struct data_pool *p)
{
	return atomic_load(&p->refused);
}

/* ---- the pool ---- */

static unsigned
cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* As many transfers as there are descriptors for, of all that this process may have. */
static unsigned
most_transfers(unsigned set)
{
	unsigned most = set == 0 || set > SP_DATA_TRANSFERS ? SP_DATA_TRANSFERS : set;
	struct rlimit fds;
	rlim_t room;

	if (getrlimit(RLIMIT_NOFILE, &fds) != 0)
		return most;
	fds.rlim_cur = fds.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &fds) != 0 && getrlimit(RLIMIT_NOFILE, &fds) != 0)
		return most;
	room = fds.rlim_cur > SP_FDS_OWN ? (fds.rlim_cur - SP_FDS_OWN) / SP_FDS_TRANSFER : 0;
	if (room == 0)
		return 1;	/* it may go well, and is tried again where it does not */
	return room < most ? (unsigned)room : most;
}

static enum sp_status
check_settings(struct data_settings *s, struct sp_addr *ret_bind, struct sp_why *why)
{
	*ret_bind = (struct sp_addr){ 0 };
	if (s->chunk == 0)
		s->chunk = SP_RECORD_DATA;
	if (s->idle_ms == 0)
		s->idle_ms = SP_DATA_IDLE_MS;
	if (s->port_first == 0 && s->port_last == 0) {
		s->port_first = SP_DATA_PORT_FIRST;
		s->port_last = SP_DATA_PORT_LAST;
	}
	if (s->threads == 0)
		s->threads = cores();
	if (s->threads > SP_DATA_THREADS)
		s->threads = SP_DATA_THREADS;
	if (s->chunk < SP_RECORD_DATA_MIN || s->chunk > SP_RECORD_DATA)
		return sp_fail(SP_E_CONFIG, why, "a data record of %zu bytes: %d to %d are possible", s->chunk,
		    SP_RECORD_DATA_MIN, SP_RECORD_DATA);
	if (s->port_first == 0 || s->port_first > s->port_last)
		return sp_fail(SP_E_CONFIG, why, "the range of data ports is empty");
	if (s->bind != NULL && s->bind[0] != 0 && sp_addr_parse(sp_span_str(s->bind), 1, ret_bind) != SP_OK)
		return sp_fail(SP_E_CONFIG, why, "%.100s is not an address", s->bind);
	return SP_OK;
}

static enum sp_status
pool_open(struct data_pool *p, const struct data_settings *settings, struct sp_why *why)
{
	enum sp_status st;

	if ((p->news = sp_queue_new(DATA_NEWS)) == NULL)
		return sp_fail(SP_E_NOMEM, why, "no memory or descriptors for the data threads");
	if ((st = sp_loop_drain(p->loop, p->news, on_news, p)) != SP_OK)
		return st;
	p->drains = true;
	if ((st = sp_worker_new(p->loop, SP_DATA_WALKERS, SP_DATA_WALKS, &p->walkers, why)) != SP_OK)
		return st;
	if ((st = data_syncer_new(&p->syncer, why)) != SP_OK)
		return st;
	while (p->nthreads < settings->threads) {
		struct data_thread *t = &p->threads[p->nthreads++];

		t->bind = p->bind;
		if ((st = data_thread_init(t, settings, p->news, &p->refused, p->syncer, why)) != SP_OK ||
		    (st = data_thread_start(t, why)) != SP_OK)
			return st;
	}
	return SP_OK;
}

enum sp_status
data_pool_new(struct sp_loop *loop, const struct data_settings *settings, data_happening_fn *fn, void *arg,
    struct data_pool **ret_pool, struct sp_why *why)
{
	SP_AUTO(data_pool) *p = calloc(1, sizeof(*p));
	struct data_settings full = *settings;
	enum sp_status st;

	if (p == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	p->loop = loop;
	p->fn = fn;
	p->arg = arg;
	if ((st = check_settings(&full, &p->bind, why)) != SP_OK)
		return st;
	p->port_first = full.port_first;
	p->port_last = full.port_last;
	p->most = most_transfers(full.transfers);
	p->send.rate = full.send.all;
	p->receive.rate = full.receive.all;
	p->peer_send = full.send.peer;
	p->peer_receive = full.receive.peer;
	if ((st = pool_open(p, &full, why)) != SP_OK)
		return st;
	*ret_pool = sp_take(&p);
	return SP_OK;
}

void
data_pool_free(struct data_pool *p)
{
	void *item;

	if (p == NULL)
		return;
	sp_worker_free(p->walkers);
	data_syncer_stop(p->syncer);
	for (unsigned i = 0; i < p->nthreads; i++)
		data_thread_done(&p->threads[i]);
	data_syncer_free(p->syncer);
	if (p->drains)
		sp_loop_undrain(p->loop, p->news);
	while (p->news != NULL && sp_queue_pop(p->news, &item, 1) == 1)
		data_news_free(item);
	sp_queue_free(p->news);
	for (struct sharer *s; (s = LIST_FIRST(&p->sharers)) != NULL; free(s))
		LIST_REMOVE(s, list);
	free(p);
}
