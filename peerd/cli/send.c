/*
 * send.c - sealpost send and retry: orders from the command line.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "peerd/cli/api.h"
#include "peerd/cli/follow.h"

#define MOST_NAMES 256

/* Makes a path absolute as the user means it: a symlink as its last component is sent as a link, not followed. */
static int
absolute(struct cli *cli, const char *path, struct sp_buf *out)
{
	if (path[0] != '/') {
		SP_AUTO_MEM char *here = getcwd(NULL, 0);

		if (here == NULL)
			return cli_fail(cli, SP_E_SYS, "change to a folder that is there", "the current folder: %s",
			    strerror(errno));
		sp_buf_add_text(out, here);
		sp_buf_add_u8(out, '/');
	}
	sp_buf_add_text(out, path);
	sp_buf_cstr(out);
	return sp_buf_status(out) == SP_OK ? CLI_DONE : cli_fail(cli, SP_E_NOMEM, NULL, "out of memory");
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
add_path(struct cli *cli, json_t *paths, const char *path)
{
	SP_AUTO_DONE(sp_buf) full = { 0 };
	struct stat sb;
	int status;

	if (lstat(path, &sb) != 0)
		return cli_fail(cli, SP_E_NOTFOUND, NULL, "%s: %s", path, strerror(errno));
	if ((status = absolute(cli, path, &full)) != CLI_DONE)
		return status;
	if (json_array_append_new(paths, json_path(&full)) != 0)
		return cli_fail(cli, SP_E_NOMEM, NULL, "out of memory");
	return CLI_DONE;
}

static int
set_text(struct cli *cli, json_t *order, const char *name, const char *text)
{
	if (text == NULL || json_object_set_new(order, name, json_string(text)) == 0)
		return CLI_DONE;
	return cli_fail(cli, SP_E_ARGUMENT, NULL, "the %s is not UTF-8 text", name);
}

static int
fill_order(struct cli *cli, json_t *order, const char **to, size_t nto, char **paths, int npaths)
{
	json_t *names = json_array(), *list = json_array();
	int status;

	json_object_set_new(order, "to", names);
	json_object_set_new(order, "paths", list);
	for (size_t i = 0; i < nto; i++) {
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again = again || strcmp(to[i], to[j]) == 0;
		if (!again && json_array_append_new(names, json_string(to[i])) != 0)
			return cli_fail(cli, SP_E_ARGUMENT, NULL,
			    "\"%s\" is no name; names look like bob@post.example", to[i]);
	}
	for (int i = 0; i < npaths; i++)
		if ((status = add_path(cli, list, paths[i])) != CLI_DONE)
			return status;
	return CLI_DONE;
}

/* The order goes to peerd, and its events are followed or named. */
static int
submit(struct cli *cli, const char *path, json_t *order, bool wait)
{
	json_t *answer, *event;
	size_t i;
	int status = api_ask(cli, "POST", path, order, 60, &answer);

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
	bool no_wait = false, wait_for_peer = false;
	const struct cli_option options[] = {
		{ "--to", 0, NULL, NULL, to, &nto, MOST_NAMES },
		{ "--message", 'm', NULL, &message, NULL, NULL, 0 },
		{ "--title", 0, NULL, &title, NULL, NULL, 0 },
		{ "--receipt", 0, NULL, &receipt, NULL, NULL, 0 },
		{ "--address", 0, NULL, &address, NULL, NULL, 0 },
		{ "--no-wait", 0, &no_wait, NULL, NULL, NULL, 0 },
		{ "--wait-for-peer", 0, &wait_for_peer, NULL, NULL, NULL, 0 },
	};
	json_t *order;
	int rest, status = cli_options(cli, "send", options, sizeof(options) / sizeof(options[0]), argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (nto == 0)
		return cli_usage("send", "say to whom: --to NAME");
	if (rest == 0)
		return cli_usage("send", "say what: a file or folder");
	order = json_object();
	if ((status = fill_order(cli, order, to, nto, argv, rest)) != CLI_DONE ||
	    (status = set_text(cli, order, "message", message)) != CLI_DONE ||
	    (status = set_text(cli, order, "title", title)) != CLI_DONE ||
	    (status = set_text(cli, order, "receipt", receipt)) != CLI_DONE ||
	    (status = set_text(cli, order, "address", address)) != CLI_DONE) {
		json_decref(order);
		return status;
	}
	if (wait_for_peer)
		json_object_set_new(order, "wait_for_peer", json_true());
	return submit(cli, "/v1/send", order, !no_wait);
}

int
verb_retry(struct cli *cli, int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	bool no_wait = false;
	const struct cli_option options[] = { { "--no-wait", 0, &no_wait, NULL, NULL, NULL, 0 } };
	int rest, status = cli_options(cli, "retry", options, 1, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 1 || argv[0][0] == 0)
		return cli_usage("retry", "one ID is needed; sealpost log --failed lists them");
	sp_buf_add_text(&path, "/v1/event/");
	api_escape(&path, argv[0]);
	sp_buf_add_text(&path, "/retry");
	return submit(cli, sp_buf_cstr(&path), NULL, !no_wait);
}
