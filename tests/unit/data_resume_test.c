/*
 * data_resume_test.c - a packet from reader to writer in pieces, each with new ones that know only what lies on the disk: wherever
 * it is split, the files and fingerprints are the same.
 */
#include "common/crypto/rand.h"
#include "common/packet/prints.h"
#include "peerd/data/reader.h"
#include "peerd/data/writer.h"
#include "tests/unit/tree_in_test.h"
#include "tests/unit/unit.h"

#define LARGE (66u * 1024 * 1024 + 12345)	/* goes by blocks */
#define PIECE (200 * 1024)

static struct sp_why why;
static struct source *source;
static struct data_terms terms;
static struct journal_at outgoing;
static char received[128], id_text[SP_ID_TEXT];
static uint64_t length, sent;

static void
make_large(const char *name)
{
	int fd = open(tree_path(name), O_WRONLY | O_CREAT, 0644);
	uint8_t block[3000];

	ck_assert_int_eq(ftruncate(fd, LARGE), 0);
	for (off_t where = 100; where < LARGE; where += 700001) {
		sp_random(block, sizeof(block));
		ck_assert_int_gt(pwrite(fd, block, sizeof(block), where), 0);
	}
	ck_assert_int_eq(ftruncate(fd, LARGE), 0);
	close(fd);
}

static void
make_tree(void)
{
	char path[300], name[160];

	tree_folder("t");
	tree_folder("t/a");
	tree_text("t/a/empty", "");
	tree_text("t/a/hello", "hello, world\n");
	tree_file("t/a/secret", "x", 1, 0400);
	/* a name that needs a pax header */
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	snprintf(path, sizeof(path), "t/%s", name);
	tree_text(path, "a long name");
	for (int i = 0; i < 40; i++) {
		char text[1500];

		memset(text, 'a' + i % 26, sizeof(text));
		snprintf(name, sizeof(name), "t/small %02d", i);
		tree_file(name, text, (size_t)(i * 37), 0644);
	}
	tree_folder("t/z");
	ck_assert_int_eq(link(tree_path("t/a/hello"), tree_path("t/z/again")), 0);
	ck_assert_int_eq(symlink("a/hello", tree_path("t/z/link")), 0);
	tree_folder("t/z/last");
	ck_assert_int_eq(chmod(tree_path("t/z/last"), 0500), 0);
}

static void
stage(const char *name)
{
	const char *path = tree_path(name);
	struct sp_manifest_head head = { .kind = SP_PACKET_FILES, .person = "alice@post.example",
		.station = "alice/laptop@post.example", .title = "a packet" };
	const struct sp_manifest *m;

	sp_random(head.salt, sizeof(head.salt));
	ck_assert_msg(source_walk(&path, 1, &head, &source, &why) == SP_OK, "%s", why.text);
	m = source_manifest(source);
	length = sp_layout_length(source_layout(source));
	snprintf(received, sizeof(received), "%s/received", tree_dir);
	ck_status(sp_mkdirs(tree_path("outgoing"), 0700, &why), SP_OK);
	outgoing = (struct journal_at){ .folder = open(tree_path("outgoing"), O_RDONLY | O_DIRECTORY), .name = "digests",
		.transfer = sp_id_new() };
	sp_random(outgoing.offer.b, sizeof(outgoing.offer.b));
	terms = (struct data_terms){ .manifest_length = (uint32_t)sp_manifest_text_length(m), .files = sp_manifest_files(m),
		.bytes = sp_manifest_bytes(m), .packet = length, .received = received,
		.id_text = sp_id_text(&outgoing.transfer, id_text), .transfer = outgoing.transfer, .offer = outgoing.offer };
	source_manifest_hash(source, &terms.manifest);
	ck_status(sp_name_parse(sp_span_str("alice/laptop@post.example"), &terms.sender), SP_OK);
	sent = 0;
}

static void
unstage(void)
{
	source_free(sp_take(&source));
	close(outgoing.folder);
	tree_done();
}

