/*
 * net_frames_test.c - a service against foreign clients: strangers, other roles and domains, ended certificates, old
 * TLS, frames that are unknown, too long, cut, slow,
    or too many; answers after the connection or the service is gone.
 */
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/net/service.h"
#define NOW_MS sp_clock_wall_ms()
#include "tests/unit/crypto_certs.h"
#include "tests/unit/net_raw.h"

#define HELD_MAX 16

static struct unit_loop u;
static struct ca ca, other;
static struct sp_key *server_key;
static struct sp_buf server_cert;
static struct sp_service *service;
static struct sp_request *held[HELD_MAX];
static size_t nheld, handled;
static bool drained, free_in_handler, big_answers;

static void
on_lookup(void *arg, struct sp_request *rq)
{
	struct sp_msg_lookup m;

	ck_assert_ptr_eq(arg, &u);
	handled++;
	if (sp_request_read(rq, &m) != SP_OK)
		return;
	if (big_answers) {
		static uint8_t body[200000];

		sp_request_answer_bytes(rq, SP_MSG_LOOKUP_IS, sp_span(body, sizeof(body)));
		return;
	}
	if (free_in_handler) {
		sp_service_free(service);
		service = NULL;
	}
	held[nheld++] = rq;
}

static void
on_roster(void *arg, struct sp_request *rq)
{
	(void)arg;
	handled++;
	sp_request_answer(rq, SP_MSG_OK, &(struct sp_msg_ok){ 0 });
}

static const struct sp_handler handlers[] = {
	{ SP_MSG_LOOKUP, SP_ALLOW(SP_ROLE_NONE) | SP_ALLOW(SP_ROLE_STATION), on_lookup },
	{ SP_MSG_ROSTER, SP_ALLOW(SP_ROLE_STATION) | SP_ALLOW(SP_ROLE_CREDITD), on_roster },
};

static void
open_all(uint64_t idle_ms)
{
	struct sp_addr at = unit_addr("127.0.0.1:0");
	struct sp_service_conf conf = { .listen = &at, .nlisten = 1, .handlers = handlers, .nhandlers = 2, .arg = &u,
		.idle_ms = idle_ms };
	struct sp_identity id;
	struct sp_why why;

	unit_loop_open(&u);
	nheld = handled = 0;
	drained = free_in_handler = big_answers = false;
	ca_make(&ca, "post.example");
	ca_make(&other, "mail.example");
	id = leaf_identity("post.example", SP_ROLE_KEYD, "main", NULL, &server_key);
	leaf_make(&ca, &id, &server_cert);
	conf.identity = (struct sp_tls_identity){ .key = server_key, .cert = sp_buf_span(&server_cert) };
	conf.trust = ca.trust;
	ck_status(sp_service_new(u.loop, &conf, &service, &why), SP_OK);
}

static void
close_all(void)
{
	sp_service_free(service);
	unit_loop_close(&u);
	sp_key_free(server_key);
	sp_buf_done(&server_cert);
	ca_done(&ca);
	ca_done(&other);
}

/* A foreign client with a certificate of this office and role that ends in so many seconds; NONE: without one. */
static bool
dial_as(struct raw *r, const struct ca *office, const char *domain, enum sp_role role, int64_t seconds)
{
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	SP_AUTO(sp_key) *key = NULL;
	struct sp_identity id;

	if (role == SP_ROLE_NONE)
		return raw_open(r, &u, sp_service_port(service), NULL, sp_span(NULL, 0), TLS1_3_VERSION);
	id = leaf_identity(domain, role, role == SP_ROLE_STATION ? "alice" : "main", "laptop", &key);
	id.not_before -= 1000;
	id.not_after = NOW_S + seconds;
	leaf_make(office, &id, &cert);
	return raw_open(r, &u, sp_service_port(service), key, sp_buf_span(&cert), TLS1_3_VERSION);
}

static bool
dial(struct raw *r)
{
	return dial_as(r, &ca, "post.example", SP_ROLE_NONE, 0);
}

