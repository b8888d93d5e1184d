/*
 * ask.c - what an enrolled station asks of the directory: its roster, and the certificates of others.
 */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/member/member_in.h"

#define LOOKUP_CERTS 64		/* stations of one person that are taken */

/* One question under way; in the station's list. */
struct ask {
	struct sp_work work;		/* first: writing the roster */
	struct member *station;
	struct ask *next;
	struct sp_id id;
	bool asked;			/* the client will call back */
	struct sp_timer *timer;		/* owned: to fail from the loop */
	enum sp_status st;
	struct sp_why why;
	struct sp_buf roster, issuers;	/* owned: to be written */
	member_done_fn *done;		/* roster; may be NULL */
	member_lookup_fn *looked_up;	/* lookup */
	void *arg;
};

void
ask_free(struct ask *a)
{
	struct member *s = a->station;
	struct ask **at = &s->asks;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	if (a->asked)
		sp_client_cancel(s->client, &a->id);
	sp_timer_free(a->timer);
	sp_buf_done(&a->roster);
	sp_buf_done(&a->issuers);
	free(a);
}

static void
ask_end(struct ask *a, enum sp_status st, const struct sp_why *why, const struct sp_span *certs, size_t count)
{
	member_lookup_fn *looked_up = a->looked_up;
	member_done_fn *done = a->done;
	struct sp_why words = *why;
	void *arg = a->arg;

	ask_free(a);
	if (looked_up != NULL)
		looked_up(arg, st, &words, certs, count);
	else if (done != NULL)
		done(arg, st, &words);
}

static void
failed(void *arg)
{
	struct ask *a = arg;

	ask_end(a, a->st, &a->why, NULL, 0);
}

static struct ask *
ask_new(struct member *s, void *arg)
{
	struct ask *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	*a = (struct ask){ .station = s, .next = s->asks, .id = sp_id_new(), .arg = arg };
	s->asks = a;
	if ((a->timer = sp_timer_new(s->loop, failed, a)) == NULL) {
		ask_free(a);
		return NULL;
	}
	return a;
}

/* ---- the client ---- */
static size_t
split(char *text, const char **out, size_t max)
{
	size_t n = 0;
	char *save = NULL;

	for (char *a = strtok_r(text, ",", &save); a != NULL && n < max; a = strtok_r(NULL, ",", &save))
		out[n++] = a;
	return n;
}

enum sp_status
services_client(struct member *s, enum sp_role role, const char *addresses, struct sp_client **ret_client,
    struct sp_why *why)
{
	struct sp_span chain[STATION_ISSUERS];
	const char *list[SP_CLIENT_ADDRESSES];
	struct sp_tls_identity identity = { .key = s->keys.sign, .cert = sp_buf_span(&s->cert), .chain = chain };
	struct sp_client_conf conf = { .role = role, .addresses = list, .identity = &identity,
	    .trust = s->trust };
	SP_AUTO_MEM char *text = strdup(addresses);

	if (text == NULL)
		return SP_E_NOMEM;
	for (size_t i = 0; i < member_issuers(s) && i < SP_CHAIN_MAX && i < STATION_ISSUERS; i++)
		chain[identity.nchain++] = member_issuer(s, i);
	conf.naddresses = split(text, list, SP_CLIENT_ADDRESSES);
	return sp_client_new(s->loop, s->resolver, &conf, ret_client, why);
}

/* Makes a client of the directory, or another one when its addresses have changed and nobody waits at the old one. */
static enum sp_status
have_client(struct member *s, struct sp_why *why)
{
	const char *addresses = member_service(s, "keyd");
	bool same = sp_span_eq(sp_buf_span(&s->client_addresses), sp_span_str(addresses)), used = false;

	for (const struct ask *a = s->asks; a != NULL; a = a->next)
		used |= a->asked;
	if (s->client != NULL && (same || used))
		return SP_OK;
	sp_client_free(s->client);
	s->client = NULL;
	sp_buf_clear(&s->client_addresses);
	sp_buf_add_text(&s->client_addresses, addresses);
	return services_client(s, SP_ROLE_KEYD, addresses, &s->client, why);
}

