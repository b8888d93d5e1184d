/*
 * file.c - small files read whole and replaced atomically; folders made and removed without following links.
 */
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum sp_status
sp_write_all(int fd, const void *p, size_t n, struct sp_why *why)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t got = write(fd, at, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return sp_fail_errno(SP_E_IO, why, "cannot write");
		at += got;
		n -= (size_t)got;
	}
	return SP_OK;
}

enum sp_status
sp_file_read(const char *path, size_t max, struct sp_buf *out, struct sp_why *why)
{
	SP_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t total = 0;

	if (fd < 0)
		return sp_fail_errno(errno == ENOENT ? SP_E_NOTFOUND : SP_E_IO, why, "cannot open %s", path);
	for (;;) {
		uint8_t part[8192];
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sp_fail_errno(SP_E_IO, why, "cannot read %s", path);
		if (n == 0)
			break;
		total += (size_t)n;
		if (total <= max)
			sp_buf_add(out, part, (size_t)n);
		if (out->secret)
			sp_wipe(part, sizeof(part));
		if (total > max)
			return sp_fail(SP_E_LONG, why, "%s is longer than %zu bytes", path, max);
	}
	return sp_buf_status(out);
}

enum sp_status
sp_sync_dir(const char *path, struct sp_why *why)
{
	SP_AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot sync %s", path);
	return SP_OK;
}

static enum sp_status
write_synced(const char *path, struct sp_span bytes, mode_t mode, struct sp_why *why)
{
	SP_AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	enum sp_status st;

	if (fd < 0)
		return sp_fail_errno(SP_E_IO, why, "cannot create %s", path);
	if (fchmod(fd, mode) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot set the mode of %s", path);
	st = sp_write_all(fd, bytes.p, bytes.n, why);
	if (st == SP_OK && fsync(fd) != 0)
		st = sp_fail_errno(SP_E_IO, why, "cannot sync %s", path);
	return st;
}

/* The folder that a path lies in. */
static enum sp_status
sync_parent(const char *path, struct sp_why *why)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return sp_sync_dir(".", why);
	snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return sp_sync_dir(dir, why);
}

enum sp_status
sp_file_put(const char *path, struct sp_span bytes, mode_t mode, struct sp_why *why)
{
	enum sp_status st = write_synced(path, bytes, mode, why);

	if (st != SP_OK) {
		unlink(path);
		return st;
	}
	return sync_parent(path, why);
}

enum sp_status
sp_file_write(const char *path, struct sp_span bytes, mode_t mode, struct sp_why *why)
{
	char temp[PATH_MAX];
	enum sp_status st;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return sp_fail(SP_E_ARGUMENT, why, "the path %s is too long", path);
	st = write_synced(temp, bytes, mode, why);
	if (st == SP_OK && rename(temp, path) != 0)
		st = sp_fail_errno(SP_E_IO, why, "cannot replace %s", path);
	if (st != SP_OK) {
		unlink(temp);
		return st;
	}
	return sync_parent(path, why);
}

enum sp_status
sp_mkdirs(const char *path, mode_t mode, struct sp_why *why)
{
	char part[PATH_MAX];
	size_t n = strlen(path);
	struct stat st;

	if (n == 0 || n >= sizeof(part))
		return sp_fail(SP_E_ARGUMENT, why, "the path is empty or too long");
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != 0)
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (mkdir(part, mode) != 0 && errno != EEXIST)
			return sp_fail_errno(SP_E_IO, why, "cannot make %s", part);
	}
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return sp_fail(SP_E_IO, why, "%s is there and no folder", path);
	return SP_OK;
}

/* Opens a folder to empty it, also one whose mode forbids that to its owner. */
static int
open_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	SP_AUTO_FD seen = -1;
	char path[64];

	if (fd >= 0 || errno != EACCES)
		return fd;
	seen = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", seen);
	if (seen < 0 || chmod(path, 0700) != 0)
		return -1;
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static enum sp_status
remove_below(int parent, const char *name, int depth, struct sp_why *why)
{
	int fd = open_folder(parent, name);
	struct dirent *e;
	DIR *dir;
	enum sp_status st = SP_OK;

	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return unlinkat(parent, name, 0) == 0 || errno == ENOENT ? SP_OK :
		    sp_fail_errno(SP_E_IO, why, "cannot remove %s", name);
	if (fd < 0)
		return errno == ENOENT ? SP_OK : sp_fail_errno(SP_E_IO, why, "cannot open %s", name);
	dir = depth < 4096 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		close(fd);
		return sp_fail(SP_E_IO, why, "cannot list %s", name);
	}
	(void)fchmod(fd, 0700);
	while (st == SP_OK && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			st = remove_below(dirfd(dir), e->d_name, depth + 1, why);
	closedir(dir);
	if (st == SP_OK && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		st = sp_fail_errno(SP_E_IO, why, "cannot remove %s", name);
	return st;
}

enum sp_status
sp_rmtree(const char *path, struct sp_why *why)
{
	return remove_below(AT_FDCWD, path, 0, why);
}
