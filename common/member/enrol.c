/*
 * enrol.c - becoming a station: keys, challenge, certificate, roster. Everything on one connection to the server that
 * shows the invitation's root; every step can be done again with the same invitation and comes to the same end.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/hpke.h"
#include "common/statements/enrol.h"
#include "common/statements/token.h"
#include "common/member/member_in.h"

#define NONCE 32

struct enrol {
	struct sp_work work;		/* first */
	struct member *station;
	struct sp_token token;
	struct sp_hash token_hash;
	char where[SP_TOKEN_ADDRESSES][SP_HOST_MAX + 9];	/* "host:port" */
	struct sp_buf keyd;		/* owned: the same with commas between */
	struct member_keys keys;
	struct sp_client *client;	/* owned */
	struct sp_buf cert, root, issuers;	/* owned */
	struct sp_identity identity;
	struct sp_trust *trust;		/* owned */
	struct sp_timer *timer;		/* owned: to end from the loop */
	enum sp_status st;
	struct sp_why why;
	member_done_fn *fn;
	void *arg;
};

void
enrol_free(struct enrol *e)
{
	if (e == NULL)
		return;
	e->station->enrol = NULL;
	sp_client_free(e->client);
	sp_timer_free(e->timer);
	sp_trust_free(e->trust);
	member_keys_done(&e->keys);
	sp_buf_done(&e->keyd);
	sp_buf_done(&e->cert);
	sp_buf_done(&e->root);
	sp_buf_done(&e->issuers);
	sp_wipe(&e->token, sizeof(e->token));
	free(e);
}

static void
enrol_end(struct enrol *e)
{
	member_done_fn *fn = e->fn;
	struct sp_why why = e->why;
	enum sp_status st = e->st;
	void *arg = e->arg;

	enrol_free(e);
	fn(arg, st, &why);
}

static void
on_timer(void *arg)
{
	enrol_end(arg);
}

/* Failures of the connection and of the server, told apart in words. */
static void
explain(struct enrol *e, const struct sp_answer *answer)
{
	struct sp_why reason = e->why;
	const char *words = reason.text[0] != '\0' ? reason.text : sp_status_text(e->st);

	if (answer->from_server)
		return;
	if (e->st == SP_E_CERT_EXPIRED)
		sp_fail(e->st, &e->why, "%.120s (is this machine's clock right?)", words);
	else if (sp_status_class(e->st) == SP_CLASS_PEER)
		sp_fail(e->st, &e->why, "the server at %s is not the one that the invitation names: %.120s",
		    e->where[0], words);
	else if (reason.text[0] == '\0')
		sp_fail(e->st, &e->why, "cannot connect to %s: %s", e->where[0], words);
}

static void
stopped(struct sp_work *work)
{
	(void)work;	/* the station is being freed, and this with it */
}

/* Runs a step on the worker, then done. Until then e is the worker's: nothing of it may be touched here. */
static void
in_background(struct enrol *e, void (*run)(struct sp_work *), void (*done)(struct sp_work *))
{
	enum sp_status st;

	e->work = (struct sp_work){ .run = run, .done = done, .dropped = stopped };
	if ((st = sp_worker_submit(e->station->worker, &e->work)) == SP_OK)
		return;
	e->st = st;
	sp_timer_set(e->timer, 0);
}

/* ---- 4. the certificate is stored, the roster follows ---- */
static void
roster_came(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct enrol *e = arg;

	/* Enrolled it is all the same; the roster is fetched again later. */
	if (st != SP_OK)
		sp_log_fail(SP_LOG_WARN, "roster-not-fetched", st, why);
	enrol_end(e);
}

static void
take_buf(struct sp_buf *to, struct sp_buf *from)
{
	sp_buf_done(to);
	*to = *from;
	*from = (struct sp_buf){ 0 };
}

static void
stored(struct sp_work *work)
{
	struct enrol *e = (struct enrol *)work;
	struct member *s = e->station;

	if (e->st != SP_OK) {
		enrol_end(e);
		return;
	}
	member_keys_done(&s->keys);
	s->keys = e->keys;
	e->keys = (struct member_keys){ 0 };
	take_buf(&s->cert, &e->cert);
	take_buf(&s->root, &e->root);
	take_buf(&s->issuers, &e->issuers);
	take_buf(&s->keyd, &e->keyd);
	s->identity = e->identity;
	s->trust = sp_take(&e->trust);
	s->enrolled = true;
	member_refresh(s, roster_came, e);
}

static void
store(struct sp_work *work)
{
	struct enrol *e = (struct enrol *)work;
	const struct station_papers papers = { sp_buf_span(&e->root), sp_buf_span(&e->issuers), sp_buf_span(&e->cert),
		sp_buf_span(&e->keyd) };

	e->st = files_write_papers(e->station->dir, &papers, &e->why);
}

