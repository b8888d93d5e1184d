/*
 * send.h - inside peerd/events: what the files of a sender share. send.c has the machine and the walk, send_offer.c the
 * letters, again.c the waiting for a recipient, send_frank.c the credits, fetch.c the receipt, postmarking.c its postmark.
 */
#ifndef PEERD_EVENTS_SEND_H
#define PEERD_EVENTS_SEND_H

#include "peerd/events/live.h"

enum send_happening {
#define STATE(number, NAME, ended, text)
#define HAPPENING(NAME) SEND_ON_##NAME,
#define ROW(FROM, ON, TO, action)
#define KEEP(FROM, ON, action)
#include "peerd/events/send.def"
#undef STATE
#undef HAPPENING
	SEND_HAPPENINGS
};
enum send_state {
#define STATE(number, NAME, ended, text) SEND_##NAME = number,
#define HAPPENING(NAME)
#include "peerd/events/send.def"
#undef STATE
#undef HAPPENING
#undef ROW
#undef KEEP
};

/* An attempt failed: tried again if the reason allows it and an attempt is left, else the event fails. */
void send_attempt_failed(struct live *l, enum sp_status st, const struct sp_why *why);

/* It can't go on: the reason and a signed CANCEL are noted, then FAILURE. */
void send_fail(struct live *l, enum sp_status st, const struct sp_why *why);

/* Bytes of the tar that the accept in hand says are held. */
uint64_t send_held(const struct live *l);
/* ---- waiting (again.c) ---- */
/* Accepted after the last attempt there is: nothing has ended it there, so it fails for the reason noted. */
bool send_has_ended(struct live *l);

/* The recipient asks to wait, not before then (0: it does not say); or nobody is there. */
void send_told_to_wait(struct live *l, enum sp_status reason, uint64_t not_before_ms);
void send_away(struct live *l, const char *words);

/* No transfer can be begun here now; or one side had no room for this one: it is tried again soon, until its life ends. */
void send_wait_turn(struct live *l);
void send_no_room(struct live *l, enum sp_status st, const struct sp_why *why);
void send_wait(struct live *l);
void send_wait_less(struct live *l);
void send_again_start(struct events *e);	/* takes AGAIN */

/* Too many are listed at once, descriptors are used up, or the database has no room: the walk is made again. */
void send_walk_soon(struct live *l);

/* Actions with letters (send_offer.c) and of the receipt (fetch.c). */
void send_offer(struct live *l);
void send_fetch(struct live *l);
void send_fetch_later(struct live *l);
void send_postmark(struct live *l);		/* postmarking.c */
void send_postmark_soon(struct live *l);
void send_postmark_later(struct live *l);
void send_postmark_start(struct events *e);	/* takes RECEIPT_READY */

/* The way of the credits (send_frank.c). After a walk: reserves the price, then send_walked(). */
void send_price(struct live *l);
void send_walked(struct live *l);

/* Accepted: the frank is signed, then the event goes on with ACCEPTED. */
void send_make_frank(struct live *l);

/* Sends row->frank, if there is one, while the data connection is made. */
void send_frank(struct live *l);

/* The end: the serials are spent, or void, or free again. */
void send_spend(struct live *l);

/* A signed REFUSE of the recipient ends the event. */
void send_refused(struct live *l, const struct sp_msg_refuse_letter *letter);

/* A REFUSE or CANCEL of the recipient, opened already, does: it is kept. words: for people, before the reason. */
#define SEND_GIVEN_UP_WORDS "given up by the recipient"
void send_peer_ended(struct live *l, struct sp_span statement, struct sp_span signature, enum sp_status reason, int happening,
    const char *words);

/* Makes and signs the offer of l->source, or compares it with the one made before. */
SP_MUST_CHECK enum sp_status send_make_offer(struct live *l, struct sp_why *why);

/* DONE, however it came. in: the letter to answer once it is saved, or NULL. false: it is not good (why says so). */
SP_MUST_CHECK bool send_take_done(struct live *l, struct sp_span statement, struct sp_span signature, struct post_in *in,
    struct sp_why *why);

/* DONE of a sending that is not pending (late.c). in: to be answered, or NULL. */
void send_done_late(struct events *e, const struct sp_msg_done_letter *m, struct post_in *in);

/* A DONE that came before our own data thread had finished. */
void send_settle_early(struct live *l);

/* Answers the DONE letter that waited for its save. */
void send_answer_done(struct live *l);

/* What a data thread says; the letter types of senders. */
void send_data(struct live *l, struct data_happening *h);
void send_start(struct events *e);

#endif
