/*
 * wire_cookie_test.c - cookies: bound to an address and a time, opened by who sent the letter and nobody else.
 */
#include "common/wire/cookie.h"
#include "common/wire/msg.h"
#include "tests/unit/unit.h"

static struct sp_x25519_pair alice, bob;
static struct sp_letter_key alice_key, bob_key;
static struct sp_cookie_jar jar;
static const struct sp_span here = { (const uint8_t *)"192.0.2.1:7325", 14 }, there = { (const uint8_t *)"192.0.2.1:7326", 14 };

static void
set_up(struct sp_buf *letter)
{
	struct sp_letter_head head = { .id = sp_id_new(), .time_ms = 1764040000123 };
	const struct sp_msg_ping ping = { 0 };

	ck_status(sp_x25519_new(&alice), SP_OK);
	ck_status(sp_x25519_new(&bob), SP_OK);
	sp_letter_key_init(&alice_key, alice.public_key);
	sp_letter_key_init(&bob_key, bob.public_key);
	memset(&jar, 0, sizeof(jar));
	sp_buf_clear(letter);
	ck_status(sp_letter_seal(&alice, &bob_key, &head, sp_desc_msg(SP_MSG_PING), &ping, letter, NULL), SP_OK);
}

/* Given at this time, taken, and written into the letter. */
static void
give(struct sp_buf *letter, struct sp_span address, uint64_t ms)
{
	uint8_t cookie[SP_COOKIE], answer[SP_COOKIE_LETTER], taken[SP_COOKIE];

	sp_cookie_make(&jar, address, ms, cookie);
	sp_cookie_seal(&bob_key, sp_buf_span(letter), cookie, answer);
	ck_status(sp_cookie_open(&bob_key, sp_buf_span(letter), sp_span(answer, sizeof(answer)), taken), SP_OK);
	ck_assert_mem_eq(taken, cookie, SP_COOKIE);
	sp_cookie_stamp(letter->data, letter->len, taken);
}

START_TEST(a_cookie_proves_its_address_and_no_other)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };

	set_up(&letter);
	ck_assert(!sp_cookie_fits(&jar, sp_buf_span(&letter), here, 5));	/* zeroes */
	give(&letter, here, 5);
	ck_status(sp_letter_check(sp_buf_span(&letter), &bob_key), SP_OK);
	ck_assert(sp_cookie_fits(&jar, sp_buf_span(&letter), here, 5));
	ck_assert(!sp_cookie_fits(&jar, sp_buf_span(&letter), there, 5));
	for (size_t i = 0; i < letter.len; i++) {
		letter.data[i] ^= 1;
		ck_assert_msg(!sp_cookie_fits(&jar, sp_buf_span(&letter), here, 5), "byte %zu", i);
		letter.data[i] ^= 1;
	}
	sp_cookie_stamp(letter.data, letter.len, NULL);
	ck_assert(!sp_cookie_fits(&jar, sp_buf_span(&letter), here, 5));
}
END_TEST

START_TEST(a_secret_holds_for_two_to_four_minutes)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 };
	const uint64_t turn = SP_LETTER_COOKIE_MS;

	set_up(&letter);
	give(&letter, here, 1000);
	ck_assert(sp_cookie_fits(&jar, sp_buf_span(&letter), here, 1000 + turn - 1));
	ck_assert(sp_cookie_fits(&jar, sp_buf_span(&letter), here, 1000 + turn));
	ck_assert(sp_cookie_fits(&jar, sp_buf_span(&letter), here, 1000 + 2 * turn - 1));
	ck_assert(!sp_cookie_fits(&jar, sp_buf_span(&letter), here, 1000 + 2 * turn));
	/* nor after a long silence, when it would be the one before */
	give(&letter, here, 1000 + 2 * turn);
	ck_assert(!sp_cookie_fits(&jar, sp_buf_span(&letter), here, 1000 + 4 * turn));
}
END_TEST

START_TEST(only_who_sent_the_letter_opens_its_cookie)
{
	SP_AUTO_DONE(sp_buf) letter = { 0 }, other = { 0 };
	uint8_t cookie[SP_COOKIE] = { 7 }, answer[SP_COOKIE_LETTER], taken[SP_COOKIE] = { 0 };
	const uint8_t *ref;

	set_up(&letter);
	sp_buf_add_span(&other, sp_buf_span(&letter));
	sp_cookie_seal(&bob_key, sp_buf_span(&letter), cookie, answer);
	ck_status(sp_cookie_peek(sp_span(answer, sizeof(answer)), &ref), SP_OK);
	ck_assert_mem_eq(ref, sp_cookie_ref(sp_buf_span(&letter)), SP_COOKIE_REF);
	/* who knows all of the letter but mac1 */
	other.data[other.len - SP_LETTER_MACS] ^= 1;
	ck_status(sp_cookie_open(&bob_key, sp_buf_span(&other), sp_span(answer, sizeof(answer)), taken), SP_E_SEAL);
	ck_status(sp_cookie_open(&alice_key, sp_buf_span(&letter), sp_span(answer, sizeof(answer)), taken), SP_E_SEAL);
	for (size_t i = 0; i < sizeof(answer); i++) {
		answer[i] ^= 1;
		ck_assert(sp_cookie_open(&bob_key, sp_buf_span(&letter), sp_span(answer, sizeof(answer)), taken) != SP_OK);
		answer[i] ^= 1;
		ck_status(sp_cookie_peek(sp_span(answer, i), &ref), SP_E_SHORT);
	}
	ck_assert_uint_eq(taken[0], 0);
	ck_status(sp_cookie_open(&bob_key, sp_buf_span(&letter), sp_span(answer, sizeof(answer)), taken), SP_OK);
	ck_assert_mem_eq(taken, cookie, SP_COOKIE);
}
END_TEST

UNIT_MAIN("wire/cookie", a_cookie_proves_its_address_and_no_other, a_secret_holds_for_two_to_four_minutes,
    only_who_sent_the_letter_opens_its_cookie)
