/*
 * sheet_fuzz.c - SHEET, DENIAL and the packed tariff: the statement is taken as signed by the domain's creditd, opened, and signed
 * again to the same bytes.
 */
#include "common/statements/sheet.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

static void
tariff(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_tariff t;

	if (sp_tariff_parse(in, &t) != SP_OK)
		return;
	fuzz_accept();
	fuzz_must(t.count >= 1 && t.count <= SP_TARIFF_STEPS && t.steps[0].from_bytes == 0);
	for (size_t i = 0; i < t.count; i++) {
		fuzz_must(t.steps[i].price <= SP_SHEET_SERIALS && (i == 0 || t.steps[i - 1].from_bytes < t.steps[i].from_bytes));
		fuzz_must(sp_tariff_price(&t, t.steps[i].from_bytes) == t.steps[i].price);
		fuzz_must(i == 0 || sp_tariff_price(&t, t.steps[i].from_bytes - 1) == t.steps[i - 1].price);
	}
	fuzz_ok(sp_tariff_pack(&t, &again));
	fuzz_same(sp_buf_span(&again), in);
}

static void
check_sheet(const struct sp_sheet *s, struct sp_span in, const struct fuzz_person *creditd)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	uint8_t unused[SP_SIGNATURE];
	struct sp_hash hash;

	fuzz_must(s->count >= 1 && s->count <= SP_SHEET_SERIALS && s->first >= 1 &&
	    (uint64_t)s->first + s->count - 1 <= UINT32_MAX);
	fuzz_must(strcmp(s->domain, FUZZ_DOMAIN) == 0 && s->station.station[0] != 0 && s->valid_until_ms > s->issued_ms);
	fuzz_ok(sp_sheet_sign(s, creditd->key, &again, unused, &hash, NULL));
	fuzz_same(sp_buf_span(&again), in);
	fuzz_must(sp_hash_eq(&hash, &s->hash));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fuzz_person *creditd = fuzz_person(FUZZ_CREDITD), *alice = fuzz_person(FUZZ_ALICE);
	struct sp_span in = sp_span(data, size), sig;
	uint8_t signature[SP_SIGNATURE];
	struct sp_credit_answer answer;
	struct sp_why why = { "" };
	struct sp_sheet sheet;
	enum sp_status st;

	tariff(in);
	fuzz_ok(sp_sign(creditd->key, in, signature));
	sig = sp_span(signature, sizeof(signature));
	st = sp_sheet_open(in, sig, &creditd->identity, &sheet, &why);
	if (st == SP_OK) {
		fuzz_accept();
		check_sheet(&sheet, in, creditd);
	}
	if (sp_credit_answer_open(in, sig, &creditd->identity, &answer, &why) == SP_OK) {
		fuzz_accept();
		fuzz_must(answer.granted == (st == SP_OK) && (answer.granted || answer.reason != SP_OK));
	} else {
		fuzz_must(st != SP_OK);
	}
	fuzz_reason(&why);
	/* a station signs no credits */
	fuzz_ok(sp_sign(alice->key, in, signature));
	fuzz_must(sp_sheet_open(in, sig, &alice->identity, &sheet, &why) != SP_OK);
	return 0;
}
