/*
 * wire_letter_test.c - letters: sealed and opened, refused when anything in them was touched, and every row at
 * its bounds in a datagram.
 */
#include "common/crypto/hpke.h"
#include "common/wire/letter.h"
#include "tests/unit/wire_sample.h"

static struct sp_x25519_pair alice, bob, carol;
static struct sp_letter_key bob_key, carol_key;
static struct sp_letter_head head;
static const uint8_t name[] = "bob/desk@post.example";
static struct sp_msg_pong pong = { .name = { name, sizeof(name) - 1 }, .cert = { { 1, 2, 3 } } };

static void
setup(struct sp_buf *letter)
{
	ck_status(sp_x25519_new(&alice), SP_OK);
	ck_status(sp_x25519_new(&bob), SP_OK);
	ck_status(sp_x25519_new(&carol), SP_OK);
	sp_letter_key_init(&bob_key, bob.public_key);
	sp_letter_key_init(&carol_key, carol.public_key);
	head = (struct sp_letter_head){ .id = sp_id_new(), .answers = sp_id_new(), .time_ms = 1764040000123 };
	ck_status(sp_letter_seal(&alice, &bob_key, &head, sp_desc_msg(SP_MSG_PONG), &pong, letter, NULL), SP_OK);
}

START_TEST(a_letter_comes_back_as_it_went)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, text = { 0 };
	struct sp_letter_envelope env;
	struct sp_msg_pong got;
	struct sp_letter letter;

	setup(&out);
	ck_status(sp_letter_peek(sp_buf_span(&out), SP_LETTER_MAX, &env), SP_OK);
	ck_assert_mem_eq(env.receiver_id, bob_key.id, 8);
	ck_assert_mem_eq(env.sender_key, alice.public_key, SP_X25519);
	ck_assert_uint_eq(env.core.n, out.len - SP_LETTER_MACS);
	ck_status(sp_letter_check(sp_buf_span(&out), &bob_key), SP_OK);
	ck_status(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter), SP_OK);
	ck_assert(text.secret);
	ck_assert(sp_id_eq(&letter.head.id, &head.id));
	ck_assert(sp_id_eq(&letter.head.answers, &head.answers));
	ck_assert_uint_eq(letter.head.time_ms, head.time_ms);
	ck_assert_mem_eq(letter.sender_key, alice.public_key, SP_X25519);
	ck_assert_uint_eq(letter.type, SP_MSG_PONG);
	ck_assert_ptr_eq(letter.desc, sp_desc_msg(SP_MSG_PONG));
	ck_status(sp_decode(letter.desc, letter.body, &got, NULL), SP_OK);
	ck_assert(sp_span_eq(got.name, pong.name));
	ck_assert(sp_hash_eq(&got.cert, &pong.cert));
}
END_TEST

/* Padding hides which question is asked and makes room for the answer; who reads the message does not see it. */
START_TEST(a_padded_letter_reads_the_same)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, text = { 0 };
	struct sp_msg_pong got;
	struct sp_letter letter;
	size_t plain;

	setup(&out);
	plain = out.len;
	for (size_t to = plain - 1; to <= plain + 800; to += to < plain + 8 ? 1 : 99) {
		sp_buf_clear(&out);
		head.pad_to = to;
		ck_status(sp_letter_seal(&alice, &bob_key, &head, sp_desc_msg(SP_MSG_PONG), &pong, &out, NULL),
		    SP_OK);
		ck_assert_uint_eq(out.len, to <= plain ? plain : to < plain + 6 ? plain + 6 : to);
		ck_status(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter), SP_OK);
		ck_status(sp_decode(letter.desc, letter.body, &got, NULL), SP_OK);
		ck_assert(sp_span_eq(got.name, pong.name));
	}
}
END_TEST

