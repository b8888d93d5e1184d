/*
 * net_client_test.c - the client against services that fail in every way: gone, silent, restarted, busy,
    of another root,
 * with answers that nobody knows; many requests, cancelled ones, and clients freed in their own callback.
 */
#include "common/base/clock.h"
#include "common/net/client.h"
#include "common/net/service.h"
#define NOW_MS sp_clock_wall_ms()
#include "tests/unit/crypto_certs.h"
#include "tests/unit/net_unit.h"

static struct unit_loop u;
static struct ca ca;
static struct sp_key *server_key, *station_key;
static struct sp_buf server_cert, station_cert;
static struct sp_resolver *resolver;
static struct sp_client *client;

/* What the services do with a LOOKUP. */
enum deed { ANSWER, HOLD, BUSY, DATABASE, DENY, OTHER };
struct server {
	struct sp_service *service;
	enum deed deed;
	size_t handled;
	struct sp_id last;
	struct sp_request *held[8];
	size_t nheld;
};
static struct server one, two;

static void
on_lookup(void *arg, struct sp_request *rq)
{
	struct server *s = arg;
	struct sp_why why = { "not for you" };

	s->handled++;
	s->last = *sp_request_id(rq);
	switch (s->deed) {
	case ANSWER:
		sp_request_answer(rq, SP_MSG_LOOKUP_IS, &(struct sp_msg_lookup_is){ 0 });
		break;
	case OTHER:
		sp_request_answer(rq, SP_MSG_OK, &(struct sp_msg_ok){ 0 });
		break;
	case BUSY:
		sp_request_busy(rq, 1234);
		break;
	case DATABASE:
		sp_request_fail(rq, SP_E_DATABASE, NULL);
		break;
	case DENY:
		sp_request_fail(rq, SP_E_NOTFOUND, &why);
		break;
	case HOLD:
		ck_assert_uint_lt(s->nheld, 8);
		s->held[s->nheld++] = rq;
	}
}

static const struct sp_handler handlers[] = { { SP_MSG_LOOKUP, SP_ALLOW(SP_ROLE_STATION), on_lookup } };

static void
serve(struct server *s, uint16_t port, enum deed deed)
{
	struct sp_addr at = unit_addr("127.0.0.1:0");
	struct sp_service_conf conf = { .listen = &at, .nlisten = 1, .handlers = handlers, .nhandlers = 1, .arg = s,
		.identity = { .key = server_key, .cert = sp_buf_span(&server_cert) }, .trust = ca.trust };
	struct sp_why why = { 0 };

	at.port = port;
	*s = (struct server){ .deed = deed };
	ck_assert_msg(sp_service_new(u.loop, &conf, &s->service, &why) == SP_OK, "%s", why.text);
}

/* What it holds is answered after all. */
static void
release(struct server *s)
{
	while (s->nheld > 0)
		sp_request_answer(s->held[--s->nheld], SP_MSG_LOOKUP_IS, &(struct sp_msg_lookup_is){ 0 });
}

static void
unserve(struct server *s)
{
	sp_service_free(s->service);
	s->service = NULL;
	release(s);
}

static void
open_all(void)
{
	struct sp_identity id;
	struct sp_why why;

	unit_loop_open(&u);
	client = NULL;
	one = two = (struct server){ 0 };
	ca_make(&ca, "post.example");
	id = leaf_identity("post.example", SP_ROLE_KEYD, "main", NULL, &server_key);
	leaf_make(&ca, &id, &server_cert);
	id = leaf_identity("post.example", SP_ROLE_STATION, "alice", "laptop", &station_key);
	leaf_make(&ca, &id, &station_cert);
	ck_status(sp_resolver_new(u.loop, &resolver, &why), SP_OK);
}

static void
close_all(void)
{
	sp_client_free(client);
	unserve(&one);
	unserve(&two);
	sp_resolver_free(resolver);
	unit_loop_close(&u);
	sp_key_free(server_key);
	sp_key_free(station_key);
	sp_buf_done(&server_cert);
	sp_buf_done(&station_cert);
	ca_done(&ca);
}

