/*
 * statements_receipt_file_test.c - the .receipt: written, split, verified; refused when any bit of it is
 * changed; and what stock openssl and tar say of it, by the very commands that README prints.
 */
#include <stdio.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/limits.h"
#include "common/crypto/cms.h"
#include "common/statements/receipt_file.h"
#include "tests/unit/crypto_certs.h"

#define LIST "sealpost-files 1\nsalt 0101010101010101010101010101010101010101010101010101010101010101\n\n" \
	"a 5 sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 1764040000.000000000\n" \
	"b 7 changed 1764040000.000000000\n"
/* … with another name of a */
#define LINKED LIST "c 5 sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 1764040000.000000000\n"

/* One delivery to bob with all that it takes to make its receipt, and whatever goes wrong with it. */
struct delivery {
	struct ca ca;
	struct sp_identity bob;
	struct sp_key *key;
	struct sp_buf cert, text, p7m, chain, file;
	struct sp_receipt receipt;
	const char *list;
	struct sp_hash root;
};

static void
delivery_init(struct delivery *d, enum sp_role role)
{
	memset(d, 0, sizeof(*d));
	ca_make(&d->ca, "post.example");
	d->bob = leaf_identity("post.example", role, "bob", "desk", &d->key);
	leaf_make(&d->ca, &d->bob, &d->cert);
	sp_sha256(sp_buf_span(&d->cert), &d->bob.hash);
	sp_sha256(sp_buf_span(&d->ca.root), &d->root);
	d->receipt = (struct sp_receipt){ .klass = SP_RECEIPT_DIRECT, .transfer = sp_id_new(),
		.sender = { .person = "alice", .station = "laptop", .domain = "post.example" },
		.recipient = { .person = "bob", .station = "desk", .domain = "post.example" },
		.recipient_cert = d->bob.hash, .received_s = NOW_S + 10, .files = 2, .bytes = 12, .changed = 1 };
	d->list = LIST;
	sp_sha256(sp_span_str(d->list), &d->receipt.files_txt);
}

/* The file, from the receipt as it stands. */
static struct sp_span
make_file(struct delivery *d)
{
	const struct sp_span certs[] = { sp_buf_span(&d->ca.root), sp_buf_span(&d->ca.issuer),
	    sp_buf_span(&d->cert) };
	struct sp_receipt_parts parts = { .time_s = (uint64_t)NOW_S + 10, .files_txt = sp_span_str(d->list) };

	sp_buf_clear(&d->text);
	sp_buf_clear(&d->p7m);
	sp_buf_clear(&d->chain);
	sp_buf_clear(&d->file);
	ck_status(sp_receipt_encode(&d->receipt, &d->text, NULL), SP_OK);
	ck_status(sp_cms_sign(d->key, sp_buf_span(&d->cert), sp_buf_span(&d->text), &d->p7m, NULL), SP_OK);
	ck_status(sp_receipt_chain(certs, 3, &d->chain, NULL), SP_OK);
	parts.receipt_p7m = sp_buf_span(&d->p7m);
	parts.chain_pem = sp_buf_span(&d->chain);
	ck_status(sp_receipt_file_write(&parts, &d->file, NULL), SP_OK);
	return sp_buf_span(&d->file);
}

static void
delivery_done(struct delivery *d)
{
	ca_done(&d->ca);
	sp_key_free(d->key);
	sp_buf_done(&d->cert);
	sp_buf_done(&d->text);
	sp_buf_done(&d->p7m);
	sp_buf_done(&d->chain);
	sp_buf_done(&d->file);
}

START_TEST(rc12_a_receipt_is_verified_offline)
{
	struct sp_receipt_proof proof;
	struct sp_hash roots[2] = { { { 1 } } };
	struct delivery d;
	struct sp_span file;

	delivery_init(&d, SP_ROLE_STATION);
	file = make_file(&d);
	ck_assert_uint_le(file.n, 16 * 1024);
	roots[1] = d.root;
	ck_status(sp_receipt_verify(file, roots, 2, &proof, NULL), SP_OK);
	ck_assert(proof.root_pinned);
	ck_assert(sp_hash_eq(&proof.root, &d.root));
	ck_assert_str_eq(proof.domain, "post.example");
	ck_assert_str_eq(proof.recipient.name.person, "bob");
	ck_assert_uint_eq(proof.receipt.files, 2);
	ck_assert(!proof.postmarked);
	/* without a root to compare with, the file's own is named */
	ck_status(sp_receipt_verify(file, NULL, 0, &proof, NULL), SP_OK);
	ck_assert(!proof.root_pinned);
	ck_assert(sp_hash_eq(&proof.root, &d.root));
	ck_status(sp_receipt_verify(file, roots, 1, &proof, NULL), SP_E_CERT);
	delivery_done(&d);
}
END_TEST

