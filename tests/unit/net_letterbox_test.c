/*
 * net_letterbox_test.c - letters over UDP and TCP on real sockets: both ways, answered the way they came,
    cut in every
 * place, too long, too slow, too many; and boxes freed inside their own callback.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/net/letterbox.h"
#include "tests/unit/net_unit.h"

static struct unit_loop u;

struct side {
	struct sp_letterbox *box;
	size_t letters, stop_at, failures;
	size_t bytes;			/* of all letters */
	struct sp_return from;		/* of the last */
	uint8_t last[SP_LETTER_TCP_MAX];
	size_t last_n;
	enum sp_status failed;
	bool echo;			/* answers each letter with itself */
	bool free_at_letter;
	bool dislikes;			/* every letter is none */
};

static void
on_letter(void *arg, const struct sp_return *from, struct sp_span bytes)
{
	struct side *s = arg;

	s->letters++;
	s->bytes += bytes.n;
	s->from = *from;
	s->last_n = bytes.n;
	memcpy(s->last, bytes.p, bytes.n);
	if (s->echo)
		ck_status(sp_letterbox_reply(s->box, from, bytes), SP_OK);
	if (s->dislikes)
		sp_letterbox_bad(s->box, from->conn);
	if (s->free_at_letter) {
		sp_letterbox_free(s->box);
		s->box = NULL;
	}
	if (s->letters == s->stop_at)
		sp_loop_stop(u.loop);
}

static void
on_failed(void *arg, const struct sp_addr *addr, enum sp_status st, const struct sp_why *why)
{
	struct side *s = arg;

	ck_assert_uint_eq(addr->family, 4);
	ck_assert_uint_gt(strlen(why->text), 0);
	s->failures++;
	s->failed = st;
	sp_loop_stop(u.loop);
}

static struct side a, b;

static void
side_open(struct side *s, uint64_t idle_ms)
{
	struct sp_letterbox_conf conf = { .bind = { unit_addr("127.0.0.1:0") }, .on_letter = on_letter,
		.on_failed = on_failed, .arg = s, .idle_ms = idle_ms };
	struct sp_why why;

	memset(s, 0, sizeof(*s));
	ck_status(sp_letterbox_new(u.loop, &conf, &s->box, &why), SP_OK);
	ck_assert_uint_ne(sp_letterbox_port(s->box), 0);
}

static struct sp_addr
side_addr(const struct side *s)
{
	struct sp_addr addr = unit_addr("127.0.0.1:0");

	addr.port = sp_letterbox_port(s->box);
	return addr;
}

static void
open_all(uint64_t idle_ms)
{
	unit_loop_open(&u);
	side_open(&a, idle_ms);
	side_open(&b, idle_ms);
}

static void
close_all(void)
{
	sp_letterbox_free(a.box);
	sp_letterbox_free(b.box);
	unit_loop_close(&u);
}

static struct sp_span
letter(size_t n)
{
	static uint8_t bytes[SP_LETTER_TCP_MAX + 1];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 7 + n);
	return sp_span(bytes, n);
}

static struct sp_letterbox_stats
stats(const struct side *s)
{
	struct sp_letterbox_stats st;

	sp_letterbox_stats(s->box, &st);
	return st;
}

START_TEST(datagrams_go_and_come_back)
{
	struct sp_addr to;

	open_all(0);
	to = side_addr(&b);
	b.echo = true;
	a.stop_at = 2;
	ck_status(sp_letterbox_send(a.box, &to, letter(1)), SP_OK);
	ck_status(sp_letterbox_send(a.box, &to, letter(SP_LETTER_MAX)), SP_OK);
	unit_loop_run(&u);
	ck_assert_uint_eq(b.letters, 2);
	ck_assert_uint_eq(b.from.conn, 0);
	ck_assert_uint_eq(b.from.addr.port, sp_letterbox_port(a.box));
	ck_assert_uint_eq(a.last_n, SP_LETTER_MAX);
	ck_assert_mem_eq(a.last, letter(SP_LETTER_MAX).p, SP_LETTER_MAX);
	close_all();
}
END_TEST

