/*
 * net_guard_test.c - who may have a letter opened, in which order shares are used up, and that forgers never use up what
 * belongs to those who proved their address.
 */
#include "common/net/guard.h"
#include "tests/unit/unit.h"

static struct sp_guard *guard;
static struct sp_letter_key key;
static uint8_t bytes[SP_LETTER_OVER];		/* as if sp_letter_check() had passed it */
static uint8_t station[SP_X25519] = { 1, 2, 3 };

static struct sp_return
from(uint8_t net, uint8_t host, uint16_t port)
{
	return (struct sp_return){ .addr = { .family = 4, .ip = { 10, 0, net, host }, .port = port } };
}

static void
set_up(unsigned opens)
{
	const uint8_t public_key[SP_X25519] = { 9 };

	sp_letter_key_init(&key, public_key);
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes + 2, key.id, sizeof(key.id));
	guard = sp_guard_new(opens);
	ck_assert_ptr_nonnull(guard);
}

static enum sp_guard_says
ask(const struct sp_return *r, const uint8_t *known, uint64_t ms)
{
	struct sp_guard_case c = { .from = r, .letter = sp_span(bytes, sizeof(bytes)), .station = known };

	return sp_guard_letter(guard, &c, ms);
}

/* How often it is so. */
static unsigned
count(const struct sp_return *r, const uint8_t *known, uint64_t ms, enum sp_guard_says what)
{
	unsigned n = 0;

	while (n < 100000 && ask(r, known, ms) == what)
		n++;
	return n;
}

/* The next letters from there carry the cookie that this one got. */
static void
take_cookie(const struct sp_return *r, uint64_t ms)
{
	struct sp_guard_case c = { .from = r, .letter = sp_span(bytes, sizeof(bytes)) };
	uint8_t answer[SP_COOKIE_LETTER], cookie[SP_COOKIE];

	sp_guard_cookie(guard, &key, &c, ms, answer);
	ck_status(sp_cookie_open(&key, c.letter, sp_span(answer, sizeof(answer)), cookie), SP_OK);
	sp_guard_keep(guard, &key, &r->addr, cookie, ms);
	sp_guard_stamp(guard, &r->addr, bytes, sizeof(bytes), ms);
}

START_TEST(a_network_that_writes_too_much_is_asked_for_a_cookie_and_then_held_to_its_rate)
{
	struct sp_return one = from(0, 1, 5000), other_port = from(0, 1, 5001), near = from(0, 2, 5000), far = from(1, 1, 5000);

	set_up(100000);
	ck_assert_uint_eq(count(&one, NULL, 1000, SP_GUARD_OPEN), 2 * SP_LETTER_RATE);
	ck_assert_int_eq(ask(&one, NULL, 1000), SP_GUARD_COOKIE);
	ck_assert_int_eq(ask(&other_port, NULL, 1000), SP_GUARD_COOKIE);
	ck_assert_int_eq(ask(&near, NULL, 1000), SP_GUARD_OPEN);
	/* whoever wrote all that, who lives there has a share of his own */
	take_cookie(&one, 1000);
	ck_assert_uint_eq(count(&one, NULL, 1000, SP_GUARD_OPEN), 2 * SP_LETTER_RATE);
	ck_assert_int_eq(ask(&one, NULL, 1000), SP_GUARD_LIMITED);
	ck_assert_int_eq(ask(&one, NULL, 1000 + 1000 / SP_LETTER_RATE), SP_GUARD_OPEN);
	/* the wider network has one, too */
	for (uint8_t host = 3; host < 100; host++)
		(void)count(&(struct sp_return){ .addr = { .family = 4, .ip = { 10, 0, 0, host } } }, NULL, 1000, SP_GUARD_OPEN);
	near = from(0, 200, 1);
	ck_assert_int_eq(ask(&near, NULL, 1000), SP_GUARD_COOKIE);
	ck_assert_int_eq(ask(&far, NULL, 1000), SP_GUARD_OPEN);
	sp_guard_free(guard);
}
END_TEST

