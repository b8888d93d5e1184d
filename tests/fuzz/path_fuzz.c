/*
 * path_fuzz.c - paths: two of them (a zero byte between) are checked, ordered, escaped, and the second taken as the target of a
 * link at the first.
 */
#include "common/base/text.h"
#include "common/packet/path.h"
#include "tests/fuzz/fuzz.h"

/* Walks the target by the rule of docs/formats.md. */
static bool
leads_out(struct sp_span path, struct sp_span target)
{
	size_t depth = 0, ups = 0, at = 0;
	bool named = false;

	for (size_t i = 0; i < path.n; i++)
		depth += path.p[i] == '/';
	if (target.n > 0 && target.p[0] == '/')
		return true;
	while (at < target.n) {
		const uint8_t *slash = memchr(target.p + at, '/', target.n - at);
		size_t n = slash != NULL ? (size_t)(slash - target.p) - at : target.n - at;
		struct sp_span part = sp_span(target.p + at, n);

		if (sp_span_eq(part, sp_span_str("..")))
			ups++;
		if (sp_span_eq(part, sp_span_str("..")) && named)
			return true;
		if (n > 0 && !sp_span_eq(part, sp_span_str(".")) && !sp_span_eq(part, sp_span_str("..")))
			named = true;
		at += n + 1;
	}
	return ups > depth;
}

static void
escapes(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) text = { 0 }, raw = { 0 }, shown = { 0 };
	char show[SP_PATH_SHOW];

	sp_percent_add(&text, in);
	fuzz_must(text.len == sp_percent_length(in));
	fuzz_ok(sp_percent_read(sp_buf_span(&text), &raw));
	fuzz_same(sp_buf_span(&raw), in);
	sp_buf_clear(&raw);
	sp_buf_clear(&text);
	if (sp_percent_read(in, &raw) == SP_OK) {
		sp_percent_add(&text, sp_buf_span(&raw));
		fuzz_same(sp_buf_span(&text), in);
	}
	sp_printable_add(&shown, in);
	fuzz_must(sp_is_text(sp_buf_span(&shown)));
	fuzz_must(sp_is_text(sp_span_str(sp_path_show(in, show))));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sp_span a, b;
	struct sp_why why = { "" };
	int order;

	fuzz_split(sp_span(data, size), &a, &b);
	escapes(a);
	escapes(b);
	order = sp_path_compare(a, b);
	if (sp_path_check(a, NULL) == SP_OK && sp_path_check(b, NULL) == SP_OK)
		fuzz_must((order == 0) == sp_span_eq(a, b) && (order < 0) == (sp_path_compare(b, a) > 0));
	if (sp_path_check(a, &why) != SP_OK) {
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	fuzz_must(a.n > 0 && a.p[0] != '/' && a.p[a.n - 1] != '/' && memmem(a.p, a.n, "//", 2) == NULL &&
	    memmem(a.p, a.n, "/../", 4) == NULL);
	fuzz_must(sp_link_is_outside(a, b) == leads_out(a, b));
	if (sp_path_parent(a) > 0) {
		fuzz_ok(sp_path_check(sp_span(a.p, sp_path_parent(a)), NULL));
		fuzz_must(sp_path_compare(sp_span(a.p, sp_path_parent(a)), a) < 0);
	}
	return 0;
}