/* ---- 3. the certificate ---- */
/* The root is known by its hash, all else between it and the server's own certificate issues. */
static enum sp_status
sort_chain(struct enrol *e)
{
	struct sp_span der;
	struct sp_hash hash;

	for (size_t i = 1; (der = sp_client_chain(e->client, i)).n > 0; i++) {
		sp_sha256(der, &hash);
		sp_buf_add_span(sp_hash_eq(&hash, &e->token.root) ? &e->root : &e->issuers, der);
	}
	if (e->root.len == 0 || e->issuers.len == 0)
		return sp_fail(SP_E_CERT, &e->why, "the directory does not send its root and issuing certificates");
	return sp_buf_status(&e->root) != SP_OK ? sp_buf_status(&e->root) : sp_buf_status(&e->issuers);
}

static enum sp_status
check_cert(struct enrol *e, struct sp_span cert)
{
	enum sp_status st;

	if ((st = sort_chain(e)) != SP_OK ||
	    (st = member_make_trust(e->token.domain, sp_buf_span(&e->root), sp_buf_span(&e->issuers), &e->trust,
	    &e->why)) != SP_OK ||
	    (st = sp_trust_check(e->trust, cert, sp_clock_wall_ms(), &e->identity, &e->why)) != SP_OK)
		return st;
	if (e->identity.role != e->station->role || !member_keys_match(&e->identity, &e->keys))
		return sp_fail(SP_E_MISMATCH, &e->why, "the certificate that came is not for this station's keys");
	sp_buf_add_span(&e->cert, cert);
	return sp_buf_status(&e->cert);
}

static void
cert_came(void *arg, const struct sp_answer *answer)
{
	struct enrol *e = arg;
	struct sp_msg_enrolled enrolled;

	e->st = sp_answer_read(answer, SP_MSG_ENROLLED, &enrolled, &e->why);
	if (e->st != SP_OK)
		explain(e, answer);
	else
		e->st = check_cert(e, enrolled.cert);
	if (e->st == SP_OK)
		in_background(e, store, stored);
	else
		sp_timer_set(e->timer, 0);
}

/* ---- 2. the challenge ---- */
static enum sp_status
open_nonce(const struct sp_x25519_pair *pair, const char *info, struct sp_span sealed, uint8_t nonce[NONCE])
{
	return sp_hpke_open(pair, NULL, sp_span_str(info), sp_span(NULL, 0), sealed.p,
	    sp_span(sealed.p + SP_HPKE_ENC, sealed.n - SP_HPKE_ENC), nonce);
}

static enum sp_status
prove(struct enrol *e, const struct sp_msg_enrol_challenge *challenge, const struct sp_enrol_keys *keys,
    uint8_t proof[SP_SIGNATURE])
{
	uint8_t exporter[SP_EXPORTER], letter[NONCE], age[NONCE], bytes[SP_ENROL_PROOF];
	struct sp_hash request;
	enum sp_status st;

	if ((st = open_nonce(&e->keys.letter, SP_ENROL_INFO_LETTER, challenge->letter, letter)) != SP_OK ||
	    (st = open_nonce(&e->keys.age, SP_ENROL_INFO_AGE, challenge->age, age)) != SP_OK)
		return sp_fail(st, &e->why, "the directory's challenge cannot be opened");
	if ((st = sp_client_exporter(e->client, exporter)) != SP_OK ||
	    (st = sp_enrol_request(sp_span(NULL, 0), keys, NULL, &request, &e->why)) != SP_OK)
		return st;
	sp_enrol_proof(exporter, letter, age, &request, bytes);
	st = sp_sign(e->keys.sign, sp_span(bytes, sizeof(bytes)), proof);
	sp_wipe(exporter, sizeof(exporter));
	sp_wipe(bytes, sizeof(bytes));
	return st;
}

static enum sp_status
ask_cert(struct enrol *e, const struct sp_msg_enrol_challenge *challenge)
{
	const struct sp_identity *server = sp_client_server(e->client);
	const struct sp_id id = sp_id_new();
	struct sp_enrol_keys keys;
	uint8_t proof[SP_SIGNATURE];
	struct sp_msg_enrol enrol = { .secret = sp_span(e->token.secret, SP_TOKEN_SECRET),
		.letter_key = sp_span(keys.letter_key, SP_X25519), .age_key = sp_span(keys.age_key, SP_X25519),
		.sign_key = sp_span(keys.sign_key, SP_P256_PUBLIC), .proof = sp_span(proof, SP_SIGNATURE) };
	enum sp_status st;

	if (server == NULL)
		return SP_E_CLOSED;
	if (strcmp(server->name.domain, e->token.domain) != 0 ||
	    !sp_span_eq(challenge->domain, sp_span_str(e->token.domain)))
		return sp_fail(SP_E_DOMAIN, &e->why, "the directory is not that of %s", e->token.domain);
	sp_key_public(e->keys.sign, keys.sign_key);
	memcpy(keys.letter_key, e->keys.letter.public_key, SP_X25519);
	memcpy(keys.age_key, e->keys.age.public_key, SP_X25519);
	if ((st = prove(e, challenge, &keys, proof)) != SP_OK)
		return st;
	return sp_client_ask(e->client, &id, SP_MSG_ENROL, &enrol, cert_came, e, &e->why);
}

