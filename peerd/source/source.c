/*
 * source.c - from PATHs to a source: the PATHs in order, the folders that hold them kept open, and files opened again
 * later with a look whether they still are what was walked. The walk itself is walk.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "common/base/beneath.h"
#include "common/base/fault.h"
#include "common/crypto/hash.h"
#include "common/packet/path.h"
#include "peerd/source/source_in.h"

/* The PATHs split; owned. */
struct path_list {
	struct source_path *paths;
	size_t count;
};

static void
path_list_done(struct path_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->paths[i].parent);
		free(l->paths[i].name);
	}
	free(l->paths);
}
SP_AUTO_DONE_DEFINE(path_list);

static bool
ends_in_a_name(const char *path)
{
	const char *last = strrchr(path, '/') + 1;

	return last[0] != 0 && strcmp(last, ".") != 0 && strcmp(last, "..") != 0;
}

/* Splits an absolute PATH at its last component; one that ends in none of its own is looked up for its real name. */
static enum sp_status
split(const char *path, struct source_path *ret, struct sp_why *why)
{
	SP_AUTO_MEM char *real = NULL;
	const char *slash;

	if (path[0] != '/')
		return sp_fail(SP_E_ARGUMENT, why, "%.200s is not an absolute path", path);
	if (!ends_in_a_name(path)) {
		real = realpath(path, NULL);
		if (real == NULL && (errno == ENOENT || errno == ENOTDIR))
			return sp_fail(SP_E_NOTFOUND, why, "there is no %.200s", path);
		if (real == NULL)
			return sp_fail_errno(SP_E_IO, why, "cannot read %.200s", path);
		path = real;
	}
	slash = strrchr(path, '/');
	if (slash[1] == 0)
		return sp_fail(SP_E_ARGUMENT, why, "/ as a whole cannot be sent: name the folders in it");
	ret->name = strdup(slash + 1);
	ret->parent = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	return ret->name != NULL && ret->parent != NULL ? SP_OK : SP_E_NOMEM;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct source_path *)a)->name, ((const struct source_path *)b)->name);
}

static enum sp_status
split_all(const char *const *texts, size_t count, struct path_list *ret, struct sp_why *why)
{
	enum sp_status st;

	if (count == 0)
		return sp_fail(SP_E_ARGUMENT, why, "nothing to send: name at least one path");
	ret->paths = calloc(count, sizeof(*ret->paths));
	if (ret->paths == NULL)
		return SP_E_NOMEM;
	ret->count = count;
	for (size_t i = 0; i < count; i++)
		if ((st = split(texts[i], &ret->paths[i], why)) != SP_OK)
			return st;
	qsort(ret->paths, count, sizeof(*ret->paths), by_name);
	for (size_t i = 1; i < count; i++)
		if (by_name(&ret->paths[i - 1], &ret->paths[i]) == 0)
			return sp_fail(SP_E_DUPLICATE, why,
			    "two paths end in \"%.120s\": rename one, send them separately, "
			    "or send a folder that holds both", ret->paths[i].name);
	return SP_OK;
}

