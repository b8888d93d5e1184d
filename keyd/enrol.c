/*
 * enrol.c - ENROL_BEGIN and ENROL: how a stranger with an invitation becomes a station or service.
 *
 * A request goes: signers check the proof, the database finds the invitation, signers sign, the database stores; only
 * then the certificate is answered. Nothing is kept between the steps but the struct here; a crash anywhere leaves
 * either an invitation not used or a stored certificate that the same request gets again.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "keyd/challenge.h"
#include "keyd/db.h"
#include "keyd/guesses.h"
#include "keyd/keyd.h"

/* ---- who may try ---- */

static void
was_no_guess(struct keyd *k, const struct sp_request *rq)
{
	guesses_give(k->guesses, sp_request_addr(rq), sp_clock_boot_ms());
}

/* Its network was wrong too often, or asks too much at once: told to come back, before it costs a signer or the database anything. */
static bool
may_try(struct keyd *k, struct sp_request *rq)
{
	char from[SP_ADDR_TEXT];
	unsigned held;

	if (guesses_take(k->guesses, sp_request_addr(rq), sp_clock_boot_ms()))
		return true;
	if (sp_log_pass(&k->limits, &held))
		sp_log(SP_LOG_WARN, "enrol-limited", "from=%s held=%u", sp_addr_text(sp_request_addr(rq), from), held);
	sp_daemon_fail(rq, SP_E_BUSY, NULL);
	return false;
}

/* ---- ENROL_BEGIN ---- */

struct beginning {
	struct sp_work work;
	struct keyd *keyd;		/* borrowed */
	struct sp_request *rq;		/* owned until answered; the loop's */
	uint8_t exporter[SP_EXPORTER], letter_key[SP_X25519], age_key[SP_X25519];
	uint8_t letter[CHALLENGE_SEALED], age[CHALLENGE_SEALED];
	enum sp_status st;
};

static void
begin_run(struct sp_work *work)
{
	struct beginning *b = (struct beginning *)work;

	b->st = challenge_seal(b->keyd->challenge_secret, b->exporter, b->letter_key, b->age_key, b->letter, b->age);
}

static void
begin_done(struct sp_work *work)
{
	struct beginning *b = (struct beginning *)work;
	const struct sp_msg_enrol_challenge answer = { .letter = sp_span(b->letter, sizeof(b->letter)),
		.age = sp_span(b->age, sizeof(b->age)), .domain = sp_span_str(b->keyd->settings->domain) };

	was_no_guess(b->keyd, b->rq);
	if (b->st == SP_OK)
		sp_request_answer(b->rq, SP_MSG_ENROL_CHALLENGE, &answer);
	else
		sp_daemon_fail(b->rq, b->st, NULL);
	free(b);
}

static void
begin_dropped(struct sp_work *work)
{
	struct beginning *b = (struct beginning *)work;

	was_no_guess(b->keyd, b->rq);
	sp_daemon_fail(b->rq, SP_E_CANCELLED, NULL);
	free(b);
}

void
on_enrol_begin(void *arg, struct sp_request *rq)
{
	struct keyd *k = arg;
	struct sp_msg_enrol_begin msg;
	struct beginning *b;
	enum sp_status st;

	if (sp_request_read(rq, &msg) != SP_OK || !may_try(k, rq))
		return;
	if ((b = calloc(1, sizeof(*b))) == NULL) {
		was_no_guess(k, rq);
		sp_daemon_fail(rq, SP_E_NOMEM, NULL);
		return;
	}
	*b = (struct beginning){ .work = { begin_run, begin_done, begin_dropped }, .keyd = k, .rq = rq };
	memcpy(b->letter_key, msg.letter_key.p, sizeof(b->letter_key));
	memcpy(b->age_key, msg.age_key.p, sizeof(b->age_key));
	sp_request_exporter(rq, b->exporter);
	if ((st = sp_worker_submit(k->daemon.workers, &b->work)) != SP_OK) {
		was_no_guess(k, rq);
		sp_daemon_fail(rq, st, NULL);
		free(b);
	}
}

/* ---- ENROL ---- */

