/*
 * letters_post_test.c - letters between two stations: answers, what is lost or comes twice, strangers, the form over
 * TCP, silence.
 */
#include "common/base/clock.h"
#include "common/net/socket.h"
#include "peerd/letters/post_in.h"
#include "tests/unit/letters_raw_test.h"

static int handled;
static struct post_in *held;
static bool hold, in_book, ignore;
static char handled_from[SP_NAME_TEXT];
static size_t answer_bytes;

/* bob's handler of AGAIN and FILES. */
static void
on_letter(void *arg, struct post_in *in)
{
	struct party *p = arg;
	struct sp_msg_answer answer = { .status = 0 };
	static uint8_t bytes[SP_FILES_PART];

	handled++;
	strcpy(handled_from, in->from_name);
	in_book = in->from->in_book;
	if (hold) {
		held = in;
	} else if (ignore) {
		post_ignore(p->post, in);
	} else if (in->type == SP_MSG_FILES) {
		struct sp_msg_files_is files = { .bytes = sp_span(bytes, answer_bytes) };

		post_reply(p->post, in, SP_MSG_FILES_IS, &files);
	} else {
		post_reply(p->post, in, SP_MSG_ANSWER, &answer);
	}
}

static const struct sp_msg_again again = { .transfer = { { 1 } }, .offer = { { 2 } } };
static const struct sp_msg_files files = { .transfer = { { 1 } } };

static void
set_up_handlers(bool mutual)
{
	set_up_two(mutual);
	post_on(bob->post, SP_MSG_AGAIN, on_letter, bob);
	post_on(bob->post, SP_MSG_FILES, on_letter, bob);
	handled = 0;
}

START_TEST(a_letter_is_answered)
{
	const struct correspondent *c;
	struct sp_msg_pong pong;
	struct sp_addr at;

	set_up_handlers(true);
	ck_status(ping(alice, bob, NULL), SP_OK);
	ck_assert_uint_eq(asked_type, SP_MSG_PONG);
	ck_status(sp_decode(sp_desc_msg(SP_MSG_PONG), sp_buf_span(&asked_body), &pong, NULL), SP_OK);
	ck_assert(sp_span_eq(pong.name, sp_span_str(bob->name)));
	at = post_addr(bob);
	ck_assert(sp_addr_eq(&asked_from, &at));
	c = book_by_cert(alice->book, &bob->station.identity.hash);
	ck_assert(sp_addr_eq(&c->proved, &at));
	ck_assert_str_eq(c->seen, post_text(bob));
	/* bob knows now where alice is */
	ck_assert_str_eq(book_by_cert(bob->book, &alice->station.identity.hash)->seen, post_text(alice));
	ck_status(ping(bob, alice, NULL), SP_OK);
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_AGAIN, &again), SP_OK);
	ck_assert_str_eq(handled_from, alice->name);
	ck_assert(in_book);
	ck_assert_uint_eq(counts(bob).dropped, 0);
	ck_assert_uint_eq(counts(bob).open_in, 0);
	ck_assert_uint_eq(counts(alice).open_out, 0);
	tear_down_two();
}
END_TEST

START_TEST(a_lost_letter_is_sent_again)
{
	struct between b;

	set_up_handlers(true);
	between_open(&b, bob);
	ck_status(add_to_book(alice, "bob@" DOMAIN, raw_text(&b.front)), SP_OK);
	b.lose[TO_BOB] = 3;
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_AGAIN, &again), SP_OK);
	ck_assert_int_ge(b.seen[TO_BOB], 4);
	ck_assert_int_eq(handled, 1);
	between_close(&b);
	tear_down_two();
}
END_TEST

