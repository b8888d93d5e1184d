/*
 * receive_frank.c - how a recipient is paid: the frank of an accepted offer is checked without asking any service – its sheet,
 * if it is not known yet, is asked of the sender – and noted before any data is read. And the other side of it: a sheet of
 * ours for whoever was sent a frank.
 */
#include "peerd/events/receive.h"

#include "common/base/clock.h"
#include "common/base/log.h"

bool
receive_is_due(const struct events *e, uint64_t bytes)
{
	return sp_tariff_price(member_tariff(e->parts.station), bytes) > 0;
}

/* ---- sheets of others ---- */
static const struct sp_sheet *
find_sheet(const struct events *e, const struct sp_hash *hash)
{
	for (size_t i = 0; e->sheets != NULL && i < SP_FRANK_SHEETS; i++)
		if (sp_hash_eq(&e->sheets[i].hash, hash))
			return &e->sheets[i];
	return NULL;
}

static void
keep_sheet(struct events *e, const struct sp_sheet *sheet)
{
	if (e->sheets == NULL && (e->sheets = calloc(SP_FRANK_SHEETS, sizeof(*e->sheets))) == NULL)
		return;
	e->sheets[e->next_sheet] = *sheet;
	e->next_sheet = (e->next_sheet + 1) % SP_FRANK_SHEETS;
}

void
receive_frank_done(struct events *e)
{
	free(e->sheets);
}

/* ---- a frank ---- */
/* The frank comes again: its sender has no answer. */
static void
unanswer(struct live *l)
{
	post_ignore(l->all->parts.post, l->frank_in);
	l->frank_in = NULL;
}

/* Refused for good; the sender learns it by the answer. */
static void
refuse(struct live *l, enum sp_status st, const struct sp_why *why)
{
	struct post_in *in = l->frank_in;
	SP_AUTO_DONE(sp_buf) note = { 0 };

	l->frank_in = NULL;
	sp_log_fail(SP_LOG_WARN, "frank-refused", st, why);
	if (why != NULL && why->text[0] != 0) {
		sp_buf_addf(&note, "the frank is refused: %s", why->text);
		live_note(l, sp_buf_span(&note));
	}
	receive_turn_down(l, in, st == SP_E_SPENT ? SP_E_SPENT : SP_E_FRANK);
}

static void
taken(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct live *l = arg;
	struct sp_msg_frank_letter m;

	live_go_on(l);
	if (st == SP_E_SPENT) {
		refuse(l, st, why);
		return;
	}
	if (st == SP_OK)
		st = sp_decode(sp_desc_msg(SP_MSG_FRANK_LETTER), l->frank_in->body, &m, NULL);
	if (st == SP_OK && (!bytes_set(&l->row->frank, m.statement) || !bytes_set(&l->row->frank_signature, m.signature)))
		st = SP_E_NOMEM;
	if (st == SP_OK) {
		live_happens(l, RECEIVE_ON_PAID, "paid with %u credits", l->frank.price);
		return;
	}
	sp_log_fail(SP_LOG_ERR, "frank-not-noted", st, why);
	unanswer(l);
	live_next(l);
}

static void
check(struct live *l, const struct sp_sheet *sheet)
{
	const struct correspondent *from = book_by_cert(l->all->parts.book, &l->peer_cert);
	struct sp_stmt_offer offer;
	struct sp_why why = { "" };
	enum sp_status st = from != NULL ? SP_OK : SP_E_NOKEY;

	if (st == SP_OK)
		st = sp_statement_read(SP_STMT_OFFER, sp_buf_span(&l->row->offer), &offer, &why);
	if (st == SP_OK)
		st = sp_frank_pays(&l->frank, &l->offer_hash, offer.bytes, offer.price,
		    &member_identity(l->all->parts.station)->hash, &from->identity, sheet, sp_clock_end_ms(), &why);
	if (st != SP_OK) {
		if (sp_clock_end_ms() > sp_clock_wall_ms())
			events_refresh(l->all);		/* it may be the mark that is wrong: keyd says so */
		refuse(l, st, &why);
		return;
	}
	live_hold(l);
	st = store_frank_take(l->all->parts.store, &l->frank.sheet, l->frank.serials, l->frank.count, &l->row->id,
	    l->row->peer, taken, l);
	if (st != SP_OK)
		taken(l, st, NULL);
}

/* The sheet that came: is it the one that the frank names, by a creditd of our domain? SP_E_NOKEY: its certificate is not
 * here. */
