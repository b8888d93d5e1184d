/*
 * cli_tree_test.c - files on the disk against a receipt's list: every way of naming them, and all that can differ.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/crypto/hash.h"
#include "peerd/cli/tree.h"
#include "tests/unit/unit.h"

#define MANY 20000

/* One test's folder, its list as text, and what the command says. */
static char dir[64];
static struct sp_buf list;
static struct cli cli;

static const char *
at(const char *name)
{
	static char paths[4][4200];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

static void
begin(void)
{
	strcpy(dir, "/tmp/sp-verify-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	sp_buf_clear(&list);
	sp_buf_add_text(&list, "sealpost-files 1\nsalt ");
	for (int i = 0; i < 32; i++)
		sp_buf_add_text(&list, "07");
	sp_buf_add_text(&list, "\n\n");
	ck_assert_ptr_nonnull(freopen(at("said"), "w+", stdout));
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

static void
end(void)
{
	sp_buf_done(&list);
	ck_assert_int_eq(chmod(dir, 0700), 0);
	ck_status(sp_rmtree(dir, NULL), SP_OK);
}

/* Was this printed since begin()? */
static bool
said(const char *words)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };

	fflush(stdout);
	ck_status(sp_file_read(at("said"), 16 * 1024 * 1024, &text, NULL), SP_OK);
	return memmem(text.data, text.len, words, strlen(words)) != NULL;
}

static void
put(const char *name, const char *content)
{
	char folder[4200];

	snprintf(folder, sizeof(folder), "%s", at(name));
	*strrchr(folder, '/') = 0;
	ck_status(sp_mkdirs(folder, 0755, NULL), SP_OK);
	ck_status(sp_file_write(at(name), sp_span_str(content), 0644, NULL), SP_OK);
}

/* A line of the list; lines come in manifest order. content NULL: changed at the sender. */
static void
listed(const char *path, const char *content)
{
	struct sp_hash hash;
	char hex[65];

	sp_percent_add(&list, sp_span_str(path));
	if (content == NULL) {
		sp_buf_add_text(&list, " 3 changed 1700000000.000000000\n");
		return;
	}
	sp_sha256(sp_span_str(content), &hash);
	sp_buf_addf(&list, " %zu sha256:%s 1700000000.000000000\n", strlen(content), sp_hex(hash.b, 32, hex));
}

/* Checks PATHs (below dir, up to a NULL) against the list. */
static bool
check(const char *const *paths, struct tree_tally *ret_tally)
{
	SP_AUTO(sp_files) *files = NULL;
	SP_AUTO(tree) *t = NULL;
	struct sp_why why = { "" };
	bool good = true;

	ck_assert_msg(sp_files_parse(sp_buf_span(&list), &files, &why) == SP_OK, "%s", why.text);
	ck_assert_ptr_nonnull(t = tree_new(&cli, files));
	for (; *paths != NULL; paths++)
		good = tree_check(t, at(*paths)) && good;
	tree_count(t, ret_tally);
	return good;
}
#define CHECK(tally, ...) check((const char *const[]){ __VA_ARGS__, NULL }, tally)

static void
tally_is(const struct tree_tally *t, unsigned same, unsigned different, unsigned missing, unsigned unlisted)
{
	ck_assert_uint_eq(t->of[TREE_SAME], same);
	ck_assert_uint_eq(t->of[TREE_DIFFERENT], different);
	ck_assert_uint_eq(t->of[TREE_MISSING], missing);
	ck_assert_uint_eq(t->unlisted, unlisted);
}

/* pics with three files, and a note beside it, as sent and listed. */
static void
usual(const char *where)
{
	static const char *const names[] = { "note", "pics/a", "pics/sub/b", "pics/z" };
	char name[256];

	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s/%s", where, names[i]);
		put(name, names[i]);
	}
}

static void
list_usual(void)
{
	listed("note", "note");
	listed("pics/a", "pics/a");
	listed("pics/sub/b", "pics/sub/b");
	listed("pics/z", "pics/z");
}

START_TEST(rc12_every_way_to_name_what_was_sent)
{
	struct tree_tally t;

	begin();
	usual("home");
	list_usual();
	ck_assert(CHECK(&t, "home/note", "home/pics"));
	tally_is(&t, 4, 0, 0, 0);
	ck_assert(CHECK(&t, "home"));
	tally_is(&t, 4, 0, 0, 0);
	ck_assert(CHECK(&t, "home/pics/sub"));
	tally_is(&t, 1, 0, 0, 0);
	ck_assert(CHECK(&t, "home/pics/sub/b", "home/pics/../pics/a", "home/pics//z"));
	tally_is(&t, 3, 0, 0, 0);
	ck_assert_int_eq(symlink("pics", at("home/link")), 0);
	ck_assert(CHECK(&t, "home/link"));
	tally_is(&t, 3, 0, 0, 0);
	/* the same twice counts once */
	ck_assert(CHECK(&t, "home/pics", "home/pics/a", "home"));
	tally_is(&t, 4, 0, 0, 0);
	end();
}
END_TEST

