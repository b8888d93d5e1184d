/*
 * live.c - pending events in memory and the one way they move: find the machine's row, save, then act.
 */
#include "peerd/events/live.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"

#define SAVE_AGAIN_MS 1000

static size_t
bucket_of(const struct sp_id *id)
{
	return (size_t)(id->b[14] << 8 | id->b[15]) % LIVE_BUCKETS;
}

struct live *
live_find(const struct events *e, const struct sp_id *id, enum event_kind kind, const char *peer)
{
	for (struct live *l = e->buckets[bucket_of(id)]; l != NULL; l = l->next)
		if (l->row->kind == kind && sp_id_eq(&l->row->id, id) &&
		    (peer == NULL || strcmp(l->row->peer, peer) == 0))
			return l;
	return NULL;
}

size_t
live_peer_bucket(const struct sp_hash *cert)
{
	return (size_t)(cert->b[0] << 8 | cert->b[1]) % LIVE_BUCKETS;
}

static void
leave_peer(struct live *l)
{
	struct live **at = &l->all->peers[live_peer_bucket(&l->peer_cert)];

	while (l->has_peer && *at != l)
		at = &(*at)->next_of_peer;
	if (l->has_peer)
		*at = l->next_of_peer;
	l->has_peer = false;
}

void
live_peer(struct live *l, const struct sp_hash *cert)
{
	struct live **head = &l->all->peers[live_peer_bucket(cert)];

	leave_peer(l);
	l->peer_cert = *cert;
	l->next_of_peer = *head;
	*head = l;
	l->has_peer = true;
}

struct live *
live_by_offer(const struct events *e, enum event_kind kind, const struct sp_hash *offer, const struct sp_hash *peer_cert)
{
	for (struct live *l = e->peers[live_peer_bucket(peer_cert)]; l != NULL; l = l->next_of_peer)
		if (l->row->kind == kind && l->row->offer.len > 0 && sp_hash_eq(&l->offer_hash, offer) &&
		    sp_hash_eq(&l->peer_cert, peer_cert))
			return l;
	return NULL;
}

void
events_heard(struct events *e, const struct sp_hash *cert, bool started)
{
	struct live *next;

	for (struct live *l = e->peers[live_peer_bucket(cert)]; l != NULL; l = next) {
		next = l->next_of_peer;
		if (!sp_hash_eq(&l->peer_cert, cert) || l->saving || l->moving != NULL)
			continue;
		if (started && l->machine->started >= 0 && live_heeds(l, l->machine->started))
			live_happens(l, l->machine->started, "the other station has started");
		else if (l->machine->heard >= 0 && live_heeds(l, l->machine->heard))
			live_happens(l, l->machine->heard, NULL);
	}
}

static void act(struct live *l);
static void save(struct live *l);

static void
timer_fired(void *arg)
{
	struct live *l = arg;

	live_happens(l, l->on_timer, NULL);
}

static void
save_again(void *arg)
{
	save(arg);
}

struct live *
live_new(struct events *e, struct event_row *row)
{
	struct live *l = calloc(1, sizeof(*l));
	size_t at = bucket_of(&row->id);

	if (l != NULL) {
		l->timer = sp_timer_new(e->parts.loop, timer_fired, l);
		l->save_timer = sp_timer_new(e->parts.loop, save_again, l);
	}
	if (l == NULL || l->timer == NULL || l->save_timer == NULL) {
		if (l != NULL) {
			sp_timer_free(l->timer);
			sp_timer_free(l->save_timer);
		}
		free(l);
		event_row_free(row);
		return NULL;
	}
	l->all = e;
	l->row = row;
	l->machine = events_machine(row->kind);
	l->generation = ++e->generations;
	if (row->offer.len > 0)
		sp_statement_hash(sp_buf_span(&row->offer), &l->offer_hash);
	l->next = e->buckets[at];
	e->buckets[at] = l;
	e->pending++;
	return l;
}

struct live *
live_back(struct events *e, struct event_row *row)
{
	const struct correspondent *peer = book_by_name(e->parts.book, row->peer);
	struct live *l = live_new(e, row);

	if (l == NULL)
		return NULL;
	l->kept = true;
	if (peer != NULL)
		live_peer(l, &peer->identity.hash);
	return l;
}

void
live_unask(struct live *l)
{
	if (l->letter != 0)
		post_cancel(l->all->parts.post, l->letter);
	l->letter = 0;
}

bool
live_ask(struct live *l, bool tcp, unsigned type, const void *msg, post_answer_fn *fn)
{
	live_unask(l);
	l->letter = post_ask(l->all->parts.post, &l->peer_cert, l->address, tcp, type, msg, fn, l);
	return l->letter != 0;
}

