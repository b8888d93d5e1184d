/*
 * wire_channel_test.c - the data channel: keys from both sides, records in order, and everything else refused.
 */
#include "common/crypto/hash.h"
#include "common/crypto/rand.h"
#include "common/wire/channel.h"
#include "tests/unit/crypto_hex.h"
#include "tests/unit/unit.h"

struct pair {
	struct sp_channel_terms terms;
	struct sp_x25519_pair one_time;
	uint8_t opening[SP_CHANNEL_OPENING], reply[SP_CHANNEL_REPLY], confirm[SP_CHANNEL_CONFIRM];
	struct sp_channel *sender, *recipient;
};

static void
make_terms(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	ck_status(sp_x25519_new(&p->one_time), SP_OK);
	sp_random(&p->terms, sizeof(p->terms));
	memcpy(p->terms.recipient_key, p->one_time.public_key, SP_X25519);
	p->terms.number = 1;
}

/* As far as the confirmation. */
static void
shake(struct pair *p)
{
	make_terms(p);
	ck_status(sp_channel_sender_begin(&p->terms, p->opening, &p->sender), SP_OK);
	ck_status(sp_channel_recipient_accept(&p->terms, &p->one_time, p->opening, p->reply, &p->recipient), SP_OK);
	ck_status(sp_channel_sender_confirm(p->sender, p->reply, p->confirm), SP_OK);
	ck_status(sp_channel_recipient_confirm(p->recipient, p->confirm), SP_OK);
}

static void
pair_done(struct pair *p)
{
	sp_channel_free(p->sender);
	sp_channel_free(p->recipient);
}

/* A record DATA_OPEN; what it states is the statement's affair. */
static void
seal_open(struct sp_channel *ch, struct sp_buf *out)
{
	struct sp_msg_data_open m = { .statement = sp_span("statement", 9), .signature = sp_span(
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64) };

	ck_status(sp_channel_seal(ch, sp_desc_msg(SP_MSG_DATA_OPEN), &m, out, NULL), SP_OK);
}

/* Both sides ready for data. */
static void
ready(struct pair *p)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_record record;

	shake(p);
	seal_open(p->sender, &out);
	ck_status(sp_channel_open(p->recipient, out.data, out.len, &record), SP_OK);
	ck_assert_uint_eq(record.type, SP_MSG_DATA_OPEN);
	ck_status(sp_channel_admit(p->recipient), SP_OK);
}

/* Appends a TAR record with these bytes. */
static void
seal_tar(struct sp_channel *ch, uint64_t offset, const char *bytes, struct sp_buf *out)
{
	size_t n = strlen(bytes);
	uint8_t *record = sp_buf_reserve(out, n + SP_RECORD_RAW_OVER);

	memcpy(sp_record_raw_place(record), bytes, n);
	ck_status(sp_channel_seal_raw(ch, SP_RECORD_TAR, offset, record, n), SP_OK);
}

START_TEST(both_sides_talk)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, back = { 0 };
	struct sp_msg_data_checkpoint held = { .held = 77 }, got;
	struct sp_record record;
	struct pair p;
	size_t n, at = 0;

	ready(&p);
	seal_tar(p.sender, 512, "hello", &out);
	seal_tar(p.sender, 517, "world!", &out);
	ck_status(sp_record_bytes(out.data, &n), SP_OK);
	ck_assert_uint_eq(n, 5 + SP_RECORD_RAW_OVER);
	ck_assert_ptr_null(memmem(out.data, out.len, "hello", 5));
	ck_status(sp_channel_open(p.recipient, out.data, n, &record), SP_OK);
	ck_assert_uint_eq(record.type, SP_RECORD_TAR);
	ck_assert_uint_eq(record.offset, 512);
	ck_assert(sp_span_eq(record.body, sp_span_str("hello")));
	ck_assert_ptr_null(record.desc);
	at = n;
	ck_status(sp_record_bytes(out.data + at, &n), SP_OK);
	ck_status(sp_channel_open(p.recipient, out.data + at, n, &record), SP_OK);
	ck_assert_uint_eq(record.offset, 517);
	ck_assert(sp_span_eq(record.body, sp_span_str("world!")));

	ck_status(sp_channel_seal(p.recipient, sp_desc_msg(SP_MSG_DATA_CHECKPOINT), &held, &back, NULL), SP_OK);
	ck_status(sp_channel_open(p.sender, back.data, back.len, &record), SP_OK);
	ck_assert_ptr_eq(record.desc, sp_desc_msg(SP_MSG_DATA_CHECKPOINT));
	ck_status(sp_decode(record.desc, record.body, &got, NULL), SP_OK);
	ck_assert_uint_eq(got.held, 77);
	pair_done(&p);
}
END_TEST

