/*
 * statements_postmark_test.c - postmarks: the text's one form, what a postmarked .receipt proves, and everything that
 * makes it prove nothing; and what stock openssl says of it, by the very commands that README prints.
 */
#include <stdio.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/limits.h"
#include "common/crypto/cms.h"
#include "common/crypto/tsa.h"
#include "common/statements/receipt_file.h"
#include "tests/unit/crypto_certs.h"

#define LIST "sealpost-files 1\nsalt 0101010101010101010101010101010101010101010101010101010101010101\n\n" \
	"a 5 sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 1764040000.000000000\n"
#define TOKEN_S ((uint64_t)NOW_S + 60)

/* Who signs one of the parts. */
struct signer {
	struct sp_identity id;
	struct sp_key *key;
	struct sp_buf cert;
};

static void
signer_init(struct signer *s, const struct ca *ca, enum sp_role role, const char *one, const char *two)
{
	memset(s, 0, sizeof(*s));
	s->id = leaf_identity("post.example", role, one, two, &s->key);
	leaf_make(ca, &s->id, &s->cert);
	sp_sha256(sp_buf_span(&s->cert), &s->id.hash);
}

static void
signer_done(struct signer *s)
{
	sp_key_free(s->key);
	sp_buf_done(&s->cert);
}

/* One postmarked delivery to bob, and whatever goes wrong with it. */
struct delivery {
	struct ca ca;
	struct signer bob, certd, tsa;
	struct sp_receipt receipt;
	struct sp_postmark postmark;
	bool other_receipt;		/* the postmark's hash is not that of the receipt */
	uint64_t token_s, file_s;
	struct sp_buf text, p7m, mark_text, mark, tsr, chain, file;
	struct sp_hash root;
};

static void
delivery_init(struct delivery *d)
{
	memset(d, 0, sizeof(*d));
	ca_make(&d->ca, "post.example");
	signer_init(&d->bob, &d->ca, SP_ROLE_STATION, "bob", "desk");
	signer_init(&d->certd, &d->ca, SP_ROLE_CERTD, "main", NULL);
	signer_init(&d->tsa, &d->ca, SP_ROLE_TSA, "main", NULL);
	sp_sha256(sp_buf_span(&d->ca.root), &d->root);
	d->receipt = (struct sp_receipt){ .klass = SP_RECEIPT_POSTMARKED, .transfer = sp_id_new(),
		.sender = { .person = "alice", .station = "laptop", .domain = "post.example" },
		.recipient = { .person = "bob", .station = "desk", .domain = "post.example" },
		.recipient_cert = d->bob.id.hash, .received_s = NOW_S + 10, .files = 1, .bytes = 5 };
	sp_sha256(sp_span_str(LIST), &d->receipt.files_txt);
	d->postmark = (struct sp_postmark){ .number = sp_id_new(),
		.certd = { .person = "certd", .station = "main", .domain = "post.example" },
		.klass = SP_RECEIPT_POSTMARKED, .transfer = d->receipt.transfer, .sender = d->receipt.sender,
		.recipient = d->receipt.recipient, .received_s = NOW_S + 50, .payment = SP_PAYMENT_PAID };
	d->token_s = d->file_s = TOKEN_S;
}

static void
delivery_done(struct delivery *d)
{
	struct sp_buf *bufs[] = { &d->text, &d->p7m, &d->mark_text, &d->mark, &d->tsr, &d->chain, &d->file };

	ca_done(&d->ca);
	signer_done(&d->bob);
	signer_done(&d->certd);
	signer_done(&d->tsa);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		sp_buf_done(bufs[i]);
}

static void
stamp(struct delivery *d)
{
	SP_AUTO(sp_tsa) *tsa = NULL;
	const uint8_t serial[16] = { 0x41, 1 };

	sp_buf_clear(&d->tsr);
	ck_status(sp_tsa_new(d->tsa.key, sp_buf_span(&d->tsa.cert), &tsa, NULL), SP_OK);
	ck_status(sp_tsa_stamp(tsa, sp_buf_span(&d->mark), d->token_s * 1000, serial, &d->tsr, NULL), SP_OK);
}

