/*
 * notice.c - tells senders that their postmark is there: a letter with its number to the address in the signed offer, three at
 * most, counted in the database before each is sent. A hint only: a sender that gets none asks by itself.
 */
#include <stdio.h>

#include "certd/certd.h"
#include "certd/db.h"
#include "common/daemon/caller.h"

#define NOTICE_MS (60ull * 1000)	/* looks for letters that are due */
#define CALLS_MOST 256			/* under way */

struct notices {
	struct certd *certd;		/* borrowed */
	struct sp_caller *caller;
	struct sp_timer *timer;
	bool asking, again;		/* the database is asked; and is to be asked once more */
	unsigned calling;
};

/* A letter under way. */
struct notice {
	struct certd *certd;		/* borrowed; its notices may be gone when an answer comes */
	struct sp_id number, transfer;
};

enum sp_status
notices_new(struct certd *c, struct notices **ret_notices, struct sp_why *why)
{
	struct notices *n = calloc(1, sizeof(*n));
	enum sp_status st;

	if (n == NULL)
		return SP_E_NOMEM;
	n->certd = c;
	n->timer = sp_timer_new(c->daemon.loop, notices_look, n);
	st = n->timer != NULL ? sp_caller_new(c->daemon.loop, c->daemon.member, &n->caller, why) : SP_E_NOMEM;
	if (st == SP_OK)
		*ret_notices = n;
	else
		notices_free(n);
	return st;
}

void
notices_free(struct notices *n)
{
	if (n == NULL)
		return;
	sp_timer_free(n->timer);
	n->timer = NULL;
	sp_caller_free(n->caller);	/* ends what is under way */
	free(n);
}

static void
noted(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	(void)rows;
	if (st != SP_OK)
		sp_log_fail(SP_LOG_WARN, "told-not-noted", st, NULL);
	free(arg);
}

static void
called(void *arg, enum sp_status st)
{
	struct notice *t = arg;
	struct notices *n = t->certd->notices;
	char id[SP_ID_TEXT];

	n->calling--;
	sp_log(SP_LOG_INFO, "called-back", "transfer=%s status=%s", sp_id_text(&t->transfer, id), sp_status_name(st));
	if (st != SP_OK || db_notice_told(t->certd->daemon.pg, &t->number, noted, t) != SP_OK)
		free(t);
	if (n->again && n->timer != NULL)
		sp_timer_set(n->timer, 0);
}

/* One letter of a row. What is wrong with it is wrong the next time, too: it counts as sent. */
static enum sp_status
call(struct notices *n, const struct sp_pg_rows *rows, size_t row)
{
	struct sp_span host = sp_pg_get_bytes(rows, row, NOTICE_HOST);
	struct sp_msg_receipt_ready m;
	struct sp_identity sender;
	struct notice *t;
	char where[SP_HOSTPORT_TEXT];
	enum sp_status st;

	if (host.n == 0 || host.n > SP_HOST_MAX)
		return SP_E_FORMAT;
	sp_hostport_text(host, (uint16_t)sp_pg_get_int(rows, row, NOTICE_PORT), where);
	if ((st = db_id(rows, row, NOTICE_NUMBER, &m.number)) != SP_OK ||
	    (st = db_id(rows, row, NOTICE_TRANSFER, &m.transfer)) != SP_OK ||
	    (st = sp_identity_read(sp_pg_get_bytes(rows, row, NOTICE_CERT), &sender, NULL)) != SP_OK)
		return st;
	if (!sender.has_keys)
		return SP_E_IDENTITY;
	if ((t = malloc(sizeof(*t))) == NULL)
		return SP_E_NOMEM;
	*t = (struct notice){ .certd = n->certd, .number = m.number, .transfer = m.transfer };
	st = sp_call(n->caller, sender.letter_key, where, SP_MSG_RECEIPT_READY, &m, called, t, NULL);
	if (st == SP_OK)
		n->calling++;
	else
		free(t);
	return st;
}

static void
on_due(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct notices *n = ((struct certd *)arg)->notices;

	if (n == NULL)
		return;		/* certd is ending */
	n->asking = false;
	for (size_t i = 0; st == SP_OK && i < sp_pg_count(rows); i++) {
		enum sp_status one = call(n, rows, i);

		if (one != SP_OK)
			sp_log_fail(SP_LOG_INFO, "not-called-back", one, NULL);
	}
	if (n->calling >= CALLS_MOST)
		n->again = true;	/* there may be more */
	else if (n->again)
		sp_timer_set(n->timer, 0);
}

void
notices_look(void *arg)
{
	struct notices *n = arg;

	sp_timer_set(n->timer, NOTICE_MS);
	n->again = n->asking || n->calling >= CALLS_MOST;
	if (n->again)
		return;
	n->asking = db_notice_due(n->certd->daemon.pg, CALLS_MOST - n->calling, on_due, n->certd) == SP_OK;
}
