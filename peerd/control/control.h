/*
 * control.h - the control API: HTTP and JSON on HOME/control, as docs/control.md describes it. The only way in for the
 * sealpost command. Main loop only.
 */
#ifndef PEERD_CONTROL_CONTROL_H
#define PEERD_CONTROL_CONTROL_H

#include "peerd/peer.h"

struct control;

/* Opens the socket. peer is borrowed; its rooms may still be missing. */
SP_MUST_CHECK enum sp_status control_new(struct peer *peer, struct control **ret_control, struct sp_why *why);
void control_free(struct control *c);
SP_AUTO_DEFINE(control);

/* Begins to watch peer->events, once they are there. */
void control_watch(struct control *c);

#endif
