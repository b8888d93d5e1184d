/*
 * credit_answer.c - what creditd answers to a top-up: checked, booked once, and only then taken. Nothing counts but a signed
 * answer of a creditd in the roster to a request of ours that is open; all else is dropped and logged.
 */
#include "peerd/events/credit.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#define DROPS_A_MINUTE 20	/* that are kept in the log */

/* A creditd in the roster; NULL if there is none of this certificate: the roster is fetched once. */
static const struct member_service *
signer_of(struct live *l, const struct sp_hash *cert)
{
	const struct member_service *s = member_service_by_cert(l->all->parts.station, cert);

	if (s == NULL && !l->refreshed) {
		l->refreshed = true;
		member_refresh(l->all->parts.station, NULL, NULL);	/* the answer is asked for again by itself */
	}
	return s != NULL && s->identity.role == SP_ROLE_CREDITD ? s : NULL;
}

/* ---- booking ---- */

static void
booked(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct live *l = arg;
	struct sp_stmt_sheet sheet;

	live_go_on(l);
	if (st == SP_OK)
		st = sp_statement_read(SP_STMT_SHEET, sp_buf_span(&l->row->done), &sheet, NULL);
	if (st == SP_OK) {
		live_happens(l, CREDIT_ON_GRANTED, "%u credits granted", (unsigned)sheet.count);
		return;
	}
	sp_log_fail(SP_LOG_ERR, "credits-not-booked", st, why);
	if (l->done_in != NULL)
		post_ignore(l->all->parts.post, l->done_in);
	l->done_in = NULL;
	live_timer_again(l, &l->fetches, 1000, 60 * 1000, CREDIT_ON_TIMER);
	live_next(l);
}

static enum sp_status
book(struct live *l, const struct sp_sheet *sheet, const struct member_service *signer)
{
	struct sheet_row row = { .id = sheet->sheet, .hash = sheet->hash, .first = sheet->first, .count = sheet->count,
		.next = sheet->first, .epoch = sheet->epoch, .offline = sheet->offline,
		.valid_until_ms = sheet->valid_until_ms };
	enum sp_status st;

	/* copied by the store */
	row.statement = l->row->done;
	row.signature = l->row->done_signature;
	row.signer = signer->cert;
	sp_clock_signed(sheet->issued_ms);
	live_hold(l);
	if ((st = store_sheet_add(l->all->parts.store, &row, booked, l)) != SP_OK)
		live_go_on(l);
	return st;
}

static void
deny(struct live *l, enum sp_status reason)
{
	struct sp_why why = { "" };

	if (reason == SP_E_LIMIT)
		sp_why_set(&why, "the balance would go beyond its limit: spend some credits first");
	live_reason(l, reason != SP_OK ? reason : SP_E_REFUSED, &why);
	live_happens(l, CREDIT_ON_DENIED, "denied: %s", l->row->reason_text);
}

void
credit_take(struct live *l, const struct sp_credit_answer *answer, const struct member_service *signer,
    struct sp_span statement, struct sp_span signature, struct post_in *in)
{
	enum sp_status st = SP_E_NOMEM;

	if (l->done_in != NULL)
		post_ignore(l->all->parts.post, l->done_in);
	l->done_in = in;
	if (bytes_set(&l->row->done, statement) && bytes_set(&l->row->done_signature, signature))
		st = SP_OK;
	if (st == SP_OK && !answer->granted)
		deny(l, answer->reason);
	else if (st == SP_OK)
		st = book(l, &answer->sheet, signer);
	if (st == SP_OK)
		return;
	sp_log_fail(SP_LOG_ERR, "credits-not-booked", st, NULL);
	if (in != NULL)
		post_ignore(l->all->parts.post, in);
	l->done_in = NULL;
	live_timer_again(l, &l->fetches, 1000, 60 * 1000, CREDIT_ON_TIMER);
}

/* ---- CREDIT_ANSWER ---- */

/* Bounded: whoever holds a certificate of the domain can write as often as it likes. */
static void
drop(struct events *e, struct post_in *in, enum sp_status st, const struct sp_why *why)
{
	if (sp_minute_allows(&e->credit_drops, DROPS_A_MINUTE))
		sp_log_fail(SP_LOG_WARN, "credit-answer-refused", st, why);
	post_ignore(e->parts.post, in);
}

/* Answers to requests that have ended are told so, to all others that there is no such request. */
struct looking {
	struct events *all;
	struct post_in *in;
};

static void
looked_up(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct looking *k = arg;
	bool ours = false;

	for (size_t i = 0; st == SP_OK && i < count; i++)
		ours = ours || rows[i]->kind == EVENT_CREDIT;
	if (st == SP_OK)
		sp_log(SP_LOG_INFO, "credit-answer-again", "from=%s known=%s", k->in->from_name, ours ? "yes" : "no");
	if (st == SP_OK)
		events_answer(k->all, k->in, ours ? SP_OK : SP_E_NOTFOUND);
	else
		post_ignore(k->all->parts.post, k->in);
	event_rows_free(rows, count);
	free(k);
}

