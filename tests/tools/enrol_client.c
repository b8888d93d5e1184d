/*
 * enrol_client.c - keyd seen from outside, for its tests: enrols, looks up, reads the roster, and does each wrong on
 * demand.
 *
 * enrol_client enrol DIR TOKEN [HOW]     keys of DIR (made if not there); writes DIR/cert.der, root.der, issuer.der
 * HOW: wrong-secret, wrong-proof (a bit flipped), wrong-exporter, no-begin (nonces guessed), late-keys (other keys in
 * ENROL), guess (COUNT [HOST:PORT] follow: so many secrets one after another, at this address; prints what came back)
 * enrol_client lookup DIR NAME           prints a line for each certificate enrol_client roster DIR
 * prints "roster NUMBER DOMAIN" and a line for each service enrol_client ask DIR WHAT              lookup, roster or
 * postmark (which keyd does not serve); ask-bare: without a certificate
 *
 * Prints "ok …" lines and ends with 0, or "STATUS reason" and ends with 1. lookup and roster connect to the address
 * in DIR/keyd, which enrol writes.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/crypto/hpke.h"
#include "common/crypto/rand.h"
#include "common/net/client.h"
#include "common/statements/enrol.h"
#include "common/statements/token.h"

struct tool {
	const char *dir, *how;
	struct sp_loop *loop;
	struct sp_resolver *resolver;
	struct sp_client *client;
	struct sp_token token;
	struct sp_key *sign;
	struct sp_x25519_pair letter, age;
	struct sp_trust *trust;
	uint8_t exporter[SP_EXPORTER];
	uint8_t nonces[2][32];
	const char *at;			/* instead of the token's address, or NULL */
	unsigned guesses;		/* still to be made */
	unsigned refused, busy, other;	/* what came of them */
	enum sp_status st;
	struct sp_why why;
};

static enum sp_status
file(struct tool *t, const char *name, struct sp_buf *out, struct sp_span bytes, bool write)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	return write ? sp_file_write(path, bytes, 0600, &t->why) : sp_file_read(path, 1 << 20, out, &t->why);
}

/* The keys of DIR, made if they are not there: sign.pem, and letter || age secrets in keys.bin. */
static enum sp_status
load_keys(struct tool *t)
{
	SP_AUTO_DONE(sp_buf) pem = { 0 }, bin = { 0 };
	enum sp_status st = file(t, "sign.pem", &pem, sp_span(NULL, 0), false);

	if (st == SP_E_NOTFOUND) {
		if ((st = sp_mkdirs(t->dir, 0700, &t->why)) != SP_OK || (st = sp_key_new(&t->sign)) != SP_OK ||
		    (st = sp_key_to_pem(t->sign, &pem)) != SP_OK ||
		    (st = file(t, "sign.pem", NULL, sp_buf_span(&pem), true)) != SP_OK ||
		    (st = sp_x25519_new(&t->letter)) != SP_OK || (st = sp_x25519_new(&t->age)) != SP_OK)
			return st;
		sp_buf_add(&bin, t->letter.secret, 32);
		sp_buf_add(&bin, t->age.secret, 32);
		return file(t, "keys.bin", NULL, sp_buf_span(&bin), true);
	}
	if (st != SP_OK || (st = sp_key_from_pem(sp_buf_span(&pem), &t->sign, &t->why)) != SP_OK ||
	    (st = file(t, "keys.bin", &bin, sp_span(NULL, 0), false)) != SP_OK)
		return st;
	memcpy(t->letter.secret, bin.data, 32);
	memcpy(t->age.secret, bin.data + 32, 32);
	if ((st = sp_x25519_public(t->letter.secret, t->letter.public_key)) != SP_OK)
		return st;
	return sp_x25519_public(t->age.secret, t->age.public_key);
}

static void
finish(struct tool *t, enum sp_status st)
{
	t->st = st;
	sp_loop_stop(t->loop);
}

/* ---- enrol ---- */

static enum sp_status ask_enrol(struct tool *t);

static void
guessed(struct tool *t, enum sp_status st)
{
	*(st == SP_E_TOKEN ? &t->refused : st == SP_E_BUSY ? &t->busy : &t->other) += 1;
	if (--t->guesses > 0 && (st = ask_enrol(t)) != SP_OK)
		finish(t, st);
	if (t->guesses > 0)
		return;
	printf("ok refused=%u busy=%u other=%u\n", t->refused, t->busy, t->other);
	finish(t, SP_OK);
}

