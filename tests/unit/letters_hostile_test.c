/*
 * letters_hostile_test.c - letters made by hand: forged, replayed, dated wrongly, from the wrong key, under ids of
 * others; answers that nobody asked for. Refused ones stand beside the one that is accepted.
 */
#include "common/crypto/hash.h"
#include "peerd/letters/post_in.h"
#include "tests/unit/letters_raw_test.h"

static struct raw raw;
static int handled;

static void
on_letter(void *arg, struct post_in *in)
{
	struct party *p = arg;

	handled++;
	post_reply(p->post, in, SP_MSG_ANSWER, &(struct sp_msg_answer){ 0 });
}

static const struct sp_msg_again again = { .transfer = { { 1 } }, .offer = { { 2 } } };
static const struct sp_msg_ping no_ping;

/* bob knows alice; she writes by hand, from raw. */
static void
set_up_raw(void)
{
	set_up_two(true);
	raw_open(&raw, NULL, NULL);
	post_on(bob->post, SP_MSG_AGAIN, on_letter, bob);
}

static void
tear_down_raw(void)
{
	raw_close(&raw);
	tear_down_two();
}

/* Sends bytes to bob; true if an answer came. */
static bool
answered(struct sp_span bytes)
{
	struct sp_addr to = post_addr(bob);
	int before = raw.count;

	raw_send(&raw, &to, bytes);
	for (int i = 0; i < 20 && raw.count == before; i++)
		run_for(5);
	return raw.count > before;
}

#define refused(bytes, reason) \
	do { \
		uint64_t n_ = counts(bob).reason; \
		ck_assert(!answered(bytes)); \
		ck_assert_uint_eq(counts(bob).reason, n_ + 1); \
		ck_assert_int_eq(handled, 0); \
	} while (0)

START_TEST(what_is_touched_is_not_heard)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 }, touched = { 0 };
	struct sp_letter_key key;
	struct hand h;
	uint8_t mac[32];

	set_up_raw();
	h = hand(&alice->station, &bob->station);
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	sp_buf_add_span(&touched, sp_buf_span(&letter));
	touched.data[touched.len - SP_LETTER_MACS] ^= 1;		/* mac1 */
	refused(sp_buf_span(&touched), foreign);
	touched.data[touched.len - SP_LETTER_MACS] ^= 1;
	touched.data[SP_LETTER_HEAD] ^= 1;				/* the sealed part, and mac1 made anew */
	sp_letter_key_init(&key, bob->station.letter.public_key);
	sp_hmac(sp_span(key.mac, 32), sp_span(touched.data, touched.len - SP_LETTER_MACS), mac);
	memcpy(touched.data + touched.len - SP_LETTER_MACS, mac, 16);
	refused(sp_buf_span(&touched), unopened);
	touched.data[0] = 9;						/* version */
	refused(sp_buf_span(&touched), malformed);
	refused(sp_span("x", 1), malformed);
	ck_assert(answered(sp_buf_span(&letter)));
	ck_assert_int_eq(handled, 1);
	tear_down_raw();
}
END_TEST

START_TEST(a_letter_for_another_key_is_not_heard)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	struct hand h;

	set_up_raw();
	h = hand(&alice->station, &alice->station);
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	refused(sp_buf_span(&letter), foreign);
	tear_down_raw();
}
END_TEST

START_TEST(acc12_a_replayed_letter_moves_nothing)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 }, first = { 0 };
	struct raw elsewhere;
	struct sp_addr to;
	char seen[80];
	struct hand h;

	set_up_raw();
	h = hand(&alice->station, &bob->station);
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	ck_assert(answered(sp_buf_span(&letter)));
	sp_buf_add_span(&first, sp_buf_span(&raw.last));
	strcpy(seen, book_by_cert(bob->book, &alice->station.identity.hash)->seen);
	ck_assert_str_eq(seen, raw_text(&raw));
	raw_open(&elsewhere, NULL, NULL);
	to = post_addr(bob);
	for (int i = 0; i < 3; i++) {
		raw_send(&elsewhere, &to, sp_buf_span(&letter));
		run_for(20);
	}
	ck_assert_int_eq(handled, 1);
	ck_assert_int_eq(elsewhere.count, 3);
	ck_assert(sp_span_eq(sp_buf_span(&elsewhere.last), sp_buf_span(&first)));
	ck_assert_str_eq(book_by_cert(bob->book, &alice->station.identity.hash)->seen, seen);
	raw_close(&elsewhere);
	tear_down_raw();
}
END_TEST

START_TEST(an_id_with_other_bytes_is_dropped)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	struct hand h;

	set_up_raw();
	h = hand(&alice->station, &bob->station);
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	ck_assert(answered(sp_buf_span(&letter)));
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);		/* the same contents, sealed anew */
	ck_assert(!answered(sp_buf_span(&letter)));
	ck_assert_uint_eq(counts(bob).conflicts, 1);
	ck_assert_int_eq(handled, 1);
	tear_down_raw();
}
END_TEST

