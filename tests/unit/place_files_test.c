/*
 * place_files_test.c - a packet on the disk: contents, holes, modes, times, links; and what is refused or left out.
 */
#include <sys/wait.h>

#include "common/crypto/hash.h"
#include "tests/unit/place_in_test.h"

static const char *
incoming(const char *name)
{
	char below[256];

	snprintf(below, sizeof(below), "in/.incoming/" PLACE_ID "/%s", name);
	return tree_path(below);
}

static struct stat
look(const char *name)
{
	struct stat sb;

	ck_assert_msg(lstat(incoming(name), &sb) == 0, "%s is missing", name);
	return sb;
}

START_TEST(modes_times_and_links)
{
	static const struct sp_entry entries[] = {
		{ .type = 'd', .path = "a", .mode = 0555, .mtime_sec = 100, .mtime_nsec = 5 },
		{ .type = 'd', .path = "a/b", .mode = 0, .mtime_sec = -7, .mtime_nsec = 999999999 },
		{ .type = 'f', .path = "a/b/f", .mode = 0640, .mtime_sec = 1700000000, .mtime_nsec = 123456789,
		    .size = 3 },
		{ .type = 'h', .path = "a/h", .target = "a/b/f" },
		{ .type = 'l', .path = "a/l", .target = "b/f", .mtime_sec = 55 },
		{ .type = 'l', .path = "a/out", .target = "../../x" },
		{ .type = 'd', .path = "empty", .mode = 0700, .mtime_sec = 9 },
		{ .type = 'l', .path = "root", .target = "/etc" },
		{ .type = 'f', .path = "zero", .mode = 0400, .mtime_sec = 1 },
	};
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(place) *p = NULL;
	SP_AUTO(sp_prints) *prints = NULL;
	SP_AUTO_DONE(sp_buf) notes = { 0 };
	struct stat sb;

	tree_new();
	m = manifest_new(entries, 9);
	p = place_made(m, false);
	ck_assert_uint_eq(look("").st_mode & 07777, 0700);
	prints = place_fill(p, m);
	ck_assert_msg(place_finish(p, prints, &notes, &why) == SP_OK, "%s", why.text);
	ck_status(place_sync(p, &why), SP_OK);
	sb = look("a");
	ck_assert_uint_eq(sb.st_mode & 07777, 0555);
	ck_assert_int_eq(sb.st_mtim.tv_sec, 100);
	ck_assert_int_eq(sb.st_mtim.tv_nsec, 5);
	ck_assert_int_eq(look("empty").st_mtim.tv_sec, 9);
	sb = look("a/h");
	ck_assert_uint_eq(sb.st_nlink, 2);
	ck_assert_uint_eq(sb.st_mode & 07777, 0640);
	ck_assert_int_eq(sb.st_mtim.tv_nsec, 123456789);
	ck_assert_int_eq(sb.st_size, 3);
	ck_assert(S_ISLNK(look("a/l").st_mode));
	ck_assert_int_eq(look("a/l").st_mtim.tv_sec, 55);
	ck_assert_int_eq(look("zero").st_size, 0);
	ck_assert(access(incoming("root"), F_OK) != 0 && access(incoming("a/out"), F_OK) != 0);
	ck_assert_str_eq(sp_buf_cstr(&notes), "a/out: left out: this link points outside the packet\n"
	    "root: left out: this link points outside the packet\n");
	if (geteuid() == 0) {
		sb = look("a/b");
		ck_assert_uint_eq(sb.st_mode & 07777, 0);
		ck_assert_int_eq(sb.st_mtim.tv_sec, -7);
	}
	place_discard(tree_path("in"), PLACE_ID);
	ck_assert(!tree_has("in/.incoming/" PLACE_ID));
	tree_done();
}
END_TEST

START_TEST(outside_links_can_be_kept)
{
	static const struct sp_entry entries[] = { { .type = 'l', .path = "root", .target = "/etc" } };
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(place) *p = NULL;
	SP_AUTO(sp_prints) *prints = NULL;
	SP_AUTO_DONE(sp_buf) notes = { 0 };

	tree_new();
	m = manifest_new(entries, 1);
	p = place_made(m, true);
	prints = place_fill(p, m);
	ck_status(place_finish(p, prints, &notes, &why), SP_OK);
	ck_assert(S_ISLNK(look("root").st_mode));
	ck_assert_uint_eq(notes.len, 0);
	tree_done();
}
END_TEST

