/*
 * source_walk_test.c - PATHs become a manifest: order, names of any bytes, links, what is left out, what is refused,
 * and files that change afterwards.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/packet/path.h"
#include "peerd/source/source.h"
#include "tests/unit/tree_in_test.h"
#include "tests/unit/unit.h"

static struct sp_why why;

static struct sp_manifest_head
head(void)
{
	return (struct sp_manifest_head){ .kind = SP_PACKET_FILES, .salt = { 7 }, .person = "alice@post.example",
		.station = "alice/laptop@post.example", .title = "a test" };
}

static enum sp_status
walk(const char *const *paths, size_t count, struct source **ret)
{
	struct sp_manifest_head h = head();

	why.text[0] = 0;
	return source_walk(paths, count, &h, ret, &why);
}

static enum sp_status
walk_one(const char *path, struct source **ret)
{
	return walk(&path, 1, ret);
}

static struct sp_entry
entry_of(const struct source *s, const char *path)
{
	uint32_t n = 0;

	ck_assert_msg(sp_manifest_find(source_manifest(s), sp_span_str(path), &n), "no entry %s", path);
	return sp_manifest_entry(source_manifest(s), n);
}

static void
check_order(const struct source *s)
{
	for (uint32_t i = 1; i < sp_manifest_count(source_manifest(s)); i++) {
		struct sp_entry a = sp_manifest_entry(source_manifest(s), i - 1),
		    b = sp_manifest_entry(source_manifest(s), i);

		ck_assert_int_lt(sp_path_compare(sp_span(a.path, a.path_len), sp_span(b.path, b.path_len)), 0);
	}
}

START_TEST(a_tree_becomes_a_manifest)
{
	SP_AUTO(source) *s = NULL;
	struct sp_entry e;

	tree_new();
	tree_folder("t");
	tree_folder("t/b");
	tree_folder("t/b.d");
	tree_text("t/b/x", "hello");
	tree_text("t/b.d/y", "");
	tree_file("t/a", "abc", 3, 0640);
	tree_time("t/a", 1700000000, 123456789);
	tree_time("t/b", -5, 7);
	ck_status(walk_one(tree_path("t"), &s), SP_OK);
	ck_assert_uint_eq(sp_manifest_count(source_manifest(s)), 6);
	check_order(s);
	e = entry_of(s, "t/a");
	ck_assert_int_eq(e.type, SP_ENTRY_FILE);
	ck_assert_uint_eq(e.mode, 0640);
	ck_assert_int_eq(e.mtime_sec, 1700000000);
	ck_assert_uint_eq(e.mtime_nsec, 123456789);
	ck_assert_uint_eq(e.size, 3);
	e = entry_of(s, "t/b");
	ck_assert_int_eq(e.mtime_sec, -5);
	ck_assert_uint_eq(e.mtime_nsec, 7);
	ck_assert_uint_eq(sp_manifest_bytes(source_manifest(s)), 8);
	ck_assert_uint_eq(source_manifest_text(s).n, sp_manifest_text_length(source_manifest(s)));
	tree_done();
}
END_TEST

START_TEST(pk16_names_of_any_bytes)
{
	static const char *const names[] = { "t/new\nline", "t/\xff\xfe", "t/per%cent", "t/ blank", "t/\x01",
	    "t/\x7f", "t/-rf" };
	SP_AUTO(source) *s = NULL;

	tree_new();
	tree_folder("t");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		tree_text(names[i], "x");
	ck_status(walk_one(tree_path("t"), &s), SP_OK);
	check_order(s);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_uint_eq(entry_of(s, names[i]).size, 1);
	tree_done();
}
END_TEST

START_TEST(links_and_what_is_left_out)
{
	SP_AUTO(source) *s = NULL;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sp_entry e;

	tree_new();
	tree_folder("t");
	tree_folder("t/z");
	tree_text("t/m", "shared");
	ck_assert_int_eq(link(tree_path("t/m"), tree_path("t/z/again")), 0);
	ck_assert_int_eq(link(tree_path("t/m"), tree_path("t/n")), 0);
	ck_assert_int_eq(link(tree_path("t/m"), tree_path("elsewhere")), 0);
	ck_assert_int_eq(symlink("/etc", tree_path("t/out")), 0);
	ck_assert_int_eq(symlink("m", tree_path("t/in")), 0);
	ck_assert_int_eq(mkfifo(tree_path("t/fifo"), 0600), 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", tree_path("t/sock"));
	ck_assert_int_eq(bind(sock, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_status(walk_one(tree_path("t"), &s), SP_OK);
	check_order(s);
	ck_assert_uint_eq(source_left_out(s), 2);
	e = entry_of(s, "t/out");
	ck_assert_int_eq(e.type, SP_ENTRY_SYMLINK);
	ck_assert_str_eq(e.target, "/etc");
	ck_assert(!sp_manifest_find(source_manifest(s), sp_span_str("t/out/passwd"), &(uint32_t){ 0 }));
	ck_assert_int_eq(entry_of(s, "t/m").type, SP_ENTRY_FILE);
	e = entry_of(s, "t/n");
	ck_assert_int_eq(e.type, SP_ENTRY_HARDLINK);
	ck_assert_str_eq(e.target, "t/m");
	e = entry_of(s, "t/z/again");
	ck_assert_int_eq(e.type, SP_ENTRY_HARDLINK);
	ck_assert_uint_eq(sp_manifest_files(source_manifest(s)), 3);
	close(sock);
	tree_done();
}
END_TEST

START_TEST(each_path_enters_under_its_last_name)
{
	SP_AUTO(source) *s = NULL, *none = NULL;
	const char *paths[4];
	int fd = -1;

	tree_new();
	tree_folder("a");
	tree_folder("a/deep");
	tree_text("a/deep/f", "1");
	tree_text("zz", "22");
	tree_text("b", "333");
	ck_assert_int_eq(symlink("a", tree_path("link")), 0);
	paths[0] = tree_path("zz");
	paths[1] = tree_path("a/./deep/.");
	paths[2] = tree_path("b");
	paths[3] = tree_path("link");
	ck_status(walk(paths, 4, &s), SP_OK);
	ck_assert_uint_eq(sp_manifest_count(source_manifest(s)), 5);
	check_order(s);
	ck_assert_int_eq(entry_of(s, "link").type, SP_ENTRY_SYMLINK);
	for (uint32_t i = 0; i < 5; i++)
		if (sp_manifest_entry(source_manifest(s), i).type == SP_ENTRY_FILE) {
			ck_status(source_file_open(s, i, &fd, &why), SP_OK);
			ck_assert(source_file_same(s, i, fd));
			close(fd);
		}
	ck_status(walk_one(tree_path("a/deep/.."), &none), SP_OK);
	ck_assert_uint_eq(entry_of(none, "a").type, SP_ENTRY_FOLDER);
	source_free(sp_take(&none));
	ck_status(walk_one(tree_path("link/"), &none), SP_OK);
	ck_assert_uint_eq(entry_of(none, "a").type, SP_ENTRY_FOLDER);
	tree_done();
}
END_TEST

START_TEST(refused_paths)
{
	SP_AUTO(source) *s = NULL;
	const char *two[2];

	tree_new();
	tree_folder("x");
	tree_text("x/same", "");
	tree_text("same", "");
	two[0] = tree_path("x/same");
	two[1] = tree_path("same");
	ck_status(walk(two, 2, &s), SP_E_DUPLICATE);
	ck_assert_ptr_nonnull(strstr(why.text, "rename one"));
	ck_status(walk_one("/", &s), SP_E_ARGUMENT);
	ck_status(walk_one("/tmp/../", &s), SP_E_ARGUMENT);
	ck_status(walk_one("relative", &s), SP_E_ARGUMENT);
	ck_status(walk_one("", &s), SP_E_ARGUMENT);
	ck_status(walk_one(tree_path("gone"), &s), SP_E_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(why.text, "/gone"));
	ck_status(walk_one(tree_path("gone/."), &s), SP_E_NOTFOUND);
	ck_status(walk_one(tree_path("gone/x"), &s), SP_E_NOTFOUND);
	ck_status(walk(NULL, 0, &s), SP_E_ARGUMENT);
	ck_status(walk_one("/dev/null", &s), SP_E_TYPE);
	ck_assert_ptr_null(s);
	tree_done();
}
END_TEST

/* Root reads everything, so this looks through the eyes of an ordinary user. */
START_TEST(unreadable_fails_with_the_path)
{
	int status = 0;
	pid_t child;

	tree_new();
	ck_assert_int_eq(chmod(tree_dir, 0755), 0);
	tree_folder("t");
	tree_file("t/secret", "x", 1, 0600);
	tree_folder("d");
	tree_folder("d/closed");
	ck_assert_int_eq(chmod(tree_path("d/closed"), 0700), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		SP_AUTO(source) *s = NULL;
		bool ours = geteuid() != 0;

		if (ours ? (chmod(tree_path("t/secret"), 0) != 0 || chmod(tree_path("d/closed"), 0) != 0) :
		    setuid(65534) != 0)
			_exit(1);
		if (walk_one(tree_path("t"), &s) != SP_E_IO || strstr(why.text, "t/secret") == NULL)
			_exit(2);
		if (walk_one(tree_path("d"), &s) != SP_E_IO || strstr(why.text, "d/closed") == NULL)
			_exit(3);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(chmod(tree_path("d/closed"), 0755), 0);
	tree_done();
}
END_TEST

START_TEST(changed_files_are_noticed)
{
	SP_AUTO(source) *s = NULL;
	uint32_t n[4];
	static const char *const names[] = { "t/a", "t/b", "t/c", "t/d" };
	int fd = -1;

	tree_new();
	tree_folder("t");
	for (int i = 0; i < 4; i++)
		tree_text(names[i], "content");
	ck_status(walk_one(tree_path("t"), &s), SP_OK);
	for (int i = 0; i < 4; i++)
		ck_assert(sp_manifest_find(source_manifest(s), sp_span_str(names[i]), &n[i]));
	ck_assert_int_eq(unlink(tree_path("t/a")), 0);
	ck_assert_int_eq(symlink("/etc/passwd", tree_path("t/a")), 0);
	ck_status(source_file_open(s, n[0], &fd, &why), SP_E_CHANGED);
	ck_assert_int_eq(unlink(tree_path("t/b")), 0);
	ck_status(source_file_open(s, n[1], &fd, &why), SP_E_CHANGED);
	ck_assert_ptr_nonnull(strstr(why.text, "t/b"));
	/* Same size and mtime: only ctime and inode tell. */
	ck_status(source_file_open(s, n[2], &fd, &why), SP_OK);
	ck_assert_int_eq(chmod(tree_path("t/c"), 0600), 0);
	ck_assert(!source_file_same(s, n[2], fd));
	close(fd);
	ck_assert_int_eq(unlink(tree_path("t/d")), 0);
	ck_assert_int_eq(mkfifo(tree_path("t/d"), 0600), 0);
	ck_status(source_file_open(s, n[3], &fd, &why), SP_E_CHANGED);
	/* A folder on the way that becomes a link leads nowhere, though the file is the same. */
	source_free(sp_take(&s));
	ck_assert_int_eq(unlink(tree_path("t/a")), 0);
	ck_status(walk_one(tree_path("t"), &s), SP_OK);
	ck_assert(sp_manifest_find(source_manifest(s), sp_span_str("t/c"), &n[2]));
	ck_status(source_file_open(s, n[2], &fd, &why), SP_OK);
	close(fd);
	ck_assert_int_eq(rename(tree_path("t"), tree_path("u")), 0);
	ck_assert_int_eq(symlink("u", tree_path("t")), 0);
	ck_status(source_file_open(s, n[2], &fd, &why), SP_E_CHANGED);
	tree_done();
}
END_TEST

START_TEST(deep_trees)
{
	SP_AUTO(source) *s = NULL;
	int at, next;

	tree_new();
	at = open(tree_dir, O_PATH | O_DIRECTORY);
	for (int i = 0; i <= SP_DEPTH_MAX; i++) {
		if (i == SP_DEPTH_MAX) {
			ck_status(walk_one(tree_path("d"), &s), SP_OK);
			ck_assert_uint_eq(sp_manifest_count(source_manifest(s)), SP_DEPTH_MAX);
		}
		ck_assert_int_eq(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_PATH | O_DIRECTORY);
		close(at);
		at = next;
	}
	close(at);
	source_free(sp_take(&s));
	ck_status(walk_one(tree_path("d"), &s), SP_E_LIMIT);
	tree_done();
}
END_TEST

UNIT_MAIN("source/walk", a_tree_becomes_a_manifest, pk16_names_of_any_bytes, links_and_what_is_left_out,
    each_path_enters_under_its_last_name, refused_paths, unreadable_fails_with_the_path, changed_files_are_noticed,
    deep_trees)