static void
ask_send(struct ask *a, unsigned type, const void *msg, sp_answer_fn *fn)
{
	struct member *s = a->station;

	if (!s->enrolled)
		a->st = sp_fail(SP_E_NOTENROLLED, &a->why, "this station is not enrolled yet");
	else if (member_service(s, "keyd")[0] == '\0')
		a->st = sp_fail(SP_E_CONNECT, &a->why, "no directory is known");
	else if ((a->st = have_client(s, &a->why)) == SP_OK)
		a->st = sp_client_ask(s->client, &a->id, type, msg, fn, a, &a->why);
	a->asked = a->st == SP_OK;
	if (!a->asked)
		sp_timer_set(a->timer, 0);
}

/* ---- roster ---- */
static void
write_roster(struct sp_work *work)
{
	struct ask *a = (struct ask *)work;
	const char *dir = a->station->dir;

	a->st = files_write(dir, "issuers.der", sp_buf_span(&a->issuers), &a->why);
	if (a->st == SP_OK)
		a->st = files_write(dir, "roster.bin", sp_buf_span(&a->roster), &a->why);
}

static void
roster_written(struct sp_work *work)
{
	struct ask *a = (struct ask *)work;

	if (a->st == SP_OK)
		a->st = roster_apply(a->station, sp_buf_span(&a->roster), &a->why);
	ask_end(a, a->st, &a->why, NULL, 0);
}

/* The station is being freed, and all its questions with it. */
static void
not_written(struct sp_work *work)
{
	(void)work;
}

static void
roster_came(void *arg, const struct sp_answer *answer)
{
	struct ask *a = arg;
	struct sp_msg_roster_is roster;
	enum sp_status st;

	a->asked = false;
	if ((a->st = sp_answer_read(answer, SP_MSG_ROSTER_IS, &roster, &a->why)) == SP_OK &&
	    (a->st = roster_judge(a->station, answer->body, &a->issuers, &a->why)) == SP_OK) {
		if (roster.time_ms > 0)
			sp_clock_told(roster.time_ms);
		sp_buf_add_span(&a->roster, answer->body);
		a->st = sp_buf_status(&a->roster);
	}
	a->work = (struct sp_work){ .run = write_roster, .done = roster_written, .dropped = not_written };
	/* Once submitted it is the worker's. */
	st = a->st == SP_OK ? sp_worker_submit(a->station->worker, &a->work) : a->st;
	if (st != SP_OK)
		ask_end(a, st, &a->why, NULL, 0);
}

void
member_refresh(struct member *s, member_done_fn *fn, void *arg)
{
	const struct sp_msg_roster roster = { 0 };
	struct ask *a = ask_new(s, arg);

	if (a == NULL) {
		if (fn != NULL)
			fn(arg, SP_E_NOMEM, &(struct sp_why){ "" });
		return;
	}
	a->done = fn;
	ask_send(a, SP_MSG_ROSTER, &roster, roster_came);
}

/* ---- lookup ---- */
static void
lookup_came(void *arg, const struct sp_answer *answer)
{
	struct ask *a = arg;
	struct sp_span certs[LOOKUP_CERTS];
	struct sp_msg_lookup_is found;
	struct sp_msg_cert_part part;
	struct sp_cursor c;
	size_t n = 0;

	a->asked = false;
	a->st = sp_answer_read(answer, SP_MSG_LOOKUP_IS, &found, &a->why);
	if (a->st == SP_OK) {
		c = sp_cursor(found.certs);
		while (n < LOOKUP_CERTS && sp_list_next(&c, sp_desc_msg(SP_MSG_CERT_PART), &part))
			certs[n++] = part.cert;
	}
	ask_end(a, a->st, &a->why, certs, n);
}

void
member_lookup(struct member *s, const char *name, member_lookup_fn *fn, void *arg)
{
	const struct sp_msg_lookup lookup = { .name = sp_span_str(name) };
	struct ask *a = ask_new(s, arg);

	if (a == NULL) {
		fn(arg, SP_E_NOMEM, &(struct sp_why){ "" }, NULL, 0);
		return;
	}
	a->looked_up = fn;
	ask_send(a, SP_MSG_LOOKUP, &lookup, lookup_came);
}
