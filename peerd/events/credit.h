/*
 * credit.h - inside peerd/events: what the files of a top-up share. credit.c has the machine and the requests, credit_answer.c
 * what creditd answers.
 */
#ifndef PEERD_EVENTS_CREDIT_H
#define PEERD_EVENTS_CREDIT_H

#include "common/statements/sheet.h"
#include "peerd/events/live.h"

enum credit_happening {
#define STATE(number, NAME, ended, text)
#define HAPPENING(NAME) CREDIT_ON_##NAME,
#define ROW(FROM, ON, TO, action)
#define KEEP(FROM, ON, action)
#include "peerd/events/credit.def"
#undef STATE
#undef HAPPENING
	CREDIT_HAPPENINGS
};
enum credit_state {
#define STATE(number, NAME, ended, text) CREDIT_##NAME = number,
#define HAPPENING(NAME)
#include "peerd/events/credit.def"
#undef STATE
#undef HAPPENING
#undef ROW
#undef KEEP
};

/* An answer of creditd, however it came; in: the letter it came in, answered once what it says is durable, or NULL. The event
 * goes on with GRANTED, DENIED or not at all. */
void credit_take(struct live *l, const struct sp_credit_answer *answer, const struct member_service *signer,
    struct sp_span statement, struct sp_span signature, struct post_in *in);

/* Opens an answer to this very request, signed by the creditd of our domain and roster that has this certificate. */
SP_MUST_CHECK enum sp_status credit_check(struct live *l, struct sp_span statement, struct sp_span signature,
    const struct sp_hash *cert, const struct member_service **ret_signer, struct sp_credit_answer *ret_answer,
    struct sp_why *why);

/* Takes the letters of creditds. */
void credit_start(struct events *e);

#endif
