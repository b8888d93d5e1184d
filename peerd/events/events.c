/*
 * events.c - the room of the events: set-up and end, what the data threads report, and going on after a start.
 */
#include "peerd/events/cancel.h"
#include "peerd/events/credit.h"
#include "peerd/events/presence.h"
#include "peerd/events/receive.h"
#include "peerd/events/send.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#define FILES_BOUND 4096
#define REFRESH_MS (60 * 1000)

static const struct machine *const machines[] = {
	[EVENT_SEND] = &send_machine,
	[EVENT_RECEIVE] = &receive_machine,
	[EVENT_CREDIT] = &credit_machine,
	[EVENT_POSTMARK] = &postmark_machine,
	[EVENT_LODGE] = &lodge_machine,
};

const struct machine *
events_machine(enum event_kind kind)
{
	return (size_t)kind < sizeof(machines) / sizeof(machines[0]) ? machines[kind] : NULL;
}

static void
on_data(void *arg, struct data_happening *h)
{
	struct events *e = arg;
	struct live *l = live_find(e, &h->transfer, h->sending ? EVENT_SEND : EVENT_RECEIVE, NULL);

	if (l == NULL || l->generation != h->generation)
		return;		/* of an order that was taken back */
	if (h->sending)
		send_data(l, h);
	else
		receive_data(l, h);
}

static bool
copy_conf(struct events *e, const struct events_conf *conf)
{
	e->conf = *conf;
	e->conf.home = strdup(conf->home);
	e->conf.received = strdup(conf->received);
	e->conf.organisation = strdup(conf->organisation);
	e->conf.return_host = strdup(conf->return_host);
	e->conf.data.bind = NULL;	/* the pool has its own copy */
	return e->conf.home != NULL && e->conf.received != NULL && e->conf.organisation != NULL &&
	    e->conf.return_host != NULL;
}

enum sp_status
events_new(const struct events_parts *parts, const struct events_conf *conf, struct events **ret_events,
    struct sp_why *why)
{
	SP_AUTO(events) *e = calloc(1, sizeof(*e));
	enum sp_status st;

	if (e == NULL)
		return SP_E_NOMEM;
	e->parts = *parts;
	if (!copy_conf(e, conf))
		return SP_E_NOMEM;
	if ((st = sp_worker_new(parts->loop, 1, FILES_BOUND, &e->files, why)) != SP_OK ||
	    (st = data_pool_new(parts->loop, &conf->data, on_data, e, &e->pool, why)) != SP_OK)
		return st;
	sp_log(SP_LOG_INFO, "transfers-most", "most=%u", data_pool_most(e->pool));
	*ret_events = sp_take(&e);
	return SP_OK;
}

void
events_free(struct events *e)
{
	if (e == NULL)
		return;
	e->stopping = true;
	for (size_t b = 0; e->pool != NULL && b < LIVE_BUCKETS; b++)
		while (e->buckets[b] != NULL)
			live_free(e->buckets[b]);
	data_pool_free(e->pool);
	sp_worker_free(e->files);
	receive_frank_done(e);
	presence_free(e->presence);
	free((char *)e->conf.home);
	free((char *)e->conf.received);
	free((char *)e->conf.organisation);
	free((char *)e->conf.return_host);
	free(e);
}

void
events_transfer_dir(const struct events *e, const struct sp_id *id, struct sp_buf *out)
{
	char text[SP_ID_TEXT];

	sp_buf_addf(out, "%s/transfers/%s", e->conf.home, sp_id_text(id, text));
}

/* ---- worker: incoming folders that nobody will finish ---- */
struct sweeping {
	struct sp_work work;
	struct events *all;
	struct sp_id *live;	/* owned: events that go on */
	size_t nlive;
	char one[SP_ID_TEXT];	/* discard this one only */
	events_done_fn *fn;
	void *arg;
	enum sp_status status;
	struct sp_why why;
};

static bool
is_live(void *arg, const char *id_text)
{
	const struct sweeping *s = arg;
	struct sp_id id;

	if (sp_id_parse(id_text, &id) != SP_OK)
		return false;
	for (size_t i = 0; i < s->nlive; i++)
		if (sp_id_eq(&s->live[i], &id))
			return true;
	return false;
}

static void
sweep_run(struct sp_work *work)
{
	struct sweeping *s = (struct sweeping *)work;

	if (s->one[0] != 0)
		place_discard(s->all->conf.received, s->one);
	else
		s->status = place_sweep(s->all->conf.received, is_live, s, &s->why);
}

static void
sweep_drop(struct sp_work *work)
{
	free(((struct sweeping *)work)->live);
	free(work);
}

