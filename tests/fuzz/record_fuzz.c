/*
 * record_fuzz.c - records of a data connection whose sender holds the keys and means ill: each piece of the input (length u16,
 * then type and body) is sealed as a record, as docs/protocol.md says, and opened by the recipient.
 */
#include <stdlib.h>

#include "common/crypto/hash.h"
#include "common/wire/channel.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

/* The sender's side by the book: keys from the agreement, a counter. */
struct sender {
	struct sp_aead *seal;
	uint64_t counter;
};

static void
connect_both(struct sender *sender, struct sp_channel **ret_recipient)
{
	struct sp_x25519_pair one_time = fuzz_pair(9), own = fuzz_pair(10);
	struct sp_channel_terms t = { .offer = { { 1 } }, .accept = { { 2 } }, .token = { 3 }, .number = 1 };
	uint8_t opening[SP_CHANNEL_OPENING] = "SPD1", reply[SP_CHANNEL_REPLY], confirm[SP_CHANNEL_CONFIRM], keys[128];
	uint8_t secret[64];
	SP_AUTO_DONE(sp_buf) info = { 0 }, text = { 0 };

	memcpy(t.recipient_key, one_time.public_key, SP_X25519);
	memcpy(opening + 4, t.accept.b, 16);
	opening[20] = t.number;
	memcpy(opening + 21, own.public_key, SP_X25519);
	fuzz_ok(sp_channel_recipient_accept(&t, &one_time, opening, reply, ret_recipient));
	fuzz_ok(sp_x25519(own.secret, one_time.public_key, secret));
	memcpy(secret + 32, t.token, 32);
	sp_buf_add_text(&info, "sealpost data 1");
	sp_buf_add(&info, t.offer.b, 32);
	sp_buf_add(&info, t.accept.b, 32);
	sp_buf_add(&info, own.public_key, 32);
	sp_buf_add(&info, one_time.public_key, 32);
	sp_buf_add_u8(&info, t.number);
	sp_buf_add(&info, reply, 32);
	sp_hkdf(sp_span(NULL, 0), sp_span(secret, 64), sp_buf_span(&info), keys, sizeof(keys));
	sp_buf_add(&text, opening, sizeof(opening));
	sp_buf_add(&text, reply, 32);
	sp_hmac(sp_span(keys + 96, 32), sp_buf_span(&text), confirm);
	fuzz_ok(sp_channel_recipient_confirm(*ret_recipient, confirm));
	sender->seal = sp_aead_new(keys, true);
	sender->counter = 0;
	fuzz_must(sender->seal != NULL);
}

static void
seal(struct sender *s, struct sp_span text, struct sp_buf *out)
{
	uint8_t nonce[SP_AEAD_NONCE], *p;

	sp_buf_clear(out);
	sp_buf_add_u32(out, (uint32_t)(text.n + SP_AEAD_TAG));
	fuzz_must((p = sp_buf_reserve(out, text.n + SP_AEAD_TAG)) != NULL);
	sp_aead_counter_nonce(s->counter++, nonce);
	fuzz_ok(sp_aead_seal(s->seal, nonce, sp_span(out->data, 4), text.p, text.n, out->data + 4));
}

static void
look_at(const struct sp_record *record, struct sp_span text)
{
	SP_AUTO_MEM uint8_t *msg = NULL;

	fuzz_must(record->type == text.p[0]);
	if (record->desc == NULL) {
		fuzz_must(record->type == SP_RECORD_TAR || record->type == SP_RECORD_PRINTS || record->type == SP_RECORD_FRAME);
		fuzz_must(record->body.n > 0 && record->offset <= UINT64_MAX - record->body.n);
		fuzz_accept();
		return;
	}
	fuzz_must(record->desc->number == record->type && record->desc->transport == SP_TRANSPORT_RECORD);
	msg = malloc(record->desc->size);
	if (msg != NULL && fuzz_decode(record->desc, record->body, msg))
		fuzz_accept();
}

/* Record after record until one is refused; then nothing more is taken. */
static void
records(struct sender *s, struct sp_channel *ch, struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) record = { 0 };
	struct sp_cursor c = sp_cursor(in);
	struct sp_record got;
	bool dead = false, first = true;

	while (sp_cursor_left(&c) > 2) {
		size_t n = sp_cursor_u16(&c), left = sp_cursor_left(&c);
		struct sp_span text = sp_cursor_bytes(&c, n < left ? n : left);
		enum sp_status st;

		seal(s, text, &record);
		st = sp_channel_open(ch, record.data, record.len, &got);
		fuzz_must(!dead || st == SP_E_STATE);
		dead = st != SP_OK;
		if (dead)
			continue;
		fuzz_must(!first || got.type == SP_MSG_DATA_OPEN);
		look_at(&got, text);
		if (first)
			fuzz_ok(sp_channel_admit(ch));
		first = false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO(sp_channel) *recipient = NULL;
	struct sender sender;
	uint8_t head[SP_RECORD_HEAD] = { 0 };
	size_t n;

	memcpy(head, data, size < sizeof(head) ? size : sizeof(head));
	if (sp_record_bytes(head, &n) == SP_OK)
		fuzz_must(n > SP_RECORD_HEAD + SP_AEAD_TAG && n <= SP_RECORD_BYTES_MAX);
	connect_both(&sender, &recipient);
	records(&sender, recipient, sp_span(data, size));
	sp_aead_free(sender.seal);
	return 0;
}
