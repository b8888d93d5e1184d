/*
 * statements_receipt_test.c - receipt.txt: one form, and does it fit the delivery?
 */
#include "common/base/limits.h"
#include "common/statements/receipt.h"
#include "tests/unit/statements_people.h"

#define H1 "0101010101010101010101010101010101010101010101010101010101010101"
#define Z62 "00000000000000000000000000000000000000000000000000000000000000"
#define HEAD "sealpost-receipt 1\nclass direct\ntransfer 01930000-0000-7000-8000-000000000001\n" \
	"sender alice/laptop@post.example\nsender-certificate 01" Z62 "\nrecipient bob/desk@other.example\n" \
	"recipient-certificate 02" Z62 "\noffer 03" Z62 "\nmanifest 04" Z62 "\ntrailer 05" Z62 "\n"
#define GOOD HEAD "received 2026-11-24T05:08:41Z\nfiles 3\nbytes 123\nchanged 1\nleft-out 2 06" Z62 "\nfiles.txt 07" Z62 "\n"

static struct sp_receipt
sample(void)
{
	struct sp_receipt r;

	ck_status(sp_receipt_parse(sp_span_str(GOOD), &r, NULL), SP_OK);
	return r;
}

START_TEST(rc03_a_receipt_says_who_what_and_when)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_receipt r = sample();

	ck_assert_uint_eq(r.klass, SP_RECEIPT_DIRECT);
	ck_assert_str_eq(r.sender.station, "laptop");
	ck_assert_str_eq(r.recipient.person, "bob");
	ck_assert_uint_eq(r.trailer.b[0], 5);
	ck_assert_uint_eq(r.received_s, 1795496921);
	ck_assert_uint_eq(r.files, 3);
	ck_assert_uint_eq(r.bytes, 123);
	ck_assert_uint_eq(r.changed, 1);
	ck_assert_uint_eq(r.left_out, 2);
	ck_assert_uint_eq(r.left_out_paths.b[0], 6);
	ck_assert_uint_eq(r.files_txt.b[0], 7);
	ck_status(sp_receipt_encode(&r, &out, NULL), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&out), GOOD);
}
END_TEST

START_TEST(every_other_form_is_refused)
{
	static const char *const tails[] = {
		"received 2026-11-24T05:08:41Z\nfiles 3\nbytes 123\nchanged 1\nleft-out 0 06" Z62 "\nfiles.txt 07" Z62 "\n",
		"received 2026-11-24T05:08:41Z\nfiles 3\nbytes 123\nchanged 1\nleft-out 2\nfiles.txt 07" Z62 "\n",
		"received 2026-11-24T05:08:41Z\nfiles 3\nbytes 123\nchanged 4\nleft-out 0\nfiles.txt 07" Z62 "\n",
		"received 2026-11-24T05:08:41Z\nfiles 03\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt 07" Z62 "\n",
		"received 2026-11-24T05:08:41Z\nfiles 3\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt 07" Z62 "\n\n",
		"received 2026-11-24T05:08:41Z\nfiles 3\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt 07" Z62,
		"received 2026-02-30T05:08:41Z\nfiles 3\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt 07" Z62 "\n",
		"received 2026-11-24T05:08:60Z\nfiles 3\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt 07" Z62 "\n",
		"received 2026-11-24T5:08:41ZZ\nfiles 3\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt 07" Z62 "\n",
		"received 1926-11-24T05:08:41Z\nfiles 3\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt 07" Z62 "\n",
		"received 2026-11-24T05:08:41Z\nfiles 3\nbytes 123\nleft-out 0\nchanged 1\nfiles.txt 07" Z62 "\n",
		"received 2026-11-24T05:08:41Z\r\nfiles 3\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt 07" Z62 "\n",
		"received 2026-11-24T05:08:41Z\nfiles 3\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt A7" Z62 "\n",
		"received 2026-11-24T05:08:41Z\nfiles 1000001\nbytes 123\nchanged 1\nleft-out 0\nfiles.txt 07" Z62 "\n",
	};
	struct sp_receipt r;
	struct sp_why why;

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		SP_AUTO_DONE(sp_buf) text = { 0 };

		sp_buf_add_text(&text, HEAD);
		sp_buf_add_text(&text, tails[i]);
		ck_assert_msg(sp_receipt_parse(sp_buf_span(&text), &r, &why) == SP_E_FORMAT, "%zu", i);
	}
	for (size_t n = 0; n < sizeof(GOOD) - 1; n++)
		ck_assert(sp_receipt_parse(sp_span(GOOD, n), &r, &why) != SP_OK);
	ck_status(sp_receipt_parse(sp_span_str("sealpost-receipt 2\n"), &r, &why), SP_E_VERSION);
	ck_status(sp_receipt_parse(sp_span(GOOD, sizeof(GOOD)), &r, &why), SP_E_FORMAT);
}
END_TEST

