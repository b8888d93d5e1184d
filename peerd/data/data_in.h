/*
 * data_in.h - what the rooms of peerd/data share: orders to a data thread, news from it, and the thread itself.
 *
 * The main loop (pool.c) owns the table of transfers and the queues' bounds: whatever a thread must be told or must
 * tell has room by construction. A thread (thread.c) owns its transfers and their connections; nothing else is
 * shared. What may take long, as reading again what lies there from before a break, a thread's helper does.
 */
#ifndef PEERD_DATA_DATA_IN_H
#define PEERD_DATA_DATA_IN_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "common/base/log.h"
#include "common/net/socket.h"
#include "common/net/worker.h"
#include "peerd/data/data.h"
#include "peerd/data/link.h"
#include "peerd/data/pace.h"
#include "peerd/data/press.h"

/* Room per transfer: send or reserve, start, release, abort, listen, unlisten, what comes back from the sync helper (one each,
 * also of transfers just over); reserved, connected and ended, progress only while half is free. */
#define DATA_ORDERS (10 * SP_DATA_TRANSFERS)
#define DATA_NEWS (6 * SP_DATA_TRANSFERS)

#define DATA_ANSWER_MAX 512	/* longest record that a sender takes: heart-beats, ABORT, END */
#define DATA_LISTENERS 2	/* IPv4 and IPv6 */
#define DATA_PACES 2		/* of all transfers in one direction, and of those with one peer */

enum data_order_what { ORDER_LISTEN, ORDER_UNLISTEN, ORDER_SEND, ORDER_RESERVE, ORDER_START, ORDER_RELEASE, ORDER_ABORT,
    ORDER_SYNC, ORDER_QUIT };

/* SYNC: what the sync helper does for a transfer, and what became of it. */
struct data_sync {
	struct data_thread *back;	/* borrowed: whose transfer it is */
	int folder;			/* owned: its file system is synced first; -1 = none */
	int journal;			/* owned: then this file */
	uint64_t offset;		/* of the tar, that this makes durable */
	bool marked;			/* the journal says so already */
	enum sp_status status;
};

struct data_order {
	enum data_order_what what;
	uint64_t serial;			/* of the transfer, from the pool */
	uint32_t slot;				/* of the transfer in the pool's table */
	int fds[DATA_LISTENERS];		/* LISTEN: owned; -1 = none */
	struct data_send_order send;		/* SEND: source owned */
	struct data_receive_order receive;	/* RESERVE: received owned */
	struct sp_hash accept;			/* START */
	enum sp_status reason;			/* ABORT */
	struct pace *paces[DATA_PACES];		/* SEND, RESERVE: borrowed, until the transfer's last news */
	uint64_t promised;			/* RESERVE: bytes that other transfers are still to receive */
	struct data_sync sync;			/* SYNC */
};
void data_order_free(struct data_order *o);	/* wipes */
SP_AUTO_DEFINE(data_order);

/* A happening on its way to the main loop. */
struct data_news {
	struct data_happening h;
	uint64_t serial;
	uint32_t slot;
};
void data_news_free(struct data_news *n);

struct data_half;
struct data_linger;
struct data_syncer;
struct data_transfer;

struct data_thread {
	/* read-only once it runs */
	struct sp_loop *loop;			/* owned; the thread's once it runs */
	struct sp_queue *in;			/* owned; orders */
	struct sp_queue *news;			/* borrowed from the pool */
	atomic_ullong *refused;			/* likewise */
	struct data_syncer *syncer;		/* likewise */
	struct sp_addr bind;
	size_t chunk;
	enum data_compress compress;
	uint64_t reserve;
	uint32_t idle_ms;
	pthread_t id;
	bool started;

	/* the main loop's */
	uint16_t port;				/* that it listens on; 0 = none */
	unsigned port_users;			/* transfers that still wait for their connection */
	unsigned load;				/* transfers */

	/* the thread's own */
	struct sp_listener *listeners[DATA_LISTENERS];	/* owned */
	LIST_HEAD(, data_transfer) transfers;		/* owned */
	TAILQ_HEAD(, data_half) halves;			/* owned, the oldest first */
	unsigned nhalves;
	struct sp_log_gate refusals;
	LIST_HEAD(, data_linger) lingers;		/* owned */
	unsigned nlingers;
	uint8_t *scratch;				/* owned; DATA_SCRATCH bytes */
	struct press *press;				/* owned; NULL before its first use */
	struct sp_worker *helper;			/* owned; one thread, NULL once it quits */
	bool quits;
};

