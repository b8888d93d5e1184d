/*
 * station_in_test.h - for tests of the station: a directory that enrols whoever has the secret, in this very process.
 */
#ifndef SP_TESTS_STATION_IN_TEST_H
#define SP_TESTS_STATION_IN_TEST_H

#include <stdio.h>

#include "common/base/file.h"
#include "common/crypto/hpke.h"
#include "common/net/service.h"
#include "common/statements/enrol.h"
#include "common/statements/token.h"
#include "common/member/member.h"
#include "tests/unit/authority_in_test.h"
#define LOOP_SECONDS 30
#include "tests/unit/loop_in_test.h"

#define NAME "alice/laptop@" DOMAIN

struct directory {
	struct authority authority;
	struct sp_key *key;
	struct sp_buf cert;
	struct sp_service *service;
	uint8_t secret[SP_TOKEN_SECRET];
	uint8_t letter_nonce[32], age_nonce[32];

	struct sp_hash request;		/* what was certified; zeroes: nothing yet */
	struct sp_buf issued;		/* its certificate */
	int begins, enrols, rosters, lookups;

	/* what is wrong with it */
	bool certifies_others;		/* other keys than those that ask */
	bool other_domain;		/* says so in the challenge */
	bool no_roster;
	bool breaks;			/* the connection, after the certificate was made */
	uint64_t roster_number;
	bool second_issuer;		/* the roster has one more */
	const char *addresses;		/* of creditd in the roster */
};

static char folder[64];
static struct member *station;
static struct sp_why why;

/* ---- handlers ---- */
static inline void
seal_nonce(const uint8_t key[SP_X25519], const char *info, const uint8_t nonce[32], uint8_t out[80])
{
	ck_status(sp_hpke_seal(NULL, key, sp_span_str(info), sp_span(NULL, 0), sp_span(nonce, 32), out,
	    out + SP_HPKE_ENC),
	    SP_OK);
}

static inline void
on_begin(void *arg, struct sp_request *rq)
{
	struct directory *d = arg;
	struct sp_msg_enrol_begin begin;
	uint8_t letter[80], age[80];
	struct sp_msg_enrol_challenge challenge = { .letter = sp_span(letter, 80), .age = sp_span(age, 80),
		.domain = sp_span_str(d->other_domain ? "other.example" : DOMAIN) };

	d->begins++;
	if (sp_request_read(rq, &begin) != SP_OK)
		return;
	sp_random(d->letter_nonce, 32);
	sp_random(d->age_nonce, 32);
	seal_nonce(begin.letter_key.p, SP_ENROL_INFO_LETTER, d->letter_nonce, letter);
	seal_nonce(begin.age_key.p, SP_ENROL_INFO_AGE, d->age_nonce, age);
	sp_request_answer(rq, SP_MSG_ENROL_CHALLENGE, &challenge);
}

static inline void
certify(struct directory *d, const struct sp_enrol_keys *keys)
{
	struct sp_identity id = { .role = SP_ROLE_STATION, .has_keys = true };

	ck_status(sp_name_parse(sp_span_str(NAME), &id.name), SP_OK);
	memcpy(id.public_key, keys->sign_key, sizeof(keys->sign_key));
	memcpy(id.letter_key, keys->letter_key, SP_X25519);
	memcpy(id.age_key, d->certifies_others ? keys->letter_key : keys->age_key, SP_X25519);
	sp_buf_clear(&d->issued);
	issue(&d->authority, &id, -1, 90, &d->issued);
}