/* Too old and too new: the answer says what time it is, and nothing else happens. */
START_TEST(a_letter_out_of_its_time_is_answered_with_the_clock)
{
	static const int64_t offsets[] = { -SP_LETTER_WINDOW_MS - 5000, SP_LETTER_WINDOW_MS + 5000 };
	SP_AUTO_DONE(sp_buf) letter = { 0 }, text = { 0 };
	struct sp_msg_clock clock;
	struct sp_letter got;
	struct hand h;

	set_up_raw();
	for (int i = 0; i < 2; i++) {
		h = hand(&alice->station, &bob->station);
		h.head.time_ms += (uint64_t)offsets[i];
		hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
		ck_assert(answered(sp_buf_span(&letter)));
		got = raw_letter(&raw, &alice->station, &text);
		ck_assert_uint_eq(got.type, SP_MSG_CLOCK);
		ck_assert(sp_id_eq(&got.head.answers, &h.head.id));
		ck_status(sp_decode(got.desc, got.body, &clock, NULL), SP_OK);
		ck_assert_uint_lt(sp_clock_wall_ms() - clock.time_ms, 1000);
		ck_assert_int_eq(handled, 0);
		ck_assert_str_eq(book_by_cert(bob->book, &alice->station.identity.hash)->seen, "");
	}
	/* just within */
	h = hand(&alice->station, &bob->station);
	h.head.time_ms -= SP_LETTER_WINDOW_MS - 5000;
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	ck_assert(answered(sp_buf_span(&letter)));
	ck_assert_int_eq(handled, 1);
	tear_down_raw();
}
END_TEST

START_TEST(unknown_types_and_answers_to_nothing_are_dropped)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	const struct sp_msg_clock clock = { .time_ms = 5 };
	struct hand h;

	set_up_raw();
	h = hand(&alice->station, &bob->station);
	hand_seal(&h, SP_MSG_RECEIPT, &(struct sp_msg_receipt){ .transfer = { { 1 } } }, &letter);
	refused(sp_buf_span(&letter), unknown);			/* nobody handles it */
	hand_seal(&h, SP_MSG_CLOCK, &clock, &letter);
	refused(sp_buf_span(&letter), unknown);			/* no question */
	h.head.answers = sp_id_new();
	hand_seal(&h, SP_MSG_CLOCK, &clock, &letter);
	refused(sp_buf_span(&letter), unmatched);
	hand_seal(&h, SP_MSG_ANSWER, &(struct sp_msg_answer){ 0 }, &letter);
	refused(sp_buf_span(&letter), unmatched);
	tear_down_raw();
}
END_TEST

START_TEST(an_ended_certificate_is_not_heard)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	struct party *old;
	struct hand h;

	set_up_raw();
	old = make_party("carol/old@" DOMAIN, &office);
	ck_status(add_to_book(bob, "carol@" DOMAIN, NULL), SP_OK);
	h = hand(&old->station, &bob->station);
	hand_seal(&h, SP_MSG_PING, &no_ping, &letter);
	ck_assert(answered(sp_buf_span(&letter)));
	/* ninety days later, in one moment */
	((struct correspondent *)(uintptr_t)book_by_name(bob->book, "carol@" DOMAIN))->identity.not_after = 5;
	h = hand(&old->station, &bob->station);
	hand_seal(&h, SP_MSG_PING, &no_ping, &letter);
	refused(sp_buf_span(&letter), expired);
	tear_down_raw();
}
END_TEST

/* ---- strangers ---- */
static struct member *claims;		/* whose certificate is shown */
static struct member *stranger;
static bool silent;

/* The other side of a question about a certificate. */
static void
show_certificate(struct raw *r)
{
	SP_AUTO_DONE(sp_buf) text = { 0 }, letter = { 0 };
	struct sp_letter got = raw_letter(r, stranger, &text);
	struct sp_msg_thing thing = { .kind = 1, .bytes = sp_buf_span(&claims->cert) };
	struct hand h = hand(stranger, &bob->station);

	if (got.type != SP_MSG_GET || silent)
		return;
	h.head.answers = got.head.id;
	hand_seal(&h, SP_MSG_THING, &thing, &letter);
	raw_send(r, &r->last_from, sp_buf_span(&letter));
}