START_TEST(changed_files_are_dropped_with_their_names)
{
	static const struct sp_entry entries[] = {
		{ .type = 'f', .path = "bad", .mode = 0600, .size = 2 },
		{ .type = 'h', .path = "bad2", .target = "bad" },
		{ .type = 'f', .path = "good", .mode = 0600, .size = 2 },
	};
	struct sp_print changed = { .state = SP_PRINT_CHANGED };
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(place) *p = NULL;
	SP_AUTO(sp_prints) *prints = NULL;
	SP_AUTO_DONE(sp_buf) notes = { 0 };

	tree_new();
	m = manifest_new(entries, 3);
	p = place_made(m, false);
	prints = place_fill(p, m);
	sp_prints_set(prints, 0, &changed);
	ck_status(place_finish(p, prints, &notes, &why), SP_OK);
	ck_assert_int_eq(access(incoming("bad"), F_OK), -1);
	ck_assert_int_eq(access(incoming("bad2"), F_OK), -1);
	ck_assert_int_eq(look("good").st_size, 2);
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&notes), "bad2: left out: it changed"));
	tree_done();
}
END_TEST

#define HOLEY (1024 * 1024 + 100)

/* Pieces that fit no block, so that holes are cut at both ends. */
START_TEST(holes_are_made_again)
{
	static const struct sp_entry entries[] = {
		{ .type = 'f', .path = "data", .mode = 0600, .size = HOLEY },
		{ .type = 'f', .path = "holes", .mode = 0600, .size = HOLEY },
	};
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(place) *p = NULL;
	SP_AUTO_MEM uint8_t *bytes = calloc(1, HOLEY), *back = malloc(HOLEY);
	struct stat sb;

	tree_new();
	m = manifest_new(entries, 2);
	p = place_made(m, false);
	bytes[0] = 1;
	bytes[600000] = 2;
	bytes[HOLEY / 2] = 3;
	for (uint32_t i = 0; i < 2; i++) {
		SP_AUTO_FD fd = -1;

		ck_status(place_begin(p, i, &why), SP_OK);
		for (size_t at = 0, n; at < HOLEY; at += n) {
			n = HOLEY - at < 60001 ? HOLEY - at : 60001;
			ck_status(place_write(p, at, sp_span(bytes + at, n), &why), SP_OK);
		}
		ck_status(place_end(p, &why), SP_OK);
		fd = open(incoming(entries[i].path), O_RDONLY);
		ck_assert_int_eq(pread(fd, back, HOLEY, 0), HOLEY);
		ck_assert_mem_eq(back, bytes, HOLEY);
		memset(bytes, 0, HOLEY);
	}
	sb = look("holes");
	ck_assert_int_eq(sb.st_size, HOLEY);
	ck_assert_int_eq(sb.st_blocks, 0);
	ck_assert_int_lt(look("data").st_blocks * 512, 5 * 4096);
	tree_done();
}
END_TEST

START_TEST(order_and_sizes_are_kept)
{
	static const struct sp_entry entries[] = {
		{ .type = 'd', .path = "d", .mode = 0755 },
		{ .type = 'f', .path = "d/1", .mode = 0600, .size = 4 },
		{ .type = 'f', .path = "d/2", .mode = 0600, .size = 4 },
	};
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(sp_prints) *prints = NULL;
	SP_AUTO(place) *p = NULL;
	SP_AUTO_DONE(sp_buf) notes = { 0 };

	tree_new();
	m = manifest_new(entries, 3);
	p = place_made(m, false);
	ck_status(sp_prints_new(m, &prints), SP_OK);
	ck_status(place_begin(p, 0, &why), SP_E_STATE);
	ck_status(place_begin(p, 3, &why), SP_E_STATE);
	ck_status(place_begin(p, 2, &why), SP_E_STATE);	/* 1 was passed over */
	ck_status(place_write(p, 0, sp_span("x", 1), &why), SP_E_STATE);
	ck_status(place_begin(p, 1, &why), SP_OK);
	ck_status(place_begin(p, 2, &why), SP_E_STATE);
	ck_status(place_write(p, 1, sp_span("x", 1), &why), SP_E_STATE);
	ck_status(place_write(p, 0, sp_span("12345", 5), &why), SP_E_SIZE);
	ck_status(place_write(p, 0, sp_span("123", 3), &why), SP_OK);
	ck_status(place_end(p, &why), SP_E_SIZE);
	ck_status(place_finish(p, prints, &notes, &why), SP_E_STATE);
	ck_status(place_write(p, 3, sp_span("4", 1), &why), SP_OK);
	ck_status(place_end(p, &why), SP_OK);
	ck_status(place_begin(p, 1, &why), SP_E_STATE);
	ck_status(place_finish(p, prints, &notes, &why), SP_E_STATE);
	tree_done();
}
END_TEST

