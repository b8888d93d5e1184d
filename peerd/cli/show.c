/*
 * show.c - sealpost show, cancel, accept, refuse: one event.
 */
#include <stdio.h>
#include <string.h>

#include "peerd/cli/api.h"
#include "peerd/cli/print.h"

/* A name and its text; further lines of the text stand below the first. */
static void
property(const char *name, const char *text)
{
	for (const char *p = text; *p != 0;) {
		size_t n = strcspn(p, "\n");
		SP_AUTO_MEM char *one = strndup(p, n);
		SP_AUTO_DONE(sp_buf) safe = { 0 };

		if (one == NULL)
			return;
		print_safe(&safe, one);
		printf(safe.len > 0 ? "%-10s %s\n" : "%s\n", p == text ? name : "", sp_buf_cstr(&safe));
		p += n + (p[n] == '\n');
	}
}

static void
show_sizes(const json_t *e)
{
	unsigned long long files = api_number(e, "files"), bytes = api_number(e, "bytes");
	unsigned long long done = api_number(e, "done"), packet = api_number(e, "packet");
	char size[PRINT_SIZE], moved[PRINT_SIZE];

	if (files > 0 || bytes > 0)
		printf("%-10s %llu in %s (%llu bytes)\n", "files", files, print_size(bytes, size), bytes);
	if (!api_true(e, "ended") && packet > 0)
		printf("%-10s %s of %s (%u%%)\n", "moved", print_size(done, moved), print_size(packet, size),
		    (unsigned)((double)(done < packet ? done : packet) * 100 / (double)packet));
}

/* Who said with a signature that nothing more comes of it. */
static void
show_signed(const json_t *end)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };

	sp_buf_addf(&text, "%s by %s", strcmp(api_text(end, "what", ""), "REFUSE") == 0 ? "refused" : "given up", api_text(end, "by", "?"));
	property("signed", sp_buf_cstr(&text));
}

static void
show_event(const json_t *e)
{
	const json_t *reason = json_object_get(e, "reason"), *credits = json_object_get(e, "credits"), *h;
	char when[PRINT_SPAN];
	size_t i;

	credits = json_is_object(credits) ? credits : NULL;
	property("id", api_text(e, "id", ""));
	property("kind", api_text(e, "kind", ""));
	property(strcmp(api_direction(e), "to") == 0 ? "to" : "from", api_text(e, "peer", ""));
	property("title", api_text(e, "title", ""));
	show_sizes(e);
	property("state", api_text(e, "result", api_text(e, "doing", api_text(e, "state", "?"))));
	if (json_is_object(reason)) {
		property("reason", api_text(reason, "text", ""));
		if (api_text(reason, "advice", "")[0] != 0)
			property("advice", api_text(reason, "advice", ""));
	}
	if ((reason = json_object_get(e, "signed_end")) != NULL && json_is_object(reason))
		show_signed(reason);
	property("next try", print_when(api_text(e, "next_try", ""), when));
	property("created", print_when(api_text(e, "created", ""), when));
	property("ended", print_when(api_text(e, "ended_at", ""), when));
	json_array_foreach(json_object_get(e, "paths"), i, h)
		property(i == 0 ? "paths" : "", json_is_string(h) ? json_string_value(h) : "?");
	property("placed", api_text(e, "placed", ""));
	if (credits == NULL) {
		property("receipt", api_text(e, "receipt", ""));
		property("", api_text(e, "receipt_file", ""));
		if (strcmp(api_text(e, "receipt", ""), "postmarked") == 0)
			property("postmark", api_true(e, "postmarked") ? "here" : "not here yet");
		property("payment", api_text(e, "payment", ""));
		property("message", api_text(e, "message", ""));
	} else {
		property("account", api_text(credits, "account", ""));
		if (api_number(credits, "granted") > 0)
			printf("%-10s %llu\n", "granted", api_number(credits, "granted"));
	}
	property("notes", api_text(e, "notes", ""));
	if (json_array_size(json_object_get(e, "history")) > 0)
		puts("history");
	json_array_foreach(json_object_get(e, "history"), i, h) {
		SP_AUTO_DONE(sp_buf) what = { 0 };

		print_safe(&what, api_text(h, "what", ""));
		printf("  %s  %s\n", print_when(api_text(h, "time", ""), when), sp_buf_cstr(&what));
	}
}

/* Asks for the one event that is named; the answer is the caller's. */
static int
one_event(struct cli *cli, const char *verb, int argc, char **argv, const char *method, const char *suffix,
    json_t **ret)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	int rest, status = cli_options(cli, verb, NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 1 || argv[0][0] == 0)
		return cli_usage(verb, "one ID is needed; sealpost log lists them");
	sp_buf_add_text(&path, "/v1/event/");
	api_escape(&path, argv[0]);
	sp_buf_add_text(&path, suffix);
	return api_ask(cli, method, sp_buf_cstr(&path), NULL, 60, ret);
}

int
verb_show(struct cli *cli, int argc, char **argv)
{
	json_t *event;
	int status = one_event(cli, "show", argc, argv, "GET", "", &event);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		api_print(event);
	else
		show_event(event);
	json_decref(event);
	return CLI_DONE;
}

/* What is decided on an event, and the word for that. */
static int
decide(struct cli *cli, const char *verb, const char *suffix, const char *word, int argc, char **argv)
{
	json_t *event;
	int status = one_event(cli, verb, argc, argv, "POST", suffix, &event);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		api_print(event);
	else
		printf("%s: %s\n", word, api_text(event, "id", ""));
	json_decref(event);
	return CLI_DONE;
}

int
verb_cancel(struct cli *cli, int argc, char **argv)
{
	return decide(cli, "cancel", "/cancel", "cancelled", argc, argv);
}

int
verb_accept(struct cli *cli, int argc, char **argv)
{
	return decide(cli, "accept", "/accept", "accepted", argc, argv);
}

int
verb_refuse(struct cli *cli, int argc, char **argv)
{
	return decide(cli, "refuse", "/refuse", "refused", argc, argv);
}