START_TEST(the_largest_record_passes)
{
	SP_AUTO_MEM uint8_t *record = calloc(1, SP_RECORD_BYTES_MAX);
	struct sp_record got;
	struct pair p;
	size_t n = 0;

	ready(&p);
	memset(sp_record_raw_place(record), 'x', SP_RECORD_DATA);
	ck_status(sp_channel_seal_raw(p.sender, SP_RECORD_PRINTS, 1ull << 50, record, SP_RECORD_DATA), SP_OK);
	ck_status(sp_record_bytes(record, &n), SP_OK);
	ck_assert_uint_eq(n, SP_RECORD_DATA + SP_RECORD_RAW_OVER);
	ck_status(sp_channel_open(p.recipient, record, n, &got), SP_OK);
	ck_assert_uint_eq(got.type, SP_RECORD_PRINTS);
	ck_assert_uint_eq(got.body.n, SP_RECORD_DATA);
	ck_assert_uint_eq(got.body.p[SP_RECORD_DATA - 1], 'x');
	ck_status(sp_channel_seal_raw(p.sender, SP_RECORD_TAR, 0, record, SP_RECORD_DATA + 1), SP_E_ARGUMENT);
	ck_status(sp_channel_seal_raw(p.sender, SP_RECORD_TAR, 0, record, 0), SP_E_ARGUMENT);
	ck_status(sp_channel_seal_raw(p.sender, SP_MSG_DATA_END, 0, record, 1), SP_E_ARGUMENT);
	ck_status(sp_channel_seal_raw(p.sender, SP_RECORD_TAR, UINT64_MAX, record, 1), SP_E_RANGE);
	pair_done(&p);
}
END_TEST

START_TEST(facts_are_the_same_on_both_sides)
{
	struct sp_channel_facts a, b;
	struct pair p;

	shake(&p);
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	sp_channel_get_facts(p.sender, &a);
	sp_channel_get_facts(p.recipient, &b);
	ck_assert_mem_eq(&a, &b, sizeof(a));
	ck_assert(sp_hash_eq(&a.accept, &p.terms.accept));
	ck_assert_mem_eq(a.nonce, p.reply, 32);
	ck_assert_mem_eq(a.sender_key, p.opening + 21, 32);
	pair_done(&p);
}
END_TEST

START_TEST(a_changed_opening_is_refused)
{
	for (size_t bit = 0; bit < SP_CHANNEL_OPENING * 8; bit++) {
		struct pair p;
		enum sp_status st;

		make_terms(&p);
		ck_status(sp_channel_sender_begin(&p.terms, p.opening, &p.sender), SP_OK);
		p.opening[bit / 8] ^= (uint8_t)(1 << bit % 8);
		st = sp_channel_recipient_accept(&p.terms, &p.one_time, p.opening, p.reply, &p.recipient);
		if (bit < 8 * 21)
			ck_assert_msg(st == SP_E_FORMAT || st == SP_E_MISMATCH || st == SP_E_RANGE, "bit %zu: %s",
			    bit,
			    sp_status_name(st));
		else if (st == SP_OK)	/* another key: the sender sees that the reply is not for its own */
			ck_status(sp_channel_sender_confirm(p.sender, p.reply, p.confirm), SP_E_SEAL);
		pair_done(&p);
	}
}
END_TEST