START_TEST(rc12_a_folder_that_is_called_like_what_it_holds)
{
	struct tree_tally t;

	begin();
	/* received into a folder that has the name of the packet, which is that of its one entry */
	usual("got/pics");
	list_usual();
	ck_assert(CHECK(&t, "got/pics"));
	tally_is(&t, 4, 0, 0, 0);
	ck_assert(CHECK(&t, "got/pics/pics"));
	tally_is(&t, 3, 0, 0, 0);
	end();
}
END_TEST

START_TEST(rc12_what_differs_is_named)
{
	struct tree_tally t;

	begin();
	usual("home");
	list_usual();
	put("home/pics/a", "pics/A");			/* same length */
	put("home/pics/z", "longer than it was");
	ck_assert_int_eq(unlink(at("home/pics/sub/b")), 0);
	put("home/pics/new", "x");
	put("home/pics/more/deep/x", "x");
	ck_status(sp_mkdirs(at("home/pics/empty/folders"), 0755, NULL), SP_OK);
	ck_assert(!CHECK(&t, "home/pics"));
	tally_is(&t, 0, 2, 1, 2);
	ck_assert(said("/home/pics/a\n") && said("DIFFERENT: ") && said("/home/pics/z\n"));
	ck_assert(said("missing: ") && said("/home/pics/sub/b\n"));
	ck_assert(said("not in the list: ") && said("/home/pics/new\n") && said("/home/pics/more/\n"));
	ck_assert(!said("more/deep") && !said("/home/note"));
	cli.json = true;
	ck_assert(!CHECK(&t, "home"));
	cli.json = false;
	tally_is(&t, 1, 2, 1, 2);
	ck_assert(said("/home/pics/sub/b\",\"result\":\"missing\"}\n"));
	ck_assert(said("\"different\"}\n") && said("\"unlisted\"}\n"));
	end();
}
END_TEST

START_TEST(rc12_neighbours_and_copies_are_told_apart)
{
	struct tree_tally t;

	begin();
	usual("home");
	usual("copy");
	put("home/pics-2/x", "x");
	list_usual();
	listed("pics-2/x", "x");
	ck_assert(CHECK(&t, "home/pics"));
	tally_is(&t, 3, 0, 0, 0);
	/* what is well in one PATH is not in another, whichever comes first */
	put("copy/pics/a", "?");
	ck_assert_int_eq(unlink(at("copy/pics/z")), 0);
	ck_assert(!CHECK(&t, "copy/pics", "home/pics"));
	tally_is(&t, 1, 1, 1, 0);
	ck_assert(!CHECK(&t, "home/pics", "copy/pics"));
	tally_is(&t, 1, 1, 1, 0);
	end();
}
END_TEST

START_TEST(rc12_additional_files_do_no_harm_and_are_not_all_named)
{
	struct tree_tally t;
	char name[32];

	begin();
	usual("home");
	list_usual();
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "home/pics/n%02d", i);
		put(name, "");
	}
	ck_assert(CHECK(&t, "home/pics"));
	tally_is(&t, 3, 0, 0, 50);
	ck_assert(said("/n19\n") && !said("/n20\n") && said("and more"));
	end();
}
END_TEST

START_TEST(rc12_paths_that_the_receipt_does_not_know)
{
	struct tree_tally t;

	begin();
	usual("home");
	put("elsewhere/x", "x");
	list_usual();
	ck_assert(!CHECK(&t, "elsewhere"));
	ck_assert(!CHECK(&t, "elsewhere/x"));
	ck_assert(!CHECK(&t, "no/such"));
	tally_is(&t, 0, 0, 0, 0);
	/* it has the name of something listed, but holds nothing of it */
	put("elsewhere/pics/q", "x");
	ck_assert(!CHECK(&t, "elsewhere/pics"));
	tally_is(&t, 0, 0, 3, 1);
	/* a good PATH does not heal a bad one */
	ck_assert(!CHECK(&t, "elsewhere/x", "home/pics"));
	tally_is(&t, 3, 0, 0, 0);
	end();
}
END_TEST

START_TEST(pk16_names_of_any_bytes)
{
	struct tree_tally t;

	begin();
	listed("d/\x01%41 b", "1");
	listed("d/a/c", "4");
	listed("d/a\nb", "2");
	listed("d/a.b", "3");
	listed("d/\xff\xfe", "5");
	put("d/\x01%41 b", "1");
	put("d/a\nb", "2");
	put("d/a.b", "3");
	put("d/\xff\xfe", "x");
	ck_assert(!CHECK(&t, "d"));
	tally_is(&t, 3, 1, 1, 0);
	ck_assert(said("/d/\\xff\\xfe\n") && said("/d/a/c\n"));
	ck_assert(!said("\xff"));
	end();
}
END_TEST

