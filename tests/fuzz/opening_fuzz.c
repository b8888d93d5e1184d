/*
 * opening_fuzz.c - how a data connection begins: an opening, a reply and a confirmation as strangers may send them, to either
 * side. Only the one that holds the secrets gets through.
 */
#include "common/crypto/hash.h"
#include "common/wire/channel.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

static struct sp_channel_terms
terms(void)
{
	struct sp_x25519_pair one_time = fuzz_pair(9);
	struct sp_channel_terms t = { .number = 1 };

	memset(t.offer.b, 1, sizeof(t.offer.b));
	memset(t.accept.b, 2, sizeof(t.accept.b));
	memset(t.token, 3, sizeof(t.token));
	memcpy(t.recipient_key, one_time.public_key, SP_X25519);
	return t;
}

/* The recipient, and a stranger who answers with what else came in. */
static void
to_recipient(struct sp_span in)
{
	SP_AUTO(sp_channel) *ch = NULL;
	struct sp_channel_terms t = terms();
	struct sp_x25519_pair one_time = fuzz_pair(9);
	uint8_t opening[SP_CHANNEL_OPENING] = { 0 }, reply[SP_CHANNEL_REPLY], confirm[SP_CHANNEL_CONFIRM] = { 0 };
	uint8_t record[64] = { 0 };
	struct sp_channel_opening asked;
	struct sp_record got;
	enum sp_status st;

	memcpy(opening, in.p, in.n < sizeof(opening) ? in.n : sizeof(opening));
	if (in.n > sizeof(opening))
		memcpy(confirm, in.p + sizeof(opening), in.n - sizeof(opening) < sizeof(confirm) ?
		    in.n - sizeof(opening) : sizeof(confirm));
	st = sp_channel_recipient_accept(&t, &one_time, opening, reply, &ch);
	if (sp_channel_opening_parse(opening, &asked) != SP_OK) {
		fuzz_must(st != SP_OK);
		return;
	}
	fuzz_must(asked.number > 0 && memcmp(asked.sender_key, opening + 21, SP_X25519) == 0);
	if (st != SP_OK)
		return;
	fuzz_must(memcmp(asked.accept_start, t.accept.b, sizeof(asked.accept_start)) == 0 && asked.number == t.number);
	fuzz_accept();
	/* nothing is read before the confirmation, and a wrong one ends it all */
	fuzz_must(sp_channel_open(ch, record, sizeof(record), &got) == SP_E_STATE);
	fuzz_must(sp_channel_recipient_confirm(ch, confirm) == SP_E_SEAL);
	fuzz_must(sp_channel_recipient_confirm(ch, confirm) == SP_E_STATE);
	fuzz_must(sp_channel_open(ch, record, sizeof(record), &got) == SP_E_STATE);
}

static void
to_sender(struct sp_span in)
{
	SP_AUTO(sp_channel) *ch = NULL;
	struct sp_channel_terms t = terms();
	uint8_t opening[SP_CHANNEL_OPENING], reply[SP_CHANNEL_REPLY] = { 0 }, confirm[SP_CHANNEL_CONFIRM];

	memcpy(reply, in.p, in.n < sizeof(reply) ? in.n : sizeof(reply));
	fuzz_ok(sp_channel_sender_begin(&t, opening, &ch));
	fuzz_must(sp_channel_sender_confirm(ch, reply, confirm) == SP_E_SEAL);
	fuzz_must(sp_channel_sender_confirm(ch, reply, confirm) == SP_E_STATE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	to_recipient(sp_span(data, size));
	to_sender(sp_span(data, size));
	return 0;
}
