/*
 * daemon_caller_test.c - a service calls a station back: the answer, cookies on both sides, TCP where datagrams are in
 * vain, and a flood on the service's own letter port. The station is a bare socket that seals by hand.
 */
#include "common/daemon/caller.h"

#include "common/crypto/hash.h"
#include "common/net/guard.h"
#include "tests/unit/letters_raw_test.h"

static struct member service, station, other;
static struct sp_caller *caller;
static struct sp_letter_key service_key, station_key;
static struct sp_cookie_jar jar;
static struct sp_addr service_addr;		/* where its letters come from */
static const struct sp_msg_receipt_ready ready = { .number = { { 1 } }, .transfer = { { 2 } } };
static bool jealous;				/* the station asks for cookies … */
static bool endless;				/* … and is never content */
static unsigned status, cookies_given, called_back;
static enum sp_status called_status;

static void
set_up_caller(void)
{
	struct sp_why why;

	set_up();
	make_station(&service, &office, "carol/service@" DOMAIN, -1, 90);
	make_station(&station, &office, "alice/laptop@" DOMAIN, -1, 90);
	make_station(&other, &office, "bob/laptop@" DOMAIN, -1, 90);
	sp_letter_key_init(&service_key, service.letter.public_key);
	sp_letter_key_init(&station_key, station.letter.public_key);
	memset(&jar, 0, sizeof(jar));
	jealous = endless = false;
	status = cookies_given = called_back = 0;
	ck_status(sp_caller_new(loop, &service, &caller, &why), SP_OK);
}

static void
tear_down_caller(void)
{
	sp_caller_free(sp_take(&caller));
	free_station(&service);
	free_station(&station);
	free_station(&other);
	tear_down();
}

/* ---- the station ---- */

static void
seal_answer(const struct member *from, const struct sp_id *to, struct sp_buf *out)
{
	struct hand h = hand(from, &service);

	h.head.answers = *to;
	h.head.pad_to = 0;
	hand_seal(&h, SP_MSG_ANSWER, &(struct sp_msg_answer){ .status = (uint16_t)status }, out);
}

static void
on_call(struct raw *r)
{
	SP_AUTO_DONE(sp_buf) text = { .secret = true }, answer = { 0 };
	struct sp_span name = sp_span((const uint8_t *)"here", 4);
	struct sp_letter letter;

	service_addr = r->last_from;
	if (jealous && (endless || !sp_cookie_fits(&jar, sp_buf_span(&r->last), name, 1000))) {
		uint8_t cookie[SP_COOKIE], bytes[SP_COOKIE_LETTER];

		cookies_given++;
		sp_cookie_make(&jar, name, 1000, cookie);
		sp_cookie_seal(&station_key, sp_buf_span(&r->last), cookie, bytes);
		raw_send(r, &service_addr, sp_span(bytes, sizeof(bytes)));
		return;
	}
	letter = raw_letter(r, &station, &text);
	ck_assert_uint_eq(letter.type, SP_MSG_RECEIPT_READY);
	seal_answer(&station, &letter.head.id, &answer);
	raw_send(r, &service_addr, sp_buf_span(&answer));
}

static void
on_called(void *arg, enum sp_status st)
{
	(void)arg;
	called_back++;
	called_status = st;
	sp_loop_stop(loop);
}

static void
begin_call(const char *where)
{
	struct sp_why why;

	ck_status(sp_call(caller, station.letter.public_key, where, SP_MSG_RECEIPT_READY, &ready, on_called, NULL, &why), SP_OK);
}

static enum sp_status
call(const char *where)
{
	unsigned before = called_back;

	begin_call(where);
	while (called_back == before)
		run_loop();
	return called_status;
}

/* ---- */

START_TEST(a_call_is_answered_with_what_the_station_says)
{
	struct raw raw;

	set_up_caller();
	raw_open(&raw, on_call, NULL);
	ck_status(call(raw_text(&raw)), SP_OK);
	status = 42;
	ck_status(call(raw_text(&raw)), sp_status_from_number(42));
	raw_close(&raw);
	tear_down_caller();
}
END_TEST

