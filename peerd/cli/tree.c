/*
 * tree.c - walks what lies below a PATH by descriptors, never following a link, and looks every file up in the
 * list. Several names of one file are hashed once.
 */
#include "peerd/cli/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/packet/path.h"
#include "peerd/cli/api.h"
#include "peerd/cli/inodes.h"
#include "peerd/cli/print.h"
#include "peerd/cli/progress.h"

#define BLOCK (256 * 1024)
#define SHOWN_UNLISTED 20	/* they do no harm: so many are named, the others counted */

struct tree {
	struct cli *cli;		/* borrowed */
	const struct sp_files *files;	/* borrowed */
	uint32_t count;			/* of files */
	uint8_t *verdicts;		/* owned, enum tree_verdict a line */
	uint32_t *seen;			/* owned: the number of the last PATH that held the line */
	uint32_t number;		/* of the PATH at hand, from 1 */
	bool good;			/* … so far */
	unsigned long long unlisted;
	struct inodes inodes;
	struct sp_printer *printer;	/* owned */
	uint8_t *block;			/* owned, BLOCK */
	struct progress progress;
	uint64_t done, whole;		/* bytes of the PATH at hand */
};

/* The PATH at hand, as a listed folder or file (prefix) at base, a real path; the lines [first, end) stand for it. */
struct fit {
	const char *base;
	struct sp_span prefix;		/* empty: base holds all listed names */
	uint32_t first, end;
};

struct tree *
tree_new(struct cli *cli, const struct sp_files *files)
{
	SP_AUTO(tree) *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->cli = cli;
	t->files = files;
	t->count = sp_files_count(files);
	t->progress.cli = cli;
	t->verdicts = calloc((size_t)t->count + 1, sizeof(*t->verdicts));
	t->seen = calloc((size_t)t->count + 1, sizeof(*t->seen));
	t->block = malloc(BLOCK);
	t->printer = sp_printer_new();
	return t->verdicts != NULL && t->seen != NULL && t->block != NULL && t->printer != NULL ? sp_take(&t) : NULL;
}

void
tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	sp_printer_free(t->printer);
	inodes_done(&t->inodes);
	free(t->block);
	free(t->seen);
	free(t->verdicts);
	free(t);
}

void
tree_count(const struct tree *t, struct tree_tally *ret_tally)
{
	struct tree_tally tally = { .unlisted = t->unlisted };

	for (uint32_t i = 0; i < t->count; i++)
		tally.of[t->verdicts[i]]++;
	*ret_tally = tally;
}

/* ---- the list ---- */
static struct sp_span
line_path(const void *files, uint32_t number)
{
	struct sp_files_line line = sp_files_line(files, number);

	return sp_span(line.path, line.path_len);
}

/* The first line that is not before path in the list's order: what is below a folder follows it at once. */
static uint32_t
lower(const struct tree *t, struct sp_span path)
{
	return sp_path_search(t->files, t->count, line_path, path);
}

static bool
is_below(struct sp_span path, struct sp_span folder)
{
	return folder.n == 0 || (path.n >= folder.n && memcmp(path.p, folder.p, folder.n) == 0 &&
	    (path.n == folder.n || path.p[folder.n] == '/'));
}

/* Is it a listed file, or a folder that holds one? */
static bool
is_listed(const struct tree *t, struct sp_span path)
{
	uint32_t at = lower(t, path);

	return at < t->count && is_below(line_path(t->files, at), path);
}

/* ---- what is said ---- */
static void
say(struct tree *t, const char *word, const char *json_word, const char *base, struct sp_span below, bool folder)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	SP_AUTO_DONE(sp_buf) safe = { 0 };

	sp_buf_add_text(&path, strcmp(base, "/") == 0 ? "" : base);
	if (below.n > 0) {
		sp_buf_add_u8(&path, '/');
		sp_buf_add_span(&path, below);
	}
	if (folder)
		sp_buf_add_u8(&path, '/');
	print_safe(&safe, sp_buf_cstr(&path));
	progress_clear();
	if (t->cli->json)
		api_print_take(json_pack("{s:s, s:s}", "path", sp_buf_cstr(&safe), "result", json_word));
	else
		printf("  %s: %s\n", word, sp_buf_cstr(&safe));
}

static void
say_unlisted(struct tree *t, const struct fit *fit, struct sp_span below, bool folder)
{
	if (++t->unlisted <= SHOWN_UNLISTED || t->cli->json)
		say(t, "not in the list", "unlisted", fit->base, below, folder);
	else if (t->unlisted == SHOWN_UNLISTED + 1)
		puts("  … and more that are not in the list");
}