START_TEST(anothers_certificate_opens_no_door)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	struct member mallory = { 0 }, carol = { 0 };
	struct sp_addr to;
	struct hand h;

	set_up_raw();
	to = post_addr(bob);
	make_station(&mallory, &liars, "mallory/x@" DOMAIN, -1, 90);
	make_station(&carol, &office, "carol/phone@" DOMAIN, -1, 90);
	raw.came = show_certificate;
	stranger = &mallory;
	claims = &carol;	/* right, but of another key */
	h = hand(&mallory, &bob->station);
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	raw_send(&raw, &to, sp_buf_span(&letter));
	run_for(100);
	ck_assert_int_eq(raw.count, 1);
	ck_assert_uint_eq(counts(bob).strangers, 1);
	ck_assert_ptr_null(book_by_key(bob->book, carol.letter.public_key));
	claims = &mallory;	/* of this key, but not ours */
	raw_send(&raw, &to, sp_buf_span(&letter));
	run_for(100);
	ck_assert_uint_eq(counts(bob).strangers, 2);
	ck_assert_int_eq(handled, 0);
	stranger = &carol;
	claims = &carol;
	h = hand(&carol, &bob->station);
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	raw_send(&raw, &to, sp_buf_span(&letter));
	run_for(100);
	ck_assert_int_eq(handled, 1);
	free_station(&mallory);
	free_station(&carol);
	tear_down_raw();
}
END_TEST

/* Nobody can have us send more than was sent to us to an address that may not be his. */
START_TEST(no_answer_is_longer_than_its_letter)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	struct member carol = { 0 };
	struct hand h;

	set_up_raw();
	make_station(&carol, &office, "carol/phone@" DOMAIN, -1, 90);
	stranger = &carol;
	h = hand(&carol, &bob->station);
	h.head.pad_to = 0;
	hand_seal(&h, SP_MSG_GET, &(struct sp_msg_get){ 0 }, &letter);
	ck_assert(!answered(sp_buf_span(&letter)));		/* the certificate is longer */
	hand_seal(&h, SP_MSG_PING, &no_ping, &letter);
	ck_assert(!answered(sp_buf_span(&letter)));		/* and our question, too */
	ck_assert_uint_eq(counts(bob).kept_back, 2);
	h = hand(&alice->station, &bob->station);
	h.head.pad_to = 0;
	hand_seal(&h, SP_MSG_PING, &no_ping, &letter);
	ck_assert(!answered(sp_buf_span(&letter)));
	ck_assert_uint_eq(counts(bob).kept_back, 3);
	h = hand(&carol, &bob->station);
	hand_seal(&h, SP_MSG_GET, &(struct sp_msg_get){ 0 }, &letter);
	ck_assert(answered(sp_buf_span(&letter)));
	ck_assert_uint_le(raw.last.len, letter.len);
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	ck_assert(answered(sp_buf_span(&letter)));
	ck_assert_uint_le(raw.last.len, letter.len);
	free_station(&carol);
	tear_down_raw();
}
END_TEST

START_TEST(strangers_are_asked_a_few_at_a_time)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	struct member carol = { 0 };
	struct hand h;

	set_up_raw();
	silent = true;
	stranger = &carol;
	make_station(&carol, &office, "carol/phone@" DOMAIN, -1, 90);
	for (int i = 0; i < SP_LETTER_STRANGERS_PREFIX; i++) {
		ck_status(sp_x25519_new(&carol.letter), SP_OK);
		h = hand(&carol, &bob->station);
		hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
		ck_assert(answered(sp_buf_span(&letter)));
	}
	ck_assert(answered(sp_buf_span(&letter)));	/* asked once more, as it wrote once more */
	ck_status(sp_x25519_new(&carol.letter), SP_OK);
	h = hand(&carol, &bob->station);
	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	refused(sp_buf_span(&letter), full);
	free_station(&carol);
	tear_down_raw();
}
END_TEST

static struct post_in *held[SP_LETTER_OPEN + 1];
static size_t nheld;

static void
keep(void *arg, struct post_in *in)
{
	(void)arg;
	held[nheld++] = in;
}

/* A letter from raw that the door let in. */
static void
let_in(const struct member *from)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	const struct sp_return back = { .addr = raw.addr };
	struct hand h = hand(from, &bob->station);

	hand_seal(&h, SP_MSG_AGAIN, &again, &letter);
	post_receive(bob->post, &back, sp_buf_span(&letter), true);
}

/* However many letters strangers have at their handlers, there is room for those of the book. */
START_TEST(the_book_keeps_a_share_of_the_queue)
{
	const struct correspondent *c;
	struct party *carol;

	set_up_raw();
	carol = make_party("carol/phone@" DOMAIN, &office);
	ck_status(book_learn_cert(bob->book, sp_buf_span(&carol->station.cert), &c, NULL), SP_OK);
	post_on(bob->post, SP_MSG_AGAIN, keep, bob);
	for (int i = 0; i < SP_LETTER_OPEN; i++)
		let_in(i < SP_LETTER_OPEN - SP_LETTER_OPEN_BOOK ? &carol->station : &alice->station);
	ck_assert_uint_eq(nheld, SP_LETTER_OPEN);
	let_in(&carol->station);
	let_in(&alice->station);
	ck_assert_uint_eq(counts(bob).full, 2);
	for (size_t i = 0; i < SP_LETTER_OPEN_BOOK; i++)
		post_ignore(bob->post, held[--nheld]);
	let_in(&carol->station);
	ck_assert_uint_eq(counts(bob).full, 3);
	let_in(&alice->station);
	ck_assert_uint_eq(counts(bob).full, 3);
	ck_assert_uint_eq(nheld, SP_LETTER_OPEN - SP_LETTER_OPEN_BOOK + 1);
	tear_down_raw();
}
END_TEST

