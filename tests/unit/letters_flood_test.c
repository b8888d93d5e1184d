/*
 * letters_flood_test.c - floods: garbage, letters that open to nothing, replays, strangers by the thousand, from many
 * addresses and in the names of known stations. A known station is heard through all of it, nobody gets more bytes than
 * he sent, and memory stays as it was.
 */
#include "common/crypto/hash.h"
#include "common/crypto/rand.h"
#include "peerd/letters/post_in.h"
#include "tests/unit/letters_raw_test.h"

static const struct sp_msg_again again = { .transfer = { { 1 } }, .offer = { { 2 } } };
static int handled;
static bool refuse;

/* OK, or a refusal as long as one with its signature is. */
static void
on_letter(void *arg, struct post_in *in)
{
	static const uint8_t bytes[200];
	struct party *p = arg;

	handled++;
	if (refuse) {
		post_reply(p->post, in, SP_MSG_REFUSE_LETTER, &(struct sp_msg_refuse_letter){
		    .statement = sp_span(bytes, sizeof(bytes)), .signature = sp_span(bytes, SP_SIGNATURE) });
		return;
	}
	post_reply(p->post, in, SP_MSG_ANSWER, &(struct sp_msg_answer){ 0 });
}

/* ---- one letter at a time: no answer is longer than what it answers ---- */

/* What bob answers to this from raw, while he is under load or not. */
static size_t
answer_to(struct raw *r, struct sp_span bytes)
{
	struct sp_addr to = post_addr(bob);
	int before = r->count;

	raw_send(r, &to, bytes);
	for (int i = 0; i < 20 && r->count == before; i++)
		run_for(5);
	return r->count > before ? r->last.len : 0;
}

/* Letters of strangers that open to nothing, until bob is under load. */
static void
load(struct post *p)
{
	struct sp_letter_key key;
	uint8_t bytes[SP_LETTER_OVER];

	sp_letter_key_init(&key, member_letter_pair(p->station)->public_key);
	for (unsigned i = 0; i < 100000 && !post_is_loaded(p); i++) {
		struct sp_return from = { .addr = { .family = 4, .ip = { 127, (uint8_t)(i >> 8), (uint8_t)i, 9 }, .port = 9 } };
		uint8_t mac[32];

		sp_random(bytes, sizeof(bytes));
		bytes[0] = SP_LETTER_VERSION;
		bytes[1] = SP_LETTER_SEALED;
		memcpy(bytes + 2, key.id, sizeof(key.id));
		sp_hmac(sp_span(key.mac, 32), sp_span(bytes, sizeof(bytes) - SP_LETTER_MACS), mac);
		memcpy(bytes + sizeof(bytes) - SP_LETTER_MACS, mac, 16);
		post_receive(p, &from, sp_span(bytes, sizeof(bytes)), false);
	}
	ck_assert(post_is_loaded(p));
}

START_TEST(no_answer_of_any_kind_is_longer_than_what_it_answers)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	struct member carol = { 0 };
	struct raw raw, other;
	struct hand h;
	size_t n, answers = 0;

	set_up_two(true);
	post_on(bob->post, SP_MSG_AGAIN, on_letter, bob);
	make_station(&carol, &office, "carol/x@" DOMAIN, -1, 90);
	raw_open(&raw, NULL, NULL);
	raw_open(&other, NULL, NULL);
	/* from the shortest letter to a long one: PONG, ANSWER, REFUSE, our certificate, the question for theirs, CLOCK, a repeat */
	for (size_t pad = 0; pad <= 1200; pad += 100) {
		const struct { const struct member *from; unsigned type; const void *msg; int64_t off; } cases[] = {
			{ &alice->station, SP_MSG_PING, &(struct sp_msg_ping){ 0 }, 0 },
			{ &alice->station, SP_MSG_AGAIN, &again, 0 },
			{ &alice->station, SP_MSG_AGAIN, &again, 0 },
			{ &alice->station, SP_MSG_GET, &(struct sp_msg_get){ 0 }, 0 },
			{ &alice->station, SP_MSG_GET, &(struct sp_msg_get){ .hash = { { 3 } } }, 0 },
			{ &alice->station, SP_MSG_PING, &(struct sp_msg_ping){ 0 }, -3600 * 1000 },
			{ &carol, SP_MSG_PING, &(struct sp_msg_ping){ 0 }, 0 },
			{ &carol, SP_MSG_GET, &(struct sp_msg_get){ 0 }, 0 },
		};

		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			refuse = i == 2;
			h = hand(cases[i].from, &bob->station);
			h.head.pad_to = pad;
			h.head.time_ms += (uint64_t)cases[i].off;
			hand_seal(&h, cases[i].type, cases[i].msg, &letter);
			n = answer_to(&raw, sp_buf_span(&letter));
			ck_assert_msg(n <= letter.len, "case %zu: %zu for %zu", i, n, letter.len);
			answers += n > 0;
			n = answer_to(&other, sp_buf_span(&letter));		/* again, from elsewhere */
			ck_assert_msg(n <= letter.len, "case %zu, again: %zu for %zu", i, n, letter.len);
		}
	}
	ck_assert_uint_ge(answers, 40);
	load(bob->post);
	h.head.pad_to = 0;
	hand_seal(&h, SP_MSG_GET, &(struct sp_msg_get){ 0 }, &letter);
	ck_assert_uint_eq(answer_to(&other, sp_buf_span(&letter)), SP_COOKIE_LETTER);
	ck_assert_uint_gt(letter.len, SP_COOKIE_LETTER);
	raw_close(&raw);
	raw_close(&other);
	free_station(&carol);
	tear_down_two();
}
END_TEST

