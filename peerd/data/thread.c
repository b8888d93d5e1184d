/*
 * thread.c - one data thread: takes its orders in their order, keeps its transfers, and tells the main loop what
 * became of them. What a transfer does is in sender.c and receiver.c.
 */
#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/wire/msg.h"
#include "peerd/data/data_in.h"
#include "peerd/data/syncer.h"

void
data_order_free(struct data_order *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; o->what == ORDER_LISTEN && i < DATA_LISTENERS; i++)
		if (o->fds[i] >= 0)
			close(o->fds[i]);
	if (o->what == ORDER_SYNC) {
		if (o->sync.folder >= 0)
			close(o->sync.folder);
		if (o->sync.journal >= 0)
			close(o->sync.journal);
	}
	source_free(o->send.source);
	free((char *)o->send.folder);
	free((char *)o->receive.received);
	sp_wipe(o, sizeof(*o));
	free(o);
}

void
data_news_free(struct data_news *n)
{
	if (n == NULL)
		return;
	data_result_free(n->h.result);
	free(n);
}

#define NS_IN_MS 1000000ull

/* ---- transfers ---- */

static struct data_transfer *
find(const struct data_thread *t, uint64_t serial)
{
	struct data_transfer *x;

	LIST_FOREACH(x, &t->transfers, list)
		if (x->serial == serial)
			return x;
	return NULL;
}

enum sp_status
data_transfer_enter(struct data_thread *t, struct data_transfer *x, const struct data_order *o, sp_timer_fn *on_timer,
    sp_timer_fn *on_turn)
{
	x->thread = t;
	x->serial = o->serial;
	x->slot = o->slot;
	x->sending = o->what == ORDER_SEND;
	x->id = x->sending ? o->send.transfer : o->receive.transfer;
	x->generation = x->sending ? o->send.generation : o->receive.generation;
	memcpy(x->paces, o->paces, sizeof(x->paces));
	data_link_init(&x->link);
	x->link.most = data_transfer_turn(x);
	LIST_INSERT_HEAD(&t->transfers, x, list);
	x->timer = sp_timer_new(t->loop, on_timer, x);
	x->turn = sp_timer_new(t->loop, on_turn, x);
	return x->timer != NULL && x->turn != NULL ? SP_OK : SP_E_NOMEM;
}

static void
leave(struct data_transfer *x)
{
	LIST_REMOVE(x, list);
	if (!x->sending)
		data_half_forget(x->thread, x);
	sp_timer_free(x->timer);
	sp_timer_free(x->turn);
	data_link_done(&x->link);
	x->free(x);
}

/* The pool gives no more orders than there is room for news, so this cannot fail but for memory. */
static void
tell(struct data_transfer *x, enum data_what what, uint64_t bytes, enum sp_status st, const struct sp_why *why,
    struct data_result *result)
{
	struct data_news *n = calloc(1, sizeof(*n));

	if (n == NULL)
		abort();
	n->h = (struct data_happening){ .what = what, .transfer = x->id, .sending = x->sending,
		.generation = x->generation, .bytes = bytes, .from = x->from, .wire = x->wire, .by_peer = x->by_peer,
		.status = st, .result = result };
	if (why != NULL)
		n->h.why = *why;
	n->serial = x->serial;
	n->slot = x->slot;
	if (sp_queue_push(x->thread->news, n) != SP_OK)
		abort();
}

void
data_transfer_charge(struct data_transfer *x, uint64_t n)
{
	uint64_t now = sp_clock_boot_ms() * NS_IN_MS, until = 0, t;

	for (size_t i = 0; i < DATA_PACES && n > 0; i++)
		if (x->paces[i] != NULL && (t = pace_charge(x->paces[i], now, (size_t)n)) > until)
			until = t;
	if (until > now)
		sp_timer_set(x->turn, (until - now + NS_IN_MS - 1) / NS_IN_MS);
}

size_t
data_transfer_turn(const struct data_transfer *x)
{
	size_t most = SP_SEND_BATCH;

	for (size_t i = 0; i < DATA_PACES; i++)
		if (x->paces[i] != NULL)
			most = pace_turn(x->paces[i], most);
	return most;
}

void
data_transfer_reserved(struct data_transfer *x, uint64_t held)
{
	x->from = x->bytes = held;
	tell(x, DATA_RESERVED, held, SP_OK, NULL, NULL);
}

