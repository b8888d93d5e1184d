/*
 * certd_stamp_test.c - what certd signs, from many threads at once, is what the library accepts; ended certificates sign
 * nothing.
 */
#include <pthread.h>

#include "certd/stamp.h"
#include "common/crypto/cms.h"
#include "tests/unit/crypto_certs.h"

#define THREADS 4
#define EACH 20

struct office {
	struct ca ca;
	struct sp_identity bob, certd, tsa;
	struct sp_key *bob_key, *key, *tsa_key;
	struct sp_buf bob_cert, cert, tsa_cert, receipt;
	struct sp_postmark postmark;
	struct stamp *stamp;
};

static void
office_init(struct office *o, unsigned hands)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_receipt r;

	memset(o, 0, sizeof(*o));
	ca_make(&o->ca, "post.example");
	o->bob = leaf_identity("post.example", SP_ROLE_STATION, "bob", "desk", &o->bob_key);
	o->certd = leaf_identity("post.example", SP_ROLE_CERTD, "main", NULL, &o->key);
	o->tsa = leaf_identity("post.example", SP_ROLE_TSA, "main", NULL, &o->tsa_key);
	leaf_make(&o->ca, &o->bob, &o->bob_cert);
	leaf_make(&o->ca, &o->certd, &o->cert);
	leaf_make(&o->ca, &o->tsa, &o->tsa_cert);
	r = (struct sp_receipt){ .klass = SP_RECEIPT_POSTMARKED, .transfer = sp_id_new(),
		.sender = { .person = "alice", .station = "laptop", .domain = "post.example" }, .recipient = o->bob.name,
		.received_s = NOW_S };
	sp_sha256(sp_buf_span(&o->bob_cert), &r.recipient_cert);
	ck_status(sp_receipt_encode(&r, &text, NULL), SP_OK);
	ck_status(sp_cms_sign(o->bob_key, sp_buf_span(&o->bob_cert), sp_buf_span(&text), &o->receipt, NULL), SP_OK);
	o->postmark = (struct sp_postmark){ .number = sp_id_new(), .klass = r.klass, .transfer = r.transfer,
		.sender = r.sender, .recipient = r.recipient, .received_s = NOW_S, .payment = SP_PAYMENT_FREE };
	sp_sha256(sp_buf_span(&o->receipt), &o->postmark.receipt);
	const struct stamp_conf conf = { .key = o->key, .tsa_key = o->tsa_key, .cert = sp_buf_span(&o->cert),
		.tsa_cert = sp_buf_span(&o->tsa_cert), .id = &o->certd, .tsa_id = &o->tsa, .hands = hands };
	ck_status(stamp_new(&conf, &o->stamp, NULL), SP_OK);
}

static void
office_done(struct office *o)
{
	stamp_free(o->stamp);
	ca_done(&o->ca);
	sp_key_free(o->bob_key);
	sp_key_free(o->key);
	sp_key_free(o->tsa_key);
	sp_buf_done(&o->bob_cert);
	sp_buf_done(&o->cert);
	sp_buf_done(&o->tsa_cert);
	sp_buf_done(&o->receipt);
}

/* Signs, and has the library verify it. The token's time. */
static uint64_t
sign_once(struct office *o, uint64_t wall_ms)
{
	SP_AUTO_DONE(sp_buf) p7m = { 0 }, tsr = { 0 };
	SP_AUTO_DONE(sp_postmark_proof) proof = { .token_s = 0 };
	struct sp_postmark_parts parts = { .receipt_p7m = sp_buf_span(&o->receipt) };

	if (stamp_sign(o->stamp, &o->postmark, wall_ms, &p7m, &tsr, NULL) != SP_OK)
		return 0;
	parts.postmark_p7m = sp_buf_span(&p7m);
	parts.postmark_tsr = sp_buf_span(&tsr);
	if (sp_postmark_verify(&parts, o->ca.trust, &proof, NULL) != SP_OK ||
	    strcmp(proof.postmark.certd.station, "main") != 0)
		return 0;
	return proof.token_s;
}

static void *
sign_many(void *arg)
{
	size_t good = 0;

	for (int i = 0; i < EACH; i++)
		good += sign_once(arg, NOW_MS + 5000) == (uint64_t)NOW_S + 5;
	return (void *)good;
}

/* More threads than hands: they wait for each other. */
START_TEST(ce01_many_threads_sign_at_once)
{
	pthread_t threads[THREADS];
	struct office o;
	void *good;

	office_init(&o, THREADS / 2);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_many, &o), 0);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &good), 0);
		ck_assert_uint_eq((size_t)good, EACH);
	}
	office_done(&o);
}
END_TEST

START_TEST(a_clock_that_was_set_back_stamps_no_earlier_than_the_postmark)
{
	struct office o;

	office_init(&o, 1);
	ck_assert_uint_eq(sign_once(&o, NOW_MS - 30000), (uint64_t)NOW_S);
	office_done(&o);
}
END_TEST

START_TEST(ended_certificates_sign_nothing)
{
	SP_AUTO_DONE(sp_buf) p7m = { 0 }, tsr = { 0 };
	struct sp_why why = { "" };
	struct office o;

	office_init(&o, 1);
	ck_status(stamp_sign(o.stamp, &o.postmark, (uint64_t)o.certd.not_after * 1000, &p7m, &tsr, &why),
	    SP_E_CERT_EXPIRED);
	ck_assert_ptr_nonnull(strstr(why.text, "certd/main@post.example"));
	o.certd.not_after++;
	ck_status(stamp_sign(o.stamp, &o.postmark, (uint64_t)o.tsa.not_after * 1000, &p7m, &tsr, &why), SP_E_CERT_EXPIRED);
	ck_assert_ptr_nonnull(strstr(why.text, "tsa/main@post.example"));
	ck_assert_uint_eq(p7m.len + tsr.len, 0);
	ck_status(stamp_check(o.stamp, (uint64_t)o.tsa.not_after * 1000, &why), SP_E_CERT_EXPIRED);
	ck_status(stamp_check(o.stamp, (uint64_t)o.tsa.not_after * 1000 - 1000, &why), SP_OK);
	ck_status(stamp_check(o.stamp, (uint64_t)o.certd.not_before * 1000 - 1000, &why), SP_E_CERT_EXPIRED);
	ck_assert_ptr_nonnull(strstr(why.text, "has not begun: is the clock right?"));
	office_done(&o);
}
END_TEST

UNIT_MAIN("certd/stamp", ce01_many_threads_sign_at_once,
    a_clock_that_was_set_back_stamps_no_earlier_than_the_postmark, ended_certificates_sign_nothing)
