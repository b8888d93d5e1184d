/*
 * keyd_settings_test.c - settings that have the right kind and still make no sense.
 */
#include "keyd/settings.h"

#include "tests/tools/conf_docs.h"
#include "tests/unit/unit.h"

static char *addresses[] = { NULL, NULL };
static struct settings
make(char *domain, char *name, char *address, char *listen)
{
	addresses[0] = address;
	addresses[1] = listen;
	return (struct settings){ .domain = domain, .name = name, .address = { addresses, 1 },
	    .listen = { addresses + 1, 1 } };
}

START_TEST(sys17_wrong_names_and_addresses_are_refused)
{
	static const struct { const char *domain, *name, *address, *listen, *says; } cases[] = {
		{ "post.example", "main", "keyd.example:7678", "0.0.0.0:7678", NULL },
		{ "post.example", "main", "[2001:db8::1]:1", "[::]:0", NULL },
		{ "Post.example", "main", "keyd.example:7678", "0.0.0.0:7678", "domain \"Post.example\"" },
		{ "post..example", "main", "keyd.example:7678", "0.0.0.0:7678", "domain \"post..example\"" },
		{ "post.example", "ma in", "keyd.example:7678", "0.0.0.0:7678", "name \"ma in\"" },
		{ "post.example", "main", "keyd.example", "0.0.0.0:7678", "address \"keyd.example\"" },
		{ "post.example", "main", "Keyd.example:1", "0.0.0.0:7678", "address \"Keyd.example:1\"" },
		{ "post.example", "main", "a:1,b:2", "0.0.0.0:7678", "address \"a:1,b:2\"" },
		{ "post.example", "main", "a:1&r=0", "0.0.0.0:7678", "address \"a:1&r=0\"" },
		{ "post.example", "main", "a:65536", "0.0.0.0:7678", "address \"a:65536\"" },
		{ "post.example", "main", "keyd.example:7678", "localhost:7678", "listen \"localhost:7678\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char d[32], n[32], a[32], l[32];
		struct sp_why why = { "" };
		struct settings s = make(strcpy(d, cases[i].domain), strcpy(n, cases[i].name), strcpy(a,
		    cases[i].address), strcpy(l, cases[i].listen));

		ck_status(settings_check(&s, &why), cases[i].says == NULL ? SP_OK : SP_E_CONFIG);
		ck_assert_msg(cases[i].says == NULL || strstr(why.text, cases[i].says) != NULL, "%s", why.text);
	}
}
END_TEST

START_TEST(addresses_become_one_text)
{
	char *list[] = { (char[]){ "a:1" }, (char[]){ "[::1]:2" } };
	struct settings s = { .address = { list, 2 } };
	SP_AUTO_DONE(sp_buf) out = { 0 };

	settings_addresses(&s, &out);
	ck_assert_str_eq(sp_buf_cstr(&out), "a:1,[::1]:2");
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
	read_source("etc/keyd.conf", &old);
	ck_assert_msg(sp_span_eq(sp_buf_span(&sample), sp_buf_span(&old)), "etc/keyd.conf is stale: make docs-fresh");
	read_source("docs/man/keyd.8", &page);
	ck_status(conf_docs_man(settings_keys, SETTINGS_KEYS, &page, &fresh), SP_OK);
	ck_assert_msg(sp_span_eq(sp_buf_span(&page), sp_buf_span(&fresh)),
	    "docs/man/keyd.8 is stale: make docs-fresh");
}
END_TEST

UNIT_MAIN("keyd/settings", sample_and_manual_are_fresh, sys17_wrong_names_and_addresses_are_refused,
    addresses_become_one_text)
