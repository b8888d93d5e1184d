/*
 * receive.h - inside peerd/events: what the files of a recipient share. receive.c has the machine, receive_offer.c the
 * offers, decide.c what the user decides on them, receive_frank.c the payment, placing.c the way from "checked" to "placed", receive_letters.c DONE and what a sender asks for afterwards.
 */
#ifndef PEERD_EVENTS_RECEIVE_H
#define PEERD_EVENTS_RECEIVE_H

#include "peerd/events/live.h"

enum receive_happening {
#define STATE(number, NAME, ended, text)
#define HAPPENING(NAME) RECEIVE_ON_##NAME,
#define ROW(FROM, ON, TO, action)
#define KEEP(FROM, ON, action)
#include "peerd/events/receive.def"
#undef STATE
#undef HAPPENING
	RECEIVE_HAPPENINGS
};
enum receive_state {
#define STATE(number, NAME, ended, text) RECEIVE_##NAME = number,
#define HAPPENING(NAME)
#include "peerd/events/receive.def"
#undef STATE
#undef HAPPENING
#undef ROW
#undef KEEP
};

/* It can't go on: the reason and a signed CANCEL are noted, then FAILURE. */
void receive_fail(struct live *l, enum sp_status st, const struct sp_why *why);

/* Actions. */
void receive_accept(struct live *l);		/* receive_offer.c */
void receive_await(struct live *l);		/* receive.c */
void receive_refuse(struct live *l);
void receive_ask_to_wait(struct live *l);
void receive_sync(struct live *l);		/* placing.c */
void receive_move(struct live *l);
void receive_tell(struct live *l);		/* receive_letters.c */
void receive_tell_later(struct live *l);
void receive_answer_done(struct live *l);

void receive_release(struct live *l);		/* receive_frank.c */

void receive_await(struct live *l);		/* receive.c: until its life ends */
void receive_call(struct live *l);		/* decide.c: the sender may offer again */
void receive_call_refused(struct live *l);
void receive_tell_soon(struct live *l);

/* REFUSE signed into row->final. */
SP_MUST_CHECK enum sp_status receive_sign_refuse(struct events *e, struct event_row *row, const struct sp_hash *offer,
    enum sp_status reason);

/* ---- payment (receive_frank.c) ---- */
/* Must a sender of our domain pay for this? By the prices that we know. */
bool receive_is_due(const struct events *e, uint64_t bytes);
void receive_frank_start(struct events *e);	/* takes FRANK, and GET of sheets */
void receive_frank_done(struct events *e);

/* The event ends with a signed REFUSE as the answer to this letter (NULL: when the sender asks). */
void receive_turn_down(struct live *l, struct post_in *in, enum sp_status reason);

/* Answers a letter with the DONE of row->done. */
void receive_reply_done(struct live *l, struct post_in *in);

/* What another sender's letter is told about an event that has ended: DONE, REFUSE or CANCEL as it was signed. */
void receive_reply_ended(struct events *e, const struct event_row *row, struct post_in *in);

/* Signs DONE for a receipt (made before; none in class none) into row->done. */
SP_MUST_CHECK enum sp_status receive_sign_done(struct live *l, bool part, struct sp_why *why);

/* It cannot be taken now, for this reason: WAIT answers the letter (NULL: there is none), and the event stays; a new one is
 * forgotten, and l with it. */
void receive_not_now(struct live *l, struct post_in *in, enum sp_status st);

/* So much is held: the offer that waits for this is accepted. */
void receive_reserved(struct live *l, uint64_t held);

/* What the data threads must know of the offer in l->row. SP_E_FORMAT, SP_E_RANGE. */
SP_MUST_CHECK enum sp_status receive_order(const struct live *l, struct data_receive_order *ret_order, struct sp_why *why);

/* Takes offers; takes RECEIPT and FILES. */
void receive_offer_start(struct events *e);
void receive_letters_start(struct events *e);

/* What a data thread says; the letter types of recipients. */
void receive_data(struct live *l, struct data_happening *h);
void receive_start(struct events *e);

#endif
