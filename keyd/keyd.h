/*
 * keyd.h - what the parts of a running keyd share. All of it belongs to the loop's thread; the office is read by
 * signers.
 */
#ifndef KEYD_KEYD_H
#define KEYD_KEYD_H

#include "common/base/log.h"
#include "common/daemon/daemon.h"
#include "common/net/rates.h"
#include "keyd/office.h"
#include "keyd/settings.h"

struct keyd {
	const struct settings *settings;
	struct office *office;
	struct sp_daemon daemon;	/* listens when the database knows us */
	struct sp_timer *renew_timer;
	uint8_t challenge_secret[32];	/* of this process */
	struct sp_log_gate refusals, limits;
	struct sp_rates *guesses;	/* owned */
};

/* Handlers; arg is struct keyd. */
void on_enrol_begin(void *arg, struct sp_request *rq);
void on_enrol(void *arg, struct sp_request *rq);
void on_lookup(void *arg, struct sp_request *rq);
void on_roster(void *arg, struct sp_request *rq);

/* Runs until it is told to stop; the exit status. */
int keyd_run(const struct settings *settings, const struct sp_handler *handlers, size_t nhandlers);

#endif
