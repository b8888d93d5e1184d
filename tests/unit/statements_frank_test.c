/*
 * statements_frank_test.c - sheets, denials and franks: who may sign them, and what a frank does not pay.
 */
#define NOW_MS UINT64_C(1795593600000)
#include "common/statements/frank.h"
#include "tests/unit/crypto_certs.h"

struct bench {
	struct sp_key *creditd_key, *alice_key;
	struct sp_identity creditd, alice, bob;
	struct sp_sheet sheet;
	struct sp_buf sheet_bytes, frank_bytes;
	uint8_t sheet_signature[64], frank_signature[64];
	struct sp_frank frank;
	struct sp_hash offer;
};

static void
bench_make(struct bench *b)
{
	*b = (struct bench){ 0 };
	b->creditd = leaf_identity("post.example", SP_ROLE_CREDITD, "main", NULL, &b->creditd_key);
	b->alice = leaf_identity("post.example", SP_ROLE_STATION, "alice", "laptop", &b->alice_key);
	b->bob = leaf_identity("post.example", SP_ROLE_STATION, "bob", "desktop", NULL);
	b->bob.hash.b[0] = 9;
	b->offer.b[0] = 7;
	b->sheet = (struct sp_sheet){ .request = sp_id_new(), .sheet = sp_id_new(), .station = b->alice.name,
		.domain = "post.example", .first = 100, .count = 25, .epoch = 1, .offline = 25,
		.tariff = { .steps = { { 0, 1 }, { 1000000, 2 } }, .count = 2 }, .issued_ms = NOW_MS - 1,
		.valid_until_ms = NOW_MS + 1000 };
	ck_status(sp_sheet_sign(&b->sheet, b->creditd_key, &b->sheet_bytes, b->sheet_signature, &b->sheet.hash, NULL), SP_OK);
	b->frank = (struct sp_frank){ .offer = b->offer, .sheet = b->sheet.hash, .recipient_cert = b->bob.hash,
		.bytes = 1000000, .price = 2, .serials = { { 123, 2 } }, .count = 1, .valid_until_ms = NOW_MS + 500 };
}

static void
bench_done(struct bench *b)
{
	sp_key_free(b->creditd_key);
	sp_key_free(b->alice_key);
	sp_buf_done(&b->sheet_bytes);
	sp_buf_done(&b->frank_bytes);
}

static struct sp_span
sig(const uint8_t signature[64])
{
	return sp_span(signature, 64);
}

/* Signs b->frank and holds it against the delivery. */
static enum sp_status
pays(struct bench *b, uint64_t now)
{
	struct sp_frank frank;
	struct sp_why why;
	enum sp_status st;

	sp_buf_clear(&b->frank_bytes);
	ck_status(sp_frank_sign(&b->frank, b->alice_key, &b->frank_bytes, b->frank_signature, NULL), SP_OK);
	st = sp_frank_open(sp_buf_span(&b->frank_bytes), sig(b->frank_signature), &b->alice, &frank, &why);
	return st != SP_OK ? st : sp_frank_pays(&frank, &b->offer, 1000000, 2, &b->bob.hash, &b->alice, &b->sheet, now, &why);
}

START_TEST(wal05_a_frank_pays_exactly_its_delivery)
{
	struct bench b;
	struct sp_frank good;

	bench_make(&b);
	good = b.frank;
	ck_status(pays(&b, NOW_MS), SP_OK);
	ck_status(pays(&b, NOW_MS + 500), SP_E_FRANK);
	ck_status(pays(&b, NOW_MS + 1000), SP_E_FRANK);
#define REFUSED(change) do { b.frank = good; change; ck_status(pays(&b, NOW_MS), SP_E_FRANK); } while (0)
	REFUSED(b.frank.offer.b[1] = 1);
	REFUSED(b.frank.recipient_cert.b[1] = 1);
	REFUSED(b.frank.sheet.b[1] ^= 1);
	REFUSED(b.frank.bytes = 999999);
	REFUSED(b.frank.serials[0].first = 99);
	REFUSED(b.frank.serials[0].first = 124);
	REFUSED((b.frank.price = 1, b.frank.serials[0].count = 1));
	REFUSED((b.frank.price = 3, b.frank.serials[0] = (struct sp_serials){ 100, 3 }));
	b.frank = good;
	snprintf(b.sheet.station.person, sizeof(b.sheet.station.person), "mallory");
	ck_status(pays(&b, NOW_MS), SP_E_FRANK);
	bench_done(&b);
}
END_TEST