bool
data_transfer_sync(struct data_transfer *x, int folder_take, int journal_take, uint64_t offset, bool marked)
{
	struct data_order *o = x->syncing ? NULL : calloc(1, sizeof(*o));

	if (o == NULL || journal_take < 0) {
		if (folder_take >= 0)
			close(folder_take);
		if (journal_take >= 0)
			close(journal_take);
		free(o);
		return false;
	}
	o->what = ORDER_SYNC;
	o->serial = x->serial;
	o->sync = (struct data_sync){ x->thread, folder_take, journal_take, offset, marked, SP_OK };
	x->syncing = data_syncer_give(x->thread->syncer, o) == SP_OK;
	return x->syncing;
}

void
data_transfer_connected(struct data_transfer *x)
{
	tell(x, DATA_CONNECTED, 0, SP_OK, NULL, NULL);
}

void
data_transfer_progress(struct data_transfer *x, uint64_t bytes)
{
	uint64_t now = sp_clock_boot_ms();

	x->bytes = bytes;
	if (now - x->progress_ms < SP_DATA_PROGRESS_MS || sp_queue_length(x->thread->news) >= DATA_NEWS / 2)
		return;
	x->progress_ms = now;
	tell(x, DATA_PROGRESS, bytes, SP_OK, NULL, NULL);
}

void
data_transfer_finished(struct data_transfer *x, struct data_result *result)
{
	tell(x, DATA_FINISHED, x->bytes, SP_OK, NULL, result);
	if (data_link_waiting(&x->link) > 0)
		data_linger(x->thread, &x->link);
	leave(x);
}

void
data_transfer_broken(struct data_transfer *x, enum sp_status st, const struct sp_why *why, bool said_by_peer,
    struct data_result *result)
{
	struct sp_msg_data_abort abort_msg = { .reason = (uint16_t)st };

	/* Before the keys are proved nothing can be sealed, and then the link is only closed. */
	if (!said_by_peer && st != SP_E_CLOSED && x->link.channel != NULL && x->link.watch != NULL &&
	    data_link_seal(&x->link, SP_MSG_DATA_ABORT, &abort_msg, NULL) == SP_OK)
		data_linger(x->thread, &x->link);
	x->by_peer = said_by_peer;
	tell(x, DATA_BROKEN, x->bytes, st, why, result);
	leave(x);
}

static void
abort_transfer(struct data_transfer *x, enum sp_status reason)
{
	struct sp_why why = { "" };

	if (x->sending)
		data_sender_abort(x, reason);
	else
		data_transfer_broken(x, reason, &why, false, NULL);
}

/* ---- the helper ---- */

static void
worked(struct sp_work *work)
{
	struct data_transfer *x = (struct data_transfer *)work;

	x->working = false;
	if (x->aborted != SP_OK)
		abort_transfer(x, x->aborted);
	else
		x->then(x);
}

/* The thread quits, and ends it as all others. */
static void
work_dropped(struct sp_work *work)
{
	((struct data_transfer *)work)->working = false;
}

void
data_transfer_work(struct data_transfer *x, void (*run)(struct sp_work *x), void (*then)(struct data_transfer *x))
{
	x->work = (struct sp_work){ .run = run, .done = worked, .dropped = work_dropped };
	x->then = then;
	x->working = true;
	if (sp_worker_submit(x->thread->helper, &x->work) != SP_OK)
		abort();	/* cannot be: there is room for all transfers */
}

/* ---- orders ---- */

static void
listen_on(struct data_thread *t, struct data_order *o)
{
	for (size_t i = 0; i < DATA_LISTENERS; i++)
		if (o->fds[i] >= 0)
			t->listeners[i] = sp_listener_new(t->loop, sp_take_fd(&o->fds[i]), data_half_accept, t);
}

static void
unlisten(struct data_thread *t)
{
	for (size_t i = 0; i < DATA_LISTENERS; i++)
		sp_listener_free(sp_take(&t->listeners[i]));
	data_half_drop_all(t);
}

static void
quit(struct data_thread *t)
{
	struct data_transfer *x;

	t->quits = true;
	unlisten(t);
	sp_worker_free(sp_take(&t->helper));
	while ((x = LIST_FIRST(&t->transfers)) != NULL) {
		struct sp_why why = { "this peer stops" };

		if (x->sending)
			data_sender_abort(x, SP_E_CLOSED);
		else
			data_transfer_broken(x, SP_E_CLOSED, &why, false, NULL);
	}
	data_linger_drop_all(t);
	sp_loop_stop(t->loop);
}