struct enrolment {
	struct sp_work work;
	struct keyd *keyd;		/* borrowed */
	struct sp_request *rq;		/* owned until answered; the loop's */
	uint8_t exporter[SP_EXPORTER], proof[SP_SIGNATURE];
	struct sp_enrol_keys keys;
	struct sp_hash secret, request;	/* SHA-256 of the secret; the request's identity */
	struct sp_identity id;		/* what the invitation says, then what was signed */
	struct sp_buf cert;
	enum sp_status st;
	struct sp_why why;
};

static void
enrolment_free(struct enrolment *e)
{
	sp_buf_done(&e->cert);
	free(e);
}

/* The end without a certificate. Somebody can cause this at will, so not every one is logged. */
static void
refuse(struct enrolment *e, enum sp_status st)
{
	char from[SP_ADDR_TEXT];
	unsigned held;

	if (sp_status_class(st) == SP_CLASS_RETRY || st == SP_E_CANCELLED)
		was_no_guess(e->keyd, e->rq);
	else if (sp_log_pass(&e->keyd->refusals, &held))
		sp_log(SP_LOG_INFO, "enrol-refused", "from=%s status=%s reason=\"%s\" held=%u",
		    sp_addr_text(sp_request_addr(e->rq), from), sp_status_name(st), e->why.text, held);
	sp_daemon_fail(e->rq, st, e->why.text[0] != 0 ? &e->why : NULL);
	enrolment_free(e);
}

static void
dropped(struct sp_work *work)
{
	refuse((struct enrolment *)work, SP_E_CANCELLED);
}

static void
give(struct enrolment *e, struct sp_span cert)
{
	const struct sp_msg_enrolled answer = { .cert = cert };

	was_no_guess(e->keyd, e->rq);
	sp_request_answer(e->rq, SP_MSG_ENROLLED, &answer);
	enrolment_free(e);
}

static void
submit(struct enrolment *e, void (*run)(struct sp_work *), void (*done)(struct sp_work *))
{
	enum sp_status st;

	e->work = (struct sp_work){ run, done, dropped };
	if ((st = sp_worker_submit(e->keyd->daemon.workers, &e->work)) != SP_OK)
		refuse(e, st);
}

/* Step 4: it is stored; which certificate counts is the database's word. */
static void
stored(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct enrolment *e = arg;
	char name[SP_NAME_TEXT], hash[65];

	if (st == SP_OK)
		st = sp_daemon_status(rows, 0, STORE_STATUS);
	if (st == SP_E_TOKEN)
		(void)sp_fail(st, &e->why, "the invitation was used a moment ago with other keys");
	if (st == SP_E_CONFLICT)
		(void)sp_fail(st, &e->why, "one of these keys has been certified before; make new ones");
	if (st != SP_OK) {
		refuse(e, st);
		return;
	}
	sp_log(SP_LOG_INFO, "enrolled", "name=%s cert=%s", sp_identity_text(&e->id, name),
	    sp_hex(e->id.hash.b, 32, hash));
	give(e, sp_pg_get_bytes(rows, 0, STORE_CERT));
}

/* Step 3, on a signer and back. */
static void
sign_run(struct sp_work *work)
{
	struct enrolment *e = (struct enrolment *)work;

	e->st = office_issue(e->keyd->office, &e->id, sp_clock_wall_ms(), &e->cert, &e->why);
}

static void
sign_done(struct sp_work *work)
{
	struct enrolment *e = (struct enrolment *)work;
	enum sp_status st = e->st;

	if (st == SP_OK)
		st = db_enrol_store(e->keyd->daemon.pg, &e->secret, &e->request, &e->id, &e->keys, sp_buf_span(&e->cert),
		    stored, e);
	if (st != SP_OK)
		refuse(e, st);
}

/* A text column into a member of the identity; the database's checks keep it within. */
static bool
take_text(const struct sp_pg_rows *rows, unsigned column, char *out, size_t size)
{
	struct sp_span text = sp_pg_get_bytes(rows, 0, column);

	if (text.n >= size)
		return false;
	memcpy(out, text.p != NULL ? (const char *)text.p : "", text.n);
	out[text.n] = 0;
	return true;
}

