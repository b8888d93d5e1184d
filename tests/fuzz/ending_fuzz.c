/*
 * ending_fuzz.c - REFUSE, CANCEL, DONE and TRAILER: the input is the statement, taken as signed by the right station. Whatever
 * else it is, it opens as what it says it is and as nothing else.
 */
#include "common/statements/ending.h"
#include "common/statements/offer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

static const struct sp_hash offer = { { 7 } }, manifest = { { 8 } };

static void
check_done(const struct sp_stmt_done *done, unsigned klass)
{
	static const struct sp_hash none;

	fuzz_must(sp_hash_eq(&done->offer, &offer) && (done->result == 1 || done->result == 2));
	fuzz_must(sp_hash_eq(&done->receipt, &none) == (klass == SP_RECEIPT_NONE));
	fuzz_must(klass < SP_RECEIPT_POSTMARKED || sp_span_eq(done->certd, sp_span_str("one")) ||
	    sp_span_eq(done->certd, sp_span_str("two")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fuzz_person *bob = fuzz_person(FUZZ_BOB);
	const struct sp_identity *id = &bob->identity;
	struct sp_span in = sp_span(data, size), sig;
	enum sp_purpose purpose = sp_statement_purpose(in);
	uint8_t signature[SP_SIGNATURE];
	struct sp_stmt_trailer trailer;
	struct sp_why why = { "" };
	struct sp_stmt_done done;
	enum sp_status reason;
	struct sp_hash hash;

	fuzz_ok(sp_sign(bob->key, in, signature));
	sig = sp_span(signature, sizeof(signature));
	if (sp_refuse_open(in, sig, id, &offer, &reason, &why) == SP_OK) {
		fuzz_must(purpose == SP_STMT_REFUSE && reason != SP_OK && reason != SP_E_UNKNOWN);
		fuzz_accept();
	}
	if (sp_cancel_open(in, sig, id, &offer, &reason, &why) == SP_OK) {
		fuzz_must(purpose == SP_STMT_CANCEL && reason != SP_OK);
		fuzz_accept();
	}
	for (unsigned klass = SP_RECEIPT_NONE; klass <= SP_RECEIPT_CERTIFIED; klass++)
		if (sp_done_open(in, sig, id, &offer, klass, sp_span_str("one,two"), &done, &why) == SP_OK) {
			fuzz_must(purpose == SP_STMT_DONE);
			check_done(&done, klass);
			fuzz_accept();
		}
	if (sp_trailer_open(in, sig, id, &offer, &manifest, &trailer, &hash, &why) == SP_OK) {
		fuzz_must(purpose == SP_STMT_TRAILER && sp_hash_eq(&trailer.manifest, &manifest));
		fuzz_accept();
	}
	fuzz_reason(&why);
	return 0;
}