START_TEST(a_changed_reply_is_refused)
{
	for (size_t bit = 0; bit < SP_CHANNEL_REPLY * 8; bit++) {
		struct pair p;

		make_terms(&p);
		ck_status(sp_channel_sender_begin(&p.terms, p.opening, &p.sender), SP_OK);
		ck_status(sp_channel_recipient_accept(&p.terms, &p.one_time, p.opening, p.reply, &p.recipient),
		    SP_OK);
		p.reply[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_status(sp_channel_sender_confirm(p.sender, p.reply, p.confirm), SP_E_SEAL);
		/* and it is dead */
		ck_status(sp_channel_sender_confirm(p.sender, p.reply, p.confirm), SP_E_STATE);
		pair_done(&p);
	}
}
END_TEST

START_TEST(a_changed_confirmation_is_refused)
{
	struct pair p;

	make_terms(&p);
	ck_status(sp_channel_sender_begin(&p.terms, p.opening, &p.sender), SP_OK);
	ck_status(sp_channel_recipient_accept(&p.terms, &p.one_time, p.opening, p.reply, &p.recipient), SP_OK);
	ck_status(sp_channel_sender_confirm(p.sender, p.reply, p.confirm), SP_OK);
	p.confirm[31] ^= 1;
	ck_status(sp_channel_recipient_confirm(p.recipient, p.confirm), SP_E_SEAL);
	p.confirm[31] ^= 1;
	ck_status(sp_channel_recipient_confirm(p.recipient, p.confirm), SP_E_STATE);
	pair_done(&p);
}
END_TEST

/* Everything that goes into the keys: one side knows it differently. */
START_TEST(all_terms_are_in_the_keys)
{
	static const size_t at[] = { offsetof(struct sp_channel_terms, offer), offsetof(struct sp_channel_terms,
	    accept) + 20,
		offsetof(struct sp_channel_terms, token) };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct pair p;

		make_terms(&p);
		ck_status(sp_channel_sender_begin(&p.terms, p.opening, &p.sender), SP_OK);
		((uint8_t *)&p.terms)[at[i]] ^= 1;
		ck_status(sp_channel_recipient_accept(&p.terms, &p.one_time, p.opening, p.reply, &p.recipient),
		    SP_OK);
		ck_status(sp_channel_sender_confirm(p.sender, p.reply, p.confirm), SP_E_SEAL);
		pair_done(&p);
	}
}
END_TEST

START_TEST(a_recorded_opening_cannot_be_played_again)
{
	struct pair p, again;

	shake(&p);
	again = p;
	again.sender = NULL;
	again.recipient = NULL;
	ck_status(sp_channel_recipient_accept(&p.terms, &p.one_time, p.opening, again.reply, &again.recipient),
	    SP_OK);
	ck_assert_mem_ne(p.reply, again.reply, 32);
	ck_status(sp_channel_recipient_confirm(again.recipient, p.confirm), SP_E_SEAL);
	pair_done(&p);
	pair_done(&again);
}
END_TEST

START_TEST(keys_of_low_order_are_refused)
{
	static const char *const points[] = { LOW_ORDER_POINTS };
	struct pair p;

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		make_terms(&p);
		ck_status(sp_channel_sender_begin(&p.terms, p.opening, &p.sender), SP_OK);
		unhex(points[i], p.opening + 21);
		ck_status(sp_channel_recipient_accept(&p.terms, &p.one_time, p.opening, p.reply, &p.recipient),
		    SP_E_SEAL);
		sp_channel_free(p.sender);
		/* and the other way round */
		unhex(points[i], p.terms.recipient_key);
		ck_status(sp_channel_sender_begin(&p.terms, p.opening, &p.sender), SP_OK);
		ck_status(sp_channel_sender_confirm(p.sender, p.reply, p.confirm), SP_E_SEAL);
		pair_done(&p);
	}
}
END_TEST

