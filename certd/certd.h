/*
 * certd.h - what the parts of a running certd share. All of it belongs to the loop's thread; the stamp and the trust are
 * read by workers.
 */
#ifndef CERTD_CERTD_H
#define CERTD_CERTD_H

#include "certd/settings.h"
#include "certd/stamp.h"
#include "common/base/log.h"
#include "common/daemon/daemon.h"

struct lodgings;
struct notices;

struct certd {
	struct sp_daemon daemon;
	const struct settings *settings;
	struct member *tsa;
	struct stamp *stamp;		/* NULL before begin and after the workers have ended */
	struct notices *notices;	/* NULL before begin and after end, like these */
	struct lodgings *lodgings;
	struct sp_timer *sweep_timer;
	size_t sweeping;		/* postmarks of the sweep that are being signed */
	bool sweep_more;		/* the last look brought as many as it may */
	struct sp_log_gate refusals;
};

/* Handlers; arg is struct certd. */
void on_postmark(void *arg, struct sp_request *rq);
void on_postmark_get(void *arg, struct sp_request *rq);

/* Signs a decided postmark on a worker and stores it. fn on the loop, once (inside this call if it cannot be queued): with what
 * is stored, which may be what another stored first; borrowed. */
typedef void sign_fn(void *arg, enum sp_status st, const struct sp_why *why, struct sp_span p7m, struct sp_span tsr);
void sign_and_store(struct certd *c, const struct sp_postmark *postmark, sign_fn *fn, void *arg);

/* Signs what was decided up to before_ms and is not signed: after a crash, or when the database failed in between. */
void sweep(struct certd *c, uint64_t before_ms);

/* The sweep's timer; arg is struct certd. */
void sweep_due(void *arg);

/* Letters to senders: your postmark is there. look: there may be new ones to send; arg is struct notices. */
SP_MUST_CHECK enum sp_status notices_new(struct certd *c, struct notices **ret_notices, struct sp_why *why);
void notices_free(struct notices *n);
void notices_look(void *arg);

/* Franks to lodge with a creditd. look: there may be new ones; arg is struct lodgings. */
SP_MUST_CHECK enum sp_status lodgings_new(struct certd *c, struct lodgings **ret_lodgings);
void lodgings_free(struct lodgings *l);
void lodgings_look(void *arg);

#endif
