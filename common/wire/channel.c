/*
 * channel.c - the key exchange of a data connection and its records. No sockets; statements are checked by the caller
 * (common/statements/open.h).
 */
#include "common/wire/channel.h"

#include <stdlib.h>

#include "common/crypto/hash.h"
#include "common/crypto/rand.h"

#define MAGIC "SPD1"
#define INFO "sealpost data 1"
enum { AT_ACCEPT = 4, AT_NUMBER = 20, AT_KEY = 21, NONCE = 32, MAC = 32, KEYS = 4 * 32 };

enum state {
	BEGUN,		/* sender: waits for the reply */
	REPLIED,	/* recipient: waits for the confirmation */
	KEYED,		/* nothing but DATA_OPEN may be sealed (sender) or opened (recipient) */
	SHOWN,		/* recipient: DATA_OPEN was read, the caller decides */
	OPEN,
	DEAD,
};

struct sp_channel {
	enum state state;
	bool sender;
	struct sp_channel_terms terms;		/* the token is wiped once keys are made */
	struct sp_x25519_pair own;		/* sender: its fresh pair; the secret is wiped likewise */
	uint8_t opening[SP_CHANNEL_OPENING];
	uint8_t nonce[NONCE];
	uint8_t awaited[MAC];			/* recipient: the confirmation that must come */
	struct sp_aead *seal, *open;		/* owned */
	uint64_t sealed, opened;		/* records so far: the next counter */
};

/* Forgets every secret; what remains is good for nothing. */
static void
forget(struct sp_channel *ch)
{
	sp_wipe(ch->terms.token, sizeof(ch->terms.token));
	sp_wipe(ch->own.secret, sizeof(ch->own.secret));
	sp_wipe(ch->awaited, sizeof(ch->awaited));
}

static enum sp_status
die(struct sp_channel *ch, enum sp_status st)
{
	forget(ch);
	sp_aead_free(ch->seal);
	sp_aead_free(ch->open);
	ch->seal = ch->open = NULL;
	ch->state = DEAD;
	return st;
}

void
sp_channel_free(struct sp_channel *ch)
{
	if (ch == NULL)
		return;
	(void)die(ch, SP_OK);
	sp_wipe(ch, sizeof(*ch));
	free(ch);
}

/* The two directions and the two MACs (each side's, over opening and nonce) from the agreement and the token. */
static enum sp_status
derive(struct sp_channel *ch, const uint8_t shared[SP_X25519], uint8_t mac_recipient[MAC], uint8_t mac_sender[MAC])
{
	const uint8_t *sender_key = ch->opening + AT_KEY;
	uint8_t secret[SP_X25519 + 32], info[sizeof(INFO) - 1 + 4 * 32 + 1 + NONCE], keys[KEYS];
	uint8_t text[SP_CHANNEL_OPENING + NONCE], *p = info;

	memcpy(secret, shared, SP_X25519);
	memcpy(secret + SP_X25519, ch->terms.token, 32);
	p = (uint8_t *)mempcpy(p, INFO, sizeof(INFO) - 1);
	p = (uint8_t *)mempcpy(p, ch->terms.offer.b, 32);
	p = (uint8_t *)mempcpy(p, ch->terms.accept.b, 32);
	p = (uint8_t *)mempcpy(p, sender_key, SP_X25519);
	p = (uint8_t *)mempcpy(p, ch->terms.recipient_key, SP_X25519);
	*p++ = ch->terms.number;
	memcpy(p, ch->nonce, NONCE);
	sp_hkdf(sp_span(NULL, 0), sp_span(secret, sizeof(secret)), sp_span(info, sizeof(info)), keys, sizeof(keys));

	memcpy(text, ch->opening, SP_CHANNEL_OPENING);
	memcpy(text + SP_CHANNEL_OPENING, ch->nonce, NONCE);
	sp_hmac(sp_span(keys + 64, 32), sp_span(text, sizeof(text)), mac_recipient);
	sp_hmac(sp_span(keys + 96, 32), sp_span(text, sizeof(text)), mac_sender);
	ch->seal = sp_aead_new(ch->sender ? keys : keys + 32, true);
	ch->open = sp_aead_new(ch->sender ? keys + 32 : keys, false);
	sp_wipe(secret, sizeof(secret));
	sp_wipe(keys, sizeof(keys));
	forget(ch);
	return ch->seal != NULL && ch->open != NULL ? SP_OK : SP_E_NOMEM;
}