/* Both sides anew from the disk, and so many bytes of the tar up to an offset; what is held before and after. */
static uint64_t
go_to(uint64_t to)
{
	SP_AUTO(data_writer) *w = NULL;
	SP_AUTO(data_reader) *r = NULL;
	SP_AUTO_DONE(sp_buf) text = { 0 }, notes = { 0 };
	static uint8_t piece[PIECE];
	uint64_t held;
	uint32_t changed;

	ck_status(data_writer_new(&terms, &w), SP_OK);
	held = data_writer_held(w);
	ck_assert_msg(data_reader_new(source, &outgoing, held, &r, &why) == SP_OK, "%s", why.text);
	ck_assert_uint_eq(data_reader_at(r), held);
	ck_assert_msg(data_writer_begin(w, &why) == SP_OK, "%s", why.text);
	while (data_reader_at(r) < to) {
		uint64_t at = data_reader_at(r);
		size_t n = to - at < PIECE ? (size_t)(to - at) : PIECE;

		ck_assert_msg(data_reader_fill(r, piece, n, &why) == SP_OK, "%s", why.text);
		ck_assert_msg(data_writer_feed(w, at, sp_span(piece, n), &why) == SP_OK, "%s", why.text);
		sent += n;
	}
	if (to < length)
		return held;
	ck_status(sp_prints_encode(data_reader_prints(r), &text), SP_OK);
	ck_assert_msg(data_writer_compare(w, sp_buf_span(&text), &changed, &why) == SP_OK, "%s", why.text);
	ck_assert_uint_eq(changed, 0);
	ck_assert_msg(data_writer_finish(w, &notes, &why) == SP_OK, "%s", why.text);
	return held;
}

static void
check_same(const char *name)
{
	char command[2048];

	snprintf(command, sizeof(command), "diff -r --no-dereference '%s' '%s/.incoming/%s/%s' >&2", tree_path(name), received,
	    id_text, name);
	ck_assert_int_eq(system(command), 0);
}

/* Every boundary of the tar, and the bytes beside it. */
static size_t
boundaries(uint64_t *out, size_t most)
{
	const struct sp_layout *l = source_layout(source);
	uint32_t files = sp_manifest_count(source_manifest(source));
	size_t n = 0;

	for (uint32_t i = 0; i < files && n + 9 < most; i++) {
		struct sp_place m = sp_layout_entry(l, i);
		uint64_t points[] = { m.start, m.start + 1, m.data_at - 1, m.data_at, m.data_at + 1,
			m.data_at + m.data_len / 2, m.data_at + m.data_len, m.end - 1 };

		for (size_t k = 0; k < sizeof(points) / sizeof(points[0]); k++)
			if ((n == 0 || points[k] > out[n - 1]) && points[k] < length)
				out[n++] = points[k];
	}
	out[n++] = length - 1;
	return n;
}

START_TEST(ed07_with_no_buffer_it_goes_on_exactly_where_it_was_wherever_that_is)
{
	uint64_t points[1000];
	uint64_t before = 0, first;
	size_t n;

	tree_new();
	make_tree();
	stage("t");
	first = sp_layout_manifest(source_layout(source)).end;
	n = boundaries(points, 1000);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(go_to(points[i]), before >= first ? before : 0);
		before = points[i];
	}
	go_to(length);
	check_same("t");
	ck_assert_uint_lt(sent, length + 2 * first);
	unstage();
}
END_TEST

START_TEST(ed05_any_two_splits_and_buffers_give_the_same)
{
	for (int round = 0; round < 60; round++) {
		uint64_t a, b;

		tree_new();
		make_tree();
		stage("t");
		terms.buffer = round % 3 == 0 ? 0 : sp_random_below(5000);
		a = sp_random_below(length);
		b = a + sp_random_below(length - a);
		go_to(a);
		go_to(b);
		go_to(length);
		check_same("t");
		ck_assert(sent <= length + 2 * (terms.buffer + sp_layout_manifest(source_layout(source)).end));
		unstage();
	}
}
END_TEST

