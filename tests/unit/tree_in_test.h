/*
 * tree_in_test.h - folders and files for tests: a fresh temporary folder, files in it, its removal.
 */
#ifndef SP_TESTS_TREE_IN_TEST_H
#define SP_TESTS_TREE_IN_TEST_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"

static char tree_dir[64];	/* of this test; removed by tree_done() */

static inline void
tree_new(void)
{
	strcpy(tree_dir, "/tmp/sp-tree-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tree_dir));
}

static inline void
tree_done(void)
{
	ck_assert_int_eq(sp_rmtree(tree_dir, NULL), SP_OK);
}

/* The path of a name in the temporary folder; four of them are valid at a time. */
static inline const char *
tree_path(const char *name)
{
	static char paths[4][512];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, 512, "%s/%s", tree_dir, name);
	return p;
}

static inline void
tree_folder(const char *name)
{
	ck_assert_int_eq(mkdir(tree_path(name), 0755), 0);
}

static inline void
tree_file(const char *name, const void *bytes, size_t n, mode_t mode)
{
	int fd = open(tree_path(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(close(fd), 0);
}

static inline void
tree_text(const char *name, const char *text)
{
	tree_file(name, text, strlen(text), 0644);
}

/* A time of its own for a path, itself and not what it links to. */
static inline void
tree_time(const char *name, time_t sec, long nsec)
{
	const struct timespec times[2] = { { sec, nsec }, { sec, nsec } };

	ck_assert_int_eq(utimensat(AT_FDCWD, tree_path(name), times, AT_SYMLINK_NOFOLLOW), 0);
}

static inline bool
tree_has(const char *name)
{
	struct stat sb;

	return lstat(tree_path(name), &sb) == 0;
}

#endif
