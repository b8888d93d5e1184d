/*
 * accept.h - ACCEPT and the letter that carries it: token, one-time key, the ranges held already.
 */
#ifndef SP_STATEMENTS_ACCEPT_H
#define SP_STATEMENTS_ACCEPT_H

#include "common/base/limits.h"
#include "common/statements/statement.h"

/* Bytes [from, to) of the tar. */
struct sp_range {
	uint64_t from;
	uint64_t to;
};

/* Appends the packed form. Ranges ascend, none is empty, none touches the next; at most SP_RANGES_MAX.
 * SP_E_RANGE otherwise. */
SP_MUST_CHECK enum sp_status sp_ranges_pack(const struct sp_range *ranges, size_t count, struct sp_buf *out);

/* The reverse; all of them within [0, length). SP_E_FORMAT, SP_E_RANGE. */
SP_MUST_CHECK enum sp_status sp_ranges_parse(struct sp_span bytes, uint64_t length,
    struct sp_range ret_ranges[SP_RANGES_MAX], size_t *ret_count);

/* An accept as the sender needs it. Wiped by its owner: it holds the token. */
struct sp_accept {
	struct sp_hash hash;		/* of the statement */
	uint32_t number;
	uint16_t port;
	uint8_t key[SP_X25519];		/* recipient's one-time key */
	uint8_t token[32];
	struct sp_range held[SP_RANGES_MAX];
	size_t held_count;
};

/*
 * Sender: opens the accept of a letter that answers our offer. recipient: the identity (checked) that the offer
 * names and whose letter key sealed the letter. packet: length of the tar. SP_E_MISMATCH: another offer, or the
 * token is not the one stated; SP_E_IDENTITY: letter key and signer are not one.
 */
SP_MUST_CHECK enum sp_status sp_accept_open(const struct sp_msg_accept_letter *letter,
    const uint8_t letter_key[SP_X25519], const struct sp_identity *recipient,
    const struct sp_hash *offer, uint64_t packet, struct sp_accept *ret_accept, struct sp_why *why);

/* Recipient: makes the signed statement (appended to ret_statement) for a key pair and token made by the caller. */
SP_MUST_CHECK enum sp_status sp_accept_sign(const struct sp_accept *accept, const struct sp_hash *offer,
    const struct sp_key *key, struct sp_buf *ret_statement, uint8_t ret_signature[SP_SIGNATURE],
    struct sp_hash *ret_hash, struct sp_why *why);

#endif