/* The answer is lost: the letter comes again, its handler does not, and the answer has the same bytes. */
START_TEST(a_repeated_letter_gets_the_same_answer_bytes)
{
	SP_AUTO_DONE(sp_buf) first = { 0 };
	struct between b;

	set_up_handlers(true);
	between_open(&b, bob);
	ck_status(add_to_book(alice, "bob@" DOMAIN, raw_text(&b.front)), SP_OK);
	b.lose[TO_ALICE] = 2;
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_AGAIN, &again), SP_OK);
	ck_assert_int_eq(handled, 1);
	ck_assert_int_ge(b.seen[TO_ALICE], 3);
	ck_assert_uint_ge(counts(bob).repeats, 2);
	/* and once more from the side, later */
	sp_buf_add_span(&first, sp_buf_span(&b.kept[TO_ALICE]));
	raw_send(&b.back, &b.bob, sp_buf_span(&b.kept[TO_BOB]));
	run_for(100);
	ck_assert(sp_span_eq(sp_buf_span(&b.kept[TO_ALICE]), sp_buf_span(&first)));
	ck_assert_int_eq(handled, 1);
	ck_assert_uint_ge(counts(alice).unmatched, 1);		/* nobody waits for it any more */
	between_close(&b);
	tear_down_two();
}
END_TEST

START_TEST(doubled_letters_are_handled_once)
{
	struct between b;

	set_up_handlers(true);
	between_open(&b, bob);
	ck_status(add_to_book(alice, "bob@" DOMAIN, raw_text(&b.front)), SP_OK);
	b.copies[TO_BOB] = b.copies[TO_ALICE] = 3;
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_AGAIN, &again), SP_OK);
	run_for(100);
	ck_assert_int_eq(handled, 1);
	ck_assert_int_eq(asked, 1);
	between_close(&b);
	tear_down_two();
}
END_TEST

/* A handler may take its time: repeats wait with it. */
START_TEST(a_letter_at_its_handler_is_not_handled_again)
{
	struct sp_msg_answer answer = { .status = SP_E_BUSY };

	set_up_handlers(true);
	hold = true;
	post_ask(alice->post, &bob->station.identity.hash, NULL, false, SP_MSG_AGAIN, &again, asked_answer, NULL);
	run_for(150);
	ck_assert_int_eq(handled, 1);
	ck_assert_uint_ge(counts(bob).repeats, 1);
	ck_assert_uint_eq(counts(bob).open_in, 1);
	ck_assert_int_eq(asked, 0);
	post_reply(bob->post, held, SP_MSG_ANSWER, &answer);
	run_loop();
	ck_status(asked_status, SP_OK);
	ck_assert_int_eq(handled, 1);
	tear_down_two();
}
END_TEST

START_TEST(an_ignored_letter_may_be_handled_again)
{
	set_up_handlers(true);
	ignore = true;
	post_ask(alice->post, &bob->station.identity.hash, NULL, false, SP_MSG_AGAIN, &again, asked_answer, NULL);
	run_for(30);
	ck_assert_int_ge(handled, 1);
	ignore = false;
	run_loop();
	ck_status(asked_status, SP_OK);
	ck_assert_int_ge(handled, 2);
	ck_assert_uint_ge(counts(bob).ignored, 1);
	tear_down_two();
}
END_TEST

START_TEST(enc03_an_unknown_key_is_asked_for_its_certificate)
{
	set_up_handlers(false);
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_AGAIN, &again), SP_OK);
	ck_assert_int_eq(handled, 1);
	ck_assert_str_eq(handled_from, alice->name);
	ck_assert(!in_book);
	ck_assert_ptr_nonnull(book_by_key(bob->book, alice->station.letter.public_key));
	/* over TCP, too */
	ck_assert_uint_eq(counts(bob).kept_back, 0);
	tear_down_two();
}
END_TEST

START_TEST(a_stranger_over_tcp_is_asked_the_same_way)
{
	set_up_handlers(false);
	ck_status(ask_at(alice, bob, NULL, true, SP_MSG_AGAIN, &again), SP_OK);
	ck_assert_int_eq(handled, 1);
	ck_assert_str_eq(handled_from, alice->name);
	tear_down_two();
}
END_TEST

