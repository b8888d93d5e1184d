/*
 * letter.c - seals and opens letters. No sockets, no clock, no memory of letters seen.
 */
#include "common/wire/letter.h"

#include "common/crypto/hash.h"
#include "common/crypto/hpke.h"

#define INFO "sealpost letter 1"	/* HPKE info: the version is the envelope's */
#define MAC1 "sealpost mac1 1"

_Static_assert(SP_LETTER_HEAD == 1 + 1 + 8 + SP_X25519 + SP_HPKE_ENC, "the envelope");
enum { AT_KIND = 1, AT_RECEIVER = 2, AT_SENDER = 10, AT_ENC = 42, MAC_BYTES = 16, FIELD_HEAD = 6 };

void
sp_letter_key_init(struct sp_letter_key *key, const uint8_t public_key[SP_X25519])
{
	const struct sp_span parts[] = { sp_span_str(MAC1), sp_span(public_key, SP_X25519) };
	struct sp_hash hash;

	memcpy(key->public_key, public_key, SP_X25519);
	sp_sha256(sp_span(public_key, SP_X25519), &hash);
	memcpy(key->id, hash.b, sizeof(key->id));
	sp_sha256_parts(parts, 2, &hash);
	memcpy(key->mac, hash.b, sizeof(key->mac));
}

/* mac1: over all that stands before the macs. */
static void
mac1(const struct sp_letter_key *key, struct sp_span core, uint8_t out[MAC_BYTES])
{
	uint8_t whole[32];

	sp_hmac(sp_span(key->mac, sizeof(key->mac)), core, whole);
	memcpy(out, whole, MAC_BYTES);
}

/* Fills the text of a short letter up; the codec takes no more than so many bytes that it does not know. */
static void
pad(struct sp_buf *text, size_t letter_bytes)
{
	const size_t have = text->len + SP_LETTER_OVER - SP_LETTER_INNER + FIELD_HEAD;
	size_t n = letter_bytes > have ? letter_bytes - have : 0;
	uint8_t *p;

	if (n > SP_FRAME_SLACK - FIELD_HEAD)
		n = SP_FRAME_SLACK - FIELD_HEAD;
	sp_buf_add_u16(text, SP_LETTER_PAD);
	sp_buf_add_u32(text, (uint32_t)n);
	if ((p = sp_buf_reserve(text, n)) != NULL && n > 0)
		memset(p, 0, n);
}

/* The sealed part's text: head, type, encoded message. */
static enum sp_status
inner(const struct sp_letter_head *head, const struct sp_desc *desc, const void *msg, struct sp_buf *text,
    struct sp_why *why)
{
	enum sp_status st;

	sp_buf_add(text, head->id.b, sizeof(head->id.b));
	sp_buf_add(text, head->answers.b, sizeof(head->answers.b));
	sp_buf_add_u64(text, head->time_ms);
	sp_buf_add_u16(text, (uint16_t)desc->number);
	if ((st = sp_encode(desc, msg, text, why)) != SP_OK)
		return st;
	if (text->len + SP_LETTER_OVER - SP_LETTER_INNER < head->pad_to)
		pad(text, head->pad_to);
	return sp_buf_status(text);
}

enum sp_status
sp_letter_seal(const struct sp_x25519_pair *sender, const struct sp_letter_key *receiver,
    const struct sp_letter_head *head, const struct sp_desc *desc, const void *msg, struct sp_buf *out,
    struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { .secret = true };
	size_t at = out->len, core;
	enum sp_status st;
	uint8_t *p;

	if (desc->transport != SP_TRANSPORT_LETTER)
		return sp_fail(SP_E_ARGUMENT, why, "%s is not a letter", desc->name);
	if ((st = inner(head, desc, msg, &text, why)) != SP_OK)
		return st;
	core = SP_LETTER_HEAD + text.len + SP_HPKE_TAG;
	if (core + SP_LETTER_MACS > SP_LETTER_TCP_MAX)
		return sp_fail(SP_E_LONG, why, "%s: a letter is at most %d bytes", desc->name, SP_LETTER_TCP_MAX);
	if ((p = sp_buf_reserve(out, core + SP_LETTER_MACS)) == NULL)
		return sp_buf_status(out);
	p[0] = SP_LETTER_VERSION;
	p[AT_KIND] = SP_LETTER_SEALED;
	memcpy(p + AT_RECEIVER, receiver->id, sizeof(receiver->id));
	memcpy(p + AT_SENDER, sender->public_key, SP_X25519);
	st = sp_hpke_seal(sender, receiver->public_key, sp_span_str(INFO), sp_span(p, SP_LETTER_HEAD),
	    sp_buf_span(&text), p + AT_ENC, p + SP_LETTER_HEAD);
	if (st != SP_OK) {
		out->len = at;
		return sp_fail(st, why, "the letter cannot be sealed: %s", sp_status_text(st));
	}
	mac1(receiver, sp_span(p, core), p + core);
	memset(p + core + MAC_BYTES, 0, MAC_BYTES);
	return SP_OK;
}

