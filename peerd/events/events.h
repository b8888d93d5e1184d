/*
 * events.h - units of work: sending and receiving packets, from order or offer to receipt. The tables are send.def and
 * receive.def; what is promised to others or shown as done was saved before. Main loop only.
 */
#ifndef PEERD_EVENTS_EVENTS_H
#define PEERD_EVENTS_EVENTS_H

#include "common/net/loop.h"
#include "peerd/data/data.h"
#include "peerd/events/machine.h"
#include "peerd/letters/post.h"
#include "peerd/store/event.h"
#include "peerd/wallet/report.h"

struct events;

struct events_conf {
	const char *home;		/* receipts and the files of transfers lie below it */
	const char *received;		/* receiving folder */
	bool keep_links;		/* make links that point outside their packet */
	uint64_t bytes_max;		/* largest packet taken, sum of file sizes; 0 = any */
	uint32_t attempts;		/* connection attempts of a send */
	uint32_t breaks;		/* of its connections in a row without progress, then it is given up */
	uint64_t resume_buffer;		/* bytes before a break that are asked for again */
	bool ask;			/* what is offered waits for the user */
	uint64_t life_ms;		/* of a pending event */
	const char *organisation;	/* "" = none */
	const char *return_host;	/* where this station can be called back; "" = where its letters come from */
	struct data_settings data;
};

/* The rooms that events use; all borrowed. conf's texts are copied. */
struct events_parts {
	struct sp_loop *loop;
	struct store *store;
	struct member *station;
	struct book *book;
	struct post *post;
	struct wallet *wallet;
};

SP_MUST_CHECK enum sp_status events_new(const struct events_parts *parts, const struct events_conf *conf,
    struct events **ret_events, struct sp_why *why);
void events_free(struct events *e);
SP_AUTO_DEFINE(events);

/* Loads what is pending and goes on with it; left-over incoming folders are removed. Once, when the station is enrolled. */
typedef void events_done_fn(void *arg, enum sp_status st, const struct sp_why *why);
void events_start(struct events *e, events_done_fn *fn, void *arg);

struct events_order {
	const char *const *to;		/* names of persons or stations */
	size_t nto;
	const char *const *paths;	/* absolute */
	size_t npaths;
	const char *title, *message;	/* NULL = none */
	uint8_t klass;			/* enum sp_receipt_class; 0: postmarked where a certd is known, else direct */
	const char *address;		/* "host:port" for this order only, or NULL */
	bool wait_for_peer;		/* wait for recipients that do not answer */
};

/* Rows are borrowed during the call. */
typedef void events_rows_fn(void *arg, enum sp_status st, const struct sp_why *why, const struct event_row *const *rows,
    size_t count);

/* One event for each name, durable before fn is called. SP_E_NOKEY for a name that is not in the book, SP_E_ARGUMENT. */
void events_send(struct events *e, const struct events_order *order, events_rows_fn *fn, void *arg);

/* Asks creditd for credits on an account: one event, durable before fn is called. SP_E_ARGUMENT, SP_E_ACCOUNT (none is named),
 * SP_E_STATE (no creditd is known), SP_E_EXISTS (one is pending). */
void events_credit(struct events *e, uint32_t number, const char *account, events_rows_fn *fn, void *arg);

/* Cancels a pending event. SP_E_NOTFOUND, SP_E_STATE (it is too late). */
void events_cancel(struct events *e, const struct sp_id *id, events_rows_fn *fn, void *arg);

/* A sending that has failed or was cancelled begins again, under its id and with what it paid with. SP_E_NOTFOUND, SP_E_STATE
 * (it did not end so), SP_E_NOKEY (the recipient is not in the book any more). */
void events_retry(struct events *e, const struct sp_id *id, events_rows_fn *fn, void *arg);

/* The user takes or refuses what a station has offered and waits for that; the same again is fine. row: as the store has it.
 * SP_E_STATE (it does not wait for that). */
void events_decide(struct events *e, const struct event_row *row, bool take, events_rows_fn *fn, void *arg);

/* The machine of a kind; NULL for a kind that has none. */
const struct machine *events_machine(enum event_kind kind);

/* Where a pending event stands now (with its progress), NULL if it is not pending. Borrowed until the loop's next turn. */
const struct event_row *events_live(const struct events *e, const struct sp_id *id, enum event_kind kind);
size_t events_pending(const struct events *e);

/* Offers that wait for the user. */
size_t events_asked(const struct events *e);

/* Called after each saved change (what: words for people) and for progress (what NULL). One observer. */
typedef void events_observe_fn(void *arg, const struct event_row *row, const char *what);
void events_observe(struct events *e, events_observe_fn *fn, void *arg);

#endif
