/*
 * receipt.c - sealpost receipt show: what a receipt says, and the openssl commands that check it without us.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "peerd/cli/api.h"
#include "peerd/cli/print.h"
#include "peerd/cli/proof.h"

/* The absolute path of a file as it is, or of the receipt of an event, of which peerd is asked. */
static int
find_file(struct cli *cli, const char *word, struct sp_buf *out)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	SP_AUTO_MEM char *real = NULL;
	json_t *event;
	int status;

	if (strchr(word, '/') != NULL || access(word, F_OK) == 0) {
		if ((real = realpath(word, NULL)) == NULL)
			return cli_fail(cli, SP_E_NOTFOUND, NULL, "%s: %s", word, strerror(errno));
		sp_buf_add_text(out, real);
		return CLI_DONE;
	}
	sp_buf_add_text(&path, "/v1/event/");
	api_escape(&path, word);
	if ((status = api_ask(cli, "GET", sp_buf_cstr(&path), NULL, 60, &event)) != CLI_DONE)
		return status;
	print_raw(out, api_text(event, "receipt_file", ""));
	if (out->len == 0)
		status = cli_fail(cli, SP_E_NOTFOUND, strcmp(api_text(event, "kind", ""), "send") == 0 ?
		    "receipts come with the end of a delivery; sealpost show ID tells how far it is" :
		    "the sender has it; a copy is kept here of receipts that are postmarked", "this event has no receipt");
	json_decref(event);
	return status;
}

static int
say_commands(struct cli *cli, const char *path, const struct sp_receipt_proof *proof)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	SP_AUTO_DONE(sp_buf) safe = { 0 };
	enum sp_status st = sp_receipt_commands(path, proof->postmarked, proof->time_s, &out);

	if (st != SP_OK)
		return cli_fail(cli, st, NULL, "%s", sp_status_text(st));
	if (!cli->json) {
		fputs(sp_buf_cstr(&out), stdout);
		return CLI_DONE;
	}
	print_safe(&safe, path);
	api_print_take(json_pack("{s:s, s:o}", "file", sp_buf_cstr(&safe), "commands",
	    json_stringn_nocheck((const char *)out.data, out.len)));
	return CLI_DONE;
}

int
verb_receipt(struct cli *cli, int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	SP_AUTO_DONE(sp_buf) file = { 0 };
	struct sp_receipt_proof proof;
	bool openssl = false;
	const struct cli_option options[] = { { "--openssl", 0, &openssl, NULL, NULL, NULL, 0 } };
	int rest, status = cli_options(cli, "receipt", options, 1, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest != 2 || strcmp(argv[0], "show") != 0 || argv[1][0] == 0)
		return cli_usage("receipt", "receipt show takes one FILE or ID");
	if ((status = find_file(cli, argv[1], &path)) != CLI_DONE ||
	    (status = proof_read(cli, sp_buf_cstr(&path), &file, &proof)) != CLI_DONE)
		return status;
	if (openssl)
		return say_commands(cli, sp_buf_cstr(&path), &proof);
	proof_say(cli, sp_buf_cstr(&path), &proof);
	return CLI_DONE;
}