/* ---- cookies between two stations ---- */

START_TEST(a_letter_to_a_station_under_load_goes_again_with_its_cookie_at_once)
{
	struct post_counts before;
	uint64_t taken;

	set_up_two(false);			/* alice is a stranger to bob */
	ck_status(ping(alice, bob, NULL), SP_OK);
	load(bob->post);
	before = counts(bob);
	ck_status(ping(alice, bob, NULL), SP_OK);
	ck_assert_uint_gt(counts(bob).cookies, before.cookies);
	taken = counts(alice).cookies_taken;
	ck_assert_uint_ge(taken, 1);
	/* the cookie is kept: the next one needs no round trip more */
	load(bob->post);
	ck_status(ping(alice, bob, NULL), SP_OK);
	ck_assert_uint_eq(counts(alice).cookies_taken, taken);
	tear_down_two();
}
END_TEST

START_TEST(a_station_of_the_book_needs_no_cookie_from_where_it_is_known)
{
	set_up_two(true);
	ck_status(ping(alice, bob, NULL), SP_OK);
	load(bob->post);
	ck_status(ping(alice, bob, NULL), SP_OK);
	ck_assert_uint_eq(counts(alice).cookies_taken, 0);
	tear_down_two();
}
END_TEST

START_TEST(a_cookie_that_answers_nothing_is_dropped)
{
	uint8_t bytes[SP_COOKIE_LETTER] = { SP_LETTER_VERSION, SP_LETTER_COOKIE };
	struct sp_addr to;
	struct raw raw;

	set_up_two(true);
	raw_open(&raw, NULL, NULL);
	to = post_addr(bob);
	raw_send(&raw, &to, sp_span(bytes, sizeof(bytes)));
	bytes[1] = 9;
	raw_send(&raw, &to, sp_span(bytes, sizeof(bytes)));
	run_for(30);
	ck_assert_uint_eq(counts(bob).unmatched, 1);
	ck_assert_uint_eq(counts(bob).malformed, 1);
	ck_assert_int_eq(raw.count, 0);
	raw_close(&raw);
	tear_down_two();
}
END_TEST

/* ---- a million ---- */

#define SEALED 64
static struct {
	uint8_t garbage[SP_LETTER_MAX];
	struct sp_buf replays[SEALED], strangers[SEALED], old;
	struct sp_letter_key key;
	struct sp_addr home;		/* where alice is */
	unsigned sent;
} flood;

static void
flood_prepare(void)
{
	for (size_t i = 0; i < SEALED; i++) {
		struct member mallory = { 0 };
		struct hand h = hand(&alice->station, &bob->station);

		hand_seal(&h, SP_MSG_PING, &(struct sp_msg_ping){ 0 }, &flood.replays[i]);
		ck_status(sp_x25519_new(&mallory.letter), SP_OK);
		h = hand(&mallory, &bob->station);
		hand_seal(&h, SP_MSG_AGAIN, &again, &flood.strangers[i]);
	}
	{
		struct hand h = hand(&alice->station, &bob->station);

		h.head.time_ms -= 3600 * 1000;
		hand_seal(&h, SP_MSG_PING, &(struct sp_msg_ping){ 0 }, &flood.old);
	}
	sp_random(flood.garbage, sizeof(flood.garbage));
	sp_letter_key_init(&flood.key, bob->station.letter.public_key);
	flood.home = post_addr(alice);
}

