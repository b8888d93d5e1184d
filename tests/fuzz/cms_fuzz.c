/*
 * cms_fuzz.c - CMS SignedData as receipts and postmarks are made of, under a fixed trust: what verifies is of one form, so that one
 * byte more or less never verifies.
 */
#include "common/crypto/cms.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_DONE(sp_buf) text = { 0 }, cert = { 0 }, only = { 0 }, longer = { 0 };
	struct sp_span in = sp_span(data, size);
	struct sp_why why = { "" };
	struct sp_identity id;
	enum sp_status st = sp_cms_cert(in, &only, &why);

	fuzz_reason(&why);
	if (sp_cms_verify(in, fuzz_trust(), FUZZ_NOW_MS, &text, &cert, &id, &why) != SP_OK) {
		fuzz_must(text.len == 0 && cert.len == 0);
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	fuzz_must(st == SP_OK && strcmp(id.name.domain, FUZZ_DOMAIN) == 0);
	fuzz_same(sp_buf_span(&only), sp_buf_span(&cert));
	sp_buf_add_span(&longer, in);
	sp_buf_add_u8(&longer, 0);
	sp_buf_clear(&text);
	fuzz_must(sp_cms_verify(sp_buf_span(&longer), fuzz_trust(), FUZZ_NOW_MS, &text, &cert, &id, NULL) != SP_OK);
	fuzz_must(sp_cms_verify(sp_span(data, size - 1), fuzz_trust(), FUZZ_NOW_MS, &text, &cert, &id, NULL) != SP_OK);
	return 0;
}
