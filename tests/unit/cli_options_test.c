/*
 * cli_options_test.c - the words behind a verb: every form of an option, and every wrong one.
 */
#include <stdio.h>
#include <string.h>

#include "peerd/cli/cli.h"
#include "tests/unit/unit.h"

const struct verb verbs[] = {
	{ "send", "--to NAME PATH…", "send files", "  --to NAME  recipient\n", NULL },
};
const size_t verbs_count = 1;

/* What one command line means. */
struct meaning {
	struct cli cli;
	bool quick;
	const char *text;
	const char *to[2];
	size_t nto;
	char *words[16];
	int rest, status;
};

static struct meaning
read_words(const char *line)
{
	static char copy[256];
	struct meaning m = { 0 };
	const struct cli_option options[] = {
		{ "--quick", 'q', &m.quick, NULL, NULL, NULL, 0 },
		{ "--message", 'm', NULL, &m.text, NULL, NULL, 0 },
		{ "--to", 0, NULL, NULL, m.to, &m.nto, 2 },
	};
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *p = strtok(copy, " "); p != NULL; p = strtok(NULL, " "))
		m.words[n++] = strcmp(p, "''") == 0 ? p + 2 : p;
	m.rest = -7;
	m.status = cli_options(&m.cli, "send", options, 3, n, m.words, &m.rest);
	return m;
}

START_TEST(every_form_of_an_option)
{
	static const char *const forms[] = { "a --message hi --to x b", "--message=hi a --to=x b", "-m hi a b --to x",
		"-mhi --to x -- a b", "a b --to=x --message=hi" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct meaning m = read_words(forms[i]);

		ck_assert_int_eq(m.status, CLI_DONE);
		ck_assert_int_eq(m.rest, 2);
		ck_assert_str_eq(m.words[0], "a");
		ck_assert_str_eq(m.words[1], "b");
		ck_assert_str_eq(m.text, "hi");
		ck_assert_uint_eq(m.nto, 1);
		ck_assert_str_eq(m.to[0], "x");
		ck_assert(!m.quick && !m.cli.json && !m.cli.home_given);
	}
}
END_TEST

START_TEST(words_and_values_that_look_like_options)
{
	struct meaning m = read_words("-- --quick -m -");

	ck_assert_int_eq(m.status, CLI_DONE);
	ck_assert_int_eq(m.rest, 3);
	ck_assert(!m.quick);
	m = read_words("- --message --help -q");
	ck_assert_int_eq(m.status, CLI_DONE);
	ck_assert_int_eq(m.rest, 1);
	ck_assert_str_eq(m.words[0], "-");
	ck_assert_str_eq(m.text, "--help");
	ck_assert(m.quick);
	m = read_words("--message=");
	ck_assert_int_eq(m.status, CLI_DONE);
	ck_assert_str_eq(m.text, "");
}
END_TEST

START_TEST(wrong_ones_are_usage)
{
	static const char *const wrong[] = { "--nonsense", "-x", "--quick=yes", "-qq", "--message", "--to",
	    "a --message",
		"--mess hi", "--to a --to b --to c", "--home", "--home=", "--json=1" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct meaning m = read_words(wrong[i]);

		ck_assert_msg(m.status == CLI_USAGE, "\"%s\" gives %d", wrong[i], m.status);
		ck_assert_int_eq(m.rest, -7);
	}
}
END_TEST

START_TEST(what_all_verbs_know)
{
	struct meaning m = read_words("a --json --home /x");

	ck_assert_int_eq(m.status, CLI_DONE);
	ck_assert(m.cli.json && m.cli.home_given);
	ck_assert_str_eq(m.cli.home, "/x");
	ck_assert_int_eq(read_words("a --help").status, CLI_HELPED);
	ck_assert_int_eq(read_words("-h").status, CLI_HELPED);
	m = read_words("-- --help");
	ck_assert_int_eq(m.status, CLI_DONE);
	ck_assert_int_eq(m.rest, 1);
}
END_TEST

UNIT_MAIN("cli/options", every_form_of_an_option, words_and_values_that_look_like_options, wrong_ones_are_usage,
    what_all_verbs_know)