static void
enrolled(void *arg, const struct sp_answer *answer)
{
	struct tool *t = arg;
	SP_AUTO(sp_trust) *trust = NULL;
	struct sp_msg_enrolled msg;
	struct sp_identity id;
	char name[SP_NAME_TEXT], hash[65];
	struct sp_span issuer = sp_client_chain(t->client, 1), root = sp_client_chain(t->client, 2);
	enum sp_status st = sp_answer_read(answer, SP_MSG_ENROLLED, &msg, &t->why);

	if (t->guesses > 0) {
		guessed(t, st);
		return;
	}
	if (st == SP_OK && (st = sp_trust_new(t->token.domain, &trust)) == SP_OK &&
	    (st = sp_trust_add_root(trust, root, &t->why)) == SP_OK &&
	    (st = sp_trust_add_issuer(trust, issuer, &t->why)) == SP_OK &&
	    (st = sp_trust_check(trust, msg.cert, sp_clock_wall_ms(), &id, &t->why)) == SP_OK &&
	    (st = file(t, "cert.der", NULL, msg.cert, true)) == SP_OK &&
	    (st = file(t, "issuer.der", NULL, issuer, true)) == SP_OK)
		st = file(t, "root.der", NULL, root, true);
	if (st == SP_OK)
		printf("ok %s %s serial=%s days=%lld\n", sp_identity_text(&id, name), sp_hex(id.hash.b, 32, hash),
		    id.serial, (long long)(id.not_after - (int64_t)(sp_clock_wall_ms() / 1000) + 43200) / 86400);
	finish(t, st);
}

static void
open_nonce(const struct sp_x25519_pair *pair, const char *info, struct sp_span sealed, uint8_t out[32])
{
	if (sealed.n != 80 || sp_hpke_open(pair, NULL, sp_span_str(info), sp_span(NULL, 0), sealed.p,
	    sp_span(sealed.p + 32, 48), out) != SP_OK)
		memset(out, 0, 32);
}

static bool
is(const struct tool *t, const char *how)
{
	return strcmp(t->how, how) == 0;
}

static enum sp_status
ask_enrol(struct tool *t)
{
	struct sp_enrol_keys keys;
	uint8_t bytes[SP_ENROL_PROOF], proof[SP_SIGNATURE];
	struct sp_msg_enrol msg = { .secret = sp_span(t->token.secret, 16), .letter_key = sp_span(keys.letter_key,
	    32),
		.age_key = sp_span(keys.age_key, 32), .sign_key = sp_span(keys.sign_key, SP_P256_PUBLIC),
		.proof = sp_span(proof, SP_SIGNATURE) };
	struct sp_hash request;
	struct sp_id id = sp_id_new();
	enum sp_status st;

	if (is(t, "late-keys") && (st = sp_x25519_new(&t->letter)) != SP_OK)
		return st;
	sp_key_public(t->sign, keys.sign_key);
	memcpy(keys.letter_key, t->letter.public_key, 32);
	memcpy(keys.age_key, t->age.public_key, 32);
	if ((st = sp_enrol_request(sp_span(NULL, 0), &keys, NULL, &request, &t->why)) != SP_OK)
		return st;
	if (is(t, "wrong-exporter"))
		t->exporter[0] ^= 1;
	sp_enrol_proof(t->exporter, t->nonces[0], t->nonces[1], &request, bytes);
	if ((st = sp_sign(t->sign, sp_span(bytes, sizeof(bytes)), proof)) != SP_OK)
		return st;
	if (is(t, "wrong-proof"))
		proof[40] ^= 1;
	if (is(t, "wrong-secret"))
		t->token.secret[0] ^= 1;
	if (t->guesses > 0)
		sp_random(t->token.secret, sizeof(t->token.secret));
	return sp_client_ask(t->client, &id, SP_MSG_ENROL, &msg, enrolled, t, &t->why);
}