static void
restart_all(struct events *e)
{
	for (size_t b = 0; b < LIVE_BUCKETS; b++)
		for (struct live *l = e->buckets[b], *next; l != NULL; l = next) {
			next = l->next;
			live_happens(l, l->machine->restart, NULL);
		}
}

static void
heard(void *arg, const struct sp_hash *from_cert, bool started)
{
	events_heard(arg, from_cert, started);
}

static void
start_all(struct events *e)
{
	send_start(e);
	receive_start(e);
	credit_start(e);
	cancel_start(e);
	restart_all(e);
	post_on_heard(e->parts.post, heard, e);
	presence_start(e);
}

static void
sweep_done(struct sp_work *work)
{
	struct sweeping *s = (struct sweeping *)work;

	if (s->fn != NULL) {
		start_all(s->all);	/* nothing new may lie where it sweeps */
		s->fn(s->arg, s->status, &s->why);
	}
	sweep_drop(work);
}

void
events_discard(struct events *e, const char *id_text)
{
	struct sweeping *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return;		/* the next start sweeps it */
	s->work = (struct sp_work){ sweep_run, sweep_done, sweep_drop };
	s->all = e;
	memcpy(s->one, id_text, sizeof(s->one));
	if (sp_worker_submit(e->files, &s->work) != SP_OK)
		sweep_drop(&s->work);
}

/* ---- going on after a start ---- */
struct starting {
	struct events *all;
	events_done_fn *fn;
	void *arg;
};

static bool
bring_back(struct events *e, struct event_row *row, struct sweeping *s)
{
	if (live_back(e, row) == NULL)
		return false;
	s->live[s->nlive++] = row->id;
	return true;
}

static void
loaded(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct starting *go = arg;
	struct events *e = go->all;
	struct sweeping *s = calloc(1, sizeof(*s));

	if (st == SP_OK && (s == NULL || (s->live = calloc(count + 1, sizeof(*s->live))) == NULL))
		st = SP_E_NOMEM;
	for (size_t i = 0; st == SP_OK && i < count; i++)
		if (events_machine(rows[i]->kind) != NULL && !bring_back(e, sp_take(&rows[i]), s))
			st = SP_E_NOMEM;
	if (st == SP_OK) {
		s->work = (struct sp_work){ sweep_run, sweep_done, sweep_drop };
		s->all = e;
		s->fn = go->fn;
		s->arg = go->arg;
		outgoing_sweep(e, s->live, s->nlive);
		st = sp_worker_submit(e->files, &s->work);
	}
	if (st != SP_OK) {
		if (s != NULL)
			sweep_drop(&s->work);
		go->fn(go->arg, st, NULL);
	}
	for (size_t i = 0; i < count; i++)
		event_row_free(rows[i]);
	free(rows);
	free(go);
}

static void
mended(void *arg, enum sp_status st, const struct sp_why *why)
{
	(void)arg;
	if (st != SP_OK)
		sp_log_fail(SP_LOG_ERR, "serials-not-mended", st, why);
}

void
events_start(struct events *e, events_done_fn *fn, void *arg)
{
	struct starting *go = malloc(sizeof(*go));
	enum sp_status st = SP_E_NOMEM;

	if (go != NULL) {
		*go = (struct starting){ e, fn, arg };
		st = store_serials_mend(e->parts.store, mended, NULL);
	}
	if (st == SP_OK)
		st = store_events_open(e->parts.store, loaded, go);
	if (st != SP_OK) {
		free(go);
		fn(arg, st, NULL);
	}
}

void
events_refresh(struct events *e)
{
	uint64_t now = sp_clock_boot_ms();

	if (e->roster_ms != 0 && now - e->roster_ms < REFRESH_MS)
		return;
	e->roster_ms = now;
	member_refresh(e->parts.station, NULL, NULL);
}

bool
events_know_certd(const struct events *e)
{
	char names[SP_OFFER_NAMES + 1];

	return member_service_names(e->parts.station, SP_ROLE_CERTD, 1, names, sizeof(names))[0] != 0;
}

const struct event_row *
events_live(const struct events *e, const struct sp_id *id, enum event_kind kind)
{
	struct live *l = live_find(e, id, kind, NULL);

	return l != NULL ? l->row : NULL;
}

size_t
events_pending(const struct events *e)
{
	return e->pending;
}

size_t
events_asked(const struct events *e)
{
	size_t n = 0;

	for (size_t b = 0; b < LIVE_BUCKETS; b++)
		for (const struct live *l = e->buckets[b]; l != NULL; l = l->next)
			n += l->row->kind == EVENT_RECEIVE && l->row->state == RECEIVE_ASKED;
	return n;
}

void
events_observe(struct events *e, events_observe_fn *fn, void *arg)
{
	e->observe = fn;
	e->observe_arg = arg;
}
