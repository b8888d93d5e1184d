/*
 * report.c - SHEET_STATE in rounds: one after the other for each sheet that has something to tell. A round that fails is
 * repeated later. The id of a start's report is durable before it leaves: if we are killed before its answer is, the same
 * report is repeated, and creditd does not take us for a restored copy.
 */
#include "peerd/wallet/report.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#define SOON_MS 1000
#define AGAIN_FIRST_MS (5 * 1000)
#define AGAIN_MOST_MS (10 * 60 * 1000)

struct waiter {
	struct waiter *next;
	wallet_done_fn *fn;
	void *arg;
};

/* A sheet in a round. */
struct telling {
	struct sp_id sheet, report;	/* report: id of the request */
	uint32_t epoch, next;
	bool starts, keep;		/* keep: report is not durable yet */
	bool anew;			/* under a new id: the kept one was older than what creditd knows */
};

struct wallet {
	struct sp_loop *loop;		/* borrowed, like the next two */
	struct store *store;
	struct member *station;
	struct sp_timer *timer;		/* owned: of the next round */
	uint32_t tries;			/* rounds that failed since one did not */
	bool loaded, asked;		/* starting is known; the first round has ended, well or not */
	bool closed;			/* a sheet was, before its time */

	struct sp_id *starting;		/* owned: sheets whose start creditd does not know yet */
	size_t nstarting;

	bool running, again;		/* a round; another one is wanted after it */
	struct waiter *now, *later;	/* owned: they wait for this round, for the next one */
	struct telling *list;		/* owned: of the round */
	size_t count, at;
	enum sp_status status;		/* of the round: the first failure */
	struct sp_why why;
	struct sp_client *client;	/* borrowed: asked now, NULL = none */
};

static void round_begin(struct wallet *w);

static void
timer_fired(void *arg)
{
	round_begin(arg);
}

enum sp_status
wallet_new(struct sp_loop *loop, struct store *store, struct member *station, struct wallet **ret_wallet,
    struct sp_why *why)
{
	SP_AUTO(wallet) *w = calloc(1, sizeof(*w));

	(void)why;
	if (w == NULL || (w->timer = sp_timer_new(loop, timer_fired, w)) == NULL)
		return SP_E_NOMEM;
	w->loop = loop;
	w->store = store;
	w->station = station;
	*ret_wallet = sp_take(&w);
	return SP_OK;
}

static void
waiters_free(struct waiter *list)
{
	for (struct waiter *next; list != NULL; list = next) {
		next = list->next;
		free(list);
	}
}

void
wallet_free(struct wallet *w)
{
	if (w == NULL)
		return;
	if (w->client != NULL)
		sp_client_cancel(w->client, &w->list[w->at].report);
	sp_timer_free(w->timer);
	waiters_free(w->now);
	waiters_free(w->later);
	free(w->starting);
	free(w->list);
	free(w);
}

/* ---- the end of a round ---- */

static void
call_waiters(struct wallet *w)
{
	struct waiter *one;

	while ((one = w->now) != NULL) {
		wallet_done_fn *fn = one->fn;
		void *arg = one->arg;

		w->now = one->next;
		free(one);
		fn(arg, w->status, &w->why);
	}
}

static void
again_later(struct wallet *w)
{
	if (w->tries == 0)
		sp_log_fail(SP_LOG_INFO, "wallet-not-reported", w->status, &w->why);
	sp_timer_set(w->timer, sp_backoff_ms(w->tries++, AGAIN_FIRST_MS, AGAIN_MOST_MS));
}

static void
round_end(struct wallet *w)
{
	free(w->list);
	w->list = NULL;
	w->count = w->at = 0;
	w->asked = true;
	call_waiters(w);
	w->running = false;
	if (w->status == SP_OK)
		w->tries = 0;
	if (w->later != NULL)
		round_begin(w);
	else if (w->status != SP_OK)
		again_later(w);
	else if (w->again)
		sp_timer_set(w->timer, SOON_MS);
}

static void
round_fail(struct wallet *w, enum sp_status st, const struct sp_why *why)
{
	if (w->status == SP_OK) {
		w->status = st;
		w->why = why != NULL ? *why : (struct sp_why){ "" };
	}
	round_end(w);
}

/* ---- one sheet ---- */

static void tell(struct wallet *w);

static void
told(struct wallet *w)
{
	w->at++;
	tell(w);
}

static bool
is_starting(const struct wallet *w, const struct sp_id *sheet)
{
	for (size_t i = 0; i < w->nstarting; i++)
		if (sp_id_eq(&w->starting[i], sheet))
			return true;
	return false;
}

static void
has_started(struct wallet *w, const struct sp_id *sheet)
{
	for (size_t i = 0; i < w->nstarting; i++)
		if (sp_id_eq(&w->starting[i], sheet))
			w->starting[i--] = w->starting[--w->nstarting];
}

static void
noted(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct wallet *w = arg;

	if (st != SP_OK) {
		round_fail(w, st, why);
		return;
	}
	has_started(w, &w->list[w->at].sheet);
	told(w);
}

