/*
 * statements_open_test.c - OPEN vouches for one connection only.
 */
#include "common/statements/open.h"
#include "tests/unit/statements_people.h"

struct connection {
	struct sp_channel_terms terms;
	struct sp_x25519_pair one_time;
	struct sp_channel *sender, *recipient;
};

static void
connect_both(struct connection *c)
{
	uint8_t opening[SP_CHANNEL_OPENING], reply[SP_CHANNEL_REPLY], confirm[SP_CHANNEL_CONFIRM];

	memset(c, 0, sizeof(*c));
	ck_status(sp_x25519_new(&c->one_time), SP_OK);
	sp_random(&c->terms, sizeof(c->terms));
	memcpy(c->terms.recipient_key, c->one_time.public_key, SP_X25519);
	c->terms.number = 1;
	ck_status(sp_channel_sender_begin(&c->terms, opening, &c->sender), SP_OK);
	ck_status(sp_channel_recipient_accept(&c->terms, &c->one_time, opening, reply, &c->recipient), SP_OK);
	ck_status(sp_channel_sender_confirm(c->sender, reply, confirm), SP_OK);
	ck_status(sp_channel_recipient_confirm(c->recipient, confirm), SP_OK);
}

static void
connection_done(struct connection *c)
{
	sp_channel_free(c->sender);
	sp_channel_free(c->recipient);
}

START_TEST(open_is_admitted_on_its_own_connection_only)
{
	SP_AUTO_DONE(sp_buf) bytes = { 0 }, record = { 0 };
	const struct sp_desc *desc = sp_desc_msg(SP_MSG_DATA_OPEN);
	struct sp_msg_data_open msg, got;
	struct connection one, two;
	struct person alice, mallory;
	uint8_t sig[SP_SIGNATURE];
	struct sp_record opened;

	person_init(&alice, "alice/laptop@post.example", SP_ROLE_STATION);
	person_init(&mallory, "mallory/m@post.example", SP_ROLE_STATION);
	connect_both(&one);
	connect_both(&two);
	ck_status(sp_open_sign(one.sender, alice.key, &bytes, sig, NULL), SP_OK);
	msg = (struct sp_msg_data_open){ .statement = sp_buf_span(&bytes), .signature = sp_span(sig, SP_SIGNATURE) };
	ck_status(sp_channel_seal(one.sender, desc, &msg, &record, NULL), SP_OK);
	ck_status(sp_channel_open(one.recipient, record.data, record.len, &opened), SP_OK);
	ck_status(sp_decode(opened.desc, opened.body, &got, NULL), SP_OK);
	ck_status(sp_open_check(two.recipient, got.statement, got.signature, &alice.identity, NULL), SP_E_MISMATCH);
	ck_status(sp_open_check(one.recipient, got.statement, got.signature, &mallory.identity, NULL),
	    SP_E_SIGNATURE);
	ck_status(sp_open_check(one.recipient, got.statement, got.signature, &alice.identity, NULL), SP_OK);
	ck_status(sp_channel_admit(one.recipient), SP_OK);
	connection_done(&one);
	connection_done(&two);
	person_done(&alice);
	person_done(&mallory);
}
END_TEST

START_TEST(every_fact_counts)
{
	struct connection c;
	struct sp_channel_facts facts;
	struct person alice;

	person_init(&alice, "alice/laptop@post.example", SP_ROLE_STATION);
	connect_both(&c);
	for (int i = 0; i < 6; i++) {
		SP_AUTO_DONE(sp_buf) bytes = { 0 };
		uint8_t sig[SP_SIGNATURE];
		struct sp_stmt_open stmt;

		sp_channel_get_facts(c.sender, &facts);
		facts.accept.b[31] ^= i == 0;
		facts.number = (uint8_t)(facts.number + (i == 1));
		facts.sender_key[0] ^= i == 2;
		facts.recipient_key[0] ^= i == 3;
		facts.nonce[0] ^= i == 4;
		stmt = (struct sp_stmt_open){ .accept = facts.accept, .number = facts.number,
			.sender_key = sp_span(facts.sender_key, 32), .recipient_key = sp_span(facts.recipient_key,
			32),
			.nonce = sp_span(facts.nonce, 32) };
		ck_status(sp_statement_sign(SP_STMT_OPEN, &stmt, alice.key, &bytes, sig, NULL, NULL), SP_OK);
		ck_status(sp_open_check(c.recipient, sp_buf_span(&bytes), sp_span(sig, 64), &alice.identity, NULL),
		    i == 5 ? SP_OK : SP_E_MISMATCH);
	}
	connection_done(&c);
	person_done(&alice);
}
END_TEST

UNIT_MAIN("statements/open", open_is_admitted_on_its_own_connection_only, every_fact_counts)