/* A LOOKUP under a new id. */
static struct sp_id
lookup(struct sp_buf *out)
{
	struct sp_msg_lookup m = { .name = sp_span_str("alice@post.") };
	struct sp_id id = sp_id_new();

	ck_status(sp_frame_pack(sp_desc_msg(SP_MSG_LOOKUP), &id, &m, out, NULL), SP_OK);
	return id;
}

static struct sp_service_stats
stats(void)
{
	struct sp_service_stats st;

	sp_service_stats(service, &st);
	return st;
}

static void
wait_held(size_t n)
{
	for (uint64_t end = sp_clock_boot_ms() + UNIT_PATIENCE_MS; nheld < n && sp_clock_boot_ms() < end;)
		unit_loop_run_ms(&u, 2);
	ck_assert_uint_eq(nheld, n);
}

static void
answer(size_t i)
{
	sp_request_answer(held[i], SP_MSG_OK, &(struct sp_msg_ok){ 0 });
}

/* The answer that comes next is for this id. */
static void
expect(struct raw *r, const struct sp_id *id)
{
	SP_AUTO_DONE(sp_buf) bytes = { 0 };
	struct sp_frame frame = { 0 };

	ck_assert(raw_get(r, &bytes, &frame));
	ck_assert_uint_eq(frame.type, SP_MSG_OK);
	ck_assert(sp_id_eq(&frame.id, id));
}

/* The connection still serves. */
static void
still_serves(struct raw *r)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_id id = lookup(&out);

	ck_assert(raw_send(r, sp_buf_span(&out)));
	wait_held(nheld + 1);
	answer(nheld - 1);
	expect(r, &id);
}

START_TEST(who_may_not_ask_is_told_and_the_connection_goes_on)
{
	static const struct { enum sp_role role; enum sp_status want; } cases[] = {
		{ SP_ROLE_NONE, SP_E_PERMISSION }, { SP_ROLE_CERTD, SP_E_PERMISSION }, { SP_ROLE_STATION, SP_OK },
		{ SP_ROLE_CREDITD, SP_OK } };
	struct raw r;
	struct sp_id id, got;

	open_all(0);
	for (size_t i = 0; i < 4; i++) {
		SP_AUTO_DONE(sp_buf) out = { 0 };

		id = sp_id_new();
		ck_assert(dial_as(&r, &ca, "post.example", cases[i].role, 1000));
		raw_frame(&out, 18, SP_MSG_ROSTER, &id, sp_span(NULL, 0));
		ck_assert(raw_send(&r, sp_buf_span(&out)));
		if (cases[i].want == SP_OK) {
			expect(&r, &id);
		} else {
			ck_status(raw_error(&r, &got), cases[i].want);
			ck_assert(sp_id_eq(&id, &got));
			if (cases[i].role == SP_ROLE_NONE)
				still_serves(&r);
		}
		raw_close(&r);
	}
	ck_assert_uint_eq(handled, 3);
	close_all();
}
END_TEST

START_TEST(a_bad_certificate_ends_the_connection_with_the_reason)
{
	struct raw r;
	struct sp_id id;
	enum sp_status st;

	open_all(0);
	/* another domain's */
	ck_assert(dial_as(&r, &other, "mail.example", SP_ROLE_STATION, 1000));
	st = raw_error(&r, &id);
	ck_assert(st == SP_E_CERT || st == SP_E_DOMAIN);
	ck_assert(sp_id_is_zero(&id));
	ck_status(raw_error(&r, &id), SP_OK);	/* closed */
	raw_close(&r);
	/* ended */
	ck_assert(dial_as(&r, &ca, "post.example", SP_ROLE_STATION, -500));
	ck_status(raw_error(&r, &id), SP_E_CERT_EXPIRED);
	raw_close(&r);
	ck_assert_uint_eq(stats().bad_peers, 2);
	ck_assert_uint_eq(handled, 0);
	close_all();
}
END_TEST

START_TEST(what_was_sent_before_a_bad_certificate_was_seen_is_not_read)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct raw r;
	struct sp_id id;

	open_all(0);
	ck_assert(dial_as(&r, &ca, "post.example", SP_ROLE_STATION, -500));
	id = sp_id_new();
	raw_frame(&out, 18, SP_MSG_ROSTER, &id, sp_span(NULL, 0));
	(void)raw_send(&r, sp_buf_span(&out));
	ck_status(raw_error(&r, &id), SP_E_CERT_EXPIRED);
	unit_loop_run_ms(&u, 30);
	ck_assert_uint_eq(handled, 0);
	raw_close(&r);
	close_all();
}
END_TEST

