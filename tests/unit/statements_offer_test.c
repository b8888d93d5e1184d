/*
 * statements_offer_test.c - an offer, its letter and its parties.
 */
#include "common/base/limits.h"
#include "common/statements/host.h"
#include "common/statements/offer.h"
#include "tests/unit/statements_people.h"

static struct person alice, bob, mallory;
static struct sp_stmt_offer good;
static const uint8_t salt[SP_TITLE_SALT] = { 9, 8, 7 };

#define TEXT(s) { (const uint8_t *)(s), sizeof(s) - 1 }

static void
setup(void)
{
	person_init(&alice, "alice/laptop@post.example", SP_ROLE_STATION);
	person_init(&bob, "bob/desk@other.example", SP_ROLE_STATION);
	person_init(&mallory, "mallory/m@post.example", SP_ROLE_STATION);
	good = (struct sp_stmt_offer){
		.transfer = sp_id_new(),
		.sender = TEXT("alice/laptop@post.example"),
		.recipient = TEXT("bob/desk@other.example"),
		.recipient_cert = bob.identity.hash,
		.klass = SP_RECEIPT_DIRECT,
		.files = 2,
		.bytes = 1000,
		.packet = 5 * 1024,
		.manifest = { { 4 } },
		.time_ms = 1764040000000,
		.manifest_length = 700,
	};
	sp_offer_title_hash(salt, sp_span_str("holiday"), &good.title_hash);
}

static void
teardown(void)
{
	person_done(&alice);
	person_done(&bob);
	person_done(&mallory);
}

/* What bob says to this offer signed by key in a letter with that title, sealed by that person. */
static enum sp_status
offered(const struct sp_stmt_offer *offer, const struct person *signer, const struct person *letter_by,
    const char *title, struct sp_hash *ret_hash)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	uint8_t sig[SP_SIGNATURE];
	struct sp_msg_offer_letter letter;
	struct sp_stmt_offer got;
	struct sp_hash hash;
	enum sp_status st;

	ck_status(sp_statement_sign(SP_STMT_OFFER, offer, signer->key, &out, sig, ret_hash, NULL), SP_OK);
	letter = (struct sp_msg_offer_letter){ .statement = sp_buf_span(&out), .signature = sp_span(sig, sizeof(sig)),
		.title = sp_span_str(title), .title_salt = sp_span(salt, sizeof(salt)) };
	st = sp_offer_open(&letter, letter_by->letter.public_key, &signer->identity, &bob.identity, &got, &hash,
	    NULL);
	if (st == SP_OK) {
		ck_assert(sp_hash_eq(&hash, ret_hash));
		ck_assert(sp_id_eq(&got.transfer, &offer->transfer));
		ck_assert_uint_eq(got.packet, offer->packet);
	}
	return st;
}

START_TEST(a_good_offer_is_opened)
{
	struct sp_hash hash;

	setup();
	ck_status(offered(&good, &alice, &alice, "holiday", &hash), SP_OK);
	teardown();
}
END_TEST

START_TEST(parties_that_are_not_one_are_refused)
{
	struct sp_stmt_offer offer;
	struct sp_hash hash;

	setup();
	/* mallory passes alice's offer on, signs in her name, or seals with another key */
	ck_status(offered(&good, &mallory, &mallory, "holiday", &hash), SP_E_IDENTITY);
	ck_status(offered(&good, &alice, &mallory, "holiday", &hash), SP_E_IDENTITY);
	offer = good;
	offer.recipient = sp_span_str("carol/desk@other.example");
	ck_status(offered(&offer, &alice, &alice, "holiday", &hash), SP_E_IDENTITY);
	offer = good;
	offer.recipient_cert.b[0] ^= 1;
	ck_status(offered(&offer, &alice, &alice, "holiday", &hash), SP_E_MISMATCH);
	teardown();
}
END_TEST

START_TEST(tx02_another_title_than_the_signed_one_is_refused)
{
	struct sp_hash hash;
	char longest[SP_TITLE_MAX + 2];

	setup();
	ck_status(offered(&good, &alice, &alice, "holidaz", &hash), SP_E_MISMATCH);
	ck_status(offered(&good, &alice, &alice, "", &hash), SP_E_FORMAT);
	memset(longest, 'x', sizeof(longest));
	longest[SP_TITLE_MAX + 1] = '\0';
	ck_status(offered(&good, &alice, &alice, longest, &hash), SP_E_FORMAT);
	teardown();
}
END_TEST

