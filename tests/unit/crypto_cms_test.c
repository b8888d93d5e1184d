/*
 * crypto_cms_test.c - signed texts and time-stamps: accepted in one form only, and by stock openssl.
 */
#include "common/crypto/cms.h"
#include "common/crypto/tsa.h"
#include "tests/unit/crypto_certs.h"

struct bench {
	struct ca ca;
	struct sp_key *key, *tsa_key;
	struct sp_buf cert, tsa_cert, p7m, tsr;
	struct sp_tsa *tsa;
};

static const char text[] = "sealpost-receipt 1\nsome: text\n";
static const uint8_t serial[16] = { 0x80, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static void
bench_make(struct bench *b)
{
	struct sp_identity id, tsa;

	*b = (struct bench){ 0 };
	ca_make(&b->ca, "post.example");
	id = leaf_identity("post.example", SP_ROLE_STATION, "bob", "desktop", &b->key);
	tsa = leaf_identity("post.example", SP_ROLE_TSA, "main", NULL, &b->tsa_key);
	leaf_make(&b->ca, &id, &b->cert);
	leaf_make(&b->ca, &tsa, &b->tsa_cert);
	ck_status(sp_cms_sign(b->key, sp_buf_span(&b->cert), sp_span_str(text), &b->p7m, NULL), SP_OK);
	ck_status(sp_tsa_new(b->tsa_key, sp_buf_span(&b->tsa_cert), &b->tsa, NULL), SP_OK);
	ck_status(sp_tsa_stamp(b->tsa, sp_buf_span(&b->p7m), NOW_MS, serial, &b->tsr, NULL), SP_OK);
}

static void
bench_done(struct bench *b)
{
	sp_tsa_free(b->tsa);
	sp_key_free(b->key);
	sp_key_free(b->tsa_key);
	sp_buf_done(&b->cert);
	sp_buf_done(&b->tsa_cert);
	sp_buf_done(&b->p7m);
	sp_buf_done(&b->tsr);
	ca_done(&b->ca);
}

static enum sp_status
verify(const struct bench *b, struct sp_span p7m, uint64_t at)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	struct sp_identity signer;
	struct sp_why why;
	enum sp_status st = sp_cms_verify(p7m, b->ca.trust, at, &out, &cert, &signer, &why);

	if (st == SP_OK) {
		ck_assert(sp_span_eq(sp_buf_span(&out), sp_span_str(text)));
		ck_assert(sp_span_eq(sp_buf_span(&cert), sp_buf_span(&b->cert)));
		ck_assert_str_eq(signer.name.person, "bob");
	}
	return st;
}

static enum sp_status
verify_stamp(const struct bench *b, struct sp_span tsr, struct sp_span bytes)
{
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	struct sp_identity signer;
	struct sp_why why;
	uint64_t at = 0;
	enum sp_status st = sp_tsa_verify(tsr, bytes, b->ca.trust, &at, &cert, &signer, &why);

	if (st == SP_OK)
		ck_assert_uint_eq(at, NOW_MS);
	return st;
}

START_TEST(rc12_every_bit_of_a_signed_text_counts)
{
	struct bench b;

	bench_make(&b);
	ck_status(verify(&b, sp_buf_span(&b.p7m), NOW_MS), SP_OK);
	for (size_t bit = 0; bit < b.p7m.len * 8; bit++) {
		b.p7m.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_msg(verify(&b, sp_buf_span(&b.p7m), NOW_MS) != SP_OK, "bit %zu", bit);
		b.p7m.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t n = 0; n < b.p7m.len; n++)
		ck_assert(verify(&b, sp_span(b.p7m.data, n), NOW_MS) != SP_OK);
	sp_buf_add_u8(&b.p7m, 0);
	ck_status(verify(&b, sp_buf_span(&b.p7m), NOW_MS), SP_E_FORMAT);
	bench_done(&b);
}
END_TEST

START_TEST(a_signer_must_be_certified_at_that_time)
{
	struct bench b, other;
	SP_AUTO_DONE(sp_buf) p7m = { 0 };

	bench_make(&b);
	bench_make(&other);
	ck_status(verify(&b, sp_buf_span(&b.p7m), NOW_MS + UINT64_C(91) * 86400 * 1000), SP_E_CERT_EXPIRED);
	ck_status(verify(&b, sp_buf_span(&other.p7m), NOW_MS), SP_E_CERT);
	ck_status(sp_cms_sign(other.key, sp_buf_span(&b.cert), sp_span_str(text), &p7m, NULL), SP_E_ARGUMENT);
	bench_done(&other);
	bench_done(&b);
}
END_TEST

START_TEST(every_bit_of_a_time_stamp_counts)
{
	struct bench b;

	bench_make(&b);
	ck_status(verify_stamp(&b, sp_buf_span(&b.tsr), sp_buf_span(&b.p7m)), SP_OK);
	ck_assert(verify_stamp(&b, sp_buf_span(&b.tsr), sp_span_str(text)) != SP_OK);
	for (size_t bit = 0; bit < b.tsr.len * 8; bit++) {
		b.tsr.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_msg(verify_stamp(&b, sp_buf_span(&b.tsr), sp_buf_span(&b.p7m)) != SP_OK, "bit %zu", bit);
		b.tsr.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	sp_buf_add_u8(&b.tsr, 0);
	ck_assert(verify_stamp(&b, sp_buf_span(&b.tsr), sp_buf_span(&b.p7m)) != SP_OK);
	bench_done(&b);
}
END_TEST

START_TEST(only_a_tsa_stamps)
{
	struct bench b;
	struct sp_tsa *tsa = NULL;
	struct sp_why why;

	bench_make(&b);
	ck_status(sp_tsa_new(b.key, sp_buf_span(&b.cert), &tsa, &why), SP_E_ROLE);
	ck_status(sp_tsa_new(b.key, sp_buf_span(&b.tsa_cert), &tsa, &why), SP_E_ROLE);
	bench_done(&b);
}
END_TEST

START_TEST(stock_openssl_agrees)
{
	char folder[] = "/tmp/sp-cms-XXXXXX";
	struct bench b;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	bench_make(&b);
	put_pem(folder, "root.pem", &b.ca.root);
	put_pem(folder, "issuer.pem", &b.ca.issuer);
	put_file(folder, "a.p7m", sp_buf_span(&b.p7m));
	put_file(folder, "a.tsr", sp_buf_span(&b.tsr));
	put_file(folder, "text", sp_span_str(text));
	ck_assert_int_eq(run_in(folder, "cat root.pem issuer.pem >chain.pem && openssl cms -verify -cades -inform DER -in a.p7m -attime 1795593600 "
	    "-CAfile chain.pem -out got && cmp got text"), 0);
	ck_assert_int_eq(run_in(folder, "openssl ts -verify -data a.p7m -in a.tsr -attime 1795593600 -CAfile root.pem "
	    "-untrusted issuer.pem"), 0);
	ck_assert_int_ne(run_in(folder, "openssl ts -verify -data text -in a.tsr -attime 1795593600 -CAfile root.pem "
	    "-untrusted issuer.pem"), 0);
	remove_folder(folder);
	bench_done(&b);
}
END_TEST

UNIT_MAIN("crypto/cms", rc12_every_bit_of_a_signed_text_counts, a_signer_must_be_certified_at_that_time,
    every_bit_of_a_time_stamp_counts, only_a_tsa_stamps, stock_openssl_agrees)
