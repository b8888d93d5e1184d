/*
 * lodge.c - the outbox of franks that could not be settled in their postmark's transaction: each is lodged with a creditd of the
 * domain until that has said what became of it. The postmark goes on stating "pending"; cert.v_receipt shows the answer.
 */
#include "certd/certd.h"
#include "certd/db.h"

#define LODGE_MS (60ull * 1000)	/* looks for franks that are due */
#define SLOTS 8			/* requests under way; a connection takes no more */

struct slot {
	struct lodgings *all;
	struct sp_client *client;	/* borrowed; NULL: free */
	struct sp_id request, number;
};

struct lodgings {
	struct certd *certd;		/* borrowed */
	struct sp_timer *timer;
	bool asking, again;		/* the database is asked; and is to be asked once more */
	struct slot slots[SLOTS];
};

enum sp_status
lodgings_new(struct certd *c, struct lodgings **ret_lodgings)
{
	struct lodgings *l = calloc(1, sizeof(*l));

	if (l == NULL || (l->timer = sp_timer_new(c->daemon.loop, lodgings_look, l)) == NULL) {
		free(l);
		return SP_E_NOMEM;
	}
	l->certd = c;
	for (size_t i = 0; i < SLOTS; i++)
		l->slots[i].all = l;
	*ret_lodgings = l;
	return SP_OK;
}

void
lodgings_free(struct lodgings *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		if (l->slots[i].client != NULL)
			sp_client_cancel(l->slots[i].client, &l->slots[i].request);
	sp_timer_free(l->timer);
	free(l);
}

static unsigned
free_slots(const struct lodgings *l)
{
	unsigned n = 0;

	for (size_t i = 0; i < SLOTS; i++)
		n += l->slots[i].client == NULL;
	return n;
}

/* Whether creditd has said what became of the frank; anything else is tried again. */
static bool
is_final(enum sp_status st)
{
	return st == SP_OK || st == SP_E_SPENT || st == SP_E_FRANK || st == SP_E_CONFLICT || st == SP_E_NOTFOUND;
}

static void
noted(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct certd *c = arg;

	(void)rows;
	if (st != SP_OK)
		sp_log_fail(SP_LOG_WARN, "lodging-not-noted", st, NULL);	/* it is lodged again, and once all the same */
	else if (c->lodgings != NULL && c->lodgings->again)
		sp_timer_set(c->lodgings->timer, 0);
}

static void
answered(void *arg, const struct sp_answer *answer)
{
	struct slot *s = arg;
	struct certd *c = s->all->certd;
	struct sp_msg_ok ok;
	struct sp_why why = { "" };
	char id[SP_ID_TEXT];
	enum sp_status st = sp_answer_read(answer, SP_MSG_OK, &ok, &why);
	bool final = st == SP_OK || (answer->from_server && is_final(st));

	s->client = NULL;
	sp_log(st == SP_OK ? SP_LOG_INFO : SP_LOG_WARN, "lodged", "number=%s status=%s final=%d", sp_id_text(&s->number, id),
	    sp_status_name(st), final);
	st = db_lodged(c->daemon.pg, &s->number, st, final, noted, c);
	if (st != SP_OK)
		sp_log_fail(SP_LOG_WARN, "lodging-not-noted", st, NULL);
}

static enum sp_status
lodge(struct slot *s, struct sp_client *client, const struct sp_pg_rows *rows, size_t row)
{
	const struct sp_msg_lodge m = { .receipt = sp_pg_get_bytes(rows, row, LODGING_RECEIPT),
		.offer = sp_pg_get_bytes(rows, row, LODGING_OFFER),
		.offer_signature = sp_pg_get_bytes(rows, row, LODGING_OFFER_SIGNATURE),
		.frank = sp_pg_get_bytes(rows, row, LODGING_FRANK),
		.frank_signature = sp_pg_get_bytes(rows, row, LODGING_FRANK_SIGNATURE),
		.sender_cert = sp_pg_get_bytes(rows, row, LODGING_SENDER_CERT) };
	struct sp_why why = { "" };
	enum sp_status st = db_id(rows, row, LODGING_NUMBER, &s->number);

	s->request = sp_id_new();
	if (st == SP_OK)
		st = sp_client_ask(client, &s->request, SP_MSG_LODGE, &m, answered, s, &why);
	if (st == SP_OK)
		s->client = client;
	else
		sp_log_fail(SP_LOG_ERR, "not-lodged", st, &why);
	return st;
}

static void
on_due(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct lodgings *l = ((struct certd *)arg)->lodgings;
	struct sp_client *client;
	size_t row = 0;

	if (l == NULL)
		return;		/* certd is ending */
	l->asking = false;
	if ((client = member_client(l->certd->daemon.member, SP_ROLE_CREDITD, NULL)) == NULL || st != SP_OK)
		return;
	for (size_t i = 0; i < SLOTS && row < sp_pg_count(rows); i++)
		if (l->slots[i].client == NULL)
			(void)lodge(&l->slots[i], client, rows, row++);
	if (row > 0)
		l->again = true;	/* when these are answered, there may be more */
	else if (l->again)
		sp_timer_set(l->timer, 0);
}

void
lodgings_look(void *arg)
{
	struct lodgings *l = arg;
	unsigned most = free_slots(l);

	sp_timer_set(l->timer, LODGE_MS);
	l->again = l->asking || most == 0;
	if (l->again || member_client(l->certd->daemon.member, SP_ROLE_CREDITD, NULL) == NULL)
		return;
	l->asking = db_lodging_due(l->certd->daemon.pg, most, on_due, l->certd) == SP_OK;
}