static void
abort_one(struct data_thread *t, const struct data_order *o)
{
	struct data_transfer *x = find(t, o->serial);

	if (x != NULL && x->working)
		x->aborted = o->reason;
	else if (x != NULL)
		abort_transfer(x, o->reason);
}

static void
synced(struct data_thread *t, const struct data_order *o)
{
	struct data_transfer *x = find(t, o->serial);

	if (x == NULL)
		return;
	x->syncing = false;
	if (x->sending)
		data_sender_synced(x, &o->sync);
	else
		data_receiver_synced(x, &o->sync);
}

static void
on_order(void *arg, void *item)
{
	struct data_thread *t = arg;
	SP_AUTO(data_order) *o = item;
	struct data_transfer *x;

	if (t->quits)
		return;
	switch (o->what) {
	case ORDER_LISTEN:
		listen_on(t, o);
		break;
	case ORDER_UNLISTEN:
		unlisten(t);
		break;
	case ORDER_SEND:
		data_sender_begin(t, o);
		break;
	case ORDER_RESERVE:
		data_receiver_begin(t, o);
		break;
	case ORDER_START:
		if ((x = find(t, o->serial)) != NULL)
			data_receiver_start(x, &o->accept);
		break;
	case ORDER_RELEASE:
		if ((x = find(t, o->serial)) != NULL)
			data_receiver_release(x);
		break;
	case ORDER_ABORT:
		abort_one(t, o);
		break;
	case ORDER_SYNC:
		synced(t, o);
		break;
	case ORDER_QUIT:
		quit(t);
		break;
	}
}

/* ---- the thread ---- */

enum sp_status
data_thread_press(struct data_thread *t, struct press **ret_press)
{
	enum sp_status st = t->press == NULL ? press_new(&t->press) : SP_OK;

	*ret_press = t->press;
	return st;
}

enum sp_status
data_thread_init(struct data_thread *t, const struct data_settings *settings, struct sp_queue *news,
    atomic_ullong *refused, struct data_syncer *syncer, struct sp_why *why)
{
	enum sp_status st;

	LIST_INIT(&t->transfers);
	TAILQ_INIT(&t->halves);
	LIST_INIT(&t->lingers);
	t->news = news;
	t->refused = refused;
	t->syncer = syncer;
	t->chunk = settings->chunk;
	t->compress = settings->compress;
	t->reserve = settings->reserve;
	t->idle_ms = settings->idle_ms;
	if ((t->in = sp_queue_new(DATA_ORDERS)) == NULL || (t->scratch = malloc(DATA_SCRATCH)) == NULL)
		return sp_fail(SP_E_NOMEM, why, "no memory or descriptors for the data threads");
	if ((st = sp_loop_new(&t->loop, why)) != SP_OK)
		return st;
	if ((st = sp_worker_new(t->loop, 1, SP_DATA_TRANSFERS, &t->helper, why)) != SP_OK)
		return st;
	return sp_loop_drain(t->loop, t->in, on_order, t);
}

static void *
run(void *arg)
{
	struct data_thread *t = arg;

	if (sp_loop_run(t->loop) != SP_OK)
		abort();
	return NULL;
}

enum sp_status
data_thread_start(struct data_thread *t, struct sp_why *why)
{
	t->started = sp_thread_start(&t->id, run, t);
	return t->started ? SP_OK : sp_fail(SP_E_SYS, why, "cannot start a data thread");
}

void
data_thread_done(struct data_thread *t)
{
	struct data_order *quit_order = calloc(1, sizeof(*quit_order));
	void *item;

	if (t->started) {
		if (quit_order == NULL)
			abort();
		quit_order->what = ORDER_QUIT;
		if (sp_queue_push(t->in, sp_take(&quit_order)) != SP_OK)
			abort();
		pthread_join(t->id, NULL);
	}
	free(quit_order);
	sp_worker_free(t->helper);
	while (t->in != NULL && sp_queue_pop(t->in, &item, 1) == 1)
		data_order_free(item);
	if (t->in != NULL && t->loop != NULL)
		sp_loop_undrain(t->loop, t->in);
	sp_loop_free(t->loop);
	sp_queue_free(t->in);
	press_free(t->press);
	free(t->scratch);
	*t = (struct data_thread){ 0 };
}