START_TEST(another_pair_than_the_terms_say_is_refused)
{
	struct sp_x25519_pair other;
	struct pair p;

	make_terms(&p);
	ck_status(sp_x25519_new(&other), SP_OK);
	ck_status(sp_channel_sender_begin(&p.terms, p.opening, &p.sender), SP_OK);
	ck_status(sp_channel_recipient_accept(&p.terms, &other, p.opening, p.reply, &p.recipient), SP_E_MISMATCH);
	p.terms.number = 2;
	ck_status(sp_channel_recipient_accept(&p.terms, &p.one_time, p.opening, p.reply, &p.recipient),
	    SP_E_MISMATCH);
	p.terms.number = 0;
	sp_channel_free(p.sender);
	p.sender = NULL;
	ck_status(sp_channel_sender_begin(&p.terms, p.opening, &p.sender), SP_E_ARGUMENT);
	pair_done(&p);
}
END_TEST

START_TEST(a_record_with_any_bit_changed_is_refused)
{
	for (size_t bit = 0; bit < (5 + SP_RECORD_RAW_OVER) * 8; bit++) {
		SP_AUTO_DONE(sp_buf) out = { 0 };
		struct sp_record record;
		struct pair p;

		ready(&p);
		seal_tar(p.sender, 0, "hello", &out);
		out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(sp_channel_open(p.recipient, out.data, out.len, &record) != SP_OK, "bit %zu", bit);
		ck_status(sp_channel_open(p.recipient, out.data, out.len, &record), SP_E_STATE);
		pair_done(&p);
	}
}
END_TEST

/* Three records; the order in which they are opened. */
static enum sp_status
open_order(const int *order, size_t count)
{
	struct sp_buf out[3] = { { 0 }, { 0 }, { 0 } };
	enum sp_status st = SP_OK;
	struct pair p;

	ready(&p);
	for (int i = 0; i < 3; i++)
		seal_tar(p.sender, (uint64_t)i, "x", &out[i]);
	for (size_t i = 0; i < count && st == SP_OK; i++) {
		SP_AUTO_DONE(sp_buf) copy = { 0 };
		struct sp_record record;

		sp_buf_add_span(&copy, sp_buf_span(&out[order[i]]));
		st = sp_channel_open(p.recipient, copy.data, copy.len, &record);
	}
	for (int i = 0; i < 3; i++)
		sp_buf_done(&out[i]);
	pair_done(&p);
	return st;
}

START_TEST(records_replayed_reordered_or_left_out_are_refused)
{
	ck_status(open_order((const int[]){ 0, 1, 2 }, 3), SP_OK);
	ck_status(open_order((const int[]){ 0, 0 }, 2), SP_E_SEAL);
	ck_status(open_order((const int[]){ 1 }, 1), SP_E_SEAL);
	ck_status(open_order((const int[]){ 0, 2 }, 2), SP_E_SEAL);
}
END_TEST

START_TEST(own_records_are_not_taken_back)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_msg_data_abort m = { .reason = SP_E_CANCELLED };
	struct sp_record record;
	struct pair p;

	ready(&p);
	ck_status(sp_channel_seal(p.sender, sp_desc_msg(SP_MSG_DATA_ABORT), &m, &out, NULL), SP_OK);
	ck_status(sp_channel_open(p.sender, out.data, out.len, &record), SP_E_SEAL);
	pair_done(&p);
}
END_TEST

START_TEST(lengths_out_of_bounds_are_refused)
{
	static const struct { uint32_t n; enum sp_status st; } cases[] = {
		{ 0, SP_E_SHORT }, { 16, SP_E_SHORT }, { 17, SP_OK }, { SP_RECORD_MAX + 16, SP_OK },
		{ SP_RECORD_MAX + 17, SP_E_LONG }, { UINT32_MAX, SP_E_LONG },
	};
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_record record;
	struct pair p;
	size_t n;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sp_buf_clear(&out);
		sp_buf_add_u32(&out, cases[i].n);
		ck_status(sp_record_bytes(out.data, &n), cases[i].st);
	}
	ready(&p);
	sp_buf_clear(&out);
	seal_tar(p.sender, 0, "hello", &out);
	ck_status(sp_channel_open(p.recipient, out.data, out.len - 1, &record), SP_E_SHORT);
	pair_done(&p);
	ready(&p);
	ck_status(sp_channel_open(p.recipient, out.data, 3, &record), SP_E_SHORT);
	pair_done(&p);
}
END_TEST