START_TEST(a_certificate_that_ends_ends_what_it_may_ask)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct raw r;
	struct sp_id id = sp_id_new(), got;

	open_all(0);
	ck_assert(dial_as(&r, &ca, "post.example", SP_ROLE_STATION, 2));
	raw_frame(&out, 18, SP_MSG_ROSTER, &id, sp_span(NULL, 0));
	ck_assert(raw_send(&r, sp_buf_span(&out)));
	expect(&r, &id);
	unit_loop_run_ms(&u, 3500);
	ck_assert(raw_send(&r, sp_buf_span(&out)));
	ck_status(raw_error(&r, &got), SP_E_CERT_EXPIRED);
	raw_close(&r);
	close_all();
}
END_TEST

START_TEST(only_tls_1_3)
{
	struct raw r;

	open_all(0);
	ck_assert(!raw_open(&r, &u, sp_service_port(service), NULL, sp_span(NULL, 0), TLS1_2_VERSION));
	raw_close(&r);
	unit_loop_run_ms(&u, 20);
	ck_assert_uint_eq(stats().open_connections, 0);
	ck_assert(dial(&r));
	ck_assert_str_eq(SSL_get_version(r.ssl), "TLSv1.3");
	raw_close(&r);
	close_all();
}
END_TEST

START_TEST(unknown_types_are_answered_and_skipped)
{
	/* a number nobody has, a letter, a data record, a part, and a known one that this service does not serve */
	static const unsigned types[] = { 0xfffe, SP_MSG_PING, SP_MSG_DATA_OPEN, SP_MSG_CERT_PART, SP_MSG_POSTMARK };
	static uint8_t body[20000];
	struct raw r;

	open_all(0);
	ck_assert(dial(&r));
	for (size_t i = 0; i < 5; i++) {
		SP_AUTO_DONE(sp_buf) out = { 0 };
		size_t n = i == 4 ? 50 : sizeof(body);
		struct sp_id id = sp_id_new(), got;

		raw_frame(&out, (uint32_t)(18 + n), types[i], &id, sp_span(body, n));
		ck_assert(raw_send(&r, sp_buf_span(&out)));
		ck_status(raw_error(&r, &got), SP_E_UNKNOWN);
		ck_assert(sp_id_eq(&id, &got));
		still_serves(&r);
	}
	ck_assert_uint_eq(stats().bad_frames, 4);
	raw_close(&r);
	close_all();
}
END_TEST

START_TEST(lengths_beyond_a_row_are_refused_before_the_body)
{
	struct raw r;
	struct sp_id id = sp_id_new(), got;
	SP_AUTO_DONE(sp_buf) out = { 0 };

	open_all(0);
	ck_assert(dial(&r));
	/* Only the head comes: the answer does not wait for what was announced. */
	raw_frame(&out, (uint32_t)sp_frame_max(sp_desc_msg(SP_MSG_LOOKUP)) - 4 + 1, SP_MSG_LOOKUP, &id, sp_span(NULL,
	    0));
	ck_assert(raw_send(&r, sp_buf_span(&out)));
	ck_status(raw_error(&r, &got), SP_E_LONG);
	ck_assert(sp_id_eq(&id, &got));
	ck_status(raw_error(&r, &got), SP_OK);	/* closed */
	raw_close(&r);
	ck_assert_uint_eq(handled, 0);
	close_all();
}
END_TEST

START_TEST(impossible_lengths_end_the_connection)
{
	static const uint32_t bad[] = { 0, 17, SP_FRAME_MAX - 3, UINT32_MAX };
	struct sp_id id = sp_id_new(), got;

	open_all(0);
	for (size_t i = 0; i < 4; i++) {
		SP_AUTO_DONE(sp_buf) out = { 0 };
		struct raw r;

		ck_assert(dial(&r));
		raw_frame(&out, bad[i], SP_MSG_LOOKUP, &id, sp_span(NULL, 0));
		(void)raw_send(&r, sp_buf_span(&out));
		ck_status(raw_error(&r, &got), SP_OK);
		raw_close(&r);
	}
	ck_assert_uint_eq(stats().bad_frames, 4);
	ck_assert_uint_eq(handled, 0);
	close_all();
}
END_TEST