void
events_answer(struct events *e, struct post_in *in, enum sp_status st)
{
	struct sp_msg_answer m = { .status = (uint16_t)st };

	post_reply(e->parts.post, in, SP_MSG_ANSWER, &m);
}

void
live_answered(struct live *l)
{
	l->client = NULL;
}

static void
unrequest(struct live *l)
{
	if (l->client != NULL)
		sp_client_cancel(l->client, &l->request);
	l->client = NULL;
}

enum sp_status
live_request(struct live *l, enum sp_role role, const struct sp_id *id, unsigned type, const void *msg, sp_answer_fn *fn,
    struct sp_why *why)
{
	struct sp_client *client = member_client(l->all->parts.station, role, why);
	enum sp_status st;

	unrequest(l);
	if (client == NULL)
		return SP_E_CONNECT;
	if ((st = sp_client_ask(client, id, type, msg, fn, l, why)) != SP_OK)
		return st;
	l->client = client;
	l->request = *id;
	return SP_OK;
}

static bool
has_data(const struct live *l)
{
	return l->row->kind == EVENT_SEND || l->row->kind == EVENT_RECEIVE;
}

void
live_quiet(struct live *l)
{
	sp_timer_stop(l->timer);
	live_unask(l);
	unrequest(l);
	if (l->frank_in != NULL)	/* what it waits for comes no more; the frank itself does */
		post_ignore(l->all->parts.post, l->frank_in);
	l->frank_in = NULL;
	l->reserving = false;
	wallet_forget(l->all->parts.wallet, l);
	/* the other station goes on waiting for what is only interrupted */
	if (has_data(l))
		data_abort(l->all->pool, &l->row->id, l->row->kind == EVENT_SEND,
		    l->all->stopping ? SP_E_CLOSED : SP_E_CANCELLED);
	l->generation = ++l->all->generations;
}

void
live_free(struct live *l)
{
	struct live **at = &l->all->buckets[bucket_of(&l->row->id)];

	live_quiet(l);
	leave_peer(l);
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	l->all->pending--;
	if (l->offer_in != NULL)
		post_ignore(l->all->parts.post, l->offer_in);
	if (l->done_in != NULL)
		post_ignore(l->all->parts.post, l->done_in);
	sp_timer_free(l->timer);
	sp_timer_free(l->save_timer);
	source_free(l->source);
	data_result_free(l->result);
	sp_buf_done(&l->files_txt);
	sp_buf_done(&l->sheet_in);
	sp_wipe(&l->accept, sizeof(l->accept));
	sp_wipe(&l->own, sizeof(l->own));
	sp_wipe(&l->one_time, sizeof(l->one_time));
	event_row_free(l->row);
	free(l->address);
	free(l);
}

bool
live_heeds(const struct live *l, int happening)
{
	return machine_find(l->machine, l->row->state, happening) != NULL;
}

void
live_reason(struct live *l, enum sp_status st, const struct sp_why *why)
{
	l->row->reason = st;
	if (!text_set(&l->row->reason_text, why != NULL && why->text[0] != 0 ? why->text : sp_status_text(st)))
		l->row->reason = SP_E_NOMEM;
}

void
live_no_reason(struct live *l)
{
	l->row->reason = SP_OK;
	(void)text_set(&l->row->reason_text, NULL);
}

void
live_timer(struct live *l, uint64_t ms, int happening)
{
	l->on_timer = happening;
	sp_timer_set(l->timer, ms);
}

void
live_timer_again(struct live *l, uint32_t *tries, uint64_t first_ms, uint64_t most_ms, int happening)
{
	live_timer(l, sp_backoff_ms((*tries)++, first_ms, most_ms), happening);
}

void
live_observe(const struct live *l, const char *words)
{
	if (l->all->observe != NULL)
		l->all->observe(l->all->observe_arg, l->row, words);
}

void
live_note(struct live *l, struct sp_span text)
{
	SP_AUTO_DONE(sp_buf) all = { 0 };

	if (text.n == 0)
		return;
	if (l->row->notes != NULL && l->row->notes[0] != 0)
		sp_buf_addf(&all, "%s\n", l->row->notes);
	sp_buf_add_span(&all, text);
	while (all.len > 0 && all.data[all.len - 1] == '\n')
		all.len--;
	if (!text_set(&l->row->notes, sp_buf_cstr(&all)))
		sp_log(SP_LOG_ERR, "note-lost", "status=NOMEM");
}

static void
log_move(const struct live *l)
{
	char id[SP_ID_TEXT];
	const struct machine_state *s = machine_state(l->machine, l->row->state);

	sp_log(SP_LOG_INFO, l->machine->name, "transfer=%s peer=%s state=%s%s%s", sp_id_text(&l->row->id, id),
	    l->row->peer, s->name, l->row->reason != SP_OK ? " reason=" : "",
	    l->row->reason != SP_OK ? sp_status_name(l->row->reason) : "");
}

