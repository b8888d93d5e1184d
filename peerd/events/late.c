/*
 * late.c - a DONE that comes after the end: the user gave a sending up, or it failed, while the recipient had everything already.
 * What the recipient has signed counts: the event goes on from there, and is paid.
 */
#include "peerd/events/send.h"

#include "common/base/clock.h"
#include "common/base/log.h"

/* While the store looks the event up. */
struct late {
	struct events *all;
	struct post_in *in;		/* to be answered, or NULL */
	struct sp_buf statement, signature;
};

static void
late_free(struct late *d)
{
	sp_buf_done(&d->statement);
	sp_buf_done(&d->signature);
	free(d);
}

static void
reply(struct late *d, enum sp_status st)
{
	if (d->in != NULL)
		events_answer(d->all, d->in, st);
	d->in = NULL;
}

static struct event_row *
of_its_recipient(const struct late *d, struct event_row **rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i]->kind == EVENT_SEND && (d->in == NULL || strcmp(rows[i]->peer, d->in->from_name) == 0))
			return sp_take(&rows[i]);
	return NULL;
}

/* What was noted of the files is gone with the end: the receipt's list is the recipient's then. */
static void
go_on(struct late *d, struct event_row *row)
{
	struct events *e = d->all;
	struct live *l = live_back(e, row);
	struct sp_why why = { "" };

	if (l == NULL || !l->has_peer) {
		if (l != NULL)
			live_free(l);
		reply(d, SP_E_NOMEM);
		return;
	}
	l->row->files_hash = (struct sp_hash){ { 0 } };
	l->row->until_ms = sp_clock_wall_ms() + e->conf.life_ms;
	if (send_take_done(l, sp_buf_span(&d->statement), sp_buf_span(&d->signature), d->in, &why)) {
		d->in = NULL;
		return;
	}
	sp_log_fail(SP_LOG_WARN, "done-refused", SP_E_SIGNATURE, &why);
	live_free(l);
	reply(d, SP_E_SIGNATURE);
}

static void
looked_up(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct late *d = arg;
	struct event_row *row = st == SP_OK ? of_its_recipient(d, rows, count) : NULL;

	event_rows_free(rows, count);
	if (row != NULL && live_find(d->all, &row->id, EVENT_SEND, NULL) != NULL) {
		if (d->in != NULL)
			post_ignore(d->all->parts.post, d->in);		/* it comes again, to what is pending now */
	} else if (row != NULL && machine_find(&send_machine, row->state, SEND_ON_DONE) != NULL) {
		go_on(d, sp_take(&row));
	} else {
		reply(d, SP_E_NOTFOUND);	/* ended before: there is nothing left to do */
	}
	event_row_free(row);
	late_free(d);
}

void
send_done_late(struct events *e, const struct sp_msg_done_letter *m, struct post_in *in)
{
	struct late *d = calloc(1, sizeof(*d));
	char id[SP_ID_TEXT];

	if (d != NULL) {
		d->all = e;
		d->in = in;
		if (bytes_set(&d->statement, m->statement) && bytes_set(&d->signature, m->signature) &&
		    store_event_find(e->parts.store, sp_id_text(&m->transfer, id), looked_up, d) == SP_OK)
			return;
		late_free(d);
	}
	if (in != NULL)
		post_ignore(e->parts.post, in);
}
