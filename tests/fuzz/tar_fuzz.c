/*
 * tar_fuzz.c - bytes that claim to be headers of a packet's tar: the first header, which states the manifest's length, and any
 * piece of the tar (offset u16, then bytes) against the layout. Only the layout's own bytes pass.
 */
#include "common/packet/layout.h"
#include "tests/fuzz/fuzz.h"

static const char text[] = "sealpost-manifest 1\nkind files\nsalt "
    "0101010101010101010101010101010101010101010101010101010101010101\nperson alice@post.example\n"
    "station alice/laptop@post.example\norganisation \ntitle t\nmessage \n\n"
    "d 755 1700000000.000000000 0 d\n"
    "f 644 1700000000.000000001 600 d/a%20b\n"
    "l 777 1700000000.000000000 0 d/l ../x\n"
    "h 644 1700000000.000000001 0 d/\xc3\xa4 d/a%20b\n"
    "f 600 -1.500000000 9000000000 large\n";

static void
first_header(struct sp_span in)
{
	uint8_t header[SP_TAR_BLOCK];
	struct sp_why why = { "" };
	uint64_t n;

	if (in.n != SP_TAR_BLOCK)
		return;
	if (sp_layout_manifest_length(in.p, &n, &why) != SP_OK) {
		fuzz_reason(&why);
		return;
	}
	fuzz_accept();
	sp_layout_manifest_header(n, header);
	fuzz_same(sp_span(header, sizeof(header)), in);
}

static void
piece(const struct sp_layout *l, uint64_t offset, struct sp_span in)
{
	SP_AUTO_MEM uint8_t *made = malloc(in.n > 0 ? in.n : 1);
	struct sp_why why = { "" };
	enum sp_status st = sp_layout_check(l, offset, in, &why), filled;

	fuzz_must(made != NULL);
	memcpy(made, in.p, in.n);
	filled = sp_layout_fill(l, offset, made, in.n);
	fuzz_must((filled == SP_E_RANGE) == (st == SP_E_RANGE));
	if (st == SP_E_RANGE)
		return;
	/* what fill writes is what check wants, and nothing else */
	fuzz_must(filled == SP_OK && (st == SP_OK) == (in.n == 0 || memcmp(made, in.p, in.n) == 0));
	fuzz_ok(sp_layout_check(l, offset, sp_span(made, in.n), NULL));
	if (st == SP_OK && in.n > 0)
		fuzz_accept();
	fuzz_reason(&why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(sp_layout) *l = NULL;
	struct sp_span in = sp_span(data, size);
	uint64_t offset;

	first_header(in);
	if (size < 2)
		return 0;
	fuzz_ok(sp_manifest_parse(sp_span_str(text), &m, NULL));
	fuzz_ok(sp_layout_new(m, &l));
	offset = (uint64_t)data[0] << 8 | data[1];
	/* the upper half counts back from the end */
	if (offset >= 0x8000)
		offset = sp_layout_length(l) - (offset - 0x8000);
	piece(l, offset, sp_span(data + 2, size - 2));
	return 0;
}