static inline void
on_enrol(void *arg, struct sp_request *rq)
{
	struct directory *d = arg;
	uint8_t exporter[SP_EXPORTER], bytes[SP_ENROL_PROOF];
	const struct sp_hash none = { { 0 } };
	struct sp_enrol_keys keys;
	struct sp_msg_enrolled enrolled;
	struct sp_msg_enrol enrol;
	struct sp_hash request;

	d->enrols++;
	if (sp_request_read(rq, &enrol) != SP_OK)
		return;
	memcpy(keys.sign_key, enrol.sign_key.p, SP_P256_PUBLIC);
	memcpy(keys.letter_key, enrol.letter_key.p, SP_X25519);
	memcpy(keys.age_key, enrol.age_key.p, SP_X25519);
	ck_status(sp_enrol_request(sp_span(NULL, 0), &keys, NULL, &request, NULL), SP_OK);
	sp_request_exporter(rq, exporter);
	sp_enrol_proof(exporter, d->letter_nonce, d->age_nonce, &request, bytes);
	ck_status(sp_verify(keys.sign_key, sp_span(bytes, sizeof(bytes)), enrol.proof.p), SP_OK);
	if (memcmp(enrol.secret.p, d->secret, SP_TOKEN_SECRET) != 0 ||
	    (!sp_hash_eq(&d->request, &none) && !sp_hash_eq(&d->request, &request))) {
		sp_fail(SP_E_TOKEN, &why, "the invitation was used already");
		sp_request_fail(rq, SP_E_TOKEN, &why);
		return;
	}
	if (sp_hash_eq(&d->request, &none))
		certify(d, &keys);
	d->request = request;
	enrolled = (struct sp_msg_enrolled){ .cert = sp_buf_span(&d->issued) };
	if (d->breaks)
		sp_request_fail(rq, SP_E_DATABASE, NULL);
	else
		sp_request_answer(rq, SP_MSG_ENROLLED, &enrolled);
}

static inline void
on_roster(void *arg, struct sp_request *rq)
{
	struct directory *d = arg;
	SP_AUTO_DONE(sp_buf) issuers = { 0 }, services = { 0 }, second = { 0 };
	struct sp_msg_cert_part issuer = { .cert = sp_buf_span(&d->authority.issuer) };
	struct sp_msg_service_part creditd = { .role = sp_span_str("creditd"), .name = sp_span_str("main") };
	struct sp_msg_roster_is roster = { .number = d->roster_number, .domain = sp_span_str(DOMAIN),
		.root = sp_buf_span(&d->authority.root) };
	uint8_t public_key[SP_P256_PUBLIC];

	d->rosters++;
	if (d->no_roster) {
		sp_request_fail(rq, SP_E_DATABASE, NULL);
		return;
	}
	ck_status(sp_list_add(&issuers, sp_desc_msg(SP_MSG_CERT_PART), &issuer), SP_OK);
	if (d->second_issuer) {
		sp_key_public(d->key, public_key);
		ck_status(sp_x509_make_issuer(d->authority.root_key, sp_buf_span(&d->authority.root), public_key,
		    DOMAIN,
		    sp_clock_wall_ms(), &second), SP_OK);
		issuer.cert = sp_buf_span(&second);
		ck_status(sp_list_add(&issuers, sp_desc_msg(SP_MSG_CERT_PART), &issuer), SP_OK);
	}
	for (int i = 0; d->addresses != NULL && i < 2; i++) {
		creditd.addresses = sp_span_str(i == 0 ? d->addresses : "second:2");
		ck_status(sp_list_add(&services, sp_desc_msg(SP_MSG_SERVICE_PART), &creditd), SP_OK);
	}
	roster.issuers = sp_buf_span(&issuers);
	roster.services = sp_buf_span(&services);
	sp_request_answer(rq, SP_MSG_ROSTER_IS, &roster);
}

static inline void
on_lookup(void *arg, struct sp_request *rq)
{
	struct directory *d = arg;
	SP_AUTO_DONE(sp_buf) certs = { 0 };
	struct sp_msg_cert_part part = { .cert = sp_buf_span(&d->issued) };
	struct sp_msg_lookup_is found;
	struct sp_msg_lookup lookup;

	d->lookups++;
	if (sp_request_read(rq, &lookup) != SP_OK)
		return;
	if (!sp_span_eq(lookup.name, sp_span_str("alice@" DOMAIN))) {
		sp_request_fail(rq, SP_E_NOTFOUND, NULL);
		return;
	}
	ck_status(sp_list_add(&certs, sp_desc_msg(SP_MSG_CERT_PART), &part), SP_OK);
	found = (struct sp_msg_lookup_is){ .certs = sp_buf_span(&certs) };
	sp_request_answer(rq, SP_MSG_LOOKUP_IS, &found);
}

