/*
 * statements_statement_test.c - statements: one form, signed by who may, and everything else refused.
 */
#include "tests/unit/statements_people.h"

static struct person alice, bob, creditd;
static struct sp_stmt_refuse refuse = { .offer = { { 1, 2, 3 } }, .reason = SP_E_NOTINBOOK };

static void
setup(void)
{
	person_init(&alice, "alice/laptop@post.example", SP_ROLE_STATION);
	person_init(&bob, "bob/desk@other.example", SP_ROLE_STATION);
	person_init(&creditd, "creditd/main@post.example", SP_ROLE_CREDITD);
}

static void
teardown(void)
{
	person_done(&alice);
	person_done(&bob);
	person_done(&creditd);
}

START_TEST(a_statement_comes_back_as_it_went)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	uint8_t sig[SP_SIGNATURE];
	struct sp_stmt_refuse got;
	struct sp_hash hash, again;

	setup();
	ck_status(sp_statement_sign(SP_STMT_REFUSE, &refuse, alice.key, &out, sig, &hash, NULL), SP_OK);
	ck_assert_mem_eq(out.data, "SPSTMT\0\3", 8);
	ck_assert_int_eq(sp_statement_purpose(sp_buf_span(&out)), SP_STMT_REFUSE);
	sp_sha256(sp_buf_span(&out), &again);
	ck_assert(sp_hash_eq(&hash, &again));
	ck_status(sp_statement_open(SP_STMT_REFUSE, sp_buf_span(&out), sp_span(sig, 64), &alice.identity,
	    "post.example",
	    &got, NULL), SP_OK);
	ck_assert(sp_hash_eq(&got.offer, &refuse.offer));
	ck_assert_uint_eq(got.reason, SP_E_NOTINBOOK);
	/* the hash is that of what is said, not of how it was signed */
	sp_buf_clear(&out);
	ck_status(sp_statement_sign(SP_STMT_REFUSE, &refuse, bob.key, &out, sig, &again, NULL), SP_OK);
	ck_assert(sp_hash_eq(&hash, &again));
	teardown();
}
END_TEST

START_TEST(another_purpose_role_domain_or_signer_is_refused)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_stmt_cancel cancel;
	struct sp_stmt_refuse got;
	struct sp_identity nobody;
	uint8_t sig[SP_SIGNATURE];
	struct sp_span bytes, s = sp_span(sig, SP_SIGNATURE);

	setup();
	ck_status(sp_statement_sign(SP_STMT_REFUSE, &refuse, alice.key, &out, sig, NULL, NULL), SP_OK);
	bytes = sp_buf_span(&out);
	/* REFUSE and CANCEL have the same fields: only the purpose tells them apart */
	ck_status(sp_statement_open(SP_STMT_CANCEL, bytes, s, &alice.identity, NULL, &cancel, NULL), SP_E_MISMATCH);
	ck_status(sp_statement_open(SP_STMT_REFUSE, bytes, s, &bob.identity, NULL, &got, NULL), SP_E_SIGNATURE);
	ck_status(sp_statement_open(SP_STMT_REFUSE, bytes, s, &alice.identity, "other.example", &got, NULL),
	    SP_E_DOMAIN);
	ck_status(sp_statement_open(SP_STMT_REFUSE, bytes, s, &alice.identity, "post.example.org", &got, NULL),
	    SP_E_DOMAIN);
	nobody = alice.identity;
	for (nobody.role = SP_ROLE_NONE; nobody.role <= SP_ROLE_TSA; nobody.role++)
		ck_status(sp_statement_open(SP_STMT_REFUSE, bytes, s, &nobody, NULL, &got, NULL),
		    nobody.role == SP_ROLE_STATION ? SP_OK : SP_E_ROLE);
	ck_status(sp_statement_open(SP_STMT_REFUSE, bytes, sp_span(sig, 63), &alice.identity, NULL, &got, NULL),
	    SP_E_SIGNATURE);
	ck_status(sp_statement_open(SP_STMT_REFUSE, bytes, sp_span(NULL, 0), &alice.identity, NULL, &got, NULL),
	    SP_E_SIGNATURE);
	teardown();
}
END_TEST

START_TEST(only_creditd_issues_credits)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_stmt_denial denial = { .request = { { 1 } }, .reason = SP_E_ACCOUNT }, got;
	uint8_t sig[SP_SIGNATURE];

	setup();
	ck_status(sp_statement_sign(SP_STMT_DENIAL, &denial, creditd.key, &out, sig, NULL, NULL), SP_OK);
	ck_status(sp_statement_open(SP_STMT_DENIAL, sp_buf_span(&out), sp_span(sig, 64), &creditd.identity,
	    "post.example",
	    &got, NULL), SP_OK);
	sp_buf_clear(&out);
	ck_status(sp_statement_sign(SP_STMT_DENIAL, &denial, alice.key, &out, sig, NULL, NULL), SP_OK);
	ck_status(sp_statement_open(SP_STMT_DENIAL, sp_buf_span(&out), sp_span(sig, 64), &alice.identity,
	    "post.example",
	    &got, NULL), SP_E_ROLE);
	teardown();
}
END_TEST

