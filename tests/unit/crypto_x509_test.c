/*
 * crypto_x509_test.c - certificates: made, read back, checked under their own domain's root and no other, and by openssl.
 */
#include "common/crypto/x509_internal.h"
#include "tests/unit/crypto_certs.h"

static enum sp_status
check(const struct ca *ca, const struct sp_buf *cert, uint64_t at)
{
	struct sp_identity id;
	struct sp_why why = { "" };

	return sp_trust_check(ca->trust, sp_buf_span(cert), at, &id, &why);
}

START_TEST(a_station_says_who_it_is)
{
	struct ca ca;
	struct sp_identity want = leaf_identity("post.example", SP_ROLE_STATION, "alice", "laptop", NULL), got;
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	char text[SP_NAME_TEXT];

	snprintf(want.serial, sizeof(want.serial), "SN-0001");
	ca_make(&ca, "post.example");
	leaf_make(&ca, &want, &cert);
	ck_status(sp_trust_check(ca.trust, sp_buf_span(&cert), NOW_MS, &got, NULL), SP_OK);
	ck_assert_str_eq(sp_identity_text(&got, text), "alice/laptop@post.example");
	ck_assert_int_eq(got.role, SP_ROLE_STATION);
	ck_assert_str_eq(got.serial, "SN-0001");
	ck_assert_mem_eq(got.letter_key, want.letter_key, 32);
	ck_assert_mem_eq(got.age_key, want.age_key, 32);
	ck_assert_mem_eq(got.public_key, want.public_key, SP_P256_PUBLIC);
	ck_assert_mem_eq(got.cert_serial, want.cert_serial, 16);
	ck_assert_int_eq(got.not_after, want.not_after);
	ca_done(&ca);
}
END_TEST

START_TEST(the_longest_names_fit_a_letter)
{
	const char *domain = "a23456789.b23456789.c23456789.d23456789.e2345678";
	struct ca ca;
	struct sp_identity id = leaf_identity(domain, SP_ROLE_STATION, "p2345678901234567890123456789012",
	    "s23456789012345678901234", NULL);
	SP_AUTO_DONE(sp_buf) cert = { 0 };

	memset(id.serial, 'x', 32);
	ca_make(&ca, domain);
	leaf_make(&ca, &id, &cert);
	ck_assert_uint_le(cert.len, SP_CERT_MAX);
	ck_status(check(&ca, &cert, NOW_MS), SP_OK);
	ca_done(&ca);
}
END_TEST

START_TEST(a_certificate_counts_under_its_own_domain_and_time_only)
{
	struct ca ca, other;
	struct sp_identity id = leaf_identity("post.example", SP_ROLE_STATION, "alice", "laptop", NULL);
	SP_AUTO_DONE(sp_buf) cert = { 0 };

	ca_make(&ca, "post.example");
	ca_make(&other, "other.example");
	leaf_make(&ca, &id, &cert);
	ck_status(check(&ca, &cert, NOW_MS), SP_OK);
	ck_status(check(&other, &cert, NOW_MS), SP_E_DOMAIN);
	ck_status(check(&ca, &cert, (uint64_t)id.not_after * 1000 + 1000), SP_E_CERT_EXPIRED);
	ck_status(check(&ca, &cert, (uint64_t)id.not_before * 1000 - 1000), SP_E_CERT_EXPIRED);
	ca_done(&other);
	/* a root of the same name but another key */
	ca_make(&other, "post.example");
	ck_status(check(&other, &cert, NOW_MS), SP_E_CERT);
	ca_done(&other);
	ca_done(&ca);
}
END_TEST

START_TEST(an_issuer_of_another_domain_is_refused)
{
	struct ca ca, other;
	struct sp_identity id = leaf_identity("post.example", SP_ROLE_STATION, "alice", "laptop", NULL);
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	struct sp_why why;

	ca_make(&ca, "post.example");
	ca_make(&other, "other.example");
	ck_status(sp_trust_add_issuer(ca.trust, sp_buf_span(&other.issuer), &why), SP_E_DOMAIN);
	ck_status(sp_x509_issue(other.issuer_key, sp_buf_span(&other.issuer), &id, &cert, &why), SP_E_ARGUMENT);
	ck_status(sp_x509_issue(ca.root_key, sp_buf_span(&ca.issuer), &id, &cert, &why), SP_E_ARGUMENT);
	ck_status(sp_trust_add_root(ca.trust, sp_buf_span(&ca.issuer), &why), SP_E_CERT);
	ck_status(sp_trust_add_issuer(ca.trust, sp_buf_span(&ca.root), &why), SP_E_CERT);
	ca_done(&other);
	ca_done(&ca);
}
END_TEST