START_TEST(pk16_hard_links_are_read_once)
{
	struct tree_tally t;

	begin();
	listed("d/1", "content");
	listed("d/2", "content");
	listed("d/3", "other!!");
	listed("d/4", "another");
	listed("d/5", "another");
	put("d/1", "content");
	put("d/4", "another");
	ck_assert_int_eq(link(at("d/4"), at("d/5")), 0);
	ck_assert_int_eq(link(at("d/1"), at("d/2")), 0);
	ck_assert_int_eq(link(at("d/1"), at("d/3")), 0);
	ck_assert(!CHECK(&t, "d"));
	tally_is(&t, 4, 1, 0, 0);
	end();
}
END_TEST

START_TEST(rc12_links_and_pipes_in_place_of_files_are_no_files)
{
	struct tree_tally t;

	begin();
	usual("home");
	list_usual();
	ck_assert_int_eq(rename(at("home/pics/a"), at("home/real")), 0);
	ck_assert_int_eq(symlink("../real", at("home/pics/a")), 0);
	ck_assert_int_eq(unlink(at("home/pics/z")), 0);
	ck_assert_int_eq(mkfifo(at("home/pics/z"), 0600), 0);
	ck_assert_int_eq(rename(at("home/pics/sub"), at("home/sub")), 0);
	ck_assert_int_eq(symlink("../sub", at("home/pics/sub")), 0);
	ck_assert(!CHECK(&t, "home/pics"));
	tally_is(&t, 0, 0, 3, 0);
	end();
}
END_TEST

START_TEST(rc12_what_changed_at_the_sender_is_no_failure)
{
	struct tree_tally t;

	begin();
	listed("d/a", "1");
	listed("d/b", NULL);
	listed("d/c", NULL);
	put("d/a", "1");
	put("d/b", "whatever");
	ck_assert(CHECK(&t, "d"));
	tally_is(&t, 1, 0, 0, 0);
	ck_assert_uint_eq(t.of[TREE_CHANGED], 2);
	end();
}
END_TEST

START_TEST(rc12_what_cannot_be_read_is_not_called_missing)
{
	struct tree_tally t;
	uid_t user = geteuid();

	if (user == 0)
		ck_assert_int_eq(seteuid(65534), 0);	/* root reads everything */
	begin();
	usual("home");
	list_usual();
	ck_assert_int_eq(chmod(at("home/pics/a"), 0), 0);
	ck_assert_int_eq(chmod(at("home/pics/sub"), 0), 0);
	ck_assert(!CHECK(&t, "home/pics"));
	tally_is(&t, 1, 0, 0, 0);
	ck_assert_uint_eq(t.of[TREE_UNREADABLE], 2);
	ck_assert(said("cannot be read: ") && said("/home/pics/sub/b\n"));
	ck_assert_int_eq(chmod(at("home/pics/sub"), 0700), 0);
	end();
	ck_assert_int_eq(seteuid(user), 0);
}
END_TEST

START_TEST(rc12_many_files_and_as_many_paths_take_no_quadratic_time)
{
	static char names[MANY][24];
	static const char *paths[MANY + 1];
	struct tree_tally t;
	struct timespec a, b;

	begin();
	for (int i = 0; i < MANY; i++) {
		FILE *f;

		snprintf(names[i], sizeof(names[i]), "d%03d/f%05d", i / 100, i);
		paths[i] = names[i];
		listed(names[i], "x");
		if (i % 100 == 0) {
			char folder[16];

			snprintf(folder, sizeof(folder), "d%03d", i / 100);
			ck_assert_int_eq(mkdir(at(folder), 0755), 0);
		}
		ck_assert_ptr_nonnull(f = fopen(at(names[i]), "w"));
		fputc('x', f);
		fclose(f);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	ck_assert(check(paths, &t));
	tally_is(&t, MANY, 0, 0, 0);
	ck_assert(CHECK(&t, "."));
	tally_is(&t, MANY, 0, 0, 1);	/* the file of what was said */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	ck_assert_int_lt(b.tv_sec - a.tv_sec, 30);
	end();
}
END_TEST

UNIT_MAIN("cli/tree", rc12_every_way_to_name_what_was_sent, rc12_a_folder_that_is_called_like_what_it_holds,
    rc12_what_differs_is_named, rc12_neighbours_and_copies_are_told_apart,
    rc12_additional_files_do_no_harm_and_are_not_all_named,
    rc12_paths_that_the_receipt_does_not_know, pk16_names_of_any_bytes, pk16_hard_links_are_read_once,
    rc12_links_and_pipes_in_place_of_files_are_no_files, rc12_what_changed_at_the_sender_is_no_failure,
    rc12_what_cannot_be_read_is_not_called_missing, rc12_many_files_and_as_many_paths_take_no_quadratic_time)
