/*
 * packet_print_test.c - one fingerprint: its two forms at their border, its text, blocks, and going on after a break.
 *
 * Whole blocks go in by their digests where the bytes don't matter, so that little is hashed here.
 */
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/crypto/hash.h"
#include "common/crypto/rand.h"
#include "common/crypto/sha256_lanes.h"
#include "common/packet/prints.h"
#include "tests/unit/packet_help.h"

#define MIB ((uint64_t)SP_PRINT_BLOCK)

/* Digests as on_block reports them. */
struct seen {
	struct sp_hash digests[70];
	uint64_t count;
};

static void
on_block(void *arg, uint64_t block, const struct sp_hash *digest)
{
	struct seen *seen = arg;

	ck_assert_uint_lt(block, 70);
	seen->digests[block] = *digest;
	seen->count++;
}

static struct sp_hash
sha256(const void *p, size_t n)
{
	struct sp_hash hash;

	sp_sha256(sp_span(p, n), &hash);
	return hash;
}

START_TEST(the_form_follows_from_the_size)
{
	ck_assert(!sp_print_by_blocks(0));
	ck_assert(!sp_print_by_blocks(64 * MIB));
	ck_assert(sp_print_by_blocks(64 * MIB + 1));
	ck_assert(sp_print_by_blocks(UINT64_MAX));
}
END_TEST

