/*
 * hand_in.h - inside peerd/events: what a recipient hands in after a delivery, as an event of its own, so that a service that is
 * away holds up nobody.
 */
#ifndef PEERD_EVENTS_HAND_IN_H
#define PEERD_EVENTS_HAND_IN_H

#include "peerd/events/live.h"

enum hand_in_happening {
#define STATE(number, NAME, ended, text)
#define HAPPENING(NAME) HAND_IN_ON_##NAME,
#define ROW(FROM, ON, TO, action)
#define KEEP(FROM, ON, action)
#include "peerd/events/hand_in.def"
#undef STATE
#undef HAPPENING
	HAND_IN_HAPPENINGS
};
enum hand_in_state {
#define STATE(number, NAME, ended, text) HAND_IN_##NAME = number,
#define HAPPENING(NAME)
#include "peerd/events/hand_in.def"
#undef STATE
#undef HAPPENING
#undef ROW
#undef KEEP
};

/* What is to be handed in for a receiving that is placed, if anything, becomes an event, which is queued for the store when
 * this returns. Again: nothing. false: the store is full; to be tried again before the receiving may end. */
SP_MUST_CHECK bool hand_in(struct live *received);

#endif
