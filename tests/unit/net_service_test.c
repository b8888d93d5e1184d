/*
 * net_service_test.c - framed TLS there and back: who may ask, who is believed, what happens when a server fails.
 */
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/crypto/hash.h"
#include "common/net/client.h"
#include "common/net/service.h"
/* daemons go by the real clock */
#define NOW_MS sp_clock_wall_ms()
#include "tests/unit/crypto_certs.h"

struct bench {
	struct sp_loop *loop;
	struct sp_resolver *resolver;
	struct ca ca, other;
	struct sp_key *server_key, *member_key;
	struct sp_buf server_cert, member_cert;
	struct sp_span server_chain[2];
	struct sp_service *service;
	struct sp_client *client;
	struct sp_timer *guard;
	char address[64];
	struct sp_request *held;
	uint8_t server_exporter[SP_EXPORTER];
	/* what came back */
	unsigned answers;
	enum sp_status status;
	char name[SP_NAME_TEXT];
	uint8_t exporter[SP_EXPORTER];
	bool free_in_answer;
};

static void
on_lookup(void *arg, struct sp_request *rq)
{
	struct bench *b = arg;
	struct sp_msg_lookup m;
	struct sp_msg_lookup_is none = { 0 };

	if (sp_request_read(rq, &m) != SP_OK)
		return;
	ck_assert_ptr_nonnull(sp_request_peer(rq));
	ck_assert_str_eq(sp_request_peer(rq)->name.person, "alice");
	if (sp_span_eq(m.name, sp_span_str("nobody@post.example"))) {
		struct sp_why why;

		sp_fail(SP_E_NOTFOUND, &why, "no such name");
		sp_request_fail(rq, SP_E_NOTFOUND, &why);
	} else if (sp_span_eq(m.name, sp_span_str("later@post.example"))) {
		b->held = rq;
	} else {
		sp_request_exporter(rq, b->server_exporter);
		sp_request_answer(rq, SP_MSG_LOOKUP_IS, &none);
	}
}

static void
on_enrol_begin(void *arg, struct sp_request *rq)
{
	static const uint8_t sealed[80];
	struct sp_msg_enrol_challenge m = { .letter = sp_span(sealed, 80), .age = sp_span(sealed, 80),
		.domain = sp_span_str("post.example") };

	(void)arg;
	ck_assert_ptr_null(sp_request_peer(rq));
	sp_request_answer(rq, SP_MSG_ENROL_CHALLENGE, &m);
}

static const struct sp_handler handlers[] = {
	{ SP_MSG_LOOKUP, SP_ALLOW(SP_ROLE_STATION), on_lookup },
	{ SP_MSG_ENROL_BEGIN, SP_ALLOW(SP_ROLE_NONE), on_enrol_begin },
	{ SP_MSG_ROSTER, SP_ALLOW(SP_ROLE_CREDITD), on_lookup },
};

static void
too_long(void *arg)
{
	sp_loop_stop(arg);
	ck_abort_msg("no answer in 30 s");
}

static void
bench_make(struct bench *b, enum sp_role server_role)
{
	struct sp_addr at;
	struct sp_identity id;
	struct sp_service_conf conf = { .listen = &at, .nlisten = 1, .handlers = handlers, .nhandlers = 3, .arg = b };

	*b = (struct bench){ 0 };
	ca_make(&b->ca, "post.example");
	ca_make(&b->other, "post.example");
	id = leaf_identity("post.example", server_role, "main", NULL, &b->server_key);
	leaf_make(&b->ca, &id, &b->server_cert);
	id = leaf_identity("post.example", SP_ROLE_STATION, "alice", "laptop", &b->member_key);
	leaf_make(&b->ca, &id, &b->member_cert);
	ck_status(sp_loop_new(&b->loop, NULL), SP_OK);
	ck_status(sp_resolver_new(b->loop, &b->resolver, NULL), SP_OK);
	ck_status(sp_addr_parse(sp_span_str("127.0.0.1:0"), 0, &at), SP_OK);
	b->server_chain[0] = sp_buf_span(&b->ca.issuer);
	b->server_chain[1] = sp_buf_span(&b->ca.root);
	conf.identity = (struct sp_tls_identity){ b->server_key, sp_buf_span(&b->server_cert), b->server_chain, 2 };
	conf.trust = b->ca.trust;
	ck_status(sp_service_new(b->loop, &conf, &b->service, NULL), SP_OK);
	snprintf(b->address, sizeof(b->address), "127.0.0.1:%u", sp_service_port(b->service));
	b->guard = sp_timer_new(b->loop, too_long, b->loop);
	sp_timer_set(b->guard, 30000);
}