static void
challenged(void *arg, const struct sp_answer *answer)
{
	struct tool *t = arg;
	struct sp_msg_enrol_challenge msg;
	enum sp_status st = sp_answer_read(answer, SP_MSG_ENROL_CHALLENGE, &msg, &t->why);

	if (st == SP_OK && !sp_span_eq(msg.domain, sp_span_str(t->token.domain)))
		st = SP_E_DOMAIN;
	if (st == SP_OK && (st = sp_client_exporter(t->client, t->exporter)) == SP_OK) {
		if (is(t, "no-begin"))
			msg.letter = msg.age = sp_span(NULL, 0);
		open_nonce(&t->letter, SP_ENROL_INFO_LETTER, msg.letter, t->nonces[0]);
		open_nonce(&t->age, SP_ENROL_INFO_AGE, msg.age, t->nonces[1]);
		st = ask_enrol(t);
	}
	if (st != SP_OK)
		finish(t, st);
}

static enum sp_status
enrol(struct tool *t, const char *text)
{
	const struct sp_token_address *a = &t->token.keyd[0];
	char address[SP_HOST_MAX + 10];
	const char *list[] = { address };
	struct sp_client_conf conf = { .role = SP_ROLE_KEYD, .addresses = list, .naddresses = 1,
	    .one_connection = true };
	struct sp_msg_enrol_begin msg = { .letter_key = sp_span(t->letter.public_key, 32), .age_key =
	    sp_span(t->age.public_key, 32) };
	struct sp_id id = sp_id_new();
	enum sp_status st;

	if ((st = sp_token_parse(sp_span_str(text), &t->token, &t->why)) != SP_OK)
		return st;
	conf.root_pin = t->token.root;
	snprintf(address, sizeof(address), strchr(a->host, ':') != NULL ? "[%s]:%u" : "%s:%u", a->host, a->port);
	if (t->at != NULL)
		list[0] = t->at;
	if ((st = file(t, "keyd", NULL, sp_span_str(address), true)) != SP_OK ||
	    (st = sp_client_new(t->loop, t->resolver, &conf, &t->client, &t->why)) != SP_OK)
		return st;
	return sp_client_ask(t->client, &id, SP_MSG_ENROL_BEGIN, &msg, challenged, t, &t->why);
}

/* ---- as a station ---- */

static void
looked_up(void *arg, const struct sp_answer *answer)
{
	struct tool *t = arg;
	struct sp_msg_lookup_is msg;
	struct sp_msg_cert_part part;
	struct sp_identity id;
	char name[SP_NAME_TEXT], hash[65];
	enum sp_status st = sp_answer_read(answer, SP_MSG_LOOKUP_IS, &msg, &t->why);
	struct sp_cursor list = sp_cursor(st == SP_OK ? msg.certs : sp_span(NULL, 0));

	while (st == SP_OK && sp_list_next(&list, sp_desc_msg(SP_MSG_CERT_PART), &part))
		if ((st = sp_trust_check(t->trust, part.cert, sp_clock_wall_ms(), &id, &t->why)) == SP_OK)
			printf("ok %s %s\n", sp_identity_text(&id, name), sp_hex(id.hash.b, 32, hash));
	finish(t, st);
}

static void
rostered(void *arg, const struct sp_answer *answer)
{
	struct tool *t = arg;
	struct sp_msg_roster_is msg;
	struct sp_msg_service_part part;
	enum sp_status st = sp_answer_read(answer, SP_MSG_ROSTER_IS, &msg, &t->why);
	struct sp_cursor list = sp_cursor(st == SP_OK ? msg.services : sp_span(NULL, 0));

	if (st == SP_OK)
		printf("ok roster %llu %.*s tariff=%zu\n", (unsigned long long)msg.number, (int)msg.domain.n,
		    msg.domain.p, msg.tariff.n);
	while (st == SP_OK && sp_list_next(&list, sp_desc_msg(SP_MSG_SERVICE_PART), &part)) {
		struct sp_identity id;
		char name[SP_NAME_TEXT];

		if ((st = sp_trust_check(t->trust, part.cert, sp_clock_wall_ms(), &id, &t->why)) == SP_OK)
			printf("ok %s %.*s\n", sp_identity_text(&id, name), (int)part.addresses.n, part.addresses.p);
	}
	finish(t, st);
}

static void
asked(void *arg, const struct sp_answer *answer)
{
	struct tool *t = arg;

	t->why = answer->why;
	if (answer->status == SP_OK)
		printf("ok %s\n", answer->type->name);
	finish(t, answer->status);
}

