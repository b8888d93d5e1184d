/*
 * receive_letters.c - a recipient's letters after the delivery: DONE until the sender has it, and the receipt and the list of
 * files for whoever sent the packet.
 */
#include "peerd/events/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "peerd/events/hand_in.h"
#include "peerd/events/receipts.h"

#define TELL_FIRST_MS 5000
#define TELL_MOST_MS (10 * 60 * 1000)

void
receive_reply_done(struct live *l, struct post_in *in)
{
	struct sp_msg_done_letter m = { .statement = sp_buf_span(&l->row->done),
		.signature = sp_buf_span(&l->row->done_signature), .transfer = l->row->id };

	post_reply(l->all->parts.post, in, SP_MSG_DONE_LETTER, &m);
}

void
receive_reply_ended(struct events *e, const struct event_row *row, struct post_in *in)
{
	struct sp_msg_done_letter done = { .statement = sp_buf_span(&row->done),
		.signature = sp_buf_span(&row->done_signature), .transfer = row->id };
	struct sp_msg_refuse_letter refuse = { .statement = sp_buf_span(&row->final),
		.signature = sp_buf_span(&row->final_signature) };
	struct sp_msg_cancel_letter cancel = { .statement = sp_buf_span(&row->final),
		.signature = sp_buf_span(&row->final_signature) };
	struct sp_msg_answer gone = { .status = (uint16_t)(row->reason != SP_OK ? row->reason : SP_E_CANCELLED) };

	if (row->state == RECEIVE_RECEIVED || row->state == RECEIVE_INCOMPLETE)
		post_reply(e->parts.post, in, SP_MSG_DONE_LETTER, &done);
	else if (row->state == RECEIVE_REFUSED)
		post_reply(e->parts.post, in, SP_MSG_REFUSE_LETTER, &refuse);
	else if (row->final.len > 0)
		post_reply(e->parts.post, in, SP_MSG_CANCEL_LETTER, &cancel);
	else
		post_reply(e->parts.post, in, SP_MSG_ANSWER, &gone);
}

void
receive_answer_done(struct live *l)
{
	if (l->offer_in != NULL)
		receive_reply_done(l, l->offer_in);
	l->offer_in = NULL;
}

static void
told(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct live *l = arg;

	(void)answer;
	l->letter = 0;
	if (st == SP_OK) {
		live_happens(l, receipts_is_part(l) ? RECEIVE_ON_ANSWERED_PART : RECEIVE_ON_ANSWERED, NULL);
		return;
	}
	sp_log_fail(SP_LOG_INFO, "done-unanswered", st, why);
	if (sp_clock_sure_ms() > l->row->until_ms)
		live_happens(l, RECEIVE_ON_EXPIRED, "received; the sender was not seen again");
	else
		live_happens(l, RECEIVE_ON_UNANSWERED, NULL);
}

void
receive_tell(struct live *l)
{
	struct sp_msg_done_letter m = { .statement = sp_buf_span(&l->row->done),
		.signature = sp_buf_span(&l->row->done_signature), .transfer = l->row->id };

	/* what is handed in is on its way to the disk before the sender can let us end */
	if (!hand_in(l) || !live_ask(l, false, SP_MSG_DONE_LETTER, &m, told))
		live_happens(l, RECEIVE_ON_UNANSWERED, NULL);
}

/* The sender is there: it need not wait for the next try, unless one is out. */
void
receive_tell_soon(struct live *l)
{
	if (l->letter == 0 && l->tells > 0)
		receive_tell(l);
}

void
receive_tell_later(struct live *l)
{
	live_timer_again(l, &l->tells, TELL_FIRST_MS, TELL_MOST_MS, RECEIVE_ON_TIMER);
}

/* ---- RECEIPT and FILES ---- */
static bool
is_placed(const struct event_row *row)
{
	return row->state == RECEIVE_PLACED || row->state == RECEIVE_RECEIVED || row->state == RECEIVE_INCOMPLETE;
}

/* Worker: a part of files.txt. */
struct part {
	struct sp_work work;
	struct events *all;
	struct post_in *in;
	struct sp_buf path;
	struct sp_msg_files_is m;
	uint8_t bytes[SP_FILES_PART];
	enum sp_status status;
};

