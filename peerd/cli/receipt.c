/*
 * receipt.c - sealpost receipt show: what a receipt says, and the openssl commands that check it without us.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "peerd/cli/api.h"
#include "peerd/cli/proof.h"

/* A file as it is; an id is asked of peerd. */
static int
find_file(struct cli *cli, const char *word, char out[PATH_MAX])
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	json_t *event;
	const char *file;
	int status;

	if (strchr(word, '/') != NULL || access(word, F_OK) == 0) {
		if (realpath(word, out) != NULL)
			return CLI_DONE;
		fprintf(stderr, "sealpost: there is no file %s\n", word);
		return CLI_FAILED;
	}
	sp_buf_add_text(&path, "/v1/event/");
	api_escape(&path, word);
	status = api_ask(cli, "GET", sp_buf_cstr(&path), NULL, 60, &event);
	if (status != CLI_DONE)
		return status;
	file = api_text(event, "receipt_file", "");
	snprintf(out, PATH_MAX, "%s", file);
	json_decref(event);
	if (out[0] != 0)
		return CLI_DONE;
	fprintf(stderr, "sealpost: this event has no receipt\n");
	return CLI_FAILED;
}

static int
say_commands(const char *path, const struct sp_buf *file, const struct sp_receipt_proof *proof)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_receipt_parts parts;
	struct sp_why why = { "" };
	enum sp_status st = sp_receipt_file_read(sp_buf_span(file), &parts, &why);

	if (st == SP_OK)
		st = sp_receipt_commands(path, proof->postmarked, proof->receipt.received_s, &out);
	if (st != SP_OK) {
		fprintf(stderr, "sealpost: %s\n", why.text[0] != 0 ? why.text : sp_status_text(st));
		return CLI_FAILED;
	}
	fputs(sp_buf_cstr(&out), stdout);
	return CLI_DONE;
}

int
verb_receipt(struct cli *cli, int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) file = { 0 };
	struct sp_receipt_proof proof;
	bool openssl = false;
	const struct cli_option options[] = { { "--openssl", 0, &openssl, NULL, NULL, NULL, 0 } };
	char path[PATH_MAX];
	int rest, status = cli_options("receipt", options, 1, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 2 || strcmp(argv[0], "show") != 0)
		return cli_usage("receipt", "receipt show takes one FILE or ID");
	if ((status = find_file(cli, argv[1], path)) != CLI_DONE ||
	    (status = proof_read(cli, path, &file, &proof)) != CLI_DONE)
		return status;
	if (openssl)
		return say_commands(path, &file, &proof);
	proof_say(cli, path, &proof);
	return CLI_DONE;
}
