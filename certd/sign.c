/*
 * sign.c - from a decided postmark to a stored one: signed on a signer, stored, and only then shown. Also the sweep, which
 * does so for those that a crash left unsigned.
 */
#include "certd/certd.h"
#include "certd/db.h"
#include "common/base/clock.h"

#define SWEEP_MOST 256
#define SWEEP_MS (30ull * 1000)
#define SWEEP_AGE_MS (60ull * 1000)	/* younger ones are being signed where they were begun */

struct signing {
	struct sp_work work;		/* first */
	struct certd *certd;		/* borrowed */
	struct sp_postmark postmark;
	struct sp_buf p7m, tsr;		/* owned */
	enum sp_status st;
	struct sp_why why;
	sign_fn *fn;
	void *arg;
};

static void
end(struct signing *s, enum sp_status st, struct sp_span p7m, struct sp_span tsr)
{
	s->fn(s->arg, st, &s->why, p7m, tsr);
	sp_buf_done(&s->p7m);
	sp_buf_done(&s->tsr);
	free(s);
}

static void
fail(struct signing *s, enum sp_status st)
{
	end(s, st, sp_span(NULL, 0), sp_span(NULL, 0));
}

static void
on_stored(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct signing *s = arg;
	struct certd *c = s->certd;

	if (st == SP_OK && (st = sp_daemon_status(rows, 0, FINISH_STATUS)) == SP_OK &&
	    sp_pg_is_null(rows, 0, FINISH_TSR))
		st = SP_E_DATABASE;
	if (st != SP_OK) {
		fail(s, st);
		return;
	}
	if (c->notices != NULL)
		notices_look(c->notices);
	end(s, SP_OK, sp_pg_get_bytes(rows, 0, FINISH_P7M), sp_pg_get_bytes(rows, 0, FINISH_TSR));
}

static void
run(struct sp_work *work)
{
	struct signing *s = (struct signing *)work;

	s->st = stamp_sign(s->certd->stamp, &s->postmark, sp_clock_wall_ms(), &s->p7m, &s->tsr, &s->why);
}

static void
done(struct sp_work *work)
{
	struct signing *s = (struct signing *)work;

	if (s->st == SP_OK)
		s->st = db_finish(s->certd->daemon.pg, &s->postmark.number, sp_buf_span(&s->p7m), sp_buf_span(&s->tsr),
		    on_stored, s);
	else
		sp_log_fail(SP_LOG_ERR, "sign-failed", s->st, &s->why);
	if (s->st != SP_OK)
		fail(s, s->st);
}

static void
dropped(struct sp_work *work)
{
	fail((struct signing *)work, SP_E_CANCELLED);
}

void
sign_and_store(struct certd *c, const struct sp_postmark *postmark, sign_fn *fn, void *arg)
{
	struct signing *s = calloc(1, sizeof(*s));
	struct sp_why why = { "" };
	enum sp_status st = SP_E_NOMEM;

	if (s != NULL) {
		*s = (struct signing){ .work = { run, done, dropped }, .certd = c, .postmark = *postmark, .fn = fn,
			.arg = arg };
		st = sp_worker_submit(c->daemon.workers, &s->work);
	}
	if (st == SP_OK)
		return;
	free(s);
	fn(arg, st, &why, sp_span(NULL, 0), sp_span(NULL, 0));
}

/* ---- the sweep ---- */

static void
swept(void *arg, enum sp_status st, const struct sp_why *why, struct sp_span p7m, struct sp_span tsr)
{
	struct certd *c = arg;

	(void)why;
	(void)p7m;
	(void)tsr;
	if (st != SP_OK)
		c->sweep_more = false;	/* the timer brings the next try */
	if (--c->sweeping == 0 && c->sweep_more && c->sweep_timer != NULL)
		sp_timer_set(c->sweep_timer, 0);
}

static enum sp_status
read_row(const struct sp_pg_rows *rows, size_t i, struct sp_postmark *p)
{
	enum sp_status st;

	*p = (struct sp_postmark){ .klass = (uint8_t)sp_pg_get_int(rows, i, UNSIGNED_CLASS),
		.received_s = (uint64_t)sp_pg_get_int(rows, i, UNSIGNED_RECEIVED_MS) / 1000,
		.ended_s = (uint64_t)sp_pg_get_int(rows, i, UNSIGNED_ENDED_S),
		.payment = (uint8_t)sp_payment_from_text(sp_pg_get_bytes(rows, i, UNSIGNED_PAYMENT)) };
	if ((st = db_id(rows, i, UNSIGNED_NUMBER, &p->number)) != SP_OK ||
	    (st = db_id(rows, i, UNSIGNED_TRANSFER, &p->transfer)) != SP_OK ||
	    (st = db_name(rows, i, UNSIGNED_SENDER, &p->sender)) != SP_OK ||
	    (st = db_name(rows, i, UNSIGNED_RECIPIENT, &p->recipient)) != SP_OK)
		return st;
	return db_hash(rows, i, UNSIGNED_RECEIPT_HASH, &p->receipt);
}

static void
on_unsigned(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct certd *c = arg;
	size_t n = st == SP_OK ? sp_pg_count(rows) : 0;
	struct sp_postmark postmark;

	c->sweep_more = n == SWEEP_MOST;
	if (n > 0)
		sp_log(SP_LOG_INFO, "signing-late", "postmarks=%zu", n);
	for (size_t i = 0; i < n; i++) {
		if ((st = read_row(rows, i, &postmark)) != SP_OK) {
			sp_log_fail(SP_LOG_ERR, "sign-failed", st, NULL);
			continue;
		}
		c->sweeping++;
		sign_and_store(c, &postmark, swept, c);
	}
	c->sweeping--;
	if (c->sweeping == 0 && c->sweep_more && c->sweep_timer != NULL)
		sp_timer_set(c->sweep_timer, 0);
}

void
sweep(struct certd *c, uint64_t before_ms)
{
	if (c->sweeping > 0)
		return;
	c->sweeping++;		/* the question itself */
	if (db_unsigned(c->daemon.pg, SWEEP_MOST, before_ms, on_unsigned, c) != SP_OK)
		c->sweeping--;
}

void
sweep_due(void *arg)
{
	struct certd *c = arg;

	sweep(c, sp_clock_wall_ms() - SWEEP_AGE_MS);
	sp_timer_set(c->sweep_timer, SWEEP_MS);
}
