/*
 * feed.c - a ring of rows (ready-made JSON objects) and the polls that wait.
 */
#include "peerd/control/feed.h"

#include "common/base/clock.h"
#include "peerd/control/call.h"
#include "peerd/control/json.h"

struct feed_row {
	uint64_t seq;
	struct sp_id id;
	bool progress;
	json_t *json;		/* owned */
};

struct poll {
	struct call *call;	/* owned; NULL = free place */
	uint64_t after, until_ms;
	struct sp_id id;
	bool one;		/* of this id only */
};

struct feed {
	struct sp_timer *timer;
	uint64_t last;
	struct feed_row rows[FEED_ROWS];
	size_t first, count;
	struct poll polls[FEED_POLLS];
};

static bool
wanted(const struct feed_row *r, const struct poll *p)
{
	return r->json != NULL && r->seq > p->after && (!p->one || sp_id_eq(&r->id, &p->id));
}

/* Answers a poll with the rows it asked for; false if there are none. */
static bool
serve(struct feed *f, struct poll *p, bool also_empty)
{
	json_t *rows = json_array();
	uint64_t oldest = f->count > 0 ? f->rows[f->first].seq : f->last;
	struct call *c = p->call;

	for (size_t i = 0; i < f->count; i++) {
		const struct feed_row *r = &f->rows[(f->first + i) % FEED_ROWS];

		if (wanted(r, p))
			json_array_append(rows, r->json);
	}
	if (json_array_size(rows) == 0 && !also_empty) {
		json_decref(rows);
		return false;
	}
	p->call = NULL;
	call_answer(c, json_pack("{s:I, s:b, s:o}", "last", (json_int_t)f->last, "gap",
	    p->after != 0 && f->count == FEED_ROWS && p->after + 1 < oldest, "rows", rows));
	return true;
}

static void
rest(void *arg)
{
	struct feed *f = arg;
	uint64_t now = sp_clock_boot_ms(), next = 0;

	for (size_t i = 0; i < FEED_POLLS; i++) {
		struct poll *p = &f->polls[i];

		if (p->call != NULL && p->until_ms <= now)
			serve(f, p, true);
		else if (p->call != NULL && (next == 0 || p->until_ms < next))
			next = p->until_ms;
	}
	if (next != 0)
		sp_timer_set_at(f->timer, next);
}

struct feed *
feed_new(struct sp_loop *loop)
{
	SP_AUTO(feed) *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->timer = sp_timer_new(loop, rest, f)) == NULL)
		return NULL;
	f->last = sp_clock_wall_ms() * 1000;
	return sp_take(&f);
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < FEED_POLLS; i++)
		if (f->polls[i].call != NULL)
			serve(f, &f->polls[i], true);
	for (size_t i = 0; i < FEED_ROWS; i++)
		json_decref(f->rows[i].json);
	sp_timer_free(f->timer);
	free(f);
}

uint64_t
feed_last(const struct feed *f)
{
	return f->last;
}

static void
forget_progress(struct feed *f, const struct sp_id *id)
{
	for (size_t i = f->count; i > 0; i--) {
		struct feed_row *r = &f->rows[(f->first + i - 1) % FEED_ROWS];

		if (r->progress && r->json != NULL && sp_id_eq(&r->id, id)) {
			json_decref(r->json);
			r->json = NULL;
			return;
		}
	}
}

void
feed_add(struct feed *f, const struct event_row *row, const char *what)
{
	const struct machine *m = events_machine(row->kind);
	const struct machine_state *s = machine_state(m, row->state);
	char id[SP_ID_TEXT];
	struct feed_row *r;
	json_t *json;

	forget_progress(f, &row->id);
	json = json_pack("{s:I, s:o, s:s, s:s, s:s, s:o, s:b, s:o}", "seq", (json_int_t)(f->last + 1), "time",
	    json_time(sp_clock_wall_ms()), "id", sp_id_text(&row->id, id), "kind", m->name, "state", s->name,
	    "what", json_safe_text(what), "progress", what == NULL, "event", json_event(row));
	if (json == NULL)
		return;
	f->last++;
	if (f->count == FEED_ROWS) {
		json_decref(f->rows[f->first].json);
		f->rows[f->first].json = NULL;
		f->first = (f->first + 1) % FEED_ROWS;
		f->count--;
	}
	r = &f->rows[(f->first + f->count++) % FEED_ROWS];
	*r = (struct feed_row){ f->last, row->id, what == NULL, json };
	for (size_t i = 0; i < FEED_POLLS; i++)
		if (f->polls[i].call != NULL && wanted(r, &f->polls[i]))
			serve(f, &f->polls[i], false);
}

void
feed_poll(struct feed *f, struct call *c, uint64_t after, const struct sp_id *id, uint64_t wait_ms)
{
	struct poll now = { .call = c, .after = after, .until_ms = sp_clock_boot_ms() + wait_ms, .one = id != NULL };

	if (id != NULL)
		now.id = *id;
	if (serve(f, &now, wait_ms == 0))
		return;
	for (size_t i = 0; i < FEED_POLLS; i++) {
		if (f->polls[i].call != NULL)
			continue;
		f->polls[i] = now;
		rest(f);
		return;
	}
	call_fail(c, SP_E_FULL, NULL);
}
