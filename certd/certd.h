/*
 * certd.h - what the parts of a running certd share. All of it belongs to the loop's thread; the stamp and the trust are
 * read by signers.
 */
#ifndef CERTD_CERTD_H
#define CERTD_CERTD_H

#include "certd/settings.h"
#include "certd/stamp.h"
#include "common/base/log.h"
#include "common/member/member.h"
#include "common/net/service.h"
#include "common/net/worker.h"
#include "common/pg/pool.h"

struct notices;

struct certd {
	const struct settings *settings;
	struct sp_loop *loop;
	struct member *own, *tsa;	/* the certd and its tsa */
	struct stamp *stamp;
	struct sp_pg *pg;
	struct sp_worker *signers;
	struct sp_service *service;	/* NULL until the database knows us */
	struct notices *notices;	/* NULL until then, too */
	struct sp_timer *stop_timer, *roster_timer, *sweep_timer;
	size_t sweeping;		/* postmarks of the sweep that are being signed */
	bool sweep_more;		/* the last look brought as many as it may */
	struct sp_log_gate refusals;
	bool stopping;
	int exit_status;
};

/* Handlers; arg is struct certd. */
void on_postmark(void *arg, struct sp_request *rq);
void on_postmark_get(void *arg, struct sp_request *rq);

/* Answers a request that could not be queued or done: BUSY for a full queue, else the failure. */
void certd_fail(struct sp_request *rq, enum sp_status st, const struct sp_why *why);

/* Signs a decided postmark on a signer and stores it. fn on the loop, once (inside this call if it cannot be queued): with what is stored, which
 * may be what another stored first; borrowed. */
typedef void sign_fn(void *arg, enum sp_status st, const struct sp_why *why, struct sp_span p7m, struct sp_span tsr);
void sign_and_store(struct certd *c, const struct sp_postmark *postmark, sign_fn *fn, void *arg);

/* Signs what was decided up to before_ms and is not signed: after a crash, or when the database failed in between. */
void sweep(struct certd *c, uint64_t before_ms);

/* Letters to senders: your postmark is there. kick: there may be a new one to send. */
SP_MUST_CHECK enum sp_status notices_new(struct certd *c, struct notices **ret_notices, struct sp_why *why);
void notices_free(struct notices *n);
void notices_kick(struct notices *n);

/* certd --enrol TOKEN, --enrol-tsa TOKEN: the exit status. */
int become(const struct settings *settings, enum sp_role role, const char *token);

/* The folder of the certd's or the tsa's keys below the setting state, appended. */
void become_folder(const struct settings *settings, enum sp_role role, struct sp_buf *out);

/* Runs until it is told to stop; the exit status. */
int certd_run(const struct settings *settings, const struct sp_handler *handlers, size_t nhandlers);

#endif