START_TEST(nothing_counts_before_its_time)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, open = { 0 }, scratch = { 0 };
	struct sp_msg_data_checkpoint held = { .held = 1 };
	struct sp_msg_data_end end = { 0 };
	uint8_t record[1 + SP_RECORD_RAW_OVER];
	struct sp_record got;
	struct pair p;

	make_terms(&p);
	ck_status(sp_channel_sender_begin(&p.terms, p.opening, &p.sender), SP_OK);
	ck_status(sp_channel_seal_raw(p.sender, SP_RECORD_TAR, 0, record, 1), SP_E_STATE);
	ck_status(sp_channel_open(p.sender, record, sizeof(record), &got), SP_E_STATE);
	ck_status(sp_channel_recipient_accept(&p.terms, &p.one_time, p.opening, p.reply, &p.recipient), SP_OK);
	ck_status(sp_channel_open(p.recipient, record, sizeof(record), &got), SP_E_STATE);
	ck_status(sp_channel_sender_confirm(p.sender, p.reply, p.confirm), SP_OK);
	/* the sender's first record is DATA_OPEN and nothing else */
	ck_status(sp_channel_seal_raw(p.sender, SP_RECORD_TAR, 0, record, 1), SP_E_STATE);
	ck_status(sp_channel_seal(p.sender, sp_desc_msg(SP_MSG_DATA_END), &end, &out, NULL), SP_E_STATE);
	seal_open(p.sender, &open);
	seal_tar(p.sender, 0, "x", &out);
	/* not before the confirmation, and no second one before the first is admitted */
	ck_status(sp_channel_open(p.recipient, open.data, open.len, &got), SP_E_STATE);
	ck_status(sp_channel_recipient_confirm(p.recipient, p.confirm), SP_OK);
	ck_status(sp_channel_admit(p.recipient), SP_E_STATE);
	ck_status(sp_channel_open(p.recipient, open.data, open.len, &got), SP_OK);
	ck_status(sp_channel_open(p.recipient, out.data, out.len, &got), SP_E_STATE);
	ck_status(sp_channel_seal(p.recipient, sp_desc_msg(SP_MSG_DATA_CHECKPOINT), &held, &scratch, NULL),
	    SP_E_STATE);
	ck_status(sp_channel_admit(p.recipient), SP_OK);
	ck_status(sp_channel_open(p.recipient, out.data, out.len, &got), SP_OK);
	ck_status(sp_channel_seal(p.recipient, sp_desc_msg(SP_MSG_DATA_CHECKPOINT), &held, &scratch, NULL), SP_OK);
	/* each side has its own types */
	ck_status(sp_channel_seal_raw(p.recipient, SP_RECORD_TAR, 0, record, 1), SP_E_STATE);
	ck_status(sp_channel_seal(p.sender, sp_desc_msg(SP_MSG_DATA_CHECKPOINT), &held, &scratch, NULL), SP_E_STATE);
	pair_done(&p);
}
END_TEST

/* The other side of a channel, played by hand from docs/protocol.md: it holds the keys and seals what it likes. */
struct hostile {
	struct pair p;
	struct sp_x25519_pair own;
	struct sp_aead *seal;
	uint64_t counter;
};