START_TEST(a_body_that_does_not_decode_is_answered)
{
	static const uint8_t wrong[] = { 0, 2, 0, 0, 0, 200, 'x' };
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct raw r;
	struct sp_id id = sp_id_new(), got;

	open_all(0);
	ck_assert(dial(&r));
	raw_frame(&out, 18 + sizeof(wrong), SP_MSG_LOOKUP, &id, sp_span(wrong, sizeof(wrong)));
	raw_frame(&out, 18, SP_MSG_LOOKUP, &id, sp_span(NULL, 0));
	ck_assert(raw_send(&r, sp_buf_span(&out)));
	ck_assert(raw_error(&r, &got) != SP_OK);
	ck_status(raw_error(&r, &got), SP_E_MISSING);
	still_serves(&r);
	raw_close(&r);
	close_all();
}
END_TEST

START_TEST(frames_cut_in_every_place_arrive_whole)
{
	struct raw r;

	open_all(0);
	ck_assert(dial(&r));
	for (size_t cut = 1; cut < 2 * 39; cut += cut < 45 ? 1 : 7) {
		SP_AUTO_DONE(sp_buf) out = { 0 };
		struct sp_id a = lookup(&out), b = lookup(&out);

		ck_assert_uint_eq(out.len, 2 * 39);
		nheld = 0;
		ck_assert(raw_send(&r, sp_span(out.data, cut)));
		unit_loop_run_ms(&u, 3);
		ck_assert_uint_eq(nheld, cut >= 39);
		ck_assert(raw_send(&r, sp_span(out.data + cut, out.len - cut)));
		wait_held(2);
		answer(0);
		answer(1);
		expect(&r, &a);
		expect(&r, &b);
	}
	raw_close(&r);
	close_all();
}
END_TEST

START_TEST(half_sent_and_idle_connections_end_but_not_waiting_ones)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct raw slow, idle, waiting;
	struct sp_id id;

	open_all(200);
	ck_assert(dial(&slow));
	ck_assert(dial(&idle));
	ck_assert(dial(&waiting));
	id = lookup(&out);
	ck_assert(raw_send(&waiting, sp_buf_span(&out)));
	for (size_t i = 0; i < 20; i++) {	/* a byte now and then does not keep it */
		(void)raw_send(&slow, sp_span(out.data + i, 1));
		unit_loop_run_ms(&u, 20);
	}
	ck_assert_uint_eq(stats().open_connections, 1);
	unit_loop_run_ms(&u, 200);
	answer(0);
	expect(&waiting, &id);
	raw_close(&slow);
	raw_close(&idle);
	raw_close(&waiting);
	close_all();
}
END_TEST

START_TEST(no_more_than_the_allowed_requests_are_open)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_id ids[12];
	struct raw r;

	open_all(0);
	ck_assert(dial(&r));
	for (size_t i = 0; i < 12; i++)
		ids[i] = lookup(&out);
	ck_assert(raw_send(&r, sp_buf_span(&out)));
	wait_held(SP_FRAME_INFLIGHT);
	unit_loop_run_ms(&u, 50);
	ck_assert_uint_eq(nheld, SP_FRAME_INFLIGHT);
	ck_assert_uint_eq(stats().open_requests, SP_FRAME_INFLIGHT);
	/* Answered in any order; each makes room for one. */
	answer(7);
	expect(&r, &ids[7]);
	wait_held(SP_FRAME_INFLIGHT + 1);
	answer(0);
	answer(8);
	expect(&r, &ids[0]);
	expect(&r, &ids[8]);
	for (size_t i = 1; i < 7; i++) {
		answer(i);
		expect(&r, &ids[i]);
	}
	wait_held(12);
	for (size_t i = 9; i < 12; i++) {
		answer(i);
		expect(&r, &ids[i]);
	}
	ck_assert_uint_eq(stats().open_requests, 0);
	raw_close(&r);
	close_all();
}
END_TEST