/* ---- alice asks, and raw answers in bob's name ---- */
static int64_t raw_clock;		/* of the other side, against ours */
static struct member *answers_as;
static struct sp_letter_head last_head;

static void
answer_by_hand(struct raw *r)
{
	SP_AUTO_DONE(sp_buf) text = { 0 }, letter = { 0 };
	struct sp_letter got = raw_letter(r, &bob->station, &text);
	struct hand h = hand(answers_as, &alice->station);
	struct sp_msg_pong pong = { .name = sp_span_str(bob->name), .cert = bob->station.identity.hash };
	uint64_t now = sp_clock_wall_ms() + (uint64_t)raw_clock;
	struct sp_msg_clock clock = { .time_ms = now };
	bool late = got.head.time_ms + SP_LETTER_WINDOW_MS < now || now + SP_LETTER_WINDOW_MS < got.head.time_ms;

	last_head = got.head;
	h.head.answers = got.head.id;
	h.head.time_ms = now;
	if (late)
		hand_seal(&h, SP_MSG_CLOCK, &clock, &letter);
	else
		hand_seal(&h, SP_MSG_PONG, &pong, &letter);
	raw_send(r, &r->last_from, sp_buf_span(&letter));
}

static void
set_up_answers(void)
{
	set_up_raw();
	raw.came = answer_by_hand;
	answers_as = &bob->station;
	ck_status(add_to_book(alice, "bob@" DOMAIN, raw_text(&raw)), SP_OK);
}

START_TEST(another_clock_is_followed_for_that_station_only)
{
	const struct correspondent *c;

	set_up_answers();
	raw_clock = 3600 * 1000;
	c = book_by_cert(alice->book, &bob->station.identity.hash);
	ck_status(ping(alice, bob, NULL), SP_OK);
	ck_assert_int_eq(raw.count, 2);
	ck_assert_int_lt(llabs(c->offset_ms - raw_clock), 1000);
	ck_assert_int_lt(llabs((int64_t)(last_head.time_ms - sp_clock_wall_ms()) - raw_clock), 1000);
	ck_status(ping(alice, bob, NULL), SP_OK);		/* dated right at once */
	ck_assert_int_eq(raw.count, 3);
	raw_clock = -2 * 3600 * 1000;
	ck_status(ping(alice, bob, NULL), SP_OK);		/* it may change */
	tear_down_raw();
}
END_TEST

START_TEST(a_clock_a_day_off_is_not_followed)
{
	set_up_answers();
	raw_clock = 25ll * 3600 * 1000;
	ck_status(ping(alice, bob, NULL), SP_E_CLOCK);
	ck_assert_int_eq(book_by_cert(alice->book, &bob->station.identity.hash)->offset_ms, 0);
	tear_down_raw();
}
END_TEST

START_TEST(an_answer_counts_from_the_right_key_only)
{
	struct member mallory = { 0 };

	set_up_answers();
	make_station(&mallory, &office, "mallory/x@" DOMAIN, -1, 90);
	answers_as = &mallory;
	post_ask(alice->post, &bob->station.identity.hash, NULL, false, SP_MSG_PING, &no_ping, asked_answer, NULL);
	run_for(50);
	ck_assert_int_eq(asked, 0);
	ck_assert_uint_ge(counts(alice).unmatched, 1);
	answers_as = &bob->station;
	run_loop();
	ck_status(asked_status, SP_OK);
	free_station(&mallory);
	tear_down_raw();
}
END_TEST

UNIT_MAIN("letters/hostile", what_is_touched_is_not_heard, a_letter_for_another_key_is_not_heard,
    acc12_a_replayed_letter_moves_nothing, an_id_with_other_bytes_is_dropped,
    a_letter_out_of_its_time_is_answered_with_the_clock, unknown_types_and_answers_to_nothing_are_dropped,
    an_ended_certificate_is_not_heard, anothers_certificate_opens_no_door, no_answer_is_longer_than_its_letter,
    strangers_are_asked_a_few_at_a_time, the_book_keeps_a_share_of_the_queue, another_clock_is_followed_for_that_station_only,
    a_clock_a_day_off_is_not_followed, an_answer_counts_from_the_right_key_only)