enum sp_status
sp_channel_sender_begin(const struct sp_channel_terms *terms, uint8_t ret_opening[SP_CHANNEL_OPENING],
    struct sp_channel **ret_channel)
{
	SP_AUTO(sp_channel) *ch = calloc(1, sizeof(*ch));
	enum sp_status st;

	if (ch == NULL)
		return SP_E_NOMEM;
	if (terms->number == 0)
		return SP_E_ARGUMENT;
	ch->sender = true;
	ch->terms = *terms;
	if ((st = sp_x25519_new(&ch->own)) != SP_OK)
		return st;
	memcpy(ch->opening, MAGIC, AT_ACCEPT);
	memcpy(ch->opening + AT_ACCEPT, terms->accept.b, AT_NUMBER - AT_ACCEPT);
	ch->opening[AT_NUMBER] = terms->number;
	memcpy(ch->opening + AT_KEY, ch->own.public_key, SP_X25519);
	memcpy(ret_opening, ch->opening, SP_CHANNEL_OPENING);
	ch->state = BEGUN;
	*ret_channel = sp_take(&ch);
	return SP_OK;
}

enum sp_status
sp_channel_sender_confirm(struct sp_channel *ch, const uint8_t reply[SP_CHANNEL_REPLY],
    uint8_t ret_confirm[SP_CHANNEL_CONFIRM])
{
	uint8_t shared[SP_X25519], want[MAC], mine[MAC];
	enum sp_status st;

	if (ch->state != BEGUN)
		return SP_E_STATE;
	memcpy(ch->nonce, reply, NONCE);
	if ((st = sp_x25519(ch->own.secret, ch->terms.recipient_key, shared)) == SP_OK)
		st = derive(ch, shared, want, mine);
	sp_wipe(shared, sizeof(shared));
	if (st != SP_OK)
		return die(ch, st);
	if (!sp_same_secret(want, reply + NONCE, MAC))
		return die(ch, SP_E_SEAL);
	memcpy(ret_confirm, mine, MAC);
	ch->state = KEYED;
	return SP_OK;
}

enum sp_status
sp_channel_opening_parse(const uint8_t opening[SP_CHANNEL_OPENING], struct sp_channel_opening *ret_opening)
{
	if (memcmp(opening, MAGIC, AT_ACCEPT) != 0)
		return SP_E_FORMAT;
	if (opening[AT_NUMBER] == 0)
		return SP_E_RANGE;
	memcpy(ret_opening->accept_start, opening + AT_ACCEPT, sizeof(ret_opening->accept_start));
	ret_opening->number = opening[AT_NUMBER];
	memcpy(ret_opening->sender_key, opening + AT_KEY, SP_X25519);
	return SP_OK;
}

enum sp_status
sp_channel_recipient_accept(const struct sp_channel_terms *terms, const struct sp_x25519_pair *one_time,
    const uint8_t opening[SP_CHANNEL_OPENING], uint8_t ret_reply[SP_CHANNEL_REPLY], struct sp_channel **ret_channel)
{
	SP_AUTO(sp_channel) *ch = NULL;
	struct sp_channel_opening asked;
	uint8_t shared[SP_X25519], mine[MAC], awaited[MAC];
	enum sp_status st;

	if ((st = sp_channel_opening_parse(opening, &asked)) != SP_OK)
		return st;
	if (memcmp(asked.accept_start, terms->accept.b, sizeof(asked.accept_start)) != 0 ||
	    asked.number != terms->number || memcmp(one_time->public_key, terms->recipient_key, SP_X25519) != 0)
		return SP_E_MISMATCH;
	if ((ch = calloc(1, sizeof(*ch))) == NULL)
		return SP_E_NOMEM;
	ch->terms = *terms;
	memcpy(ch->opening, opening, SP_CHANNEL_OPENING);
	sp_random(ch->nonce, NONCE);
	if ((st = sp_x25519(one_time->secret, asked.sender_key, shared)) != SP_OK)
		return st;
	st = derive(ch, shared, mine, awaited);
	sp_wipe(shared, sizeof(shared));
	if (st != SP_OK)
		return st;
	memcpy(ch->awaited, awaited, MAC);
	memcpy(ret_reply, ch->nonce, NONCE);
	memcpy(ret_reply + NONCE, mine, MAC);
	ch->state = REPLIED;
	*ret_channel = sp_take(&ch);
	return SP_OK;
}