START_TEST(what_cannot_be_sent_is_refused)
{
	struct sp_addr to, v6 = unit_addr("[::1]:7"), none = unit_addr("127.0.0.1:0");

	open_all(0);
	to = side_addr(&b);
	ck_status(sp_letterbox_send(a.box, &to, letter(SP_LETTER_MAX + 1)), SP_E_LONG);
	ck_status(sp_letterbox_send(a.box, &to, letter(0)), SP_E_LONG);
	ck_status(sp_letterbox_send_tcp(a.box, &to, letter(0)), SP_E_LONG);
	ck_status(sp_letterbox_send_tcp(a.box, &to, letter(SP_LETTER_TCP_MAX + 1)), SP_E_LONG);
	ck_status(sp_letterbox_send(a.box, &v6, letter(1)), SP_E_CONNECT);
	ck_status(sp_letterbox_send_tcp(a.box, &v6, letter(1)), SP_E_CONNECT);
	ck_status(sp_letterbox_send(a.box, &none, letter(1)), SP_E_CONNECT);
	ck_status(sp_letterbox_reply(a.box, &(struct sp_return){ to, 99, false }, letter(1)), SP_E_CLOSED);
	close_all();
}
END_TEST

START_TEST(foreign_datagrams_of_bad_length_are_dropped)
{
	struct sockaddr_storage ss;
	struct sp_addr to;
	socklen_t len;
	int fd;

	open_all(0);
	to = side_addr(&b);
	len = sp_addr_to_sockaddr(&to, &ss);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(sendto(fd, letter(SP_LETTER_MAX + 1).p, SP_LETTER_MAX + 1, 0, (struct sockaddr *)&ss, len),
	    SP_LETTER_MAX + 1);
	ck_assert_int_eq(sendto(fd, "", 0, 0, (struct sockaddr *)&ss, len), 0);
	ck_assert_int_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&ss, len), 1);
	b.stop_at = 1;
	unit_loop_run(&u);
	ck_assert_uint_eq(b.letters, 1);
	ck_assert_uint_eq(stats(&b).udp_dropped, 2);
	close(fd);
	close_all();
}
END_TEST

START_TEST(a_burst_is_taken_in_turns)
{
	struct sp_addr to;

	open_all(0);
	to = side_addr(&b);
	b.stop_at = 150;
	for (size_t i = 0; i < 150; i++)
		ck_status(sp_letterbox_send(a.box, &to, letter(100)), SP_OK);
	unit_loop_run(&u);
	ck_assert_uint_eq(b.letters, 150);
	close_all();
}
END_TEST

START_TEST(letters_over_tcp_share_a_connection)
{
	struct sp_addr to;

	open_all(0);
	to = side_addr(&b);
	b.echo = true;
	a.stop_at = 3;
	ck_status(sp_letterbox_send_tcp(a.box, &to, letter(1)), SP_OK);
	ck_status(sp_letterbox_send_tcp(a.box, &to, letter(5000)), SP_OK);
	ck_status(sp_letterbox_send_tcp(a.box, &to, letter(SP_LETTER_TCP_MAX)), SP_OK);
	unit_loop_run(&u);
	ck_assert_uint_eq(b.letters, 3);
	ck_assert_uint_ne(b.from.conn, 0);
	ck_assert_uint_eq(a.last_n, SP_LETTER_TCP_MAX);
	ck_assert_mem_eq(a.last, letter(SP_LETTER_TCP_MAX).p, SP_LETTER_TCP_MAX);
	ck_assert_uint_eq(a.bytes, 1 + 5000 + SP_LETTER_TCP_MAX);
	ck_assert_uint_eq(stats(&b).tcp_open, 1);
	a.stop_at = 4;
	ck_status(sp_letterbox_send_tcp(a.box, &to, letter(9)), SP_OK);
	unit_loop_run(&u);
	ck_assert_uint_eq(stats(&b).tcp_open, 1);
	ck_assert_uint_eq(stats(&b).tcp_in, 4);
	ck_assert_uint_eq(a.failures, 0);
	close_all();
}
END_TEST

START_TEST(an_address_nobody_listens_on_is_told)
{
	struct sp_addr to;

	open_all(0);
	to = side_addr(&b);
	sp_letterbox_free(b.box);
	b.box = NULL;
	ck_status(sp_letterbox_send_tcp(a.box, &to, letter(10)), SP_OK);
	unit_loop_run(&u);
	ck_assert_uint_eq(a.failures, 1);
	ck_status(a.failed, SP_E_CONNECT);
	close_all();
}
END_TEST

