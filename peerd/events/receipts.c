/*
 * receipts.c - writes .receipt files, and puts postmarks into them. Nothing here knows a machine.
 */
#include "peerd/events/receipts.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"

#define FILE_MAX (SP_FILES_TEXT_MAX + 1024 * 1024)

void
receipts_path(const struct live *l, struct sp_buf *out)
{
	char id[SP_ID_TEXT];

	sp_id_text(&l->row->id, id);
	/* another station chose that id: its receipts have a folder of their own */
	if (l->row->kind == EVENT_SEND)
		sp_buf_addf(out, "%s/receipts/%s.receipt", l->all->conf.home, id);
	else
		sp_buf_addf(out, "%s/receipts/received/%s/%s.receipt", l->all->conf.home, l->row->peer, id);
}

enum sp_status
receipts_chain(const struct live *l, const struct sp_span *leaves, size_t count, struct sp_buf *out, struct sp_why *why)
{
	struct member *s = l->all->parts.station;
	struct sp_span certs[SP_RECEIPT_CERTS];
	size_t n = 0;

	certs[n++] = member_root(s);
	for (size_t i = 0; i < member_issuers(s) && n < SP_RECEIPT_CERTS - count; i++)
		certs[n++] = member_issuer(s, i);
	for (size_t i = 0; i < count; i++)
		certs[n++] = leaves[i];
	return sp_receipt_chain(certs, n, out, why);
}

enum sp_status
receipts_write(const char *path, const struct sp_receipt_parts *parts, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) file = { 0 };
	SP_AUTO_MEM char *copy = strdup(path);
	enum sp_status st = copy != NULL ? SP_OK : SP_E_NOMEM;

	if (st != SP_OK || (st = sp_receipt_file_write(parts, &file, why)) != SP_OK ||
	    (st = sp_mkdirs(dirname(copy), 0700, why)) != SP_OK)
		return st;
	SP_FAULT("receipt-file-before");
	if ((errno = SP_FAULT_ERRNO("receipt-file")) != 0)
		st = sp_fail_errno(SP_E_IO, why, "cannot write %s", path);
	else
		st = sp_file_write(path, sp_buf_span(&file), 0600, why);
	SP_FAULT("receipt-file-after");
	return st;
}

bool
receipts_is_part(const struct live *l)
{
	struct sp_stmt_done done;

	return sp_statement_read(SP_STMT_DONE, sp_buf_span(&l->row->done), &done, NULL) == SP_OK && done.result == 2;
}

/* ---- a postmark ---- */

/* Worker: the .receipt with all its parts. */
struct keeping {
	struct sp_work work;
	struct events *all;
	struct sp_id id;
	enum event_kind kind;
	char peer[SP_NAME_TEXT];
	uint64_t generation;
	struct sp_buf list, path, chain;	/* owned; list: where files.txt lies */
	struct sp_buf p7m, postmark, tsr;
	struct sp_hash files_hash;		/* that the receipt names */
	uint64_t time_s;
	uint8_t payment;
	char words[LIVE_WORDS];
	receipts_kept_fn *fn;
	enum sp_status status;
	struct sp_why why;
};

static void
keeping_drop(struct sp_work *work)
{
	struct keeping *k = (struct keeping *)work;

	sp_buf_done(&k->list);
	sp_buf_done(&k->path);
	sp_buf_done(&k->chain);
	sp_buf_done(&k->p7m);
	sp_buf_done(&k->postmark);
	sp_buf_done(&k->tsr);
	free(k);
}

static bool
is_the_list(const struct keeping *k, struct sp_span text)
{
	struct sp_hash hash;

	sp_sha256(text, &hash);
	return sp_hash_eq(&hash, &k->files_hash);
}

/* The list that the receipt names: in the .receipt that is there, or kept beside the transfer. */
static enum sp_status
find_list(struct keeping *k, struct sp_buf *file, struct sp_span *ret_list)
{
	struct sp_receipt_parts old;

	if (sp_file_read(sp_buf_cstr(&k->path), FILE_MAX, file, NULL) == SP_OK &&
	    sp_receipt_file_read(sp_buf_span(file), &old, NULL) == SP_OK && is_the_list(k, old.files_txt)) {
		*ret_list = old.files_txt;
		return SP_OK;
	}
	sp_buf_clear(file);
	if (sp_file_read(sp_buf_cstr(&k->list), SP_FILES_TEXT_MAX, file, NULL) != SP_OK || !is_the_list(k, sp_buf_span(file)))
		return sp_fail(SP_E_NOTFOUND, &k->why, "the list of files that the receipt names is no longer here");
	*ret_list = sp_buf_span(file);
	return SP_OK;
}

