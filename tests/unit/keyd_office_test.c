/*
 * keyd_office_test.c - the files of an office: made once, read back, matched against each other, and what they issue.
 */
#include "keyd/office.h"

#include <stdio.h>

#include "common/base/file.h"
#include "tests/unit/unit.h"

#define NOW 1800000000000ull
#define DAY 86400000ull

static char *
temporary(void)
{
	static char path[] = "/tmp/sp-office-XXXXXX";

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(path));
	return path;
}

static void
swap(const char *folder, const char *a, const char *b)
{
	char one[200], two[200], three[200];

	snprintf(one, sizeof(one), "%s/%s", folder, a);
	snprintf(two, sizeof(two), "%s/%s", folder, b);
	snprintf(three, sizeof(three), "%s/swap", folder);
	ck_assert_int_eq(rename(one, three), 0);
	ck_assert_int_eq(rename(two, one), 0);
	ck_assert_int_eq(rename(three, two), 0);
}

START_TEST(what_is_made_can_be_opened)
{
	SP_AUTO(office) *o = NULL;
	const char *folder = temporary();

	ck_status(office_make(folder, "post.example", "main", NOW, NULL), SP_OK);
	ck_status(office_open(folder, "post.example", "main", &o, NULL), SP_OK);
	ck_assert_int_eq(o->own_id.role, SP_ROLE_KEYD);
	ck_assert_str_eq(o->own_id.service, "main");
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}
END_TEST

START_TEST(a_root_is_made_once)
{
	struct sp_why why = { "" };
	const char *folder = temporary();

	ck_status(office_make(folder, "post.example", "main", NOW, NULL), SP_OK);
	ck_status(office_make(folder, "post.example", "main", NOW, &why), SP_E_EXISTS);
	ck_assert_ptr_nonnull(strstr(why.text, "root.key is there already"));
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}
END_TEST

START_TEST(files_that_do_not_belong_together_are_refused)
{
	SP_AUTO(office) *o = NULL;
	const char *folder = temporary();
	struct sp_why why = { "" };

	ck_status(office_make(folder, "post.example", "main", NOW, NULL), SP_OK);
	ck_status(office_open(folder, "other.example", "main", &o, &why), SP_E_DOMAIN);
	ck_assert_ptr_nonnull(strstr(why.text, "other.example"));
	ck_status(office_open(folder, "post.example", "two", &o, NULL), SP_E_IDENTITY);
	swap(folder, "issuing.key", "keyd.key");
	ck_assert_int_ne(office_open(folder, "post.example", "main", &o, NULL), SP_OK);
	swap(folder, "issuing.key", "root.key");	/* now the root's key stands at keyd's place */
	ck_assert_int_ne(office_open(folder, "post.example", "main", &o, NULL), SP_OK);
	swap(folder, "issuing.key", "root.key");
	swap(folder, "issuing.key", "keyd.key");
	swap(folder, "issuing.pem", "keyd.pem");
	ck_assert_int_ne(office_open(folder, "post.example", "main", &o, NULL), SP_OK);
	swap(folder, "issuing.pem", "keyd.pem");
	ck_status(office_open(folder, "post.example", "main", &o, NULL), SP_OK);
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}
END_TEST

START_TEST(ky01_certificates_are_issued_for_ninety_days)
{
	SP_AUTO(office) *o = NULL;
	SP_AUTO(sp_key) *key = NULL;
	SP_AUTO_DONE(sp_buf) der = { 0 };
	struct sp_identity id = { .role = SP_ROLE_STATION, .has_keys = true, .letter_key = { 9 }, .age_key = { 7 },
		.serial = "SN-1" }, again, checked;
	const char *folder = temporary();

	ck_status(office_make(folder, "post.example", "main", NOW, NULL), SP_OK);
	ck_status(office_open(folder, "post.example", "main", &o, NULL), SP_OK);
	ck_status(sp_key_new(&key), SP_OK);
	sp_key_public(key, id.public_key);
	ck_status(sp_name_parse(sp_span_str("alice/laptop@post.example"), &id.name), SP_OK);
	again = id;
	ck_status(office_issue(o, &id, NOW, &der, NULL), SP_OK);
	ck_status(sp_trust_check(o->trust, sp_buf_span(&der), NOW, &checked, NULL), SP_OK);
	ck_assert(sp_hash_eq(&checked.hash, &id.hash));
	ck_assert_str_eq(checked.serial, "SN-1");
	ck_assert_int_eq(checked.not_after, (int64_t)(NOW / 1000) + 90 * 86400);
	ck_status(sp_trust_check(o->trust, sp_buf_span(&der), NOW + 91 * DAY, &checked, NULL), SP_E_CERT_EXPIRED);
	ck_status(office_issue(o, &again, NOW, &der, NULL), SP_OK);
	ck_assert_mem_ne(again.cert_serial, id.cert_serial, 16);
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}
END_TEST

START_TEST(its_own_certificate_is_renewed_after_two_thirds)
{
	SP_AUTO(office) *o = NULL, *reread = NULL;
	const char *folder = temporary();
	struct sp_identity before;
	bool renewed = true;

	ck_status(office_make(folder, "post.example", "main", NOW, NULL), SP_OK);
	ck_status(office_open(folder, "post.example", "main", &o, NULL), SP_OK);
	before = o->own_id;
	ck_status(office_renew(o, NOW + 59 * DAY, &renewed, NULL), SP_OK);
	ck_assert(!renewed && sp_hash_eq(&o->own_id.hash, &before.hash));
	ck_status(office_renew(o, NOW + 200 * DAY, &renewed, NULL), SP_OK);	/* ended long ago: all the same */
	ck_assert(renewed && !sp_hash_eq(&o->own_id.hash, &before.hash));
	ck_assert_mem_eq(o->own_id.public_key, before.public_key, SP_P256_PUBLIC);
	ck_status(office_open(folder, "post.example", "main", &reread, NULL), SP_OK);
	ck_assert(sp_hash_eq(&reread->own_id.hash, &o->own_id.hash));
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}
END_TEST

UNIT_MAIN("keyd/office", what_is_made_can_be_opened, a_root_is_made_once,
    files_that_do_not_belong_together_are_refused,
    ky01_certificates_are_issued_for_ninety_days, its_own_certificate_is_renewed_after_two_thirds)