START_TEST(nothing_of_the_message_travels_in_clear)
{
	SP_AUTO_DONE(sp_buf) one = { 0 }, two = { 0 };

	setup(&one);
	ck_assert_ptr_null(memmem(one.data, one.len, name, sizeof(name) - 1));
	ck_assert_ptr_null(memmem(one.data, one.len, head.id.b, 16));
	ck_status(sp_letter_seal(&alice, &bob_key, &head, sp_desc_msg(SP_MSG_PONG), &pong, &two, NULL), SP_OK);
	ck_assert_mem_ne(one.data + SP_LETTER_HEAD, two.data + SP_LETTER_HEAD, 32);
}
END_TEST

START_TEST(a_letter_with_any_bit_changed_is_refused)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, text = { 0 };
	struct sp_letter letter;

	setup(&out);
	for (size_t bit = 0; bit < (out.len - 16) * 8; bit++) {	/* mac2 is no part of it */
		out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(sp_letter_check(sp_buf_span(&out), &bob_key) != SP_OK, "bit %zu", bit);
		/* without its macs, too */
		if (bit / 8 < out.len - SP_LETTER_MACS)
			ck_assert_msg(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter) != SP_OK, "bit %zu",
			    bit);
		out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_status(sp_letter_check(sp_buf_span(&out), &bob_key), SP_OK);
}
END_TEST

START_TEST(a_letter_cut_or_grown_is_refused)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, text = { 0 };
	struct sp_letter_envelope env;
	struct sp_letter letter;
	size_t whole;

	setup(&out);
	whole = out.len;
	for (size_t n = 0; n < whole; n++) {
		ck_assert(sp_letter_check(sp_span(out.data, n), &bob_key) != SP_OK);
		ck_assert(sp_letter_open(&bob, sp_span(out.data, n), &text, &letter) != SP_OK);
	}
	sp_buf_add_u8(&out, 0);
	ck_assert(sp_letter_check(sp_buf_span(&out), &bob_key) != SP_OK);
	ck_assert(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter) != SP_OK);
	sp_buf_reserve(&out, SP_LETTER_MAX);
	ck_status(sp_letter_peek(sp_span(out.data, SP_LETTER_MAX + 1), SP_LETTER_MAX, &env), SP_E_LONG);
	ck_status(sp_letter_peek(sp_span(out.data, SP_LETTER_MAX + 1), SP_LETTER_TCP_MAX, &env), SP_OK);
	ck_status(sp_letter_peek(sp_span(out.data, SP_LETTER_TCP_MAX + 1), SIZE_MAX, &env), SP_E_LONG);
}
END_TEST

START_TEST(versions_and_kinds_that_are_not_known_are_refused)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_letter_envelope env;

	setup(&out);
	out.data[0] = 2;
	ck_status(sp_letter_peek(sp_buf_span(&out), SP_LETTER_MAX, &env), SP_E_VERSION);
	out.data[0] = SP_LETTER_VERSION;
	for (unsigned kind = 0; kind < 256; kind++) {
		out.data[1] = (uint8_t)kind;
		ck_status(sp_letter_peek(sp_buf_span(&out), SP_LETTER_MAX, &env),
		    kind == SP_LETTER_SEALED ? SP_OK : SP_E_UNKNOWN);
	}
}
END_TEST

START_TEST(only_the_receiver_opens_it)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, text = { 0 };
	struct sp_letter letter;

	setup(&out);
	ck_status(sp_letter_check(sp_buf_span(&out), &carol_key), SP_E_IDENTITY);
	ck_status(sp_letter_open(&carol, sp_buf_span(&out), &text, &letter), SP_E_SEAL);
	ck_assert_uint_eq(text.len, 0);
}
END_TEST

