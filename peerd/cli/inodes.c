/*
 * inodes.c - a hash table by device and inode. A file that changed since (size, times) is not found.
 */
#include "peerd/cli/inodes.h"

#include <stdlib.h>

struct inodes_row {
	bool used;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
	struct sp_print print;
};

void
inodes_done(struct inodes *t)
{
	free(t->rows);
	*t = (struct inodes){ 0 };
}

/* The row of this file, or the free one where it would stand. */
static struct inodes_row *
place(struct inodes_row *rows, size_t cap, dev_t device, ino_t inode)
{
	uint64_t at = ((uint64_t)inode * 0x9e3779b97f4a7c15u) ^ (uint64_t)device;

	at ^= at >> 29;
	for (;; at++) {
		struct inodes_row *r = &rows[at & (cap - 1)];

		if (!r->used || (r->device == device && r->inode == inode))
			return r;
	}
}

bool
inodes_find(const struct inodes *t, const struct stat *sb, struct sp_print *ret_print)
{
	const struct inodes_row *r;

	if (sb->st_nlink < 2 || t->count == 0)
		return false;
	r = place(t->rows, t->cap, sb->st_dev, sb->st_ino);
	if (!r->used || r->size != sb->st_size || r->changed.tv_sec != sb->st_ctim.tv_sec ||
	    r->changed.tv_nsec != sb->st_ctim.tv_nsec)
		return false;
	*ret_print = r->print;
	return true;
}

static bool
grow(struct inodes *t)
{
	size_t cap = t->cap > 0 ? 2 * t->cap : 1024;
	struct inodes_row *rows = calloc(cap, sizeof(*rows));

	if (rows == NULL)
		return false;
	for (size_t i = 0; i < t->cap; i++)
		if (t->rows[i].used)
			*place(rows, cap, t->rows[i].device, t->rows[i].inode) = t->rows[i];
	free(t->rows);
	t->rows = rows;
	t->cap = cap;
	return true;
}

void
inodes_add(struct inodes *t, const struct stat *sb, const struct sp_print *print)
{
	struct inodes_row *r;

	if (sb->st_nlink < 2 || (4 * (t->count + 1) > 3 * t->cap && !grow(t)))
		return;
	r = place(t->rows, t->cap, sb->st_dev, sb->st_ino);
	t->count += !r->used;
	*r = (struct inodes_row){ true, sb->st_dev, sb->st_ino, sb->st_size, sb->st_ctim, *print };
}