/* Who the invitation is for. */
static enum sp_status
take_identity(struct enrolment *e, const struct sp_pg_rows *rows)
{
	struct sp_identity *id = &e->id;

	*id = (struct sp_identity){ .role = sp_role_from_text(sp_pg_get_bytes(rows, 0, FIND_ROLE)) };
	(void)snprintf(id->name.domain, sizeof(id->name.domain), "%s", e->keyd->settings->domain);
	if (!take_text(rows, FIND_PERSON, id->name.person, sizeof(id->name.person)) ||
	    !take_text(rows, FIND_STATION, id->name.station, sizeof(id->name.station)) ||
	    !take_text(rows, FIND_SERVICE, id->service, sizeof(id->service)) ||
	    !take_text(rows, FIND_SERIAL, id->serial, sizeof(id->serial)) ||
	    id->role == SP_ROLE_NONE || id->role == SP_ROLE_KEYD)
		return sp_fail(SP_E_DATABASE, &e->why, "the invitation in the database is malformed");
	memcpy(id->public_key, e->keys.sign_key, sizeof(id->public_key));
	id->has_keys = id->role != SP_ROLE_TSA;	/* a tsa is written to by nobody */
	if (id->has_keys) {
		memcpy(id->letter_key, e->keys.letter_key, sizeof(id->letter_key));
		memcpy(id->age_key, e->keys.age_key, sizeof(id->age_key));
	}
	return SP_OK;
}

/* Why an invitation is none, for whoever holds its secret. */
static void
explain(struct enrolment *e, struct sp_span reason)
{
	static const struct { const char *word, *text; } texts[] = {
		{ "unknown", "no such invitation is known here" },
		{ "used", "the invitation was used before, with other keys; if not by you, tell your operator" },
		{ "ended", "the invitation has ended; ask for a new one" },
		{ "revoked", "the station has been revoked" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (sp_span_eq(reason, sp_span_str(texts[i].word)))
			(void)sp_fail(SP_E_TOKEN, &e->why, "%s", texts[i].text);
}

/* Step 2: the invitation, or the certificate that this very request got before. */
static void
found(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct enrolment *e = arg;

	if (st == SP_OK && (st = sp_daemon_status(rows, 0, FIND_STATUS)) != SP_OK)
		explain(e, sp_pg_get_bytes(rows, 0, FIND_REASON));
	if (st == SP_OK && !sp_pg_is_null(rows, 0, FIND_CERT)) {
		give(e, sp_pg_get_bytes(rows, 0, FIND_CERT));
		return;
	}
	if (st == SP_OK)
		st = take_identity(e, rows);
	if (st != SP_OK)
		refuse(e, st);
	else
		submit(e, sign_run, sign_done);
}

/* Step 1, on a signer and back. */
static void
check_run(struct sp_work *work)
{
	struct enrolment *e = (struct enrolment *)work;

	e->st = challenge_check(e->keyd->challenge_secret, e->exporter, &e->keys, e->proof, &e->request, &e->why);
}

static void
check_done(struct sp_work *work)
{
	struct enrolment *e = (struct enrolment *)work;
	enum sp_status st = e->st;

	if (st == SP_OK)
		st = db_enrol_find(e->keyd->daemon.pg, &e->secret, &e->request, found, e);
	if (st != SP_OK)
		refuse(e, st);
}

void
on_enrol(void *arg, struct sp_request *rq)
{
	struct sp_msg_enrol msg;
	struct enrolment *e;

	if (sp_request_read(rq, &msg) != SP_OK || !may_try(arg, rq))
		return;
	if ((e = calloc(1, sizeof(*e))) == NULL) {
		was_no_guess(arg, rq);
		sp_daemon_fail(rq, SP_E_NOMEM, NULL);
		return;
	}
	e->keyd = arg;
	e->rq = rq;
	memcpy(e->keys.sign_key, msg.sign_key.p, sizeof(e->keys.sign_key));
	memcpy(e->keys.letter_key, msg.letter_key.p, sizeof(e->keys.letter_key));
	memcpy(e->keys.age_key, msg.age_key.p, sizeof(e->keys.age_key));
	memcpy(e->proof, msg.proof.p, sizeof(e->proof));
	sp_sha256(msg.secret, &e->secret);
	sp_request_exporter(rq, e->exporter);
	submit(e, check_run, check_done);
}
