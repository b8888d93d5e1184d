/*
 * walk.c - one PATH turned into entries: fstatat and openat below held descriptors, siblings in the order of their
 * bytes.
 *
 * Nothing is followed. What vanishes or is exchanged between two looks is an error, never a guess: whoever sends a
 * tree that is being changed hears so at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "peerd/source/names.h"
#include "peerd/source/source_in.h"

struct walk {
	struct source *s;		/* borrowed */
	struct sp_inodes *seen;	/* borrowed */
	const struct source_path *root;	/* borrowed */
	struct sp_why *why;
	char path[SP_PATH_MAX + 1];	/* of the entry in hand, terminated */
	size_t len;
	unsigned depth;
	char shown[120];		/* leaves room for the reason */
};

static enum sp_status walk_entry(struct walk *w, int folder, const char *name);

/* Where the entry lies on this machine, for people; the end is what tells most. */
static const char *
shown(struct walk *w)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	const char *from;

	sp_printable_add(&text, sp_span_str(strcmp(w->root->parent, "/") == 0 ? "" : w->root->parent));
	sp_buf_add_text(&text, "/");
	sp_printable_add(&text, sp_span(w->path, w->len));
	from = sp_buf_cstr(&text);
	if (text.len < sizeof(w->shown))
		snprintf(w->shown, sizeof(w->shown), "%s", from);
	else
		snprintf(w->shown, sizeof(w->shown), "...%s", from + text.len - (sizeof(w->shown) - 4));
	return w->shown;
}

static enum sp_status
exchanged(struct walk *w)
{
	return sp_fail(SP_E_CHANGED, w->why, "%s was exchanged while the tree was read", shown(w));
}

static enum sp_status
not_readable(struct walk *w, const char *what)
{
	int error = errno;
	const char *path = shown(w);

	if (error == ENOENT)
		return sp_fail(SP_E_CHANGED, w->why, "%s vanished while the tree was read", path);
	if (error == ELOOP || error == ENOTDIR)
		return exchanged(w);
	errno = error;
	return sp_fail_errno(SP_E_IO, w->why, "cannot read the %s %s", what, path);
}

static enum sp_status
add_entry(struct walk *w, const struct stat *sb, struct sp_entry *e)
{
	struct source *s = w->s;
	uint32_t number = sp_manifest_count(s->manifest);
	enum sp_status st;

	if (number >= s->stamps_cap) {
		size_t cap = s->stamps_cap == 0 ? 256 : s->stamps_cap * 2;
		struct source_stamp *stamps = reallocarray(s->stamps, cap, sizeof(*stamps));

		if (stamps == NULL)
			return SP_E_NOMEM;
		s->stamps = stamps;
		s->stamps_cap = cap;
	}
	e->path = w->path;
	e->mode = (uint16_t)(sb->st_mode & 0777);
	e->mtime_sec = sb->st_mtim.tv_sec;
	e->mtime_nsec = (uint32_t)sb->st_mtim.tv_nsec;
	e->size = e->type == SP_ENTRY_FILE ? (uint64_t)sb->st_size : 0;
	if (e->target == NULL)
		e->target = "";
	st = sp_manifest_add(s->manifest, e, w->why);
	if (st == SP_OK)
		s->stamps[number] = (struct source_stamp){ .dev = sb->st_dev, .ino = sb->st_ino,
			.ctime_sec = sb->st_ctim.tv_sec, .ctime_nsec = (uint32_t)sb->st_ctim.tv_nsec };
	return st;
}

