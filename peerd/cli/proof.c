/*
 * proof.c - reading and verifying a .receipt, and saying what it proves.
 */
#include "peerd/cli/proof.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/limits.h"
#include "peerd/cli/api.h"
#include "peerd/cli/print.h"

#define RECEIPT_FILE_MAX (SP_FILES_TEXT_MAX + 1024 * 1024)
#define ROOT_MAX 8192

/* What HOME says of its station: the root of its domain. known = there is a station. */
struct own {
	bool known;
	char domain[SP_DOMAIN_MAX + 1];
	struct sp_hash root;
};

static enum sp_status
read_own(const char *home, struct own *own, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	SP_AUTO_DONE(sp_buf) root = { 0 };
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	struct sp_identity identity;
	enum sp_status st;

	if (home == NULL)
		return SP_OK;
	sp_buf_addf(&path, "%s/station/root.der", home);
	if ((st = sp_file_read(sp_buf_cstr(&path), ROOT_MAX, &root, why)) == SP_E_NOTFOUND)
		return SP_OK;
	sp_buf_clear(&path);
	sp_buf_addf(&path, "%s/station/cert.der", home);
	if (st != SP_OK || (st = sp_file_read(sp_buf_cstr(&path), ROOT_MAX, &cert, why)) == SP_E_NOTFOUND)
		return st == SP_E_NOTFOUND ? SP_OK : st;	/* half enrolled: it trusts nobody yet */
	if (st != SP_OK || (st = sp_identity_read(sp_buf_span(&cert), &identity, why)) != SP_OK)
		return st;
	own->known = true;
	memcpy(own->domain, identity.name.domain, sizeof(own->domain));
	sp_sha256(sp_buf_span(&root), &own->root);
	return SP_OK;
}

static enum sp_status
verify(struct sp_span file, const struct own *own, struct sp_receipt_proof *ret_proof, struct sp_why *why)
{
	enum sp_status st = sp_receipt_verify(file, NULL, 0, ret_proof, why);

	if (st != SP_OK || !own->known || strcmp(own->domain, ret_proof->domain) != 0)
		return st;
	return sp_receipt_verify(file, &own->root, 1, ret_proof, why);
}

static int
not_good(struct cli *cli, const char *path, const struct own *own, enum sp_status st, const struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) advice = { 0 };

	sp_buf_add_text(&advice, "do not rely on it; it is not, byte for byte, what its recipient signed");
	if (own->known)
		sp_buf_addf(&advice, " (checked with the root of %s)", own->domain);
	return cli_fail(cli, st, sp_buf_cstr(&advice), "%s: NOT good: %s", path,
	    why->text[0] != 0 ? why->text : sp_status_text(st));
}

int
proof_read(struct cli *cli, const char *path, struct sp_buf *ret_file, struct sp_receipt_proof *ret_proof)
{
	struct own own = { 0 };
	struct sp_why why = { "" };
	enum sp_status st = sp_file_read(path, RECEIPT_FILE_MAX, ret_file, &why);

	if (st != SP_OK)
		return cli_fail(cli, st, NULL, "%s cannot be read: %s", path, why.text[0] != 0 ? why.text :
		    sp_status_text(st));
	if ((st = read_own(cli->home, &own, &why)) != SP_OK)
		return cli_fail(cli, st, "without it, a receipt cannot be checked for sure",
		    "the station's root in %s: %s", cli->home,
		    why.text[0] != 0 ? why.text : sp_status_text(st));
	if ((st = verify(sp_buf_span(ret_file), &own, ret_proof, &why)) != SP_OK)
		return not_good(cli, path, &own, st, &why);
	return CLI_DONE;
}

static json_t *
json_postmark(const struct sp_receipt_proof *p)
{
	char number[SP_ID_TEXT], certd[SP_NAME_TEXT], tsa[SP_NAME_TEXT], received[SP_TIME_TEXT], stamped[SP_TIME_TEXT],
	    ended[SP_TIME_TEXT];

	if (!p->postmarked)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:I}", "number", sp_id_text(&p->postmark.number, number),
	    "certd", sp_identity_text(&p->certd, certd), "time", sp_clock_text(p->postmark.received_s * 1000, received),
	    "tsa", sp_identity_text(&p->tsa, tsa), "stamped", sp_clock_text(p->time_s * 1000, stamped),
	    "payment", sp_payment_text(p->postmark.payment), "certificate_ended", p->postmark.ended_s == 0 ? json_null() :
	    json_string(sp_clock_text(p->postmark.ended_s * 1000, ended)), "status_list", (json_int_t)p->postmark.status_list);
}