/* One letter of the flood, from one of many addresses. */
static void
flood_one(void)
{
	unsigned i = flood.sent++;
	struct sp_return from = { .addr = { .family = 4, .ip = { 127, (uint8_t)(1 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i },
	    .port = (uint16_t)(1024 + i % 60000) } };
	uint8_t *g = flood.garbage, mac[32];
	struct sp_span bytes;

	memcpy(g + 10, &i, sizeof(i));
	switch (i % 8) {
	case 0:
	case 1:				/* garbage */
		g[0] = (uint8_t)(i >> 3);
		bytes = sp_span(g, i % sizeof(flood.garbage) + 1);
		break;
	case 2:
	case 3:				/* the form is right, mac1 is not */
		g[0] = SP_LETTER_VERSION;
		g[1] = SP_LETTER_SEALED;
		memcpy(g + 2, flood.key.id, sizeof(flood.key.id));
		bytes = sp_span(g, SP_LETTER_QUESTION);
		break;
	case 4:
	case 5:				/* mac1 is right, in alice's name and from her address every second time */
		g[0] = SP_LETTER_VERSION;
		g[1] = SP_LETTER_SEALED;
		memcpy(g + 2, flood.key.id, sizeof(flood.key.id));
		bytes = sp_span(g, SP_LETTER_QUESTION);
		if (i % 8 == 5) {
			memcpy(g + 10, alice->station.letter.public_key, SP_X25519);
			from.addr = flood.home;
		}
		sp_hmac(sp_span(flood.key.mac, 32), sp_span(g, bytes.n - SP_LETTER_MACS), mac);
		memcpy(g + bytes.n - SP_LETTER_MACS, mac, 16);
		break;
	case 6:				/* letters of alice's, played again */
		bytes = sp_buf_span(i % 1000 == 6 ? &flood.old : &flood.replays[i / 8 % SEALED]);
		break;
	default:			/* letters of strangers, whole and sealed */
		bytes = sp_buf_span(&flood.strangers[i / 8 % SEALED]);
		break;
	}
	bob->post->counts.in++;
	post_receive(bob->post, &from, bytes, false);
}

/* What is allocated, if a sanitizer says it: its quarantine keeps what is free. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static long
memory_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	long kb = 0;

	if (__sanitizer_get_current_allocated_bytes != NULL)
		kb = (long)(__sanitizer_get_current_allocated_bytes() / 1024);
	while (kb == 0 && f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kb;
}

START_TEST(a_known_station_is_heard_through_a_million_letters_of_a_flood)
{
	const char *text = getenv("SEALPOST_FLOOD");
	unsigned letters = text != NULL ? (unsigned)atoi(text) : 1000000;
	struct post_counts n;
	struct sp_letterbox_stats stats;
	long before = 0;

	set_up_two(true);
	post_on(bob->post, SP_MSG_AGAIN, on_letter, bob);
	ck_status(ping(alice, bob, NULL), SP_OK);
	flood_prepare();
	for (unsigned rounds = 0; flood.sent < letters; rounds++) {
		for (unsigned i = 0; i < letters / 50; i++)
			flood_one();
		ck_status(ask_at(alice, bob, NULL, false, SP_MSG_AGAIN, &again), SP_OK);
		if (rounds == 5)
			before = memory_kb();
	}
	n = counts(bob);
	ck_assert_int_ge(handled, 50);
	ck_assert_uint_ge(n.in, letters);
	ck_assert_uint_gt(n.cookies, letters / 20);
	ck_assert_uint_le(n.open_in, SP_LETTER_OPEN);
	/* alice's letters went the usual way, not by TCP after all tries */
	sp_letterbox_stats(bob->post->box, &stats);
	ck_assert_uint_eq(stats.tcp_in, 0);
	ck_assert_msg(memory_kb() - before < 2048, "%ld kB more", memory_kb() - before);
	for (size_t i = 0; i < SEALED; i++) {
		sp_buf_done(&flood.replays[i]);
		sp_buf_done(&flood.strangers[i]);
	}
	sp_buf_done(&flood.old);
	tear_down_two();
}
END_TEST

UNIT_MAIN("letters/flood", no_answer_of_any_kind_is_longer_than_what_it_answers,
    a_letter_to_a_station_under_load_goes_again_with_its_cookie_at_once,
    a_station_of_the_book_needs_no_cookie_from_where_it_is_known, a_cookie_that_answers_nothing_is_dropped,
    a_known_station_is_heard_through_a_million_letters_of_a_flood)
