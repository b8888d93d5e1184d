/*
 * codec_fuzz.c - every row of messages.def: the first two bytes choose it, the rest is read by it. Lists are read to their end.
 */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

static void
lists(const struct sp_desc *desc, const void *msg)
{
	for (size_t i = 0; i < desc->nfields; i++) {
		const struct sp_field *f = &desc->fields[i];
		struct sp_value v = sp_field_get(f, msg);
		const struct sp_desc *part = f->kind == SP_KIND_LIST ? sp_desc_part(f) : NULL;
		SP_AUTO_MEM uint8_t *element = part != NULL ? malloc(part->size) : NULL;
		struct sp_cursor c;

		if (element == NULL || v.bytes.n == 0)
			continue;
		for (c = sp_cursor(v.bytes); sp_list_next(&c, part, element);)
			;
		fuzz_ok(sp_cursor_end(&c));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_MEM uint8_t *msg = NULL;
	const struct sp_desc *rows;
	size_t n, which;

	if (size < 2)
		return 0;
	rows = sp_desc_all(&n);
	which = ((size_t)data[0] << 8 | data[1]) % n;
	if ((msg = malloc(rows[which].size)) == NULL)
		return 0;
	if (fuzz_decode(&rows[which], sp_span(data + 2, size - 2), msg)) {
		fuzz_must(size - 2 <= sp_desc_max(&rows[which]));
		fuzz_accept();
		lists(&rows[which], msg);
	}
	return 0;
}