START_TEST(a_statement_with_any_bit_changed_is_refused)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	uint8_t sig[SP_SIGNATURE];
	struct sp_stmt_refuse got;
	struct sp_span s = sp_span(sig, SP_SIGNATURE);

	setup();
	ck_status(sp_statement_sign(SP_STMT_REFUSE, &refuse, alice.key, &out, sig, NULL, NULL), SP_OK);
	for (size_t bit = 0; bit < (out.len + SP_SIGNATURE) * 8; bit++) {
		uint8_t *at = bit / 8 < out.len ? out.data + bit / 8 : sig + (bit / 8 - out.len);

		*at ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(sp_statement_open(SP_STMT_REFUSE, sp_buf_span(&out), s, &alice.identity, NULL, &got,
		    NULL) !=
		    SP_OK, "bit %zu", bit);
		*at ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n < out.len; n++)
		ck_assert(sp_statement_open(SP_STMT_REFUSE, sp_span(out.data, n), s, &alice.identity, NULL, &got,
		    NULL) != SP_OK);
	ck_status(sp_statement_open(SP_STMT_REFUSE, sp_buf_span(&out), s, &alice.identity, NULL, &got, NULL), SP_OK);
	teardown();
}
END_TEST

/* A properly signed statement with one more field. */
START_TEST(unknown_fields_are_refused_even_when_signed)
{
	static const unsigned tags[] = { 5, 6 };

	setup();
	for (size_t i = 0; i < 2; i++) {
		SP_AUTO_DONE(sp_buf) out = { 0 };
		uint8_t sig[SP_SIGNATURE];
		struct sp_stmt_refuse got;

		ck_status(sp_statement_encode(SP_STMT_REFUSE, &refuse, &out, NULL), SP_OK);
		sp_buf_add_u16(&out, (uint16_t)tags[i]);
		sp_buf_add_u32(&out, 1);
		sp_buf_add_u8(&out, 1);
		ck_status(sp_sign(alice.key, sp_buf_span(&out), sig), SP_OK);
		ck_assert(sp_statement_open(SP_STMT_REFUSE, sp_buf_span(&out), sp_span(sig, 64), &alice.identity,
		    NULL, &got,
		    NULL) != SP_OK);
	}
	teardown();
}
END_TEST

START_TEST(what_is_no_statement_is_refused)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_stmt_refuse got, bad = refuse;
	uint8_t sig[SP_SIGNATURE] = { 0 };

	setup();
	ck_assert_int_eq(sp_statement_purpose(sp_span_str("SPSTM")), SP_STMT_NONE);
	ck_assert_int_eq(sp_statement_purpose(sp_span("SPSTMT\0\0", 8)), SP_STMT_NONE);
	ck_assert_int_eq(sp_statement_purpose(sp_span("SPSTMT\xff\xff", 8)), SP_STMT_NONE);
	ck_assert_int_eq(sp_statement_purpose(sp_span("spstmt\0\3", 8)), SP_STMT_NONE);
	ck_status(sp_statement_open(SP_STMT_REFUSE, sp_span_str("hello, world"), sp_span(sig, 64), &alice.identity,
	    NULL,
	    &got, NULL), SP_E_FORMAT);
	ck_status(sp_statement_encode((enum sp_purpose)999, &refuse, &out, NULL), SP_E_ARGUMENT);
	bad.reason = 1000;
	ck_status(sp_statement_sign(SP_STMT_REFUSE, &bad, alice.key, &out, sig, NULL, NULL), SP_E_RANGE);
	ck_assert_uint_eq(out.len, 0);
	sp_buf_reserve(&out, SP_STATEMENT_MAX + 1);
	memcpy(out.data, "SPSTMT\0\3", 8);
	ck_status(sp_statement_read(SP_STMT_REFUSE, sp_buf_span(&out), &got, NULL), SP_E_LONG);
	teardown();
}
END_TEST

UNIT_MAIN("statements/statement", a_statement_comes_back_as_it_went, another_purpose_role_domain_or_signer_is_refused,
    only_creditd_issues_credits, a_statement_with_any_bit_changed_is_refused,
    unknown_fields_are_refused_even_when_signed, what_is_no_statement_is_refused)
