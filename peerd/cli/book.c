/*
 * book.c - sealpost book: the destination book.
 */
#include <stdio.h>
#include <string.h>

#include "peerd/cli/api.h"
#include "peerd/cli/print.h"

static int
add(struct cli *cli, int argc, char **argv)
{
	const char *address = NULL;
	const struct cli_option options[] = { { "--address", 'a', NULL, &address, NULL, NULL, 0 } };
	json_t *body, *entry, *s;
	size_t i;
	int rest, status = cli_options("book", options, 1, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 1)
		return cli_usage("book", "book add takes one NAME, like bob@post.example");
	body = json_pack("{s:s, s:s*}", "name", argv[0], "address", address);
	status = api_ask(cli, "POST", "/v1/book", body, 120, &entry);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		api_print(entry);
	else {
		printf("%s is in your book\n", api_text(entry, "name", argv[0]));
		json_array_foreach(json_object_get(entry, "stations"), i, s)
			printf("  %s\n", api_text(s, "name", ""));
	}
	json_decref(entry);
	return CLI_DONE;
}

static int
rm(struct cli *cli, int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	json_t *answer;
	int rest, status = cli_options("book", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 1)
		return cli_usage("book", "book rm takes one NAME; sealpost book list shows them");
	sp_buf_add_text(&path, "/v1/book/");
	api_escape(&path, argv[0]);
	status = api_ask(cli, "DELETE", sp_buf_cstr(&path), NULL, 60, &answer);
	if (status != CLI_DONE)
		return status;
	if (!cli->json)
		printf("%s is no longer in your book\n", argv[0]);
	json_decref(answer);
	return CLI_DONE;
}

static void
table(struct cli *cli, const json_t *entries)
{
	static const char *const heads[] = { "NAME", "ADDRESS", "STATION", "SEEN" };
	SP_AUTO(print_table) *t = print_table_new(4, heads);
	SP_AUTO_DONE(sp_buf) out = { 0 };
	json_t *e, *s;
	size_t i, j;

	json_array_foreach(entries, i, e) {
		const json_t *stations = json_object_get(e, "stations");
		const char *alone[] = { api_text(e, "name", ""), api_text(e, "address", ""), "", "" };

		if (json_array_size(stations) == 0)
			print_table_add(t, alone);
		json_array_foreach(stations, j, s) {
			char when[PRINT_SPAN];
			const char *cells[] = { j == 0 ? alone[0] : "", j == 0 ? alone[1] : "", api_text(s, "name", ""),
				print_when(api_text(s, "seen", ""), when) };

			print_table_add(t, cells);
		}
	}
	print_table_out(t, cli->width, true, &out);
	fputs(sp_buf_cstr(&out), stdout);
}

static int
list(struct cli *cli, int argc, char **argv)
{
	json_t *answer, *entries, *e;
	size_t i;
	int rest, status = cli_options("book", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 0)
		return cli_usage("book", "%s is too much", argv[0]);
	status = api_ask(cli, "GET", "/v1/book", NULL, 60, &answer);
	if (status != CLI_DONE)
		return status;
	entries = json_object_get(answer, "entries");
	if (cli->json)
		json_array_foreach(entries, i, e)
			api_print(e);
	else if (json_array_size(entries) == 0)
		puts("your book is empty; sealpost book add NAME enters somebody");
	else
		table(cli, entries);
	json_decref(answer);
	return CLI_DONE;
}

int
verb_book(struct cli *cli, int argc, char **argv)
{
	if (argc > 0 && strcmp(argv[0], "add") == 0)
		return add(cli, argc - 1, argv + 1);
	if (argc > 0 && (strcmp(argv[0], "rm") == 0 || strcmp(argv[0], "remove") == 0))
		return rm(cli, argc - 1, argv + 1);
	if (argc == 0 || strcmp(argv[0], "list") == 0)
		return list(cli, argc > 0 ? argc - 1 : 0, argv + 1);
	return cli_usage("book", "book %s is not known", argv[0]);
}