static void
bench_done(struct bench *b)
{
	sp_timer_free(b->guard);
	sp_client_free(b->client);
	sp_service_free(b->service);
	sp_resolver_free(b->resolver);
	sp_loop_free(b->loop);
	sp_key_free(b->server_key);
	sp_key_free(b->member_key);
	sp_buf_done(&b->server_cert);
	sp_buf_done(&b->member_cert);
	ca_done(&b->ca);
	ca_done(&b->other);
}

static void
connect_as(struct bench *b, bool with_cert, const struct sp_trust *trust, const struct sp_hash *pin,
    const char *first)
{
	struct sp_tls_identity id = { b->member_key, sp_buf_span(&b->member_cert), b->server_chain, 1 };
	const char *addresses[2] = { first != NULL ? first : b->address, b->address };
	struct sp_client_conf conf = { .role = SP_ROLE_KEYD, .addresses = addresses, .naddresses = first != NULL ? 2 :
	    1,
		.identity = with_cert ? &id : NULL, .trust = trust, .one_connection = pin != NULL };

	if (pin != NULL)
		conf.root_pin = *pin;
	sp_client_free(b->client);
	ck_status(sp_client_new(b->loop, b->resolver, &conf, &b->client, NULL), SP_OK);
}

static void
answered(void *arg, const struct sp_answer *answer)
{
	struct bench *b = arg;

	b->answers++;
	b->status = answer->status;
	if (answer->status == SP_OK)
		ck_status(sp_client_exporter(b->client, b->exporter), SP_OK);
	if (b->free_in_answer) {
		sp_client_free(b->client);
		b->client = NULL;
	}
	sp_loop_stop(b->loop);
}

static enum sp_status
ask(struct bench *b, const char *name)
{
	struct sp_msg_lookup m = { .name = sp_span_str(name) };
	struct sp_id id = sp_id_new();

	ck_status(sp_client_ask(b->client, &id, SP_MSG_LOOKUP, &m, answered, b, NULL), SP_OK);
	ck_status(sp_loop_run(b->loop), SP_OK);
	return b->status;
}

START_TEST(a_station_asks_and_is_answered)
{
	struct bench b;

	bench_make(&b, SP_ROLE_KEYD);
	connect_as(&b, true, b.ca.trust, NULL, NULL);
	ck_status(ask(&b, "bob@post.example"), SP_OK);
	ck_assert_mem_eq(b.exporter, b.server_exporter, SP_EXPORTER);
	ck_status(ask(&b, "nobody@post.example"), SP_E_NOTFOUND);
	ck_status(ask(&b, "bob@post.example"), SP_OK);
	ck_assert_uint_eq(b.answers, 3);
	bench_done(&b);
}
END_TEST

START_TEST(who_may_not_ask_is_told)
{
	struct bench b;
	struct sp_id id = sp_id_new();

	bench_make(&b, SP_ROLE_KEYD);
	connect_as(&b, false, b.ca.trust, NULL, NULL);
	ck_status(ask(&b, "bob@post.example"), SP_E_PERMISSION);
	connect_as(&b, true, b.ca.trust, NULL, NULL);
	ck_status(sp_client_ask(b.client, &id, SP_MSG_ROSTER, &(struct sp_msg_roster){ 0 }, answered, &b, NULL),
	    SP_OK);
	ck_status(sp_loop_run(b.loop), SP_OK);
	ck_status(b.status, SP_E_PERMISSION);
	ck_status(sp_client_ask(b.client, &id, SP_MSG_TOPUP_GET, &(struct sp_msg_topup_get){ .request = id },
	    answered, &b,
	    NULL), SP_OK);
	ck_status(sp_loop_run(b.loop), SP_OK);
	ck_status(b.status, SP_E_UNKNOWN);
	bench_done(&b);
}
END_TEST

START_TEST(a_client_believes_its_own_root_and_role_only)
{
	struct bench b;

	bench_make(&b, SP_ROLE_KEYD);
	connect_as(&b, true, b.other.trust, NULL, NULL);
	ck_status(ask(&b, "bob@post.example"), SP_E_CERT);
	bench_done(&b);
	bench_make(&b, SP_ROLE_CREDITD);
	connect_as(&b, true, b.ca.trust, NULL, NULL);
	ck_status(ask(&b, "bob@post.example"), SP_E_ROLE);
	bench_done(&b);
}
END_TEST