static void
not_open(struct events *e, struct post_in *in, const struct sp_id *request)
{
	struct looking *k = malloc(sizeof(*k));
	char id[SP_ID_TEXT];

	if (k != NULL)
		*k = (struct looking){ e, in };
	if (k != NULL && store_event_find(e->parts.store, sp_id_text(request, id), looked_up, k) == SP_OK)
		return;
	free(k);
	post_ignore(e->parts.post, in);
}

/* The request that a statement says it answers; nothing is proved by it. */
static enum sp_status
request_of(struct sp_span statement, struct sp_id *ret_request, struct sp_why *why)
{
	struct sp_stmt_sheet sheet;
	struct sp_stmt_denial denial;
	bool granted = sp_statement_purpose(statement) == SP_STMT_SHEET;
	enum sp_status st = granted ? sp_statement_read(SP_STMT_SHEET, statement, &sheet, why) :
	    sp_statement_read(SP_STMT_DENIAL, statement, &denial, why);

	if (st == SP_OK)
		*ret_request = granted ? sheet.request : denial.request;
	return st;
}

/* Is the sheet this station's own, and not more than it asked for? */
static enum sp_status
check_sheet(const struct live *l, const struct sp_credit_answer *a, struct sp_why *why)
{
	char named[SP_NAME_TEXT], own[SP_NAME_TEXT];

	if (!a->granted)
		return SP_OK;
	sp_name_text(&a->sheet.station, named);
	if (strcmp(named, sp_identity_text(member_identity(l->all->parts.station), own)) != 0)
		return sp_fail(SP_E_IDENTITY, why, "the sheet is for %s", named);
	if (a->sheet.count > l->row->price)
		return sp_fail(SP_E_RANGE, why, "%u credits were granted, %u asked for", (unsigned)a->sheet.count,
		    (unsigned)l->row->price);
	return SP_OK;
}

enum sp_status
credit_check(struct live *l, struct sp_span statement, struct sp_span signature, const struct sp_hash *cert,
    const struct member_service **ret_signer, struct sp_credit_answer *ret_answer, struct sp_why *why)
{
	const struct member_service *signer = signer_of(l, cert);
	const char *domain = member_identity(l->all->parts.station)->name.domain;
	struct sp_credit_answer a;
	enum sp_status st;

	if (signer == NULL)
		return sp_fail(SP_E_CERT, why, "no creditd of this certificate is in the roster");
	if (strcmp(signer->identity.name.domain, domain) != 0)
		return sp_fail(SP_E_DOMAIN, why, "it is a creditd of another domain");
	if ((st = sp_credit_answer_open(statement, signature, &signer->identity, &a, why)) != SP_OK)
		return st;
	if (!sp_id_eq(&a.request, &l->row->id))
		return sp_fail(SP_E_MISMATCH, why, "it answers another request");
	if ((st = check_sheet(l, &a, why)) != SP_OK)
		return st;
	*ret_signer = signer;
	*ret_answer = a;
	return SP_OK;
}

static void
on_credit_answer(void *arg, struct post_in *in)
{
	struct events *e = arg;
	const struct member_service *signer;
	struct sp_msg_credit_answer m;
	struct sp_credit_answer a;
	struct sp_id request;
	struct sp_why why = { "" };
	struct live *l = NULL;
	enum sp_status st = sp_decode(sp_desc_msg(SP_MSG_CREDIT_ANSWER), in->body, &m, &why);

	if (st == SP_OK && in->from->identity.role != SP_ROLE_CREDITD)
		st = sp_fail(SP_E_ROLE, &why, "%s is no creditd", in->from_name);
	if (st == SP_OK)
		st = request_of(m.statement, &request, &why);
	if (st != SP_OK) {
		drop(e, in, st, &why);
		return;
	}
	if ((l = live_find(e, &request, EVENT_CREDIT, NULL)) == NULL) {
		not_open(e, in, &request);
		return;
	}
	if (l->saving || l->moving != NULL || !live_heeds(l, CREDIT_ON_GRANTED)) {
		post_ignore(e->parts.post, in);		/* it comes again when we can take it */
		return;
	}
	if ((st = credit_check(l, m.statement, m.signature, &m.signer, &signer, &a, &why)) != SP_OK)
		drop(e, in, st, &why);
	else
		credit_take(l, &a, signer, m.statement, m.signature, in);
}

void
credit_start(struct events *e)
{
	post_on(e->parts.post, SP_MSG_CREDIT_ANSWER, on_credit_answer, e);
}
