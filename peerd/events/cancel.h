/*
 * cancel.h - inside peerd/events: the signed CANCEL of either side.
 */
#ifndef PEERD_EVENTS_CANCEL_H
#define PEERD_EVENTS_CANCEL_H

#include "peerd/events/live.h"

void cancel_start(struct events *e);			/* takes CANCEL */

/* Signs CANCEL{reason} into row->final, to be saved before it leaves. Nothing if there was no offer yet. */
void live_sign_cancel(struct live *l, enum sp_status reason);

/* Sends row->final (a CANCEL) to the other station, with all tries, and forgets about it. */
void live_send_cancel(struct live *l);

#endif