START_TEST(acc01_who_is_not_certified_is_not_heard)
{
	struct party *mallory;

	set_up_handlers(false);
	mallory = make_party("mallory/desktop@" DOMAIN, &liars);
	start_post(mallory, false);
	/* mallory knows bob: by a certificate that her own root would not vouch for either */
	mallory->station.authority = &office;
	ck_status(add_to_book(mallory, "bob@" DOMAIN, post_text(bob)), SP_OK);
	ck_status(ask_at(mallory, bob, NULL, false, SP_MSG_AGAIN, &again), SP_E_TIMEOUT);
	ck_assert_int_eq(handled, 0);
	ck_assert_uint_ge(counts(bob).strangers, 1);
	ck_assert_ptr_null(book_by_key(bob->book, mallory->station.letter.public_key));
	tear_down_two();
}
END_TEST

START_TEST(strangers_may_get_no_answer_but_the_certificate)
{
	set_up_handlers(false);
	post_free(bob->post);
	start_post(bob, true);
	ck_status(add_to_book(alice, "bob@" DOMAIN, post_text(bob)), SP_OK);
	ck_status(ping(alice, bob, NULL), SP_E_TIMEOUT);
	ck_assert_uint_ge(counts(bob).silenced, 1);
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_GET, &(struct sp_msg_get){ 0 }), SP_OK);
	ck_assert_uint_eq(asked_type, SP_MSG_THING);
	ck_status(add_to_book(bob, "alice@" DOMAIN, NULL), SP_OK);
	ck_status(ping(alice, bob, NULL), SP_OK);
	tear_down_two();
}
END_TEST

START_TEST(a_large_answer_comes_over_tcp)
{
	struct sp_msg_files_is got;

	set_up_handlers(true);
	answer_bytes = SP_FILES_PART;
	ck_status(ask_at(alice, bob, NULL, true, SP_MSG_FILES, &files), SP_OK);
	ck_status(sp_decode(sp_desc_msg(SP_MSG_FILES_IS), sp_buf_span(&asked_body), &got, NULL), SP_OK);
	ck_assert_uint_eq(got.bytes.n, SP_FILES_PART);
	ck_assert_uint_eq(counts(bob).kept_back, 0);
	tear_down_two();
}
END_TEST

/* By datagram it never comes; the very same letter then goes over TCP. */
START_TEST(when_datagrams_are_in_vain_the_letter_goes_over_tcp)
{
	set_up_handlers(true);
	answer_bytes = 5000;
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_FILES, &files), SP_OK);
	ck_assert_uint_eq(counts(bob).kept_back, 5);
	ck_assert_int_eq(handled, 6);	/* a long answer is made anew */
	ck_assert_uint_eq(counts(bob).in, 6);
	tear_down_two();
}
END_TEST

START_TEST(where_datagrams_were_in_vain_the_next_letter_goes_over_tcp_at_once)
{
	struct sp_addr to;

	set_up_handlers(true);
	to = post_addr(bob);
	answer_bytes = 5000;
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_FILES, &files), SP_OK);
	for (uint64_t i = 1; i < 4; i++) {
		ck_status(ask_at(alice, bob, NULL, false, SP_MSG_FILES, &files), SP_OK);
		ck_assert_uint_eq(counts(bob).in, 6 + i);
		ck_assert_uint_eq(counts(bob).kept_back, 5);
	}
	/* a minute later a datagram is tried once, in vain; then with success */
	alice->post->ways.ways[0].try_ms = 1;
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_FILES, &files), SP_OK);
	ck_assert_uint_eq(counts(bob).kept_back, 6);
	ck_assert_uint_eq(sp_ways_tries(&alice->post->ways, &to, 5, sp_clock_boot_ms()), 0);
	alice->post->ways.ways[0].try_ms = 1;
	answer_bytes = 10;
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_FILES, &files), SP_OK);
	ck_assert_uint_eq(counts(bob).kept_back, 6);
	ck_assert_uint_eq(sp_ways_tries(&alice->post->ways, &to, 5, sp_clock_boot_ms()), 5);
	tear_down_two();
}
END_TEST

