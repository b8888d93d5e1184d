/*
 * fetch.c - a sender gets its receipt: fetched from the recipient, checked against what was sent, stored as a .receipt. A
 * postmark, where one was asked for, is put into it later (postmarking.c).
 *
 * The list of files that the receipt is about is the one made from what was sent. If the recipient's differs, it is fetched
 * and compared, and the event says what is different.
 */
#include "peerd/events/send.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/cms.h"
#include "common/packet/files_txt.h"
#include "peerd/events/receipts.h"

#define FETCH_FIRST_MS 2000
#define FETCH_MOST_MS (10 * 60 * 1000)

/* Worker: compares the lists where they differ, writes the .receipt. */
struct store_receipt {
	struct sp_work work;
	struct events *all;
	struct sp_id id;
	uint64_t generation;
	struct sp_buf dir, path, chain;			/* owned */
	struct sp_buf p7m, theirs;			/* theirs: the recipient's files.txt, if it is another */
	struct sp_hash files_hash;			/* that the receipt names */
	uint64_t time_s;
	enum sp_status status;
	struct sp_why why;
	struct sp_buf notes;
	bool known;					/* what was sent was noted before this machine stopped */
	bool part;					/* files changed */
};

static void
receipt_drop(struct sp_work *work)
{
	struct store_receipt *r = (struct store_receipt *)work;

	sp_buf_done(&r->dir);
	sp_buf_done(&r->path);
	sp_buf_done(&r->chain);
	sp_buf_done(&r->p7m);
	sp_buf_done(&r->theirs);
	sp_buf_done(&r->notes);
	free(r);
}

static enum sp_status
compare(struct store_receipt *r, struct sp_span ours_text)
{
	SP_AUTO(sp_files) *ours = NULL;
	SP_AUTO(sp_files) *theirs = NULL;
	struct sp_files_diff diff;
	struct sp_hash hash;
	enum sp_status st;

	sp_sha256(sp_buf_span(&r->theirs), &hash);
	if (!sp_hash_eq(&hash, &r->files_hash))
		return sp_fail(SP_E_RECEIPT, &r->why, "the recipient's list of files is not the one that it signed");
	if (!r->known) {
		sp_buf_add_text(&r->notes, "this machine stopped, or had no room, before it had noted what it sent: the list is the recipient's");
		return SP_OK;
	}
	if ((st = sp_files_parse(ours_text, &ours, &r->why)) != SP_OK ||
	    (st = sp_files_parse(sp_buf_span(&r->theirs), &theirs, &r->why)) != SP_OK ||
	    (st = sp_files_compare(ours, theirs, &diff, &r->notes)) != SP_OK)
		return st;
	if (diff.verdict == SP_FILES_DIFFERENT)
		return sp_fail(SP_E_RECEIPT, &r->why, "the receipt does not list what was sent: %u missing, %u added, %u different",
		    diff.missing, diff.extra, diff.other);
	r->part = diff.verdict == SP_FILES_CHANGED;
	return SP_OK;
}

static void
receipt_run(struct sp_work *work)
{
	struct store_receipt *r = (struct store_receipt *)work;
	SP_AUTO_DONE(sp_buf) list = { 0 };
	SP_AUTO_DONE(sp_buf) path = { 0 };
	struct sp_receipt_parts parts = {
		.time_s = r->time_s,
		.receipt_p7m = sp_buf_span(&r->p7m),
		.chain_pem = sp_buf_span(&r->chain),
	};

	sp_buf_add_span(&path, sp_buf_span(&r->dir));
	sp_buf_add_text(&path, "/files.txt");
	r->status = r->known ? sp_file_read(sp_buf_cstr(&path), SP_FILES_TEXT_MAX, &list, &r->why) : SP_OK;
	if (r->status == SP_OK && r->theirs.len > 0)
		r->status = compare(r, sp_buf_span(&list));
	parts.files_txt = r->theirs.len > 0 ? sp_buf_span(&r->theirs) : sp_buf_span(&list);
	if (r->status == SP_OK)
		r->status = receipts_write(sp_buf_cstr(&r->path), &parts, &r->why);
}