START_TEST(nobody_writes_in_anothers_name)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, text = { 0 };
	struct sp_x25519_pair forger = carol;
	struct sp_letter letter;

	setup(&out);
	/* carol's secret, alice's public key in the envelope: what the envelope says is proved by the seal */
	forger = carol;
	memcpy(forger.public_key, alice.public_key, SP_X25519);
	sp_buf_clear(&out);
	ck_status(sp_letter_seal(&forger, &bob_key, &head, sp_desc_msg(SP_MSG_PONG), &pong, &out, NULL), SP_OK);
	ck_status(sp_letter_check(sp_buf_span(&out), &bob_key), SP_OK);
	ck_status(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter), SP_E_SEAL);
	/* carol's letter with alice's key put in */
	sp_buf_clear(&out);
	ck_status(sp_letter_seal(&carol, &bob_key, &head, sp_desc_msg(SP_MSG_PONG), &pong, &out, NULL), SP_OK);
	memcpy(out.data + 10, alice.public_key, SP_X25519);
	ck_status(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter), SP_E_SEAL);
}
END_TEST

/* Seals this text as the inside of a letter to bob. */
static void
seal_raw(const uint8_t *text, size_t n, struct sp_buf *out)
{
	uint8_t *p;

	sp_buf_clear(out);
	p = sp_buf_reserve(out, SP_LETTER_HEAD + n + SP_HPKE_TAG + SP_LETTER_MACS);
	memset(p, 0, out->len);
	p[0] = SP_LETTER_VERSION;
	p[1] = SP_LETTER_SEALED;
	memcpy(p + 2, bob_key.id, 8);
	memcpy(p + 10, alice.public_key, SP_X25519);
	ck_status(sp_hpke_seal(&alice, bob.public_key, sp_span_str("sealpost letter 1"), sp_span(p, SP_LETTER_HEAD),
	    sp_span(text, n), p + 42, p + SP_LETTER_HEAD), SP_OK);
}

START_TEST(the_inside_is_read_as_written)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, text = { 0 };
	uint8_t inside[SP_LETTER_INNER + 1] = { 7 };
	struct sp_letter letter;

	setup(&out);
	inside[41] = SP_MSG_PING;
	seal_raw(inside, SP_LETTER_INNER, &out);
	ck_status(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter), SP_OK);
	ck_assert_ptr_eq(letter.desc, sp_desc_msg(SP_MSG_PING));
	ck_assert(sp_id_is_zero(&letter.head.answers));
	/* types that are none, or no letters: handed out without a row */
	inside[40] = 0x01;
	inside[41] = 0x14;
	seal_raw(inside, SP_LETTER_INNER, &out);
	ck_status(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter), SP_OK);
	ck_assert_uint_eq(letter.type, SP_MSG_LOOKUP);
	ck_assert_ptr_null(letter.desc);
	inside[40] = 0xff;
	seal_raw(inside, SP_LETTER_INNER, &out);
	ck_status(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter), SP_OK);
	ck_assert_ptr_null(letter.desc);
	/* no id; too short */
	inside[0] = 0;
	seal_raw(inside, SP_LETTER_INNER, &out);
	ck_status(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter), SP_E_FORMAT);
	seal_raw(inside, SP_LETTER_INNER - 1, &out);
	ck_status(sp_letter_open(&bob, sp_buf_span(&out), &text, &letter), SP_E_SHORT);
}
END_TEST

START_TEST(every_letter_at_its_bounds_fits_a_datagram)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	unsigned letters = 0;

	setup(&out);
	for_each_row(desc) {
		SP_AUTO_MEM uint8_t *msg = malloc(desc->size);
		SP_AUTO_DONE(sp_buf) bytes = { 0 };
		struct sample sample;
		struct sp_why why = { "" };
		bool tcp = strstr(desc->text, "TCP form") != NULL;

		if (desc->transport != SP_TRANSPORT_LETTER)
			continue;
		letters++;
		sample_init(&sample, desc, SAMPLE_HIGH);
		sample_bytes(&sample, &bytes);
		ck_status(sp_decode(desc, sp_buf_span(&bytes), msg, NULL), SP_OK);
		sp_buf_clear(&out);
		ck_assert_msg(sp_letter_seal(&alice, &bob_key, &head, desc, msg, &out, &why) == SP_OK, "%s: %s",
		    desc->name, why.text);
		ck_assert_msg((out.len <= SP_LETTER_MAX) != tcp, "%s: %zu bytes at its bounds", desc->name, out.len);
		sample_done(&sample);
	}
	ck_assert_uint_ge(letters, 15);
}
END_TEST