START_TEST(who_takes_no_answers_is_not_read_and_ended)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct raw r;
	size_t so_far;

	open_all(300);
	big_answers = true;
	ck_assert(dial(&r));
	for (size_t i = 0; i < 200; i++)
		lookup(&out);
	ck_assert(raw_send(&r, sp_buf_span(&out)));
	unit_loop_run_ms(&u, 100);
	so_far = handled;
	unit_loop_run_ms(&u, 100);
	ck_assert_uint_eq(handled, so_far);
	ck_assert_uint_lt(so_far, 150);
	for (uint64_t end = sp_clock_boot_ms() + UNIT_PATIENCE_MS; stats().open_connections > 0 &&
	    sp_clock_boot_ms() < end;)
		unit_loop_run_ms(&u, 10);
	ck_assert_uint_eq(stats().open_connections, 0);
	raw_close(&r);
	close_all();
}
END_TEST

START_TEST(answers_to_who_is_gone_are_dropped)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct raw r;

	open_all(0);
	ck_assert(dial(&r));
	lookup(&out);
	lookup(&out);
	lookup(&out);
	ck_assert(raw_send(&r, sp_buf_span(&out)));
	wait_held(3);
	raw_close(&r);
	while (stats().open_connections > 0)
		unit_loop_run_ms(&u, 5);
	answer(0);
	ck_assert_uint_eq(stats().open_requests, 2);
	/* Another connection in the same slot gets nothing of the first one's. */
	ck_assert(dial(&r));
	sp_request_fail(held[1], SP_E_NOTFOUND, NULL);
	still_serves(&r);
	raw_close(&r);
	sp_service_free(service);
	service = NULL;
	sp_request_busy(held[2], 5);
	close_all();
}
END_TEST

START_TEST(a_handler_may_free_the_service)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct raw r;

	open_all(0);
	ck_assert(dial(&r));
	lookup(&out);
	lookup(&out);
	free_in_handler = true;
	ck_assert(raw_send(&r, sp_buf_span(&out)));
	wait_held(1);
	unit_loop_run_ms(&u, 10);
	ck_assert_uint_eq(nheld, 1);
	answer(0);
	raw_close(&r);
	close_all();
}
END_TEST

static void
on_drained(void *arg)
{
	ck_assert_ptr_eq(arg, &drained);
	ck_assert(!drained);
	drained = true;
}

START_TEST(drained_when_all_is_answered_and_sent)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct raw r, idle;
	struct sp_id id, got;

	open_all(0);
	ck_assert(dial(&r));
	ck_assert(dial(&idle));
	id = lookup(&out);
	ck_assert(raw_send(&r, sp_buf_span(&out)));
	wait_held(1);
	sp_service_drain(service, on_drained, &drained);
	ck_status(raw_error(&idle, &got), SP_OK);	/* closed */
	raw_close(&idle);
	(void)raw_send(&r, sp_buf_span(&out));		/* is not read any more */
	unit_loop_run_ms(&u, 50);
	ck_assert(!drained);
	ck_assert_uint_eq(nheld, 1);
	answer(0);
	expect(&r, &id);
	ck_status(raw_error(&r, &got), SP_OK);
	raw_close(&r);
	unit_loop_run_ms(&u, 50);
	ck_assert(drained);
	close_all();
}
END_TEST

UNIT_MAIN("net/frames", who_may_not_ask_is_told_and_the_connection_goes_on,
    a_bad_certificate_ends_the_connection_with_the_reason,
    what_was_sent_before_a_bad_certificate_was_seen_is_not_read,
    a_certificate_that_ends_ends_what_it_may_ask, only_tls_1_3, unknown_types_are_answered_and_skipped,
    lengths_beyond_a_row_are_refused_before_the_body, impossible_lengths_end_the_connection,
    a_body_that_does_not_decode_is_answered, frames_cut_in_every_place_arrive_whole,
    half_sent_and_idle_connections_end_but_not_waiting_ones, no_more_than_the_allowed_requests_are_open,
    who_takes_no_answers_is_not_read_and_ended, answers_to_who_is_gone_are_dropped, a_handler_may_free_the_service,
    drained_when_all_is_answered_and_sent)
