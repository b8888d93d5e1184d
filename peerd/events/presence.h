/*
 * presence.h - inside peerd/events: a station that starts says so, with a PING, to whom something of it waits for and to its
 * book, so that what waits at both ends goes on at once instead of at the next try.
 */
#ifndef PEERD_EVENTS_PRESENCE_H
#define PEERD_EVENTS_PRESENCE_H

#include "peerd/events/live.h"

/* After the pending events are loaded. Without memory nothing is said: the next tries do the rest. */
void presence_start(struct events *e);
void presence_free(struct presence *p);

#endif