START_TEST(text_and_back)
{
	struct sp_print print = { .state = SP_PRINT_HASH, .hash = sha256("abc", 3) }, again, none = { 0 };
	struct sp_print changed = { .state = SP_PRINT_CHANGED };
	static const uint64_t sizes[] = { 0, 64 * MIB, 64 * MIB + 1 };
	char text[SP_PRINT_TEXT];

	ck_assert_str_eq(sp_print_text(&print, 3, text),
	    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_str_eq(sp_print_text(&print, 64 * MIB + 1, text),
	    "sha256-1m:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_str_eq(sp_print_text(&changed, 3, text), "changed");
	ck_assert_str_eq(sp_print_text(&none, 3, text), "none");
	for (size_t i = 0; i < 3; i++) {
		again = none;
		ck_status(sp_print_parse(sp_span_str(sp_print_text(&print, sizes[i], text)), sizes[i], &again), SP_OK);
		ck_assert(sp_print_eq(&again, &print));
		ck_status(sp_print_parse(sp_span_str(text), sizes[i] + (i < 2 ? 64 * MIB + 1 : 0) - (i == 2), &again),
		    SP_E_FORMAT);
		ck_status(sp_print_parse(sp_span_str("changed"), sizes[i], &again), SP_OK);
		ck_assert(sp_print_eq(&again, &changed));
	}
	ck_assert(!sp_print_eq(&print, &changed));
	ck_assert(!sp_print_eq(&none, &changed));
}
END_TEST

START_TEST(other_texts_are_refused)
{
#define HEX63 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"
	static const char *const bad[] = { "", "none", "changed ", "CHANGED", "sha256:", "sha256:" HEX63, "sha256:" HEX63 "dd",
	    "sha256:" HEX63 "D", "sha256:" HEX63 "g", "SHA256:" HEX63 "d", "sha256 " HEX63 "d", HEX63 "d", "sha512:" HEX63 "d",
	    "sha256-1m:" HEX63 "d", " sha256:" HEX63 "d" };
	struct sp_print print;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_status(sp_print_parse(sp_span_str(bad[i]), 1, &print), SP_E_FORMAT);
	ck_status(sp_print_parse(sp_span_str("sha256:" HEX63 "d"), 1, &print), SP_OK);
}
END_TEST

START_TEST(pk16_small_files_have_the_plain_hash)
{
	SP_AUTO(sp_printer) *p = sp_printer_new();
	struct seen seen = { .count = 0 };
	struct sp_print print;
	struct sp_hash want;

	sp_printer_on_block(p, on_block, &seen);
	sp_printer_reset(p, 0);
	ck_status(sp_printer_end(p, &print), SP_OK);
	want = sha256("", 0);
	ck_assert_int_eq(print.state, SP_PRINT_HASH);
	ck_assert(sp_hash_eq(&print.hash, &want));
	sp_printer_reset(p, 3);
	sp_printer_add(p, "a", 1);
	sp_printer_add(p, "", 0);
	ck_assert_uint_eq(sp_printer_at(p), 1);
	sp_printer_add(p, "bc", 2);
	ck_status(sp_printer_end(p, &print), SP_OK);
	want = sha256("abc", 3);
	ck_assert(sp_hash_eq(&print.hash, &want));
	ck_assert_uint_eq(seen.count, 0);
}
END_TEST

START_TEST(a_file_of_64_mib_is_hashed_whole_one_byte_more_by_blocks)
{
	SP_AUTO(sp_printer) *p = sp_printer_new();
	uint8_t *bytes = calloc(64, SP_PRINT_BLOCK), digests[65 * 32];
	struct seen seen = { .count = 0 };
	struct sp_hash whole, zeroes, last = sha256("x", 1), want;
	struct sp_print print;

	ck_assert_ptr_nonnull(bytes);
	whole = sha256(bytes, 64 * MIB);
	zeroes = sha256(bytes, MIB);
	sp_printer_on_block(p, on_block, &seen);
	sp_printer_reset(p, 64 * MIB);
	sp_printer_add(p, bytes, 64 * MIB);
	ck_status(sp_printer_end(p, &print), SP_OK);
	ck_assert(sp_hash_eq(&print.hash, &whole));
	ck_assert_uint_eq(seen.count, 0);

	for (size_t i = 0; i < 65; i++)
		memcpy(digests + 32 * i, i < 64 ? zeroes.b : last.b, 32);
	want = sha256(digests, sizeof(digests));
	sp_printer_reset(p, 64 * MIB + 1);
	sp_printer_add(p, bytes, 1);
	sp_printer_add(p, bytes, 64 * MIB - 1);
	ck_assert_uint_eq(seen.count, 64);
	sp_printer_add(p, "x", 1);
	ck_assert_uint_eq(seen.count, 64);
	ck_status(sp_printer_end(p, &print), SP_OK);
	ck_assert_uint_eq(seen.count, 65);
	ck_assert(sp_hash_eq(&print.hash, &want));
	for (size_t i = 0; i < 65; i++)
		ck_assert(sp_hash_eq(&seen.digests[i], i < 64 ? &zeroes : &last));
	free(bytes);
}
END_TEST

/* The fingerprint that follows from 65 digests 0, 1, 2… and, when last_size is not whole, the last block's bytes. */
static struct sp_hash
by_digests(const struct sp_hash *last)
{
	uint8_t digests[65 * 32];

	for (size_t i = 0; i < 65; i++)
		memset(digests + 32 * i, (int)i, 32);
	memcpy(digests + 64 * 32, last->b, 32);
	return sha256(digests, sizeof(digests));
}

static void
add_digest(struct sp_printer *p, int i)
{
	struct sp_hash digest;

	memset(digest.b, i, sizeof(digest.b));
	ck_status(sp_printer_add_block(p, &digest), SP_OK);
}

START_TEST(blocks_by_digest_and_by_bytes_mix)
{
	SP_AUTO(sp_printer) *p = sp_printer_new();
	static uint8_t block[SP_PRINT_BLOCK];
	struct seen seen = { .count = 0 };
	struct sp_hash zeroes = sha256(block, sizeof(block)), digest = { { 0 } }, want = by_digests(&zeroes);
	struct sp_print print;

	sp_printer_on_block(p, on_block, &seen);
	sp_printer_reset(p, 65 * MIB);
	for (int i = 0; i < 64; i++)
		add_digest(p, i);
	ck_assert_uint_eq(sp_printer_at(p), 64 * MIB);
	ck_assert_uint_eq(seen.count, 0);
	/* inside a block no digest is taken */
	sp_printer_add(p, block, 1);
	ck_status(sp_printer_add_block(p, &digest), SP_E_STATE);
	sp_printer_add(p, block, sizeof(block) - 1);
	ck_status(sp_printer_add_block(p, &digest), SP_E_STATE);
	ck_status(sp_printer_end(p, &print), SP_OK);
	ck_assert(sp_hash_eq(&print.hash, &want));
	ck_assert_uint_eq(seen.count, 1);
	ck_assert(sp_hash_eq(&seen.digests[64], &zeroes));
}
END_TEST

START_TEST(hashing_goes_on_after_a_break)
{
	SP_AUTO(sp_printer) *first = sp_printer_new(), *second = sp_printer_new();
	static uint8_t block[SP_PRINT_BLOCK];
	struct seen seen = { .count = 0 };
	struct sp_print whole, resumed;
	uint64_t size = 66 * MIB + 7;

	memset(block, 0x5a, sizeof(block));
	sp_printer_on_block(first, on_block, &seen);
	sp_printer_reset(first, size);
	for (size_t i = 0; i < 66; i++) {
		block[0] = (uint8_t)i;
		sp_printer_add(first, block, sizeof(block));
	}
	sp_printer_add(first, "1234567", 7);
	ck_status(sp_printer_end(first, &whole), SP_OK);
	ck_assert_uint_eq(seen.count, 67);

	/* the break was in block 65: its beginning is hashed again */
	sp_printer_reset(second, size);
	for (size_t i = 0; i < 65; i++)
		ck_status(sp_printer_add_block(second, &seen.digests[i]), SP_OK);
	block[0] = 65;
	sp_printer_add(second, block, 1000);
	sp_printer_add(second, block + 1000, sizeof(block) - 1000);
	sp_printer_add(second, "1234567", 7);
	ck_status(sp_printer_end(second, &resumed), SP_OK);
	ck_assert(sp_print_eq(&whole, &resumed));
}
END_TEST

/* So many printers at once that not all hold blocks; on processors of every kind; in pieces of odd sizes. */
START_TEST(blocks_hashed_together_and_one_by_one_are_the_same)
{
	static const size_t ways[] = { 16, 2, 1 };
	uint64_t size = 69 * MIB + 4711;
	uint8_t *bytes = malloc(size), all[70 * 32];
	struct sp_printer *p[SP_PRINT_HELD + 1];
	struct seen seen = { .count = 0 };
	struct sp_print print;
	struct sp_hash want;

	ck_assert_ptr_nonnull(bytes);
	sp_random(bytes, size);
	for (size_t i = 0; i < 70; i++) {
		want = sha256(bytes + i * MIB, i < 69 ? MIB : 4711);
		memcpy(all + 32 * i, want.b, 32);
	}
	want = sha256(all, sizeof(all));
	for (size_t w = 0; w < 3; w++) {
		sp_sha256_lanes_limit(ways[w]);
		for (size_t i = 0; i <= SP_PRINT_HELD; i++) {
			p[i] = sp_printer_new();
			sp_printer_reset(p[i], size);
		}
		for (size_t i = 0; i <= SP_PRINT_HELD; i += SP_PRINT_HELD) {
			seen.count = 0;
			sp_printer_on_block(p[i], on_block, &seen);
			for (size_t at = 0, n; at < size; at += n) {
				n = size - at < 100003 ? size - at : 100003;
				sp_printer_add(p[i], bytes + at, n);
			}
			ck_status(sp_printer_end(p[i], &print), SP_OK);
			ck_assert(sp_hash_eq(&print.hash, &want));
			ck_assert_uint_eq(seen.count, 70);
			for (size_t j = 0; j < 70; j++)
				ck_assert_mem_eq(seen.digests[j].b, all + 32 * j, 32);
		}
		for (size_t i = 0; i <= SP_PRINT_HELD; i++)
			sp_printer_free(p[i]);
	}
	sp_sha256_lanes_limit(0);
	free(bytes);
}
END_TEST

START_TEST(digests_are_taken_where_a_whole_block_stands_only)
{
	SP_AUTO(sp_printer) *p = sp_printer_new();
	struct sp_hash digest = { { 0 } };

	sp_printer_reset(p, 64 * MIB);
	ck_status(sp_printer_add_block(p, &digest), SP_E_STATE);
	sp_printer_reset(p, 64 * MIB + 1);
	for (int i = 0; i < 64; i++)
		add_digest(p, i);
	ck_status(sp_printer_add_block(p, &digest), SP_E_STATE);
	ck_assert_uint_eq(sp_printer_at(p), 64 * MIB);
	sp_printer_reset(p, 70 * MIB);
	sp_printer_add(p, "x", 1);
	ck_status(sp_printer_add_block(p, &digest), SP_E_STATE);
}
END_TEST

START_TEST(another_size_gives_no_fingerprint)
{
	SP_AUTO(sp_printer) *p = sp_printer_new();
	struct sp_print print = { .state = 77 };

	sp_printer_reset(p, 3);
	ck_status(sp_printer_end(p, &print), SP_E_SIZE);
	sp_printer_add(p, "ab", 2);
	ck_status(sp_printer_end(p, &print), SP_E_SIZE);
	sp_printer_add(p, "cd", 2);
	ck_assert_uint_eq(sp_printer_at(p), 3);
	ck_status(sp_printer_end(p, &print), SP_E_SIZE);
	sp_printer_reset(p, 0);
	sp_printer_add(p, "x", 1);
	ck_status(sp_printer_end(p, &print), SP_E_SIZE);
	sp_printer_reset(p, 64 * MIB + 1);
	ck_status(sp_printer_end(p, &print), SP_E_SIZE);
	for (int i = 0; i < 64; i++)
		add_digest(p, i);
	sp_printer_add(p, "xy", 2);
	ck_status(sp_printer_end(p, &print), SP_E_SIZE);
	ck_assert_int_eq(print.state, 77);
	/* and nothing of it is left for the next file */
	sp_printer_reset(p, 0);
	ck_status(sp_printer_end(p, &print), SP_OK);
}
END_TEST

UNIT_MAIN("packet/print", the_form_follows_from_the_size, text_and_back, other_texts_are_refused,
    pk16_small_files_have_the_plain_hash, a_file_of_64_mib_is_hashed_whole_one_byte_more_by_blocks,
    blocks_by_digest_and_by_bytes_mix, hashing_goes_on_after_a_break,
    blocks_hashed_together_and_one_by_one_are_the_same, digests_are_taken_where_a_whole_block_stands_only,
    another_size_gives_no_fingerprint)