START_TEST(every_changed_bit_and_every_cut_is_refused)
{
	struct ca ca;
	struct sp_identity id = leaf_identity("post.example", SP_ROLE_CREDITD, "main", NULL, NULL);
	SP_AUTO_DONE(sp_buf) cert = { 0 };

	ca_make(&ca, "post.example");
	leaf_make(&ca, &id, &cert);
	ck_status(check(&ca, &cert, NOW_MS), SP_OK);
	for (size_t bit = 0; bit < cert.len * 8; bit++) {
		cert.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_msg(check(&ca, &cert, NOW_MS) != SP_OK, "bit %zu", bit);
		cert.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t n = 0; n < cert.len; n++) {
		struct sp_buf part = { .data = cert.data, .len = n };

		ck_assert(check(&ca, &part, NOW_MS) != SP_OK);
	}
	sp_buf_add_u8(&cert, 0);
	ck_assert(check(&ca, &cert, NOW_MS) != SP_OK);
	ca_done(&ca);
}
END_TEST

START_TEST(only_uris_as_we_write_them)
{
	static const struct { const char *uri; bool good; } rows[] = {
		{ "spiffe://post.example/u/alice/d/laptop", true },
		{ "spiffe://post.example/s/keyd/main", true },
		{ "spiffe://post.example/s/tsa/main", true },
		{ "spiffe://post.example/s/station/main", false },
		{ "spiffe://post.example/s/nobody/main", false },
		{ "spiffe://Post.example/u/alice/d/laptop", false },
		{ "spiffe://post.example/u/Alice/d/laptop", false },
		{ "spiffe://post.example:443/u/alice/d/laptop", false },
		{ "spiffe://alice@post.example/u/alice/d/laptop", false },
		{ "spiffe://post.example/u/al%69ce/d/laptop", false },
		{ "spiffe://post.example/u/alice/d/laptop/", false },
		{ "spiffe://post.example/u/alice", false },
		{ "spiffe://post.example/u//d/laptop", false },
		{ "https://post.example/u/alice/d/laptop", false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sp_identity id = { 0 };

		ck_assert_msg((x509_read_uri(sp_span_str(rows[i].uri), &id) == SP_OK) == rows[i].good, "%s", rows[i].uri);
	}
}
END_TEST

START_TEST(stock_openssl_agrees)
{
	char folder[] = "/tmp/sp-x509-XXXXXX";
	struct ca ca, other;
	struct sp_identity id = leaf_identity("post.example", SP_ROLE_STATION, "alice", "laptop", NULL);
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	const char *verify = "openssl verify -x509_strict -attime 1795593600 -CAfile %s -untrusted %s leaf.pem";
	char line[256];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ca_make(&ca, "post.example");
	ca_make(&other, "other.example");
	leaf_make(&ca, &id, &cert);
	put_pem(folder, "root.pem", &ca.root);
	put_pem(folder, "issuer.pem", &ca.issuer);
	put_pem(folder, "other.pem", &other.root);
	put_pem(folder, "leaf.pem", &cert);
	snprintf(line, sizeof(line), verify, "root.pem", "issuer.pem");
	ck_assert_int_eq(run_in(folder, line), 0);
	snprintf(line, sizeof(line), verify, "other.pem", "issuer.pem");
	ck_assert_int_ne(run_in(folder, line), 0);
	ck_assert_int_eq(run_in(folder, "openssl x509 -in leaf.pem -noout -ext subjectAltName | "
	    "grep -q URI:spiffe://post.example/u/alice/d/laptop"), 0);
	remove_folder(folder);
	ca_done(&other);
	ca_done(&ca);
}
END_TEST

START_TEST(pem_there_and_back)
{
	struct ca ca;
	SP_AUTO_DONE(sp_buf) pem = { 0 };
	SP_AUTO_DONE(sp_buf) der = { 0 };

	ca_make(&ca, "post.example");
	ck_status(sp_x509_to_pem(sp_buf_span(&ca.root), &pem), SP_OK);
	ck_status(sp_x509_from_pem(sp_buf_span(&pem), &der), SP_OK);
	ck_assert(sp_span_eq(sp_buf_span(&der), sp_buf_span(&ca.root)));
	ck_status(sp_x509_from_pem(sp_span_str("no pem"), &der), SP_E_FORMAT);
	ca_done(&ca);
}
END_TEST

UNIT_MAIN("crypto/x509", a_station_says_who_it_is, the_longest_names_fit_a_letter,
    a_certificate_counts_under_its_own_domain_and_time_only, an_issuer_of_another_domain_is_refused,
    every_changed_bit_and_every_cut_is_refused, only_uris_as_we_write_them, stock_openssl_agrees, pem_there_and_back)