static void
challenge_came(void *arg, const struct sp_answer *answer)
{
	struct enrol *e = arg;
	struct sp_msg_enrol_challenge challenge;

	e->st = sp_answer_read(answer, SP_MSG_ENROL_CHALLENGE, &challenge, &e->why);
	if (e->st != SP_OK)
		explain(e, answer);
	else
		e->st = ask_cert(e, &challenge);
	if (e->st != SP_OK)
		sp_timer_set(e->timer, 0);
}

/* ---- 1. keys, and the connection ---- */
static enum sp_status
connect_to_keyd(struct enrol *e)
{
	const char *addresses[SP_TOKEN_ADDRESSES];
	const struct sp_id id = sp_id_new();
	struct sp_client_conf conf = { .role = SP_ROLE_KEYD, .addresses = addresses,
	    .naddresses = e->token.keyd_count,
		.root_pin = e->token.root, .one_connection = true };
	struct sp_msg_enrol_begin begin = { .letter_key = sp_span(e->keys.letter.public_key, SP_X25519),
		.age_key = sp_span(e->keys.age.public_key, SP_X25519) };
	enum sp_status st;

	for (size_t i = 0; i < e->token.keyd_count; i++)
		addresses[i] = e->where[i];
	if ((st = sp_client_new(e->station->loop, e->station->resolver, &conf, &e->client, &e->why)) != SP_OK)
		return st;
	return sp_client_ask(e->client, &id, SP_MSG_ENROL_BEGIN, &begin, challenge_came, e, &e->why);
}

static void
have_keys(struct sp_work *work)
{
	struct enrol *e = (struct enrol *)work;

	if (e->st == SP_OK)
		e->st = connect_to_keyd(e);
	if (e->st != SP_OK)
		enrol_end(e);
}

/* The same invitation always comes with the same keys: a repeat is the same request. */
static void
get_keys(struct sp_work *work)
{
	struct enrol *e = (struct enrol *)work;

	e->st = files_read_keys(e->station->dir, &e->keys, &e->why);
	if (e->st == SP_OK && sp_hash_eq(&e->keys.token, &e->token_hash))
		return;
	member_keys_done(&e->keys);
	if (e->st == SP_OK || e->st == SP_E_NOTFOUND || e->st == SP_E_FORMAT)
		e->st = files_make_keys(e->station->dir, &e->token_hash, &e->keys, &e->why);
}

static enum sp_status
read_token(struct enrol *e, const char *token)
{
	enum sp_status st;

	if ((st = sp_token_parse(sp_span_str(token), &e->token, &e->why)) != SP_OK)
		return st;
	sp_sha256(sp_span_str(token), &e->token_hash);
	for (size_t i = 0; i < e->token.keyd_count; i++) {
		const struct sp_token_address *a = &e->token.keyd[i];

		snprintf(e->where[i], sizeof(e->where[i]), strchr(a->host, ':') != NULL ? "[%s]:%u" : "%s:%u",
		    a->host, a->port);
		sp_buf_addf(&e->keyd, "%s%s", i > 0 ? "," : "", e->where[i]);
	}
	sp_buf_cstr(&e->keyd);
	return sp_buf_status(&e->keyd);
}

/* What there is to do: nothing, if this invitation made us what we are. */
static bool
begin(struct enrol *e, const char *token)
{
	struct member *s = e->station;
	char name[SP_NAME_TEXT];

	e->st = read_token(e, token);
	if (e->st == SP_OK && s->enrolled && !sp_hash_eq(&s->keys.token, &e->token_hash))
		e->st = sp_fail(SP_E_EXISTS, &e->why, "this station is enrolled already, as %s",
		    sp_identity_text(&s->identity, name));
	return e->st == SP_OK && !s->enrolled;
}

void
member_enrol(struct member *s, const char *token, member_done_fn *fn, void *arg)
{
	struct enrol *e = s->enrol == NULL ? calloc(1, sizeof(*e)) : NULL;
	struct sp_why why = { "" };

	if (e == NULL) {
		fn(arg, s->enrol != NULL ? sp_fail(SP_E_BUSY, &why, "an enrolment is under way") : SP_E_NOMEM, &why);
		return;
	}
	*e = (struct enrol){ .station = s, .fn = fn, .arg = arg };
	s->enrol = e;
	if ((e->timer = sp_timer_new(s->loop, on_timer, e)) == NULL) {
		enrol_free(e);
		fn(arg, SP_E_NOMEM, &why);
	} else if (begin(e, token)) {
		in_background(e, get_keys, have_keys);
	} else {
		sp_timer_set(e->timer, 0);
	}
}