/* A client with the certificate of DIR, or without one. */
static enum sp_status
as_station(struct tool *t, bool anonymous)
{
	SP_AUTO_DONE(sp_buf) cert = { 0 }, root = { 0 }, issuer = { 0 }, address = { 0 };
	const char *list[1];
	struct sp_span chain[1];
	struct sp_identity id;
	struct sp_tls_identity tls = { .chain = chain, .nchain = 1 };
	struct sp_client_conf conf = { .role = SP_ROLE_KEYD, .addresses = list, .naddresses = 1 };
	enum sp_status st;

	if ((st = file(t, "keyd", &address, sp_span(NULL, 0), false)) != SP_OK ||
	    (st = file(t, "root.der", &root, sp_span(NULL, 0), false)) != SP_OK ||
	    (st = file(t, "issuer.der", &issuer, sp_span(NULL, 0), false)) != SP_OK ||
	    (st = file(t, "cert.der", &cert, sp_span(NULL, 0), false)) != SP_OK ||
	    (st = sp_identity_read(sp_buf_span(&cert), &id, &t->why)) != SP_OK ||
	    (st = sp_trust_new(id.name.domain, &t->trust)) != SP_OK ||
	    (st = sp_trust_add_root(t->trust, sp_buf_span(&root), &t->why)) != SP_OK ||
	    (st = sp_trust_add_issuer(t->trust, sp_buf_span(&issuer), &t->why)) != SP_OK)
		return st;
	list[0] = sp_buf_cstr(&address);
	chain[0] = sp_buf_span(&issuer);
	tls.key = t->sign;
	tls.cert = sp_buf_span(&cert);
	conf.trust = t->trust;
	conf.identity = anonymous ? NULL : &tls;
	return sp_client_new(t->loop, t->resolver, &conf, &t->client, &t->why);
}

static enum sp_status
ask(struct tool *t, const char *verb, const char *word)
{
	struct sp_msg_lookup lookup = { .name = sp_span_str(word) };
	struct sp_msg_roster roster = { 0 };
	struct sp_msg_postmark_get postmark = { .transfer = sp_id_new() };
	struct sp_id id = sp_id_new();
	enum sp_status st = as_station(t, strcmp(verb, "ask-bare") == 0);

	if (st != SP_OK)
		return st;
	if (strcmp(verb, "lookup") == 0)
		return sp_client_ask(t->client, &id, SP_MSG_LOOKUP, &lookup, looked_up, t, &t->why);
	if (strcmp(verb, "roster") == 0)
		return sp_client_ask(t->client, &id, SP_MSG_ROSTER, &roster, rostered, t, &t->why);
	if (strcmp(word, "postmark") == 0)
		return sp_client_ask(t->client, &id, SP_MSG_POSTMARK_GET, &postmark, asked, t, &t->why);
	lookup.name = sp_span_str("alice@post.example");
	if (strcmp(word, "lookup") == 0)
		return sp_client_ask(t->client, &id, SP_MSG_LOOKUP, &lookup, asked, t, &t->why);
	return sp_client_ask(t->client, &id, SP_MSG_ROSTER, &roster, asked, t, &t->why);
}

int
main(int argc, char **argv)
{
	struct tool t = { .how = argc > 4 ? argv[4] : "" };
	enum sp_status st;

	if (argc < 3)
		return 2;
	t.dir = argv[2];
	t.guesses = is(&t, "guess") && argc > 5 ? (unsigned)atoi(argv[5]) : 0;
	t.at = argc > 6 ? argv[6] : NULL;
	if ((st = sp_loop_new(&t.loop, &t.why)) == SP_OK && (st = sp_resolver_new(t.loop, &t.resolver,
	    &t.why)) == SP_OK &&
	    (st = load_keys(&t)) == SP_OK)
		st = strcmp(argv[1], "enrol") == 0 ? enrol(&t, argv[3]) : ask(&t, argv[1], argc > 3 ? argv[3] : "");
	if (st == SP_OK && (st = sp_loop_run(t.loop)) == SP_OK)
		st = t.st;
	if (st != SP_OK)
		printf("%s %s\n", sp_status_name(st), t.why.text[0] != 0 ? t.why.text : sp_status_text(st));
	sp_client_free(t.client);
	sp_resolver_free(t.resolver);
	sp_loop_free(t.loop);
	sp_trust_free(t.trust);
	sp_key_free(t.sign);
	return st == SP_OK ? 0 : 1;
}
