/*
 * net_evil_test.c - the client against a service with a good certificate that sends answers nobody should send.
 */
#include "common/base/clock.h"
#include "common/net/client.h"
#include "common/net/socket.h"
#include "common/net/tls_in.h"
#define NOW_MS sp_clock_wall_ms()
#include "tests/unit/crypto_certs.h"
#include "tests/unit/net_unit.h"

static struct unit_loop u;
static struct tls_ctx *evil_ctx;
static struct sp_listener *evil_listener;
static struct tls_conn *evil_conn;
static unsigned evil_deed;

static enum sp_status
evil_up(void *arg, struct sp_why *why)
{
	(void)arg;
	(void)why;
	return SP_OK;
}

static enum tls_take
evil_head(void *arg, const struct sp_frame *frame, size_t n, enum sp_status st)
{
	(void)arg;
	(void)frame;
	(void)n;
	return st == SP_OK ? TLS_TAKE : TLS_SKIP;
}

static void
evil_frame(void *arg, const struct sp_frame *frame, uint8_t *body_take, size_t n)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_id stranger = sp_id_new();
	/* length, type, whose id */
	const struct { uint32_t length, type; const struct sp_id *id; } deeds[] = {
		{ 18, 0xfffe, &frame->id },			/* a type nobody knows */
		{ 18, SP_MSG_PING, &frame->id },		/* a letter */
		{ SP_FRAME_MAX - 4, SP_MSG_OK, &frame->id },	/* too long for its row */
		{ UINT32_MAX, SP_MSG_OK, &frame->id },		/* impossible */
		{ 18, SP_MSG_OK, &stranger },			/* for another request: passed over */
		{ 18, SP_MSG_OK, &tls_no_id },			/* for none: passed over */
		{ 18, SP_MSG_ERROR, &frame->id },		/* an ERROR without its status */
	};

	(void)arg;
	(void)n;
	free(body_take);
	sp_buf_add_u32(&out, deeds[evil_deed].length);
	sp_buf_add_u16(&out, (uint16_t)deeds[evil_deed].type);
	sp_buf_add(&out, deeds[evil_deed].id->b, 16);
	if (evil_deed == 4 || evil_deed == 5) {
		struct sp_msg_lookup_is is = { 0 };

		ck_status(sp_frame_pack(sp_desc_msg(SP_MSG_LOOKUP_IS), &frame->id, &is, &out, NULL), SP_OK);
	}
	tls_conn_send(evil_conn, sp_buf_span(&out));
}

static void
evil_down(void *arg, enum sp_status st, const struct sp_why *why)
{
	(void)arg;
	(void)st;
	(void)why;
	tls_conn_free(sp_take(&evil_conn));
}

static void
evil_accept(void *arg, int fd, const struct sp_addr *addr)
{
	static const struct tls_conn_calls calls = { evil_up, evil_head, evil_frame, evil_down };
	const struct tls_conn_conf conf = { .server = true, .idle_ms = 10000, .calls = &calls };

	(void)arg;
	(void)addr;
	tls_conn_free(evil_conn);
	evil_conn = tls_conn_new(u.loop, evil_ctx, fd, &conf);
}

struct reply {
	size_t calls;
	enum sp_status status;
};

static void
on_reply(void *arg, const struct sp_answer *answer)
{
	struct reply *r = arg;

	r->calls++;
	r->status = answer->status;
	sp_loop_stop(u.loop);
}

/* What a client of this port gets. */
static enum sp_status
ask(struct sp_resolver *resolver, const struct ca *ca, uint16_t port)
{
	char text[32];
	const char *const address = text;
	struct sp_client_conf conf = { .role = SP_ROLE_KEYD, .addresses = &address, .naddresses = 1,
	    .trust = ca->trust,
		.request_ms = 3000 };
	struct sp_msg_lookup m = { .name = sp_span_str("bob@post.example") };
	struct reply r = { 0 };
	struct sp_id id = sp_id_new();
	struct sp_client *client;

	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	ck_status(sp_client_new(u.loop, resolver, &conf, &client, NULL), SP_OK);
	ck_status(sp_client_ask(client, &id, SP_MSG_LOOKUP, &m, on_reply, &r, NULL), SP_OK);
	unit_loop_run(&u);
	ck_assert_uint_eq(r.calls, 1);
	sp_client_free(client);
	return r.status;
}

START_TEST(hostile_answers_end_the_connection_or_are_passed_over)
{
	static const enum sp_status want[] = { SP_E_REPLY, SP_E_REPLY, SP_E_REPLY, SP_E_FORMAT, SP_OK, SP_OK,
		SP_E_MISSING };
	const struct sp_addr at = unit_addr("127.0.0.1:0");
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	SP_AUTO(sp_key) *key = NULL;
	struct sp_resolver *resolver;
	struct sp_tls_identity own;
	struct sp_identity id;
	struct sp_addr local;
	struct ca ca;
	int fd;

	unit_loop_open(&u);
	ca_make(&ca, "post.example");
	id = leaf_identity("post.example", SP_ROLE_KEYD, "main", NULL, &key);
	leaf_make(&ca, &id, &cert);
	own = (struct sp_tls_identity){ .key = key, .cert = sp_buf_span(&cert) };
	ck_status(sp_resolver_new(u.loop, &resolver, NULL), SP_OK);
	ck_status(tls_ctx_new(&own, true, &evil_ctx, NULL), SP_OK);
	ck_status(sp_socket_listen(&at, &fd, NULL), SP_OK);
	ck_status(sp_addr_local(fd, &local), SP_OK);
	evil_listener = sp_listener_new(u.loop, fd, evil_accept, NULL);
	for (evil_deed = 0; evil_deed < 7; evil_deed++) {
		enum sp_status st = ask(resolver, &ca, local.port);

		ck_assert_msg(st == want[evil_deed], "%u: %s", evil_deed, sp_status_name(st));
	}
	sp_listener_free(evil_listener);
	tls_conn_free(evil_conn);
	tls_ctx_free(evil_ctx);
	sp_resolver_free(resolver);
	unit_loop_close(&u);
	ca_done(&ca);
}
END_TEST

UNIT_MAIN("net/evil", hostile_answers_end_the_connection_or_are_passed_over)
