/*
 * net_flood_test.c - a service under hostile load: handshakes that are never done, frames that trickle, and TLS's own
 * messages without end. A good client is served all the while.
 */
#include <openssl/err.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/net/service.h"
#define NOW_MS sp_clock_wall_ms()
#include "tests/unit/crypto_certs.h"
#include "tests/unit/net_raw.h"

#define CONNS 64

static struct unit_loop u;
static struct ca ca;
static struct sp_key *server_key;
static struct sp_buf server_cert;
static struct sp_service *service;

static void
on_lookup(void *arg, struct sp_request *rq)
{
	(void)arg;
	sp_request_answer(rq, SP_MSG_OK, &(struct sp_msg_ok){ 0 });
}

static const struct sp_handler handlers[] = { { SP_MSG_LOOKUP, SP_ALLOW(SP_ROLE_NONE), on_lookup } };

static void
open_all(uint64_t idle_ms)
{
	struct sp_addr at = unit_addr("127.0.0.1:0");
	struct sp_service_conf conf = { .listen = &at, .nlisten = 1, .handlers = handlers, .nhandlers = 1,
		.idle_ms = idle_ms, .conns_max = CONNS };
	struct sp_identity id;
	struct sp_why why;

	unit_loop_open(&u);
	ca_make(&ca, "post.example");
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
}

static bool
dial(struct raw *r)
{
	return raw_open(r, &u, sp_service_port(service), NULL, sp_span(NULL, 0), TLS1_3_VERSION);
}

/* A request, sent and answered. */
static bool
is_served(struct raw *r)
{
	struct sp_msg_lookup m = { .name = sp_span_str("alice@post.") };
	SP_AUTO_DONE(sp_buf) out = { 0 }, in = { 0 };
	struct sp_id id = sp_id_new();
	struct sp_frame frame;

	ck_status(sp_frame_pack(sp_desc_msg(SP_MSG_LOOKUP), &id, &m, &out, NULL), SP_OK);
	return raw_send(r, sp_buf_span(&out)) && raw_get(r, &in, &frame) && frame.type == SP_MSG_OK &&
	    sp_id_eq(&frame.id, &id);
}

static int
bare(void)
{
	struct sp_addr to = unit_addr("127.0.0.1:0");
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.port = sp_service_port(service);
	len = sp_addr_to_sockaddr(&to, &ss);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

START_TEST(handshakes_that_are_never_done_make_way)
{
	static const uint8_t half[] = { 22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3 };
	struct raw old, anew;
	int fds[3 * CONNS];

	open_all(0);
	ck_assert(dial(&old));
	for (size_t i = 0; i < 3 * CONNS; i++) {
		fds[i] = bare();
		if (i % 2 == 0)
			ck_assert_int_eq(send(fds[i], half, sizeof(half), MSG_NOSIGNAL), sizeof(half));
		unit_loop_run_ms(&u, 1);
	}
	ck_assert(is_served(&old));		/* it never makes way */
	ck_assert(dial(&anew));
	ck_assert(is_served(&anew));
	for (size_t i = 0; i < 3 * CONNS; i++)
		close(fds[i]);
	raw_close(&old);
	raw_close(&anew);
	close_all();
}
END_TEST

START_TEST(when_all_are_good_the_next_is_refused)
{
	struct raw good[CONNS], more;

	open_all(0);
	for (size_t i = 0; i < CONNS; i++)
		ck_assert(dial(&good[i]));
	ck_assert(!dial(&more));
	raw_close(&more);
	for (size_t i = 0; i < CONNS; i++) {
		ck_assert(is_served(&good[i]));
		raw_close(&good[i]);
	}
	close_all();
}
END_TEST

START_TEST(frames_that_trickle_hold_up_nobody_and_end)
{
	struct raw slow[8], good;
	struct sp_service_stats st;

	open_all(300);
	for (size_t i = 0; i < 8; i++) {
		ck_assert(dial(&slow[i]));
		ck_assert(raw_send(&slow[i], sp_span("\0", 1)));
	}
	ck_assert(dial(&good));
	for (int round = 0; round < 8; round++) {
		ck_assert(is_served(&good));
		for (size_t i = 0; i < 8; i++)
			(void)raw_send(&slow[i], sp_span("\0", 1));	/* a byte now and then moves no deadline */
		unit_loop_run_ms(&u, 60);
	}
	sp_service_stats(service, &st);
	ck_assert_uint_eq(st.open_connections, 1);
	ck_assert(is_served(&good));
	raw_close(&good);
	for (size_t i = 0; i < 8; i++)
		raw_close(&slow[i]);
	close_all();
}
END_TEST

/* True if the connection is still served after so many key updates, each of which asks for one in return. */
static bool
survives_updates(struct raw *r, unsigned updates)
{
	for (unsigned i = 0; i < updates; i++) {
		int ret = SSL_key_update(r->ssl, SSL_KEY_UPDATE_REQUESTED);

		if (ret != 1 || SSL_do_handshake(r->ssl) != 1)
			break;
		unit_loop_run_ms(&u, 1);
	}
	return is_served(r);
}

START_TEST(key_updates_are_followed_but_not_without_end)
{
	struct raw few, many, good;

	open_all(0);
	ck_assert(dial(&few));
	ck_assert(dial(&many));
	ck_assert(dial(&good));
	ck_assert(survives_updates(&few, SP_TLS_EXTRAS));
	ck_assert(!survives_updates(&many, SP_TLS_EXTRAS + 1));
	ck_assert(is_served(&good));
	raw_close(&few);
	raw_close(&many);
	raw_close(&good);
	close_all();
}
END_TEST

START_TEST(nothing_is_negotiated_anew)
{
	struct raw r;

	open_all(0);
	ck_assert(dial(&r));
	ck_assert_int_eq(SSL_renegotiate(r.ssl), 0);		/* TLS 1.3 has no such thing */
	ERR_clear_error();
	ck_assert(is_served(&r));
	raw_close(&r);
	close_all();
}
END_TEST

UNIT_MAIN("net/flood", handshakes_that_are_never_done_make_way, when_all_are_good_the_next_is_refused,
    frames_that_trickle_hold_up_nobody_and_end, key_updates_are_followed_but_not_without_end, nothing_is_negotiated_anew)
