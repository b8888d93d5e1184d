/*
 * letter.h - letters: one message of the command channel, sealed with HPKE's mode_auth from one station to
 * another.
 *
 * Envelope: version u8, kind u8, receiver's key id (8), sender's X25519 key (32), enc (32) | sealed | mac1 (16),
 * mac2 (16). All before the sealed part is its AAD. Sealed: id (16), id answered (16), time u64, type u16, body.
 * Neither sockets nor clock: replay memory, time window and rates are the caller's. The order of work for what
 * comes in is sp_letter_peek (length, version), sp_letter_check (mac1), sp_cookie_fits (mac2), the caller's rates,
 * sp_letter_open, sender known, replay, policy.
 */
#ifndef SP_WIRE_LETTER_H
#define SP_WIRE_LETTER_H

#include "common/base/limits.h"
#include "common/crypto/x25519.h"
#include "common/wire/msg.h"

#define SP_LETTER_VERSION 1
#define SP_LETTER_SEALED 1	/* kinds; 2 and 3 are kept for WHO and its answer */
#define SP_LETTER_COOKIE 4	/* see cookie.h */
#define SP_LETTER_HEAD 74	/* bytes before the sealed part */
#define SP_LETTER_MACS 32
#define SP_LETTER_INNER 42	/* id, id answered, time, type */
#define SP_LETTER_OVER (SP_LETTER_HEAD + SP_LETTER_INNER + 16 + SP_LETTER_MACS)	/* a letter without its body */
#define SP_LETTER_BODY_MAX (SP_LETTER_MAX - SP_LETTER_OVER)			/* body of a datagram */

/* What is computed once from a receiver's public letter key. */
struct sp_letter_key {
	uint8_t public_key[SP_X25519];
	uint8_t id[8];		/* first bytes of SHA-256 of the key */
	uint8_t mac[32];	/* key of mac1 */
};
void sp_letter_key_init(struct sp_letter_key *key, const uint8_t public_key[SP_X25519]);

/* What stands beside the message. */
struct sp_letter_head {
	struct sp_id id;	/* made by the sender */
	struct sp_id answers;	/* the letter that it answers, or zero */
	uint64_t time_ms;	/* sender's wall time */
	size_t pad_to;		/* sealing: a letter of at least so many bytes, filled up by the field SP_LETTER_PAD */
};

/* A field that every message may end with: its tag is odd, so who reads the message skips it. Zeroes. */
#define SP_LETTER_PAD 0xffff

/*
 * Seals a message of row desc (a LETTER) for the receiver; whole letter appended to out. It goes as a datagram if
 * it is <= SP_LETTER_MAX, else by TCP only. SP_E_LONG over SP_LETTER_TCP_MAX, SP_E_SEAL for a bad receiver key,
 * SP_E_ARGUMENT if the row is no letter, or what sp_encode() says.
 */
SP_MUST_CHECK enum sp_status sp_letter_seal(const struct sp_x25519_pair *sender, const struct sp_letter_key *receiver,
    const struct sp_letter_head *head, const struct sp_desc *desc, const void *msg, struct sp_buf *out,
    struct sp_why *why);

/* The unsealed parts, borrowed from the bytes; nothing is proved yet. */
struct sp_letter_envelope {
	const uint8_t *receiver_id;	/* 8 bytes: which of our keys */
	const uint8_t *sender_key;	/* SP_X25519 bytes */
	struct sp_span core;		/* all but the macs: two letters are the same if their cores are */
};

/* Length, version and kind. max: SP_LETTER_MAX for a datagram, SP_LETTER_TCP_MAX for TCP. SP_E_SHORT,
 * SP_E_LONG, SP_E_VERSION, SP_E_UNKNOWN (kind). */
SP_MUST_CHECK enum sp_status sp_letter_peek(struct sp_span letter, size_t max,
    struct sp_letter_envelope *ret_envelope);

/* Is the letter for this key of ours, and does its maker know that key? One hash. SP_E_IDENTITY (another key's),
 * SP_E_SEAL (mac1). mac2 is the affair of cookie.h. */
SP_MUST_CHECK enum sp_status sp_letter_check(struct sp_span letter, const struct sp_letter_key *own);

/* An opened letter. sender_key is proved to have sealed it. body is borrowed from the buffer it was opened into. */
struct sp_letter {
	struct sp_letter_head head;
	uint8_t sender_key[SP_X25519];
	uint8_t receiver_id[8];
	uint16_t type;
	const struct sp_desc *desc;	/* NULL if the type is unknown or no letter: count it and drop it */
	struct sp_span body;		/* for sp_decode(desc, body, …) */
};

/*
 * Opens what sp_letter_peek() passed (sp_letter_check() is not repeated). text is emptied, marked secret and holds
 * the contents: tokens travel in letters. SP_E_SEAL if it does not open, SP_E_SHORT/SP_E_FORMAT inside.
 */
SP_MUST_CHECK enum sp_status sp_letter_open(const struct sp_x25519_pair *receiver, struct sp_span letter,
    struct sp_buf *text, struct sp_letter *ret_letter);

/* TCP form: length u32, then the letter. The length's value if it is in bounds, else SP_E_SHORT or SP_E_LONG. */
#define SP_LETTER_TCP_HEAD 4
void sp_letter_tcp_head(size_t letter_bytes, uint8_t out[SP_LETTER_TCP_HEAD]);
SP_MUST_CHECK enum sp_status sp_letter_tcp_length(const uint8_t head[SP_LETTER_TCP_HEAD], size_t *ret_bytes);

#endif
