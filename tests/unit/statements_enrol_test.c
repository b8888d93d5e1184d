/*
 * statements_enrol_test.c - the bytes of an enrolment, laid out by hand.
 */
#include "common/statements/enrol.h"
#include "tests/unit/unit.h"

START_TEST(the_request_is_canonical)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, want = { 0 };
	struct sp_enrol_keys keys;
	struct sp_hash hash, again;
	static const char name[] = "alice/laptop@post.example";

	memset(&keys, 1, sizeof(keys));
	ck_status(sp_enrol_request(sp_span_str(name), &keys, &out, &hash, NULL), SP_OK);
	sp_buf_add(&want, "SPSTMT\0\14\0\2\0\0\0\31", 14);
	sp_buf_add_text(&want, name);
	sp_buf_add(&want, "\0\4\0\0\0\101", 6);
	sp_buf_add(&want, keys.sign_key, 65);
	sp_buf_add(&want, "\0\6\0\0\0\40", 6);
	sp_buf_add(&want, keys.letter_key, 32);
	sp_buf_add(&want, "\0\10\0\0\0\40", 6);
	sp_buf_add(&want, keys.age_key, 32);
	ck_assert(sp_span_eq(sp_buf_span(&out), sp_buf_span(&want)));
	sp_sha256(sp_buf_span(&want), &again);
	ck_assert(sp_hash_eq(&hash, &again));
	/* in ENROL the invitation says the name */
	ck_status(sp_enrol_request(sp_span(NULL, 0), &keys, NULL, &again, NULL), SP_OK);
	ck_assert(!sp_hash_eq(&hash, &again));
	ck_status(sp_enrol_request(sp_span_str("creditd/main@post.example"), &keys, NULL, &again, NULL), SP_OK);
	ck_status(sp_enrol_request(sp_span_str("alice@post.example"), &keys, NULL, &again, NULL), SP_E_FORMAT);
	ck_status(sp_enrol_request(sp_span_str("Alice/laptop@post.example"), &keys, NULL, &again, NULL), SP_E_FORMAT);
}
END_TEST

START_TEST(the_proof_binds_connection_keys_and_request)
{
	uint8_t a[32] = { 1 }, b[32] = { 2 }, c[32] = { 3 }, got[SP_ENROL_PROOF];
	struct sp_hash hash = { { 4 } };

	sp_enrol_proof(a, b, c, &hash, got);
	ck_assert_mem_eq(got, "SPENRL", 6);
	ck_assert_mem_eq(got + 6, a, 32);
	ck_assert_mem_eq(got + 38, b, 32);
	ck_assert_mem_eq(got + 70, c, 32);
	ck_assert_mem_eq(got + 102, hash.b, 32);
}
END_TEST

UNIT_MAIN("statements/enrol", the_request_is_canonical, the_proof_binds_connection_keys_and_request)