START_TEST(rc12_each_bit_flipped_is_refused)
{
	SP_AUTO_MEM uint8_t *exact = NULL;
	struct sp_receipt_proof proof;
	struct delivery d;
	struct sp_span file;

	delivery_init(&d, SP_ROLE_STATION);
	file = make_file(&d);
	exact = malloc(file.n);
	memcpy(exact, file.p, file.n);
	for (size_t bit = 0; bit < file.n * 8; bit++) {
		exact[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(sp_receipt_verify(sp_span(exact, file.n), NULL, 0, &proof, NULL) != SP_OK,
		    "bit %zu of byte %zu",
		    bit % 8, bit / 8);
		exact[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_status(sp_receipt_verify(sp_span(exact, file.n), &d.root, 1, &proof, NULL), SP_OK);
	delivery_done(&d);
}
END_TEST

START_TEST(a_receipt_cut_or_grown_is_refused)
{
	struct sp_receipt_proof proof;
	struct sp_receipt_parts parts;
	struct delivery d;
	struct sp_span file;

	delivery_init(&d, SP_ROLE_STATION);
	file = make_file(&d);
	for (size_t n = 0; n < file.n; n += n % 512 == 1 ? 510 : 1) {
		SP_AUTO_MEM uint8_t *exact = malloc(n > 0 ? n : 1);

		memcpy(exact, file.p, n);
		ck_assert_msg(sp_receipt_file_read(sp_span(exact, n), &parts, NULL) != SP_OK, "%zu bytes", n);
	}
	sp_buf_add_u8(&d.file, 0);
	ck_status(sp_receipt_verify(sp_buf_span(&d.file), NULL, 0, &proof, NULL), SP_E_FORMAT);
	/* tar writes files in blocks of 10,240 bytes: zeroes that it would not see */
	for (int i = 0; i < 511; i++)
		sp_buf_add_u8(&d.file, 0);
	ck_status(sp_receipt_verify(sp_buf_span(&d.file), NULL, 0, &proof, NULL), SP_E_FORMAT);
	delivery_done(&d);
}
END_TEST

START_TEST(a_receipt_that_says_what_is_not_so_is_refused)
{
	struct sp_receipt_proof proof;
	struct sp_receipt good;
	struct delivery d;

	delivery_init(&d, SP_ROLE_STATION);
	good = d.receipt;
#define CASE(want, change) do { d.receipt = good; change; \
	ck_status(sp_receipt_verify(make_file(&d), &d.root, 1, &proof, NULL), want); } while (0)
	CASE(SP_OK, (void)0);
	CASE(SP_E_IDENTITY, d.receipt.recipient.person[0] = 'x');
	CASE(SP_E_IDENTITY, d.receipt.recipient_cert.b[0] ^= 1);
	CASE(SP_E_RECEIPT, d.receipt.received_s++);
	CASE(SP_E_RECEIPT, d.receipt.files_txt.b[0] ^= 1);
	CASE(SP_E_RECEIPT, d.receipt.files++);
	CASE(SP_E_RECEIPT, d.receipt.bytes++);
	CASE(SP_E_RECEIPT, d.receipt.bytes--);
	CASE(SP_E_RECEIPT, d.receipt.changed = 0);
	/* a file with two names counts once; it might be two files; it is nothing else */
	d.list = LINKED;
	good.files = 3;
	sp_sha256(sp_span_str(d.list), &good.files_txt);
	CASE(SP_OK, (void)0);
	CASE(SP_E_RECEIPT, d.receipt.bytes++);
	CASE(SP_E_RECEIPT, d.receipt.bytes--);
	CASE(SP_E_RECEIPT, d.receipt.bytes = 7);
	CASE(SP_OK, d.receipt.bytes = 17);
	CASE(SP_E_RECEIPT, d.receipt.bytes = 16);
	CASE(SP_E_RECEIPT, d.receipt.bytes = 22);
#undef CASE
	delivery_done(&d);
}
END_TEST

START_TEST(whoever_may_not_sign_a_receipt_is_refused)
{
	struct sp_receipt_proof proof;
	struct delivery d, other;

	delivery_init(&d, SP_ROLE_CREDITD);
	ck_status(sp_receipt_verify(make_file(&d), &d.root, 1, &proof, NULL), SP_E_ROLE);
	delivery_done(&d);
	/* a leaf under another issuer of the same name */
	delivery_init(&d, SP_ROLE_STATION);
	delivery_init(&other, SP_ROLE_STATION);
	sp_buf_clear(&other.ca.issuer);
	sp_buf_add_span(&other.ca.issuer, sp_buf_span(&d.ca.issuer));
	ck_assert(sp_receipt_verify(make_file(&other), NULL, 0, &proof, NULL) != SP_OK);
	delivery_done(&d);
	delivery_done(&other);
}
END_TEST

START_TEST(a_receipt_outside_its_certificate_is_refused)
{
	struct sp_receipt_proof proof;
	struct delivery d;

	delivery_init(&d, SP_ROLE_STATION);
	d.bob.not_before = NOW_S + 11;
	sp_buf_clear(&d.cert);
	leaf_make(&d.ca, &d.bob, &d.cert);
	sp_sha256(sp_buf_span(&d.cert), &d.receipt.recipient_cert);
	ck_status(sp_receipt_verify(make_file(&d), &d.root, 1, &proof, NULL), SP_E_CERT_EXPIRED);
	delivery_done(&d);
}
END_TEST

START_TEST(other_certificates_than_those_used_are_refused)
{
	struct sp_receipt_proof proof;
	struct delivery d;

	delivery_init(&d, SP_ROLE_STATION);
	(void)make_file(&d);
	for (int i = 0; i < 2; i++) {
		/* one certificate more: the leaf again, or the leaf twice in place of the issuer */
		const struct sp_span root = sp_buf_span(&d.ca.root), issuer = sp_buf_span(&d.ca.issuer),
		    leaf = sp_buf_span(&d.cert), more[] = { root, issuer, leaf, leaf }, less[] = { root, leaf, leaf };
		struct sp_receipt_parts parts = { .time_s = (uint64_t)NOW_S + 10, .files_txt = sp_span_str(LIST) };

		sp_buf_clear(&d.chain);
		sp_buf_clear(&d.file);
		ck_status(sp_receipt_chain(i == 0 ? more : less, i == 0 ? 4 : 3, &d.chain, NULL), SP_OK);
		parts.receipt_p7m = sp_buf_span(&d.p7m);
		parts.chain_pem = sp_buf_span(&d.chain);
		ck_status(sp_receipt_file_write(&parts, &d.file, NULL), SP_OK);
		ck_status(sp_receipt_verify(sp_buf_span(&d.file), &d.root, 1, &proof, NULL),
		    i == 0 ? SP_E_FORMAT : SP_E_CERT);
	}
	delivery_done(&d);
}
END_TEST

/* OpenSSL reads certificates out of any text; here nothing may stand beside them. */
START_TEST(chain_pem_has_one_form)
{
	static const char *const before[] = { "", "a note\n", "\n",
	    "-----BEGIN NOTHING-----\n-----END NOTHING-----\n" };
	struct sp_receipt_proof proof;
	struct delivery d;

	delivery_init(&d, SP_ROLE_STATION);
	(void)make_file(&d);
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct sp_receipt_parts parts = { .time_s = (uint64_t)NOW_S + 10, .files_txt = sp_span_str(LIST),
			.receipt_p7m = sp_buf_span(&d.p7m) };
		SP_AUTO_DONE(sp_buf) chain = { 0 };

		sp_buf_add_text(&chain, before[i]);
		sp_buf_add_span(&chain, sp_buf_span(&d.chain));
		parts.chain_pem = sp_buf_span(&chain);
		sp_buf_clear(&d.file);
		ck_status(sp_receipt_file_write(&parts, &d.file, NULL), SP_OK);
		ck_status(sp_receipt_verify(sp_buf_span(&d.file), &d.root, 1, &proof, NULL),
		    i == 0 ? SP_OK : SP_E_FORMAT);
	}
	delivery_done(&d);
}
END_TEST

START_TEST(a_postmarked_file_has_its_members_in_order)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_receipt_parts parts = { .time_s = 1764040000, .files_txt = sp_span_str("f"),
	    .receipt_p7m = sp_span_str("r"),
		.postmark_p7m = sp_span_str("p"), .postmark_tsr = sp_span_str("t"), .chain_pem = sp_span_str("c") },
		got;
	struct sp_receipt_proof proof;

	ck_status(sp_receipt_file_write(&parts, &out, NULL), SP_OK);
	ck_status(sp_receipt_file_read(sp_buf_span(&out), &got, NULL), SP_OK);
	ck_assert_uint_eq(got.time_s, 1764040000);
	ck_assert(sp_span_eq(got.postmark_p7m, sp_span_str("p")));
	ck_assert(sp_span_eq(got.postmark_tsr, sp_span_str("t")));
	ck_assert(sp_span_eq(got.chain_pem, sp_span_str("c")));
	/* split, and not verified: what it holds proves nothing */
	ck_status(sp_receipt_verify(sp_buf_span(&out), NULL, 0, &proof, NULL), SP_E_FORMAT);
	parts.postmark_tsr = sp_span(NULL, 0);
	ck_status(sp_receipt_file_write(&parts, &out, NULL), SP_E_ARGUMENT);
}
END_TEST