enum sp_status
sp_channel_recipient_confirm(struct sp_channel *ch, const uint8_t confirm[SP_CHANNEL_CONFIRM])
{
	if (ch->state != REPLIED)
		return SP_E_STATE;
	if (!sp_same_secret(ch->awaited, confirm, MAC))
		return die(ch, SP_E_SEAL);
	sp_wipe(ch->awaited, sizeof(ch->awaited));
	ch->state = KEYED;
	return SP_OK;
}

void
sp_channel_get_facts(const struct sp_channel *ch, struct sp_channel_facts *ret_facts)
{
	ret_facts->accept = ch->terms.accept;
	ret_facts->number = ch->terms.number;
	memcpy(ret_facts->sender_key, ch->opening + AT_KEY, SP_X25519);
	memcpy(ret_facts->recipient_key, ch->terms.recipient_key, SP_X25519);
	memcpy(ret_facts->nonce, ch->nonce, NONCE);
}

enum sp_status
sp_channel_admit(struct sp_channel *ch)
{
	if (ch->state != SHOWN)
		return SP_E_STATE;
	ch->state = OPEN;
	return SP_OK;
}

/* ---- records ---- */

static bool
is_raw(uint8_t type)
{
	return type == SP_RECORD_TAR || type == SP_RECORD_FRAME || type == SP_RECORD_PRINTS;
}

/* May a side seal this type now? The other side's opening follows the same rule. */
static bool
may_send(bool sender, bool first, uint8_t type)
{
	switch (type) {
	case SP_MSG_DATA_OPEN:
		return sender && first;
	case SP_RECORD_TAR:
	case SP_RECORD_FRAME:
	case SP_RECORD_PRINTS:
	case SP_MSG_DATA_TRAILER:
		return sender && !first;
	case SP_MSG_DATA_CHECKPOINT:
		return !sender;
	case SP_MSG_DATA_ABORT:
	case SP_MSG_DATA_END:
		return !(sender && first);
	default:
		return false;
	}
}

