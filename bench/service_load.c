/*
 * service_load.c - so many requests to a service, so many at a time, and how long they took: for bench/services.
 *
 * service_load lookup DIR CONNECTIONS COUNT NAME	keyd: who is this
 * service_load topup DIR CONNECTIONS COUNT ACCOUNT	creditd: one credit each
 * service_load postmark DIR CONNECTIONS COUNT SENDERDIR	certd: receipts of the station in DIR for a sender, made before the clock runs
 * service_load enrol DIR CONNECTIONS COUNT TOKENFILE	keyd: a station each, keys and files included; folders below DIR
 *
 * DIR is a folder as enrolment leaves it. Each connection has as many requests open as the protocol allows. Prints
 * "COUNT SECONDS", or what failed.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/crypto/cms.h"
#include "common/member/member.h"
#include "common/statements/offer.h"
#include "common/statements/receipt.h"

#define CONNECTIONS_MAX 64
#define ENROLMENTS 8		/* at a time and "connection": each has a connection of its own */

struct request {
	struct sp_buf offer, receipt;
	uint8_t signature[SP_SIGNATURE];
};

struct load;

struct worker {
	struct load *all;
	struct member *member;
	struct sp_client *client;
};

struct load {
	struct sp_loop *loop;
	struct worker workers[CONNECTIONS_MAX];
	size_t nworkers;
	enum sp_status (*next)(struct worker *w, size_t number, struct sp_why *why);
	const char *word;		/* NAME, ACCOUNT */
	struct member *sender;
	struct request *requests;	/* postmarks */
	struct sp_buf tokens;
	size_t count, begun, done;
	enum sp_status st;
	struct sp_why why;
};

static void
stop(struct load *l, enum sp_status st, const struct sp_why *why)
{
	if (l->st == SP_OK && st != SP_OK) {
		l->st = st;
		if (why != NULL)
			l->why = *why;
	}
	sp_loop_stop(l->loop);
}

static void
go_on(struct worker *w)
{
	struct load *l = w->all;
	struct sp_why why = { "" };
	enum sp_status st;

	if (l->begun >= l->count)
		return;
	st = l->next(w, l->begun++, &why);
	if (st != SP_OK)
		stop(l, st, &why);
}

static void
one_done(struct worker *w, enum sp_status st, const struct sp_why *why)
{
	struct load *l = w->all;

	if (st != SP_OK || ++l->done == l->count)
		stop(l, st, why);
	else
		go_on(w);
}

static void
answered(void *arg, const struct sp_answer *answer)
{
	one_done(arg, answer->status, &answer->why);
}

/* ---- what is asked ---- */

static enum sp_status
next_lookup(struct worker *w, size_t number, struct sp_why *why)
{
	const struct sp_msg_lookup m = { .name = sp_span_str(w->all->word) };
	const struct sp_id id = sp_id_new();

	(void)number;
	return sp_client_ask(w->client, &id, SP_MSG_LOOKUP, &m, answered, w, why);
}

static enum sp_status
next_topup(struct worker *w, size_t number, struct sp_why *why)
{
	const struct sp_msg_topup m = { .account = sp_span_str(w->all->word), .number = 1 };
	const struct sp_id id = sp_id_new();

	(void)number;
	return sp_client_ask(w->client, &id, SP_MSG_TOPUP, &m, answered, w, why);
}

static enum sp_status
next_postmark(struct worker *w, size_t number, struct sp_why *why)
{
	const struct request *r = &w->all->requests[number];
	const struct sp_msg_postmark m = { .receipt = sp_buf_span(&r->receipt), .offer = sp_buf_span(&r->offer),
		.offer_signature = sp_span(r->signature, SP_SIGNATURE), .sender_cert = member_cert(w->all->sender) };
	const struct sp_id id = sp_id_new();

	return sp_client_ask(w->client, &id, SP_MSG_POSTMARK, &m, answered, w, why);
}

