/*
 * data.h - the data channel: threads that own the TCP connections and move packets. Orders go in, happenings come out
 * of a bounded queue that the main loop drains. No letters, no store in here.
 */
#ifndef PEERD_DATA_DATA_H
#define PEERD_DATA_DATA_H

#include "common/base/id.h"
#include "common/crypto/x509.h"
#include "common/net/addr.h"
#include "common/net/loop.h"
#include "common/packet/prints.h"
#include "peerd/place/place.h"
#include "peerd/source/source.h"

struct data_pool;

enum data_what {
	DATA_WALKED,		/* the source is made (walk orders) */
	DATA_RESERVED,		/* receiving, after data_reserve(): bytes are held from before, as ACCEPT is to state */
	DATA_CONNECTED,		/* both sides have proved themselves */
	DATA_PROGRESS,		/* bytes of the tar so far; at most 10 a second and transfer */
	/* sending: the recipient has checked everything; receiving: checked and finished, not synced */
	DATA_FINISHED,
	/* the connection is gone or was refused; see status (class RETRY: may be tried again) */
	DATA_BROKEN,
};

/* What is left of a transfer when it finished. Heap; the receiver of the happening owns it. */
struct data_result {
	struct source *source;		/* sending: given back */
	struct place *place;		/* receiving: finished, to be synced and renamed */
	struct sp_manifest *manifest;	/* receiving */
	struct sp_prints *prints;
	struct sp_buf files_txt;	/* made from what was sent or is there */
	struct sp_hash files_hash;	/* SHA-256 of it */
	struct sp_hash manifest_hash, trailer_hash;
	uint32_t changed;		/* files that changed while they were sent */
	uint32_t links_out;		/* receiving: links left out, and the hash of their paths */
	struct sp_hash links_hash;
	struct sp_buf notes;		/* a line each */
};
void data_result_free(struct data_result *r);
SP_AUTO_DEFINE(data_result);

struct data_happening {
	enum data_what what;
	struct sp_id transfer;
	bool sending;
	uint64_t generation;		/* of the order: happenings of an older order are stale */
	uint64_t bytes;			/* of the tar: how far it is */
	uint64_t wire;			/* of this connection: bytes that it came or went as */
	uint64_t from;			/* FINISHED, BROKEN: where this connection began */
	bool by_peer;			/* BROKEN: the other side said why */
	enum sp_status status;
	struct sp_why why;
	struct data_result *result;	/* FINISHED, WALKED, and (sending) BROKEN: the source comes back; else NULL */
};
/* main loop; h->result may be taken, h is freed after */
typedef void data_happening_fn(void *arg, struct data_happening *h);

/* The setting compress, its words in this order. */
enum data_compress { DATA_COMPRESS_AUTO, DATA_COMPRESS_ALWAYS, DATA_COMPRESS_NO };

struct data_settings {
	const char *bind;			/* "" = all */
	uint16_t port_first, port_last;		/* data range */
	size_t chunk;				/* bytes of one data record, 2,048..65,536 */
	enum data_compress compress;		/* what is sent */
	uint32_t idle_ms;
	unsigned threads;			/* 0 = one a core */
	unsigned transfers;			/* at once; 0 = as many as SP_DATA_TRANSFERS and the descriptors allow */
	uint64_t reserve;			/* bytes that receiving leaves free on the disk; 0 = it does not ask */
	struct data_rates { uint64_t all, peer; } send, receive;	/* bytes a second; 0 = any */
};

SP_MUST_CHECK enum sp_status data_pool_new(struct sp_loop *loop, const struct data_settings *settings,
    data_happening_fn *fn, void *arg, struct data_pool **ret_pool, struct sp_why *why);
void data_pool_free(struct data_pool *p);	/* ends every transfer, joins the threads */
SP_AUTO_DEFINE(data_pool);

/* Walk the PATHs on a thread of its own: WALKED (with the source, or a status). paths and head are copied. folder: where the
 * source is kept until the event has ended; what is kept there already is taken instead of a walk. NULL: it is not kept. */
