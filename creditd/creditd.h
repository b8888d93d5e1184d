/*
 * creditd.h - what the parts of a running creditd share. All of it belongs to the loop's thread; workers read the tariff and
 * the member's key only.
 */
#ifndef CREDITD_CREDITD_H
#define CREDITD_CREDITD_H

#include "common/daemon/caller.h"
#include "common/daemon/daemon.h"
#include "creditd/db.h"
#include "creditd/settings.h"

struct creditd {
	struct sp_daemon daemon;
	const struct settings *settings;
	struct sp_tariff tariff;
	struct sp_caller *caller;
	struct sp_timer *again;		/* answers that were not brought yet */
	bool asked_before;		/* for those */
};

/* Handlers; arg is struct creditd. */
void on_topup(void *arg, struct sp_request *rq);
void on_topup_get(void *arg, struct sp_request *rq);
void on_sheet_state(void *arg, struct sp_request *rq);
void on_give_back(void *arg, struct sp_request *rq);
void on_lodge(void *arg, struct sp_request *rq);

/* Signs and brings what a start before this one, or a lost letter, left behind; arg is struct creditd. Sets the timer. */
void topup_again(void *arg);

/* --sign-tariff STEPS: prints the line that loads the prices into keyd; the exit status. */
int tariff_print(const struct settings *s, const char *text);

#endif