/* A client of these ports; the second may be 0. */
static void
know(uint16_t first, uint16_t second, uint64_t request_ms, bool one_connection)
{
	char a[32], b[32];
	const char *const addresses[] = { a, b };
	struct sp_tls_identity id = { .key = station_key, .cert = sp_buf_span(&station_cert) };
	struct sp_client_conf conf = { .role = SP_ROLE_KEYD, .addresses = addresses, .naddresses = second != 0 ? 2 :
	    1,
		.identity = &id, .trust = ca.trust, .one_connection = one_connection, .request_ms = request_ms };
	struct sp_why why;

	snprintf(a, sizeof(a), "127.0.0.1:%u", first);
	snprintf(b, sizeof(b), "localhost:%u", second);
	sp_client_free(client);
	ck_status(sp_client_new(u.loop, resolver, &conf, &client, &why), SP_OK);
}

struct reply {
	size_t calls;
	struct sp_answer answer;
	enum sp_status read;	/* what sp_answer_read() said */
	struct sp_id id;
	bool ask_again, free_client;
};

static void on_reply(void *arg, const struct sp_answer *answer);

static void
ask(struct reply *r)
{
	struct sp_msg_lookup m = { .name = sp_span_str("bob@post.example") };
	struct sp_why why;

	if (sp_id_is_zero(&r->id))
		r->id = sp_id_new();
	ck_status(sp_client_ask(client, &r->id, SP_MSG_LOOKUP, &m, on_reply, r, &why), SP_OK);
	ck_assert_uint_eq(r->calls, 0);		/* never inside the call */
}

static void
on_reply(void *arg, const struct sp_answer *answer)
{
	struct reply *r = arg;
	struct sp_msg_lookup_is is;
	struct sp_why why;

	r->calls++;
	r->answer = *answer;
	r->read = sp_answer_read(answer, SP_MSG_LOOKUP_IS, &is, &why);
	if (r->ask_again) {
		r->ask_again = false;
		r->calls = 0;
		ask(r);
		return;
	}
	if (r->free_client) {
		sp_client_free(client);
		client = NULL;
	}
	sp_loop_stop(u.loop);
}

/* Asks and waits for what comes of it. */
static struct reply
ask_now(void)
{
	struct reply r = { 0 };

	ask(&r);
	unit_loop_run(&u);
	ck_assert_uint_eq(r.calls, 1);
	return r;
}

static uint16_t
port(const struct server *s)
{
	return sp_service_port(s->service);
}

/* Runs the loop until n replies have come, all of them good. */
static void
wait_for(const struct reply *r, size_t n)
{
	uint64_t end = sp_clock_boot_ms() + UNIT_PATIENCE_MS;
	size_t came = 0;

	while (came < n && sp_clock_boot_ms() < end) {
		unit_loop_run_ms(&u, 5);
		came = 0;
		for (size_t i = 0; i < n; i++)
			came += r[i].calls == 1 && r[i].read == SP_OK;
	}
	ck_assert_uint_eq(came, n);
}

START_TEST(many_requests_pass_eight_at_a_time)
{
	struct reply r[100] = { 0 };

	open_all();
	serve(&one, 0, ANSWER);
	know(port(&one), 0, 0, false);
	for (size_t i = 0; i < 100; i++)
		ask(&r[i]);
	wait_for(r, 100);
	ck_assert_uint_eq(one.handled, 100);
	close_all();
}
END_TEST

START_TEST(a_request_that_hangs_does_not_hold_up_the_others)
{
	struct reply slow = { 0 }, r;

	open_all();
	serve(&one, 0, HOLD);
	know(port(&one), 0, 400, false);
	ask(&slow);
	while (one.nheld == 0)
		unit_loop_run_ms(&u, 2);
	one.deed = ANSWER;
	r = ask_now();
	ck_status(r.read, SP_OK);
	ck_assert_uint_eq(slow.calls, 0);
	/* After its time it is asked once more, with the same id; then it gets its answer. */
	unit_loop_run(&u);
	ck_assert_uint_eq(slow.calls, 1);
	ck_status(slow.read, SP_OK);
	ck_assert(sp_id_eq(&one.last, &slow.id));
	close_all();
}
END_TEST

