/*
 * conf_options_test.c - command lines: every way to write an option, every refusal, and how a daemon begins or ends.
 */
#include "common/conf/options.h"

#include <stdio.h>

#include "common/base/file.h"
#include "tests/unit/unit.h"

struct settings {
#define CONF SP_CONF_MEMBER
#include "tests/unit/conf_sample.def"
#undef CONF
};
#define SP_CONF_STRUCT struct settings
static const struct sp_conf_key keys[] = {
#define CONF SP_CONF_ROW
#include "tests/unit/conf_sample.def"
#undef CONF
};

static bool quiet;
static const char *file, *name;
static const struct sp_option table[] = {
	{ "quiet", 'q', NULL, "say less", &quiet, NULL },
	{ "file", 'f', "FILE", "read FILE", NULL, &file },
	{ "file-name", 0, "NAME", "call it NAME", NULL, &name },
};

static enum sp_status
run(char *line, int *ret_rest, struct sp_why *why)
{
	char *argv[16] = { NULL };
	int argc = 0;

	quiet = false;
	file = name = NULL;
	for (char *word; (word = strsep(&line, " ")) != NULL;)
		argv[argc++] = word;
	return sp_options_read(table, 3, argc, argv, ret_rest, why);
}

START_TEST(options_in_every_form)
{
	struct sp_why why;
	char a[] = "p --quiet --file x --file-name=y=z rest", b[] = "p -q -f x", c[] = "p -- -q", d[] = "p - -q", e[] = "p --file=";
	int rest;

	ck_status(run(a, &rest, &why), SP_OK);
	ck_assert(quiet);
	ck_assert_str_eq(file, "x");
	ck_assert_str_eq(name, "y=z");
	ck_assert_int_eq(rest, 5);
	ck_status(run(b, &rest, &why), SP_OK);
	ck_assert(quiet);
	ck_assert_str_eq(file, "x");
	ck_status(run(c, &rest, &why), SP_OK);
	ck_assert(!quiet);
	ck_assert_int_eq(rest, 2);
	ck_status(run(d, &rest, &why), SP_OK);
	ck_assert(!quiet);
	ck_assert_int_eq(rest, 1);
	ck_status(run(e, &rest, &why), SP_OK);
	ck_assert_str_eq(file, "");
}
END_TEST

START_TEST(wrong_options_are_named)
{
	static const struct { const char *line, *reason; } cases[] = {
		{ "p --nothing", "unknown option --nothing" }, { "p -x", "unknown option -x" }, { "p -qf", "unknown option -qf" },
		{ "p --fil x", "unknown option --fil" }, { "p --filex", "unknown option --filex" },
		{ "p --file", "--file needs a value: FILE" }, { "p --quiet=1", "--quiet takes no value" },
		{ "p -q --quiet", "--quiet is given twice" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[64];
		struct sp_why why = { "" };
		int rest;

		snprintf(line, sizeof(line), "%s", cases[i].line);
		ck_status(run(line, &rest, &why), SP_E_ARGUMENT);
		ck_assert_str_eq(why.text, cases[i].reason);
	}
}
END_TEST

static enum sp_status
not_strict(const void *settings, struct sp_why *why)
{
	return ((const struct settings *)settings)->strict ? SP_OK : sp_fail(SP_E_CONFIG, why, "be strict");
}

/* How a daemon with this one word more on its command line begins: 3 = runs, else its exit status. Output goes to out. */
static int
begin(const char *conf, const char *word, struct sp_buf *out)
{
	const struct sp_program program = { "testd", "a test", keys, sizeof(keys) / sizeof(keys[0]), table, 3, NULL, not_strict };
	char path[] = "/tmp/sp-opt-XXXXXX", told[] = "/tmp/sp-opt-XXXXXX";
	char *argv[] = { (char[]){ "testd" }, (char[]){ "--config" }, path, NULL, NULL };
	int fd = mkstemp(path), to = mkstemp(told), ret_exit, saved = dup(1), saved_err = dup(2);
	struct settings s;

	argv[3] = strdup(word);
	ck_status(sp_write_all(fd, conf, strlen(conf), NULL), SP_OK);
	dup2(to, 1);
	dup2(to, 2);
	if (sp_program_begin(&program, word[0] != 0 ? 4 : 3, argv, &s, &ret_exit)) {
		sp_conf_done(program.keys, program.nkeys, &s);
		ret_exit = 3;
	}
	dup2(saved, 1);
	dup2(saved_err, 2);
	sp_buf_clear(out);
	ck_status(sp_file_read(told, 100000, out, NULL), SP_OK);
	close(fd), close(to), close(saved), close(saved_err);
	unlink(path), unlink(told);
	free(argv[3]);
	return ret_exit;
}

START_TEST(a_daemon_begins_or_says_why_not)
{
	static const char good[] = "database = \"dbname=x\";\n", bad[] = "database = \"x\";\nmax_batch = 9000;\n";
	static const struct { const char *conf, *word; int status; const char *says; } cases[] = {
		{ good, "", 3, "" },
		{ good, "--quiet", 3, "" },
		{ good, "--check-config", 0, "all settings are valid" },
		{ good, "--print-config", 0, "\nmax_batch = 256;" },
		{ bad, "--sample-config", 0, "\n#max_batch = 256;" },
		{ bad, "--version", 0, "testd (Sealpost) " PACKAGE_VERSION },
		{ bad, "--help", 0, "  --file FILE, -f" },
		{ bad, "", 1, ":2: max_batch is 9000, at most 1024" },
		{ bad, "--check-config", 1, ":2: max_batch is 9000, at most 1024" },
		{ "database = \"x\"; strict = false;", "--check-config", 1, "testd: be strict" },
		{ good, "--wrong", 2, "testd: unknown option --wrong (see testd --help)" },
		{ good, "word", 2, "testd: \"word\" is not an option" },
		{ good, "--file", 2, "--file needs a value" },
	};
	SP_AUTO_DONE(sp_buf) out = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = begin(cases[i].conf, cases[i].word, &out);

		ck_assert_msg(got == cases[i].status && strstr(sp_buf_cstr(&out), cases[i].says) != NULL, "%s gives %d: %s",
		    cases[i].word, got, sp_buf_cstr(&out));
	}
}
END_TEST

UNIT_MAIN("conf/options", options_in_every_form, wrong_options_are_named, a_daemon_begins_or_says_why_not)