static void
judge(struct tree *t, const struct fit *fit, uint32_t number, enum tree_verdict verdict)
{
	static const struct {
		const char *word, *json;
	} words[TREE_VERDICTS] = {
		[TREE_UNREADABLE] = { "cannot be read", "unreadable" },
		[TREE_MISSING] = { "missing", "missing" },
		[TREE_DIFFERENT] = { "DIFFERENT", "different" },
	};
	struct sp_span path = line_path(t->files, number);
	size_t skip = fit->prefix.n == 0 ? 0 : fit->prefix.n < path.n ? fit->prefix.n + 1 : path.n;

	t->seen[number] = t->number;
	if (verdict > t->verdicts[number])
		t->verdicts[number] = (uint8_t)verdict;
	t->done += sp_files_line(t->files, number).size;
	if (words[verdict].word == NULL)
		return;
	t->good = false;
	say(t, words[verdict].word, words[verdict].json, fit->base, sp_span(path.p + skip, path.n - skip), false);
}

/* ---- one file ---- */
static bool
hash_file(struct tree *t, const struct fit *fit, int fd, uint64_t size, struct sp_print *ret_print,
    enum tree_verdict *verdict)
{
	uint64_t done = 0;

	sp_printer_reset(t->printer, size);
	for (;;) {
		ssize_t n = read(fd, t->block, BLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*verdict = TREE_UNREADABLE;
			return false;
		}
		if (n == 0)
			break;
		sp_printer_add(t->printer, t->block, (size_t)n);
		done += (uint64_t)n;
		progress_show(&t->progress, fit->base, t->done + done, t->whole);
	}
	*verdict = TREE_DIFFERENT;
	return sp_printer_end(t->printer, ret_print) == SP_OK;
}

static enum tree_verdict
compare_file(struct tree *t, const struct fit *fit, const struct sp_files_line *line, int parent, const char *name)
{
	SP_AUTO_FD fd = openat(parent, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	enum tree_verdict verdict = TREE_DIFFERENT;
	struct sp_print print;
	struct stat sb;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? TREE_MISSING : TREE_UNREADABLE;
	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode))
		return TREE_MISSING;
	if ((uint64_t)sb.st_size != line->size)
		return TREE_DIFFERENT;
	if (!inodes_find(&t->inodes, &sb, &print)) {
		if (!hash_file(t, fit, fd, line->size, &print, &verdict))
			return verdict;
		inodes_add(&t->inodes, &sb, &print);
	}
	return sp_print_eq(&print, &line->print) ? TREE_SAME : TREE_DIFFERENT;
}

/* The listed path, at base/below: name in the folder parent. */
static void
check_file(struct tree *t, const struct fit *fit, struct sp_span listed, struct sp_span below, int parent,
    const char *name)
{
	struct sp_files_line line;
	uint32_t number;

	if (!sp_files_find(t->files, listed, &number)) {
		say_unlisted(t, fit, below, false);
		return;
	}
	line = sp_files_line(t->files, number);
	judge(t, fit, number, line.print.state == SP_PRINT_CHANGED ? TREE_CHANGED : compare_file(t, fit, &line,
	    parent, name));
}

