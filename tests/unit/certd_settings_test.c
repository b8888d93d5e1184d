/*
 * certd_settings_test.c - settings that have the right kind and still make no sense, and the documents made from them.
 */
#include "certd/settings.h"

#include "tests/tools/conf_docs.h"
#include "tests/unit/unit.h"

START_TEST(sys17_wrong_addresses_are_refused)
{
	static const char *const good[] = { "0.0.0.0:7677", "[::]:0", "127.0.0.1" }, *const bad[] = { "localhost:7677",
	    "", "1.2.3.4:65536", "1.2.3.4:" };
	char text[32], *list[] = { text };
	struct settings s = { .listen = { list, 1 } };
	struct sp_why why = { "" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		strcpy(text, good[i]);
		ck_status(settings_check(&s, &why), SP_OK);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(text, bad[i]);
		ck_status(settings_check(&s, &why), SP_E_CONFIG);
		ck_assert_ptr_nonnull(strstr(why.text, "ADDRESS:PORT"));
	}
}
END_TEST

static void
read_source(const char *name, struct sp_buf *out)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", getenv("srcdir") != NULL ? getenv("srcdir") : ".", name);
	ck_status(sp_file_read(path, 1 << 20, out, NULL), SP_OK);
}

START_TEST(sample_and_manual_are_fresh)
{
	SP_AUTO_DONE(sp_buf) sample = { 0 }, page = { 0 }, fresh = { 0 }, old = { 0 };

	sp_conf_sample(settings_keys, SETTINGS_KEYS, &sample);
	read_source("etc/certd.conf", &old);
	ck_assert_msg(sp_span_eq(sp_buf_span(&sample), sp_buf_span(&old)), "etc/certd.conf is stale: make docs-fresh");
	read_source("docs/man/certd.8", &page);
	ck_status(conf_docs_man(settings_keys, SETTINGS_KEYS, &page, &fresh), SP_OK);
	ck_assert_msg(sp_span_eq(sp_buf_span(&page), sp_buf_span(&fresh)), "docs/man/certd.8 is stale: make docs-fresh");
}
END_TEST

UNIT_MAIN("certd/settings", sample_and_manual_are_fresh, sys17_wrong_addresses_are_refused)
