/*
 * proof.c - reading and verifying a .receipt, and saying what it proves.
 */
#include "peerd/cli/proof.h"

#include <jansson.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "peerd/cli/api.h"
#include "peerd/cli/print.h"

#define RECEIPT_FILE_MAX (SP_FILES_TEXT_MAX + 1024 * 1024)

int
proof_read(struct cli *cli, const char *path, struct sp_buf *ret_file, struct sp_receipt_proof *ret_proof)
{
	SP_AUTO_DONE(sp_buf) root_path = { 0 };
	SP_AUTO_DONE(sp_buf) root = { 0 };
	struct sp_hash pin;
	struct sp_why why = { "" };
	enum sp_status st = sp_file_read(path, RECEIPT_FILE_MAX, ret_file, &why);
	bool pinned;

	sp_buf_addf(&root_path, "%s/station/root.der", cli->home);
	pinned = sp_file_read(sp_buf_cstr(&root_path), 8192, &root, NULL) == SP_OK;
	sp_sha256(sp_buf_span(&root), &pin);
	if (st == SP_OK)
		st = sp_receipt_verify(sp_buf_span(ret_file), &pin, pinned ? 1 : 0, ret_proof, &why);
	if (st == SP_OK)
		return CLI_DONE;
	fprintf(stderr, "sealpost: %s: NOT good: %s\n", path, why.text[0] != 0 ? why.text : sp_status_text(st));
	if (pinned)
		fprintf(stderr, "  checked with the root of %s\n", cli->home);
	return CLI_FAILED;
}

static void
say_json(const char *path, const struct sp_receipt_proof *p)
{
	char sender[SP_NAME_TEXT], recipient[SP_NAME_TEXT], id[SP_ID_TEXT], when[SP_TIME_TEXT], root[65], hash[65];
	json_t *o = json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:b, s:b}", "file", path,
	    "good", 1, "transfer", sp_id_text(&p->receipt.transfer, id),
	    "sender", sp_name_text(&p->receipt.sender, sender), "recipient", sp_name_text(&p->receipt.recipient, recipient),
	    "receipt", sp_receipt_class_text(p->receipt.klass),
	    "received", sp_clock_text(p->receipt.received_s * 1000, when), "files", (json_int_t)p->receipt.files,
	    "bytes", (json_int_t)p->receipt.bytes, "changed", (json_int_t)p->receipt.changed,
	    "left_out", (json_int_t)p->receipt.left_out, "files_txt", sp_hex(p->receipt.files_txt.b, 32, hash),
	    "root", sp_hex(p->root.b, 32, root), "root_pinned", p->root_pinned, "postmarked", p->postmarked);

	if (o != NULL)
		api_print(o);
	json_decref(o);
}

void
proof_say(struct cli *cli, const char *path, const struct sp_receipt_proof *p)
{
	char name[SP_NAME_TEXT], when[SP_TIME_TEXT], local[PRINT_SPAN], size[PRINT_SIZE], id[SP_ID_TEXT], root[65];

	if (cli->json) {
		say_json(path, p);
		return;
	}
	printf("%s%s: good%s\n", cli->colour ? "\033[32m" : "", path, cli->colour ? "\033[0m" : "");
	printf("  %s\n", sp_name_text(&p->receipt.recipient, name));
	printf("  confirms having received from %s\n", sp_name_text(&p->receipt.sender, name));
	printf("  %llu files, %s, on %s (%s)\n", (unsigned long long)p->receipt.files,
	    print_size(p->receipt.bytes, size), print_when(sp_clock_text(p->receipt.received_s * 1000, when), local), when);
	printf("  transfer %s, receipt %s\n", sp_id_text(&p->receipt.transfer, id), sp_receipt_class_text(p->receipt.klass));
	if (p->receipt.changed > 0)
		printf("  %llu files changed at the sender and were not delivered\n", (unsigned long long)p->receipt.changed);
	if (p->receipt.left_out > 0)
		printf("  %llu links that point outside were left out\n", (unsigned long long)p->receipt.left_out);
	if (p->root_pinned)
		printf("  vouched for by %s, whose root this station knows\n", p->domain);
	else
		printf("  vouched for by a root that calls itself %s; it came with the receipt. Compare its SHA-256:\n  %s\n",
		    p->domain, sp_hex(p->root.b, 32, root));
}
