/*
 * log.c - sealpost log, show, cancel: the event log and its events.
 */
#include <stdio.h>
#include <string.h>

#include "peerd/cli/api.h"
#include "peerd/cli/print.h"

#define ID_SHOWN 13	/* "0193a2b4-c5d6": the time to a sixteenth of a second; enough to name an event */

static void
say_buf(struct sp_buf *b)
{
	fputs(sp_buf_cstr(b), stdout);
}

static const char *
outcome(const json_t *event)
{
	return api_text(event, "result", api_text(event, "doing", api_text(event, "state", "?")));
}

/* Ids made in one moment share their beginning: as much of it is shown as tells all listed ones apart. */
static size_t
id_length(const json_t *events)
{
	size_t n = ID_SHOWN, i, j;
	json_t *a, *b;

	json_array_foreach(events, i, a)
		json_array_foreach(events, j, b) {
			const char *x = api_text(a, "id", ""), *y = api_text(b, "id", "");

			if (j > i)
				while (n < 36 && strcmp(x, y) != 0 && strncmp(x, y, n) == 0)
					n++;
		}
	return n;
}

static void
log_table(struct cli *cli, const json_t *events)
{
	static const char *const heads[] = { "ID", "WHEN", "", "WITH", "TITLE", "SIZE", "RESULT" };
	SP_AUTO(print_table) *t = print_table_new(7, heads);
	SP_AUTO_DONE(sp_buf) out = { 0 };
	size_t n = id_length(events), i;
	json_t *e;

	json_array_foreach(events, i, e) {
		char id[40], when[PRINT_SPAN], size[PRINT_SIZE];
		const char *cells[] = { id, print_when(api_text(e, "created", ""), when),
			strcmp(api_text(e, "kind", ""), "send") == 0 ? "to" : "from", api_text(e, "peer", ""),
			api_text(e, "title", ""), print_size((uint64_t)api_number(e, "bytes"), size), outcome(e) };

		snprintf(id, sizeof(id), "%.*s", (int)n, api_text(e, "id", ""));
		print_table_add(t, cells);
	}
	print_table_out(t, cli->width, true, &out);
	say_buf(&out);
}

int
verb_log(struct cli *cli, int argc, char **argv)
{
	bool pending = false, sent = false, received = false, failed = false;
	const char *number = "50";
	const struct cli_option options[] = {
		{ "--pending", 0, &pending, NULL, NULL, NULL, 0 },
		{ "--sent", 0, &sent, NULL, NULL, NULL, 0 },
		{ "--received", 0, &received, NULL, NULL, NULL, 0 },
		{ "--failed", 0, &failed, NULL, NULL, NULL, 0 },
		{ "--number", 'n', NULL, &number, NULL, NULL, 0 },
	};
	SP_AUTO_DONE(sp_buf) path = { 0 };
	json_t *answer, *e;
	size_t i;
	int rest, status = cli_options("log", options, sizeof(options) / sizeof(options[0]), argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest > 0 || pending + sent + received + failed > 1)
		return cli_usage("log", rest > 0 ? "%s is too much" : "choose one of the filters", rest > 0 ? argv[0] : "");
	sp_buf_addf(&path, "/v1/log?filter=%s&limit=", pending ? "pending" : sent ? "sent" : received ? "received" :
	    failed ? "failed" : "all");
	api_escape(&path, number);
	status = api_ask(cli, "GET", sp_buf_cstr(&path), NULL, 60, &answer);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		json_array_foreach(json_object_get(answer, "events"), i, e)
			api_print(e);
	else if (json_array_size(json_object_get(answer, "events")) == 0)
		puts("nothing yet");
	else
		log_table(cli, json_object_get(answer, "events"));
	json_decref(answer);
	return CLI_DONE;
}

static void
property(const char *name, const char *value)
{
	if (value[0] != 0)
		printf("%-10s %s\n", name, value);
}

/* A text of several lines, set off. */
static void
lines(const char *name, const char *text)
{
	for (const char *p = text; *p != 0;) {
		int n = (int)strcspn(p, "\n");

		printf("%-10s %.*s\n", p == text ? name : "", n, p);
		p += n + (p[n] == '\n');
	}
}

static void
show_event(const json_t *e)
{
	const json_t *reason = json_object_get(e, "reason"), *h;
	char when[PRINT_SPAN], size[PRINT_SIZE];
	size_t i;

	property("id", api_text(e, "id", ""));
	printf("%-10s %s %s\n", strcmp(api_text(e, "kind", ""), "send") == 0 ? "to" : "from", api_text(e, "peer", ""), "");
	property("title", api_text(e, "title", ""));
	printf("%-10s %lld in %s (%lld bytes)\n", "files", api_number(e, "files"),
	    print_size((uint64_t)api_number(e, "bytes"), size), api_number(e, "bytes"));
	property("state", outcome(e));
	property("created", print_when(api_text(e, "created", ""), when));
	property("ended", print_when(api_text(e, "ended_at", ""), when));
	if (json_is_object(reason)) {
		property("reason", api_text(reason, "text", ""));
		property("", api_text(reason, "advice", ""));
	}
	json_array_foreach(json_object_get(e, "paths"), i, h)
		property(i == 0 ? "paths" : "", json_string_value(h));
	property("placed", api_text(e, "placed", ""));
	property("receipt", api_text(e, "receipt_file", ""));
	lines("message", api_text(e, "message", ""));
	lines("notes", api_text(e, "notes", ""));
	puts("history");
	json_array_foreach(json_object_get(e, "history"), i, h)
		printf("  %s  %s\n", print_when(api_text(h, "time", ""), when), api_text(h, "what", ""));
}

static int
one_event(struct cli *cli, const char *verb, int argc, char **argv, const char *method, const char *suffix, json_t **ret)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	int rest, status = cli_options(verb, NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 1)
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

int
verb_cancel(struct cli *cli, int argc, char **argv)
{
	json_t *event;
	int status = one_event(cli, "cancel", argc, argv, "POST", "/cancel", &event);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		api_print(event);
	else
		printf("cancelled: %s\n", api_text(event, "id", ""));
	json_decref(event);
	return CLI_DONE;
}