START_TEST(a_large_file_by_its_blocks)
{
	const uint64_t mib = 1024 * 1024;
	uint64_t points[] = { mib - 1, mib, mib + 1, 3 * mib + 77, 9 * mib, 31 * mib + 5, 64 * mib, 66 * mib, 66 * mib + 1, LARGE };

	tree_new();
	make_large("large");
	stage("large");
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		go_to(points[i] + 1536);
	go_to(length);
	ck_assert_uint_eq(sent, length);
	check_same("large");
	unstage();
}
END_TEST

/* Changes bytes of the partial file from its end, in place. */
static void
damage(const char *name, off_t from_end)
{
	char path[512];
	SP_AUTO_FD fd = -1;
	struct stat sb;
	uint8_t byte;

	snprintf(path, sizeof(path), "%s/.incoming/%s/%s", received, id_text, name);
	fd = open(path, O_RDWR);
	ck_assert_int_eq(fstat(fd, &sb), 0);
	ck_assert_int_eq(pread(fd, &byte, 1, sb.st_size - from_end), 1);
	byte ^= 0xff;
	ck_assert_int_eq(pwrite(fd, &byte, 1, sb.st_size - from_end), 1);
}

START_TEST(ed05_a_damaged_tail_is_written_over)
{
	tree_new();
	make_large("large");
	stage("large");
	terms.buffer = 65536;
	go_to(20 * 1024 * 1024 + 500);
	for (off_t from_end = 1; from_end < 65536; from_end += 700)
		damage("large", from_end);
	ck_assert_uint_eq(go_to(length), 20 * 1024 * 1024 + 500 - 65536);
	check_same("large");
	unstage();
}
END_TEST

/* A file shorter than the journal says, or gone, is not held. */
START_TEST(what_is_not_there_is_not_held)
{
	char path[512];
	uint64_t at;

	tree_new();
	make_tree();
	stage("t");
	at = sp_layout_entry(source_layout(source), 20).data_at + 3;
	go_to(at);
	snprintf(path, sizeof(path), "%s/.incoming/%s/t/a/hello", received, id_text);
	ck_assert_int_eq(truncate(path, 5), 0);
	go_to(at);
	ck_assert_uint_gt(sent, at + 1000);
	ck_assert_int_eq(unlink(path), 0);
	go_to(length);
	check_same("t");
	unstage();
}
END_TEST

START_TEST(a_kept_list_that_is_damaged_begins_anew)
{
	char path[512];

	tree_new();
	make_tree();
	stage("t");
	go_to(length / 2);
	snprintf(path, sizeof(path), "%s/.incoming/%s.manifest", received, id_text);
	ck_assert_int_eq(truncate(path, 100), 0);
	ck_assert_uint_eq(go_to(length), 0);
	check_same("t");
	unstage();
}
END_TEST

START_TEST(rx05_after_a_restart_a_checked_packet_needs_no_sender)
{
	SP_AUTO(data_writer) *w = NULL;
	SP_AUTO_DONE(sp_buf) notes = { 0 };

	tree_new();
	make_tree();
	stage("t");
	go_to(length);
	ck_status(data_writer_new(&terms, &w), SP_OK);
	ck_assert_msg(data_writer_restore(w, &notes, &why) == SP_OK, "%s", why.text);
	check_same("t");
	unstage();
}
END_TEST

START_TEST(what_was_held_is_thrown_away_once_only)
{
	SP_AUTO(data_writer) *w = NULL;

	tree_new();
	make_tree();
	stage("t");
	go_to(length / 2);
	ck_status(data_writer_new(&terms, &w), SP_OK);
	ck_assert_uint_gt(data_writer_held(w), 0);
	ck_assert(data_writer_throw_away(w));
	data_writer_free(sp_take(&w));
	ck_assert_uint_eq(go_to(length / 2), 0);
	ck_status(data_writer_new(&terms, &w), SP_OK);
	ck_assert_uint_gt(data_writer_held(w), 0);
	ck_assert(!data_writer_throw_away(w));
	unstage();
}
END_TEST