/* PATHs beside one another share the descriptor of their folder. */
static enum sp_status
open_folder(struct source *s, const struct path_list *l, size_t i, struct sp_why *why)
{
	struct source_path *path = &l->paths[i];

	for (size_t j = 0; j < i; j++)
		if (strcmp(l->paths[j].parent, path->parent) == 0) {
			path->folder = l->paths[j].folder;
			return SP_OK;
		}
	if (s->nfolders >= SP_SOURCE_FOLDERS)
		return sp_fail(SP_E_LIMIT, why, "the paths lie in more than %d folders: send them in parts",
		    SP_SOURCE_FOLDERS);
	path->folder = -1;
	if ((errno = SP_FAULT_ERRNO("source-walk")) == 0)
		path->folder = open(path->parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (path->folder < 0 && (errno == ENOENT || errno == ENOTDIR))
		return sp_fail(SP_E_NOTFOUND, why, "there is no folder %.200s", path->parent);
	if (path->folder < 0)
		return sp_fail_errno(SP_E_IO, why, "cannot open the folder %.200s", path->parent);
	s->parents[s->nfolders] = strdup(path->parent);
	s->folders[s->nfolders++] = path->folder;
	return s->parents[s->nfolders - 1] != NULL ? SP_OK : SP_E_NOMEM;
}

static enum sp_status
walk_all(struct source *s, const struct path_list *l, struct sp_why *why)
{
	SP_AUTO_DONE(sp_inodes) seen = { 0 };
	enum sp_status st;

	s->roots = calloc(l->count, sizeof(*s->roots));
	s->folders = calloc(l->count, sizeof(*s->folders));
	s->parents = calloc(l->count, sizeof(*s->parents));
	if (s->roots == NULL || s->folders == NULL || s->parents == NULL)
		return SP_E_NOMEM;
	for (size_t i = 0; i < l->count; i++) {
		if ((st = open_folder(s, l, i, why)) != SP_OK)
			return st;
		s->roots[s->nroots++] = (struct source_root){ l->paths[i].folder, sp_manifest_count(s->manifest) };
		if ((st = source_walk_path(s, &seen, &l->paths[i], why)) != SP_OK)
			return st;
	}
	if (sp_manifest_count(s->manifest) == 0)
		return sp_fail(SP_E_TYPE, why, "there is nothing that can be sent: no file, folder or link");
	return SP_OK;
}

enum sp_status
source_walk(const char *const *paths, size_t count, const struct sp_manifest_head *head, struct source **ret_source,
    struct sp_why *why)
{
	SP_AUTO(source) *s = calloc(1, sizeof(*s));
	SP_AUTO_DONE(path_list) list = { 0 };
	enum sp_status st;

	if (s == NULL)
		return SP_E_NOMEM;
	if ((st = split_all(paths, count, &list, why)) != SP_OK ||
	    (st = sp_manifest_new(head, &s->manifest, why)) != SP_OK ||
	    (st = walk_all(s, &list, why)) != SP_OK ||
	    (st = sp_layout_new(s->manifest, &s->layout)) != SP_OK ||
	    (st = sp_manifest_encode(s->manifest, &s->text)) != SP_OK)
		return st;
	sp_sha256(sp_buf_span(&s->text), &s->hash);
	*ret_source = sp_take(&s);
	return SP_OK;
}

void
source_free(struct source *s)
{
	if (s == NULL)
		return;
	sp_layout_free(s->layout);
	sp_manifest_free(s->manifest);
	sp_buf_done(&s->text);
	free(s->stamps);
	for (size_t i = 0; i < s->nfolders; i++) {
		if (s->folders[i] >= 0)
			close(s->folders[i]);
		free(s->parents[i]);
	}
	free(s->folders);
	free(s->parents);
	free(s->roots);
	free(s);
}

const struct sp_manifest *
source_manifest(const struct source *s)
{
	return s->manifest;
}

const struct sp_layout *
source_layout(const struct source *s)
{
	return s->layout;
}

struct sp_span
source_manifest_text(const struct source *s)
{
	return sp_buf_span(&s->text);
}

void
source_manifest_hash(const struct source *s, struct sp_hash *out)
{
	*out = s->hash;
}

uint32_t
source_left_out(const struct source *s)
{
	return s->left_out;
}

static int
root_of(const struct source *s, uint32_t entry)
{
	size_t low = 0, high = s->nroots;

	/* The last root whose first entry is not beyond this one (of several, that which has entries at all). */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->roots[middle].first <= entry)
			low = middle;
		else
			high = middle;
	}
	return s->roots[low].folder;
}

bool
source_file_same(const struct source *s, uint32_t entry, int fd)
{
	struct sp_entry e = sp_manifest_entry(s->manifest, entry);
	const struct source_stamp *stamp = &s->stamps[entry];
	struct stat sb;

	return fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) && (uint64_t)sb.st_size == e.size &&
	    sb.st_dev == stamp->dev && sb.st_ino == stamp->ino && sb.st_mtim.tv_sec == e.mtime_sec &&
	    sb.st_mtim.tv_nsec == (long)e.mtime_nsec && sb.st_ctim.tv_sec == stamp->ctime_sec &&
	    sb.st_ctim.tv_nsec == (long)stamp->ctime_nsec;
}

enum sp_status
source_file_open(const struct source *s, uint32_t entry, int *ret_fd, struct sp_why *why)
{
	struct sp_entry e = sp_manifest_entry(s->manifest, entry);
	SP_AUTO_FD fd = -1;
	int root = root_of(s, entry);
	char shown[SP_PATH_SHOW];

	sp_path_show(sp_span(e.path, e.path_len), shown);
	errno = ENOENT;
	/* Without O_NONBLOCK a FIFO put in the file's place would hold the thread. */
	if (root >= 0)
		fd = sp_open_beneath(root, e.path, e.path_len, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV || errno == ENXIO))
		return sp_fail(SP_E_CHANGED, why, "%s is not there any more", shown);
	if (fd < 0)
		return sp_fail_errno(SP_E_IO, why, "cannot open %s", shown);
	if (!source_file_same(s, entry, fd))
		return sp_fail(SP_E_CHANGED, why, "%s was changed after it was listed", shown);
	*ret_fd = sp_take_fd(&fd);
	return SP_OK;
}
