/*
 * receipt_file_fuzz.c - a .receipt: taken apart, it is written as the same bytes; and it is verified, with the root in it and with one
 * that is pinned.
 */
#include "common/crypto/hash.h"
#include "common/statements/receipt_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_span in = sp_span(data, size);
	struct sp_receipt_parts parts;
	struct sp_receipt_proof proof;
	struct sp_why why = { "" };
	struct sp_hash root;
	enum sp_status st = sp_receipt_file_read(in, &parts, &why);

	fuzz_reason(&why);
	if (st == SP_OK) {
		fuzz_accept();
		fuzz_ok(sp_receipt_file_write(&parts, &again, &why));
		fuzz_same(sp_buf_span(&again), in);
		fuzz_must((parts.postmark_p7m.n > 0) == (parts.postmark_tsr.n > 0));
	}
	if (sp_receipt_verify(in, NULL, 0, &proof, &why) == SP_OK) {
		fuzz_must(st == SP_OK && !proof.root_pinned && proof.postmarked == (parts.postmark_p7m.n > 0));
		fuzz_must(sp_receipt_verify(in, &proof.root, 1, &proof, &why) == SP_OK && proof.root_pinned);
		memset(root.b, 0x55, sizeof(root.b));
		fuzz_must(sp_receipt_verify(in, &root, 1, &proof, &why) != SP_OK);
	}
	fuzz_reason(&why);
	return 0;
}