/* The head of every transfer on a thread: struct data_sender and struct data_receiver begin with it. */
struct data_transfer {
	struct sp_work work;		/* first */
	bool working;			/* it is with the helper, and nobody else's */
	enum sp_status aborted;		/* meanwhile, with this reason; SP_OK: it was not */
	void (*then)(struct data_transfer *x);
	LIST_ENTRY(data_transfer) list;
	struct data_thread *thread;
	struct sp_id id;
	uint64_t generation, serial;
	uint32_t slot;
	bool sending;
	struct data_link link;
	struct sp_timer *timer;		/* owned */
	struct sp_timer *turn;		/* owned; set: the next turn comes with it and not with the socket */
	uint64_t progress_ms;		/* of the last news of progress */
	uint64_t from, bytes;		/* of the tar: where this connection began, and how far it is */
	uint64_t wire;			/* bytes of its data records */
	bool by_peer;			/* it broke because the other side said so */
	struct pace *paces[DATA_PACES];	/* borrowed */
	bool syncing;			/* a job of its is with the sync helper */
	void (*free)(struct data_transfer *t);
};

/* thread.c */
/* The thread's tools for frames, made when they are first needed. */
SP_MUST_CHECK enum sp_status data_thread_press(struct data_thread *t, struct press **ret_press);

SP_MUST_CHECK enum sp_status data_thread_init(struct data_thread *t, const struct data_settings *settings,
    struct sp_queue *news, atomic_ullong *refused, struct data_syncer *syncer, struct sp_why *why);
SP_MUST_CHECK enum sp_status data_thread_start(struct data_thread *t, struct sp_why *why);
void data_thread_done(struct data_thread *t);	/* ends it, its transfers too; all news are out then */

/* Enters a transfer: its head is filled from the order, its timers call on_timer and on_turn with it. SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status data_transfer_enter(struct data_thread *t, struct data_transfer *x,
    const struct data_order *o, sp_timer_fn *on_timer, sp_timer_fn *on_turn);

/* run on the helper's thread, then then on this one, unless it was aborted meanwhile. Its connection, if it has one, is not watched
 * and no timer of its is set until then. */
void data_transfer_work(struct data_transfer *x, void (*run)(struct sp_work *x), void (*then)(struct data_transfer *x));

/* Gives the sync helper a job of this transfer; folder (-1: none) and journal are taken. False: not now. */
bool data_transfer_sync(struct data_transfer *x, int folder_take, int journal_take, uint64_t offset, bool marked);

/* n bytes went or came: its turn timer is set if it is to rest for them. turn: the most for a turn. */
void data_transfer_charge(struct data_transfer *x, uint64_t n);
size_t data_transfer_turn(const struct data_transfer *x);

/* News: what is held and will be stated in ACCEPT; connected; progress (not more than SP_DATA_PROGRESS_MS asks for). */
void data_transfer_reserved(struct data_transfer *x, uint64_t held);
void data_transfer_connected(struct data_transfer *x);
void data_transfer_progress(struct data_transfer *x, uint64_t bytes);

/* The last news of a transfer; it is freed. result is taken. Its link stays for a while if there is something to
 * send. */
void data_transfer_finished(struct data_transfer *x, struct data_result *result);

/*
 * The same for a failure. said_by_peer: the other side knows already; otherwise it is told with ABORT{st} if it can
 * be.
 */
void data_transfer_broken(struct data_transfer *x, enum sp_status st, const struct sp_why *why, bool said_by_peer,
    struct data_result *result);

/* sender.c, receiver.c: begin on the order (which keeps what they do not take), or end at once with news. */
void data_sender_begin(struct data_thread *t, struct data_order *o);
void data_receiver_begin(struct data_thread *t, struct data_order *o);
void data_receiver_start(struct data_transfer *x, const struct sp_hash *accept);
void data_receiver_release(struct data_transfer *x);
void data_sender_abort(struct data_transfer *x, enum sp_status reason);

/* A job is back from the sync helper. */
void data_receiver_synced(struct data_transfer *x, const struct data_sync *job);
void data_sender_synced(struct data_transfer *x, const struct data_sync *job);

/* half.c: connections that have not proved themselves. */
void data_half_accept(void *thread, int fd, const struct sp_addr *from);
void data_half_drop_all(struct data_thread *t);

/* A transfer has begun to wait: some openings may have come before it. */
void data_half_retry(struct data_thread *t);

/* The transfer waits no more: its halves are dropped. */
void data_half_forget(struct data_thread *t, const struct data_transfer *x);

/* linger.c: the last bytes of a link that nobody waits for any more. The link is taken. */
void data_linger(struct data_thread *t, struct data_link *take);
void data_linger_drop_all(struct data_thread *t);

#endif
