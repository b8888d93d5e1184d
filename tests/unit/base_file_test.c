/*
 * base_file_test.c - small files read and replaced, folders made and removed, in a folder of its own that must be empty after.
 */
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/unit.h"

static char dir[] = "/tmp/sp-file-XXXXXX";

/* dir/name; four can be in use at once. */
static const char *
in(const char *name)
{
	static char paths[4][256];
	static int next;
	char *path = paths[next % 4];

	if (next++ == 0)
		ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static bool
is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

START_TEST(files_are_written_whole_and_read_back)
{
	SP_AUTO_DONE(sp_buf) b = { 0 };
	SP_AUTO_DONE(sp_buf) big = { 0 };
	struct stat st;

	umask(0077);
	ck_status(sp_file_write(in("f"), sp_span_str("old"), 0600, NULL), SP_OK);
	ck_status(sp_file_write(in("f"), sp_span_str("new"), 0644, NULL), SP_OK);
	ck_assert_int_eq(stat(in("f"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0644);
	ck_assert(!is_there(in("f.new")));
	sp_buf_add_text(&b, "before ");
	ck_status(sp_file_read(in("f"), 3, &b, NULL), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&b), "before new");
	for (int i = 0; i < 50000; i++)
		sp_buf_add_u8(&big, (uint8_t)i);
	ck_status(sp_file_write(in("f"), sp_buf_span(&big), 0600, NULL), SP_OK);
	sp_buf_clear(&b);
	ck_status(sp_file_read(in("f"), 50000, &b, NULL), SP_OK);
	ck_assert(sp_span_eq(sp_buf_span(&b), sp_buf_span(&big)));
	ck_status(sp_file_write(in("empty"), sp_span(NULL, 0), 0600, NULL), SP_OK);
	sp_buf_clear(&b);
	ck_status(sp_file_read(in("empty"), 0, &b, NULL), SP_OK);
	ck_assert_uint_eq(b.len, 0);
	ck_status(sp_rmtree(dir, NULL), SP_OK);
	ck_assert(!is_there(dir));
}
END_TEST

START_TEST(a_file_is_put_in_its_place)
{
	SP_AUTO_DONE(sp_buf) b = { 0 };
	struct stat st;

	umask(0077);
	ck_status(sp_file_put(in("f"), sp_span_str("what was longer"), 0600, NULL), SP_OK);
	ck_status(sp_file_put(in("f"), sp_span_str("new"), 0644, NULL), SP_OK);
	ck_assert_int_eq(stat(in("f"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0644);
	ck_status(sp_file_read(in("f"), 3, &b, NULL), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&b), "new");
	ck_status(sp_file_put(in("none/f"), sp_span_str("x"), 0600, NULL), SP_E_IO);
	ck_assert_int_eq(symlink(in("target"), in("g")), 0);
	ck_status(sp_file_put(in("g"), sp_span_str("x"), 0600, NULL), SP_E_IO);
	ck_assert(!is_there(in("target")));
	ck_status(sp_rmtree(dir, NULL), SP_OK);
}
END_TEST

START_TEST(what_cannot_be_read_or_written_says_so)
{
	SP_AUTO_DONE(sp_buf) b = { 0 };
	SP_AUTO_DONE(sp_buf) small = { .max = 2 };
	struct sp_why why = { "" };

	ck_status(sp_file_read(in("none"), 10, &b, &why), SP_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(why.text, in("none")));
	ck_status(sp_file_read(dir, 10, &b, &why), SP_E_IO);
	ck_status(sp_file_write(in("f"), sp_span_str("1234"), 0600, &why), SP_OK);
	ck_status(sp_file_read(in("f"), 3, &b, &why), SP_E_LONG);
	ck_assert_ptr_nonnull(strstr(why.text, "longer than 3 bytes"));
	ck_status(sp_file_read(in("f"), 4, &small, &why), SP_E_LONG);
	ck_status(sp_file_write(in("none/f"), sp_span_str("x"), 0600, &why), SP_E_IO);
	ck_assert_int_eq(mkdir(in("d"), 0700), 0);
	ck_status(sp_file_write(in("d"), sp_span_str("x"), 0600, &why), SP_E_IO);
	ck_assert(!is_there(in("d.new")));
	/* a link where the temporary file goes is not followed */
	ck_assert_int_eq(symlink(in("target"), in("g.new")), 0);
	ck_status(sp_file_write(in("g"), sp_span_str("x"), 0600, &why), SP_E_IO);
	ck_assert(!is_there(in("target")));
	ck_status(sp_rmtree(dir, NULL), SP_OK);
}
END_TEST

START_TEST(a_full_disk_is_told_from_other_errors)
{
	SP_AUTO_FD fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct sp_why why = { "" };

	if (fd < 0)
		return;
	ck_status(sp_write_all(fd, "x", 1, &why), SP_E_SPACE);
	ck_assert_ptr_nonnull(strstr(why.text, strerror(ENOSPC)));
	ck_status(sp_write_all(-1, "x", 1, &why), SP_E_IO);
	ck_status(sp_write_all(-1, NULL, 0, &why), SP_OK);
}
END_TEST

START_TEST(folders_are_made_with_parents)
{
	struct sp_why why = { "" };
	struct stat st;

	ck_status(sp_mkdirs(in("a/b//c/"), 0750, &why), SP_OK);
	ck_assert_int_eq(stat(in("a/b/c"), &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_status(sp_mkdirs(in("a/b/c"), 0750, &why), SP_OK);
	ck_status(sp_mkdirs("/", 0750, &why), SP_OK);
	ck_status(sp_mkdirs("", 0750, &why), SP_E_ARGUMENT);
	ck_status(sp_file_write(in("a/f"), sp_span_str("x"), 0600, &why), SP_OK);
	ck_status(sp_mkdirs(in("a/f"), 0750, &why), SP_E_IO);
	ck_status(sp_mkdirs(in("a/f/g"), 0750, &why), SP_E_IO);
	ck_status(sp_sync_dir(in("a"), &why), SP_OK);
	ck_status(sp_sync_dir(in("a/f"), &why), SP_E_IO);
	ck_status(sp_sync_dir(in("none"), &why), SP_E_IO);
	ck_status(sp_rmtree(dir, NULL), SP_OK);
}
END_TEST

START_TEST(trees_are_removed_without_following_links)
{
	struct sp_why why = { "" };

	ck_status(sp_mkdirs(in("keep"), 0700, &why), SP_OK);
	ck_status(sp_file_write(in("keep/f"), sp_span_str("x"), 0600, &why), SP_OK);
	ck_status(sp_mkdirs(in("t/a/b"), 0700, &why), SP_OK);
	ck_assert_int_eq(symlink("../../keep", in("t/a/link")), 0);
	ck_assert_int_eq(symlink("nowhere", in("t/dangling")), 0);
	ck_status(sp_file_write(in("t/a/b/f"), sp_span_str("x"), 0400, &why), SP_OK);
	ck_status(sp_rmtree(in("t"), &why), SP_OK);
	ck_assert(!is_there(in("t")));
	ck_assert(is_there(in("keep/f")));
	ck_status(sp_rmtree(in("t"), &why), SP_OK);
	/* a link itself, and a plain file */
	ck_assert_int_eq(symlink("keep", in("l")), 0);
	ck_status(sp_rmtree(in("l"), &why), SP_OK);
	ck_assert(!is_there(in("l")));
	ck_status(sp_rmtree(in("keep/f"), &why), SP_OK);
	ck_assert(is_there(in("keep")));
	ck_status(sp_rmtree(dir, NULL), SP_OK);
}
END_TEST

/* Folders that came with modes that shut their owner out; root isn't, so a child becomes another user. */
static int
remove_closed(void)
{
	if (geteuid() == 0 && setuid(65534) != 0)
		return 1;
	if (sp_mkdirs(in("t/a/b"), 0700, NULL) != SP_OK || chmod(in("t/a/b"), 0) != 0 || chmod(in("t/a"), 0500) != 0 ||
	    chmod(in("t"), 0) != 0)
		return 2;
	if (sp_rmtree(in("t"), NULL) != SP_OK || is_there(in("t")))
		return 3;
	return sp_rmtree(dir, NULL) == SP_OK ? 0 : 4;
}

START_TEST(closed_folders_are_removed_too)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(remove_closed());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

UNIT_MAIN("base/file", files_are_written_whole_and_read_back, a_file_is_put_in_its_place,
    what_cannot_be_read_or_written_says_so,
    a_full_disk_is_told_from_other_errors, folders_are_made_with_parents, trees_are_removed_without_following_links,
    closed_folders_are_removed_too)
