/*
 * live.h - inside peerd/events: a pending event in memory, and the one way in which it moves: look the row of its machine
 * up, save, then act. Happenings that come while a save is under way wait their turn.
 */
#ifndef PEERD_EVENTS_LIVE_H
#define PEERD_EVENTS_LIVE_H

#include "common/base/clock.h"
#include "common/net/client.h"
#include "common/net/worker.h"
#include "common/statements/accept.h"
#include "common/statements/frank.h"
#include "common/statements/offer.h"
#include "peerd/events/events.h"
#include "peerd/events/fields.h"
#include "peerd/store/wallet.h"

#define LIVE_BUCKETS 1024
#define LIVE_WAITING 8		/* happenings that can wait for a save */
#define LIVE_WORDS 200

struct waiting {
	int happening;
	char words[LIVE_WORDS];
};

struct live {
	struct events *all;			/* borrowed */
	struct live *next, *next_of_peer;	/* of the bucket */
	const struct machine *machine;
	struct event_row *row;			/* owned */
	uint64_t keeping;		/* generation whose postmarked receipt is being written */
	bool kept, has_peer;			/* it is in the store; peer_cert is known */
	uint64_t generation;			/* of data orders and worker jobs: older answers are stale */

	bool saving;				/* also while it is held */
	const struct machine_row *moving;	/* what the save under way is for */
	char words[LIVE_WORDS];			/* its words for people */
	struct { events_rows_fn *fn; void *arg; } told;		/* whoever ordered the move under way, once it is saved */
	struct waiting waiting[LIVE_WAITING];
	size_t nwaiting;

	struct sp_timer *timer;			/* owned; fires on_timer */
	int on_timer;
	struct sp_timer *save_timer;		/* owned; a save that could not be queued or failed is tried again */
	uint64_t letter;			/* handle of the letter that is out, 0 = none */
	struct sp_client *client;		/* of the request that is out at a service, NULL = none */
	struct sp_id request;			/* its id */
	struct sp_hash offer_hash;		/* of row->offer, once there is one */
	struct sp_hash peer_cert;		/* certificate of the other station: live_peer() */
	struct sp_frank frank;			/* sending: what will be spent (price 0: nothing); receiving: being checked */

	/* sending */
	char *address;				/* owned: "host:port" of the order, or NULL */
	struct source *source;			/* owned, unless a data thread has it */
	struct sp_accept accept;		/* the recipient's, with the address it came from */
	struct sp_addr to;
	struct sp_buf files_txt;		/* of what was sent */
	struct post_in *done_in;		/* DONE, to be answered when it is saved */
	bool reported;				/* creditd was asked to be told, before serials are reserved */
	bool connected;				/* both sides have proved themselves since the last accept */
	uint64_t rest, wire;			/* bytes of the packet that the last connection sent, and what they went as */
	bool settled_early;			/* DONE came before our own data thread had finished */
	uint32_t fetches, asks;			/* tries to get the receipt or the late postmark; one that is being made */
	uint32_t waits;				/* times in a row that it was told to wait, or nobody was there */
	uint64_t offered_ms;			/* boot clock: when it was offered last and answered */

	/* receiving */
	struct post_in *offer_in;		/* to be answered with ACCEPT when that is saved */
	bool reserving;				/* what is held of an earlier connection is being looked up for it */
	struct post_in *frank_in;		/* its frank is being checked */
	struct sp_buf sheet_in;			/* THING with its sheet, while the signer's certificate is asked for */
	struct sp_accept own;			/* our accept, with its token */
	struct sp_x25519_pair one_time;
	struct sp_hash accept_hash;
	struct data_result *result;		/* owned: what the data thread left */
	uint32_t clashes;
	uint32_t tells;				/* times that DONE went unanswered */
	bool handed_in;				/* what is handed in for it is an event of its own by now */

	/* top-ups */
	bool refreshed;				/* the roster was fetched to find a signer */
};

struct events {
	struct events_parts parts;
	struct events_conf conf;		/* texts owned */
	struct data_pool *pool;			/* owned */
	struct sp_worker *files;		/* owned: one thread for files, syncs and renames, in order */
	struct live *buckets[LIVE_BUCKETS];
	struct live *peers[LIVE_BUCKETS];	/* the same, by the other station's certificate */
	struct presence *presence;		/* owned: says that we are here; NULL before the start */
	size_t pending;
	events_observe_fn *observe;
	void *observe_arg;
	uint64_t generations;
	struct sp_sheet *sheets;		/* owned: SP_FRANK_SHEETS of senders, the oldest is replaced */
	size_t next_sheet;
	uint64_t roster_ms;			/* boot clock: when the roster was asked for last; 0: never */
	bool stopping;				/* peerd ends, not the transfers */
	struct sp_minute refusals;		/* strangers' refusals that are logged */
	struct sp_minute credit_drops;		/* and answers of creditds that are dropped */
};

