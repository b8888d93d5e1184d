/*
 * open.h - OPEN: the sender's signature under the keys of one data connection (the first record, DATA_OPEN).
 */
#ifndef SP_STATEMENTS_OPEN_H
#define SP_STATEMENTS_OPEN_H

#include "common/statements/statement.h"
#include "common/wire/channel.h"

/* Sender: signs the channel's facts; the record's two fields. The statement is appended to out. */
SP_MUST_CHECK enum sp_status sp_open_sign(const struct sp_channel *ch, const struct sp_key *key, struct sp_buf *out,
    uint8_t ret_signature[SP_SIGNATURE], struct sp_why *why);

/* Recipient: does the sender vouch for exactly this connection? Then sp_channel_admit(ch). SP_E_MISMATCH
 * otherwise. */
SP_MUST_CHECK enum sp_status sp_open_check(const struct sp_channel *ch, struct sp_span statement,
    struct sp_span signature, const struct sp_identity *sender, struct sp_why *why);

#endif