/* Before a byte is written over, the journal no longer tells after a power failure that it is there. */
START_TEST(rx05_what_is_asked_for_again_is_not_told_of_as_synced)
{
	SP_AUTO(data_writer) *w = NULL;
	uint8_t other_boot[16] = "another boot....";
	struct journal_look look;
	struct journal_at at;
	char name[64];
	uint64_t offset, half;
	int folder = -1, journal = -1;

	tree_new();
	make_tree();
	stage("t");
	half = length / 2;
	go_to(half);
	ck_status(data_writer_new(&terms, &w), SP_OK);
	ck_assert_uint_eq(data_writer_held(w), half);
	ck_assert(!data_writer_lowers(w, &journal));
	ck_status(data_writer_begin(w, &why), SP_OK);
	ck_assert(data_writer_to_sync(w, &offset, &folder, &journal));
	ck_assert_uint_eq(offset, half);
	close(folder);
	close(journal);
	ck_status(data_writer_synced(w, offset, &why), SP_OK);
	ck_assert(!data_writer_to_sync(w, &offset, &folder, &journal));
	data_writer_free(sp_take(&w));

	terms.buffer = 5000;
	ck_status(data_writer_new(&terms, &w), SP_OK);
	ck_assert_uint_eq(data_writer_held(w), half - 5000);
	ck_assert(data_writer_lowers(w, &journal));
	close(journal);
	ck_status(place_incoming(received, &folder, &why), SP_OK);
	snprintf(name, sizeof(name), "%s%s", id_text, PLACE_DIGESTS);
	at = (struct journal_at){ folder, name, terms.transfer, terms.offer };
	ck_status(journal_look(&at, other_boot, &look, &why), SP_OK);
	ck_assert_uint_eq(look.held, half - 5000);
	close(folder);
	data_writer_free(sp_take(&w));
	go_to(length);
	check_same("t");
	unstage();
}
END_TEST

/* One that was sent whole stays good; one that was begun does not. */
START_TEST(a_source_that_changes_between_two_connections)
{
	SP_AUTO(data_reader) *r = NULL;
	static uint8_t piece[PIECE];
	uint64_t at;

	tree_new();
	make_tree();
	stage("t");
	ck_status(source_save(source, tree_path("kept"), &why), SP_OK);
	at = sp_layout_entry(source_layout(source), 10).data_at + 1;
	tree_time("t/a/secret", 6, 6);
	go_to(at);
	ck_assert_int_eq(truncate(tree_path("t/a/hello"), 5), 0);
	source_free(sp_take(&source));
	ck_assert_msg(source_load(tree_path("kept"), &source, &why) == SP_OK, "%s", why.text);
	tree_time("t/small 39", 5, 5);
	ck_status(data_reader_new(source, &outgoing, at, &r, &why), SP_OK);
	ck_assert_uint_eq(data_reader_at(r), at);
	while (data_reader_left(r) > 0) {
		size_t n = data_reader_left(r) < PIECE ? (size_t)data_reader_left(r) : PIECE;

		ck_assert_msg(data_reader_fill(r, piece, n, &why) == SP_OK, "%s", why.text);
	}
	/* the one before the break, and the one after it; not the one that had been sent */
	ck_assert_uint_eq(data_reader_changed(r), 2);
	unstage();
}
END_TEST

UNIT_MAIN("data/resume", ed07_with_no_buffer_it_goes_on_exactly_where_it_was_wherever_that_is,
    ed05_any_two_splits_and_buffers_give_the_same, a_large_file_by_its_blocks, ed05_a_damaged_tail_is_written_over,
    what_is_not_there_is_not_held, a_kept_list_that_is_damaged_begins_anew,
    rx05_after_a_restart_a_checked_packet_needs_no_sender, what_was_held_is_thrown_away_once_only,
    rx05_what_is_asked_for_again_is_not_told_of_as_synced, a_source_that_changes_between_two_connections)
