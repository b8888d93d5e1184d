/*
 * feed.h - inside peerd/control: the last rows of what happened, numbered, and the long polls that wait for the next.
 */
#ifndef PEERD_CONTROL_FEED_H
#define PEERD_CONTROL_FEED_H

#include <jansson.h>

#include "common/base/id.h"
#include "common/net/loop.h"
#include "peerd/store/event.h"

#define FEED_ROWS 4096		/* kept; whoever is further behind is told of the gap */
#define FEED_POLLS 64		/* waiting at once */

struct feed;
struct call;

/* Numbers begin beyond every earlier start's (the wall clock in microseconds), so that they rise over restarts too. */
struct feed *feed_new(struct sp_loop *loop);
void feed_free(struct feed *f);		/* polls are answered empty */
SP_AUTO_DEFINE(feed);

uint64_t feed_last(const struct feed *f);

/* Adds a row and wakes polls. what NULL: progress, which replaces the event's progress row before. */
void feed_add(struct feed *f, const struct event_row *row, const char *what);

/* Answers the call now if there is a row after, else when one comes or wait_ms have passed. id NULL: of all events. */
void feed_poll(struct feed *f, struct call *c, uint64_t after, const struct sp_id *id, uint64_t wait_ms);

#endif