START_TEST(rx02_offers_that_break_a_rule_are_refused)
{
	struct sp_why why;
	struct sp_stmt_offer o;

#define CASE(want, change) do { o = good; change; ck_status(sp_offer_check(&o, &why), want); } while (0)
	setup();
	CASE(SP_OK, (void)0);
	CASE(SP_E_FORMAT, o.sender = sp_span_str("alice@post.example"));
	CASE(SP_E_FORMAT, o.recipient = sp_span_str("bob@other.example"));
	CASE(SP_E_FORMAT, o.recipient = sp_span_str("Bob/desk@other.example"));
	CASE(SP_E_FORMAT, o.recipient = o.sender);
	CASE(SP_E_SIZE, o.packet++);
	CASE(SP_E_SIZE, o.packet = 512 + 1024 + 1024);
	CASE(SP_OK, (o.bytes = 0, o.packet = 512 + 1024 + 1024));
	CASE(SP_E_SIZE, o.packet = 0);
	CASE(SP_E_SIZE, o.packet = 1ull << 63);
	CASE(SP_E_SIZE, o.bytes = 5 * 1024);
	CASE(SP_E_SIZE, o.bytes = UINT64_MAX);
	CASE(SP_E_SIZE, o.bytes = SP_PACKET_MAX);
	CASE(SP_OK, (o.bytes = SP_PACKET_MAX, o.packet = SP_PACKET_MAX + 1024 * 1024));
	CASE(SP_E_SIZE, o.files = 0);
	CASE(SP_OK, (o.files = 0, o.bytes = 0));
	CASE(SP_E_SIZE, o.files = SP_ENTRIES_MAX + 1);
	CASE(SP_E_SIZE, o.manifest_length = 4096);
	CASE(SP_E_FORMAT, o.return_port = 7325);
	CASE(SP_E_FORMAT, o.return_host = sp_span_str("10.0.0.1"));
	CASE(SP_OK, (o.return_host = sp_span_str("10.0.0.1"), o.return_port = 7325));
	CASE(SP_E_FORMAT, (o.return_host = sp_span_str("a b"), o.return_port = 7325));
	CASE(SP_OK, o.certds = sp_span_str("main"));
	CASE(SP_OK, o.certds = sp_span_str("main,second"));
	CASE(SP_E_FORMAT, o.certds = sp_span_str("main,second,third"));
	CASE(SP_E_FORMAT, o.certds = sp_span_str("main,main"));
	CASE(SP_E_FORMAT, o.creditds = sp_span_str("main,"));
	CASE(SP_E_FORMAT, o.creditds = sp_span_str(",main"));
	CASE(SP_E_FORMAT, o.creditds = sp_span_str("Main"));
#undef CASE
	teardown();
}
END_TEST

START_TEST(services_are_taken_apart)
{
	ck_assert(sp_span_eq(sp_offer_service(sp_span_str("a,b"), 0), sp_span_str("a")));
	ck_assert(sp_span_eq(sp_offer_service(sp_span_str("a,b"), 1), sp_span_str("b")));
	ck_assert_uint_eq(sp_offer_service(sp_span_str("a,b"), 2).n, 0);
	ck_assert_uint_eq(sp_offer_service(sp_span_str("a"), 1).n, 0);
	ck_assert_uint_eq(sp_offer_service(sp_span(NULL, 0), 0).n, 0);
}
END_TEST

START_TEST(hosts_have_one_form)
{
	static const char *const good_hosts[] = { "a", "keyd.post.example", "10.0.0.1", "::1", "2001:db8::1",
	    "x-1.y" };
	static const char *const bad_hosts[] = { "::ffff:192.0.2.1", "", ".", "a.", ".a", "a..b", "-a", "a-", "A", "a_b", "a b", "[::1]",
	    "1::0:1",
		"2001:DB8::1", "::1%eth0", "a:b", "0:0:0:0:0:0:0:1", "\xc3\xa4.example" };
	char longest[SP_HOST_MAX + 2];

	for (size_t i = 0; i < sizeof(good_hosts) / sizeof(good_hosts[0]); i++)
		ck_assert_msg(sp_host_ok(sp_span_str(good_hosts[i])), "%s", good_hosts[i]);
	for (size_t i = 0; i < sizeof(bad_hosts) / sizeof(bad_hosts[0]); i++)
		ck_assert_msg(!sp_host_ok(sp_span_str(bad_hosts[i])), "%s", bad_hosts[i]);
	memset(longest, 'x', sizeof(longest));
	ck_assert(sp_host_ok(sp_span(longest, SP_HOST_MAX)));
	ck_assert(!sp_host_ok(sp_span(longest, SP_HOST_MAX + 1)));
}
END_TEST

START_TEST(classes_have_names)
{
	for (unsigned k = 1; k <= 4; k++)
		ck_assert_uint_eq(sp_receipt_class_from_text(sp_span_str(sp_receipt_class_text(k))), k);
	ck_assert_uint_eq(sp_receipt_class_from_text(sp_span_str("")), 0);
	ck_assert_uint_eq(sp_receipt_class_from_text(sp_span_str("Direct")), 0);
	ck_assert_str_eq(sp_receipt_class_text(0), "unknown");
	ck_assert_str_eq(sp_receipt_class_text(5), "unknown");
}
END_TEST

UNIT_MAIN("statements/offer", a_good_offer_is_opened, parties_that_are_not_one_are_refused,
    tx02_another_title_than_the_signed_one_is_refused, rx02_offers_that_break_a_rule_are_refused, services_are_taken_apart,
    hosts_have_one_form, classes_have_names)
