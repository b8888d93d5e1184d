/*
 * station.c - sealpost enrol, status, who.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "peerd/cli/api.h"
#include "peerd/cli/print.h"

#define TOKEN_MAX 4096

static void
property(const char *name, const char *text)
{
	if (text[0] != 0)
		printf("%-10s %s\n", name, text);
}

static void
say_status(const json_t *s)
{
	bool enrolled = api_true(s, "enrolled");
	const json_t *lack;
	char when[PRINT_SPAN];
	size_t i;

	property("station", enrolled ? api_text(s, "name", "?") :
	    "not enrolled: sealpost enrol TOKEN, with your operator's invitation");
	if (enrolled && json_is_false(json_object_get(s, "ready")))
		property("", "peerd is still starting");
	property("home", api_text(s, "home", ""));
	property("received", api_text(s, "received", ""));
	if (enrolled) {
		printf("%-10s port %llu\n", "listens", api_number(s, "port"));
		printf("%-10s until %s\n", "certified", print_when(api_text(s, "certificate_ends", ""), when));
		printf("%-10s %llu %s\n", "book", api_number(s, "book"), api_number(s, "book") == 1 ? "entry" :
		    "entries");
		printf("%-10s %llu %s\n", "pending", api_number(s, "pending"), api_number(s, "pending") == 1 ?
		    "event" : "events");
		if (api_number(s, "asked") > 0)
			printf("%-10s %llu %s for you: sealpost log --pending, then sealpost accept ID or refuse ID\n", "asked",
			    api_number(s, "asked"), api_number(s, "asked") == 1 ? "offer waits" : "offers wait");
	}
	if (strcmp(api_text(s, "version", ""), PACKAGE_VERSION) != 0)
		printf("%-10s peerd is version %s, this command is " PACKAGE_VERSION ": restart peerd\n", "version",
		    api_text(s, "version", "unknown"));
	if (!enrolled)
		return;
	json_array_foreach(json_object_get(s, "lacks"), i, lack)
		printf("%-10s %s\n", i == 0 ? "note" : "", json_is_string(lack) ? json_string_value(lack) : "?");
}

int
verb_status(struct cli *cli, int argc, char **argv)
{
	json_t *answer;
	int rest, status = cli_options(cli, "status", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest > 0)
		return cli_usage("status", "\"%s\" is too much", argv[0]);
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

/* The token, from the command line or (-) a line of standard input. */
static int
read_token(struct cli *cli, const char *word, char out[TOKEN_MAX])
{
	size_t n;

	if (strcmp(word, "-") != 0) {
		snprintf(out, TOKEN_MAX, "%s", word);
		return CLI_DONE;
	}
	if (fgets(out, TOKEN_MAX, stdin) == NULL)
		return cli_fail(cli, SP_E_ARGUMENT, NULL, "there is no token on standard input");
	for (n = strlen(out); n > 0 && strchr(" \t\r\n", out[n - 1]) != NULL; n--)
		out[n - 1] = 0;
	return CLI_DONE;
}

int
verb_enrol(struct cli *cli, int argc, char **argv)
{
	char token[TOKEN_MAX];
	json_t *answer, *body;
	int rest, status = cli_options(cli, "enrol", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 1 || argv[0][0] == 0)
		return cli_usage("enrol", "one TOKEN is needed: the sealpost:… text that your operator gave you");
	if ((status = read_token(cli, argv[0], token)) != CLI_DONE)
		return status;
	body = json_pack("{s:s}", "token", token);
	sp_wipe(token, sizeof(token));
	if (body == NULL)
		return cli_fail(cli, SP_E_TOKEN, "copy it again, whole and in quotes", "the token is not UTF-8 text");
	status = api_ask(cli, "POST", "/v1/enrol", body, 180, &answer);
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
say_who(const struct cli *cli, const json_t *w)
{
	bool there = api_true(w, "present");
	const char *reason = api_text(json_object_get(w, "reason"), "text", "");

	if (cli->json)
		return there;
	if (there)
		printf("%s is there: %s, %llu ms\n", api_text(w, "name", ""), api_text(w, "address", ""),
		    api_number(w, "milliseconds"));
	else
		printf("%s does not answer%s%s\n", api_text(w, "name", ""), reason[0] != 0 ? ": " : "", reason);
	return there;
}

int
verb_who(struct cli *cli, int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	json_t *answer, *stations, *w;
	bool there = false;
	size_t i;
	int rest, status = cli_options(cli, "who", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 1 || argv[0][0] == 0)
		return cli_usage("who", "one NAME is needed, like bob@post.example");
	sp_buf_add_text(&path, "/v1/who/");
	api_escape(&path, argv[0]);
	status = api_ask(cli, "GET", sp_buf_cstr(&path), NULL, 60, &answer);
	if (status != CLI_DONE)
		return status;
	stations = json_object_get(answer, "stations");
	if (cli->json)
		api_print(answer);
	if (stations == NULL)
		there = say_who(cli, answer);
	json_array_foreach(stations, i, w)
		there = say_who(cli, w) || there;
	json_decref(answer);
	return there ? CLI_DONE : CLI_FAILED;
}
