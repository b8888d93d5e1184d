/*
 * station.c - sealpost enrol, status, who.
 */
#include <stdio.h>
#include <string.h>

#include "peerd/cli/api.h"
#include "peerd/cli/print.h"

static void
say_status(const json_t *s)
{
	const json_t *lack;
	char when[PRINT_SPAN];
	size_t i;

	printf("station    %s\n", api_text(s, "name", "not enrolled"));
	printf("home       %s\n", api_text(s, "home", ""));
	printf("received   %s\n", api_text(s, "received", ""));
	if (json_is_true(json_object_get(s, "enrolled"))) {
		printf("listens    port %lld\n", api_number(s, "port"));
		printf("certified  until %s\n", print_when(api_text(s, "certificate_ends", ""), when));
		printf("book       %lld entries\n", api_number(s, "book"));
		printf("pending    %lld\n", api_number(s, "pending"));
	}
	json_array_foreach(json_object_get(s, "lacks"), i, lack)
		printf("%-10s %s\n", i == 0 ? "note" : "", json_is_string(lack) ? json_string_value(lack) : "");
}

int
verb_status(struct cli *cli, int argc, char **argv)
{
	json_t *answer;
	int rest, status = cli_options("status", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest > 0)
		return cli_usage("status", "%s is too much", argv[0]);
	status = api_ask(cli, "GET", "/v1/status", NULL, 30, &answer);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		api_print(answer);
	else
		say_status(answer);
	json_decref(answer);
	return CLI_DONE;
}

int
verb_enrol(struct cli *cli, int argc, char **argv)
{
	json_t *answer;
	int rest, status = cli_options("enrol", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 1)
		return cli_usage("enrol", "one TOKEN is needed: the sealpost:… text that your operator gave you");
	status = api_ask(cli, "POST", "/v1/enrol", json_pack("{s:s}", "token", argv[0]), 180, &answer);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		api_print(answer);
	else
		printf("You are %s now.\n", api_text(answer, "name", "?"));
	json_decref(answer);
	return CLI_DONE;
}

static bool
say_who(const json_t *w)
{
	bool there = json_is_true(json_object_get(w, "present"));

	if (there)
		printf("%s is there: %s, %lld ms\n", api_text(w, "name", ""), api_text(w, "address", ""),
		    api_number(w, "milliseconds"));
	else
		printf("%s does not answer\n", api_text(w, "name", ""));
	return there;
}

int
verb_who(struct cli *cli, int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	json_t *answer, *stations, *w;
	bool there = false;
	size_t i;
	int rest, status = cli_options("who", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 1)
		return cli_usage("who", "one NAME is needed");
	sp_buf_add_text(&path, "/v1/who/");
	api_escape(&path, argv[0]);
	status = api_ask(cli, "GET", sp_buf_cstr(&path), NULL, 60, &answer);
	if (status != CLI_DONE)
		return status;
	stations = json_object_get(answer, "stations");
	if (cli->json)
		api_print(answer);
	if (stations == NULL)
		there = cli->json ? json_is_true(json_object_get(answer, "present")) : say_who(answer);
	json_array_foreach(stations, i, w)
		there = (cli->json ? json_is_true(json_object_get(w, "present")) : say_who(w)) || there;
	json_decref(answer);
	return there ? CLI_DONE : CLI_FAILED;
}