START_TEST(a_changed_byte_is_refused_or_says_something_else)
{
	char text[] = GOOD;

	for (size_t bit = 0; bit < (sizeof(GOOD) - 1) * 8; bit++) {
		SP_AUTO_DONE(sp_buf) again = { 0 };
		struct sp_receipt r;

		text[bit / 8] ^= (char)(1 << bit % 8);
		if (sp_receipt_parse(sp_span(text, sizeof(GOOD) - 1), &r, NULL) == SP_OK) {
			ck_status(sp_receipt_encode(&r, &again, NULL), SP_OK);
			ck_assert(sp_span_eq(sp_buf_span(&again), sp_span(text, sizeof(GOOD) - 1)));
		}
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
}
END_TEST

START_TEST(the_reason_names_the_line)
{
	struct sp_receipt r;
	struct sp_why why;

	ck_status(sp_receipt_parse(sp_span_str("sealpost-receipt 1\nclass direct\ntransfer x\n"), &r, &why),
	    SP_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why.text, "line 3"));
	ck_status(sp_receipt_parse(sp_span_str("sealpost-receipt 1\nclass none\n"), &r, &why), SP_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why.text, "line 2"));
}
END_TEST

START_TEST(the_longest_receipt_is_within_its_bound)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_receipt r = sample(), got;

	memset(r.sender.person, 'a', sizeof(r.sender.person) - 1);
	memset(r.sender.station, 'b', sizeof(r.sender.station) - 1);
	memset(r.sender.domain, 'c', sizeof(r.sender.domain) - 1);
	r.sender.domain[20] = '.';
	r.recipient = r.sender;
	r.klass = SP_RECEIPT_POSTMARKED;
	r.files = r.changed = r.left_out = SP_ENTRIES_MAX;
	r.bytes = SP_PACKET_MAX;
	ck_status(sp_receipt_encode(&r, &out, NULL), SP_OK);
	ck_assert_uint_le(out.len, SP_RECEIPT_TEXT_MAX);
	ck_status(sp_receipt_parse(sp_buf_span(&out), &got, NULL), SP_OK);
}
END_TEST

START_TEST(what_could_not_be_read_is_not_written)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_receipt r;

#define CASE(change) do { r = sample(); change; ck_status(sp_receipt_encode(&r, &out, NULL), SP_E_RANGE); } while (0)
	CASE(r.klass = SP_RECEIPT_NONE);
	CASE(r.klass = 5);
	CASE(r.sender.station[0] = '\0');
	CASE(r.recipient.person[0] = '\n');
	CASE(r.received_s = 253402300800u);
	CASE(r.changed = 4);
	CASE(r.bytes = UINT64_MAX);
#undef CASE
}
END_TEST

START_TEST(rc12_a_receipt_that_does_not_fit_the_delivery_is_refused)
{
	struct sp_stmt_offer offer;
	struct person alice, bob;
	struct sp_hash offer_hash, trailer;
	struct sp_receipt good = sample(), r;
	struct sp_why why;

	person_init(&alice, "alice/laptop@post.example", SP_ROLE_STATION);
	person_init(&bob, "bob/desk@other.example", SP_ROLE_STATION);
	alice.identity.hash = good.sender_cert;
	bob.identity.hash = good.recipient_cert;
	offer_hash = good.offer;
	trailer = good.trailer;
	offer = (struct sp_stmt_offer){ .transfer = good.transfer, .klass = good.klass, .manifest = good.manifest,
		.sender = sp_span_str("alice/laptop@post.example"),
		.recipient = sp_span_str("bob/desk@other.example"),
		.files = 3, .bytes = 123 };
#define FITS(want, change) do { r = good; change; ck_status(sp_receipt_fits(&r, &offer, &offer_hash, &alice.identity, \
	&bob.identity, &trailer, &why), want); } while (0)
	FITS(SP_OK, (void)0);
	FITS(SP_E_RECEIPT, r.offer.b[0] ^= 1);
	FITS(SP_E_RECEIPT, r.transfer.b[15] ^= 1);
	FITS(SP_E_RECEIPT, r.klass = SP_RECEIPT_POSTMARKED);
	FITS(SP_E_RECEIPT, r.sender.person[0] = 'b');
	FITS(SP_E_RECEIPT, r.sender_cert.b[0] ^= 1);
	FITS(SP_E_RECEIPT, r.recipient.domain[0] = 'x');
	FITS(SP_E_RECEIPT, r.recipient_cert.b[0] ^= 1);
	FITS(SP_E_RECEIPT, r.manifest.b[0] ^= 1);
	FITS(SP_E_RECEIPT, r.trailer.b[0] ^= 1);
	ck_assert_ptr_nonnull(strstr(why.text, "trailer"));
	FITS(SP_E_RECEIPT, r.files = 4);
	FITS(SP_E_RECEIPT, r.files = 2);
	FITS(SP_E_RECEIPT, r.bytes = 124);
	FITS(SP_E_RECEIPT, r.bytes = 122);
#undef FITS
	person_done(&alice);
	person_done(&bob);
}
END_TEST

START_TEST(links_left_out_are_hashed_by_line)
{
	struct sp_hasher *h = sp_hasher_new();
	struct sp_hash got, want;

	sp_hasher_reset(h);
	sp_receipt_left_out_add(h, sp_span_str("a b"));
	sp_receipt_left_out_add(h, sp_span_str("c"));
	sp_hasher_end(h, &got);
	sp_sha256(sp_span_str("a%20b\nc\n"), &want);
	ck_assert(sp_hash_eq(&got, &want));
	sp_hasher_free(h);
}
END_TEST

UNIT_MAIN("statements/receipt", rc03_a_receipt_says_who_what_and_when, every_other_form_is_refused,
    a_changed_byte_is_refused_or_says_something_else, the_reason_names_the_line,
    the_longest_receipt_is_within_its_bound, what_could_not_be_read_is_not_written,
    rc12_a_receipt_that_does_not_fit_the_delivery_is_refused, links_left_out_are_hashed_by_line)