START_TEST(only_the_sender_franks)
{
	struct bench b;
	struct sp_frank frank;
	struct sp_why why;

	bench_make(&b);
	ck_status(pays(&b, NOW_MS), SP_OK);
	ck_status(sp_frank_open(sp_buf_span(&b.frank_bytes), sig(b.frank_signature), &b.bob, &frank, &why), SP_E_SIGNATURE);
	ck_status(sp_frank_open(sp_buf_span(&b.frank_bytes), sig(b.frank_signature), &b.creditd, &frank, &why), SP_E_ROLE);
	ck_status(sp_frank_open(sp_buf_span(&b.sheet_bytes), sig(b.sheet_signature), &b.alice, &frank, &why), SP_E_MISMATCH);
	b.frank_bytes.data[b.frank_bytes.len - 1] ^= 1;
	ck_assert(sp_frank_open(sp_buf_span(&b.frank_bytes), sig(b.frank_signature), &b.alice, &frank, &why) != SP_OK);
	b.frank.serials[0].count = 1;
	ck_status(sp_frank_sign(&b.frank, b.alice_key, &b.frank_bytes, b.frank_signature, &why), SP_E_RANGE);
	bench_done(&b);
}
END_TEST

START_TEST(wal20_only_a_creditd_of_the_domain_grants)
{
	struct bench b;
	struct sp_credit_answer answer;
	struct sp_identity other;
	struct sp_why why;
	uint8_t signature[64];

	bench_make(&b);
	ck_status(sp_credit_answer_open(sp_buf_span(&b.sheet_bytes), sig(b.sheet_signature), &b.creditd, &answer, &why), SP_OK);
	ck_assert(answer.granted && answer.sheet.count == 25 && sp_hash_eq(&answer.sheet.hash, &b.sheet.hash));
	ck_assert(sp_id_eq(&answer.request, &b.sheet.request));
	ck_assert_uint_eq(sp_tariff_price(&answer.sheet.tariff, 1000000), 2);
	ck_status(sp_credit_answer_open(sp_buf_span(&b.sheet_bytes), sig(b.sheet_signature), &b.alice, &answer, &why), SP_E_ROLE);
	other = b.creditd;
	snprintf(other.name.domain, sizeof(other.name.domain), "other.example");
	ck_status(sp_credit_answer_open(sp_buf_span(&b.sheet_bytes), sig(b.sheet_signature), &other, &answer, &why), SP_E_DOMAIN);
	sp_buf_clear(&b.sheet_bytes);
	snprintf(b.sheet.station.domain, sizeof(b.sheet.station.domain), "other.example");
	ck_status(sp_sheet_sign(&b.sheet, b.creditd_key, &b.sheet_bytes, signature, NULL, NULL), SP_OK);
	ck_status(sp_credit_answer_open(sp_buf_span(&b.sheet_bytes), sig(signature), &b.creditd, &answer, &why), SP_E_DOMAIN);
	bench_done(&b);
}
END_TEST

START_TEST(wal19_a_denial_says_why)
{
	struct bench b;
	struct sp_credit_answer answer;
	struct sp_stmt_denial denial = { .request = sp_id_new(), .reason = SP_E_ACCOUNT };
	SP_AUTO_DONE(sp_buf) bytes = { 0 };
	uint8_t signature[64];

	bench_make(&b);
	ck_status(sp_statement_sign(SP_STMT_DENIAL, &denial, b.creditd_key, &bytes, signature, NULL, NULL), SP_OK);
	ck_status(sp_credit_answer_open(sp_buf_span(&bytes), sig(signature), &b.creditd, &answer, NULL), SP_OK);
	ck_assert(!answer.granted);
	ck_status(answer.reason, SP_E_ACCOUNT);
	bench_done(&b);
}
END_TEST

UNIT_MAIN("statements/frank", wal05_a_frank_pays_exactly_its_delivery, only_the_sender_franks,
    wal20_only_a_creditd_of_the_domain_grants, wal19_a_denial_says_why)
