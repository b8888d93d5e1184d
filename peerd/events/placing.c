/*
 * placing.c - from "checked" to "placed": sync, name and receipt, then one rename. The order is what makes a crash at any
 * point end with one whole delivery: the row says under which name and inode before the rename happens.
 */
#include "peerd/events/receive.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/cms.h"
#include "common/crypto/rand.h"
#include "common/packet/files_txt.h"
#include "common/statements/receipt.h"

/* Worker: everything durable, and the name it will have. */
struct syncing {
	struct sp_work work;
	struct events *all;
	struct sp_id id;
	char peer[SP_NAME_TEXT];
	uint64_t generation;
	struct data_result *result;	/* owned while the job has it; NULL: peerd was restarted, it is made again */
	struct data_receive_order order;	/* for that */
	struct sp_hash trailer, files_hash;	/* likewise, of the row */
	char *title;
	struct sp_buf dir, goal;
	uint64_t inode;
	enum sp_status status;
	struct sp_why why;
};

static void
sync_drop(struct sp_work *work)
{
	struct syncing *s = (struct syncing *)work;

	data_result_free(s->result);
	sp_buf_done(&s->dir);
	sp_buf_done(&s->goal);
	free(s->title);
	free(s);
}

/* What the data thread had found out, from what it left. */
static enum sp_status
restore(struct syncing *s)
{
	enum sp_status st = data_restore(&s->order, &s->result, &s->why);

	if (st != SP_OK)
		return st;
	s->result->trailer_hash = s->trailer;
	return sp_hash_eq(&s->result->files_hash, &s->files_hash) ? SP_OK :
	    sp_fail(SP_E_STALE, &s->why, "%s", sp_status_text(SP_E_STALE));
}

static void
sync_run(struct sp_work *work)
{
	struct syncing *s = (struct syncing *)work;
	SP_AUTO_DONE(sp_buf) path = { 0 };
	struct sp_name sender;
	char person[SP_NAME_TEXT];

	if (s->result == NULL)
		s->status = restore(s);
	if (s->status != SP_OK)
		return;
	sp_buf_addf(&path, "%s/files.txt", sp_buf_cstr(&s->dir));
	SP_FAULT("files-list-before");
	if ((errno = SP_FAULT_ERRNO("files-list")) != 0)
		s->status = sp_fail_errno(SP_E_IO, &s->why, "cannot write %s", sp_buf_cstr(&path));
	else
		s->status = sp_mkdirs(sp_buf_cstr(&s->dir), 0700, &s->why);
	if (s->status == SP_OK)
		s->status = sp_file_put(sp_buf_cstr(&path), sp_buf_span(&s->result->files_txt), 0600, &s->why);
	SP_FAULT("files-list-after");
	SP_FAULT("place-sync-before");
	if (s->status == SP_OK)
		s->status = place_sync(s->result->place, &s->why);
	SP_FAULT("place-sync-after");
	if (s->status == SP_OK)
		s->status = sp_name_parse(sp_span_str(s->peer), &sender);
	if (s->status != SP_OK)
		return;
	sender.station[0] = 0;
	s->status = place_name(s->result->place, sp_name_text(&sender, person), s->title, 0, &s->goal, &s->inode, &s->why);
}