START_TEST(where_tcp_was_right_and_is_no_more_datagrams_are_tried_again)
{
	struct sp_addr to;
	struct raw raw;

	set_up_handlers(true);
	raw_open(&raw, NULL, NULL);		/* no TCP there */
	to = raw.addr;
	sp_ways_tcp(&alice->post->ways, &to, true, sp_clock_boot_ms());
	ck_status(add_to_book(alice, "bob@" DOMAIN, raw_text(&raw)), SP_OK);
	ck_status(ping(alice, bob, NULL), SP_E_TIMEOUT);
	ck_assert_int_eq(raw.count, 5);
	ck_assert(sp_ways_lacks_tcp(&alice->post->ways, &to, sp_clock_boot_ms()));
	raw_close(&raw);
	tear_down_two();
}
END_TEST

/* Where it was, connections are taken and nothing is answered. */
START_TEST(after_a_move_tcp_goes_to_where_it_was_heard_of_last)
{
	struct sp_addr old = { .family = 4, .ip = { 127, 0, 0, 1 } };
	char text[SP_ADDR_TEXT], now[SP_ADDR_TEXT];
	int fd;

	set_up_handlers(true);
	ck_status(sp_socket_listen(&old, &fd, NULL), SP_OK);
	ck_status(sp_addr_local(fd, &old), SP_OK);
	sp_addr_text(&old, text);
	strcpy(now, post_text(bob));
	ck_status(add_to_book(alice, "bob@" DOMAIN, text), SP_OK);
	ck_status(ping(alice, bob, now), SP_OK);
	for (int i = 0; i < 2; i++) {		/* also where the order names the old address */
		ck_status(ask_at(alice, bob, i == 0 ? NULL : text, true, SP_MSG_AGAIN, &again), SP_OK);
		ck_assert_int_lt(accept4(fd, NULL, NULL, SOCK_NONBLOCK), 0);
	}
	close(fd);
	tear_down_two();
}
END_TEST

START_TEST(a_dead_port_times_out_within_the_tries)
{
	uint64_t start;

	set_up_handlers(true);
	start = sp_clock_boot_ms();
	ck_status(ping(alice, bob, "127.0.0.1:9"), SP_OK);	/* the book's address answers */
	ck_status(add_to_book(alice, "bob@" DOMAIN, "127.0.0.1:9"), SP_OK);
	post_free(bob->post);
	bob->post = NULL;
	start = sp_clock_boot_ms();
	ck_status(ping(alice, bob, NULL), SP_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(asked_why.text, bob->name));
	/* 20 + 40 + 80 + 160 + 320 ms, a tenth more or less, and refused connections */
	ck_assert_uint_ge(sp_clock_boot_ms() - start, 550);
	ck_assert_uint_lt(sp_clock_boot_ms() - start, 3000);
	tear_down_two();
}
END_TEST

START_TEST(what_cannot_be_written_is_said_from_the_loop)
{
	struct party *carol;

	set_up_handlers(true);
	carol = make_party("carol/phone@" DOMAIN, &office);
	ck_status(ping(alice, carol, NULL), SP_E_NOKEY);
	ck_status(add_to_book(alice, "carol@" DOMAIN, NULL), SP_OK);
	ck_status(ping(alice, carol, NULL), SP_E_CONNECT);	/* no address */
	ck_assert_ptr_nonnull(strstr(asked_why.text, "--address"));
	ck_status(ping(alice, carol, "no.such.host.invalid:7325"), SP_E_CONNECT);
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_THING, &(struct sp_msg_thing){ 0 }), SP_E_RANGE);
	alice->station.enrolled = false;
	ck_status(ping(alice, bob, NULL), SP_E_NOTENROLLED);
	tear_down_two();
}
END_TEST

