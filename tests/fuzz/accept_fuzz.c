/*
 * accept_fuzz.c - ACCEPT and the ranges held: the input is the letter that carries it; its statement is taken as if bob had signed
 * it. The same input is also read as packed ranges.
 */
#include "common/statements/accept.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#define PACKET (UINT64_C(1) << 40)

static void
check_ranges(const struct sp_range *ranges, size_t count, uint64_t length)
{
	fuzz_must(count <= SP_RANGES_MAX);
	for (size_t i = 0; i < count; i++)
		fuzz_must(ranges[i].from < ranges[i].to && ranges[i].to <= length &&
		    (i == 0 || ranges[i - 1].to < ranges[i].from));
}

static void
ranges(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_range got[SP_RANGES_MAX];
	size_t count;

	if (sp_ranges_parse(in, PACKET, got, &count) != SP_OK)
		return;
	check_ranges(got, count, PACKET);
	fuzz_ok(sp_ranges_pack(got, count, &again));
	fuzz_same(sp_buf_span(&again), in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fuzz_person *bob = fuzz_person(FUZZ_BOB);
	const struct sp_hash offer = { { 7 } };
	struct sp_msg_accept_letter letter;
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_accept accept = { 0 };
	struct sp_why why = { "" };
	uint8_t signature[SP_SIGNATURE], unused[SP_SIGNATURE];

	ranges(sp_span(data, size));
	if (!fuzz_decode(sp_desc_msg(SP_MSG_ACCEPT_LETTER), sp_span(data, size), &letter))
		return 0;
	fuzz_ok(sp_sign(bob->key, letter.statement, signature));
	letter.signature = sp_span(signature, sizeof(signature));
	if (sp_accept_open(&letter, bob->letter.public_key, &bob->identity, &offer, PACKET, &accept, &why) != SP_OK) {
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	check_ranges(accept.held, accept.held_count, PACKET);
	fuzz_must(accept.port > 0 && accept.number > 0);
	fuzz_ok(sp_accept_sign(&accept, &offer, bob->key, &again, unused, NULL, NULL));
	fuzz_same(sp_buf_span(&again), letter.statement);
	return 0;
}