/* Keys and MACs as seen from whoever holds secret. */
static void
derive_by_hand(struct hostile *h, const uint8_t secret[32], const uint8_t other[32], uint8_t keys[128],
    uint8_t macs[2][32])
{
	SP_AUTO_DONE(sp_buf) ikm = { 0 }, info = { 0 }, said = { 0 };
	uint8_t shared[32];

	ck_status(sp_x25519(secret, other, shared), SP_OK);
	sp_buf_add(&ikm, shared, 32);
	sp_buf_add(&ikm, h->p.terms.token, 32);
	sp_buf_add_text(&info, "sealpost data 1");
	sp_buf_add(&info, h->p.terms.offer.b, 32);
	sp_buf_add(&info, h->p.terms.accept.b, 32);
	sp_buf_add(&info, h->p.opening + 21, 32);
	sp_buf_add(&info, h->p.terms.recipient_key, 32);
	sp_buf_add_u8(&info, h->p.terms.number);
	sp_buf_add(&info, h->p.reply, 32);
	sp_hkdf(sp_span(NULL, 0), sp_buf_span(&ikm), sp_buf_span(&info), keys, 128);
	sp_buf_add(&said, h->p.opening, SP_CHANNEL_OPENING);
	sp_buf_add(&said, h->p.reply, 32);
	sp_hmac(sp_span(keys + 64, 32), sp_buf_span(&said), macs[0]);
	sp_hmac(sp_span(keys + 96, 32), sp_buf_span(&said), macs[1]);
}

/* A recipient by hand, against our sender. */
static void
hostile_recipient(struct hostile *h)
{
	uint8_t keys[128], macs[2][32];

	memset(h, 0, sizeof(*h));
	make_terms(&h->p);
	ck_status(sp_channel_sender_begin(&h->p.terms, h->p.opening, &h->p.sender), SP_OK);
	sp_random(h->p.reply, 32);
	derive_by_hand(h, h->p.one_time.secret, h->p.opening + 21, keys, macs);
	memcpy(h->p.reply + 32, macs[0], 32);
	ck_status(sp_channel_sender_confirm(h->p.sender, h->p.reply, h->p.confirm), SP_OK);
	ck_assert_mem_eq(h->p.confirm, macs[1], 32);
	h->seal = sp_aead_new(keys + 32, true);
}

/* A sender by hand, against our recipient. */
static void
hostile_sender(struct hostile *h)
{
	uint8_t keys[128], macs[2][32];

	memset(h, 0, sizeof(*h));
	make_terms(&h->p);
	ck_status(sp_x25519_new(&h->own), SP_OK);
	memcpy(h->p.opening, "SPD1", 4);
	memcpy(h->p.opening + 4, h->p.terms.accept.b, 16);
	h->p.opening[20] = 1;
	memcpy(h->p.opening + 21, h->own.public_key, 32);
	ck_status(sp_channel_recipient_accept(&h->p.terms, &h->p.one_time, h->p.opening, h->p.reply, &h->p.recipient),
	    SP_OK);
	derive_by_hand(h, h->own.secret, h->p.terms.recipient_key, keys, macs);
	ck_assert_mem_eq(h->p.reply + 32, macs[0], 32);
	ck_status(sp_channel_recipient_confirm(h->p.recipient, macs[1]), SP_OK);
	h->seal = sp_aead_new(keys, true);
}

static void
hostile_done(struct hostile *h)
{
	pair_done(&h->p);
	sp_aead_free(h->seal);
}

/* What the honest side says to a record of this type, offset (raw types) and n bytes more. */
static enum sp_status
told(struct hostile *h, uint8_t type, bool raw, uint64_t offset, size_t n)
{
	SP_AUTO_DONE(sp_buf) text = { 0 }, record = { 0 };
	uint8_t nonce[SP_AEAD_NONCE];
	struct sp_record got;

	sp_buf_add_u8(&text, type);
	if (raw)
		sp_buf_add_u64(&text, offset);
	if (n > 0)
		memset(sp_buf_reserve(&text, n), 0, n);
	sp_buf_add_u32(&record, (uint32_t)text.len + SP_AEAD_TAG);
	sp_buf_reserve(&record, text.len + SP_AEAD_TAG);
	sp_aead_counter_nonce(h->counter++, nonce);
	ck_status(sp_aead_seal(h->seal, nonce, sp_span(record.data, 4), text.data, text.len, record.data + 4), SP_OK);
	return sp_channel_open(h->p.sender != NULL ? h->p.sender : h->p.recipient, record.data, record.len, &got);
}

