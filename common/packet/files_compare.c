/*
 * files_compare.c - two lists of files compared line by line, the differences in plain words.
 */
#include "common/packet/files_txt.h"
#include "common/packet/path.h"

struct comparing {
	struct sp_files_diff diff;
	struct sp_buf *words;	/* borrowed; may be NULL */
	uint64_t said;
};

static void
say(struct comparing *c, const struct sp_files_line *line, const char *what)
{
	char shown[SP_PATH_SHOW];

	if (c->words != NULL && c->said < SP_FILES_DIFF_LINES)
		sp_buf_addf(c->words, "%s: %s\n", sp_path_show(sp_span(line->path, line->path_len), shown), what);
	c->said++;
}

static void
compare_lines(struct comparing *c, const struct sp_files_line *a, const struct sp_files_line *b)
{
	const char *what = NULL;

	if (a->size != b->size)
		what = "another size";
	else if (a->mtime_sec != b->mtime_sec || a->mtime_nsec != b->mtime_nsec)
		what = "another time";
	else if (a->print.state == SP_PRINT_HASH && b->print.state == SP_PRINT_HASH &&
	    !sp_print_eq(&a->print, &b->print))
		what = "another content";
	if (what != NULL) {
		c->diff.other++;
		say(c, a, what);
	} else if (a->print.state == SP_PRINT_CHANGED || b->print.state == SP_PRINT_CHANGED) {
		c->diff.changed++;
		say(c, a, "it changed while it was being sent");
	}
}

static void
compare_all(struct comparing *c, const struct sp_files *ours, const struct sp_files *theirs)
{
	uint32_t i = 0, j = 0;

	while (i < sp_files_count(ours) || j < sp_files_count(theirs)) {
		struct sp_files_line a = { 0 }, b = { 0 };
		int order = i == sp_files_count(ours) ? 1 : -1;

		if (i < sp_files_count(ours))
			a = sp_files_line(ours, i);
		if (j < sp_files_count(theirs))
			b = sp_files_line(theirs, j);
		if (a.path != NULL && b.path != NULL)
			order = sp_path_compare(sp_span(a.path, a.path_len), sp_span(b.path, b.path_len));
		if (order < 0) {
			c->diff.missing++;
			say(c, &a, "missing");
		} else if (order > 0) {
			c->diff.extra++;
			say(c, &b, "not in the packet");
		} else {
			compare_lines(c, &a, &b);
		}
		i += order <= 0;
		j += order >= 0;
	}
}

enum sp_status
sp_files_compare(const struct sp_files *ours, const struct sp_files *theirs, struct sp_files_diff *ret_diff,
    struct sp_buf *words)
{
	struct comparing c = { .words = words };
	bool other_packet = memcmp(sp_files_salt(ours), sp_files_salt(theirs), SP_SALT_BYTES) != 0;

	if (other_packet && words != NULL)
		sp_buf_add_text(words, "the lists are those of two different packets\n");
	compare_all(&c, ours, theirs);
	if (words != NULL && c.said > SP_FILES_DIFF_LINES)
		sp_buf_addf(words, "and %llu more\n", (unsigned long long)(c.said - SP_FILES_DIFF_LINES));
	if (other_packet || c.diff.missing > 0 || c.diff.extra > 0 || c.diff.other > 0)
		c.diff.verdict = SP_FILES_DIFFERENT;
	else
		c.diff.verdict = c.diff.changed > 0 ? SP_FILES_CHANGED : SP_FILES_SAME;
	if (words != NULL && sp_buf_status(words) != SP_OK)
		return SP_E_NOMEM;
	*ret_diff = c.diff;
	return SP_OK;
}