/* Receipt, postmark and token from the values as they stand. */
static void
make_parts(struct delivery *d)
{
	sp_buf_clear(&d->text);
	sp_buf_clear(&d->p7m);
	sp_buf_clear(&d->mark_text);
	sp_buf_clear(&d->mark);
	ck_status(sp_receipt_encode(&d->receipt, &d->text, NULL), SP_OK);
	ck_status(sp_cms_sign(d->bob.key, sp_buf_span(&d->bob.cert), sp_buf_span(&d->text), &d->p7m, NULL), SP_OK);
	sp_sha256(sp_buf_span(&d->p7m), &d->postmark.receipt);
	d->postmark.receipt.b[0] ^= d->other_receipt ? 1 : 0;
	ck_status(sp_postmark_encode(&d->postmark, &d->mark_text, NULL), SP_OK);
	ck_status(sp_cms_sign(d->certd.key, sp_buf_span(&d->certd.cert), sp_buf_span(&d->mark_text), &d->mark, NULL),
	    SP_OK);
	stamp(d);
}

/* The file, from the parts as they stand, with this many certificates. */
static struct sp_span
put_together(struct delivery *d, size_t ncerts)
{
	const struct sp_span certs[] = { sp_buf_span(&d->ca.root), sp_buf_span(&d->ca.issuer),
	    sp_buf_span(&d->bob.cert), sp_buf_span(&d->certd.cert), sp_buf_span(&d->tsa.cert),
	    sp_buf_span(&d->tsa.cert) };
	struct sp_receipt_parts parts = { .time_s = d->file_s, .files_txt = sp_span_str(LIST) };

	sp_buf_clear(&d->chain);
	sp_buf_clear(&d->file);
	ck_status(sp_receipt_chain(certs, ncerts, &d->chain, NULL), SP_OK);
	parts.receipt_p7m = sp_buf_span(&d->p7m);
	parts.postmark_p7m = sp_buf_span(&d->mark);
	parts.postmark_tsr = sp_buf_span(&d->tsr);
	parts.chain_pem = sp_buf_span(&d->chain);
	ck_status(sp_receipt_file_write(&parts, &d->file, NULL), SP_OK);
	return sp_buf_span(&d->file);
}

static struct sp_span
make_file(struct delivery *d)
{
	make_parts(d);
	return put_together(d, 5);
}

static enum sp_status
verify(struct delivery *d, struct sp_span file)
{
	struct sp_receipt_proof proof;
	struct sp_why why = { "" };
	enum sp_status st = sp_receipt_verify(file, &d->root, 1, &proof, &why);

	ck_assert_msg(st == SP_OK || why.text[0] != '\0', "no reason for %s", sp_status_name(st));
	return st;
}

START_TEST(rc12_a_postmarked_receipt_is_verified_offline)
{
	struct sp_receipt_proof proof;
	struct delivery d;
	struct sp_span file;

	delivery_init(&d);
	file = make_file(&d);
	ck_assert_uint_le(file.n, 24 * 1024);
	ck_status(sp_receipt_verify(file, &d.root, 1, &proof, NULL), SP_OK);
	ck_assert(proof.postmarked && proof.root_pinned);
	ck_assert(sp_id_eq(&proof.postmark.number, &d.postmark.number));
	ck_assert_uint_eq(proof.postmark.payment, SP_PAYMENT_PAID);
	ck_assert_uint_eq(proof.postmark.received_s, d.postmark.received_s);
	ck_assert_uint_eq(proof.time_s, TOKEN_S);
	ck_assert_str_eq(proof.certd.service, "main");
	ck_assert_int_eq(proof.tsa.role, SP_ROLE_TSA);
	ck_assert_str_eq(proof.recipient.name.person, "bob");
	delivery_done(&d);
}
END_TEST

/* Every third bit of what is signed (all of them take minutes under sanitizers; all were refused); of the rest, which is
 * compared byte by byte, one bit of each byte. */