/* It is on the disk; a postmark may be still to come. */
static void
stored(struct live *l, bool part)
{
	l->fetches = 0;
	if (l->row->klass == SP_RECEIPT_POSTMARKED) {
		l->row->until_ms = sp_clock_wall_ms() + SP_POSTMARK_LIFE_MS;
		live_happens(l, SEND_ON_RECEIPT_UNMARKED, NULL);
	} else {
		live_happens(l, part ? SEND_ON_RECEIPT_PART : SEND_ON_RECEIPT, NULL);
	}
}

static void
receipt_done(struct sp_work *work)
{
	struct store_receipt *r = (struct store_receipt *)work;
	struct live *l = live_find(r->all, &r->id, EVENT_SEND, NULL);

	if (l != NULL && l->generation == r->generation) {
		live_note(l, sp_buf_span(&r->notes));
		if (r->status != SP_OK) {
			live_reason(l, r->status, &r->why);
			if (sp_status_class(r->status) == SP_CLASS_PEER)
				live_happens(l, SEND_ON_FAILURE, "the receipt is not good: %s", r->why.text);
			else
				live_happens(l, SEND_ON_RECEIPT_LATE, NULL);
		} else if (!text_set(&l->row->receipt, sp_buf_cstr(&r->path))) {
			live_happens(l, SEND_ON_RECEIPT_LATE, NULL);
		} else {
			stored(l, r->part || receipts_is_part(l));
		}
	}
	receipt_drop(work);
}

/* False if this machine was stopped between the recipient's last check and its own note of it. */
static bool
is_noted(const struct live *l)
{
	return !sp_hash_is_zero(&l->row->files_hash);
}

/* The receipt as a text: is it about this offer, by this recipient, of this day? */
static enum sp_status
check(struct live *l, struct sp_span p7m, struct sp_receipt *ret_receipt, struct sp_buf *ret_chain, struct sp_why *why)
{
	struct member *s = l->all->parts.station;
	SP_AUTO_DONE(sp_buf) text = { 0 };
	SP_AUTO_DONE(sp_buf) cert = { 0 };
	struct sp_stmt_offer offer;
	struct sp_stmt_done done;
	struct sp_identity signer;
	struct sp_hash hash;
	enum sp_status st;

	if ((st = sp_statement_read(SP_STMT_OFFER, sp_buf_span(&l->row->offer), &offer, why)) != SP_OK ||
	    (st = sp_statement_read(SP_STMT_DONE, sp_buf_span(&l->row->done), &done, why)) != SP_OK)
		return st;
	sp_sha256(p7m, &hash);
	if (!sp_hash_eq(&hash, &done.receipt))
		return sp_fail(SP_E_RECEIPT, why, "it is not the receipt that the recipient announced");
	st = sp_cms_verify(p7m, member_trust(s), sp_clock_end_ms(), &text, &cert, &signer, why);
	if (st != SP_OK)
		return st;
	if (!sp_hash_eq(&signer.hash, &offer.recipient_cert))
		return sp_fail(SP_E_IDENTITY, why, "the receipt is signed by another station");
	if ((st = sp_receipt_parse(sp_buf_span(&text), ret_receipt, why)) != SP_OK ||
	    (st = sp_receipt_fits(ret_receipt, &offer, &l->offer_hash, member_identity(s), &signer,
	    is_noted(l) ? &l->row->trailer : NULL, why)) != SP_OK)
		return st;
	return receipts_chain(l, (struct sp_span[]){ sp_buf_span(&cert) }, 1, ret_chain, why);
}

static void fetch_files(struct live *l);