START_TEST(a_station_under_load_is_called_again_with_its_cookie_at_once)
{
	struct raw raw;
	unsigned given;

	set_up_caller();
	raw_open(&raw, on_call, NULL);
	jealous = true;
	ck_status(call(raw_text(&raw)), SP_OK);
	/* one, unless this machine stood still for a try's time */
	given = cookies_given;
	ck_assert_uint_ge(given, 1);
	ck_assert_uint_lt(given, SP_LETTER_TRIES);
	/* the cookie is kept */
	ck_status(call(raw_text(&raw)), SP_OK);
	ck_assert_uint_eq(cookies_given, given);
	raw_close(&raw);
	tear_down_caller();
}
END_TEST

START_TEST(cookies_make_no_endless_round_and_others_cookies_none)
{
	uint8_t cookie[SP_COOKIE] = { 1 }, bytes[SP_COOKIE_LETTER];
	struct raw raw, liar;

	set_up_caller();
	raw_open(&raw, on_call, NULL);
	raw_open(&liar, NULL, NULL);
	jealous = endless = true;
	begin_call(raw_text(&raw));
	while (cookies_given == 0)
		run_for(10);
	/* to the right letter, from elsewhere; and from there, to no letter or sealed by somebody else */
	sp_cookie_seal(&station_key, sp_buf_span(&raw.last), cookie, bytes);
	raw_send(&liar, &service_addr, sp_span(bytes, sizeof(bytes)));
	sp_cookie_seal(&service_key, sp_buf_span(&raw.last), cookie, bytes);
	raw_send(&raw, &service_addr, sp_span(bytes, sizeof(bytes)));
	bytes[5] ^= 1;
	raw_send(&raw, &service_addr, sp_span(bytes, sizeof(bytes)));
	for (int i = 0; i < 200 && raw.count < 1 + SP_LETTER_COOKIES_LETTER; i++)
		run_for(10);
	/* the first try, and as many as one letter takes cookies */
	ck_assert_int_ge(raw.count, 1 + SP_LETTER_COOKIES_LETTER);
	ck_assert_int_le(raw.count, SP_LETTER_TRIES + SP_LETTER_COOKIES_LETTER);
	ck_assert_int_eq(liar.count, 0);
	endless = false;
	while (called_back == 0)
		run_loop();
	ck_status(called_status, SP_OK);
	raw_close(&raw);
	raw_close(&liar);
	tear_down_caller();
}
END_TEST

/* ---- over TCP ---- */

static unsigned by_datagram, by_tcp;

static void
on_letter(void *arg, const struct sp_return *from, struct sp_span bytes)
{
	struct sp_letterbox *box = *(struct sp_letterbox **)arg;
	SP_AUTO_DONE(sp_buf) text = { .secret = true }, answer = { 0 };
	struct sp_letter letter;

	if (from->conn == 0) {
		by_datagram++;
		return;
	}
	by_tcp++;
	ck_status(sp_letter_open(&station.letter, bytes, &text, &letter), SP_OK);
	seal_answer(&station, &letter.head.id, &answer);
	ck_status(sp_letterbox_reply(box, from, sp_buf_span(&answer)), SP_OK);
}

START_TEST(datagrams_that_are_in_vain_give_way_to_tcp_and_that_is_remembered)
{
	struct sp_letterbox_conf conf = { .bind = { { .family = 4, .ip = { 127, 0, 0, 1 } } }, .on_letter = on_letter };
	struct sp_letterbox *box;
	char where[32];

	set_up_caller();
	by_datagram = by_tcp = 0;
	conf.arg = &box;
	ck_status(sp_letterbox_new(loop, &conf, &box, NULL), SP_OK);
	snprintf(where, sizeof(where), "127.0.0.1:%u", (unsigned)sp_letterbox_port(box));
	ck_status(call(where), SP_OK);
	ck_assert_uint_eq(by_datagram, SP_LETTER_TRIES);
	ck_assert_uint_eq(by_tcp, 1);
	ck_status(call(where), SP_OK);
	ck_status(call(where), SP_OK);
	ck_assert_uint_eq(by_datagram, SP_LETTER_TRIES);
	ck_assert_uint_eq(by_tcp, 3);
	sp_letterbox_free(box);
	tear_down_caller();
}
END_TEST

/* ---- a flood on the service's port ---- */

#define SOCKETS 32
static int sockets[SOCKETS];
static size_t bytes_out[SOCKETS], bytes_in[SOCKETS];