START_TEST(rc12_bits_flipped_everywhere_are_refused)
{
	SP_AUTO_MEM uint8_t *exact = NULL;
	struct sp_receipt_proof proof;
	struct sp_receipt_parts parts;
	struct delivery d;
	struct sp_span file, whole[3];

	delivery_init(&d);
	file = make_file(&d);
	exact = malloc(file.n);
	memcpy(exact, file.p, file.n);
	file.p = exact;
	ck_status(sp_receipt_file_read(file, &parts, NULL), SP_OK);
	whole[0] = parts.receipt_p7m;
	whole[1] = parts.postmark_p7m;
	whole[2] = parts.postmark_tsr;
	for (size_t byte = 0; byte < file.n; byte++) {
		bool all = false;

		for (int i = 0; i < 3; i++)
			all = all || (exact + byte >= whole[i].p && exact + byte < whole[i].p + whole[i].n);
		for (unsigned bit = all ? (unsigned)(byte % 3) : byte % 8; bit < 8; bit += all ? 3 : 8) {
			exact[byte] ^= (uint8_t)(1u << bit);
			ck_assert_msg(sp_receipt_verify(file, NULL, 0, &proof, NULL) != SP_OK, "bit %u of byte %zu",
			    bit, byte);
			exact[byte] ^= (uint8_t)(1u << bit);
		}
	}
	ck_status(verify(&d, file), SP_OK);
	delivery_done(&d);
}
END_TEST

START_TEST(ce02_a_postmark_that_says_what_is_not_so_is_refused)
{
	struct delivery d;
	struct sp_postmark good;

	delivery_init(&d);
	good = d.postmark;
#define CASE(want, change) do { d.postmark = good; d.other_receipt = false; change; \
	ck_status(verify(&d, make_file(&d)), want); } while (0)
	CASE(SP_OK, (void)0);
	CASE(SP_OK, d.postmark.payment = SP_PAYMENT_CONFLICT);
	CASE(SP_E_RECEIPT, d.other_receipt = true);
	CASE(SP_E_RECEIPT, d.postmark.transfer.b[15] ^= 1);
	CASE(SP_E_RECEIPT, d.postmark.sender.person[0] = 'x');
	CASE(SP_E_RECEIPT, d.postmark.recipient.person[0] = 'x');
	CASE(SP_E_RECEIPT, d.postmark.klass = SP_RECEIPT_CERTIFIED);
	CASE(SP_E_RECEIPT, d.postmark.received_s = TOKEN_S + 1);
	CASE(SP_E_IDENTITY, strcpy(d.postmark.certd.station, "other"));
	CASE(SP_E_CERT, d.postmark.ended_s = NOW_S + 20);
	CASE(SP_E_CERT_EXPIRED, d.postmark.received_s = NOW_S - 61);
#undef CASE
	d.postmark = good;
	d.file_s++;
	ck_status(verify(&d, make_file(&d)), SP_E_RECEIPT);
	delivery_done(&d);
}
END_TEST

/* A part signed by who may not, each in its own role elsewhere. */
START_TEST(ce02_only_a_certd_postmarks_and_only_a_tsa_stamps)
{
	struct delivery d;
	struct signer wrong, right;

	delivery_init(&d);
	signer_init(&wrong, &d.ca, SP_ROLE_CREDITD, "main", NULL);
	right = d.certd;
	d.certd = wrong;
	ck_status(verify(&d, make_file(&d)), SP_E_ROLE);
	d.certd = right;
	right = d.bob;
	d.bob = wrong;
	d.receipt.recipient_cert = wrong.id.hash;
	ck_status(verify(&d, make_file(&d)), SP_E_ROLE);
	d.bob = right;
	d.receipt.recipient_cert = right.id.hash;
	ck_status(verify(&d, make_file(&d)), SP_OK);
	signer_done(&wrong);
	delivery_done(&d);
}
END_TEST

