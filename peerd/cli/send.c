/*
 * send.c - sealpost send: an order from the command line.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "peerd/cli/api.h"
#include "peerd/cli/follow.h"

#define MOST_NAMES 256

/* Makes a path absolute as the user means it: a symlink as its last component is sent as a link, not followed. */
static bool
absolute(const char *path, struct sp_buf *out)
{
	char here[PATH_MAX];

	if (path[0] != '/') {
		if (getcwd(here, sizeof(here)) == NULL)
			return false;
		sp_buf_addf(out, "%s/", here);
	}
	sp_buf_add_text(out, path);
	return sp_buf_status(out) == SP_OK;
}

/* JSON has no bytes that are no UTF-8: such a path goes as digits. */
static json_t *
json_path(struct sp_buf *full)
{
	SP_AUTO_MEM char *hex = NULL;

	if (sp_utf8_ok(sp_buf_span(full)))
		return json_string(sp_buf_cstr(full));
	hex = malloc(2 * full->len + 1);
	return hex != NULL ? json_pack("{s:s}", "hex", sp_hex(full->data, full->len, hex)) : NULL;
}

static int
add_path(json_t *paths, const char *path)
{
	SP_AUTO_DONE(sp_buf) full = { 0 };
	struct stat sb;
	json_t *text;

	if (lstat(path, &sb) != 0) {
		fprintf(stderr, "sealpost: %s: %s\n", path, strerror(errno));
		return CLI_FAILED;
	}
	if (!absolute(path, &full))
		return CLI_FAILED;
	text = json_path(&full);
	return json_array_append_new(paths, text) == 0 ? CLI_DONE : CLI_FAILED;
}

static int
set_text(json_t *order, const char *name, const char *text)
{
	if (text == NULL)
		return CLI_DONE;
	if (json_object_set_new(order, name, json_string(text)) == 0)
		return CLI_DONE;
	fprintf(stderr, "sealpost: the %s is not UTF-8 text\n", name);
	return CLI_FAILED;
}

static int
make_order(json_t *order, const char **to, size_t nto, char **paths, int npaths)
{
	json_t *names = json_array(), *list = json_array();

	json_object_set_new(order, "to", names);
	json_object_set_new(order, "paths", list);
	for (size_t i = 0; i < nto; i++)
		json_array_append_new(names, json_string(to[i]));
	for (int i = 0; i < npaths; i++) {
		int status = add_path(list, paths[i]);

		if (status != CLI_DONE)
			return status;
	}
	return CLI_DONE;
}

static int
submit(struct cli *cli, json_t *order, bool wait)
{
	json_t *answer, *event;
	size_t i;
	int status = api_ask(cli, "POST", "/v1/send", order, 60, &answer);

	if (status != CLI_DONE)
		return status;
	if (wait) {
		status = follow_events(cli, answer);
	} else {
		json_array_foreach(json_object_get(answer, "events"), i, event) {
			if (cli->json)
				api_print(event);
			else
				printf("%s to %s\n", api_text(event, "id", ""), api_text(event, "peer", ""));
		}
	}
	json_decref(answer);
	return status;
}

int
verb_send(struct cli *cli, int argc, char **argv)
{
	const char *to[MOST_NAMES], *message = NULL, *title = NULL, *receipt = NULL, *address = NULL;
	size_t nto = 0;
	bool no_wait = false;
	const struct cli_option options[] = {
		{ "--to", 't', NULL, NULL, to, &nto, MOST_NAMES },
		{ "--message", 'm', NULL, &message, NULL, NULL, 0 },
		{ "--title", 0, NULL, &title, NULL, NULL, 0 },
		{ "--receipt", 0, NULL, &receipt, NULL, NULL, 0 },
		{ "--address", 0, NULL, &address, NULL, NULL, 0 },
		{ "--no-wait", 0, &no_wait, NULL, NULL, NULL, 0 },
	};
	json_t *order;
	int rest, status = cli_options("send", options, sizeof(options) / sizeof(options[0]), argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (nto == 0)
		return cli_usage("send", "say to whom: --to NAME");
	if (rest == 0)
		return cli_usage("send", "say what: a file or folder");
	order = json_object();
	status = make_order(order, to, nto, argv, rest);
	if (status != CLI_DONE || (status = set_text(order, "message", message)) != CLI_DONE ||
	    (status = set_text(order, "title", title)) != CLI_DONE ||
	    (status = set_text(order, "receipt", receipt)) != CLI_DONE ||
	    (status = set_text(order, "address", address)) != CLI_DONE) {
		json_decref(order);
		return status;
	}
	return submit(cli, order, !no_wait);
}