/* Makes a live event around a row (taken) and enters it; NULL when out of memory (row freed). live_back: around one that the
 * store has, its other station looked up in the book. */
struct live *live_new(struct events *e, struct event_row *row);
struct live *live_back(struct events *e, struct event_row *row);

/* Takes it out and frees it; what it has under way is cancelled. */
void live_free(struct live *l);

struct live *live_find(const struct events *e, const struct sp_id *id, enum event_kind kind, const char *peer);

/* The other station's certificate is known. Of events.peers: those for the events with that station. */
void live_peer(struct live *l, const struct sp_hash *cert);
size_t live_peer_bucket(const struct sp_hash *cert);

/* The one whose offer has this hash and whose other station has this certificate. */
struct live *live_by_offer(const struct events *e, enum event_kind kind, const struct sp_hash *offer,
    const struct sp_hash *peer_cert);

/* Something happened. words: for the history, NULL = the new state's own. May free l when its life has ended. */
void live_happens(struct live *l, int happening, const char *words_fmt, ...) SP_PRINTF(3, 4);

/* The first save of a new event; happening follows when it is durable. It is queued when this returns: what is saved later is
 * durable no earlier. false: the store is full, and l is gone. */
SP_MUST_CHECK bool live_begin(struct live *l, int happening, const char *words);

/* Would it be followed in the present state? */
bool live_heeds(const struct live *l, int happening);

/* Notes a failure's reason in the row, for the next save; live_no_reason() takes it out. */
void live_reason(struct live *l, enum sp_status st, const struct sp_why *why);
void live_no_reason(struct live *l);

/* happening comes after ms unless something else moves the event first. */
void live_timer(struct live *l, uint64_t ms, int happening);

/* Between the two nothing happens to it, and it stays: the store was asked, and its answer decides what happens next. */
void live_hold(struct live *l);
void live_go_on(struct live *l);

/* After live_go_on() when nothing followed from the answer: what waited happens now. May free l. */
void live_next(struct live *l);

/* Writes to the other station. Only one letter is out at a time: an earlier one is waited for no more. false: out of
 * memory, and fn is not called. */
SP_MUST_CHECK bool live_ask(struct live *l, bool tcp, unsigned type, const void *msg, post_answer_fn *fn);

/* The letter that is out, if any, is waited for no more. */
void live_unask(struct live *l);

/* Asks a service of this role. Only one request is out at a time: an earlier one is waited for no more. fn (arg: l) is called
 * once, never within this call, and calls live_answered() first. On failure it is not called. */
SP_MUST_CHECK enum sp_status live_request(struct live *l, enum sp_role role, const struct sp_id *id, unsigned type,
    const void *msg, sp_answer_fn *fn, struct sp_why *why);
void live_answered(struct live *l);

/* A station has written, or answered that it is there: what waits for it goes on. */
void events_heard(struct events *e, const struct sp_hash *cert, bool started);

/* Answers a letter with a plain status. */
void events_answer(struct events *e, struct post_in *in, enum sp_status st);

/* A service did not answer or is not known: asks keyd for the roster, at most once a minute. */
void events_refresh(struct events *e);

/* Does the roster know one that postmarks receipts? */
bool events_know_certd(const struct events *e);

/* Takes back what is out: letter, request, timer, data order, worker answers, a frank that waits for its sheet. */
void live_quiet(struct live *l);

/* Removes a transfer's incoming folder, on the worker. */
void events_discard(struct events *e, const char *id_text);

/* Paths: HOME/transfers/ID (a folder for what a transfer keeps), appended to out. */
void events_transfer_dir(const struct events *e, const struct sp_id *id, struct sp_buf *out);

/* outgoing.c: HOME/outgoing/ID, what a sending needs to go on after a restart; its removal, and at start that of all that
 * belong to none of these transfers and to no failed sending that may still be tried again. */
void outgoing_dir(const struct events *e, const struct sp_id *id, struct sp_buf *out);
void outgoing_remove(struct events *e, const struct sp_id *id);
void outgoing_sweep(struct events *e, const struct sp_id *live, size_t count);

/* live_timer() for the next of several tries: after first_ms, then twice as long each time, up to most_ms. Counts the try. */
void live_timer_again(struct live *l, uint32_t *tries, uint64_t first_ms, uint64_t most_ms, int happening);

/* Tells whoever observes events how this one stands; words: what happened, NULL for progress. */
void live_observe(const struct live *l, const char *words);

/* The next move is an order of the user's: fn gets the row when it is on the disk. Call before live_happens(). */
void live_order(struct live *l, events_rows_fn *fn, void *arg);

/* Adds a line to row->notes. */
void live_note(struct live *l, struct sp_span text);

#endif