START_TEST(silence_goes_to_the_next_address_with_the_same_id)
{
	struct reply r;

	open_all();
	serve(&one, 0, HOLD);
	serve(&two, 0, ANSWER);
	for (size_t i = 0; i < 6; i++) {	/* the first is chosen at random */
		know(port(&one), port(&two), 150, false);
		r = ask_now();
		ck_status(r.read, SP_OK);
		ck_assert(sp_id_eq(&two.last, &r.id));
		release(&one);
	}
	ck_assert_uint_eq(two.handled, 6);
	close_all();
}
END_TEST

START_TEST(silence_everywhere_ends)
{
	struct reply r;
	uint64_t began;

	open_all();
	serve(&one, 0, HOLD);
	know(port(&one), 0, 100, false);
	began = sp_clock_boot_ms();
	r = ask_now();
	ck_status(r.answer.status, SP_E_TIMEOUT);
	ck_assert(!r.answer.from_server);
	ck_assert_uint_ge(sp_clock_boot_ms() - began, 100);
	ck_assert_uint_lt(sp_clock_boot_ms() - began, 3000);
	close_all();
}
END_TEST

START_TEST(busy_services_are_left_for_the_next)
{
	struct reply r;

	open_all();
	serve(&one, 0, BUSY);
	serve(&two, 0, ANSWER);
	for (size_t i = 0; i < 6; i++) {
		know(port(&one), port(&two), 0, false);
		r = ask_now();
		ck_status(r.read, SP_OK);
	}
	ck_assert_uint_eq(two.handled, 6);
	two.deed = DATABASE;
	r = ask_now();
	ck_assert(r.answer.status == SP_E_BUSY || r.answer.status == SP_E_DATABASE);
	know(port(&one), 0, 0, false);
	r = ask_now();
	ck_status(r.answer.status, SP_E_BUSY);
	ck_assert(r.answer.from_server);
	ck_assert_uint_eq(r.answer.retry_ms, 1234);
	close_all();
}
END_TEST

START_TEST(answers_say_why)
{
	struct reply r;

	open_all();
	serve(&one, 0, DENY);
	serve(&two, 0, ANSWER);
	know(port(&one), port(&two), 0, false);
	do
		r = ask_now();
	while (one.handled == 0 && two.handled < 1);
	/* A final answer does not go on to the next address. */
	if (one.handled > 0) {
		ck_status(r.answer.status, SP_E_NOTFOUND);
		ck_assert_str_eq(r.answer.why.text, "not for you");
		ck_assert(r.answer.from_server);
		ck_assert_uint_eq(two.handled, 0);
	}
	one.deed = two.deed = OTHER;
	r = ask_now();
	ck_status(r.answer.status, SP_OK);
	ck_status(r.read, SP_E_REPLY);
	close_all();
}
END_TEST

START_TEST(a_restarted_service_is_asked_again)
{
	struct reply r;
	uint16_t at;

	open_all();
	serve(&one, 0, ANSWER);
	at = port(&one);
	know(at, 0, 0, false);
	for (size_t i = 0; i < 3; i++) {
		r = ask_now();
		ck_status(r.read, SP_OK);
		unserve(&one);
		serve(&one, at, ANSWER);
		/* The client does not know yet that its connection is gone. */
	}
	/* Gone while it has the request. */
	one.deed = HOLD;
	memset(&r, 0, sizeof(r));
	ask(&r);
	while (one.nheld == 0)
		unit_loop_run_ms(&u, 2);
	unserve(&one);
	serve(&one, at, ANSWER);
	unit_loop_run(&u);
	ck_status(r.read, SP_OK);
	ck_assert(sp_id_eq(&one.last, &r.id));
	close_all();
}
END_TEST

