/*
 * verify.c - sealpost verify: a receipt, and whether files are those that it lists. Offline; peerd is not asked.
 */
#include <stdio.h>

#include "peerd/cli/api.h"
#include "peerd/cli/proof.h"
#include "peerd/cli/progress.h"
#include "peerd/cli/tree.h"

static void
say_tally(const struct cli *cli, const struct tree_tally *t)
{
	if (cli->json) {
		api_print_take(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "same", (json_int_t)t->of[TREE_SAME],
		    "different",
		    (json_int_t)t->of[TREE_DIFFERENT], "missing", (json_int_t)t->of[TREE_MISSING], "unreadable",
		    (json_int_t)t->of[TREE_UNREADABLE], "changed", (json_int_t)t->of[TREE_CHANGED], "unlisted",
		    (json_int_t)t->unlisted));
		return;
	}
	printf("  files: %llu as the receipt lists them, %llu different, %llu missing", t->of[TREE_SAME],
	    t->of[TREE_DIFFERENT],
	    t->of[TREE_MISSING]);
	if (t->of[TREE_UNREADABLE] > 0)
		printf(", %llu that cannot be read", t->of[TREE_UNREADABLE]);
	if (t->of[TREE_CHANGED] > 0)
		printf(", %llu not delivered", t->of[TREE_CHANGED]);
	if (t->unlisted > 0)
		printf("; %llu not in the list", t->unlisted);
	putchar('\n');
}

static int
check_files(struct cli *cli, const struct sp_buf *file, char **paths, int count)
{
	SP_AUTO(sp_files) *files = NULL;
	SP_AUTO(tree) *tree = NULL;
	struct sp_receipt_parts parts;
	struct sp_why why = { "" };
	struct tree_tally tally;
	bool good = true;
	enum sp_status st = sp_receipt_file_read(sp_buf_span(file), &parts, &why);

	if (st == SP_OK)
		st = sp_files_parse(parts.files_txt, &files, &why);
	if (st != SP_OK)
		return cli_fail(cli, st, NULL, "the list of files is not good: %s", why.text);
	if ((tree = tree_new(cli, files)) == NULL)
		return cli_fail(cli, SP_E_NOMEM, NULL, "out of memory");
	for (int i = 0; i < count; i++)
		good = tree_check(tree, paths[i]) && good;
	progress_clear();
	tree_count(tree, &tally);
	say_tally(cli, &tally);
	return good ? CLI_DONE : CLI_FAILED;
}

int
verb_verify(struct cli *cli, int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) file = { 0 };
	struct sp_receipt_proof proof;
	int rest, status = cli_options(cli, "verify", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest < 1)
		return cli_usage("verify", "a .receipt FILE is needed");
	if ((status = proof_read(cli, argv[0], &file, &proof)) != CLI_DONE)
		return status;
	proof_say(cli, argv[0], &proof);
	fflush(stdout);
	return rest > 1 ? check_files(cli, &file, argv + 1, rest - 1) : CLI_DONE;
}