static void
keeping_run(struct sp_work *work)
{
	struct keeping *k = (struct keeping *)work;
	SP_AUTO_DONE(sp_buf) file = { 0 };
	struct sp_receipt_parts parts = {
		.time_s = k->time_s,
		.receipt_p7m = sp_buf_span(&k->p7m),
		.postmark_p7m = sp_buf_span(&k->postmark),
		.postmark_tsr = sp_buf_span(&k->tsr),
		.chain_pem = sp_buf_span(&k->chain),
	};

	k->status = find_list(k, &file, &parts.files_txt);
	if (k->status == SP_OK)
		k->status = receipts_write(sp_buf_cstr(&k->path), &parts, &k->why);
}

static void
keeping_done(struct sp_work *work)
{
	struct keeping *k = (struct keeping *)work;
	struct live *l = live_find(k->all, &k->id, k->kind, k->peer);

	if (l != NULL && l->generation == k->generation) {
		l->keeping = 0;
		l->row->payment = k->payment;
		if (k->status == SP_OK && !text_set(&l->row->receipt, sp_buf_cstr(&k->path)))
			k->status = SP_E_NOMEM;
		k->fn(l, k->status, &k->why, k->words);
	}
	keeping_drop(work);
}

/* Is it a good postmark of exactly this receipt? */
static enum sp_status
check(const struct live *l, const struct sp_msg_postmark_is *m, struct sp_postmark_proof *ret_proof, struct sp_why *why)
{
	const struct sp_postmark_parts parts = { m->receipt, m->postmark, m->tsr };
	enum sp_status st;

	if (!sp_span_eq(m->receipt, sp_buf_span(&l->row->receipt_p7m)))
		return sp_fail(SP_E_RECEIPT, why, "it is the postmark of another receipt");
	st = sp_postmark_verify(&parts, member_trust(l->all->parts.station), ret_proof, why);
	if (st == SP_OK && !sp_id_eq(&ret_proof->postmark.transfer, &l->row->id))
		st = sp_fail(SP_E_RECEIPT, why, "it is the postmark of another transfer");
	return st;
}

static struct keeping *
keeping_new(const struct live *l, const struct sp_msg_postmark_is *m, const struct sp_postmark_proof *p)
{
	struct keeping *k = calloc(1, sizeof(*k));
	char certd[SP_NAME_TEXT];

	if (k == NULL)
		return NULL;
	k->work = (struct sp_work){ keeping_run, keeping_done, keeping_drop };
	k->all = l->all;
	k->id = l->row->id;
	k->kind = l->row->kind;
	snprintf(k->peer, sizeof(k->peer), "%s", l->row->peer);
	k->generation = l->generation;
	k->files_hash = p->receipt.files_txt;
	k->time_s = p->token_s;
	k->payment = p->postmark.payment;
	if (k->kind == EVENT_SEND)
		outgoing_dir(l->all, &l->row->id, &k->list);
	else
		events_transfer_dir(l->all, &l->row->id, &k->list);
	sp_buf_add_text(&k->list, "/files.txt");
	receipts_path(l, &k->path);
	sp_buf_add_span(&k->p7m, m->receipt);
	sp_buf_add_span(&k->postmark, m->postmark);
	sp_buf_add_span(&k->tsr, m->tsr);
	snprintf(k->words, sizeof(k->words), "postmarked by %s; payment: %s", sp_identity_text(&p->certd, certd),
	    sp_payment_text(p->postmark.payment));
	return k;
}

enum sp_status
receipts_take(struct live *l, const struct sp_answer *answer, receipts_kept_fn *fn, struct sp_why *why)
{
	SP_AUTO_DONE(sp_postmark_proof) p = { .token_s = 0 };
	struct sp_msg_postmark_is m;
	struct keeping *k = NULL;
	enum sp_status st;

	if ((st = sp_answer_read(answer, SP_MSG_POSTMARK_IS, &m, why)) != SP_OK || (st = check(l, &m, &p, why)) != SP_OK)
		return st;
	sp_clock_signed(p.postmark.received_s * 1000);
	if (l->keeping == l->generation)
		return SP_OK;	/* asked for twice; a second writing could outlive the event and leave half a file */
	if ((k = keeping_new(l, &m, &p)) == NULL)
		return SP_E_NOMEM;
	k->fn = fn;
	st = receipts_chain(l, (struct sp_span[]){ sp_buf_span(&p.recipient_cert), sp_buf_span(&p.certd_cert),
	    sp_buf_span(&p.tsa_cert) }, 3, &k->chain, why);
	if (st == SP_OK)
		st = sp_worker_submit(l->all->files, &k->work);
	if (st == SP_OK)
		l->keeping = l->generation;
	else
		keeping_drop(&k->work);
	return st;
}
