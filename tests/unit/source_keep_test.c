/*
 * source_keep_test.c - a walked source kept in a folder and taken from there again: the same list, the same files, and changes seen.
 */
#include "peerd/source/source.h"
#include "tests/unit/tree_in_test.h"
#include "tests/unit/unit.h"

static struct sp_why why;

static struct source *
kept(void)
{
	const char *paths[] = { tree_path("one/t"), tree_path("two/u") };
	struct sp_manifest_head head = { .kind = SP_PACKET_FILES, .person = "alice@post.example",
		.station = "alice/laptop@post.example", .title = "a packet" };
	struct source *s = NULL;

	tree_new();
	tree_folder("one");
	tree_folder("one/t");
	tree_text("one/t/a", "a");
	tree_text("one/t/b", "b");
	tree_folder("two");
	tree_text("two/u", "u");
	paths[0] = tree_path("one/t");
	paths[1] = tree_path("two/u");
	ck_assert_msg(source_walk(paths, 2, &head, &s, &why) == SP_OK, "%s", why.text);
	ck_assert_msg(source_save(s, tree_path("kept"), &why) == SP_OK, "%s", why.text);
	return s;
}

START_TEST(ed08_it_comes_back_as_it_was)
{
	SP_AUTO(source) *s = kept(), *back = NULL;
	struct sp_hash a, b;

	ck_assert_msg(source_load(tree_path("kept"), &back, &why) == SP_OK, "%s", why.text);
	source_manifest_hash(s, &a);
	source_manifest_hash(back, &b);
	ck_assert(sp_hash_eq(&a, &b));
	ck_assert_uint_eq(sp_layout_length(source_layout(s)), sp_layout_length(source_layout(back)));
	for (uint32_t i = 0; i < sp_manifest_count(source_manifest(back)); i++) {
		SP_AUTO_FD fd = -1;

		if (sp_manifest_entry(source_manifest(back), i).type == SP_ENTRY_FILE)
			ck_assert_msg(source_file_open(back, i, &fd, &why) == SP_OK, "%s", why.text);
	}
	tree_done();
}
END_TEST

START_TEST(what_changed_or_went_meanwhile_is_seen)
{
	SP_AUTO(source) *s = kept(), *back = NULL;
	uint32_t changed = 0;

	tree_time("one/t/b", 5, 5);
	ck_assert_int_eq(rename(tree_path("two"), tree_path("three")), 0);
	ck_status(source_load(tree_path("kept"), &back, &why), SP_OK);
	for (uint32_t i = 0; i < sp_manifest_count(source_manifest(back)); i++) {
		SP_AUTO_FD fd = -1;

		if (sp_manifest_entry(source_manifest(back), i).type == SP_ENTRY_FILE)
			changed += source_file_open(back, i, &fd, &why) == SP_E_CHANGED;
	}
	ck_assert_uint_eq(changed, 2);
	tree_done();
}
END_TEST

START_TEST(what_is_damaged_is_not_there)
{
	SP_AUTO(source) *s = kept();
	SP_AUTO_FD fd = open(tree_path("kept/" SOURCE_STAMPS), O_RDWR);
	struct stat sb;

	ck_assert_int_eq(fstat(fd, &sb), 0);
	for (off_t at = 0; at < sb.st_size; at++) {
		SP_AUTO(source) *back = NULL;
		uint8_t byte, bad;

		ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
		bad = byte ^ 1;
		ck_assert_int_eq(pwrite(fd, &bad, 1, at), 1);
		ck_status(source_load(tree_path("kept"), &back, &why), SP_E_NOTFOUND);
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	}
	for (off_t length = sb.st_size - 1; length >= 0; length -= 7) {
		SP_AUTO(source) *back = NULL;

		ck_assert_int_eq(ftruncate(fd, length), 0);
		ck_status(source_load(tree_path("kept"), &back, &why), SP_E_NOTFOUND);
	}
	ck_assert_int_eq(unlink(tree_path("kept/" SOURCE_MANIFEST)), 0);
	tree_done();
}
END_TEST

UNIT_MAIN("source/keep", ed08_it_comes_back_as_it_was, what_changed_or_went_meanwhile_is_seen, what_is_damaged_is_not_there)