static const struct sp_handler handlers[] = {
	{ SP_MSG_ENROL_BEGIN, SP_ALLOW(SP_ROLE_NONE), on_begin },
	{ SP_MSG_ENROL, SP_ALLOW(SP_ROLE_NONE), on_enrol },
	{ SP_MSG_ROSTER, SP_ALLOW(SP_ROLE_STATION), on_roster },
	{ SP_MSG_LOOKUP, SP_ALLOW(SP_ROLE_STATION), on_lookup },
};

/* ---- the directory ---- */
static inline void
directory_listen(struct directory *d)
{
	struct sp_addr listen = { .family = 4, .ip = { 127, 0, 0, 1 } };
	struct sp_span chain[] = { sp_buf_span(&d->authority.issuer), sp_buf_span(&d->authority.root) };
	struct sp_service_conf conf = { .listen = &listen, .nlisten = 1, .trust = d->authority.trust,
	    .handlers = handlers,
		.nhandlers = sizeof(handlers) / sizeof(handlers[0]), .arg = d,
		.identity = { .key = d->key, .cert = sp_buf_span(&d->cert), .chain = chain, .nchain = 2 } };

	ck_status(sp_service_new(loop, &conf, &d->service, &why), SP_OK);
}

static inline void
directory_open(struct directory *d, enum sp_role role)
{
	struct sp_identity id = { .role = role, .service = "main" };

	memset(d, 0, sizeof(*d));
	d->roster_number = 5;
	make_authority(&d->authority);
	ck_status(sp_key_new(&d->key), SP_OK);
	strcpy(id.name.domain, DOMAIN);
	sp_key_public(d->key, id.public_key);
	issue(&d->authority, &id, -1, 90, &d->cert);
	sp_random(d->secret, sizeof(d->secret));
	directory_listen(d);
}

static inline void
directory_close(struct directory *d)
{
	sp_service_free(d->service);
	sp_key_free(d->key);
	sp_buf_done(&d->cert);
	sp_buf_done(&d->issued);
	free_authority(&d->authority);
}

/* The invitation's text. pin: the authority whose root it names; port 0: the directory's own. */
static inline const char *
token_of(const struct directory *d, const struct authority *pin, uint16_t port)
{
	static struct sp_buf text;
	struct sp_token token = { .domain = DOMAIN, .keyd_count = 1 };

	strcpy(token.keyd[0].host, "127.0.0.1");
	token.keyd[0].port = port != 0 ? port : sp_service_port(d->service);
	sp_sha256(sp_buf_span(&pin->root), &token.root);
	memcpy(token.secret, d->secret, sizeof(token.secret));
	sp_buf_clear(&text);
	ck_status(sp_token_print(&token, &text), SP_OK);
	return sp_buf_cstr(&text);
}

/* ---- the station ---- */
static enum sp_status done_status;
static struct sp_why done_why;
static int done_count;

static inline void
done(void *arg, enum sp_status st, const struct sp_why *reason)
{
	(void)arg;
	done_status = st;
	done_why = *reason;
	done_count++;
	sp_loop_stop(loop);
}

/* The folder that the station keeps its papers in. */
static inline const char *
state_dir(void)
{
	static char dir[96];

	snprintf(dir, sizeof(dir), "%s/station", folder);
	return dir;
}

static inline void
reopen(void)
{
	member_free(station);
	station = NULL;
	ck_assert_msg(member_open(loop, state_dir(), SP_ROLE_STATION, &station, &why) == SP_OK, "%s", why.text);
}

static inline void
set_up(void)
{
	strcpy(folder, "/tmp/sealpost-station.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_status(sp_loop_new(&loop, &why), SP_OK);
	reopen();
}

static inline void
tear_down(struct directory *d)
{
	member_free(station);
	station = NULL;
	if (d != NULL)
		directory_close(d);
	sp_loop_free(loop);
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}

static inline enum sp_status
enrol(const char *token)
{
	member_enrol(station, token, done, NULL);
	run_loop();
	return done_status;
}

#endif
