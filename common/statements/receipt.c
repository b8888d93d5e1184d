/*
 * receipt.c - receipt.txt: fifteen lines in one form. What is read is written again and compared.
 */
#include "common/statements/receipt.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/statements/lines.h"

#define FIRST_LINE "sealpost-receipt 1"

/* The lines between the first and "received". */
static void
add_parties(const struct sp_receipt *r, struct sp_buf *out)
{
	char id[SP_ID_TEXT], name[SP_NAME_TEXT];

	sp_buf_addf(out, "class %s\n", sp_receipt_class_text(r->klass));
	sp_buf_addf(out, "transfer %s\n", sp_id_text(&r->transfer, id));
	sp_buf_addf(out, "sender %s\n", sp_name_text(&r->sender, name));
	lines_add_hash(out, "sender-certificate", &r->sender_cert);
	sp_buf_addf(out, "recipient %s\n", sp_name_text(&r->recipient, name));
	lines_add_hash(out, "recipient-certificate", &r->recipient_cert);
	lines_add_hash(out, "offer", &r->offer);
	lines_add_hash(out, "manifest", &r->manifest);
	lines_add_hash(out, "trailer", &r->trailer);
}

/* Can all of it be written? */
static bool
is_writable(const struct sp_receipt *r)
{
	return r->klass >= SP_RECEIPT_DIRECT && r->klass <= SP_RECEIPT_CERTIFIED && lines_is_station(&r->sender) &&
	    lines_is_station(&r->recipient) && r->received_s <= LINES_LAST_SECOND && r->files <= SP_ENTRIES_MAX &&
	    r->bytes <= SP_PACKET_MAX && r->changed <= r->files && r->left_out <= SP_ENTRIES_MAX;
}

enum sp_status
sp_receipt_encode(const struct sp_receipt *receipt, struct sp_buf *out, struct sp_why *why)
{
	size_t at = out->len;
	char time[SP_TIME_TEXT], hex[65];

	if (!is_writable(receipt))
		return sp_fail(SP_E_RANGE, why, "a value of the receipt is out of its range");
	sp_buf_add_text(out, FIRST_LINE "\n");
	add_parties(receipt, out);
	sp_buf_addf(out, "received %s\n", sp_clock_text(receipt->received_s * 1000, time));
	lines_add_number(out, "files", receipt->files);
	lines_add_number(out, "bytes", receipt->bytes);
	lines_add_number(out, "changed", receipt->changed);
	if (receipt->left_out > 0)
		sp_buf_addf(out, "left-out %" PRIu64 " %s\n", receipt->left_out,
		    sp_hex(receipt->left_out_paths.b, sizeof(receipt->left_out_paths.b), hex));
	else
		sp_buf_add_text(out, "left-out 0\n");
	lines_add_hash(out, "files.txt", &receipt->files_txt);
	if (sp_buf_status(out) == SP_OK && out->len - at > SP_RECEIPT_TEXT_MAX)
		return sp_fail(SP_E_LONG, why, "a receipt is at most %d bytes", SP_RECEIPT_TEXT_MAX);
	return sp_buf_status(out);
}

/* A number, and a hash behind it unless it is 0. */
static void
take_left_out(struct lines *in, struct sp_receipt *r)
{
	struct sp_span text = lines_take(in, "left-out");
	const uint8_t *space = text.n > 0 ? memchr(text.p, ' ', text.n) : NULL;
	size_t n = space != NULL ? (size_t)(space - text.p) : text.n;

	lines_must(in, sp_parse_u64(sp_span(text.p, n), SP_ENTRIES_MAX, &r->left_out) == SP_OK);
	lines_must(in, (r->left_out > 0) == (space != NULL));
	if (!in->bad && space != NULL)
		lines_must(in, sp_unhex((const char *)space + 1, text.n - n - 1, r->left_out_paths.b,
		    sizeof(r->left_out_paths.b)) == SP_OK);
}

