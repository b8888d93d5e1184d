/*
 * token_fuzz.c - the text of an invitation.
 */
#include "common/statements/token.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_why why = { "" };
	struct sp_token token;

	if (sp_token_parse(sp_span(data, size), &token, &why) != SP_OK) {
		fuzz_must(why.text[0] != 0);
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	fuzz_must(token.keyd_count >= 1 && token.keyd_count <= SP_TOKEN_ADDRESSES && size <= SP_TOKEN_TEXT_MAX);
	fuzz_ok(sp_token_print(&token, &again));
	fuzz_same(sp_buf_span(&again), sp_span(data, size));
	return 0;
}
