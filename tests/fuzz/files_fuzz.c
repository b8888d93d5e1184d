/*
 * files_fuzz.c - files.txt: one list, or two (a zero byte between them) that are compared.
 */
#include "common/base/text.h"
#include "common/packet/files_txt.h"
#include "common/packet/path.h"
#include "tests/fuzz/fuzz.h"

/* The list as docs/formats.md says, written by this file. */
static void
write_again(const struct sp_files *f, struct sp_buf *out)
{
	char hex[65], print[SP_PRINT_TEXT];

	sp_buf_addf(out, "sealpost-files 1\nsalt %s\n\n", sp_hex(sp_files_salt(f), SP_SALT_BYTES, hex));
	for (uint32_t i = 0; i < sp_files_count(f); i++) {
		struct sp_files_line line = sp_files_line(f, i);
		uint32_t number;

		fuzz_must(line.path[line.path_len] == 0 && sp_path_check(sp_span(line.path, line.path_len), NULL) == SP_OK);
		fuzz_must(sp_files_find(f, sp_span(line.path, line.path_len), &number) && number == i);
		sp_percent_add(out, sp_span(line.path, line.path_len));
		sp_buf_addf(out, " %llu %s ", (unsigned long long)line.size, sp_print_text(&line.print, line.size, print));
		/* -1.5 is written as -2 and half a second that counts forward */
		sp_buf_addf(out, "%lld.%09u\n", (long long)line.mtime_sec, line.mtime_nsec);
	}
}

/* The bytes that the lines state, each counted, fit the list. */
static void
fit(const struct sp_files *f)
{
	uint64_t sum = 0;
	bool fits;

	for (uint32_t i = 0; i < sp_files_count(f); i++) {
		struct sp_files_line line = sp_files_line(f, i);

		if (sum > UINT64_MAX - line.size)
			return;
		sum += line.size;
	}
	fuzz_ok(sp_files_fit(f, sum, &fits));
	fuzz_must(fits);
	if (sum < UINT64_MAX) {
		fuzz_ok(sp_files_fit(f, sum + 1, &fits));
		fuzz_must(!fits);
	}
}

static void
compare(const struct sp_files *a, const struct sp_files *b)
{
	SP_AUTO_DONE(sp_buf) words = { 0 };
	struct sp_files_diff there, back;

	fuzz_ok(sp_files_compare(a, b, &there, &words));
	fuzz_ok(sp_files_compare(b, a, &back, NULL));
	fuzz_must(there.verdict == back.verdict && there.missing == back.extra && there.extra == back.missing &&
	    there.other == back.other && there.changed == back.changed);
	fuzz_must(sp_utf8_ok(sp_buf_span(&words)));
	fuzz_ok(sp_files_compare(a, a, &there, NULL));
	fuzz_must(there.verdict != SP_FILES_DIFFERENT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO(sp_files) *f = NULL, *other = NULL;
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_span first, second;
	struct sp_why why = { "" };

	fuzz_split(sp_span(data, size), &first, &second);
	if (sp_files_parse(first, &f, &why) != SP_OK) {
		fuzz_must(f == NULL);
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	write_again(f, &again);
	fuzz_same(sp_buf_span(&again), first);
	fit(f);
	if (second.n > 0 && sp_files_parse(second, &other, &why) == SP_OK)
		compare(f, other);
	return 0;
}