/* Somebody with the same rights exchanges things below the incoming folder: nothing is written through a link. */
START_TEST(rx12_a_link_put_in_the_way_leads_nowhere)
{
	static const struct sp_entry entries[] = {
		{ .type = 'd', .path = "d", .mode = 0755 },
		{ .type = 'f', .path = "d/1", .mode = 0600, .size = 0 },
		{ .type = 'd', .path = "e", .mode = 0755 },
		{ .type = 'f', .path = "e/1", .mode = 0600, .size = 0 },
		{ .type = 'd', .path = "e/x", .mode = 0755 },
		{ .type = 'f', .path = "e/x/1", .mode = 0600, .size = 0 },
		{ .type = 'f', .path = "e/y", .mode = 0600, .size = 0 },
		{ .type = 'f', .path = "f", .mode = 0600, .size = 1 },
	};
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(place) *p = NULL;

	tree_new();
	tree_folder("outside");
	m = manifest_new(entries, 8);
	p = place_made(m, false);
	ck_status(place_begin(p, 1, &why), SP_OK);
	ck_status(place_end(p, &why), SP_OK);
	ck_assert_int_eq(symlink(tree_path("outside"), incoming("e")), 0);
	ck_status(place_begin(p, 3, &why), SP_E_IO);
	ck_assert_int_eq(unlink(incoming("e")), 0);
	ck_status(place_begin(p, 3, &why), SP_OK);
	ck_status(place_end(p, &why), SP_OK);
	ck_status(place_begin(p, 5, &why), SP_OK);
	ck_status(place_end(p, &why), SP_OK);
	/* The folder that the next file goes into, after it was left and before it is entered again. */
	ck_assert_int_eq(rename(incoming("e"), incoming("e.real")), 0);
	ck_assert_int_eq(symlink(tree_path("outside"), incoming("e")), 0);
	ck_status(place_begin(p, 6, &why), SP_E_IO);
	ck_assert_int_eq(unlink(incoming("e")), 0);
	ck_assert_int_eq(rename(incoming("e.real"), incoming("e")), 0);
	ck_status(place_begin(p, 6, &why), SP_OK);
	ck_status(place_end(p, &why), SP_OK);
	ck_assert_int_eq(symlink(tree_path("outside/f"), incoming("f")), 0);
	ck_status(place_begin(p, 7, &why), SP_E_IO);
	ck_assert(!tree_has("outside/1") && !tree_has("outside/y") && !tree_has("outside/f"));
	tree_done();
}
END_TEST

START_TEST(rx12_refused_paths_never_reach_the_disk)
{
	static const struct sp_entry bad[] = {
		{ .type = 'f', .path = "/etc/x" }, { .type = 'f', .path = "../x" },
		{ .type = 'f', .path = "a/../../x" },
		{ .type = 'f', .path = "." }, { .type = 'f', .path = "a//b" }, { .type = 'c', .path = "dev" },
	};
	SP_AUTO(sp_manifest) *m = NULL;
	struct sp_entry link = { .type = 'l', .path = "l", .target = "/tmp" };
	struct sp_entry through = { .type = 'f', .path = "l/x", .target = "" };

	m = manifest_new(NULL, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sp_entry e = bad[i];

		e.target = "";
		ck_assert_int_ne(sp_manifest_add(m, &e, &why), SP_OK);
	}
	ck_status(sp_manifest_add(m, &link, &why), SP_OK);
	ck_status(sp_manifest_add(m, &through, &why), SP_E_MANIFEST);
}
END_TEST

/* As an ordinary user: folders that shut their owner out are removed all the same, and an earlier half packet
 * makes way. */
START_TEST(twice_after_a_crash)
{
	static const struct sp_entry entries[] = {
		{ .type = 'd', .path = "d", .mode = 0 },
		{ .type = 'f', .path = "d/1", .mode = 0, .size = 1 },
	};
	int status = 0;
	pid_t child;

	tree_new();
	ck_assert_int_eq(chmod(tree_dir, 0777), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		SP_AUTO_DONE(sp_buf) notes = { 0 };
		struct sp_manifest *m = manifest_new(entries, 2);
		struct place *p;
		struct sp_prints *prints;

		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(1);
		for (int i = 0; i < 2; i++) {
			p = place_made(m, false);
			prints = place_fill(p, m);
			if (place_finish(p, prints, &notes, &why) != SP_OK)
				_exit(2);
			place_free(p);
			sp_prints_free(prints);
		}
		sp_manifest_free(m);
		place_discard(tree_path("in"), PLACE_ID);
		_exit(tree_has("in/.incoming/" PLACE_ID) ? 3 : 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	tree_done();
}
END_TEST

UNIT_MAIN("place/files", modes_times_and_links, outside_links_can_be_kept, changed_files_are_dropped_with_their_names,
    holes_are_made_again, order_and_sizes_are_kept, rx12_a_link_put_in_the_way_leads_nowhere,
    rx12_refused_paths_never_reach_the_disk, twice_after_a_crash)