void
live_next(struct live *l)
{
	struct waiting w;

	if (l->nwaiting == 0)
		return;
	w = l->waiting[0];
	l->nwaiting--;
	memmove(l->waiting, l->waiting + 1, l->nwaiting * sizeof(w));
	live_happens(l, w.happening, w.words[0] != 0 ? "%s" : NULL, w.words);
}

void
live_hold(struct live *l)
{
	l->saving = true;
}

void
live_go_on(struct live *l)
{
	l->saving = false;
}

/* Runs the action of the row that was saved (or needed no saving); an event at its end goes afterwards. */
static void
act(struct live *l)
{
	const struct machine_row *m = l->moving;

	l->moving = NULL;
	if (m->action != NULL)
		m->action(l);
	if (machine_state(l->machine, m->to)->ended) {
		live_free(l);
		return;
	}
	if (!l->saving)
		live_next(l);
}

/* The durable step that a move is, for kills in tests: send/OFFERING/ACCEPTED. */
static void
pass_fault(const struct live *l, const char *when)
{
	const struct machine *m = l->machine;

	(void)m;
	(void)when;
	SP_FAULT_STEP(when, "%s/%s/%s", m->name, machine_state(m, l->moving->from)->name, m->happenings[l->moving->happening]);
}

void
live_order(struct live *l, events_rows_fn *fn, void *arg)
{
	l->told.fn = fn;
	l->told.arg = arg;
}

static void
tell(struct live *l)
{
	const struct event_row *row = l->row;
	events_rows_fn *fn = l->told.fn;

	l->told.fn = NULL;
	if (fn != NULL)
		fn(l->told.arg, SP_OK, NULL, &row, 1);
}

static void
saved(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct live *l = arg;

	l->saving = false;
	l->kept = l->kept || st == SP_OK;
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_ERR, "event-not-saved", st, why);
		l->saving = true;	/* nothing else happens to it before it is on the disk */
		sp_timer_set(l->save_timer, SAVE_AGAIN_MS);
		return;
	}
	pass_fault(l, "after");
	log_move(l);
	if (l->row->ended && l->machine->ending != NULL)
		l->machine->ending(l);
	live_observe(l, l->words);
	tell(l);
	act(l);
}

static void
save(struct live *l)
{
	enum sp_status st;

	pass_fault(l, "before");
	st = store_event_save(l->all->parts.store, l->row, l->words, saved, l);
	l->saving = true;
	if (st != SP_OK)
		sp_timer_set(l->save_timer, SAVE_AGAIN_MS);
}

bool
live_begin(struct live *l, int happening, const char *words)
{
	snprintf(l->words, sizeof(l->words), "%s", words);
	l->moving = machine_find(l->machine, l->row->state, happening);
	pass_fault(l, "before");
	if (store_event_save(l->all->parts.store, l->row, l->words, saved, l) != SP_OK) {
		live_free(l);
		return false;
	}
	l->saving = true;
	return true;
}

static void
move(struct live *l, const struct machine_row *m, const char *words)
{
	const struct machine_state *to = machine_state(l->machine, m->to);

	l->moving = m;
	if (m->keep) {
		act(l);
		return;
	}
	l->row->state = m->to;
	l->row->ended = to->ended;
	l->row->ended_ms = 0;
	if (to->ended) {
		l->row->ended_ms = sp_clock_wall_ms();
		l->row->unread = l->row->kind == EVENT_RECEIVE;
	}
	snprintf(l->words, sizeof(l->words), "%s", words[0] != 0 ? words : to->text);
	save(l);
}

void
live_happens(struct live *l, int happening, const char *words_fmt, ...)
{
	char words[LIVE_WORDS] = "";
	const struct machine_row *m;
	va_list ap;

	if (words_fmt != NULL) {
		va_start(ap, words_fmt);
		vsnprintf(words, sizeof(words), words_fmt, ap);
		va_end(ap);
	}
	if (l->saving || l->moving != NULL) {
		if (l->nwaiting == LIVE_WAITING) {
			sp_log(SP_LOG_WARN, "happening-lost", "machine=%s happening=%s", l->machine->name,
			    l->machine->happenings[happening]);
			return;
		}
		l->waiting[l->nwaiting].happening = happening;
		memcpy(l->waiting[l->nwaiting++].words, words, sizeof(words));
		return;
	}
	m = machine_find(l->machine, l->row->state, happening);
	if (m == NULL) {
		sp_log(SP_LOG_INFO, "happening-ignored", "machine=%s state=%s happening=%s", l->machine->name,
		    machine_state(l->machine, l->row->state)->name, l->machine->happenings[happening]);
		live_next(l);
		return;
	}
	move(l, m, words);
}
