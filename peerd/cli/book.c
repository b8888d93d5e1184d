/*
 * book.c - sealpost book: the destination book.
 */
#include <stdio.h>
#include <string.h>

#include "peerd/cli/api.h"
#include "peerd/cli/print.h"
#include "peerd/cli/table.h"

static int
add(struct cli *cli, const char *name, const char *address)
{
	json_t *body = json_pack("{s:s, s:s*}", "name", name, "address", address), *entry, *s;
	size_t i;
	int status;

	if (body == NULL)
		return cli_fail(cli, SP_E_ARGUMENT, NULL, "\"%s\" is no name; names look like bob@post.example",
		    name);
	status = api_ask(cli, "POST", "/v1/book", body, 120, &entry);
	if (status != CLI_DONE)
		return status;
	if (cli->json) {
		api_print(entry);
	} else {
		printf("%s is in your book\n", api_text(entry, "name", name));
		json_array_foreach(json_object_get(entry, "stations"), i, s)
			printf("  %s\n", api_text(s, "name", ""));
	}
	json_decref(entry);
	return CLI_DONE;
}

static int
rm(struct cli *cli, const char *name)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	json_t *answer;
	int status;

	sp_buf_add_text(&path, "/v1/book/");
	api_escape(&path, name);
	status = api_ask(cli, "DELETE", sp_buf_cstr(&path), NULL, 60, &answer);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		api_print(answer);
	else
		printf("%s is no longer in your book\n", name);
	json_decref(answer);
	return CLI_DONE;
}

static void
table(struct cli *cli, const json_t *entries)
{
	static const struct table_column columns[] = {
		{ "NAME", true, false, 0 }, { "STATION", true, false, 0 }, { "ADDRESS", true, false, 1 }, { "SEEN",
		    false, false, 2 },
	};
	SP_AUTO(table) *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	SP_AUTO_DONE(sp_buf) out = { 0 };
	json_t *e, *s;
	size_t i, j;

	json_array_foreach(entries, i, e) {
		const json_t *stations = json_object_get(e, "stations");
		const char *name = api_text(e, "name", ""), *address = api_text(e, "address", "");
		const char *alone[] = { name, "(none known)", address, "" };

		if (json_array_size(stations) == 0)
			table_add(t, alone);
		json_array_foreach(stations, j, s) {
			char when[PRINT_SPAN];
			const char *cells[] = { j == 0 ? name : "", api_text(s, "name", ""), api_text(s, "at",
			    address),
				print_when(api_text(s, "seen", ""), when) };

			table_add(t, cells);
		}
	}
	table_out(t, cli_width(cli), &out);
	fputs(sp_buf_cstr(&out), stdout);
}

static int
list(struct cli *cli)
{
	json_t *answer, *entries, *e;
	size_t i;
	int status = api_ask(cli, "GET", "/v1/book", NULL, 60, &answer);

	if (status != CLI_DONE)
		return status;
	entries = json_object_get(answer, "entries");
	if (!json_is_array(entries)) {
		status = api_say(cli, API_NONSENSE, NULL);
	} else if (cli->json) {
		json_array_foreach(entries, i, e)
			api_print(e);
	} else if (json_array_size(entries) == 0) {
		puts("your book is empty; sealpost book add NAME enters somebody");
	} else {
		table(cli, entries);
	}
	json_decref(answer);
	return status;
}

int
verb_book(struct cli *cli, int argc, char **argv)
{
	const char *address = NULL, *what;
	const struct cli_option options[] = { { "--address", 'a', NULL, &address, NULL, NULL, 0 } };
	bool adds, removes;
	int rest, status = cli_options(cli, "book", options, 1, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	what = rest > 0 ? argv[0] : "list";
	adds = strcmp(what, "add") == 0;
	removes = strcmp(what, "rm") == 0 || strcmp(what, "remove") == 0;
	if (!adds && address != NULL)
		return cli_usage("book", "--address goes with book add");
	if ((adds || removes) && (rest != 2 || argv[1][0] == 0))
		return cli_usage("book", "book %s takes one NAME, like bob@post.example", what);
	if (adds)
		return add(cli, argv[1], address);
	if (removes)
		return rm(cli, argv[1]);
	if (strcmp(what, "list") != 0)
		return cli_usage("book", "book %s is not known", what);
	if (rest > 1)
		return cli_usage("book", "\"%s\" is too much", argv[1]);
	return list(cli);
}