START_TEST(a_service_that_is_away_is_said)
{
	struct reply r;
	uint16_t at;

	open_all();
	serve(&one, 0, ANSWER);
	at = port(&one);
	unserve(&one);
	know(at, 0, 0, false);
	r = ask_now();
	ck_status(r.answer.status, SP_E_CONNECT);
	ck_assert_ptr_nonnull(strstr(r.answer.why.text, "127.0.0.1"));
	/* and is found when it is back */
	serve(&one, at, ANSWER);
	r = ask_now();
	ck_status(r.read, SP_OK);
	close_all();
}
END_TEST

START_TEST(one_connection_ends_with_its_requests)
{
	struct reply r, held = { 0 };
	uint8_t secret[SP_EXPORTER];
	uint16_t at;

	open_all();
	serve(&one, 0, ANSWER);
	at = port(&one);
	know(at, 0, 0, true);
	ck_assert_ptr_null(sp_client_server(client));
	ck_status(sp_client_exporter(client, secret), SP_E_CLOSED);
	r = ask_now();
	ck_status(r.read, SP_OK);
	ck_assert_str_eq(sp_client_server(client)->service, "main");
	ck_status(sp_client_exporter(client, secret), SP_OK);
	ck_assert(sp_span_eq(sp_client_chain(client, 0), sp_buf_span(&server_cert)));
	ck_assert_uint_eq(sp_client_chain(client, 1).n, 0);
	one.deed = HOLD;
	ask(&held);
	while (one.nheld == 0)
		unit_loop_run_ms(&u, 2);
	unserve(&one);
	serve(&one, at, ANSWER);
	unit_loop_run(&u);
	ck_status(held.answer.status, SP_E_CLOSED);
	ck_status(sp_client_exporter(client, secret), SP_E_CLOSED);
	r = ask_now();
	ck_status(r.answer.status, SP_E_CLOSED);
	ck_assert_uint_eq(one.handled, 0);
	close_all();
}
END_TEST

START_TEST(cancelled_requests_are_silent)
{
	struct reply r = { 0 }, never = { 0 }, due = { 0 };

	open_all();
	serve(&one, 0, HOLD);
	know(port(&one), 0, 0, false);
	sp_client_cancel(client, &(struct sp_id){ { 1 } });
	ask(&never);				/* before it is sent */
	sp_client_cancel(client, &never.id);
	ask(&r);
	while (one.nheld == 0)
		unit_loop_run_ms(&u, 2);
	sp_client_cancel(client, &r.id);	/* while it is open */
	release(&one);
	unit_loop_run_ms(&u, 30);
	ck_assert_uint_eq(r.calls + never.calls, 0);
	one.deed = ANSWER;
	ask(&due);
	ck_status(sp_client_ask(client, &due.id, SP_MSG_LOOKUP,
	    &(struct sp_msg_lookup){ .name = sp_span_str("bob@a.b") },
	    on_reply, &due, NULL), SP_E_EXISTS);
	unit_loop_run(&u);
	ck_status(due.read, SP_OK);
	close_all();
}
END_TEST

START_TEST(a_callback_may_ask_again_or_free_the_client)
{
	struct reply r = { .ask_again = true }, last = { .free_client = true }, rest[3] = { 0 };

	open_all();
	serve(&one, 0, ANSWER);
	know(port(&one), 0, 0, false);
	ask(&r);
	unit_loop_run(&u);
	ck_assert_uint_eq(one.handled, 2);
	ask(&last);
	for (size_t i = 0; i < 3; i++)
		ask(&rest[i]);
	unit_loop_run(&u);
	ck_assert_ptr_null(client);
	unit_loop_run_ms(&u, 30);
	ck_assert_uint_eq(rest[0].calls + rest[1].calls + rest[2].calls, 0);
	close_all();
}
END_TEST