/* Asks the kernel only where the mode does not say it: most files are the user's own. */
static bool
is_readable(int folder, const char *name, const struct stat *sb)
{
	if (sb->st_uid == geteuid() && (sb->st_mode & S_IRUSR) != 0)
		return true;
	return faccessat(folder, name, R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0;
}

static enum sp_status
walk_file(struct walk *w, int folder, const char *name, const struct stat *sb)
{
	struct sp_entry e = { .type = SP_ENTRY_FILE };
	char first_path[SP_PATH_MAX + 1];
	uint32_t number = sp_manifest_count(w->s->manifest), first = number;
	bool known = false;
	enum sp_status st;

	if (!is_readable(folder, name, sb))
		return not_readable(w, "file");
	if (sb->st_nlink > 1) {
		st = sp_inodes_meet(w->seen, sb->st_dev, sb->st_ino, number, &known, &first);
		if (st != SP_OK)
			return st;
	}
	if (known) {
		struct sp_entry file = sp_manifest_entry(w->s->manifest, first);

		/* A copy: what the manifest lends ends with the next entry. */
		memcpy(first_path, file.path, file.path_len + 1);
		e.type = SP_ENTRY_HARDLINK;
		e.target = first_path;
	}
	return add_entry(w, sb, &e);
}

static enum sp_status
walk_symlink(struct walk *w, int folder, const char *name, const struct stat *sb)
{
	char target[SP_TARGET_MAX + 2];
	struct sp_entry e = { .type = SP_ENTRY_SYMLINK, .target = target };
	ssize_t n = readlinkat(folder, name, target, sizeof(target) - 1);

	if (n < 0)
		return errno == EINVAL ? exchanged(w) : not_readable(w, "link");
	target[n] = 0;
	return add_entry(w, sb, &e);
}

static enum sp_status
walk_folder(struct walk *w, int parent, const char *name, const struct stat *sb)
{
	SP_AUTO_FD folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	SP_AUTO_DONE(source_names) names = { 0 };
	struct sp_entry e = { .type = SP_ENTRY_FOLDER };
	struct stat now;
	enum sp_status st;

	if (folder < 0 || fstat(folder, &now) != 0)
		return not_readable(w, "folder");
	if (now.st_dev != sb->st_dev || now.st_ino != sb->st_ino)
		return exchanged(w);
	if ((st = add_entry(w, sb, &e)) != SP_OK)
		return st;
	st = source_names_read(&names, folder);
	if (st == SP_E_IO)
		return not_readable(w, "folder");
	if (st == SP_E_LIMIT)
		return sp_fail(st, w->why, "%s holds more than %d entries", shown(w), SP_ENTRIES_MAX);
	for (size_t i = 0; i < names.count && st == SP_OK; i++)
		st = walk_entry(w, folder, source_names_get(&names, i));
	return st;
}

static enum sp_status
walk_by_type(struct walk *w, int folder, const char *name)
{
	struct stat sb;

	if (fstatat(folder, name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
		return not_readable(w, "entry");
	if (S_ISREG(sb.st_mode))
		return walk_file(w, folder, name, &sb);
	if (S_ISDIR(sb.st_mode))
		return walk_folder(w, folder, name, &sb);
	if (S_ISLNK(sb.st_mode))
		return walk_symlink(w, folder, name, &sb);
	w->s->left_out++;
	return SP_OK;
}

static enum sp_status
walk_entry(struct walk *w, int folder, const char *name)
{
	size_t before = w->len, n = strlen(name);
	enum sp_status st;

	if (before + n + 1 > SP_PATH_MAX || w->depth >= SP_DEPTH_MAX)
		return sp_fail(SP_E_LIMIT, w->why, "%s: folders lie more than %d deep in one another, or a path is over %d bytes",
		    shown(w), SP_DEPTH_MAX, SP_PATH_MAX);
	if (before > 0)
		w->path[w->len++] = '/';
	memcpy(w->path + w->len, name, n + 1);
	w->len += n;
	w->depth++;
	st = walk_by_type(w, folder, name);
	w->depth--;
	w->len = before;
	w->path[before] = 0;
	return st;
}

enum sp_status
source_walk_path(struct source *s, struct sp_inodes *seen, const struct source_path *path, struct sp_why *why)
{
	struct walk *w = calloc(1, sizeof(*w));
	struct stat sb;
	enum sp_status st;

	if (w == NULL)
		return SP_E_NOMEM;
	*w = (struct walk){ .s = s, .seen = seen, .root = path, .why = why };
	if (fstatat(path->folder, path->name, &sb, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		st = sp_fail(SP_E_NOTFOUND, why, "there is no %s%s%s", path->parent,
		    strcmp(path->parent, "/") == 0 ? "" : "/", path->name);
	else
		st = walk_entry(w, path->folder, path->name);
	free(w);
	return st;
}