/* A delivery of nothing that anybody keeps, offered and received. */
static enum sp_status
make_request(const struct load *l, const struct member *recipient, struct request *r, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	const struct sp_identity *from = member_identity(l->sender), *to = member_identity(recipient);
	char sender[SP_NAME_TEXT], receiver[SP_NAME_TEXT];
	struct sp_stmt_offer o = { .transfer = sp_id_new(), .sender = sp_span_str(sp_identity_text(from, sender)),
		.recipient = sp_span_str(sp_identity_text(to, receiver)), .recipient_cert = to->hash,
		.klass = SP_RECEIPT_POSTMARKED, .files = 1, .bytes = 1, .packet = 1 << 20, .manifest = { { 1 } },
		.title_hash = { { 2 } }, .time_ms = sp_clock_wall_ms(), .manifest_length = 100 };
	struct sp_receipt receipt = { .klass = o.klass, .transfer = o.transfer, .sender = from->name, .recipient = to->name,
		.sender_cert = from->hash, .recipient_cert = to->hash, .manifest = o.manifest,
		.received_s = sp_clock_wall_ms() / 1000, .files = 1, .bytes = 1 };
	enum sp_status st;

	st = sp_statement_sign(SP_STMT_OFFER, &o, member_key(l->sender), &r->offer, r->signature, &receipt.offer, why);
	if (st == SP_OK && (st = sp_receipt_encode(&receipt, &text, why)) == SP_OK)
		st = sp_cms_sign(member_key(recipient), member_cert(recipient), sp_buf_span(&text), &r->receipt, why);
	return st;
}

static enum sp_status
make_requests(struct load *l, const struct member *recipient, const char *sender_dir)
{
	enum sp_status st = member_open(l->loop, sender_dir, SP_ROLE_STATION, &l->sender, &l->why);

	l->requests = calloc(l->count, sizeof(*l->requests));
	if (l->requests == NULL)
		return SP_E_NOMEM;
	for (size_t i = 0; st == SP_OK && i < l->count; i++)
		st = make_request(l, recipient, &l->requests[i], &l->why);
	return st;
}

/* ---- enrolments: a member each ---- */

struct enrolment {
	struct worker *worker;
	struct member *member;
	struct sp_timer *later;		/* a member is not freed from its own callback */
	enum sp_status st;
	struct sp_why why;
};

static void
enrolment_over(void *arg)
{
	struct enrolment *e = arg;

	sp_timer_free(e->later);
	member_free(e->member);
	one_done(e->worker, e->st, &e->why);
	free(e);
}

static void
enrolled(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct enrolment *e = arg;

	e->st = st;
	if (why != NULL)
		e->why = *why;
	sp_timer_set(e->later, 0);
}

/* The number-th line of the file. */
static struct sp_span
token_at(const struct load *l, size_t number)
{
	struct sp_span rest = sp_buf_span(&l->tokens), line = { NULL, 0 };

	for (size_t i = 0; i <= number && rest.n > 0; i++) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		const size_t n = end != NULL ? (size_t)(end - rest.p) : rest.n;

		line = sp_span(rest.p, n);
		rest = end != NULL ? sp_span(end + 1, rest.n - n - 1) : sp_span(NULL, 0);
	}
	return line;
}

static enum sp_status
next_enrolment(struct worker *w, size_t number, struct sp_why *why)
{
	struct enrolment *e = calloc(1, sizeof(*e));
	const struct sp_span line = token_at(w->all, number);
	char dir[1024], token[1024];
	enum sp_status st;

	if (e == NULL || line.n == 0 || line.n >= sizeof(token)) {
		free(e);
		return sp_fail(SP_E_ARGUMENT, why, "there is no token number %zu", number + 1);
	}
	memcpy(token, line.p, line.n);
	token[line.n] = '\0';
	snprintf(dir, sizeof(dir), "%s/%zu", w->all->word, number);
	e->worker = w;
	e->later = sp_timer_new(w->all->loop, enrolment_over, e);
	st = e->later == NULL ? SP_E_NOMEM : member_open(w->all->loop, dir, SP_ROLE_STATION, &e->member, why);
	if (st != SP_OK) {
		sp_timer_free(e->later);
		free(e);
		return st;
	}
	member_enrol(e->member, token, enrolled, e);
	return SP_OK;
}

