/*
 * room.c - asks the file system. One that does not answer is no reason to refuse: writing will show.
 */
#include "peerd/data/room.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "common/base/auto.h"
#include "common/base/fault.h"

/* Of the folder, or of the nearest one above that is there. */
static bool
look(const char *folder, struct statvfs *ret_fs)
{
	SP_AUTO_MEM char *path = strdup(folder);
	char *slash;

	if (path == NULL)
		return false;
	while (statvfs(path, ret_fs) != 0) {
		slash = strrchr(path, '/');
		if (errno != ENOENT || slash == NULL || slash == path)
			return false;
		*slash = 0;
	}
	return true;
}

static uint64_t
bytes(uint64_t blocks, const struct statvfs *fs)
{
	uint64_t n;

	return __builtin_mul_overflow(blocks, (uint64_t)fs->f_frsize, &n) ? UINT64_MAX : n;
}

enum sp_status
room_ask(const char *folder, uint64_t need, uint64_t promised, uint64_t reserve, struct sp_why *why)
{
	struct statvfs fs;
	uint64_t all, room, wanted;

	if ((errno = SP_FAULT_ERRNO("room")) != 0)
		return sp_fail_errno(SP_E_IO, why, "no room for what is to come");
	if (reserve == 0 || !look(folder, &fs))
		return SP_OK;
	all = bytes(fs.f_blocks, &fs);
	room = bytes(fs.f_bavail, &fs);
	if (__builtin_add_overflow(need, reserve, &wanted) || wanted > all)
		return sp_fail(SP_E_LIMIT, why, "%llu bytes are to come; the disk has %llu in all, of which %llu are to stay free",
		    (unsigned long long)need, (unsigned long long)all, (unsigned long long)reserve);
	if (__builtin_add_overflow(wanted, promised, &wanted) || wanted > room)
		return sp_fail(SP_E_SPACE, why, "%llu bytes are to come, and %llu for others; the disk has room for %llu, of "
		    "which %llu are to stay free", (unsigned long long)need, (unsigned long long)promised,
		    (unsigned long long)room, (unsigned long long)reserve);
	return SP_OK;
}

enum sp_status
room_left(int folder, uint64_t reserve, struct sp_why *why)
{
	struct statvfs fs;
	uint64_t room;

	if (reserve == 0 || folder < 0 || fstatvfs(folder, &fs) != 0)
		return SP_OK;
	room = bytes(fs.f_bavail, &fs);
	if (room >= reserve)
		return SP_OK;
	return sp_fail(SP_E_SPACE, why, "only %llu bytes are free on the disk, and %llu are to stay free", (unsigned long long)room,
	    (unsigned long long)reserve);
}
