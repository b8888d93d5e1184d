/*
 * base_beneath_test.c - opening below a folder: what is there opens, whatever leads out does not.
 */
#include "common/base/beneath.h"

#include <errno.h>

#include "common/base/limits.h"
#include "tests/unit/tree_in_test.h"
#include "tests/unit/unit.h"

static int root;

static int
try(const char *path, int flags)
{
	int fd = sp_open_beneath(root, path, strlen(path), flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : errno;
}

START_TEST(nothing_leads_out)
{
	tree_new();
	tree_folder("in");
	tree_folder("in/deep");
	tree_text("in/deep/f", "x");
	tree_text("out", "x");
	ck_assert_int_eq(symlink("deep", tree_path("in/link")), 0);
	ck_assert_int_eq(symlink("..", tree_path("in/up")), 0);
	ck_assert_int_eq(symlink("deep/f", tree_path("in/last")), 0);
	root = open(tree_path("in"), O_PATH | O_DIRECTORY);
	ck_assert_int_eq(try("deep/f", O_RDONLY), 0);
	ck_assert_int_eq(try("", O_RDONLY | O_DIRECTORY), 0);
	ck_assert_int_eq(try("deep/new", O_WRONLY | O_CREAT | O_EXCL), 0);
	ck_assert(tree_has("in/deep/new"));
	ck_assert_int_eq(try("deep/new", O_WRONLY | O_CREAT | O_EXCL), EEXIST);
	ck_assert_int_eq(try("link/f", O_RDONLY), ELOOP);
	ck_assert_int_eq(try("last", O_RDONLY), ELOOP);
	ck_assert_int_eq(try("up/out", O_RDONLY), ELOOP);
	ck_assert_int_eq(try("../out", O_RDONLY), EXDEV);
	ck_assert_int_eq(try("/etc/passwd", O_RDONLY), EXDEV);
	ck_assert_int_eq(try("none", O_RDONLY), ENOENT);
	close(root);
	tree_done();
}
END_TEST

/* PATH_MAX counts the end of a text, a packet's longest path does not. */
START_TEST(the_longest_path_of_a_packet)
{
	char path[SP_PATH_MAX + 2] = "", name[256];
	int at, next;

	tree_new();
	root = open(tree_dir, O_PATH | O_DIRECTORY);
	at = dup(root);
	for (int i = 0; i < 16; i++) {
		memset(name, 'n', 255);
		name[i < 15 ? 255 : 1] = 0;
		ck_assert_int_eq(mkdirat(at, name, 0755), 0);
		next = openat(at, name, O_PATH | O_DIRECTORY);
		close(at);
		at = next;
		strcat(path, name);
		strcat(path, "/");
	}
	close(at);
	memset(path + strlen(path), 'f', SP_PATH_MAX - strlen(path));
	ck_assert_uint_eq(strlen(path), SP_PATH_MAX);
	ck_assert_int_eq(try(path, O_WRONLY | O_CREAT | O_EXCL), 0);
	ck_assert_int_eq(try(path, O_RDONLY), 0);
	path[0] = 'x';
	ck_assert_int_eq(try(path, O_RDONLY), ENOENT);
	close(root);
	tree_done();
}
END_TEST

UNIT_MAIN("base/beneath", nothing_leads_out, the_longest_path_of_a_packet)