START_TEST(ce02_a_certd_of_another_domain_is_refused)
{
	struct delivery d;
	struct signer right, wrong;
	struct ca ca;

	delivery_init(&d);
	ca_make(&ca, "other.example");
	memset(&wrong, 0, sizeof(wrong));
	wrong.id = leaf_identity("other.example", SP_ROLE_CERTD, "main", NULL, &wrong.key);
	leaf_make(&ca, &wrong.id, &wrong.cert);
	right = d.certd;
	d.certd = wrong;
	ck_assert_int_ne(verify(&d, make_file(&d)), SP_OK);
	strcpy(d.postmark.certd.domain, "other.example");
	ck_assert_int_ne(verify(&d, make_file(&d)), SP_OK);
	d.certd = right;
	signer_done(&wrong);
	ca_done(&ca);
	delivery_done(&d);
}
END_TEST

START_TEST(a_time_stamp_of_something_else_is_refused)
{
	struct delivery d;
	struct sp_buf first;

	delivery_init(&d);
	(void)make_file(&d);
	first = d.tsr;
	d.tsr = (struct sp_buf){ 0 };
	d.postmark.payment = SP_PAYMENT_PENDING;
	(void)make_file(&d);
	sp_buf_done(&d.tsr);
	d.tsr = first;
	ck_assert_int_ne(verify(&d, put_together(&d, 5)), SP_OK);
	delivery_done(&d);
}
END_TEST

START_TEST(other_certificates_than_those_used_are_refused)
{
	struct delivery d;

	delivery_init(&d);
	(void)make_file(&d);
	for (size_t n = 3; n <= 6; n++)
		ck_status(verify(&d, put_together(&d, n)), n == 5 ? SP_OK : SP_E_FORMAT);
	delivery_done(&d);
}
END_TEST

/* bob's certificate ended before certd got the receipt: said in the postmark, good for 400 days, refused else. */
START_TEST(a_receipt_of_an_ended_certificate_is_postmarked_for_400_days)
{
	const uint64_t end = NOW_S + 30;
	struct delivery d;

	delivery_init(&d);
	d.bob.id.not_after = (int64_t)end;
	sp_buf_clear(&d.bob.cert);
	leaf_make(&d.ca, &d.bob.id, &d.bob.cert);
	sp_sha256(sp_buf_span(&d.bob.cert), &d.receipt.recipient_cert);
	ck_status(verify(&d, make_file(&d)), SP_E_CERT_EXPIRED);	/* "in force" */
	d.postmark.ended_s = end;
	ck_status(verify(&d, make_file(&d)), SP_OK);
	d.postmark.received_s = end;
	ck_status(verify(&d, make_file(&d)), SP_OK);
	d.postmark.ended_s = end - 1;
	ck_status(verify(&d, make_file(&d)), SP_E_CERT);
	d.postmark.ended_s = end;
	d.certd.id.not_after = d.tsa.id.not_after = NOW_S + 800LL * 86400;
	sp_buf_clear(&d.certd.cert);
	sp_buf_clear(&d.tsa.cert);
	leaf_make(&d.ca, &d.certd.id, &d.certd.cert);
	leaf_make(&d.ca, &d.tsa.id, &d.tsa.cert);
	d.token_s = d.file_s = end + 400ull * 86400 + 1;
	d.postmark.received_s = d.token_s - 1;
	ck_status(verify(&d, make_file(&d)), SP_OK);
	d.postmark.received_s = d.token_s;
	ck_status(verify(&d, make_file(&d)), SP_E_CERT_EXPIRED);
	delivery_done(&d);
}
END_TEST