static void
say_json(const char *path, const struct sp_receipt_proof *p)
{
	SP_AUTO_DONE(sp_buf) safe = { 0 };
	char sender[SP_NAME_TEXT], recipient[SP_NAME_TEXT], id[SP_ID_TEXT], when[SP_TIME_TEXT], root[65], hash[65];

	print_safe(&safe, path);
	api_print_take(json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:b, s:o}",
	    "file",
	    sp_buf_cstr(&safe), "good", 1, "transfer", sp_id_text(&p->receipt.transfer, id),
	    "sender", sp_name_text(&p->receipt.sender, sender), "recipient", sp_name_text(&p->receipt.recipient,
	    recipient),
	    "receipt", sp_receipt_class_text(p->receipt.klass),
	    "received", sp_clock_text(p->receipt.received_s * 1000, when), "files", (json_int_t)p->receipt.files,
	    "bytes", (json_int_t)p->receipt.bytes, "changed", (json_int_t)p->receipt.changed,
	    "left_out", (json_int_t)p->receipt.left_out, "files_txt", sp_hex(p->receipt.files_txt.b, 32, hash),
	    "domain", p->domain, "root", sp_hex(p->root.b, 32, root), "root_pinned", p->root_pinned, "postmarked",
	    p->postmarked, "postmark", json_postmark(p)));
}

static void
say_postmark(const struct sp_receipt_proof *p)
{
	static const char *const paid[] = {
		[SP_PAYMENT_FREE] = "nothing was to be paid",
		[SP_PAYMENT_PAID] = "the delivery is paid",
		[SP_PAYMENT_PENDING] = "the frank was still to be settled",
		[SP_PAYMENT_CONFLICT] = "the frank did not pay it: it does not fit, or was spent before",
	};
	char number[SP_ID_TEXT], name[SP_NAME_TEXT], when[SP_TIME_TEXT], local[PRINT_SPAN];

	printf("  postmark %s\n", sp_id_text(&p->postmark.number, number));
	printf("  by %s, who got the receipt on %s (%s)\n", sp_identity_text(&p->certd, name),
	    print_when(sp_clock_text(p->postmark.received_s * 1000, when), local), when);
	printf("  time-stamped by %s on %s (%s)\n", sp_identity_text(&p->tsa, name),
	    print_when(sp_clock_text(p->time_s * 1000, when), local), when);
	if (p->postmark.ended_s > 0)
		printf("  the recipient's certificate had ended then, on %s\n",
		    print_when(sp_clock_text(p->postmark.ended_s * 1000, when), local));
	printf("  payment: %s (%s)\n", sp_payment_text(p->postmark.payment), paid[p->postmark.payment]);
}

static void
counted(uint64_t n, const char *one, const char *many)
{
	printf("  %llu %s\n", (unsigned long long)n, n == 1 ? one : many);
}

void
proof_say(struct cli *cli, const char *path, const struct sp_receipt_proof *p)
{
	SP_AUTO_DONE(sp_buf) safe = { 0 };
	char name[SP_NAME_TEXT], when[SP_TIME_TEXT], local[PRINT_SPAN], size[PRINT_SIZE], id[SP_ID_TEXT], root[65];

	if (cli->json) {
		say_json(path, p);
		return;
	}
	print_safe(&safe, path);
	printf("%s: %sgood%s\n", sp_buf_cstr(&safe), cli->colour ? "\033[32m" : "", cli->colour ? "\033[0m" : "");
	printf("  %s\n", sp_name_text(&p->receipt.recipient, name));
	printf("  confirms having received from %s\n", sp_name_text(&p->receipt.sender, name));
	printf("  %llu %s, %s, on %s (%s)\n", (unsigned long long)p->receipt.files, p->receipt.files == 1 ? "file" :
	    "files",
	    print_size(p->receipt.bytes, size), print_when(sp_clock_text(p->receipt.received_s * 1000, when), local),
	    when);
	printf("  transfer %s, receipt %s\n", sp_id_text(&p->receipt.transfer, id),
	    sp_receipt_class_text(p->receipt.klass));
	if (p->receipt.changed > 0)
		counted(p->receipt.changed, "file changed at the sender and was not delivered",
		    "files changed at the sender and were not delivered");
	if (p->receipt.left_out > 0)
		counted(p->receipt.left_out, "link that points outside was left out",
		    "links that point outside were left out");
	if (p->postmarked)
		say_postmark(p);
	if (p->root_pinned)
		printf("  vouched for by %s, whose root this station knows\n", p->domain);
	else
		printf("  vouched for by a root that calls itself %s; it came with the receipt. Compare its SHA-256\n"
		    "  with what that provider publishes:\n  %s\n", p->domain, sp_hex(p->root.b, 32, root));
}
