/*
 * receipt_file.c - the .receipt container: written and split, byte for byte in one form. What is in it is verified in
 * receipt_verify.c.
 */
#include "common/statements/receipt_file.h"

#include <inttypes.h>
#include <string.h>

#include "common/packet/tar.h"
#include "common/statements/receipt_in.h"

#define README "README"
enum { AT_SIZE = 124, AT_MTIME = 136, OCTAL = 11 };

/* The header of a member: the one that a packet's file of this name would have. */
static void
header(const char *name, uint64_t size, uint64_t time_s, uint8_t out[SP_TAR_BLOCK])
{
	const struct sp_entry entry = { .type = SP_ENTRY_FILE, .mode = 0644, .size = size, .mtime_sec = (int64_t)time_s,
		.path = name, .path_len = strlen(name), .target = "" };
	uint8_t head[SP_TAR_HEAD_MAX];

	(void)sp_tar_head(&entry, head);
	memcpy(out, head, SP_TAR_BLOCK);
}

static void
add_member(struct sp_buf *out, const char *name, struct sp_span bytes, uint64_t time_s)
{
	static const uint8_t zeroes[SP_TAR_BLOCK];
	uint8_t head[SP_TAR_BLOCK];

	header(name, bytes.n, time_s, head);
	sp_buf_add(out, head, sizeof(head));
	sp_buf_add_span(out, bytes);
	sp_buf_add(out, zeroes, sp_tar_padded(bytes.n) - bytes.n);
}

/* ---- README ---- */

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    strchr("._/-", c) != NULL;
}

/* A file name as a word of the shell. */
static void
add_word(struct sp_buf *out, const char *name)
{
	bool plain = name[0] != '\0';

	for (const char *p = name; *p != '\0'; p++)
		plain = plain && is_plain(*p);
	if (plain) {
		sp_buf_add_text(out, name);
		return;
	}
	sp_buf_add_u8(out, '\'');
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '\'')
			sp_buf_add_text(out, "'\\'");
		sp_buf_add_u8(out, (uint8_t)*p);
	}
	sp_buf_add_u8(out, '\'');
}

enum sp_status
sp_receipt_commands(const char *file, bool postmarked, uint64_t time_s, struct sp_buf *out)
{
	sp_buf_add_text(out, "tar xf ");
	add_word(out, file);
	sp_buf_addf(out, "\nopenssl cms -verify -cades -inform DER -in receipt.p7m -CAfile chain.pem -attime %" PRIu64
	    " -out receipt.txt\n", time_s);
	if (postmarked)
		sp_buf_addf(out,
		    "openssl cms -verify -cades -inform DER -in postmark.p7m -CAfile chain.pem -attime %" PRIu64
		    " -out postmark.txt\n"
		    "openssl ts -verify -in postmark.tsr -data postmark.p7m -CAfile chain.pem -attime %" PRIu64 "\n",
		    time_s, time_s);
	sp_buf_add_text(out, "sha256sum files.txt\ncat receipt.txt\n"
	    "openssl x509 -in chain.pem -noout -fingerprint -sha256\n");
	return sp_buf_status(out);
}

static enum sp_status
readme(bool postmarked, uint64_t time_s, struct sp_buf *out)
{
	sp_buf_add_text(out, "This is a Sealpost receipt, form 1: the signed proof that a packet was delivered.\n\n"
	    "files.txt     what arrived: path, size, time and fingerprint of each file\n"
	    "receipt.p7m   receipt.txt, signed by the recipient's station (CMS SignedData, CAdES-BES)\n");
	if (postmarked)
		sp_buf_add_text(out,
		    "postmark.p7m  postmark.txt about receipt.p7m, signed by a third party, the certd\n"
		    "postmark.tsr  a time-stamp of postmark.p7m (RFC 3161)\n");
	sp_buf_add_text(out, "chain.pem     the certificates: root, issuing authority, those who signed\n\n"
	    "\"sealpost verify FILE.receipt\" checks all of it and accepts no other byte. Without Sealpost, OpenSSL 3 "
	    "proves\nthe signatures:\n\n");
	if (sp_receipt_commands("FILE.receipt", postmarked, time_s, out) != SP_OK)
		return sp_buf_status(out);
	sp_buf_add_text(out,
	    "\nThe hash of files.txt must be the one in the last line of receipt.txt, and the fingerprint "
	    "that of the root\nwhich the recipient's provider publishes. -attime is the time at which the certificates are "
	    "judged: seconds\nsince 1970 UTC.\n");
	return sp_buf_status(out);
}

/* ---- writing ---- */

enum sp_status
sp_receipt_file_write(const struct sp_receipt_parts *parts, struct sp_buf *out, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	bool postmarked = parts->postmark_p7m.n > 0;
	size_t at = out->len;
	enum sp_status st;

	if (postmarked != (parts->postmark_tsr.n > 0) || parts->receipt_p7m.n == 0 || parts->chain_pem.n == 0 ||
	    parts->files_txt.n == 0 || parts->time_s > RECEIPT_TIME_MAX)
		return sp_fail(SP_E_ARGUMENT, why, "a receipt's parts are not whole");
	if ((st = readme(postmarked, parts->time_s, &text)) != SP_OK)
		return st;
	add_member(out, README, sp_buf_span(&text), parts->time_s);
	add_member(out, "files.txt", parts->files_txt, parts->time_s);
	add_member(out, "receipt.p7m", parts->receipt_p7m, parts->time_s);
	if (postmarked) {
		add_member(out, "postmark.p7m", parts->postmark_p7m, parts->time_s);
		add_member(out, "postmark.tsr", parts->postmark_tsr, parts->time_s);
	}
	add_member(out, "chain.pem", parts->chain_pem, parts->time_s);
	for (int i = 0; i < SP_TAR_END / 8; i++)
		sp_buf_add_u64(out, 0);
	if (sp_buf_status(out) != SP_OK)
		out->len = at;
	return sp_buf_status(out);
}