START_TEST(under_load_who_has_no_cookie_gets_one_and_nothing_else)
{
	struct sp_return honest = from(99, 1, 7325);
	unsigned opened = 0;

	set_up(100);
	for (unsigned i = 0; i < 10000; i++) {
		struct sp_return r = from((uint8_t)(i % 90), (uint8_t)(i / 90), 1);

		opened += ask(&r, NULL, 1000) == SP_GUARD_OPEN;
	}
	ck_assert_uint_ge(opened, 50);
	ck_assert_uint_le(opened, 52);
	ck_assert(sp_guard_is_loaded(guard, 1000));
	ck_assert_int_eq(ask(&honest, NULL, 1000), SP_GUARD_COOKIE);
	take_cookie(&honest, 1000);
	ck_assert_int_eq(ask(&honest, NULL, 1000), SP_GUARD_OPEN);
	/* the other half is for these, and no more than that */
	ck_assert_uint_le(count(&honest, NULL, 1000, SP_GUARD_OPEN), 50);
	ck_assert_int_eq(ask(&honest, NULL, 1000), SP_GUARD_BUSY);
	/* a second later it is over */
	ck_assert(!sp_guard_is_loaded(guard, 2001));
	honest = from(98, 1, 7325);
	ck_assert_int_eq(ask(&honest, NULL, 2001), SP_GUARD_OPEN);
	sp_guard_free(guard);
}
END_TEST

START_TEST(the_book_has_a_share_that_strangers_do_not_use_up)
{
	struct sp_return home = from(50, 1, 7325);
	unsigned opened;

	set_up(100);
	for (unsigned i = 0; i < 10000; i++) {
		struct sp_return r = from((uint8_t)(i % 40), (uint8_t)(i / 40), 1);

		r.conn = i % 2;		/* with and without a proof of their address */
		(void)ask(&r, NULL, 1000);
	}
	ck_assert(sp_guard_is_loaded(guard, 1000));
	ck_assert_int_eq(ask(&home, station, 1000), SP_GUARD_OPEN);
	/* forgers of its key and address use up what is forgeable … */
	/* (a bucket that displaces another begins with what that one had left) */
	opened = count(&home, station, 1000, SP_GUARD_OPEN);
	ck_assert_uint_le(opened, 2 * SP_LETTER_RATE_FORGEABLE - 1);
	ck_assert_uint_ge(opened, SP_LETTER_RATE_FORGEABLE);
	ck_assert_int_eq(ask(&home, station, 1000), SP_GUARD_COOKIE);
	/* … and not what the cookie gives */
	take_cookie(&home, 1000);
	opened = count(&home, station, 1000, SP_GUARD_OPEN);
	ck_assert_uint_le(opened, 2 * SP_LETTER_RATE_STATION);
	ck_assert_uint_ge(opened, SP_LETTER_RATE_STATION);
	/* connections that we opened are for answers */
	home = from(51, 1, 7325);
	home.conn = 5;
	home.dialled = true;
	ck_assert_int_eq(ask(&home, NULL, 1000), SP_GUARD_OPEN);
	sp_guard_free(guard);
}
END_TEST

START_TEST(cookies_of_others_are_kept_for_their_address_and_not_forever)
{
	static const uint8_t none[16];
	struct sp_return a = from(1, 1, 1), b = from(1, 1, 2);
	const uint8_t cookie[SP_COOKIE] = { 4 };

	set_up(0);
	sp_guard_keep(guard, &key, &a.addr, cookie, 1000);
	sp_guard_stamp(guard, &a.addr, bytes, sizeof(bytes), 1000);
	ck_assert_mem_ne(bytes + sizeof(bytes) - 16, none, 16);
	sp_guard_stamp(guard, &b.addr, bytes, sizeof(bytes), 1000);
	ck_assert_mem_eq(bytes + sizeof(bytes) - 16, none, 16);
	sp_guard_stamp(guard, &a.addr, bytes, sizeof(bytes), 1000 + SP_LETTER_COOKIE_MS);
	ck_assert_mem_eq(bytes + sizeof(bytes) - 16, none, 16);
	bytes[2] ^= 1;				/* for another station behind the same address */
	sp_guard_stamp(guard, &a.addr, bytes, sizeof(bytes), 1000);
	ck_assert_mem_eq(bytes + sizeof(bytes) - 16, none, 16);
	bytes[2] ^= 1;
	for (uint16_t port = 10; port < 10 + SP_LETTER_COOKIES; port++) {
		b.addr.port = port;
		sp_guard_keep(guard, &key, &b.addr, cookie, 1000);
	}
	sp_guard_stamp(guard, &a.addr, bytes, sizeof(bytes), 1000);	/* the oldest made way */
	ck_assert_mem_eq(bytes + sizeof(bytes) - 16, none, 16);
	sp_guard_stamp(guard, &b.addr, bytes, sizeof(bytes), 1000);
	ck_assert_mem_ne(bytes + sizeof(bytes) - 16, none, 16);
	sp_guard_free(guard);
}
END_TEST

UNIT_MAIN("net/guard", a_network_that_writes_too_much_is_asked_for_a_cookie_and_then_held_to_its_rate,
    under_load_who_has_no_cookie_gets_one_and_nothing_else, the_book_has_a_share_that_strangers_do_not_use_up,
    cookies_of_others_are_kept_for_their_address_and_not_forever)
