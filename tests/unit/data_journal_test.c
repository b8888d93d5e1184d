/*
 * data_journal_test.c - a digest journal after breaks of every kind: torn, damaged, of another boot or transfer.
 */
#include "common/crypto/rand.h"
#include "peerd/data/journal.h"
#include "tests/unit/tree_in_test.h"
#include "tests/unit/unit.h"

static struct sp_why why;
static struct journal_at at;
static uint8_t boot[16], other_boot[16] = "another boot....";
static unsigned seen_files, seen_blocks, seen_records;

static void
begin(void)
{
	tree_new();
	at = (struct journal_at){ .folder = open(tree_dir, O_RDONLY | O_DIRECTORY), .name = "j", .transfer = sp_id_new() };
	sp_random(at.offer.b, sizeof(at.offer.b));
	journal_boot(boot);
}

static void
end(void)
{
	close(at.folder);
	tree_done();
}

/* Marks at 100, synced 100, 200, 300; a digest before each, and one after the last that no mark covers. */
static void
fill(void)
{
	SP_AUTO(journal) *j = NULL;
	struct sp_hash hash = { { 7 } };

	ck_assert_msg(journal_open(&at, 0, &j, &why) == SP_OK, "%s", why.text);
	for (uint32_t i = 1; i <= 3; i++) {
		journal_add(j, JOURNAL_FILE, i, 0, &hash);
		journal_add(j, JOURNAL_BLOCK, 9, i, &hash);
		ck_status(journal_seen(j, i * 100, &why), SP_OK);
		if (i == 1)
			ck_status(journal_synced(j, 100, &why), SP_OK);
	}
	ck_assert_uint_eq(journal_marked(j), 300);
	journal_add(j, JOURNAL_FILE, 4, 0, &hash);
}

#define RECORDS 10	/* 3 x (file, block, seen), one synced */

static struct journal_look
look(const uint8_t of[16])
{
	struct journal_look l;

	ck_assert_msg(journal_look(&at, of, &l, &why) == SP_OK, "%s", why.text);
	return l;
}

static void
count(void *arg, const struct journal_record *r)
{
	(void)arg;
	seen_records++;
	seen_files += r->what == JOURNAL_FILE;
	seen_blocks += r->what == JOURNAL_BLOCK && r->entry == 9 && r->value.b[0] == 7;
}

START_TEST(what_is_marked_is_there)
{
	struct stat sb;

	begin();
	ck_assert_uint_eq(look(boot).held, 0);
	fill();
	ck_assert_int_eq(stat(tree_path("j"), &sb), 0);
	ck_assert_int_eq(sb.st_size, JOURNAL_RECORD * (RECORDS + 1));
	ck_assert_uint_eq(look(boot).held, 300);
	ck_assert_uint_eq(look(boot).synced, 100);
	ck_assert_uint_eq(look(boot).length, (uint64_t)sb.st_size);
	ck_status(journal_replay(&at, look(boot).length, count, NULL, &why), SP_OK);
	ck_assert_uint_eq(seen_records, RECORDS);
	ck_assert_uint_eq(seen_files, 3);
	ck_assert_uint_eq(seen_blocks, 3);
	end();
}
END_TEST

START_TEST(rx05_another_boot_believes_only_what_was_synced)
{
	begin();
	fill();
	ck_assert_uint_eq(look(other_boot).held, 100);
	ck_assert_uint_eq(look(other_boot).length, JOURNAL_RECORD * 5);
	end();
}
END_TEST

START_TEST(ed08_of_another_transfer_or_offer_nothing_is_believed)
{
	struct journal_at mine;

	begin();
	fill();
	mine = at;
	at.offer.b[31] ^= 1;
	ck_assert_uint_eq(look(boot).held, 0);
	at = mine;
	at.transfer = sp_id_new();
	ck_assert_uint_eq(look(boot).held, 0);
	at = mine;
	ck_assert_uint_eq(look(boot).held, 300);
	end();
}
END_TEST

/* The offset that is believed when so many whole records are there. */
static uint64_t
held_with(size_t records)
{
	return records >= 10 ? 300 : records >= 7 ? 200 : records >= 3 ? 100 : 0;
}

START_TEST(a_torn_end_is_cut)
{
	begin();
	fill();
	for (off_t length = JOURNAL_RECORD * (RECORDS + 1); length >= 0; length--) {
		size_t records = length >= JOURNAL_RECORD ? (size_t)length / JOURNAL_RECORD - 1 : 0;
		SP_AUTO(journal) *j = NULL;
		struct journal_look l;

		ck_assert_int_eq(truncate(tree_path("j"), length), 0);
		l = look(boot);
		ck_assert_uint_eq(l.held, held_with(records));
		ck_assert_uint_eq(look(other_boot).held, records >= 4 ? 100 : 0);
	}
	end();
}
END_TEST

START_TEST(damage_ends_it_where_it_lies)
{
	begin();
	fill();
	for (off_t where = 0; where < JOURNAL_RECORD * (RECORDS + 1); where++) {
		SP_AUTO_FD fd = open(tree_path("j"), O_RDWR);
		uint8_t byte, bad;

		ck_assert_int_eq(pread(fd, &byte, 1, where), 1);
		bad = byte ^ 0x20;
		ck_assert_int_eq(pwrite(fd, &bad, 1, where), 1);
		ck_assert_uint_eq(look(boot).held, where < JOURNAL_RECORD ? 0 : held_with((size_t)where / JOURNAL_RECORD - 1));
		ck_assert_int_eq(pwrite(fd, &byte, 1, where), 1);
	}
	ck_assert_uint_eq(look(boot).held, 300);
	end();
}
END_TEST

START_TEST(it_goes_on_where_it_was_cut)
{
	SP_AUTO(journal) *j = NULL;
	struct sp_hash hash = { { 1 } };

	begin();
	fill();
	ck_assert_int_eq(truncate(tree_path("j"), JOURNAL_RECORD * 9 + 5), 0);
	ck_status(journal_open(&at, look(boot).length, &j, &why), SP_OK);
	journal_add(j, JOURNAL_CHANGED, 5, 0, NULL);
	journal_add(j, JOURNAL_AGAIN, 0, 0, &hash);
	ck_status(journal_seen(j, 50, &why), SP_OK);
	ck_assert_uint_eq(look(boot).held, 50);
	ck_assert(look(boot).again);
	/* the offset that was synced stands until it is lowered, too */
	ck_assert_uint_eq(look(other_boot).held, 100);
	ck_status(journal_synced(j, 50, &why), SP_OK);
	ck_assert_uint_eq(look(other_boot).held, 50);
	ck_assert_uint_eq(look(boot).held, 50);
	end();
}
END_TEST

START_TEST(a_link_in_its_place_is_not_followed)
{
	SP_AUTO(journal) *j = NULL;

	begin();
	tree_text("precious", "keep me");
	ck_assert_int_eq(symlink("precious", tree_path("j")), 0);
	ck_assert_uint_eq(look(boot).held, 0);
	fill();
	ck_assert_uint_eq(look(boot).held, 300);
	ck_assert_int_eq(truncate(tree_path("precious"), 7), 0);
	end();
}
END_TEST

UNIT_MAIN("data/journal", what_is_marked_is_there, rx05_another_boot_believes_only_what_was_synced,
    ed08_of_another_transfer_or_offer_nothing_is_believed, a_torn_end_is_cut, damage_ends_it_where_it_lies,
    it_goes_on_where_it_was_cut, a_link_in_its_place_is_not_followed)