START_TEST(a_side_that_holds_the_keys_still_has_its_own_types)
{
	for (unsigned type = 0; type < 256; type++) {
		bool raw = type == SP_RECORD_TAR || type == SP_RECORD_PRINTS || type == SP_RECORD_FRAME;
		SP_AUTO_DONE(sp_buf) out = { 0 };
		struct hostile h;

		/* a sender's first record; and its second */
		hostile_sender(&h);
		ck_status(told(&h, (uint8_t)type, raw, 0, 1), type == SP_MSG_DATA_OPEN ? SP_OK : SP_E_UNKNOWN);
		hostile_done(&h);
		hostile_sender(&h);
		ck_status(told(&h, SP_MSG_DATA_OPEN, false, 0, 1), SP_OK);
		ck_status(sp_channel_admit(h.p.recipient), SP_OK);
		ck_status(told(&h, (uint8_t)type, raw, 0, 1), raw || type == SP_MSG_DATA_TRAILER ||
		    type == SP_MSG_DATA_ABORT || type == SP_MSG_DATA_END ? SP_OK : SP_E_UNKNOWN);
		hostile_done(&h);
		/* a recipient's */
		hostile_recipient(&h);
		seal_open(h.p.sender, &out);
		ck_status(told(&h, (uint8_t)type, raw, 0, 1), type == SP_MSG_DATA_CHECKPOINT ||
		    type == SP_MSG_DATA_ABORT || type == SP_MSG_DATA_END ? SP_OK : SP_E_UNKNOWN);
		hostile_done(&h);
	}
}
END_TEST

START_TEST(raw_records_out_of_bounds_are_refused)
{
	static const struct { bool raw; uint64_t offset; size_t n; enum sp_status st; } cases[] = {
		{ true, 0, 1, SP_OK }, { true, 0, 0, SP_E_FORMAT }, { false, 0, 7, SP_E_SHORT }, { false, 0, 0,
		SP_E_SHORT },
		{ true, 0, SP_RECORD_DATA, SP_OK }, { true, 0, SP_RECORD_DATA + 1, SP_E_LONG },
		{ true, UINT64_MAX, 1, SP_E_RANGE }, { true, UINT64_MAX - 1, 1, SP_OK }, { true, UINT64_MAX - 1, 2,
		SP_E_RANGE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hostile h;

		hostile_sender(&h);
		ck_status(told(&h, SP_MSG_DATA_OPEN, false, 0, 1), SP_OK);
		ck_status(sp_channel_admit(h.p.recipient), SP_OK);
		ck_status(told(&h, SP_RECORD_TAR, cases[i].raw, cases[i].offset, cases[i].n), cases[i].st);
		ck_status(told(&h, SP_MSG_DATA_END, false, 0, 0), cases[i].st == SP_OK ? SP_OK : SP_E_STATE);
		hostile_done(&h);
	}
}
END_TEST

UNIT_MAIN("wire/channel", both_sides_talk, the_largest_record_passes, facts_are_the_same_on_both_sides,
    a_changed_opening_is_refused, a_changed_reply_is_refused, a_changed_confirmation_is_refused,
    all_terms_are_in_the_keys, a_recorded_opening_cannot_be_played_again, keys_of_low_order_are_refused,
    another_pair_than_the_terms_say_is_refused, a_record_with_any_bit_changed_is_refused,
    records_replayed_reordered_or_left_out_are_refused, own_records_are_not_taken_back,
    lengths_out_of_bounds_are_refused, nothing_counts_before_its_time,
    a_side_that_holds_the_keys_still_has_its_own_types, raw_records_out_of_bounds_are_refused)