/* ---- reading ---- */

/* A field of 11 octal digits and a zero byte. */
static bool
read_octal(const uint8_t *at, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (int i = 0; i < OCTAL; i++) {
		if (at[i] < '0' || at[i] > '7')
			return false;
		value = value * 8 + (uint64_t)(at[i] - '0');
	}
	*ret_value = value;
	return at[OCTAL] == 0;
}

/* The next member, which must have this name; its bytes. */
static enum sp_status
take_member(struct sp_cursor *in, const char *name, uint64_t max, uint64_t time_s, struct sp_span *ret_bytes,
    struct sp_why *why)
{
	struct sp_span head = sp_cursor_bytes(in, SP_TAR_BLOCK), bytes, zeroes;
	uint8_t want[SP_TAR_BLOCK];
	uint64_t size;

	if (head.n == 0 || !read_octal(head.p + AT_SIZE, &size))
		return sp_fail(SP_E_FORMAT, why, "the receipt ends or has no member where %s must be", name);
	if (size > max)
		return sp_fail(SP_E_LONG, why, "the receipt's %s has %" PRIu64 " bytes, at most %" PRIu64, name, size,
		    max);
	header(name, size, time_s, want);
	if (memcmp(head.p, want, SP_TAR_BLOCK) != 0)
		return sp_fail(SP_E_FORMAT, why, "the receipt's member %s is not where or how it must be", name);
	bytes = sp_cursor_bytes(in, (size_t)size);
	zeroes = sp_cursor_bytes(in, (size_t)(sp_tar_padded(size) - size));
	for (size_t i = 0; i < zeroes.n; i++)
		if (zeroes.p[i] != 0)
			return sp_fail(SP_E_FORMAT, why, "the receipt holds bytes behind its %s", name);
	if (in->error != SP_OK || size == 0)
		return sp_fail(SP_E_FORMAT, why, "the receipt's %s is cut off or empty", name);
	*ret_bytes = bytes;
	return SP_OK;
}

static enum sp_status
take_end(struct sp_cursor *in, struct sp_why *why)
{
	struct sp_span end = sp_cursor_bytes(in, SP_TAR_END);
	bool good = sp_cursor_end(in) == SP_OK;

	for (size_t i = 0; i < end.n; i++)
		good = good && end.p[i] == 0;
	return good ? SP_OK : sp_fail(SP_E_FORMAT, why, "the receipt does not end as it must");
}

/* The members behind README. */
static enum sp_status
take_parts(struct sp_cursor *in, struct sp_receipt_parts *p, struct sp_why *why)
{
	enum sp_status st;

	if ((st = take_member(in, "files.txt", SP_FILES_TEXT_MAX, p->time_s, &p->files_txt, why)) != SP_OK ||
	    (st = take_member(in, "receipt.p7m", SP_RECEIPT_P7M_MAX, p->time_s, &p->receipt_p7m, why)) != SP_OK)
		return st;
	if (sp_cursor_left(in) > 0 && in->p[0] == 'p') {
		st = take_member(in, "postmark.p7m", SP_RECEIPT_P7M_MAX, p->time_s, &p->postmark_p7m, why);
		if (st == SP_OK)
			st = take_member(in, "postmark.tsr", SP_RECEIPT_P7M_MAX, p->time_s, &p->postmark_tsr, why);
		if (st != SP_OK)
			return st;
	}
	if ((st = take_member(in, "chain.pem", RECEIPT_CHAIN_MAX, p->time_s, &p->chain_pem, why)) != SP_OK)
		return st;
	return take_end(in, why);
}

enum sp_status
sp_receipt_file_read(struct sp_span file, struct sp_receipt_parts *ret_parts, struct sp_why *why)
{
	static const char form[] = "This is a Sealpost receipt, form ";
	SP_AUTO_DONE(sp_buf) want = { 0 };
	struct sp_receipt_parts parts = { 0 };
	struct sp_cursor in = sp_cursor(file);
	struct sp_span text;
	enum sp_status st;

	if (file.n < SP_TAR_BLOCK || !read_octal(file.p + AT_MTIME, &parts.time_s) || parts.time_s > RECEIPT_TIME_MAX)
		return sp_fail(SP_E_FORMAT, why, "this is no receipt");
	if ((st = take_member(&in, README, SP_FILES_PART, parts.time_s, &text, why)) != SP_OK)
		return st;
	if (text.n > sizeof(form) && memcmp(text.p, form, sizeof(form) - 1) == 0 && text.p[sizeof(form) - 1] != '1')
		return sp_fail(SP_E_VERSION, why, "a receipt file of a form that is not known here");
	if ((st = take_parts(&in, &parts, why)) != SP_OK ||
	    (st = readme(parts.postmark_p7m.n > 0, parts.time_s, &want)) != SP_OK)
		return st;
	if (!sp_span_eq(text, sp_buf_span(&want)))
		return sp_fail(SP_E_FORMAT, why, "the receipt's README is not the one of its form");
	*ret_parts = parts;
	return SP_OK;
}
