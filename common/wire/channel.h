/*
 * channel.h - the keys and records of one data connection.
 *
 * Begin: sender -> opening (53), recipient -> reply (64: nonce, MAC), sender -> confirmation (32: MAC), then
 * records both ways. Each connection has keys of its own: HKDF over DH(sender's fresh key, the accept's one-time
 * key) and the accept's token. A record is length u32, then sealed (type u8, body) under a counter. The first
 * record is the sender's DATA_OPEN; the recipient reads and seals nothing more before sp_channel_admit(). Bytes
 * in, bytes out; a channel belongs to one thread, its two directions included. After a refused proof or record
 * the channel is dead: secrets wiped, every later call fails with SP_E_STATE.
 */
#ifndef SP_WIRE_CHANNEL_H
#define SP_WIRE_CHANNEL_H

#include "common/base/limits.h"
#include "common/crypto/aead.h"
#include "common/crypto/x25519.h"
#include "common/wire/msg.h"

#define SP_CHANNEL_OPENING 53	/* "SPD1", first 16 bytes of the accept's hash, number u8, sender's key */
#define SP_CHANNEL_REPLY 64	/* nonce, MAC */
#define SP_CHANNEL_CONFIRM 32	/* MAC */

/* What both sides agreed on by letters. */
struct sp_channel_terms {
	struct sp_hash offer;
	struct sp_hash accept;
	uint8_t token[32];			/* secret: wipe it when it is used up */
	uint8_t recipient_key[SP_X25519];	/* the accept's one-time key */
	uint8_t number;				/* connection number, from 1 */
};

/* What a statement OPEN vouches for; all of it is known once the reply is made or read. */
struct sp_channel_facts {
	struct sp_hash accept;
	uint8_t number;
	uint8_t sender_key[SP_X25519];
	uint8_t recipient_key[SP_X25519];
	uint8_t nonce[32];
};

struct sp_channel;
void sp_channel_free(struct sp_channel *ch);	/* wipes; NULL is fine */
SP_AUTO_DEFINE(sp_channel);

/* Sender: a fresh key and the opening to send first. SP_E_NOMEM, SP_E_LIBRARY. */
SP_MUST_CHECK enum sp_status sp_channel_sender_begin(const struct sp_channel_terms *terms,
    uint8_t ret_opening[SP_CHANNEL_OPENING], struct sp_channel **ret_channel);

/* Sender: checks the reply and gives the confirmation to send; records may follow it at once. SP_E_SEAL: the
 * reply is not from who holds the accept's key and the token, or belongs to another connection. */
SP_MUST_CHECK enum sp_status sp_channel_sender_confirm(struct sp_channel *ch, const uint8_t reply[SP_CHANNEL_REPLY],
    uint8_t ret_confirm[SP_CHANNEL_CONFIRM]);

/* Recipient: reads an opening, to find the accept that it names. SP_E_FORMAT, SP_E_RANGE (number 0). */
struct sp_channel_opening {
	uint8_t accept_start[16];
	uint8_t number;
	uint8_t sender_key[SP_X25519];
};
SP_MUST_CHECK enum sp_status sp_channel_opening_parse(const uint8_t opening[SP_CHANNEL_OPENING],
    struct sp_channel_opening *ret_opening);

/* Recipient: makes the reply to send. one_time is the accept's pair. SP_E_MISMATCH if the opening names
 * another accept or number than terms, or the pair is not terms'; SP_E_SEAL for an all-zero agreement. */
SP_MUST_CHECK enum sp_status sp_channel_recipient_accept(const struct sp_channel_terms *terms,
    const struct sp_x25519_pair *one_time, const uint8_t opening[SP_CHANNEL_OPENING],
    uint8_t ret_reply[SP_CHANNEL_REPLY], struct sp_channel **ret_channel);

/* Recipient: checks the sender's confirmation. From here on the connection number is used. SP_E_SEAL otherwise. */
SP_MUST_CHECK enum sp_status sp_channel_recipient_confirm(struct sp_channel *ch,
    const uint8_t confirm[SP_CHANNEL_CONFIRM]);

/* Both, once the reply is there: what OPEN states. */
void sp_channel_get_facts(const struct sp_channel *ch, struct sp_channel_facts *ret_facts);

/* Recipient: OPEN was read from the first record and is right (common/statements/open.h); more may be read and
 * sealed. */
SP_MUST_CHECK enum sp_status sp_channel_admit(struct sp_channel *ch);

/* ---- records ---- */

/* Types whose body is no row of messages.def: offset u64, then raw bytes. */
#define SP_RECORD_TAR 0x41	/* DATA: bytes of the tar from this offset */
#define SP_RECORD_PRINTS 0x46	/* bytes of prints.txt from this offset */
#define SP_RECORD_FRAME 0x47	/* the next bytes of the zstd frame that holds the tar from this offset */

#define SP_RECORD_HEAD 4			/* length u32: of the sealed bytes */
#define SP_RECORD_RAW_AT (SP_RECORD_HEAD + 9)	/* where the raw bytes of a data record stand */
#define SP_RECORD_RAW_OVER (SP_RECORD_RAW_AT + SP_AEAD_TAG)	/* a raw record without its bytes */
#define SP_RECORD_BYTES_MAX (SP_RECORD_HEAD + SP_RECORD_MAX + SP_AEAD_TAG)	/* the longest whole record */

/*
 * The hot path: have n + SP_RECORD_RAW_OVER bytes in a send buffer, read the n bytes into
 * sp_record_raw_place(record), then seal in place. type: SP_RECORD_TAR, _FRAME or _PRINTS; n is 1..SP_RECORD_DATA.
 * The record is n + SP_RECORD_RAW_OVER bytes.
 */
static inline uint8_t *sp_record_raw_place(uint8_t *record) { return record + SP_RECORD_RAW_AT; }
SP_MUST_CHECK enum sp_status sp_channel_seal_raw(struct sp_channel *ch, uint8_t type, uint64_t offset,
    uint8_t *record, size_t n);

/* Appends a record with a message of a RECORD row. SP_E_ARGUMENT if it is none, SP_E_STATE before its time. */
SP_MUST_CHECK enum sp_status sp_channel_seal(struct sp_channel *ch, const struct sp_desc *desc, const void *msg,
    struct sp_buf *out, struct sp_why *why);

/* The length of a whole record (head included) from its first 4 bytes. SP_E_SHORT or SP_E_LONG when out of bounds. */
SP_MUST_CHECK enum sp_status sp_record_bytes(const uint8_t head[SP_RECORD_HEAD], size_t *ret_bytes);

/* A record that was opened; body is borrowed from the record's own memory. */
struct sp_record {
	uint8_t type;
	const struct sp_desc *desc;	/* row of the message; NULL for raw types */
	uint64_t offset;		/* raw types */
	struct sp_span body;		/* raw bytes, or for sp_decode(desc, body, …) */
};

/* Opens a whole record (head included, exactly its bytes) in place. SP_E_SEAL: changed, replayed, reordered or
 * of another connection. SP_E_UNKNOWN: a type that is not known. SP_E_FORMAT, SP_E_RANGE (offset + bytes
 * overflow). */
SP_MUST_CHECK enum sp_status sp_channel_open(struct sp_channel *ch, uint8_t *record, size_t bytes,
    struct sp_record *ret_record);

#endif
