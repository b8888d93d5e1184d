/*
 * place_goal_test.c - names of received packets, the one rename, its repetition after a crash, and the sweep.
 */
#include "common/base/id.h"
#include "tests/unit/place_in_test.h"

#define SENDER "alice/laptop@post.example"

static const struct sp_entry one_file[] = { { .type = 'f', .path = "f", .mode = 0600, .size = 1 } };

/* A finished packet in its incoming folder; its goal and inode. */
static void
finished(const char *title, char goal[512], uint64_t *ret_inode)
{
	SP_AUTO(sp_manifest) *m = manifest_new(one_file, 1);
	SP_AUTO(place) *p = place_made(m, false);
	SP_AUTO(sp_prints) *prints = place_fill(p, m);
	SP_AUTO_DONE(sp_buf) notes = { 0 }, name = { 0 };

	ck_status(place_finish(p, prints, &notes, &why), SP_OK);
	ck_assert_msg(place_name(p, SENDER, title, 0, &name, ret_inode, &why) == SP_OK, "%s", why.text);
	snprintf(goal, 512, "%s", sp_buf_cstr(&name));
}

START_TEST(the_rename_can_be_repeated)
{
	char goal[512];
	uint64_t inode = 0;
	struct stat sb;

	tree_new();
	finished("the title", goal, &inode);
	ck_assert_str_eq(goal, tree_path("in/alice@post.example/the title"));
	ck_assert_msg(place_rename(tree_path("in"), PLACE_ID, goal, inode, &why) == SP_OK, "%s", why.text);
	ck_assert(tree_has("in/alice@post.example/the title/f"));
	ck_assert(!tree_has("in/.incoming/" PLACE_ID));
	ck_assert_int_eq(stat(goal, &sb), 0);
	ck_assert_uint_eq(sb.st_mode & 07777, 0755);
	ck_status(place_rename(tree_path("in"), PLACE_ID, goal, inode, &why), SP_OK);
	ck_status(place_rename(tree_path("in"), PLACE_ID, goal, inode + 1, &why), SP_E_NOTFOUND);
	tree_done();
}
END_TEST

START_TEST(rx12_a_clash_gets_a_number)
{
	char goal[512], second[512];
	uint64_t inode = 0, inode2 = 0;

	tree_new();
	finished("t", goal, &inode);
	ck_status(place_rename(tree_path("in"), PLACE_ID, goal, inode, &why), SP_OK);
	finished("t", second, &inode2);
	ck_assert_str_eq(second, tree_path("in/alice@post.example/t (2)"));
	/* The other name was taken meanwhile: refused, nothing moved. */
	ck_status(place_rename(tree_path("in"), PLACE_ID, goal, inode2, &why), SP_E_EXISTS);
	ck_status(place_rename(tree_path("in"), PLACE_ID, second, inode, &why), SP_E_STATE);
	ck_assert(tree_has("in/.incoming/" PLACE_ID "/f"));
	ck_status(place_rename(tree_path("in"), PLACE_ID, second, inode2, &why), SP_OK);
	ck_assert(tree_has("in/alice@post.example/t (2)/f"));
	tree_done();
}
END_TEST

START_TEST(titles_become_safe_names)
{
	static const struct { const char *title, *name; } rows[] = {
		{ "../../etc/passwd", "_._.._etc_passwd" }, { "", "packet" }, { ".hidden", "_hidden" }, { "..",
		    "_." },
		{ "a\nb\x7f", "a_b_" }, { "/", "_" }, { "caf\xc3\xa9", "caf\xc3\xa9" },
	};
	SP_AUTO(sp_manifest) *m = manifest_new(one_file, 1);
	SP_AUTO(place) *p = NULL;
	SP_AUTO_DONE(sp_buf) out = { 0 };
	char expected[512], lengthy[300];
	uint64_t inode = 0;

	tree_new();
	p = place_made(m, false);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sp_buf_clear(&out);
		ck_status(place_name(p, "alice@post.example", rows[i].title, 0, &out, &inode, &why), SP_OK);
		snprintf(expected, sizeof(expected), "%s/in/alice@post.example/%s", tree_dir, rows[i].name);
		ck_assert_str_eq(sp_buf_cstr(&out), expected);
	}
	memset(lengthy, 'x', sizeof(lengthy));
	memcpy(lengthy + 99, "\xc3\xa9", 2);
	lengthy[299] = 0;
	sp_buf_clear(&out);
	ck_status(place_name(p, SENDER, lengthy, 1, &out, &inode, &why), SP_OK);
	ck_assert_uint_eq(strlen(strrchr(sp_buf_cstr(&out), '/')), 1 + 99 + 4);
	ck_status(place_name(p, "../x@post.example", "t", 0, &out, &inode, &why), SP_E_ARGUMENT);
	ck_status(place_name(p, "alice", "t", 0, &out, &inode, &why), SP_E_ARGUMENT);
	tree_done();
}
END_TEST

START_TEST(goals_elsewhere_are_refused)
{
	static const char *const names[] = { "elsewhere", "in/x", "in/alice@post.example", "in/alice@post.example/",
		"in/alice@post.example/..", "in/alice@post.example/a/b", "in/../x@y.z/t", "in/.incoming/t" };
	char goal[512];
	uint64_t inode = 0;

	tree_new();
	finished("t", goal, &inode);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_status(place_rename(tree_path("in"), PLACE_ID, tree_path(names[i]), inode, &why), SP_E_ARGUMENT);
	ck_status(place_rename(tree_path("in"), "../x", goal, inode, &why), SP_E_ARGUMENT);
	ck_assert(tree_has("in/.incoming/" PLACE_ID "/f"));
	/* The sender's folder made a link by somebody: not followed. */
	ck_assert_int_eq(rmdir(tree_path("in/alice@post.example")), 0);
	ck_assert_int_eq(symlink("/tmp", tree_path("in/alice@post.example")), 0);
	ck_status(place_rename(tree_path("in"), PLACE_ID, goal, inode, &why), SP_E_IO);
	tree_done();
}
END_TEST

static bool
is_live(void *arg, const char *id_text)
{
	return strcmp(id_text, arg) == 0;
}

START_TEST(the_sweep_keeps_the_live)
{
	static char live[SP_ID_TEXT];
	struct sp_id id = sp_id_new();
	char path[256];

	tree_new();
	ck_status(place_sweep(tree_path("in"), is_live, live, &why), SP_OK);
	sp_id_text(&id, live);
	tree_folder("in");
	tree_folder("in/.incoming");
	tree_folder("in/.incoming/" PLACE_ID);
	tree_text("in/.incoming/" PLACE_ID "/f", "x");
	tree_folder("in/.incoming/notes");
	snprintf(path, sizeof(path), "in/.incoming/%s", live);
	tree_folder(path);
	ck_status(place_sweep(tree_path("in"), is_live, live, &why), SP_OK);
	ck_assert(!tree_has("in/.incoming/" PLACE_ID));
	ck_assert(tree_has(path));
	ck_assert(tree_has("in/.incoming/notes"));
	place_discard(tree_path("in"), "..");
	ck_assert(tree_has(path));
	tree_done();
}
END_TEST

UNIT_MAIN("place/goal", the_rename_can_be_repeated, rx12_a_clash_gets_a_number, titles_become_safe_names,
    goals_elsewhere_are_refused, the_sweep_keeps_the_live)
