/*
 * beneath.c - openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, which the C library has no call for yet.
 */
#include "common/base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "common/base/auto.h"

static int
open_once(int root, const char *path, size_t len, int flags, mode_t mode)
{
	char text[PATH_MAX];
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = (flags & O_CREAT) != 0 ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	if (len >= sizeof(text)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(text, len == 0 ? "." : path, len == 0 ? 1 : len);
	text[len == 0 ? 1 : len] = 0;
	return (int)syscall(SYS_openat2, root, text, &how, sizeof(how));
}

int
sp_open_beneath(int root, const char *path, size_t len, int flags, mode_t mode)
{
	SP_AUTO_FD folder = -1;
	const char *slash;

	if (len < PATH_MAX)
		return open_once(root, path, len, flags, mode);
	slash = memrchr(path, '/', len);
	if (slash == NULL) {
		errno = ENAMETOOLONG;
		return -1;
	}
	folder = open_once(root, path, (size_t)(slash - path), O_PATH | O_DIRECTORY, 0);
	if (folder < 0)
		return -1;
	return open_once(folder, slash + 1, len - (size_t)(slash + 1 - path), flags, mode);
}
