/*
 * credits.c - sealpost credits: what is left, and getting more.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/text.h"
#include "peerd/cli/api.h"
#include "peerd/cli/follow.h"
#include "peerd/cli/print.h"

#define GAUGE 30		/* columns */
#define GAUGE_LEAST 10

static const char *
plural(unsigned long long n)
{
	return n == 1 ? "credit" : "credits";
}

/* ---- what is left ---- */

static void
say_gauge(const struct cli *cli, const json_t *c)
{
	unsigned long long free_now = api_number(c, "free"), granted = api_number(c, "granted");
	const char *colour = !cli->colour ? "" : free_now == 0 ? "\033[31m" : api_true(c, "low") ? "\033[33m" : "\033[32m";
	unsigned width = cli_width(cli), used = 2;
	SP_AUTO_DONE(sp_buf) bar = { 0 };

	used += (unsigned)printf("%-10s %llu of %llu", "free", free_now, granted);
	if (width >= used + GAUGE_LEAST && granted > 0) {
		print_bar(free_now, granted, width - used < GAUGE ? width - used : GAUGE, &bar);
		printf("  %s%s%s", colour, sp_buf_cstr(&bar), colour[0] != 0 ? "\033[0m" : "");
	}
	putchar('\n');
}

static void
say_number(const char *name, unsigned long long n, const char *words)
{
	if (n > 0)
		printf("%-10s %llu  %s\n", name, n, words);
}

/* The end of the sheet that ends first, of those with something left. */
static void
say_end(const json_t *sheets)
{
	const char *first = "";
	char when[PRINT_SPAN];
	const json_t *s;
	size_t i;

	json_array_foreach(sheets, i, s) {
		const char *until = api_text(s, "valid_until", "");

		if (!api_true(s, "closed") && !api_true(s, "ended") && api_number(s, "free") > 0 && (first[0] == 0 || strcmp(until, first) < 0))
			first = until;
	}
	if (first[0] != 0)
		printf("%-10s until %s\n", "valid", print_when(first, when));
}

static void
say_prices(const json_t *tariff)
{
	const json_t *step;
	size_t i;

	json_array_foreach(tariff, i, step) {
		unsigned long long from = api_number(step, "from"), price = api_number(step, "price");
		char size[PRINT_SIZE];

		if (i == 0)
			printf("%-10s %llu %s a delivery", "price", price, plural(price));
		else
			printf(", %llu from %s on", price, print_size(from, size));
	}
	if (json_array_size(tariff) > 0)
		putchar('\n');
}

static void
say_credits(const struct cli *cli, const json_t *c)
{
	const json_t *lack, *tariff = json_object_get(c, "tariff");
	unsigned long long withheld = api_number(c, "withheld"), free_now = api_number(c, "free");
	bool priced = json_array_size(tariff) > 0;
	size_t i;

	say_gauge(cli, c);
	if (withheld > 0)
		printf("%-10s %llu of them only when creditd has been reached\n", "", withheld);
	say_number("reserved", api_number(c, "reserved"), "for deliveries under way");
	say_number("void", api_number(c, "void"), "of deliveries that failed after they were paid: they come back later");
	say_number("ended", api_number(c, "ended"), "not spent in time: creditd gives them back to the account");
	say_number("spent", api_number(c, "spent"), "");
	say_end(json_object_get(c, "sheets"));
	say_prices(tariff);
	if (api_text(c, "account", "")[0] != 0)
		printf("%-10s %s\n", "account", api_text(c, "account", ""));
	json_array_foreach(json_object_get(c, "lacks"), i, lack)
		printf("%-10s %s\n", i == 0 ? "note" : "", json_is_string(lack) ? json_string_value(lack) : "?");
	if (priced && api_true(c, "low"))
		printf("%-10s %s get more: sealpost credits add 25\n", "advice", free_now == 0 ? "" : "few credits are left;");
}

static int
look(struct cli *cli)
{
	json_t *answer;
	int status = api_ask(cli, "GET", "/v1/credits", NULL, 60, &answer);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		api_print(answer);
	else
		say_credits(cli, answer);
	json_decref(answer);
	return CLI_DONE;
}

/* ---- more of it ---- */

/* Asks whoever sits at the terminal; false: nobody does, or nothing was said. */
static bool
ask_account(char *out, size_t size)
{
	if (!isatty(STDIN_FILENO))
		return false;
	fputs("account number: ", stderr);
	fflush(stderr);
	if (fgets(out, (int)size, stdin) == NULL)
		return false;
	out[strcspn(out, "\r\n")] = 0;
	return out[0] != 0;
}

/* The account: as named, or the one of the last time (then *ret_account stays as it is), or asked for. */
static int
find_account(struct cli *cli, const char **ret_account, char *space, size_t size)
{
	json_t *answer;
	bool known;
	int status;

	if (*ret_account != NULL)
		return CLI_DONE;
	if ((status = api_ask(cli, "GET", "/v1/credits", NULL, 60, &answer)) != CLI_DONE)
		return status;
	known = api_text(answer, "account", "")[0] != 0;
	json_decref(answer);
	if (known)
		return CLI_DONE;
	if (!ask_account(space, size))
		return cli_usage("credits", "no account number is known yet: --account NUMBER names it, once");
	*ret_account = space;
	return CLI_DONE;
}

static int
add(struct cli *cli, unsigned number, const char *account)
{
	char space[SP_ACCOUNT_MAX + 2];
	json_t *answer, *body;
	int status = find_account(cli, &account, space, sizeof(space));

	if (status != CLI_DONE)
		return status;
	body = json_pack("{s:i, s:s*}", "number", (int)number, "account", account);
	if (body == NULL)
		return cli_fail(cli, SP_E_ARGUMENT, NULL, "the account number is not UTF-8 text");
	if ((status = api_ask(cli, "POST", "/v1/credits", body, 60, &answer)) != CLI_DONE)
		return status;
	status = follow_events(cli, answer);
	json_decref(answer);
	if (status == CLI_DONE && !cli->json)
		status = look(cli);
	return status;
}

int
verb_credits(struct cli *cli, int argc, char **argv)
{
	const char *account = NULL;
	const struct cli_option options[] = { { "--account", 0, NULL, &account, NULL, NULL, 0 } };
	int rest, status = cli_options(cli, "credits", options, 1, argc, argv, &rest);
	uint64_t number = 25;

	if (status != CLI_DONE)
		return status;
	if (rest == 0) {
		if (account != NULL)
			return cli_usage("credits", "--account goes with credits add");
		return look(cli);
	}
	if (strcmp(argv[0], "add") != 0)
		return cli_usage("credits", "credits %s is not known", argv[0]);
	if (rest > 2)
		return cli_usage("credits", "\"%s\" is too much", argv[2]);
	if (rest == 2 && (sp_parse_u64(sp_span_str(argv[1]), SP_SHEET_SERIALS, &number) != SP_OK || number == 0))
		return cli_usage("credits", "credits add takes a number from 1 to %d, like 25, 50, 75 or 100", SP_SHEET_SERIALS);
	if (account != NULL && (account[0] == 0 || strlen(account) > SP_ACCOUNT_MAX))
		return cli_usage("credits", "an account number has 1 to %d characters", SP_ACCOUNT_MAX);
	return add(cli, (unsigned)number, account);
}