SP_MUST_CHECK enum sp_status data_walk(struct data_pool *p, const struct sp_id *transfer, uint64_t generation,
    const char *const *paths, size_t count, const struct sp_manifest_head *head, const char *folder);

/* What both sides know of a connection. */
struct data_keys {
	struct sp_hash offer, accept;	/* of the statements */
	uint8_t accept_key[SP_X25519];	/* ACCEPT's one-time public key */
	uint8_t token[32];
	char domain[SP_DOMAIN_MAX + 1];	/* that statements must come from */
};

/* Send: connects to addr, sends everything, waits for the recipient's END. Takes the source (also on error:
 * freed). The key is borrowed (read-only, lives as long as the pool). */
struct data_send_order {
	struct sp_id transfer;
	uint64_t generation;
	struct sp_addr addr;
	struct data_keys keys;
	struct source *source;
	const struct sp_key *sign_key;
	uint64_t held;			/* the recipient holds the tar up to here; it goes on from there, or earlier */
	const char *peer;		/* copied: whose share of the rates it takes */
	const char *folder;		/* copied: the source's, where its digests are kept; NULL: they are not */
};
SP_MUST_CHECK enum sp_status data_send(struct data_pool *p, const struct data_send_order *order);

/* Receive: opens or shares a data port in the range and waits for the connection. */
struct data_receive_order {
	struct sp_id transfer;
	uint64_t generation;
	struct sp_x25519_pair one_time;		/* wiped by the pool after use */
	uint8_t token[32];
	struct sp_hash offer;
	struct sp_hash manifest;		/* from the offer */
	uint32_t manifest_length;
	uint64_t files, bytes, packet;
	struct sp_identity sender;		/* statements must be its */
	const char *received;			/* receiving folder; copied */
	bool keep_links;
	bool hold;				/* read no data before data_release(): it is to be paid first */
	uint64_t buffer;			/* so much before the end of what is held is asked for again */
};
/* Two steps, because ACCEPT names the port and is hashed afterwards: reserve opens the port (and RESERVED tells what is held of an
 * earlier connection), start names the accept's hash. A reservation that is not started within SP_DATA_OPEN_MS lapses. */
SP_MUST_CHECK enum sp_status data_reserve(struct data_pool *p, const struct data_receive_order *order,
    uint16_t *ret_port, struct sp_why *why);
SP_MUST_CHECK enum sp_status data_start(struct data_pool *p, const struct sp_id *transfer, uint64_t generation,
    const struct sp_hash *accept);

/* The delivery is paid: data is read from now on. Without it a held transfer is broken with SP_E_UNPAID, SP_FRANK_WAIT_MS after
 * its connection. SP_E_NOTFOUND if there is none. */
SP_MUST_CHECK enum sp_status data_release(struct data_pool *p, const struct sp_id *transfer, uint64_t generation);

/* What is left of a packet that was received whole, checked and compared before a restart: a result as DATA_FINISHED has it, but for
 * the trailer's hash. Blocking. SP_E_STALE: it is not all there. The order: transfer, offer and all that is of the offer, sender's
 * name, received, keep_links. */
SP_MUST_CHECK enum sp_status data_restore(const struct data_receive_order *order, struct data_result **ret_result,
    struct sp_why *why);

/* Are as many transfers under way as can be? Orders are answered SP_E_FULL then. And how many that is. */
bool data_pool_is_full(const struct data_pool *p);
unsigned data_pool_most(const struct data_pool *p);

/* Ends the transfer with ABORT{reason}; BROKEN follows, with this status. A walk goes on to its WALKED; what is
 * not known is ignored. */
void data_abort(struct data_pool *p, const struct sp_id *transfer, bool sending, enum sp_status reason);

/* Incoming connections that were closed because they did not prove themselves. */
uint64_t data_pool_refused(const struct data_pool *p);

#endif