static enum sp_status
sign_receipt(struct live *l, const struct data_result *r, struct sp_why *why)
{
	struct member *station = l->all->parts.station;
	const struct sp_identity *own = member_identity(station);
	struct sp_receipt receipt = {
		.klass = l->row->klass,
		.transfer = l->row->id,
		.recipient = own->name,
		.sender_cert = l->peer_cert,
		.recipient_cert = own->hash,
		.offer = l->offer_hash,
		.manifest = r->manifest_hash,
		.trailer = r->trailer_hash,
		.received_s = sp_clock_wall_ms() / 1000,
		.files = sp_manifest_files(r->manifest),
		.bytes = sp_manifest_bytes(r->manifest),
		.changed = r->changed,
		.left_out = r->links_out,
		.left_out_paths = r->links_hash,
		.files_txt = r->files_hash,
	};
	SP_AUTO_DONE(sp_buf) text = { 0 };
	enum sp_status st;

	if (l->row->klass == SP_RECEIPT_NONE)
		return SP_OK;
	sp_buf_clear(&l->row->receipt_p7m);
	if ((st = sp_name_parse(sp_span_str(l->row->peer), &receipt.sender)) != SP_OK ||
	    (st = sp_receipt_encode(&receipt, &text, why)) != SP_OK)
		return st;
	return sp_cms_sign(member_key(station), member_cert(station), sp_buf_span(&text), &l->row->receipt_p7m, why);
}

/* One of those that the offer names. */
static enum sp_status
choose_certd(const struct live *l, struct sp_span *ret_certd, struct sp_why *why)
{
	struct sp_stmt_offer offer;
	enum sp_status st = sp_statement_read(SP_STMT_OFFER, sp_buf_span(&l->row->offer), &offer, why);

	if (st == SP_OK)
		*ret_certd = sp_offer_service(offer.certds, sp_offer_service(offer.certds, 1).n > 0 ?
		    (unsigned)sp_random_below(2) : 0);
	return st;
}

enum sp_status
receive_sign_done(struct live *l, bool part, struct sp_why *why)
{
	struct sp_stmt_done done = { .offer = l->offer_hash, .result = part ? 2 : 1 };
	uint8_t signature[SP_SIGNATURE];
	enum sp_status st;

	if (l->row->klass != SP_RECEIPT_NONE)
		sp_sha256(sp_buf_span(&l->row->receipt_p7m), &done.receipt);
	if (l->row->klass == SP_RECEIPT_POSTMARKED && (st = choose_certd(l, &done.certd, why)) != SP_OK)
		return st;
	sp_buf_clear(&l->row->done);
	st = sp_statement_sign(SP_STMT_DONE, &done, member_key(l->all->parts.station), &l->row->done, signature, NULL, why);
	if (st == SP_OK && !bytes_set(&l->row->done_signature, sp_span(signature, sizeof(signature))))
		st = SP_E_NOMEM;
	return st;
}

static void
synced(struct live *l, struct syncing *s)
{
	struct sp_why why = s->why;
	enum sp_status st = s->status;

	if (st == SP_E_STALE) {
		live_happens(l, RECEIVE_ON_LOST, NULL);
		return;
	}
	if (st == SP_E_SPACE) {		/* what the kernel could not write it may have dropped */
		char id[SP_ID_TEXT];

		events_discard(l->all, sp_id_text(&l->row->id, id));
		l->row->done_bytes = 0;
		live_happens(l, RECEIVE_ON_LOST, "%s; waits for the sender, from the beginning", sp_status_text(st));
		return;
	}
	if (st == SP_OK)
		st = sign_receipt(l, s->result, &why);
	if (st == SP_OK)
		st = receive_sign_done(l, s->result->changed > 0, &why);
	if (st == SP_OK && (!text_set(&l->row->paths, sp_buf_cstr(&s->goal)) ||
	    !text_set(&l->row->message, sp_manifest_head(s->result->manifest)->message)))
		st = SP_E_NOMEM;
	if (st != SP_OK) {
		receive_fail(l, st, &why);
		return;
	}
	l->row->place_inode = s->inode;
	live_happens(l, RECEIVE_ON_SYNCED, NULL);
}

static void
sync_done(struct sp_work *work)
{
	struct syncing *s = (struct syncing *)work;
	struct live *l = live_find(s->all, &s->id, EVENT_RECEIVE, s->peer);

	if (l != NULL && l->generation == s->generation)
		synced(l, s);
	sync_drop(work);
}

