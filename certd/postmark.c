/*
 * postmark.c - POSTMARK and POSTMARK_GET.
 *
 * A receipt goes: a signer checks it, the database settles and decides, a signer signs, the database stores; only then it is
 * answered. Nothing is kept between the steps but the struct here; a crash anywhere leaves nothing, or a decided postmark that
 * is signed at the next start, and the same receipt gets the same postmark.
 */
#include "certd/certd.h"
#include "certd/db.h"
#include "common/base/clock.h"

/* ---- POSTMARK ---- */

struct handing {
	struct sp_work work;		/* first */
	struct certd *certd;		/* borrowed */
	struct sp_request *rq;		/* owned until answered; the loop's */
	struct sp_msg_postmark msg;	/* borrows from rq */
	struct sp_identity peer;
	const struct sp_trust *trust;	/* borrowed: replaced ones are kept */
	uint64_t now_ms;
	struct evidence evidence;
	struct sp_postmark postmark;
	enum sp_status st;
	struct sp_why why;
};

static void
fail(struct handing *h, enum sp_status st, const struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) reason = { 0 };
	char name[SP_NAME_TEXT];
	unsigned held;

	if (sp_status_class(st) != SP_CLASS_RETRY && st != SP_E_CANCELLED && sp_log_pass(&h->certd->refusals, &held)) {
		sp_printable_add(&reason, sp_span_str(why != NULL ? why->text : ""));
		sp_log(SP_LOG_INFO, "postmark-refused", "from=%s status=%s reason=\"%s\" held=%u",
		    sp_identity_text(&h->peer, name), sp_status_name(st), sp_buf_cstr(&reason), held);
	}
	sp_daemon_fail(h->rq, st, why);
	free(h);
}

static void
answer(struct handing *h, struct sp_span p7m, struct sp_span tsr)
{
	const struct sp_msg_postmark_is is = { .number = h->postmark.number, .receipt = h->msg.receipt, .postmark = p7m,
		.tsr = tsr };

	sp_request_answer(h->rq, SP_MSG_POSTMARK_IS, &is);
	free(h);
}

static void
on_signed(void *arg, enum sp_status st, const struct sp_why *why, struct sp_span p7m, struct sp_span tsr)
{
	struct handing *h = arg;
	char id[SP_ID_TEXT];

	if (st != SP_OK) {
		fail(h, st, why);
		return;
	}
	sp_log(SP_LOG_INFO, "postmarked", "transfer=%s payment=%s", sp_id_text(&h->postmark.transfer, id),
	    sp_payment_text(h->postmark.payment));
	answer(h, p7m, tsr);
}

/* The database's decision: this one, or that of an earlier request for the same receipt. */
static void
on_begun(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct handing *h = arg;
	const struct evidence *e = &h->evidence;
	struct lodgings *lodgings = h->certd->lodgings;
	struct sp_why why = { "" };
	bool pending;

	if (st == SP_OK && (st = sp_daemon_status(rows, 0, BEGIN_STATUS)) == SP_E_CONFLICT)
		sp_why_set(&why, "another receipt of this transfer was postmarked before");
	h->postmark = (struct sp_postmark){ .klass = e->receipt.klass, .transfer = e->receipt.transfer,
		.sender = e->receipt.sender, .recipient = e->receipt.recipient, .receipt = e->receipt_hash };
	if (st == SP_OK)
		st = db_id(rows, 0, BEGIN_NUMBER, &h->postmark.number);
	if (st != SP_OK) {
		fail(h, st, &why);
		return;
	}
	h->postmark.received_s = (uint64_t)sp_pg_get_int(rows, 0, BEGIN_RECEIVED_MS) / 1000;
	h->postmark.ended_s = (uint64_t)sp_pg_get_int(rows, 0, BEGIN_ENDED_S);
	h->postmark.payment = (uint8_t)sp_payment_from_text(sp_pg_get_bytes(rows, 0, BEGIN_PAYMENT));
	pending = h->postmark.payment == SP_PAYMENT_PENDING && e->has_frank;
	if (!sp_pg_is_null(rows, 0, BEGIN_TSR))
		answer(h, sp_pg_get_bytes(rows, 0, BEGIN_P7M), sp_pg_get_bytes(rows, 0, BEGIN_TSR));
	else
		sign_and_store(h->certd, &h->postmark, on_signed, h);
	if (pending && lodgings != NULL)
		lodgings_look(lodgings);
}

static void
check_run(struct sp_work *work)
{
	struct handing *h = (struct handing *)work;

	h->st = evidence_check(&h->msg, &h->peer, h->trust, h->now_ms / 1000, &h->evidence, &h->why);
}

static void
check_done(struct sp_work *work)
{
	struct handing *h = (struct handing *)work;
	struct sp_id number = sp_id_new();

	if (h->st == SP_OK)
		h->st = db_begin(h->certd->daemon.pg, &number, &h->evidence, &h->msg, h->now_ms, on_begun, h);
	if (h->st != SP_OK)
		fail(h, h->st, &h->why);
}

static void
check_dropped(struct sp_work *work)
{
	fail((struct handing *)work, SP_E_CANCELLED, NULL);
}

void
on_postmark(void *arg, struct sp_request *rq)
{
	struct certd *c = arg;
	struct sp_msg_postmark msg;
	struct handing *h;
	enum sp_status st;

	if (sp_request_read(rq, &msg) != SP_OK)
		return;
	if ((h = calloc(1, sizeof(*h))) == NULL) {
		sp_daemon_fail(rq, SP_E_NOMEM, NULL);
		return;
	}
	*h = (struct handing){ .work = { check_run, check_done, check_dropped }, .certd = c, .rq = rq, .msg = msg,
		.peer = *sp_request_peer(rq), .trust = member_trust(c->daemon.member), .now_ms = sp_clock_wall_ms() };
	if ((st = stamp_check(c->stamp, h->now_ms, &h->why)) != SP_OK ||
	    (st = sp_worker_submit(c->daemon.workers, &h->work)) != SP_OK)
		fail(h, st, &h->why);
}

/* ---- POSTMARK_GET ---- */

static void
on_got(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct sp_request *rq = arg;
	struct sp_msg_postmark_is is = { .receipt = { NULL, 0 } };
	struct sp_why why = { "" };

	if (st == SP_OK && (st = sp_daemon_status(rows, 0, GET_STATUS)) == SP_E_PERMISSION)
		sp_why_set(&why, "a postmark is for the sender and the recipient of its transfer");
	else if (st == SP_E_NOTFOUND)
		sp_why_set(&why, "no postmark of this transfer is here yet");
	if (st == SP_OK)
		st = db_id(rows, 0, GET_NUMBER, &is.number);
	if (st != SP_OK) {
		sp_daemon_fail(rq, st, &why);
		return;
	}
	is.receipt = sp_pg_get_bytes(rows, 0, GET_RECEIPT);
	is.postmark = sp_pg_get_bytes(rows, 0, GET_P7M);
	is.tsr = sp_pg_get_bytes(rows, 0, GET_TSR);
	sp_request_answer(rq, SP_MSG_POSTMARK_IS, &is);
}

void
on_postmark_get(void *arg, struct sp_request *rq)
{
	struct certd *c = arg;
	struct sp_msg_postmark_get msg;
	char name[SP_NAME_TEXT];
	enum sp_status st;

	if (sp_request_read(rq, &msg) != SP_OK)
		return;
	st = db_get(c->daemon.pg, &msg.transfer, sp_identity_text(sp_request_peer(rq), name), on_got, rq);
	if (st != SP_OK)
		sp_daemon_fail(rq, st, NULL);
}