START_TEST(a_stranger_is_turned_away_before_it_asks)
{
	struct bench b;
	struct sp_identity id;

	bench_make(&b, SP_ROLE_KEYD);
	sp_buf_clear(&b.member_cert);
	sp_key_free(b.member_key);
	id = leaf_identity("post.example", SP_ROLE_STATION, "alice", "laptop", &b.member_key);
	leaf_make(&b.other, &id, &b.member_cert);
	connect_as(&b, true, b.ca.trust, NULL, NULL);
	ck_assert(ask(&b, "bob@post.example") != SP_OK);
	bench_done(&b);
}
END_TEST

START_TEST(the_next_address_is_tried_with_the_same_request)
{
	struct bench b;

	bench_make(&b, SP_ROLE_KEYD);
	for (int i = 0; i < 4; i++) {	/* the first is chosen at random */
		connect_as(&b, true, b.ca.trust, NULL, "127.0.0.1:1");
		ck_status(ask(&b, "bob@post.example"), SP_OK);
	}
	bench_done(&b);
}
END_TEST

START_TEST(a_pinned_root_is_enough_to_enrol_and_another_is_not)
{
	struct bench b;
	struct sp_hash pin;
	struct sp_msg_enrol_begin m;
	struct sp_id id = sp_id_new();
	uint8_t key[32] = { 9 };

	m = (struct sp_msg_enrol_begin){ .letter_key = sp_span(key, 32), .age_key = sp_span(key, 32) };
	bench_make(&b, SP_ROLE_KEYD);
	sp_sha256(sp_buf_span(&b.ca.root), &pin);
	connect_as(&b, false, NULL, &pin, NULL);
	ck_status(sp_client_ask(b.client, &id, SP_MSG_ENROL_BEGIN, &m, answered, &b, NULL), SP_OK);
	ck_status(sp_loop_run(b.loop), SP_OK);
	ck_status(b.status, SP_OK);
	ck_assert_int_eq(sp_client_server(b.client)->role, SP_ROLE_KEYD);
	ck_assert(sp_span_eq(sp_client_chain(b.client, 2), sp_buf_span(&b.ca.root)));
	sp_sha256(sp_buf_span(&b.other.root), &pin);
	connect_as(&b, false, NULL, &pin, NULL);
	ck_status(sp_client_ask(b.client, &id, SP_MSG_ENROL_BEGIN, &m, answered, &b, NULL), SP_OK);
	ck_status(sp_loop_run(b.loop), SP_OK);
	ck_status(b.status, SP_E_IDENTITY);
	bench_done(&b);
}
END_TEST

START_TEST(an_answer_after_the_asker_is_gone_is_dropped)
{
	struct bench b;
	struct sp_msg_lookup m = { .name = sp_span_str("later@post.example") };
	struct sp_msg_lookup_is none = { 0 };
	struct sp_id id = sp_id_new();

	bench_make(&b, SP_ROLE_KEYD);
	connect_as(&b, true, b.ca.trust, NULL, NULL);
	ck_status(sp_client_ask(b.client, &id, SP_MSG_LOOKUP, &m, answered, &b, NULL), SP_OK);
	b.free_in_answer = true;
	ck_status(ask(&b, "bob@post.example"), SP_OK);
	ck_assert_ptr_null(b.client);
	b.free_in_answer = false;
	connect_as(&b, true, b.ca.trust, NULL, NULL);
	ck_status(ask(&b, "bob@post.example"), SP_OK);
	ck_assert_ptr_nonnull(b.held);
	sp_request_answer(b.held, SP_MSG_LOOKUP_IS, &none);
	ck_assert_uint_eq(b.answers, 2);
	bench_done(&b);
}
END_TEST

START_TEST(old_tls_and_garbage_are_refused)
{
	struct bench b;
	struct sp_addr at;
	struct sockaddr_storage sa;
	socklen_t n;
	SP_AUTO_FD fd = -1;

	bench_make(&b, SP_ROLE_KEYD);
	ck_status(sp_addr_parse(sp_span_str(b.address), 0, &at), SP_OK);
	n = sp_addr_to_sockaddr(&at, &sa);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, n), 0);
	ck_assert_int_eq(write(fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	connect_as(&b, true, b.ca.trust, NULL, NULL);
	ck_status(ask(&b, "bob@post.example"), SP_OK);
	bench_done(&b);
}
END_TEST

UNIT_MAIN("net/service", a_station_asks_and_is_answered, who_may_not_ask_is_told,
    a_client_believes_its_own_root_and_role_only, a_stranger_is_turned_away_before_it_asks,
    the_next_address_is_tried_with_the_same_request, a_pinned_root_is_enough_to_enrol_and_another_is_not,
    an_answer_after_the_asker_is_gone_is_dropped, old_tls_and_garbage_are_refused)
