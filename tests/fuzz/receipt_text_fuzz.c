/*
 * receipt_text_fuzz.c - receipt.txt and postmark.txt: what parses is written as the same bytes, and no text is both.
 */
#include "common/statements/postmark.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_span in = sp_span(data, size);
	struct sp_why why = { "" };
	struct sp_postmark postmark;
	struct sp_receipt receipt;
	bool is_receipt = sp_receipt_parse(in, &receipt, &why) == SP_OK;

	fuzz_reason(&why);
	if (is_receipt) {
		fuzz_accept();
		fuzz_ok(sp_receipt_encode(&receipt, &again, NULL));
		fuzz_same(sp_buf_span(&again), in);
		fuzz_must(receipt.changed <= receipt.files);
	}
	sp_buf_clear(&again);
	if (sp_postmark_parse(in, &postmark, &why) == SP_OK) {
		fuzz_accept();
		fuzz_must(!is_receipt);
		fuzz_ok(sp_postmark_encode(&postmark, &again, NULL));
		fuzz_same(sp_buf_span(&again), in);
	}
	fuzz_reason(&why);
	return 0;
}
