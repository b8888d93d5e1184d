/*
 * inodes.c - prints by device and inode. A file that changed since (size, times) is not found.
 */
#include "peerd/cli/inodes.h"

#include <stdlib.h>

struct inodes_row {
	off_t size;
	struct timespec changed;
	struct sp_print print;
};

void
inodes_done(struct inodes *t)
{
	sp_inodes_done(&t->numbers);
	free(t->rows);
	*t = (struct inodes){ 0 };
}

bool
inodes_find(const struct inodes *t, const struct stat *sb, struct sp_print *ret_print)
{
	const struct inodes_row *r;
	uint32_t number;

	if (sb->st_nlink < 2 || !sp_inodes_find(&t->numbers, sb->st_dev, sb->st_ino, &number))
		return false;
	r = &t->rows[number];
	if (r->size != sb->st_size || r->changed.tv_sec != sb->st_ctim.tv_sec || r->changed.tv_nsec != sb->st_ctim.tv_nsec)
		return false;
	*ret_print = r->print;
	return true;
}

static bool
grow(struct inodes *t)
{
	uint32_t room = t->room > 0 ? 2 * t->room : 1024;
	struct inodes_row *rows = room > t->room ? reallocarray(t->rows, room, sizeof(*rows)) : NULL;

	if (rows == NULL)
		return false;
	t->rows = rows;
	t->room = room;
	return true;
}

void
inodes_add(struct inodes *t, const struct stat *sb, const struct sp_print *print)
{
	uint32_t number;
	bool known;

	if (sb->st_nlink < 2 || (t->count == t->room && !grow(t)) ||
	    sp_inodes_meet(&t->numbers, sb->st_dev, sb->st_ino, t->count, &known, &number) != SP_OK)
		return;
	t->count += !known;
	t->rows[number] = (struct inodes_row){ sb->st_size, sb->st_ctim, *print };
}
