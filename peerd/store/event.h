/*
 * event.h - events at rest: a row each, and their history as numbered rows. The machines are in peerd/events/; this
 * file knows columns only.
 */
#ifndef PEERD_STORE_EVENT_H
#define PEERD_STORE_EVENT_H

#include "common/base/buf.h"
#include "common/base/span.h"
#include "peerd/store/store.h"

enum event_kind { EVENT_SEND = 1, EVENT_RECEIVE = 2, EVENT_CREDIT = 3, EVENT_POSTMARK = 4, EVENT_LODGE = 5 };

/* One event. Heap; every text and buffer is owned; NULL text = none. state is the number of the kind's own
 * machine. */
struct event_row {
	struct sp_id id;		/* the transfer, made by the sender; the row's key with kind and peer */
	enum event_kind kind;
	int state;
	bool ended;			/* the state is final: not loaded at start */
	uint64_t created_ms, due_ms, until_ms, ended_ms;	/* wall time */
	uint32_t attempts;
	char *peer;			/* the other station, "bob/laptop@post.example" */
	char *title, *message;
	uint8_t klass;			/* receipt class 1..4 */
	uint32_t price;
	uint64_t files, bytes, packet;	/* as in OFFER */
	uint64_t done_bytes;		/* of the tar, so far (kept at state changes only) */
	uint32_t accept_number;		/* last ACCEPT made */
	enum sp_status reason;		/* why it failed or was refused; SP_OK otherwise */
	char *reason_text;
	char *paths;			/* send: the PATHs, a line each, %-escaped; receive: where it was placed */
	uint64_t place_inode;		/* receive, "placing": inode of the packet's folder */
	char *notes;			/* left-out links, changed files …, a line each */
	char *receipt;			/* path of the .receipt, when there is one */
	bool unread;
	struct sp_buf offer, offer_signature;	/* statement bytes as signed */
	struct sp_buf accept, accept_signature;
	struct sp_buf done, done_signature;
	struct sp_buf final, final_signature;	/* REFUSE or CANCEL */
	struct sp_buf frank, frank_signature;
	struct sp_buf receipt_p7m;
	struct sp_hash salt;		/* send: of the manifest, so that the same packet can be made again */
	struct sp_hash trailer, files_hash;	/* of TRAILER and files.txt */
	struct sp_buf cert;		/* receive, postmark, lodge: the sender's certificate at that time, DER */
	uint32_t breaks;		/* send: connections lost in a row without progress */
	uint64_t held;			/* send: bytes of the tar that the recipient said it holds, at most so far */
	uint8_t payment;		/* enum sp_payment as certd or creditd said; 0: neither did */
	bool wait_peer;			/* send: wait for a recipient that does not answer, instead of failing */
};

struct event_row *event_row_new(void);
void event_row_free(struct event_row *row);
SP_AUTO_DEFINE(event_row);
struct event_row *event_row_copy(const struct event_row *row);	/* NULL when out of memory */

/* Writes the row (insert or replace by id, kind and peer: another station's transfer may bear the same id) and, if
 * what is not NULL, a history row with these words (shown to the user). The row is copied. SP_E_FULL as
 * store_submit(). fn may be NULL. */
SP_MUST_CHECK enum sp_status store_event_save(struct store *s, const struct event_row *row, const char *what,
    store_done_fn *fn, void *arg);

/* Notes payment and receipt of row in the row of another kind with its id and peer (nothing if there is none), and what for
 * its history. As store_event_save(); without an answer. */
SP_MUST_CHECK enum sp_status store_event_payment(struct store *s, const struct event_row *row, enum event_kind kind,
    const char *what);

/* Rows; the array and rows are the callee's to keep or free (event_rows_free). */
typedef void store_rows_fn(void *arg, enum sp_status st, struct event_row **rows, size_t count);
void event_rows_free(struct event_row **rows, size_t count);
SP_MUST_CHECK enum sp_status store_events_open(struct store *s, store_rows_fn *fn, void *arg);	/* not ended */

/* What is handed in belongs to a receiving, which shows it: EVENTS_ALL has of that only what failed. */
enum event_filter { EVENTS_ALL, EVENTS_PENDING, EVENTS_SENT, EVENTS_RECEIVED, EVENTS_FAILED, EVENTS_CREDITS };
/* Newest first, at most limit (and SP_STORE_ROWS), older than before_ms (0 = now). */
SP_MUST_CHECK enum sp_status store_events_list(struct store *s, enum event_filter filter, uint64_t before_ms,
    uint32_t limit, store_rows_fn *fn, void *arg);

/* By id (usually 0 or 1 row; 2 where one sends to oneself) or by a unique prefix of its text form of >= 4 characters.
 * SP_E_FORMAT if it is neither, SP_E_ARGUMENT if events of several ids begin so. */
SP_MUST_CHECK enum sp_status store_event_find(struct store *s, const char *id_or_prefix, store_rows_fn *fn,
    void *arg);

/* History, numbered rising from 1. Texts are owned by the array. */
struct history_row {
	uint64_t seq, time_ms;
	struct sp_id id;
	enum event_kind kind;
	int state;
	char *what;
};
typedef void store_history_fn(void *arg, enum sp_status st, const struct history_row *rows, size_t count);
/* After seq, at most limit rows, of one event or (id NULL) of all. */
SP_MUST_CHECK enum sp_status store_history(struct store *s, uint64_t after, const struct sp_id *id, uint32_t limit,
    store_history_fn *fn, void *arg);

#endif
