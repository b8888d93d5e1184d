/*
 * statements_accept_test.c - an accept, its letter, its ranges.
 */
#include "common/statements/accept.h"
#include "tests/unit/statements_people.h"

#define PACKET 100000
static const struct sp_hash offer = { { 5, 5, 5 } };

/* bob's accept of the offer; what alice makes of it, if the letter is changed so. */
struct letter {
	struct person bob, mallory;
	struct sp_buf statement;
	uint8_t signature[SP_SIGNATURE];
	struct sp_accept sent, got;
	struct sp_hash hash;
	struct sp_msg_accept_letter msg;
};

static void
setup(struct letter *l)
{
	memset(l, 0, sizeof(*l));
	person_init(&l->bob, "bob/desk@other.example", SP_ROLE_STATION);
	person_init(&l->mallory, "mallory/m@post.example", SP_ROLE_STATION);
	l->sent = (struct sp_accept){ .number = 3, .port = 21234, .key = { 1, 2 }, .token = { 7, 7, 7 },
		.held = { { 0, 512 }, { 1024, PACKET } }, .held_count = 2 };
	ck_status(sp_accept_sign(&l->sent, &offer, l->bob.key, &l->statement, l->signature, &l->hash, NULL), SP_OK);
	l->msg = (struct sp_msg_accept_letter){ .statement = sp_buf_span(&l->statement),
		.signature = sp_span(l->signature, SP_SIGNATURE), .token = sp_span(l->sent.token, 32) };
}

static enum sp_status
open_it(struct letter *l, const struct person *letter_by, const struct sp_hash *of, uint64_t packet)
{
	return sp_accept_open(&l->msg, letter_by->letter.public_key, &l->bob.identity, of, packet, &l->got, NULL);
}

static void
teardown(struct letter *l)
{
	person_done(&l->bob);
	person_done(&l->mallory);
	sp_buf_done(&l->statement);
}

START_TEST(an_accept_comes_back_as_it_went)
{
	struct letter l;

	setup(&l);
	ck_status(open_it(&l, &l.bob, &offer, PACKET), SP_OK);
	ck_assert(sp_hash_eq(&l.got.hash, &l.hash));
	ck_assert_uint_eq(l.got.number, 3);
	ck_assert_uint_eq(l.got.port, 21234);
	ck_assert_mem_eq(l.got.key, l.sent.key, 32);
	ck_assert_mem_eq(l.got.token, l.sent.token, 32);
	ck_assert_uint_eq(l.got.held_count, 2);
	ck_assert_uint_eq(l.got.held[1].from, 1024);
	ck_assert_uint_eq(l.got.held[1].to, PACKET);
	teardown(&l);
}
END_TEST

START_TEST(tx04_an_accept_that_does_not_fit_is_refused)
{
	struct sp_hash other = { { 6 } };
	uint8_t token[33] = { 7, 7, 8 };
	struct letter l;

	setup(&l);
	ck_status(open_it(&l, &l.mallory, &offer, PACKET), SP_E_IDENTITY);
	ck_status(open_it(&l, &l.bob, &other, PACKET), SP_E_MISMATCH);
	ck_status(open_it(&l, &l.bob, &offer, PACKET - 1), SP_E_RANGE);
	l.msg.token = sp_span(token, 32);
	ck_status(open_it(&l, &l.bob, &offer, PACKET), SP_E_MISMATCH);
	token[2] = 7;
	ck_status(open_it(&l, &l.bob, &offer, PACKET), SP_OK);
	l.msg.token = sp_span(token, 33);
	ck_status(open_it(&l, &l.bob, &offer, PACKET), SP_E_MISMATCH);
	l.msg.token = sp_span(token, 32);
	l.signature[5] ^= 1;
	ck_status(open_it(&l, &l.bob, &offer, PACKET), SP_E_SIGNATURE);
	l.signature[5] ^= 1;
	memcpy(l.bob.identity.public_key, l.mallory.identity.public_key, SP_P256_PUBLIC);
	ck_status(open_it(&l, &l.bob, &offer, PACKET), SP_E_SIGNATURE);
	teardown(&l);
}
END_TEST

START_TEST(ranges_have_one_form)
{
	static const struct { struct sp_range r[2]; size_t n; enum sp_status st; } cases[] = {
		{ { { 0, 1 } }, 1, SP_OK }, { { { 0, 100 } }, 1, SP_OK }, { { { 0, 101 } }, 1, SP_E_RANGE },
		{ { { 5, 5 } }, 1, SP_E_RANGE }, { { { 6, 5 } }, 1, SP_E_RANGE },
		{ { { 0, 10 }, { 11, 12 } }, 2, SP_OK }, { { { 0, 10 }, { 10, 12 } }, 2, SP_E_RANGE },
		{ { { 0, 10 }, { 9, 12 } }, 2, SP_E_RANGE }, { { { 11, 12 }, { 0, 10 } }, 2, SP_E_RANGE },
		{ { { 0, 10 }, { UINT64_MAX, 3 } }, 2, SP_E_RANGE },
	};
	struct sp_range many[SP_RANGES_MAX + 1], got[SP_RANGES_MAX];
	SP_AUTO_DONE(sp_buf) out = { 0 };
	size_t n;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sp_buf_clear(&out);
		for (size_t k = 0; k < cases[i].n; k++) {
			sp_buf_add_u64(&out, cases[i].r[k].from);
			sp_buf_add_u64(&out, cases[i].r[k].to);
		}
		ck_status(sp_ranges_parse(sp_buf_span(&out), 100, got, &n), cases[i].st);
	}
	for (uint64_t i = 0; i <= SP_RANGES_MAX; i++)
		many[i] = (struct sp_range){ 10 * i, 10 * i + 5 };
	sp_buf_clear(&out);
	ck_status(sp_ranges_pack(many, SP_RANGES_MAX + 1, &out), SP_E_RANGE);
	ck_status(sp_ranges_pack(many, SP_RANGES_MAX, &out), SP_OK);
	ck_status(sp_ranges_parse(sp_buf_span(&out), 1000, got, &n), SP_OK);
	ck_assert_uint_eq(n, SP_RANGES_MAX);
	ck_assert_mem_eq(got, many, sizeof(got));
	ck_status(sp_ranges_parse(sp_span(out.data, out.len - 1), 1000, got, &n), SP_E_FORMAT);
	sp_buf_add(&out, "0123456789abcdef", 16);
	ck_status(sp_ranges_parse(sp_buf_span(&out), UINT64_MAX, got, &n), SP_E_FORMAT);
	ck_status(sp_ranges_parse(sp_span(NULL, 0), 0, got, &n), SP_OK);
	ck_assert_uint_eq(n, 0);
}
END_TEST

UNIT_MAIN("statements/accept", an_accept_comes_back_as_it_went, tx04_an_accept_that_does_not_fit_is_refused,
    ranges_have_one_form)