static void
look(void)
{
	uint8_t bytes[2000];
	ssize_t n;

	run_for(2);
	for (size_t i = 0; i < SOCKETS; i++)
		while ((n = recv(sockets[i], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
			bytes_in[i] += (size_t)n;
}

/* Letters of which mac1 is right and the rest opens to nothing, from many networks. */
static void
flood(unsigned letters)
{
	uint8_t bytes[SP_LETTER_QUESTION] = { SP_LETTER_VERSION, SP_LETTER_SEALED }, mac[32];
	struct sockaddr_storage ss;
	socklen_t len = sp_addr_to_sockaddr(&service_addr, &ss);

	memcpy(bytes + 2, service_key.id, sizeof(service_key.id));
	for (unsigned i = 0; i < letters; i++) {
		memcpy(bytes + 10, &i, sizeof(i));
		sp_hmac(sp_span(service_key.mac, 32), sp_span(bytes, sizeof(bytes) - SP_LETTER_MACS), mac);
		memcpy(bytes + sizeof(bytes) - SP_LETTER_MACS, mac, 16);
		if (sendto(sockets[i % SOCKETS], bytes, sizeof(bytes), 0, (struct sockaddr *)&ss, len) > 0)
			bytes_out[i % SOCKETS] += sizeof(bytes);
		if (i % 64 == 63)
			look();
	}
	look();
}

static void
open_sockets(void)
{
	for (size_t i = 0; i < SOCKETS; i++) {
		struct sp_addr at = { .family = 4, .ip = { 127, 3, (uint8_t)i, 1 } };
		struct sockaddr_storage ss;
		socklen_t len = sp_addr_to_sockaddr(&at, &ss);

		bytes_out[i] = bytes_in[i] = 0;
		sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(bind(sockets[i], (struct sockaddr *)&ss, len), 0);
	}
}

/* What the service answers to this within a while; its length. */
static size_t
answer_to(struct raw *r, struct sp_span bytes)
{
	int before = r->count;

	raw_send(r, &service_addr, bytes);
	for (int i = 0; i < 100 && r->count == before; i++)
		run_for(2);
	return r->count > before ? r->last.len : 0;
}

START_TEST(a_flooded_service_hears_the_station_that_it_calls_and_gives_others_a_cookie)
{
	SP_AUTO_DONE(sp_buf) question = { 0 }, text = { .secret = true };
	uint8_t cookie[SP_COOKIE];
	struct raw raw, asker;
	struct hand h;

	set_up_caller();
	open_sockets();
	raw_open(&raw, on_call, NULL);
	raw_open(&asker, NULL, NULL);
	ck_status(call(raw_text(&raw)), SP_OK);
	for (unsigned round = 0; round < 20; round++) {
		int before = raw.count;

		flood(round == 0 ? 2000 : 300);
		/* its answer needs no cookie; a second try only where this machine stood still */
		ck_status(call(raw_text(&raw)), SP_OK);
		ck_assert_int_lt(raw.count, before + SP_LETTER_TRIES);
	}
	/* a stranger that asks for the service's certificate */
	h = hand(&other, &service);
	hand_seal(&h, SP_MSG_GET, &(struct sp_msg_get){ 0 }, &question);
	ck_assert_uint_eq(answer_to(&asker, sp_buf_span(&question)), SP_COOKIE_LETTER);
	ck_status(sp_cookie_open(&service_key, sp_buf_span(&question), sp_buf_span(&asker.last), cookie), SP_OK);
	sp_cookie_stamp(question.data, question.len, cookie);
	ck_assert_uint_gt(answer_to(&asker, sp_buf_span(&question)), SP_COOKIE_LETTER);
	ck_assert_uint_le(asker.last.len, question.len);
	ck_assert_uint_eq(raw_letter(&asker, &other, &text).type, SP_MSG_THING);
	for (size_t i = 0; i < SOCKETS; i++) {
		ck_assert_uint_gt(bytes_out[i], 0);
		ck_assert_uint_le(bytes_in[i], bytes_out[i]);
		close(sockets[i]);
	}
	raw_close(&raw);
	raw_close(&asker);
	tear_down_caller();
}
END_TEST

UNIT_MAIN("daemon/caller", a_call_is_answered_with_what_the_station_says,
    a_station_under_load_is_called_again_with_its_cookie_at_once, cookies_make_no_endless_round_and_others_cookies_none,
    datagrams_that_are_in_vain_give_way_to_tcp_and_that_is_remembered,
    a_flooded_service_hears_the_station_that_it_calls_and_gives_others_a_cookie)