/* ---- folders ---- */
static void
list_free(struct dirent **list, int n)
{
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static int
no_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

/* A folder that can't be looked into: neither can anybody say what its files are. */
static void
cannot_enter(struct tree *t, const struct fit *fit, struct sp_span folder)
{
	for (uint32_t i = lower(t, folder); i < t->count && is_below(line_path(t->files, i), folder); i++)
		if (i >= fit->first && i < fit->end && sp_files_line(t->files, i).print.state != SP_PRINT_CHANGED)
			judge(t, fit, i, TREE_UNREADABLE);
}

/* Lists only have files: a folder without any is not missed in them. */
static bool
holds_file(int parent, const char *name, unsigned depth)
{
	SP_AUTO_FD fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent **list = NULL;
	int n = fd >= 0 && depth < SP_DEPTH_MAX ? scandirat(fd, ".", &list, no_dots, NULL) : -1;
	bool found = n < 0;	/* who knows */
	struct stat sb;

	for (int i = 0; i < n && !found; i++)
		if (fstatat(fd, list[i]->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0)
			found = S_ISREG(sb.st_mode) || (S_ISDIR(sb.st_mode) && holds_file(fd, list[i]->d_name,
			    depth + 1));
	if (n >= 0)
		list_free(list, n);
	return found;
}

/*
 * All in the folder at the descriptor; listed is its path in the list (it grows and shrinks), from skip on that
 * below base.
 */
static void
walk(struct tree *t, const struct fit *fit, int fd, struct sp_buf *listed, size_t skip, unsigned depth)
{
	struct dirent **list = NULL;
	int n = scandirat(fd, ".", &list, no_dots, alphasort);
	size_t length = listed->len;

	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		struct sp_span path, below;
		struct stat sb;

		if (length > 0)
			sp_buf_add_u8(listed, '/');
		sp_buf_add_text(listed, name);
		path = sp_buf_span(listed);
		below = sp_span(path.p + skip, path.n - skip);
		if (fstatat(fd, name, &sb, AT_SYMLINK_NOFOLLOW) != 0) {
			/* what is listed there counts as missing in the end */
		} else if (S_ISREG(sb.st_mode)) {
			check_file(t, fit, path, below, fd, name);
		} else if (S_ISDIR(sb.st_mode) && !is_listed(t, path)) {
			if (holds_file(fd, name, depth))
				say_unlisted(t, fit, below, true);
		} else if (S_ISDIR(sb.st_mode) && depth < SP_DEPTH_MAX) {
			SP_AUTO_FD next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (next >= 0)
				walk(t, fit, next, listed, skip, depth + 1);
			else
				cannot_enter(t, fit, path);
		}
		listed->len = length;
	}
	if (n >= 0)
		list_free(list, n);
	else
		cannot_enter(t, fit, sp_buf_span(listed));
}

/* ---- which lines a PATH stands for ---- */
/* How many of some lines, spread over those of the fit, are there. */
static unsigned
hits(const struct tree *t, const struct fit *fit)
{
	const uint32_t most = 32, n = fit->end - fit->first;
	unsigned found = 0;

	for (uint32_t i = 0; i < n && i < most; i++) {
		SP_AUTO_DONE(sp_buf) path = { 0 };
		struct sp_span line = line_path(t->files, fit->first + (n <= most ? i : (uint32_t)((uint64_t)i * n / most)));
		size_t skip = fit->prefix.n;
		struct stat sb;

		sp_buf_add_text(&path, fit->base);
		if (skip == 0)
			sp_buf_add_u8(&path, '/');
		sp_buf_add(&path, line.p + skip, line.n - skip);
		found += lstat(sp_buf_cstr(&path), &sb) == 0;
	}
	return found;
}

static void
set_range(const struct tree *t, struct fit *fit)
{
	fit->first = fit->end = lower(t, fit->prefix);
	while (fit->end < t->count && is_below(line_path(t->files, fit->end), fit->prefix))
		fit->end++;
}

/* The best fit of a real path, folder or file; false if no line stands for it. */
static bool
find_fit(const struct tree *t, const char *real, bool folder, struct fit *ret_fit)
{
	struct fit best = { .base = real };
	unsigned most = 0;
	bool any = false;

	for (const char *p = real; p != NULL; p = strchr(p, '/')) {
		struct fit fit = { .base = real, .prefix = sp_span_str(++p) };
		unsigned n;

		if (fit.prefix.n == 0 || !is_listed(t, fit.prefix))
			continue;
		set_range(t, &fit);
		n = hits(t, &fit);
		if (!any || n > most) {
			best = fit;
			most = n;
		}
		any = true;
	}
	if (folder) {
		struct fit fit = { .base = real, .end = t->count };
		unsigned n = hits(t, &fit);

		if (n > most) {
			best = fit;
			any = true;
		}
	}
	*ret_fit = best;
	return any;
}

/* Checks all that the fit covers; what was not met on the way is missing. */
static void
check_fit(struct tree *t, const struct fit *fit, bool folder)
{
	SP_AUTO_DONE(sp_buf) listed = { 0 };
	size_t skip = fit->prefix.n > 0 ? fit->prefix.n + 1 : 0;

	t->done = t->whole = 0;
	t->progress.count = 0;
	for (uint32_t i = fit->first; i < fit->end; i++)
		t->whole += sp_files_line(t->files, i).size;
	sp_buf_add_span(&listed, fit->prefix);
	if (folder) {
		SP_AUTO_FD fd = open(fit->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			walk(t, fit, fd, &listed, skip, 0);
		else
			cannot_enter(t, fit, fit->prefix);
	} else {
		check_file(t, fit, fit->prefix, sp_span(NULL, 0), AT_FDCWD, fit->base);
	}
	for (uint32_t i = fit->first; i < fit->end; i++)
		if (t->seen[i] != t->number)
			judge(t, fit, i, sp_files_line(t->files, i).print.state == SP_PRINT_CHANGED ? TREE_CHANGED :
			    TREE_MISSING);
}

bool
tree_check(struct tree *t, const char *path)
{
	SP_AUTO_MEM char *real = realpath(path, NULL);
	struct stat sb;
	struct fit fit;
	bool folder;

	t->number++;
	t->good = true;
	if (real == NULL || stat(real, &sb) != 0) {
		cli_fail(t->cli, SP_E_NOTFOUND, NULL, "%s: %s", path, strerror(errno));
		return false;
	}
	folder = S_ISDIR(sb.st_mode);
	if (!find_fit(t, real, folder, &fit)) {
		cli_fail(t->cli, SP_E_NOTFOUND,
		    "name what was sent, a copy of it, or the folder in which it was received",
		    folder ? "nothing in %s is listed by this receipt" : "%s is not listed by this receipt", path);
		return false;
	}
	check_fit(t, &fit, folder);
	return t->good;
}
