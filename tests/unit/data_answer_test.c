/*
 * data_answer_test.c - recipients that lie or fail, as the sender sees them: nothing that was not proved ends a
 * transfer for good, and a reason that was given arrives.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/statements/open.h"
#include "tests/unit/data_in_test.h"

#define SIZE (16u * 1024 * 1024)

struct fake {
	struct pair *p;
	int listener, fd;
	struct sp_channel *ch;
};

/* alice has begun to send a file that no socket buffer holds; the fake has her connection. */
static void
fake_begin(struct fake *f)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd, on = 1;

	stage_new(0);
	fd = open(tree_path("large"), O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	close(fd);
	f->p = agree(walk("large"));
	f->listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(f->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(f->listener, 1), 0);
	ck_assert_int_eq(getsockname(f->listener, (struct sockaddr *)&sin, &len), 0);
	f->p->send.addr = (struct sp_addr){ .family = 4, .ip = { 127, 0, 0, 1 }, .port = ntohs(sin.sin_port) };
	ck_status(data_send(alice, &f->p->send), SP_OK);
	f->fd = accept(f->listener, NULL, NULL);
	ck_assert_int_ge(f->fd, 0);
	ck_assert_int_eq(setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
}

static void
get(struct fake *f, void *bytes, size_t n)
{
	ck_assert_int_eq(recv(f->fd, bytes, n, MSG_WAITALL), (ssize_t)n);
}

static void
put(struct fake *f, const void *bytes, size_t n)
{
	ck_assert_int_eq(send(f->fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void
fake_prove(struct fake *f)
{
	struct sp_channel_terms terms = { .offer = f->p->receive.offer, .accept = f->p->accept, .number = 1 };
	uint8_t opening[SP_CHANNEL_OPENING], reply[SP_CHANNEL_REPLY], mac[SP_CHANNEL_CONFIRM], record[512];
	struct sp_msg_data_open m;
	struct sp_record r;
	size_t n = 0;

	memcpy(terms.token, f->p->receive.token, 32);
	memcpy(terms.recipient_key, f->p->receive.one_time.public_key, SP_X25519);
	get(f, opening, sizeof(opening));
	ck_status(sp_channel_recipient_accept(&terms, &f->p->receive.one_time, opening, reply, &f->ch), SP_OK);
	put(f, reply, sizeof(reply));
	get(f, mac, sizeof(mac));
	ck_status(sp_channel_recipient_confirm(f->ch, mac), SP_OK);
	get(f, record, SP_RECORD_HEAD);
	ck_status(sp_record_bytes(record, &n), SP_OK);
	ck_assert_uint_le(n, sizeof(record));
	get(f, record + SP_RECORD_HEAD, n - SP_RECORD_HEAD);
	ck_status(sp_channel_open(f->ch, record, n, &r), SP_OK);
	ck_status(sp_decode(r.desc, r.body, &m, NULL), SP_OK);
	ck_status(sp_open_check(f->ch, m.statement, m.signature, &alice_identity, NULL), SP_OK);
	ck_status(sp_channel_admit(f->ch), SP_OK);
}

static void
fake_say(struct fake *f, unsigned number, const void *msg)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	ck_status(sp_channel_seal(f->ch, sp_desc_msg(number), msg, &out, NULL), SP_OK);
	put(f, out.data, out.len);
}

static void
fake_end(struct fake *f, enum sp_status expected)
{
	wait_for(1);
	ck_assert_msg(f->p->sent_status == expected, "%s: %s", sp_status_name(f->p->sent_status),
	    f->p->sent_why.text);
	close(f->fd);
	close(f->listener);
	sp_channel_free(f->ch);
	stage_done();
}

START_TEST(somebody_else_answers)
{
	struct fake f = { 0 };
	uint8_t opening[SP_CHANNEL_OPENING], reply[SP_CHANNEL_REPLY] = { 9 };

	fake_begin(&f);
	get(&f, opening, sizeof(opening));
	put(&f, reply, sizeof(reply));
	fake_end(&f, SP_E_CONNECT);
}
END_TEST

START_TEST(closed_at_once)
{
	struct fake f = { 0 };

	fake_begin(&f);
	shutdown(f.fd, SHUT_RDWR);
	fake_end(&f, SP_E_CONNECT);
}
END_TEST

START_TEST(closed_in_the_middle)
{
	struct fake f = { 0 };

	fake_begin(&f);
	fake_prove(&f);
	close(f.fd);
	f.fd = -1;
	fake_end(&f, SP_E_CLOSED);
}
END_TEST

START_TEST(ended_too_early)
{
	struct fake f = { 0 };
	struct sp_msg_data_end end = { 0 };

	fake_begin(&f);
	fake_prove(&f);
	fake_say(&f, SP_MSG_DATA_END, &end);
	fake_end(&f, SP_E_FORMAT);
}
END_TEST

START_TEST(disturbed_on_the_way)
{
	struct fake f = { 0 };
	uint8_t garbage[64] = { 0, 0, 0, 60 };

	fake_begin(&f);
	fake_prove(&f);
	put(&f, garbage, sizeof(garbage));
	fake_end(&f, SP_E_CLOSED);
}
END_TEST

START_TEST(a_record_beyond_what_a_sender_takes)
{
	struct fake f = { 0 };
	uint8_t head[SP_RECORD_HEAD] = { 0, 0, 4, 0 };

	fake_begin(&f);
	fake_prove(&f);
	put(&f, head, sizeof(head));
	fake_end(&f, SP_E_CLOSED);
}
END_TEST

/* The reason comes while the sender cannot write, and the connection is reset right behind it. */
START_TEST(a_reason_is_heard_before_the_reset)
{
	struct fake f = { 0 };
	struct sp_msg_data_abort m = { .reason = SP_E_SPACE };
	struct sp_msg_data_checkpoint beat = { 0 };

	fake_begin(&f);
	fake_prove(&f);
	usleep(200000);
	fake_say(&f, SP_MSG_DATA_CHECKPOINT, &beat);
	fake_say(&f, SP_MSG_DATA_ABORT, &m);
	close(f.fd);
	f.fd = -1;
	fake_end(&f, SP_E_SPACE);
}
END_TEST

START_TEST(a_reason_that_is_not_known)
{
	struct fake f = { 0 };
	struct sp_msg_data_abort m = { .reason = 998 };

	fake_begin(&f);
	fake_prove(&f);
	fake_say(&f, SP_MSG_DATA_ABORT, &m);
	fake_end(&f, SP_E_UNKNOWN);
}
END_TEST

UNIT_MAIN("data/answer", somebody_else_answers, closed_at_once, closed_in_the_middle, ended_too_early,
    disturbed_on_the_way, a_record_beyond_what_a_sender_takes, a_reason_is_heard_before_the_reset,
    a_reason_that_is_not_known)
