/*
 * frank_fuzz.c - FRANK and the packed serials of FRANK and VOID: the statement is taken as signed by alice, opened, held against a
 * sheet, and signed again to the same bytes.
 */
#include "common/statements/frank.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

static void
check_serials(const struct sp_serials *s, size_t count, uint32_t total)
{
	uint64_t sum = 0;

	fuzz_must(count >= 1 && count <= SP_FRANK_RANGES);
	for (size_t i = 0; i < count; i++) {
		fuzz_must(s[i].count > 0 && (uint64_t)s[i].first + s[i].count - 1 <= UINT32_MAX);
		fuzz_must(i == 0 || (uint64_t)s[i - 1].first + s[i - 1].count < s[i].first);
		sum += s[i].count;
	}
	fuzz_must(sum == total);
}

static void
serials(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_serials got[SP_FRANK_RANGES];
	uint32_t total;
	size_t count;

	if (sp_serials_parse(in, 1, UINT32_MAX, got, &count, &total) != SP_OK)
		return;
	fuzz_accept();
	check_serials(got, count, total);
	fuzz_ok(sp_serials_pack(got, count, &again));
	fuzz_same(sp_buf_span(&again), in);
}

/* What pays must be within the sheet, for its price. */
static void
pays(const struct sp_frank *frank)
{
	const struct fuzz_person *alice = fuzz_person(FUZZ_ALICE);
	const struct sp_hash offer = { { 7 } }, cert = { { 9 } };
	struct sp_sheet sheet = { .hash = { { 8 } }, .station = alice->identity.name, .domain = FUZZ_DOMAIN, .first = 100,
		.count = 50, .epoch = 1, .offline = 10, .tariff = { { { 0, 1 }, { 1000000, 2 } }, 2 }, .issued_ms = 1,
		.valid_until_ms = FUZZ_NOW_MS + 1000 };
	struct sp_why why = { "" };

	if (sp_frank_pays(frank, &offer, frank->bytes, frank->price, &cert, &alice->identity, &sheet, FUZZ_NOW_MS, &why) != SP_OK) {
		fuzz_must(why.text[0] != 0);
		fuzz_reason(&why);
		return;
	}
	fuzz_must(frank->price == (frank->bytes >= 1000000 ? 2u : 1u) && frank->valid_until_ms > FUZZ_NOW_MS);
	check_serials(frank->serials, frank->count, frank->price);
	fuzz_must(frank->serials[0].first >= 100 && frank->serials[frank->count - 1].first +
	    frank->serials[frank->count - 1].count <= 150);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fuzz_person *alice = fuzz_person(FUZZ_ALICE);
	struct sp_span in = sp_span(data, size);
	SP_AUTO_DONE(sp_buf) again = { 0 };
	uint8_t signature[SP_SIGNATURE], unused[SP_SIGNATURE];
	struct sp_why why = { "" };
	struct sp_frank frank;

	serials(in);
	fuzz_ok(sp_sign(alice->key, in, signature));
	if (sp_frank_open(in, sp_span(signature, sizeof(signature)), &alice->identity, &frank, &why) != SP_OK) {
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	check_serials(frank.serials, frank.count, frank.price);
	fuzz_ok(sp_frank_sign(&frank, alice->key, &again, unused, NULL));
	fuzz_same(sp_buf_span(&again), in);
	pays(&frank);
	return 0;
}
