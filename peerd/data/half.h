/*
 * half.h - what a connection that has not proved itself yet asks of the transfer that it names. Internal to
 * peerd/data: receiver.c answers half.c.
 */
#ifndef PEERD_DATA_HALF_H
#define PEERD_DATA_HALF_H

#include "peerd/data/data_in.h"

/* The receiver that waits for the connection that this opening names; NULL if there is none. */
struct data_transfer *data_receiver_find(struct data_thread *t, const struct sp_channel_opening *opening);

/* Our answer to the opening, and the channel that is to be confirmed. */
SP_MUST_CHECK enum sp_status data_receiver_reply(const struct data_transfer *x,
    const uint8_t opening[SP_CHANNEL_OPENING], uint8_t ret_reply[SP_CHANNEL_REPLY], struct sp_channel **ret_channel);

/* The connection number is used: no other connection is taken under this accept. */
void data_receiver_used(struct data_transfer *x);

/* Is this record the sender's OPEN? Then the channel is admitted. */
SP_MUST_CHECK enum sp_status data_receiver_admit(const struct data_transfer *x, struct sp_channel *ch,
    const struct sp_record *record, struct sp_why *why);

/* The proved connection; both are taken, on failure too (the transfer then ends). */
void data_receiver_connected(struct data_transfer *x, int fd_take, struct sp_channel *channel_take);

#endif