START_TEST(names_are_looked_up_beside_the_loop)
{
	char address[40];

	set_up_handlers(true);
	snprintf(address, sizeof(address), "localhost:%u", post_port(bob->post));
	ck_status(add_to_book(alice, "bob@" DOMAIN, address), SP_OK);
	ck_status(ping(alice, bob, NULL), SP_OK);
	tear_down_two();
}
END_TEST

START_TEST(a_cancelled_letter_calls_nobody)
{
	uint64_t handle;

	set_up_handlers(true);
	handle = post_ask(alice->post, &bob->station.identity.hash, NULL, false, SP_MSG_PING,
	    &(struct sp_msg_ping){ 0 },
	    asked_answer, NULL);
	post_cancel(alice->post, handle);
	post_cancel(alice->post, handle);
	post_cancel(alice->post, 0);
	handle = post_ask(alice->post, &alice->station.identity.hash, NULL, false, SP_MSG_PING,
	    &(struct sp_msg_ping){ 0 },
	    asked_answer, NULL);
	ck_assert_uint_gt(handle, 0);		/* fails, but not yet */
	post_cancel(alice->post, handle);
	run_for(100);
	ck_assert_int_eq(asked, 0);
	ck_assert_uint_eq(counts(alice).open_out, 0);
	tear_down_two();
}
END_TEST

START_TEST(what_is_under_way_ends_with_the_post)
{
	set_up_handlers(true);
	hold = true;
	for (int i = 0; i < 10; i++)
		post_ask(alice->post, &bob->station.identity.hash, NULL, i % 2 == 0, SP_MSG_AGAIN, &again,
		    asked_answer, NULL);
	run_for(30);
	ck_assert_int_ge(handled, 1);
	tear_down_two();
	ck_assert_int_eq(asked, 0);
}
END_TEST

START_TEST(only_the_own_certificate_is_given)
{
	struct sp_msg_get get = { 0 };
	struct sp_msg_thing thing;
	struct sp_msg_answer answer;

	set_up_handlers(true);
	get.hash = bob->station.identity.hash;
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_GET, &get), SP_OK);
	ck_status(sp_decode(sp_desc_msg(SP_MSG_THING), sp_buf_span(&asked_body), &thing, NULL), SP_OK);
	ck_assert_uint_eq(thing.kind, 1);
	ck_assert(sp_span_eq(thing.bytes, sp_buf_span(&bob->station.cert)));
	get.hash.b[0] ^= 1;
	ck_status(ask_at(alice, bob, NULL, false, SP_MSG_GET, &get), SP_OK);
	ck_assert_uint_eq(asked_type, SP_MSG_ANSWER);
	ck_status(sp_decode(sp_desc_msg(SP_MSG_ANSWER), sp_buf_span(&asked_body), &answer, NULL), SP_OK);
	ck_assert_uint_eq(answer.status, SP_E_NOTFOUND);
	tear_down_two();
}
END_TEST

UNIT_MAIN("letters/post", a_letter_is_answered, a_lost_letter_is_sent_again,
    a_repeated_letter_gets_the_same_answer_bytes, doubled_letters_are_handled_once,
    a_letter_at_its_handler_is_not_handled_again, an_ignored_letter_may_be_handled_again,
    enc03_an_unknown_key_is_asked_for_its_certificate, a_stranger_over_tcp_is_asked_the_same_way,
    acc01_who_is_not_certified_is_not_heard, strangers_may_get_no_answer_but_the_certificate, a_large_answer_comes_over_tcp,
    when_datagrams_are_in_vain_the_letter_goes_over_tcp,
    where_datagrams_were_in_vain_the_next_letter_goes_over_tcp_at_once,
    where_tcp_was_right_and_is_no_more_datagrams_are_tried_again, after_a_move_tcp_goes_to_where_it_was_heard_of_last,
    a_dead_port_times_out_within_the_tries,
    what_cannot_be_written_is_said_from_the_loop, names_are_looked_up_beside_the_loop,
    a_cancelled_letter_calls_nobody,
    what_is_under_way_ends_with_the_post, only_the_own_certificate_is_given)