START_TEST(statements_fit_the_letters_that_carry_them)
{
	static const struct { unsigned purpose; size_t max; } carried[] = {
		{ SP_STMT_OFFER, 700 }, { SP_STMT_ACCEPT, 600 }, { SP_STMT_REFUSE, 200 }, { SP_STMT_FRANK, 400 },
		{ SP_STMT_DONE, 200 }, { SP_STMT_CANCEL, 200 }, { SP_STMT_SHEET, 800 }, { SP_STMT_DENIAL, 800 },
		{ SP_STMT_OPEN, 300 }, { SP_STMT_TRAILER, 300 }, { SP_STMT_TARIFF, 400 },
	};

	for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		const struct sp_desc *desc = sp_desc_statement(carried[i].purpose);

		ck_assert_msg(8 + sp_desc_max(desc) - SP_FRAME_SLACK <= carried[i].max, "%s: %zu bytes at its bounds",
		    desc->name, 8 + sp_desc_max(desc) - SP_FRAME_SLACK);
	}
}
END_TEST

START_TEST(the_length_over_tcp_is_bounded)
{
	static const struct { uint32_t n; enum sp_status st; } cases[] = {
		{ 0, SP_E_SHORT }, { SP_LETTER_OVER - 1, SP_E_SHORT }, { SP_LETTER_OVER, SP_OK },
		{ SP_LETTER_TCP_MAX, SP_OK }, { SP_LETTER_TCP_MAX + 1, SP_E_LONG }, { UINT32_MAX, SP_E_LONG },
	};
	uint8_t four[SP_LETTER_TCP_HEAD];
	size_t n;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sp_letter_tcp_head(cases[i].n, four);
		n = 0;
		ck_status(sp_letter_tcp_length(four, &n), cases[i].st);
		ck_assert_uint_eq(n, cases[i].st == SP_OK ? cases[i].n : 0);
	}
}
END_TEST

START_TEST(what_is_no_letter_is_not_sealed)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_msg_lookup lookup = { .name = pong.name };
	struct sp_msg_pong bad = pong;
	struct sp_letter_key zero;
	size_t before;

	setup(&out);
	before = out.len;
	ck_status(sp_letter_seal(&alice, &bob_key, &head, sp_desc_msg(SP_MSG_LOOKUP), &lookup, &out, NULL),
	    SP_E_ARGUMENT);
	bad.name.n = 0;
	ck_status(sp_letter_seal(&alice, &bob_key, &head, sp_desc_msg(SP_MSG_PONG), &bad, &out, NULL), SP_E_MISSING);
	/* a receiver's key of low order: the agreement would be all zeroes */
	sp_letter_key_init(&zero, (const uint8_t[SP_X25519]){ 0 });
	ck_status(sp_letter_seal(&alice, &zero, &head, sp_desc_msg(SP_MSG_PONG), &pong, &out, NULL), SP_E_SEAL);
	ck_assert_uint_eq(out.len, before);
}
END_TEST

UNIT_MAIN("wire/letter", a_letter_comes_back_as_it_went,
    a_padded_letter_reads_the_same, nothing_of_the_message_travels_in_clear,
    a_letter_with_any_bit_changed_is_refused, a_letter_cut_or_grown_is_refused,
    versions_and_kinds_that_are_not_known_are_refused, only_the_receiver_opens_it, nobody_writes_in_anothers_name,
    the_inside_is_read_as_written, every_letter_at_its_bounds_fits_a_datagram,
    statements_fit_the_letters_that_carry_them, the_length_over_tcp_is_bounded, what_is_no_letter_is_not_sealed)