static void
take_all(struct lines *in, struct sp_receipt *r)
{
	r->klass = (uint8_t)sp_receipt_class_from_text(lines_take(in, "class"));
	lines_must(in, r->klass >= SP_RECEIPT_DIRECT);
	lines_take_id(in, "transfer", &r->transfer);
	lines_take_name(in, "sender", &r->sender);
	lines_take_hash(in, "sender-certificate", &r->sender_cert);
	lines_take_name(in, "recipient", &r->recipient);
	lines_take_hash(in, "recipient-certificate", &r->recipient_cert);
	lines_take_hash(in, "offer", &r->offer);
	lines_take_hash(in, "manifest", &r->manifest);
	lines_take_hash(in, "trailer", &r->trailer);
	lines_take_time(in, "received", &r->received_s);
	lines_take_number(in, "files", SP_ENTRIES_MAX, &r->files);
	lines_take_number(in, "bytes", SP_PACKET_MAX, &r->bytes);
	lines_take_number(in, "changed", SP_ENTRIES_MAX, &r->changed);
	take_left_out(in, r);
	lines_take_hash(in, "files.txt", &r->files_txt);
}

enum sp_status
sp_receipt_parse(struct sp_span text, struct sp_receipt *ret_receipt, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct lines in = { .left = text };
	struct sp_receipt r = { 0 };
	struct sp_span version;

	if (text.n > SP_RECEIPT_TEXT_MAX)
		return sp_fail(SP_E_LONG, why, "a receipt of %zu bytes, at most %d", text.n, SP_RECEIPT_TEXT_MAX);
	version = lines_take(&in, "sealpost-receipt");
	if (in.bad)
		return sp_fail(SP_E_FORMAT, why, "this is no receipt");
	if (!sp_span_eq(version, sp_span_str("1")))
		return sp_fail(SP_E_VERSION, why, "a receipt of a form that is not known here");
	take_all(&in, &r);
	if (in.bad)
		return sp_fail(SP_E_FORMAT, why, "line %u of the receipt is not right", in.number);
	if (sp_receipt_encode(&r, &again, why) != SP_OK || !sp_span_eq(text, sp_buf_span(&again)))
		return sp_fail(SP_E_FORMAT, why, "the receipt is not written in its one form");
	*ret_receipt = r;
	return SP_OK;
}

void
sp_receipt_left_out_add(struct sp_hasher *h, struct sp_span path)
{
	SP_AUTO_DONE(sp_buf) line = { 0 };

	sp_percent_add(&line, path);
	sp_hasher_add(h, line.data, line.len);
	sp_hasher_add(h, "\n", 1);
}

static enum sp_status
differs(const char *what, struct sp_why *why)
{
	return sp_fail(SP_E_RECEIPT, why, "the receipt states another %s than the delivery", what);
}

static bool
names(const struct sp_name *name, struct sp_span text)
{
	char own[SP_NAME_TEXT];

	return sp_span_eq(text, sp_span_str(sp_name_text(name, own)));
}

enum sp_status
sp_receipt_fits(const struct sp_receipt *receipt, const struct sp_stmt_offer *offer, const struct sp_hash *offer_hash,
    const struct sp_identity *sender, const struct sp_identity *recipient, const struct sp_hash *trailer,
    struct sp_why *why)
{
	if (!sp_hash_eq(&receipt->offer, offer_hash) || !sp_id_eq(&receipt->transfer, &offer->transfer))
		return differs("offer", why);
	if (receipt->klass != offer->klass)
		return differs("class", why);
	if (!names(&receipt->sender, offer->sender) || !sp_hash_eq(&receipt->sender_cert, &sender->hash))
		return differs("sender", why);
	if (!names(&receipt->recipient, offer->recipient) || !sp_hash_eq(&receipt->recipient_cert, &recipient->hash))
		return differs("recipient", why);
	if (!sp_hash_eq(&receipt->manifest, &offer->manifest))
		return differs("manifest", why);
	if (trailer != NULL && !sp_hash_eq(&receipt->trailer, trailer))
		return differs("trailer", why);
	if (receipt->files != offer->files || receipt->bytes != offer->bytes)
		return differs("number or size of files", why);
	return SP_OK;
}