static enum sp_status
open_sheet(struct live *l, const struct sp_msg_thing *thing, struct sp_sheet *ret_sheet, struct sp_why *why)
{
	const struct member_service *signer = member_service_by_cert(l->all->parts.station, &thing->signer);
	enum sp_status st;

	if (thing->kind != 2 || thing->signature.n == 0)
		return sp_fail(SP_E_FRANK, why, "the sender has sent something else than the sheet");
	if (signer == NULL)
		return sp_fail(SP_E_NOKEY, why, "the sheet is signed by a creditd that is not known here");
	if ((st = sp_sheet_open(thing->bytes, thing->signature, &signer->identity, ret_sheet, why)) != SP_OK)
		return st;
	return sp_hash_eq(&ret_sheet->hash, &l->frank.sheet) ? SP_OK :
	    sp_fail(SP_E_FRANK, why, "the sender has sent another sheet than its frank names");
}

/* An answer to one of our GETs: false if there is nothing to go on with (the frank comes again). */
static bool
read_thing(struct live *l, enum sp_status st, const struct sp_why *why, const struct post_answer *answer,
    struct sp_msg_thing *ret_thing)
{
	struct sp_why bad = { "" };

	l->letter = 0;
	if (l->frank_in == NULL)
		return false;
	if (st != SP_OK || l->saving || l->moving != NULL || !live_heeds(l, RECEIVE_ON_PAID)) {
		sp_log_fail(SP_LOG_INFO, "sheet-not-here", st, why);
		unanswer(l);
		return false;
	}
	if (answer->type != SP_MSG_THING)
		st = sp_fail(SP_E_FRANK, &bad, "the sender does not have the sheet that its frank names");
	else
		st = sp_decode(sp_desc_msg(SP_MSG_THING), answer->body, ret_thing, &bad);
	if (st != SP_OK)
		refuse(l, st, &bad);
	return st == SP_OK;
}

static void
sheet_opened(struct live *l, enum sp_status st, const struct sp_sheet *sheet, const struct sp_why *why)
{
	if (st != SP_OK) {
		refuse(l, st, why);
		return;
	}
	keep_sheet(l->all, sheet);
	check(l, sheet);
}

/* A creditd that is not in our share of the roster: whoever has a sheet of its has its certificate. */
static void
signer_answered(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct live *l = arg;
	struct sp_msg_thing thing, cert;
	struct sp_sheet sheet;
	struct sp_why bad = { "" };

	if (!read_thing(l, st, why, answer, &cert))
		return;
	if (cert.kind != 1)
		st = sp_fail(SP_E_NOKEY, &bad, "the sheet is signed by a creditd that is not known here");
	else if ((st = member_learn_service(l->all->parts.station, cert.bytes, &bad)) == SP_OK &&
	    (st = sp_decode(sp_desc_msg(SP_MSG_THING), sp_buf_span(&l->sheet_in), &thing, &bad)) == SP_OK)
		st = open_sheet(l, &thing, &sheet, &bad);
	sheet_opened(l, st, &sheet, &bad);
}

static void
sheet_answered(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct live *l = arg;
	struct sp_msg_thing thing;
	struct sp_msg_get get;
	struct sp_sheet sheet;
	struct sp_why bad = { "" };

	if (!read_thing(l, st, why, answer, &thing))
		return;
	st = open_sheet(l, &thing, &sheet, &bad);
	if (st != SP_E_NOKEY) {
		sheet_opened(l, st, &sheet, &bad);
		return;
	}
	get.hash = thing.signer;
	if (!bytes_set(&l->sheet_in, answer->body) || !live_ask(l, false, SP_MSG_GET, &get, signer_answered))
		unanswer(l);
}

/* There may be no connection at the moment; the next accept does not hold. */
static void
release_data(const struct live *l)
{
	enum sp_status st = data_release(l->all->pool, &l->row->id, l->generation);

	if (st != SP_OK && st != SP_E_NOTFOUND)
		sp_log_fail(SP_LOG_ERR, "not-released", st, NULL);
}