static void
answered(void *arg, const struct sp_answer *answer)
{
	struct wallet *w = arg;
	const struct telling *t = &w->list[w->at];
	struct sp_msg_sheet_state_is m;
	struct sp_why why = { "" };
	char id[SP_ID_TEXT];
	enum sp_status st = sp_answer_read(answer, SP_MSG_SHEET_STATE_IS, &m, &why);

	w->client = NULL;
	if (st == SP_E_STALE && answer->from_server && !t->anew) {
		w->list[w->at].report = sp_id_new();
		w->list[w->at].keep = t->starts;
		w->list[w->at].anew = true;
		tell(w);
		return;
	}
	if (st == SP_E_NOTFOUND && answer->from_server) {
		/* the others can still be reported */
		sp_log(SP_LOG_WARN, "sheet-unknown", "sheet=%s", sp_id_text(&t->sheet, id));
		if (w->status == SP_OK)
			w->status = sp_fail(st, &w->why, "creditd does not know a sheet of this wallet");
		told(w);
		return;
	}
	if (st == SP_OK && m.closed) {
		w->closed = true;
		sp_log(SP_LOG_WARN, "sheet-closed", "sheet=%s epoch=%u now=%u", sp_id_text(&t->sheet, id), (unsigned)t->epoch,
		    (unsigned)m.epoch);
	}
	if (st == SP_OK)
		st = store_sheet_state(w->store, &t->sheet, m.epoch, m.closed != 0, t->next, noted, w);
	if (st != SP_OK)
		round_fail(w, st, &why);
}

static void
ask(struct wallet *w)
{
	const struct telling *t = &w->list[w->at];
	const struct sp_msg_sheet_state m = { .sheet = t->sheet, .epoch = t->epoch, .next = t->next, .start = t->starts };
	struct sp_why why = { "" };
	struct sp_client *client = member_client(w->station, SP_ROLE_CREDITD, &why);
	enum sp_status st = SP_E_CONNECT;

	if (client != NULL)
		st = sp_client_ask(client, &t->report, SP_MSG_SHEET_STATE, &m, answered, w, &why);
	if (st != SP_OK)
		round_fail(w, st, &why);
	else
		w->client = client;
}

static void
report_kept(void *arg, enum sp_status st, const struct sp_why *why)
{
	if (st != SP_OK)
		round_fail(arg, st, why);
	else
		ask(arg);
}

static void
tell(struct wallet *w)
{
	const struct telling *t;
	enum sp_status st;

	if (w->at == w->count) {
		round_end(w);
		return;
	}
	t = &w->list[w->at];
	if (!t->keep)
		ask(w);
	else if ((st = store_sheet_report(w->store, &t->sheet, &t->report, report_kept, w)) != SP_OK)
		round_fail(w, st, NULL);
}

/* ---- a round ---- */

static bool
is_open(const struct sheet_row *row, uint64_t now_ms)
{
	return !row->closed && row->valid_until_ms > now_ms;
}

static enum sp_status
take_sheets(struct wallet *w, const struct sheet_row *rows, size_t count)
{
	const struct sp_id zero = { { 0 } };
	uint64_t now = sp_clock_end_ms();

	if (!w->loaded && (w->starting = calloc(count + 1, sizeof(*w->starting))) == NULL)
		return SP_E_NOMEM;
	for (size_t i = 0; !w->loaded && i < count; i++)
		if (is_open(&rows[i], now))
			w->starting[w->nstarting++] = rows[i].id;
	w->loaded = true;
	w->closed = false;
	if ((w->list = calloc(count + 1, sizeof(*w->list))) == NULL)
		return SP_E_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct sheet_row *r = &rows[i];
		bool starts = is_starting(w, &r->id), known = starts && !sp_id_eq(&r->report, &zero);

		w->closed = w->closed || (r->closed && r->valid_until_ms > now);
		if (is_open(r, now) && (starts || r->next != r->reported))
			w->list[w->count++] = (struct telling){ .sheet = r->id, .report = known ? r->report : sp_id_new(),
				.epoch = r->epoch, .next = r->next, .starts = starts, .keep = starts && !known };
	}
	return SP_OK;
}

static void
loaded(void *arg, enum sp_status st, const struct sheet_row *rows, size_t count)
{
	struct wallet *w = arg;

	if (st == SP_OK)
		st = take_sheets(w, rows, count);
	if (st != SP_OK)
		round_fail(w, st, NULL);
	else
		tell(w);
}

static void
round_begin(struct wallet *w)
{
	enum sp_status st;

	if (w->running) {
		w->again = true;
		return;
	}
	sp_timer_stop(w->timer);
	w->running = true;
	w->again = false;
	w->now = w->later;
	w->later = NULL;
	w->status = SP_OK;
	w->why = (struct sp_why){ "" };
	if ((st = store_sheets(w->store, loaded, w)) != SP_OK) {
		/* not within the call that wanted it */
		w->running = false;
		w->later = w->now;
		w->now = NULL;
		sp_timer_set(w->timer, SOON_MS);
	}
}

/* ---- what others want ---- */

void
wallet_start(struct wallet *w)
{
	round_begin(w);
}

void
wallet_spent(struct wallet *w)
{
	if (w->running)
		w->again = true;
	else if (w->tries == 0)		/* else a round comes, anyway */
		sp_timer_set(w->timer, SOON_MS);
}

enum sp_status
wallet_report(struct wallet *w, wallet_done_fn *fn, void *arg)
{
	struct waiter *one = malloc(sizeof(*one));

	if (one == NULL)
		return SP_E_NOMEM;
	*one = (struct waiter){ w->later, fn, arg };
	w->later = one;
	if (!w->running)
		round_begin(w);
	return SP_OK;
}

bool
wallet_is_new(const struct wallet *w)
{
	return w != NULL && !w->asked;
}

bool
wallet_has_closed(const struct wallet *w)
{
	return w != NULL && w->closed;
}

void
wallet_forget(struct wallet *w, const void *arg)
{
	struct waiter **lists[2];

	if (w == NULL)
		return;
	lists[0] = &w->now;
	lists[1] = &w->later;
	for (size_t i = 0; i < 2; i++)
		for (struct waiter **at = lists[i], *one; (one = *at) != NULL;) {
			if (one->arg != arg) {
				at = &one->next;
				continue;
			}
			*at = one->next;
			free(one);
		}
}
