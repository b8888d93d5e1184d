/*
 * names.c - reading a folder whole, so that its names can be sorted: two allocations a folder, however many names.
 */
#include "peerd/source/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/limits.h"

static enum sp_status
add(struct source_names *n, const char *name)
{
	size_t cap = n->cap == 0 ? 64 : n->cap * 2;
	uint32_t *at;

	if (n->count >= SP_ENTRIES_MAX)
		return SP_E_LIMIT;
	if (n->count == n->cap) {
		at = reallocarray(n->at, cap, sizeof(*at));
		if (at == NULL)
			return SP_E_NOMEM;
		n->at = at;
		n->cap = cap;
	}
	n->at[n->count++] = (uint32_t)n->text.len;
	sp_buf_add(&n->text, name, strlen(name) + 1);
	return sp_buf_status(&n->text);
}

/* strcmp() compares as unsigned bytes, and a name that another one begins with comes first: the order of a
 * manifest. */
static int
by_bytes(const void *a, const void *b, void *text)
{
	return strcmp((const char *)text + *(const uint32_t *)a, (const char *)text + *(const uint32_t *)b);
}

enum sp_status
source_names_read(struct source_names *n, int folder)
{
	SP_AUTO_FD own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum sp_status st = SP_OK;
	struct dirent *e;
	DIR *dir;
	int error;

	if (own < 0 || (dir = fdopendir(own)) == NULL)
		return SP_E_IO;
	sp_take_fd(&own);
	n->text.max = (size_t)SP_ENTRIES_MAX * (SP_COMPONENT_MAX + 1);
	while (errno = 0, st == SP_OK && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			st = add(n, e->d_name);
	error = errno;
	closedir(dir);
	if (st == SP_OK && error != 0) {
		errno = error;
		return SP_E_IO;
	}
	if (st == SP_OK && n->count > 1)
		qsort_r(n->at, n->count, sizeof(*n->at), by_bytes, n->text.data);
	return st;
}

void
source_names_done(struct source_names *n)
{
	sp_buf_done(&n->text);
	free(n->at);
	*n = (struct source_names){ 0 };
}