START_TEST(a_connection_that_ends_unanswered_is_told)
{
	struct sp_addr to;

	open_all(0);
	to = side_addr(&b);
	b.free_at_letter = true;
	ck_status(sp_letterbox_send_tcp(a.box, &to, letter(10)), SP_OK);
	unit_loop_run(&u);
	ck_assert_ptr_null(b.box);
	ck_assert_uint_eq(a.failures, 1);
	ck_status(a.failed, SP_E_CLOSED);
	close_all();
}
END_TEST

START_TEST(a_silent_receiver_times_out)
{
	struct sp_addr to;

	open_all(60);
	to = side_addr(&b);
	ck_status(sp_letterbox_send_tcp(a.box, &to, letter(10)), SP_OK);
	unit_loop_run(&u);
	ck_assert_uint_eq(b.letters, 1);
	ck_assert_uint_eq(a.failures, 1);
	ck_assert(a.failed == SP_E_TIMEOUT || a.failed == SP_E_CLOSED);
	unit_loop_run_ms(&u, 100);
	ck_assert_uint_eq(stats(&b).tcp_open, 0);
	close_all();
}
END_TEST

/* ---- a foreign program at the other end of a TCP connection ---- */

static int
foreign(void)
{
	struct sockaddr_storage ss;
	struct sp_addr to = side_addr(&b);
	socklen_t len = sp_addr_to_sockaddr(&to, &ss);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

/* Whether the box has closed it. */
static bool
ended(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

START_TEST(letters_cut_in_every_place_arrive_whole)
{
	static const uint8_t two[] = { 0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd' };

	open_all(0);
	for (size_t cut = 1; cut < sizeof(two); cut++) {
		int fd = foreign();

		b.letters = b.bytes = 0;
		ck_assert_int_eq(send(fd, two, cut, 0), (ssize_t)cut);
		b.stop_at = 0;
		unit_loop_run_ms(&u, 5);
		ck_assert_uint_eq(b.letters, (size_t)(cut >= 7) + (cut == sizeof(two)));
		b.stop_at = 2;
		ck_assert_int_eq(send(fd, two + cut, sizeof(two) - cut, 0), (ssize_t)(sizeof(two) - cut));
		unit_loop_run(&u);
		ck_assert_uint_eq(b.bytes, 4);
		ck_assert_uint_eq(b.last[0], 'd');
		close(fd);
	}
	unit_loop_run_ms(&u, 20);
	ck_assert_uint_eq(stats(&b).tcp_open, 0);
	ck_assert_uint_eq(stats(&b).tcp_broken, 0);
	close_all();
}
END_TEST

START_TEST(bad_lengths_end_the_connection)
{
	static const uint8_t zero[] = { 0, 0, 0, 0, 'x' };
	uint8_t more[4] = { 0, (SP_LETTER_TCP_MAX + 1) >> 16, ((SP_LETTER_TCP_MAX + 1) >> 8) & 0xff,
		(SP_LETTER_TCP_MAX + 1) & 0xff };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff };
	const struct sp_span bad[] = { sp_span(zero, 5), sp_span(more, 4), sp_span(huge, 4) };

	open_all(0);
	for (size_t i = 0; i < 3; i++) {
		int fd = foreign();

		ck_assert_int_eq(send(fd, bad[i].p, bad[i].n, 0), (ssize_t)bad[i].n);
		unit_loop_run_ms(&u, 20);
		ck_assert(ended(fd));
		ck_assert_uint_eq(stats(&b).tcp_broken, i + 1);
		close(fd);
	}
	ck_assert_uint_eq(b.letters, 0);
	close_all();
}
END_TEST

START_TEST(letters_that_are_none_end_a_connection_after_a_few)
{
	uint8_t letters[(SP_LETTER_CONN_BAD + 3) * 5] = { 0 };
	struct sp_addr to;
	int fd;

	open_all(0);
	for (size_t i = 0; i < sizeof(letters); i++)
		letters[i] = i % 5 == 3 ? 1 : i % 5 == 4 ? 'x' : 0;
	b.dislikes = true;
	fd = foreign();
	ck_assert_int_eq(send(fd, letters, 5 * (SP_LETTER_CONN_BAD - 1), 0), 5 * (SP_LETTER_CONN_BAD - 1));
	unit_loop_run_ms(&u, 20);
	ck_assert(!ended(fd));
	ck_assert_int_eq(send(fd, letters, 20, 0), 20);
	unit_loop_run_ms(&u, 20);
	ck_assert(ended(fd));
	ck_assert_uint_eq(b.letters, SP_LETTER_CONN_BAD);	/* what came behind is not looked at */
	ck_assert_uint_eq(stats(&b).tcp_broken, 1);
	close(fd);
	/* one that we opened ourselves is not ended by what its other side sends */
	a.echo = true;
	to = side_addr(&a);
	for (size_t i = 0; i < SP_LETTER_CONN_BAD + 3; i++) {
		ck_status(sp_letterbox_send_tcp(b.box, &to, sp_span_str("letter")), SP_OK);
		unit_loop_run_ms(&u, 10);
	}
	ck_assert_uint_eq(b.letters, 2 * SP_LETTER_CONN_BAD + 3);
	ck_assert_uint_eq(stats(&b).tcp_broken, 1);
	close_all();
}
END_TEST

START_TEST(half_sent_letters_and_idle_connections_end)
{
	int slow, idle;

	open_all(150);
	slow = foreign();
	idle = foreign();
	ck_assert_int_eq(send(slow, "\0\0\0\x50", 4, 0), 4);
	/* A byte now and then does not keep it. */
	for (size_t i = 0; i < 10; i++) {
		unit_loop_run_ms(&u, 30);
		(void)send(slow, "x", 1, MSG_NOSIGNAL);
	}
	ck_assert(ended(slow));
	ck_assert(ended(idle));
	ck_assert_uint_eq(stats(&b).tcp_open, 0);
	ck_assert_uint_eq(stats(&b).tcp_broken, 1);
	close(slow);
	close(idle);
	close_all();
}
END_TEST

START_TEST(connections_of_one_network_are_limited)
{
	int fds[SP_LETTER_CONNS_PREFIX + 3];
	size_t shut = 0;

	open_all(0);
	for (size_t i = 0; i < SP_LETTER_CONNS_PREFIX + 3; i++)
		fds[i] = foreign();
	unit_loop_run_ms(&u, 50);
	ck_assert_uint_eq(stats(&b).tcp_open, SP_LETTER_CONNS_PREFIX);
	ck_assert_uint_eq(stats(&b).tcp_refused, 3);
	for (size_t i = 0; i < SP_LETTER_CONNS_PREFIX + 3; i++) {
		shut += ended(fds[i]);
		close(fds[i]);
	}
	ck_assert_uint_eq(shut, 3);
	close_all();
}
END_TEST

/* From one of the machine's other addresses. */
static int
foreign_from(uint8_t host)
{
	struct sockaddr_storage ss;
	struct sp_addr to = side_addr(&b), from = { .family = 4, .ip = { 127, 0, 1, host } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sp_addr_to_sockaddr(&from, &ss);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = sp_addr_to_sockaddr(&to, &ss);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

/* Every connection is taken, by many networks, each with half a letter: a known station keeps its own, and who comes
 * anew is heard. */
START_TEST(a_flood_of_connections_leaves_room)
{
	static const uint8_t half[] = { 0, 0, 4, 0, 1, 2, 3 }, whole[] = { 0, 0, 0, 1, 9 };
	int fds[2 * SP_LETTER_CONNS], known, anew;
	char byte;

	open_all(60000);
	known = foreign_from(200);
	ck_assert_int_eq(send(known, whole, sizeof(whole), 0), sizeof(whole));
	unit_loop_run_ms(&u, 20);
	ck_assert_uint_eq(b.letters, 1);
	sp_letterbox_keep(b.box, b.from.conn);
	for (size_t i = 0; i < 2 * SP_LETTER_CONNS; i++) {
		fds[i] = foreign_from((uint8_t)(1 + i / SP_LETTER_CONNS_PREFIX));
		ck_assert_int_eq(send(fds[i], half, sizeof(half), MSG_NOSIGNAL), sizeof(half));
		unit_loop_run_ms(&u, i % 16 == 15 ? 2 : 0);
	}
	unit_loop_run_ms(&u, 50);
	ck_assert_uint_eq(stats(&b).tcp_open, SP_LETTER_CONNS);
	ck_assert(ended(fds[0]));
	anew = foreign_from(201);
	b.echo = true;
	ck_assert_int_eq(send(anew, whole, sizeof(whole), 0), sizeof(whole));
	ck_assert_int_eq(send(known, whole, sizeof(whole), 0), sizeof(whole));
	unit_loop_run_ms(&u, 50);
	ck_assert_uint_eq(b.letters, 3);
	ck_assert_int_eq(recv(anew, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(recv(known, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert_uint_eq(stats(&b).tcp_open, SP_LETTER_CONNS);
	for (size_t i = 0; i < 2 * SP_LETTER_CONNS; i++)
		close(fds[i]);
	close(known);
	close(anew);
	close_all();
}
END_TEST

START_TEST(who_does_not_read_fills_its_queue_only)
{
	struct sp_return to;
	enum sp_status st = SP_OK;
	size_t sent = 0;
	int fd;

	open_all(0);
	fd = foreign();
	ck_assert_int_eq(send(fd, "\0\0\0\1x", 5, 0), 5);
	b.stop_at = 1;
	unit_loop_run(&u);
	to = b.from;
	while (st == SP_OK && sent < 10000) {
		st = sp_letterbox_reply(b.box, &to, letter(60000));
		sent += st == SP_OK;
		if (sent % 4 == 0)
			unit_loop_run_ms(&u, 1);
	}
	ck_status(st, SP_E_FULL);
	ck_assert_uint_lt(sent, 10000);
	/* What had gone in comes out in order. */
	for (size_t i = 0, n = 0; i < sent * 60004; i += n) {
		static uint8_t got[60004];
		struct pollfd p = { .fd = fd, .events = POLLIN };

		unit_loop_run_ms(&u, 1);
		ck_assert_int_eq(poll(&p, 1, 5000), 1);
		n = (size_t)recv(fd, got, 60004 - i % 60004, 0);
		ck_assert_int_gt((ssize_t)n, 0);
		if (i % 60004 == 0 && n >= 4)
			ck_assert_mem_eq(got, "\0\0\xea\x60", 4);
	}
	close(fd);
	close_all();
}
END_TEST

START_TEST(both_families_on_one_port)
{
	struct sp_letterbox_conf conf = { .bind = { unit_addr("127.0.0.1:0"), unit_addr("[::1]:0") },
		.on_letter = on_letter, .on_failed = on_failed, .arg = &b };
	struct sp_addr v6 = unit_addr("[::1]:0");
	struct sp_letterbox *box;
	struct sp_why why;

	open_all(0);
	sp_letterbox_free(b.box);
	b.box = NULL;
	/* A machine without IPv6 has nothing to test here. */
	if (sp_letterbox_new(u.loop, &conf, &b.box, &why) == SP_OK) {
		v6.port = sp_letterbox_port(b.box);
		b.stop_at = 1;
		ck_status(sp_letterbox_send(b.box, &v6, letter(5)), SP_OK);
		unit_loop_run(&u);
		ck_assert_uint_eq(b.from.addr.family, 6);
		b.stop_at = 2;
		ck_status(sp_letterbox_send_tcp(b.box, &v6, letter(5)), SP_OK);
		unit_loop_run(&u);
	}
	conf.bind[1].port = 5;
	ck_status(sp_letterbox_new(u.loop, &conf, &box, &why), SP_E_ARGUMENT);
	close_all();
}
END_TEST

START_TEST(a_port_in_use_is_said)
{
	struct sp_letterbox_conf conf = { .on_letter = on_letter };
	struct sp_letterbox *box;
	struct sp_why why;

	open_all(0);
	conf.bind[0] = side_addr(&a);
	ck_status(sp_letterbox_new(u.loop, &conf, &box, &why), SP_E_EXISTS);
	ck_assert_ptr_nonnull(strstr(why.text, "cannot"));
	close_all();
}
END_TEST

UNIT_MAIN("net/letterbox", datagrams_go_and_come_back, what_cannot_be_sent_is_refused,
    foreign_datagrams_of_bad_length_are_dropped, a_burst_is_taken_in_turns, letters_over_tcp_share_a_connection,
    an_address_nobody_listens_on_is_told, a_connection_that_ends_unanswered_is_told, a_silent_receiver_times_out,
    letters_cut_in_every_place_arrive_whole, bad_lengths_end_the_connection,
    letters_that_are_none_end_a_connection_after_a_few,
    half_sent_letters_and_idle_connections_end, connections_of_one_network_are_limited, a_flood_of_connections_leaves_room,
    who_does_not_read_fills_its_queue_only, both_families_on_one_port, a_port_in_use_is_said)