static void
part_run(struct sp_work *work)
{
	struct part *p = (struct part *)work;
	SP_AUTO_FD fd = open(sp_buf_cstr(&p->path), O_RDONLY | O_CLOEXEC);
	struct stat sb;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &sb) == 0 && sb.st_size >= 0) {
		p->m.total = (uint64_t)sb.st_size;
		if (p->m.offset <= p->m.total)
			n = pread(fd, p->bytes, 65000, (off_t)p->m.offset);
	}
	p->m.bytes = sp_span(p->bytes, n > 0 ? (size_t)n : 0);
	p->status = n >= 0 ? SP_OK : SP_E_NOTFOUND;
}

static void
part_drop(struct sp_work *work)
{
	struct part *p = (struct part *)work;

	post_ignore(p->all->parts.post, p->in);
	sp_buf_done(&p->path);
	free(p);
}

static void
part_done(struct sp_work *work)
{
	struct part *p = (struct part *)work;

	if (p->status == SP_OK)
		post_reply(p->all->parts.post, p->in, SP_MSG_FILES_IS, &p->m);
	else
		events_answer(p->all, p->in, p->status);
	sp_buf_done(&p->path);
	free(p);
}

static void
send_part(struct events *e, const struct event_row *row, struct post_in *in)
{
	struct part *p = calloc(1, sizeof(*p));
	struct sp_msg_files m;
	enum sp_status st = p != NULL ? SP_OK : SP_E_NOMEM;

	if (st == SP_OK)
		st = sp_decode(sp_desc_msg(SP_MSG_FILES), in->body, &m, NULL);
	if (st == SP_OK) {
		p->work = (struct sp_work){ part_run, part_done, part_drop };
		p->all = e;
		p->in = in;
		p->m.transfer = row->id;
		p->m.offset = m.offset;
		events_transfer_dir(e, &row->id, &p->path);
		sp_buf_add_text(&p->path, "/files.txt");
		st = sp_worker_submit(e->files, &p->work);
	}
	if (st == SP_OK)
		return;
	if (p != NULL)
		sp_buf_done(&p->path);
	free(p);
	events_answer(e, in, st);
}

static void
answer_for(struct events *e, const struct event_row *row, struct post_in *in)
{
	struct sp_msg_receipt_is m = { .transfer = row->id, .p7m = sp_buf_span(&row->receipt_p7m) };

	if (!is_placed(row) || row->receipt_p7m.len == 0)
		events_answer(e, in, SP_E_NOTFOUND);
	else if (in->type == SP_MSG_FILES)
		send_part(e, row, in);
	else
		post_reply(e->parts.post, in, SP_MSG_RECEIPT_IS, &m);
}

struct looking {
	struct events *all;
	struct post_in *in;
};

static void
looked_up(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	struct looking *k = arg;
	const struct event_row *row = NULL;

	for (size_t i = 0; st == SP_OK && i < count; i++)
		if (rows[i]->kind == EVENT_RECEIVE && strcmp(rows[i]->peer, k->in->from_name) == 0)
			row = rows[i];
	if (row != NULL)
		answer_for(k->all, row, k->in);
	else
		events_answer(k->all, k->in, SP_E_NOTFOUND);
	event_rows_free(rows, count);
	free(k);
}

/* Both begin with the transfer; only its sender is answered. */
static void
on_question(void *arg, struct post_in *in)
{
	struct events *e = arg;
	struct sp_msg_receipt receipt;
	struct sp_msg_files files;
	bool is_files = in->type == SP_MSG_FILES;
	struct looking *k;
	struct live *l;
	char id[SP_ID_TEXT];

	if (sp_decode(sp_desc_msg(in->type), in->body, is_files ? (void *)&files : (void *)&receipt, NULL) != SP_OK) {
		post_ignore(e->parts.post, in);
		return;
	}
	if (is_files)
		receipt.transfer = files.transfer;
	l = live_find(e, &receipt.transfer, EVENT_RECEIVE, in->from_name);
	if (l != NULL) {
		answer_for(e, l->row, in);
		return;
	}
	k = malloc(sizeof(*k));
	if (k != NULL)
		*k = (struct looking){ e, in };
	if (k == NULL || store_event_find(e->parts.store, sp_id_text(&receipt.transfer, id), looked_up, k) != SP_OK) {
		free(k);
		post_ignore(e->parts.post, in);
	}
}

void
receive_letters_start(struct events *e)
{
	post_on(e->parts.post, SP_MSG_RECEIPT, on_question, e);
	post_on(e->parts.post, SP_MSG_FILES, on_question, e);
}
