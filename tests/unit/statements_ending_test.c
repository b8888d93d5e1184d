/*
 * statements_ending_test.c - REFUSE, CANCEL, DONE, TRAILER: for their own offer, from their own signer.
 */
#include "common/statements/ending.h"
#include "common/statements/offer.h"
#include "tests/unit/statements_people.h"

static const struct sp_hash offer = { { 5, 5, 5 } }, other = { { 6 } }, manifest = { { 8 } };

struct signed_statement {
	struct sp_buf bytes;
	uint8_t signature[SP_SIGNATURE];
};

static struct sp_span
sign(enum sp_purpose purpose, const void *fields, const struct person *by, struct signed_statement *s)
{
	sp_buf_clear(&s->bytes);
	ck_status(sp_statement_sign(purpose, fields, by->key, &s->bytes, s->signature, NULL, NULL), SP_OK);
	return sp_buf_span(&s->bytes);
}

START_TEST(refusals_and_cancellations_say_why)
{
	struct sp_stmt_refuse refuse = { .offer = offer, .reason = SP_E_NOTINBOOK };
	struct sp_stmt_cancel cancel = { .offer = offer, .reason = SP_E_CANCELLED };
	struct signed_statement s = { 0 };
	struct person bob, mallory;
	enum sp_status reason;
	struct sp_span bytes, sig = sp_span(s.signature, SP_SIGNATURE);

	person_init(&bob, "bob/desk@other.example", SP_ROLE_STATION);
	person_init(&mallory, "mallory/m@post.example", SP_ROLE_STATION);
	bytes = sign(SP_STMT_REFUSE, &refuse, &bob, &s);
	ck_status(sp_refuse_open(bytes, sig, &bob.identity, &offer, &reason, NULL), SP_OK);
	ck_status(reason, SP_E_NOTINBOOK);
	ck_status(sp_refuse_open(bytes, sig, &bob.identity, &other, &reason, NULL), SP_E_MISMATCH);
	ck_status(sp_refuse_open(bytes, sig, &mallory.identity, &offer, &reason, NULL), SP_E_SIGNATURE);
	ck_status(sp_cancel_open(bytes, sig, &bob.identity, &offer, &reason, NULL), SP_E_MISMATCH);
	refuse.reason = 987;
	bytes = sign(SP_STMT_REFUSE, &refuse, &bob, &s);
	ck_status(sp_refuse_open(bytes, sig, &bob.identity, &offer, &reason, NULL), SP_OK);
	ck_status(reason, SP_E_REFUSED);
	bytes = sign(SP_STMT_CANCEL, &cancel, &bob, &s);
	ck_status(sp_cancel_open(bytes, sig, &bob.identity, &offer, &reason, NULL), SP_OK);
	ck_status(reason, SP_E_CANCELLED);
	ck_status(sp_cancel_open(bytes, sig, &bob.identity, &other, &reason, NULL), SP_E_MISMATCH);
	sp_buf_done(&s.bytes);
	person_done(&bob);
	person_done(&mallory);
}
END_TEST

START_TEST(done_fits_the_class_of_the_offer)
{
	static const struct { unsigned klass; bool receipt; const char *certd; enum sp_status st; } cases[] = {
		{ SP_RECEIPT_NONE, false, "", SP_OK }, { SP_RECEIPT_NONE, true, "", SP_E_RECEIPT },
		{ SP_RECEIPT_NONE, false, "main", SP_E_RECEIPT }, { SP_RECEIPT_DIRECT, true, "", SP_OK },
		{ SP_RECEIPT_DIRECT, false, "", SP_E_RECEIPT }, { SP_RECEIPT_DIRECT, true, "main", SP_E_RECEIPT },
		{ SP_RECEIPT_POSTMARKED, true, "main", SP_OK }, { SP_RECEIPT_POSTMARKED, true, "second", SP_OK },
		{ SP_RECEIPT_POSTMARKED, true, "third", SP_E_RECEIPT }, { SP_RECEIPT_POSTMARKED, true, "",
		SP_E_RECEIPT },
		{ SP_RECEIPT_POSTMARKED, false, "main", SP_E_RECEIPT }, { SP_RECEIPT_CERTIFIED, true, "main", SP_OK },
		{ SP_RECEIPT_CERTIFIED, true, "", SP_E_RECEIPT },
	};
	struct signed_statement s = { 0 };
	struct sp_stmt_done got;
	struct person bob;

	person_init(&bob, "bob/desk@other.example", SP_ROLE_STATION);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sp_stmt_done done = { .offer = offer, .result = 1, .certd = sp_span_str(cases[i].certd) };
		struct sp_span bytes;

		if (cases[i].receipt)
			memset(done.receipt.b, 3, 32);
		bytes = sign(SP_STMT_DONE, &done, &bob, &s);
		ck_status(sp_done_open(bytes, sp_span(s.signature, 64), &bob.identity, &offer, cases[i].klass,
		    sp_span_str("main,second"), &got, NULL), cases[i].st);
		ck_status(sp_done_open(bytes, sp_span(s.signature, 64), &bob.identity, &other, cases[i].klass,
		    sp_span_str("main,second"), &got, NULL), SP_E_MISMATCH);
	}
	sp_buf_done(&s.bytes);
	person_done(&bob);
}
END_TEST

START_TEST(a_trailer_is_for_its_offer_and_manifest)
{
	struct sp_stmt_trailer trailer = { .offer = offer, .manifest = manifest, .prints = { { 9 } }, .changed = 2 },
	    got;
	struct signed_statement s = { 0 };
	struct sp_hash hash, want;
	struct person alice;
	struct sp_span bytes, sig = sp_span(s.signature, SP_SIGNATURE);

	person_init(&alice, "alice/laptop@post.example", SP_ROLE_STATION);
	bytes = sign(SP_STMT_TRAILER, &trailer, &alice, &s);
	ck_status(sp_trailer_open(bytes, sig, &alice.identity, &offer, &manifest, &got, &hash, NULL), SP_OK);
	ck_assert_uint_eq(got.changed, 2);
	ck_assert(sp_hash_eq(&got.prints, &trailer.prints));
	sp_statement_hash(bytes, &want);
	ck_assert(sp_hash_eq(&hash, &want));
	ck_status(sp_trailer_open(bytes, sig, &alice.identity, &other, &manifest, &got, &hash, NULL), SP_E_MISMATCH);
	ck_status(sp_trailer_open(bytes, sig, &alice.identity, &offer, &other, &got, &hash, NULL), SP_E_MISMATCH);
	s.signature[0] ^= 1;
	ck_status(sp_trailer_open(bytes, sig, &alice.identity, &offer, &manifest, &got, &hash, NULL), SP_E_SIGNATURE);
	sp_buf_done(&s.bytes);
	person_done(&alice);
}
END_TEST

UNIT_MAIN("statements/ending", refusals_and_cancellations_say_why, done_fits_the_class_of_the_offer,
    a_trailer_is_for_its_offer_and_manifest)
