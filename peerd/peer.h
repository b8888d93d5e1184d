/*
 * peer.h - the rooms of a running peerd, as main.c opens them and the control API finds them.
 */
#ifndef PEERD_PEER_H
#define PEERD_PEER_H

#include "peerd/events/events.h"
#include "peerd/settings.h"

/* book, post, wallet and events are NULL until the station is enrolled. Everything is owned by main.c. */
struct peer {
	const char *home;
	struct peer_settings settings;
	struct sp_loop *loop;
	struct store *store;
	struct member *station;
	struct book *book;
	struct post *post;
	struct wallet *wallet;
	struct events *events;
	struct control *control;
	struct sp_timer *roster_timer;	/* the roster is fetched daily */
	bool ready;		/* the book is loaded, events go on */
};

/* Opens the rooms that need an identity; called at start when there is one, and after an enrolment. */
typedef void peer_done_fn(void *arg, enum sp_status st, const struct sp_why *why);
void peer_begin(struct peer *p, peer_done_fn *fn, void *arg);

#endif