void
receive_sync(struct live *l)
{
	struct syncing *s = calloc(1, sizeof(*s));
	struct sp_why why = { "" };
	enum sp_status st = SP_E_NOMEM;

	if (s != NULL && (s->title = strdup(l->row->title != NULL ? l->row->title : "")) != NULL) {
		s->work = (struct sp_work){ sync_run, sync_done, sync_drop };
		s->all = l->all;
		s->id = l->row->id;
		snprintf(s->peer, sizeof(s->peer), "%s", l->row->peer);
		s->generation = l->generation;
		s->result = sp_take(&l->result);
		s->trailer = l->row->trailer;
		s->files_hash = l->row->files_hash;
		events_transfer_dir(l->all, &l->row->id, &s->dir);
		st = receive_order(l, &s->order, &why);
		if (st == SP_OK)
			st = sp_worker_submit(l->all->files, &s->work);
	}
	if (st == SP_OK)
		return;
	if (s != NULL)
		sync_drop(&s->work);
	receive_fail(l, st, &why);
}

/* Worker: the rename. */
struct moving {
	struct sp_work work;
	struct events *all;
	struct sp_id id;
	char peer[SP_NAME_TEXT];
	uint64_t generation;
	char *goal;
	uint64_t inode;
	enum sp_status status;
	struct sp_why why;
};

static void
move_drop(struct sp_work *work)
{
	free(((struct moving *)work)->goal);
	free(work);
}

static void
move_run(struct sp_work *work)
{
	struct moving *m = (struct moving *)work;
	char id[SP_ID_TEXT];

	SP_FAULT("place-before");
	m->status = place_rename(m->all->conf.received, sp_id_text(&m->id, id), m->goal, m->inode, &m->why);
	SP_FAULT("place-after");
}

/* "packet" -> "packet (2)" -> "packet (3)" … */
static char *
next_name(const char *goal)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	size_t n = strlen(goal);
	const char *open = strrchr(goal, '(');
	uint64_t number = 1;

	if (open != NULL && open > goal + 1 && open[-1] == ' ' && goal[n - 1] == ')' &&
	    sp_parse_u64(sp_span(open + 1, n - (size_t)(open - goal) - 2), 1000000, &number) == SP_OK)
		n = (size_t)(open - goal) - 1;
	else
		number = 1;
	sp_buf_add(&out, goal, n);
	sp_buf_addf(&out, " (%llu)", (unsigned long long)number + 1);
	return strdup(sp_buf_cstr(&out));
}

static void
moved(struct live *l, struct moving *m)
{
	if (m->status == SP_E_EXISTS) {
		char *next = next_name(m->goal);

		if (next == NULL || !text_set(&l->row->paths, next))
			receive_fail(l, SP_E_NOMEM, NULL);
		else
			live_happens(l, RECEIVE_ON_CLASH, NULL);
		free(next);
	} else if (m->status != SP_OK) {
		receive_fail(l, m->status, &m->why);
	} else {
		live_happens(l, RECEIVE_ON_MOVED, NULL);
	}
}

static void
move_done(struct sp_work *work)
{
	struct moving *m = (struct moving *)work;
	struct live *l = live_find(m->all, &m->id, EVENT_RECEIVE, m->peer);

	if (l != NULL && l->generation == m->generation)
		moved(l, m);
	move_drop(work);
}

void
receive_move(struct live *l)
{
	struct moving *m = calloc(1, sizeof(*m));
	enum sp_status st = SP_E_NOMEM;

	if (m != NULL && (m->goal = strdup(l->row->paths != NULL ? l->row->paths : "")) != NULL) {
		m->work = (struct sp_work){ move_run, move_done, move_drop };
		m->all = l->all;
		m->id = l->row->id;
		snprintf(m->peer, sizeof(m->peer), "%s", l->row->peer);
		m->generation = l->generation;
		m->inode = l->row->place_inode;
		st = sp_worker_submit(l->all->files, &m->work);
	}
	if (st == SP_OK)
		return;
	if (m != NULL)
		move_drop(&m->work);
	receive_fail(l, st, NULL);
}