enum sp_status
sp_letter_peek(struct sp_span letter, size_t max, struct sp_letter_envelope *ret_envelope)
{
	if (letter.n < SP_LETTER_OVER)
		return SP_E_SHORT;
	if (letter.n > max || letter.n > SP_LETTER_TCP_MAX)
		return SP_E_LONG;
	if (letter.p[0] != SP_LETTER_VERSION)
		return SP_E_VERSION;
	if (letter.p[AT_KIND] != SP_LETTER_SEALED)
		return SP_E_UNKNOWN;
	ret_envelope->receiver_id = letter.p + AT_RECEIVER;
	ret_envelope->sender_key = letter.p + AT_SENDER;
	ret_envelope->core = sp_span(letter.p, letter.n - SP_LETTER_MACS);
	return SP_OK;
}

enum sp_status
sp_letter_check(struct sp_span letter, const struct sp_letter_key *own)
{
	struct sp_letter_envelope env;
	uint8_t want[MAC_BYTES];
	enum sp_status st;

	if ((st = sp_letter_peek(letter, SP_LETTER_TCP_MAX, &env)) != SP_OK)
		return st;
	if (memcmp(env.receiver_id, own->id, sizeof(own->id)) != 0)
		return SP_E_IDENTITY;
	mac1(own, env.core, want);
	if (!sp_same_secret(want, env.core.p + env.core.n, MAC_BYTES))
		return SP_E_SEAL;
	return SP_OK;
}

/* Reads the opened text. */
static enum sp_status
read_inner(struct sp_span text, struct sp_letter *letter)
{
	struct sp_cursor c = sp_cursor(text);

	sp_cursor_copy(&c, letter->head.id.b, sizeof(letter->head.id.b));
	sp_cursor_copy(&c, letter->head.answers.b, sizeof(letter->head.answers.b));
	letter->head.time_ms = sp_cursor_u64(&c);
	letter->type = sp_cursor_u16(&c);
	letter->body = sp_cursor_bytes(&c, sp_cursor_left(&c));
	letter->desc = sp_desc_msg(letter->type);
	if (letter->desc != NULL && letter->desc->transport != SP_TRANSPORT_LETTER)
		letter->desc = NULL;
	if (sp_id_is_zero(&letter->head.id))
		sp_cursor_fail(&c, SP_E_FORMAT);
	return sp_cursor_end(&c);
}

enum sp_status
sp_letter_open(const struct sp_x25519_pair *receiver, struct sp_span letter, struct sp_buf *text,
    struct sp_letter *ret_letter)
{
	struct sp_letter_envelope env;
	struct sp_letter opened = { 0 };
	struct sp_span sealed;
	enum sp_status st;
	uint8_t *p;

	if ((st = sp_letter_peek(letter, SP_LETTER_TCP_MAX, &env)) != SP_OK)
		return st;
	sealed = sp_span(letter.p + SP_LETTER_HEAD, env.core.n - SP_LETTER_HEAD);
	sp_buf_clear(text);
	text->secret = true;
	if ((p = sp_buf_reserve(text, sealed.n - SP_HPKE_TAG)) == NULL)
		return sp_buf_status(text);
	st = sp_hpke_open(receiver, env.sender_key, sp_span_str(INFO), sp_span(letter.p, SP_LETTER_HEAD),
	    letter.p + AT_ENC, sealed, p);
	if (st != SP_OK) {
		sp_buf_clear(text);
		return st;
	}
	memcpy(opened.sender_key, env.sender_key, SP_X25519);
	memcpy(opened.receiver_id, env.receiver_id, sizeof(opened.receiver_id));
	if ((st = read_inner(sp_buf_span(text), &opened)) != SP_OK)
		return st;
	*ret_letter = opened;
	return SP_OK;
}

void
sp_letter_tcp_head(size_t letter_bytes, uint8_t out[SP_LETTER_TCP_HEAD])
{
	for (int i = 0; i < SP_LETTER_TCP_HEAD; i++)
		out[i] = (uint8_t)(letter_bytes >> (24 - 8 * i));
}

enum sp_status
sp_letter_tcp_length(const uint8_t head[SP_LETTER_TCP_HEAD], size_t *ret_bytes)
{
	struct sp_cursor c = sp_cursor(sp_span(head, SP_LETTER_TCP_HEAD));
	uint32_t n = sp_cursor_u32(&c);

	if (n < SP_LETTER_OVER)
		return SP_E_SHORT;
	if (n > SP_LETTER_TCP_MAX)
		return SP_E_LONG;
	*ret_bytes = n;
	return SP_OK;
}
