/*
 * tsa_fuzz.c - RFC 3161 time-stamp responses over a fixed text, under a fixed trust.
 */
#include "common/crypto/tsa.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	struct sp_span in = sp_span(data, size), text = sp_span_str("stamped");
	struct sp_why why = { "" };
	struct sp_identity id;
	uint64_t wall_ms;

	if (sp_tsa_verify(in, text, fuzz_trust(), &wall_ms, &cert, &id, &why) != SP_OK) {
		fuzz_must(cert.len == 0);
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	fuzz_must(id.role == SP_ROLE_TSA && wall_ms / 1000 >= (uint64_t)id.not_before && wall_ms / 1000 <= (uint64_t)id.not_after);
	fuzz_must(sp_tsa_verify(in, sp_span_str("another"), fuzz_trust(), &wall_ms, &cert, &id, NULL) != SP_OK);
	return 0;
}