START_TEST(rc12_stock_openssl_proves_it_by_the_printed_commands)
{
	char folder[] = "/tmp/sp-receipt-XXXXXX", path[128];
	SP_AUTO_DONE(sp_buf) commands = { 0 }, text = { 0 };
	struct delivery d;
	struct sp_span file;

	delivery_init(&d, SP_ROLE_STATION);
	file = make_file(&d);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	put_file(folder, "it's a receipt.receipt", file);
	sp_buf_add_text(&commands, "set -e\n");
	ck_status(sp_receipt_commands("it's a receipt.receipt", false, (uint64_t)NOW_S + 10, &commands), SP_OK);
	put_file(folder, "commands", sp_buf_span(&commands));
	ck_assert_int_eq(run_in(folder, "sh commands"), 0);
	snprintf(path, sizeof(path), "%s/receipt.txt", folder);
	ck_status(sp_file_read(path, SP_RECEIPT_TEXT_MAX, &text, NULL), SP_OK);
	ck_assert(sp_span_eq(sp_buf_span(&text), sp_buf_span(&d.text)));
	/* the last line of receipt.txt is the list's hash; README's commands are these */
	ck_assert_int_eq(run_in(folder,
	    "test \"files.txt $(sha256sum <files.txt | cut -d' ' -f1)\" = \"$(tail -1 receipt.txt)\""), 0);
	ck_assert_int_eq(run_in(folder, "sed -n '/^openssl/p' commands >a && sed -n '/^openssl/p' README | diff a -"),
	    0);
	/* and a forged one is not proved */
	((uint8_t *)d.p7m.data)[100] ^= 1;
	put_file(folder, "receipt.p7m", sp_buf_span(&d.p7m));
	ck_assert_int_ne(run_in(folder, "sh -e -c \"$(grep 'cms -verify' commands)\""), 0);
	ck_status(sp_rmtree(folder, NULL), SP_OK);
	delivery_done(&d);
}
END_TEST

UNIT_MAIN("statements/receipt_file", rc12_a_receipt_is_verified_offline, rc12_each_bit_flipped_is_refused,
    a_receipt_cut_or_grown_is_refused, a_receipt_that_says_what_is_not_so_is_refused,
    whoever_may_not_sign_a_receipt_is_refused, a_receipt_outside_its_certificate_is_refused,
    other_certificates_than_those_used_are_refused, chain_pem_has_one_form,
    a_postmarked_file_has_its_members_in_order,
    rc12_stock_openssl_proves_it_by_the_printed_commands)