START_TEST(postmark_txt_has_one_form)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_postmark got;
	struct delivery d;
	struct { const char *from, *to; } changes[] = { { "postmark 1", "postmark 2" }, { "certd certd/", "certd credi/" },
		{ "class postmarked", "class direct\n" }, { "status-list 0", "status-list 00" },
		{ "payment paid", "payment gone" }, { "in-force", "in-farce" }, { "in-force\n", "in-force \n" },
		{ "payment paid\n", "payment paid" }, { "payment paid\n", "payment paid\n\n" },
		{ "certificate in-force", "certificate ended 2026-02-30T00:00:00Z" } };

	delivery_init(&d);
	ck_status(sp_postmark_encode(&d.postmark, &text, NULL), SP_OK);
	ck_status(sp_postmark_parse(sp_buf_span(&text), &got, NULL), SP_OK);
	ck_assert(sp_id_eq(&got.number, &d.postmark.number));
	ck_assert_str_eq(got.sender.person, "alice");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		SP_AUTO_DONE(sp_buf) bad = { 0 };
		const char *whole = sp_buf_cstr(&text), *at = strstr(whole, changes[i].from);

		ck_assert_ptr_nonnull(at);
		sp_buf_add(&bad, whole, (size_t)(at - whole));
		sp_buf_add_text(&bad, changes[i].to);
		sp_buf_add_text(&bad, at + strlen(changes[i].from));
		ck_status(sp_postmark_parse(sp_buf_span(&bad), &got, NULL), i == 0 ? SP_E_VERSION : SP_E_FORMAT);
	}
	for (size_t n = 0; n < text.len; n++)
		ck_assert(sp_postmark_parse(sp_span(text.data, n), &got, NULL) != SP_OK);
	d.postmark.payment = 0;
	ck_status(sp_postmark_encode(&d.postmark, &text, NULL), SP_E_RANGE);
	for (unsigned i = SP_PAYMENT_FREE; i <= SP_PAYMENT_CONFLICT; i++)
		ck_assert_uint_eq(sp_payment_from_text(sp_span_str(sp_payment_text(i))), i);
	ck_assert_uint_eq(sp_payment_from_text(sp_span_str("unknown")), 0);
	delivery_done(&d);
}
END_TEST

START_TEST(rc12_stock_openssl_proves_it_by_the_printed_commands)
{
	char folder[] = "/tmp/sp-postmark-XXXXXX", path[128];
	SP_AUTO_DONE(sp_buf) commands = { 0 }, text = { 0 };
	struct delivery d;

	delivery_init(&d);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	put_file(folder, "r.receipt", make_file(&d));
	sp_buf_add_text(&commands, "set -e\n");
	ck_status(sp_receipt_commands("r.receipt", true, TOKEN_S, &commands), SP_OK);
	put_file(folder, "commands", sp_buf_span(&commands));
	ck_assert_int_eq(run_in(folder, "sh commands"), 0);
	snprintf(path, sizeof(path), "%s/postmark.txt", folder);
	ck_status(sp_file_read(path, SP_POSTMARK_TEXT_MAX, &text, NULL), SP_OK);
	ck_assert(sp_span_eq(sp_buf_span(&text), sp_buf_span(&d.mark_text)));
	ck_assert_int_eq(run_in(folder,
	    "test \"receipt $(sha256sum <receipt.p7m | cut -d' ' -f1)\" = \"$(grep ^receipt postmark.txt)\""), 0);
	/* a forged postmark is proved by neither of its two commands */
	((uint8_t *)d.mark.data)[100] ^= 1;
	put_file(folder, "postmark.p7m", sp_buf_span(&d.mark));
	ck_assert_int_ne(run_in(folder, "sh -e -c \"$(grep 'in postmark.p7m' commands)\""), 0);
	ck_assert_int_ne(run_in(folder, "sh -e -c \"$(grep 'ts -verify' commands)\""), 0);
	ck_status(sp_rmtree(folder, NULL), SP_OK);
	delivery_done(&d);
}
END_TEST

UNIT_MAIN("statements/postmark", rc12_a_postmarked_receipt_is_verified_offline, rc12_bits_flipped_everywhere_are_refused,
    ce02_a_postmark_that_says_what_is_not_so_is_refused, ce02_only_a_certd_postmarks_and_only_a_tsa_stamps,
    ce02_a_certd_of_another_domain_is_refused, a_time_stamp_of_something_else_is_refused,
    other_certificates_than_those_used_are_refused,
    a_receipt_of_an_ended_certificate_is_postmarked_for_400_days, postmark_txt_has_one_form,
    rc12_stock_openssl_proves_it_by_the_printed_commands)