/* A frank for an event that waits for it. */
static void
take(struct live *l, struct post_in *in, const struct sp_msg_frank_letter *m)
{
	const struct sp_sheet *sheet;
	struct sp_msg_get get;
	struct sp_why why = { "" };
	enum sp_status st;

	if (sp_span_eq(sp_buf_span(&l->row->frank), m->statement)) {
		release_data(l);
		events_answer(l->all, in, SP_OK);
		return;
	}
	if (l->frank_in != NULL || l->letter != 0) {
		post_ignore(l->all->parts.post, in);
		return;
	}
	l->frank_in = in;
	if ((st = sp_frank_open(m->statement, m->signature, &in->from->identity, &l->frank, &why)) != SP_OK) {
		refuse(l, st, &why);
	} else if ((sheet = find_sheet(l->all, &l->frank.sheet)) != NULL) {
		check(l, sheet);
	} else {
		get.hash = l->frank.sheet;
		if (!live_ask(l, false, SP_MSG_GET, &get, sheet_answered))
			unanswer(l);
	}
}

static void
on_frank(void *arg, struct post_in *in)
{
	struct events *e = arg;
	struct sp_msg_frank_letter m;
	struct sp_stmt_frank frank;
	struct sp_why why = { "" };
	struct live *l;

	if (sp_decode(sp_desc_msg(SP_MSG_FRANK_LETTER), in->body, &m, &why) != SP_OK ||
	    sp_statement_read(SP_STMT_FRANK, m.statement, &frank, &why) != SP_OK) {
		sp_log_fail(SP_LOG_INFO, "frank-malformed", SP_E_FORMAT, &why);
		events_answer(e, in, SP_E_FORMAT);
		return;
	}
	l = live_by_offer(e, EVENT_RECEIVE, &frank.offer, &in->from_cert);
	if (l == NULL)
		events_answer(e, in, SP_E_NOTFOUND);
	else if (l->saving || l->moving != NULL)
		post_ignore(e->parts.post, in);		/* it comes again */
	else if (live_heeds(l, RECEIVE_ON_PAID))
		take(l, in, &m);
	else
		events_answer(e, in, l->row->frank.len > 0 ? SP_OK : SP_E_STATE);
}

void
receive_release(struct live *l)
{
	release_data(l);
	if (l->frank_in != NULL)
		events_answer(l->all, l->frank_in, SP_OK);
	l->frank_in = NULL;
}

/* ---- our own sheets, for recipients of our franks, and the certificates of those who signed them ---- */
struct asked {
	struct events *all;
	struct post_in *in;
	struct sp_hash hash;
};

static void
signers(void *arg, enum sp_status st, const struct sheet_row *rows, size_t count)
{
	struct asked *a = arg;
	struct sp_msg_thing thing = { .kind = 1 };
	struct sp_hash hash;

	for (size_t i = 0; st == SP_OK && i < count && thing.bytes.n == 0; i++) {
		sp_sha256(sp_buf_span(&rows[i].signer), &hash);
		if (sp_hash_eq(&hash, &a->hash))
			thing.bytes = sp_buf_span(&rows[i].signer);
	}
	if (thing.bytes.n > 0)
		post_reply(a->all->parts.post, a->in, SP_MSG_THING, &thing);
	else
		events_answer(a->all, a->in, st != SP_OK ? st : SP_E_NOTFOUND);
	free(a);
}

static void
found(void *arg, enum sp_status st, const struct sheet_row *rows, size_t count)
{
	struct asked *a = arg;
	struct sp_msg_thing thing = { .kind = 2 };

	if (st == SP_OK && count == 0 && store_sheets(a->all->parts.store, signers, a) == SP_OK)
		return;
	if (st == SP_OK && count > 0) {
		thing.bytes = sp_buf_span(&rows[0].statement);
		thing.signature = sp_buf_span(&rows[0].signature);
		sp_sha256(sp_buf_span(&rows[0].signer), &thing.signer);
		post_reply(a->all->parts.post, a->in, SP_MSG_THING, &thing);
	} else {
		events_answer(a->all, a->in, st != SP_OK ? st : SP_E_FULL);
	}
	free(a);
}

static void
on_get(void *arg, struct post_in *in)
{
	struct events *e = arg;
	struct asked *a = malloc(sizeof(*a));
	struct sp_msg_get get;

	if (a != NULL && sp_decode(sp_desc_msg(SP_MSG_GET), in->body, &get, NULL) == SP_OK) {
		*a = (struct asked){ e, in, get.hash };
		if (store_sheet_find(e->parts.store, &get.hash, found, a) == SP_OK)
			return;
	}
	free(a);
	post_ignore(e->parts.post, in);
}

void
receive_frank_start(struct events *e)
{
	post_on(e->parts.post, SP_MSG_FRANK_LETTER, on_frank, e);
	post_on(e->parts.post, SP_MSG_GET, on_get, e);
}