/* ---- the run ---- */

static const struct what {
	const char *name;
	enum sp_role role;
	enum sp_status (*next)(struct worker *w, size_t number, struct sp_why *why);
} whats[] = {
	{ "lookup", SP_ROLE_KEYD, next_lookup },
	{ "topup", SP_ROLE_CREDITD, next_topup },
	{ "postmark", SP_ROLE_CERTD, next_postmark },
	{ "enrol", SP_ROLE_NONE, next_enrolment },
};

static enum sp_status
open_workers(struct load *l, const struct what *what, const char *dir)
{
	enum sp_status st = SP_OK;

	for (size_t i = 0; st == SP_OK && i < l->nworkers; i++) {
		struct worker *w = &l->workers[i];

		w->all = l;
		if (what->role == SP_ROLE_NONE)
			continue;
		st = member_open(l->loop, dir, SP_ROLE_STATION, &w->member, &l->why);
		if (st == SP_OK && (w->client = member_client(w->member, what->role, &l->why)) == NULL)
			st = SP_E_NOTFOUND;
	}
	return st;
}

static enum sp_status
run(struct load *l, const struct what *what, char **words)
{
	const unsigned each = what->role == SP_ROLE_NONE ? ENROLMENTS : SP_FRAME_INFLIGHT;
	enum sp_status st = open_workers(l, what, words[0]);
	uint64_t from;

	l->next = what->next;
	l->word = what->role == SP_ROLE_NONE ? words[0] : words[3];
	if (st == SP_OK && what->role == SP_ROLE_CERTD)
		st = make_requests(l, l->workers[0].member, words[3]);
	if (st == SP_OK && what->role == SP_ROLE_NONE)
		st = sp_file_read(words[3], 64u << 20, &l->tokens, &l->why);
	if (st != SP_OK)
		return st;
	from = sp_clock_boot_ms();
	for (size_t i = 0; i < l->nworkers; i++)
		for (unsigned j = 0; j < each && l->st == SP_OK; j++)
			go_on(&l->workers[i]);
	st = sp_loop_run(l->loop);
	if (st == SP_OK && l->st == SP_OK)
		printf("%zu %.3f\n", l->done, (double)(sp_clock_boot_ms() - from) / 1000);
	return st == SP_OK ? l->st : st;
}

int
main(int argc, char **argv)
{
	struct load l = { .st = SP_OK };
	const struct what *what = NULL;
	uint64_t connections = 0, count = 0;
	enum sp_status st;

	for (size_t i = 0; argc == 6 && i < sizeof(whats) / sizeof(whats[0]); i++)
		if (strcmp(argv[1], whats[i].name) == 0)
			what = &whats[i];
	if (what == NULL || sp_parse_u64(sp_span_str(argv[3]), CONNECTIONS_MAX, &connections) != SP_OK || connections == 0 ||
	    sp_parse_u64(sp_span_str(argv[4]), 1000000, &count) != SP_OK || count == 0)
		return 2;
	l.nworkers = (size_t)connections;
	l.count = (size_t)count;
	if ((st = sp_loop_new(&l.loop, &l.why)) == SP_OK)
		st = run(&l, what, argv + 2);
	if (st != SP_OK)
		printf("%s %s\n", sp_status_name(st), l.why.text[0] != '\0' ? l.why.text : sp_status_text(st));
	for (size_t i = 0; i < l.nworkers; i++)
		member_free(l.workers[i].member);
	for (size_t i = 0; l.requests != NULL && i < l.count; i++) {
		sp_buf_done(&l.requests[i].offer);
		sp_buf_done(&l.requests[i].receipt);
	}
	free(l.requests);
	sp_buf_done(&l.tokens);
	member_free(l.sender);
	sp_loop_free(l.loop);
	return st == SP_OK ? 0 : 1;
}