/* receipt.p7m is here and good; theirs (taken) is the recipient's files.txt or empty. */
static void
keep_receipt(struct live *l, struct sp_buf *theirs)
{
	struct store_receipt *r = calloc(1, sizeof(*r));
	struct sp_receipt receipt;
	struct sp_why why = { "" };
	enum sp_status st = SP_E_NOMEM;

	if (r != NULL)
		st = check(l, sp_buf_span(&l->row->receipt_p7m), &receipt, &r->chain, &why);
	if (st == SP_OK && theirs->len == 0 && !sp_hash_eq(&receipt.files_txt, &l->row->files_hash)) {
		receipt_drop(&r->work);
		fetch_files(l);
		return;
	}
	if (st == SP_OK) {
		r->work = (struct sp_work){ receipt_run, receipt_done, receipt_drop };
		r->all = l->all;
		r->id = l->row->id;
		r->generation = l->generation;
		r->known = is_noted(l);
		r->time_s = receipt.received_s;
		r->files_hash = receipt.files_txt;
		r->theirs = *theirs;
		*theirs = (struct sp_buf){ 0 };
		sp_buf_add_span(&r->p7m, sp_buf_span(&l->row->receipt_p7m));
		outgoing_dir(l->all, &l->row->id, &r->dir);
		receipts_path(l, &r->path);
		st = sp_worker_submit(l->all->files, &r->work);
	}
	if (st == SP_OK)
		return;
	if (r != NULL)
		receipt_drop(&r->work);
	if (sp_status_class(st) == SP_CLASS_PEER) {
		live_reason(l, st, &why);
		live_happens(l, SEND_ON_FAILURE, "the receipt is not good: %s", l->row->reason_text);
	} else {
		live_happens(l, SEND_ON_RECEIPT_LATE, NULL);
	}
}

static void
receipt_answered(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct live *l = arg;
	struct sp_msg_receipt_is m;
	struct sp_buf none = { 0 };
	struct sp_why bad = { "" };

	l->letter = 0;
	if (st == SP_OK && answer->type != SP_MSG_RECEIPT_IS)
		st = SP_E_REPLY;
	if (st == SP_OK)
		st = sp_decode(sp_desc_msg(SP_MSG_RECEIPT_IS), answer->body, &m, &bad);
	if (st == SP_OK && !bytes_set(&l->row->receipt_p7m, m.p7m))
		st = SP_E_NOMEM;
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_INFO, "receipt-not-here", st, why);
		live_happens(l, SEND_ON_RECEIPT_LATE, NULL);
		return;
	}
	keep_receipt(l, &none);
}

static void
files_answered(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct live *l = arg;
	struct sp_msg_files_is m;
	struct sp_why bad = { "" };

	l->letter = 0;
	if (st == SP_OK && answer->type != SP_MSG_FILES_IS)
		st = SP_E_REPLY;
	if (st == SP_OK)
		st = sp_decode(sp_desc_msg(SP_MSG_FILES_IS), answer->body, &m, &bad);
	if (st == SP_OK && (m.offset != l->files_txt.len || m.total > SP_FILES_TEXT_MAX ||
	    m.bytes.n == 0 || m.bytes.n > m.total - m.offset))
		st = SP_E_REPLY;
	if (st == SP_OK) {
		sp_buf_add_span(&l->files_txt, m.bytes);
		st = sp_buf_status(&l->files_txt);
	}
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_INFO, "files-not-here", st, why);
		live_happens(l, SEND_ON_RECEIPT_LATE, NULL);
	} else if (l->files_txt.len < m.total) {
		fetch_files(l);
	} else {
		keep_receipt(l, &l->files_txt);
	}
}

static void
fetch_files(struct live *l)
{
	struct sp_msg_files m = { .transfer = l->row->id, .offset = l->files_txt.len };

	if (!live_ask(l, true, SP_MSG_FILES, &m, files_answered))
		live_happens(l, SEND_ON_RECEIPT_LATE, NULL);
}

void
send_fetch(struct live *l)
{
	struct sp_msg_receipt m = { .transfer = l->row->id };

	sp_timer_stop(l->timer);
	send_answer_done(l);
	sp_buf_done(&l->files_txt);
	if (!live_ask(l, true, SP_MSG_RECEIPT, &m, receipt_answered))
		live_happens(l, SEND_ON_RECEIPT_LATE, NULL);
}

/* The recipient is away or busy: it is delivered all the same, and the receipt comes when it can. */
void
send_fetch_later(struct live *l)
{
	live_timer_again(l, &l->fetches, FETCH_FIRST_MS, FETCH_MOST_MS, SEND_ON_TIMER);
}