static void
put_be(uint8_t *p, uint64_t v, size_t n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

/* Seals n bytes of text behind the head of record, in place. */
static enum sp_status
seal(struct sp_channel *ch, uint8_t *record, size_t n)
{
	uint8_t nonce[SP_AEAD_NONCE];
	enum sp_status st;

	if (ch->sealed == UINT64_MAX)
		return die(ch, SP_E_STATE);
	put_be(record, n + SP_AEAD_TAG, SP_RECORD_HEAD);
	sp_aead_counter_nonce(ch->sealed++, nonce);
	st = sp_aead_seal(ch->seal, nonce, sp_span(record, SP_RECORD_HEAD), record + SP_RECORD_HEAD, n,
	    record + SP_RECORD_HEAD);
	if (st != SP_OK)
		return die(ch, st);
	if (ch->state == KEYED)
		ch->state = OPEN;
	return SP_OK;
}

/* Is it time to seal at all, and this type? */
static enum sp_status
check_send(const struct sp_channel *ch, uint8_t type)
{
	if (ch->state != OPEN && !(ch->state == KEYED && ch->sender))
		return SP_E_STATE;
	return may_send(ch->sender, ch->state == KEYED, type) ? SP_OK : SP_E_STATE;
}

enum sp_status
sp_channel_seal_raw(struct sp_channel *ch, uint8_t type, uint64_t offset, uint8_t *record, size_t n)
{
	enum sp_status st;

	if (!is_raw(type) || n == 0 || n > SP_RECORD_DATA)
		return SP_E_ARGUMENT;
	if (offset > UINT64_MAX - n)
		return SP_E_RANGE;
	if ((st = check_send(ch, type)) != SP_OK)
		return st;
	record[SP_RECORD_HEAD] = type;
	put_be(record + SP_RECORD_HEAD + 1, offset, 8);
	return seal(ch, record, 9 + n);
}

enum sp_status
sp_channel_seal(struct sp_channel *ch, const struct sp_desc *desc, const void *msg, struct sp_buf *out,
    struct sp_why *why)
{
	size_t at = out->len, n;
	enum sp_status st;

	if (desc->transport != SP_TRANSPORT_RECORD)
		return sp_fail(SP_E_ARGUMENT, why, "%s is not a data record", desc->name);
	if ((st = check_send(ch, (uint8_t)desc->number)) != SP_OK)
		return sp_fail(st, why, "%s cannot be sent now", desc->name);
	sp_buf_add_u32(out, 0);
	sp_buf_add_u8(out, (uint8_t)desc->number);
	if ((st = sp_buf_status(out)) == SP_OK)
		st = sp_encode(desc, msg, out, why);
	n = out->len - at - SP_RECORD_HEAD;
	if (st == SP_OK && n > SP_RECORD_MAX)
		st = sp_fail(SP_E_LONG, why, "%s: a record is at most %d bytes", desc->name, SP_RECORD_MAX);
	if (st == SP_OK && sp_buf_reserve(out, SP_AEAD_TAG) == NULL)
		st = sp_buf_status(out);
	if (st == SP_OK)
		st = seal(ch, out->data + at, n);
	if (st != SP_OK)
		out->len = at;
	return st;
}

enum sp_status
sp_record_bytes(const uint8_t head[SP_RECORD_HEAD], size_t *ret_bytes)
{
	struct sp_cursor c = sp_cursor(sp_span(head, SP_RECORD_HEAD));
	uint32_t n = sp_cursor_u32(&c);

	if (n < 1 + SP_AEAD_TAG)
		return SP_E_SHORT;
	if (n > SP_RECORD_MAX + SP_AEAD_TAG)
		return SP_E_LONG;
	*ret_bytes = SP_RECORD_HEAD + (size_t)n;
	return SP_OK;
}

/* Reads the opened text of a record whose type is allowed. */
static enum sp_status
read_text(struct sp_span text, struct sp_record *record)
{
	struct sp_cursor c = sp_cursor(text);

	record->type = sp_cursor_u8(&c);
	record->offset = 0;
	record->desc = NULL;
	if (is_raw(record->type)) {
		record->offset = sp_cursor_u64(&c);
		if (sp_cursor_left(&c) == 0)
			sp_cursor_fail(&c, SP_E_FORMAT);
		else if (sp_cursor_left(&c) > SP_RECORD_DATA)
			sp_cursor_fail(&c, SP_E_LONG);
		else if (record->offset > UINT64_MAX - sp_cursor_left(&c))
			sp_cursor_fail(&c, SP_E_RANGE);
	} else if ((record->desc = sp_desc_msg(record->type)) == NULL) {
		sp_cursor_fail(&c, SP_E_UNKNOWN);
	}
	record->body = sp_cursor_bytes(&c, sp_cursor_left(&c));
	return sp_cursor_end(&c);
}

enum sp_status
sp_channel_open(struct sp_channel *ch, uint8_t *record, size_t bytes, struct sp_record *ret_record)
{
	bool first = ch->state == KEYED && !ch->sender;
	uint8_t nonce[SP_AEAD_NONCE], *text = record + SP_RECORD_HEAD;
	struct sp_record got;
	enum sp_status st;
	size_t want;

	if (ch->state != OPEN && !first)
		return SP_E_STATE;
	if (bytes < SP_RECORD_HEAD)
		return die(ch, SP_E_SHORT);
	if ((st = sp_record_bytes(record, &want)) != SP_OK)
		return die(ch, st);
	if (want != bytes)
		return die(ch, want < bytes ? SP_E_LONG : SP_E_SHORT);
	if (ch->opened == UINT64_MAX)
		return die(ch, SP_E_STATE);
	sp_aead_counter_nonce(ch->opened++, nonce);
	st = sp_aead_open(ch->open, nonce, sp_span(record, SP_RECORD_HEAD), text, bytes - SP_RECORD_HEAD, text);
	if (st != SP_OK)
		return die(ch, st);
	if (!may_send(!ch->sender, first, text[0]))
		return die(ch, SP_E_UNKNOWN);
	if ((st = read_text(sp_span(text, bytes - SP_RECORD_HEAD - SP_AEAD_TAG), &got)) != SP_OK)
		return die(ch, st);
	if (first)
		ch->state = SHOWN;
	*ret_record = got;
	return SP_OK;
}