START_TEST(what_cannot_be_asked_is_refused)
{
	static struct reply r[SP_CLIENT_QUEUE];
	const char *const bad[] = { "post.example", "a b:1" };
	struct sp_client_conf conf = { .role = SP_ROLE_KEYD, .trust = ca.trust, .naddresses = 1 };
	struct sp_msg_lookup m = { .name = sp_span_str("bob@post.example") };
	struct sp_id id = sp_id_new();
	struct sp_client *none;

	open_all();
	memset(r, 0, sizeof(r));
	ck_status(sp_client_new(u.loop, resolver, &(struct sp_client_conf){ .trust = ca.trust }, &none, NULL),
	    SP_E_ARGUMENT);
	for (size_t i = 0; i < 2; i++) {
		conf.addresses = &bad[i];
		ck_status(sp_client_new(u.loop, resolver, &conf, &none, NULL), SP_E_ARGUMENT);
	}
	know(1, 0, 0, false);
	ck_status(sp_client_ask(client, &id, 0xfffe, &m, on_reply, r, NULL), SP_E_ARGUMENT);
	ck_status(sp_client_ask(client, &id, SP_MSG_PING, &m, on_reply, r, NULL), SP_E_ARGUMENT);
	m.name = sp_span(NULL, 0);
	ck_assert(sp_client_ask(client, &id, SP_MSG_LOOKUP, &m, on_reply, r, NULL) != SP_OK);
	m.name = sp_span_str("bob@post.example");
	for (size_t i = 0; i < SP_CLIENT_QUEUE; i++)
		ask(&r[i]);
	ck_status(sp_client_ask(client, &id, SP_MSG_LOOKUP, &m, on_reply, r, NULL), SP_E_FULL);
	close_all();
}
END_TEST

START_TEST(a_refused_certificate_is_explained_by_the_server)
{
	struct sp_identity id;
	struct reply r;

	open_all();
	serve(&one, 0, ANSWER);
	sp_key_free(station_key);
	sp_buf_clear(&station_cert);
	id = leaf_identity("post.example", SP_ROLE_STATION, "alice", "laptop", &station_key);
	id.not_before -= 2000;
	id.not_after = NOW_S - 1000;
	leaf_make(&ca, &id, &station_cert);
	know(port(&one), 0, 0, false);
	r = ask_now();
	ck_status(r.answer.status, SP_E_CERT_EXPIRED);
	ck_assert(r.answer.from_server);
	ck_assert_uint_eq(one.handled, 0);
	close_all();
}
END_TEST

START_TEST(another_identity_is_used_from_then_on)
{
	struct sp_tls_identity none = { .key = station_key };
	struct sp_why why;
	struct reply r;

	open_all();
	serve(&one, 0, ANSWER);
	know(port(&one), 0, 0, false);
	ck_status(ask_now().read, SP_OK);
	none = (struct sp_tls_identity){ .key = station_key, .cert = sp_span_str("no certificate") };
	ck_status(sp_client_set_identity(client, &none, &why), SP_E_CERT);
	ck_status(ask_now().read, SP_OK);
	ck_status(sp_client_set_identity(client, NULL, &why), SP_OK);
	r = ask_now();
	ck_status(r.answer.status, SP_E_PERMISSION);
	close_all();
}
END_TEST

START_TEST(a_new_trust_in_the_middle_of_connecting_loses_nothing)
{
	struct reply r[31] = { 0 };

	open_all();
	serve(&one, 0, ANSWER);
	know(port(&one), 0, 2 * UNIT_PATIENCE_MS, false);
	for (size_t i = 0; i < 30; i++) {
		ask(&r[i]);
		if (i == 5)
			sp_client_set_trust(client, ca.trust);
	}
	wait_for(r, 30);
	ask(&r[30]);
	sp_client_set_trust(client, ca.trust);
	wait_for(r, 31);
	close_all();
}
END_TEST

UNIT_MAIN("net/client", many_requests_pass_eight_at_a_time, a_request_that_hangs_does_not_hold_up_the_others,
    silence_goes_to_the_next_address_with_the_same_id, silence_everywhere_ends, busy_services_are_left_for_the_next,
    answers_say_why, a_restarted_service_is_asked_again, a_service_that_is_away_is_said,
    one_connection_ends_with_its_requests, cancelled_requests_are_silent,
    a_callback_may_ask_again_or_free_the_client, what_cannot_be_asked_is_refused,
    a_refused_certificate_is_explained_by_the_server, another_identity_is_used_from_then_on,
    a_new_trust_in_the_middle_of_connecting_loses_nothing)
