/*
 * link.h - one data connection: a non-blocking socket with its channel, what waits to be sent, and the record that is
 * not whole yet. Internal to peerd/data. It neither knows what records mean nor ends itself: it returns statuses.
 */
#ifndef PEERD_DATA_LINK_H
#define PEERD_DATA_LINK_H

#include "common/net/loop.h"
#include "common/wire/channel.h"

struct data_link {
	int fd;				/* owned; -1 = none */
	struct sp_watch *watch;		/* owned */
	unsigned watching;
	struct sp_channel *channel;	/* owned */
	struct sp_buf out;		/* sealed and waiting; bytes before out_at are gone */
	size_t out_at;
	struct sp_buf rest;		/* the beginning of a record */
	size_t record_max;		/* longest record that the other side may send here */
	size_t most;			/* bytes that a turn moves each way */
	uint64_t got, sent;		/* bytes that came, and went, so far */
	bool enough;			/* set by a data_record_fn: the records behind this one wait for the next turn */
	uint64_t heard_ms, sent_ms;	/* when bytes last came and went */
};

/* So that a link that was never opened can be closed. */
void data_link_init(struct data_link *k);
void data_link_done(struct data_link *k);

/* The options of every data connection. */
void data_link_tune(int fd, uint32_t idle_ms);

/* Watches for what is wanted now; the watch is there. */
SP_MUST_CHECK enum sp_status data_link_want(struct data_link *k, unsigned what);

static inline size_t
data_link_waiting(const struct data_link *k)
{
	return k->out.len - k->out_at;
}

/* Seals a message of messages.def behind what waits. */
SP_MUST_CHECK enum sp_status data_link_seal(struct data_link *k, unsigned number, const void *msg,
    struct sp_why *why);

/* Sends what the socket takes, at most two turns' bytes. SP_OK also when something still waits; SP_E_CLOSED when the connection is gone. */
SP_MUST_CHECK enum sp_status data_link_flush(struct data_link *k, struct sp_why *why);

/* Called for each record, whose bytes are borrowed. */
typedef enum sp_status data_record_fn(void *arg, const struct sp_record *record, struct sp_why *why);

/* Room that a turn needs, one for all links of a thread. */
#define DATA_SCRATCH (SP_SEND_BATCH + SP_RECORD_BYTES_MAX)

/*
 * One turn of reading, at most k->most bytes: opens each whole record and hands it on, until there are no more,
 * fn fails, or says that it is enough; then data_link_left(), and they come first in the next turn. What does not open
 * never counts as said by the other side: SP_E_CLOSED, which may be tried again.
 */
SP_MUST_CHECK enum sp_status data_link_read(struct data_link *k, uint8_t *scratch, data_record_fn *fn, void *arg,
    struct sp_why *why);

/* Are there whole records from an earlier turn? The socket need not become readable for them. */
bool data_link_left(const struct data_link *k);

#endif
