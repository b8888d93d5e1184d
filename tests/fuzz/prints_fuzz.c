/*
 * prints_fuzz.c - prints.txt, the sender's fingerprints, against a manifest of small and large files, and one fingerprint alone.
 */
#include "common/packet/prints.h"
#include "tests/fuzz/fuzz.h"

static const char text[] = "sealpost-manifest 1\nkind files\nsalt "
    "0101010101010101010101010101010101010101010101010101010101010101\nperson alice@post.example\n"
    "station alice/laptop@post.example\norganisation \ntitle t\nmessage \n\n"
    "f 644 1700000000.000000001 600 a\nh 644 1700000000.000000001 0 b a\nf 600 1700000000.000000000 67108864 c\n"
    "f 600 1700000000.000000000 67108865 d\n";

static void
one(struct sp_span in, uint64_t size)
{
	char again[SP_PRINT_TEXT];
	struct sp_print print;

	if (sp_print_parse(in, size, &print) != SP_OK)
		return;
	fuzz_must(print.state == SP_PRINT_HASH || print.state == SP_PRINT_CHANGED);
	fuzz_same(in, sp_span_str(sp_print_text(&print, size, again)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(sp_prints) *prints = NULL;
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_why why = { "" };
	uint32_t none, changed;

	one(sp_span(data, size), 1);
	one(sp_span(data, size), UINT64_C(1) << 40);
	fuzz_ok(sp_manifest_parse(sp_span_str(text), &m, NULL));
	if (sp_prints_parse(sp_span(data, size), m, &prints, &why) != SP_OK) {
		fuzz_must(prints == NULL);
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	sp_prints_count(prints, &none, &changed);
	fuzz_must(none == 0 && changed <= 3);
	fuzz_ok(sp_prints_encode(prints, &again));
	fuzz_same(sp_buf_span(&again), sp_span(data, size));
	return 0;
}
