/*
 * open_fuzz.c - OPEN, the first record of a data connection: a statement about this connection, or one about any other.
 * The input replaces bytes of the right one: (place u8, byte) pairs, so that what is refused is always near the truth.
 */
#include "common/statements/open.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

static void
connect_both(struct sp_channel **ret_sender, struct sp_channel **ret_recipient)
{
	struct sp_x25519_pair one_time = fuzz_pair(9);
	struct sp_channel_terms t = { .offer = { { 1 } }, .accept = { { 2 } }, .token = { 3 }, .number = 1 };
	uint8_t opening[SP_CHANNEL_OPENING], reply[SP_CHANNEL_REPLY], confirm[SP_CHANNEL_CONFIRM];

	memcpy(t.recipient_key, one_time.public_key, SP_X25519);
	fuzz_ok(sp_channel_sender_begin(&t, opening, ret_sender));
	fuzz_ok(sp_channel_recipient_accept(&t, &one_time, opening, reply, ret_recipient));
	fuzz_ok(sp_channel_sender_confirm(*ret_sender, reply, confirm));
	fuzz_ok(sp_channel_recipient_confirm(*ret_recipient, confirm));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fuzz_person *alice = fuzz_person(FUZZ_ALICE);
	SP_AUTO(sp_channel) *sender = NULL, *recipient = NULL;
	SP_AUTO_DONE(sp_buf) right = { 0 }, changed = { 0 };
	uint8_t signature[SP_SIGNATURE];
	struct sp_why why = { "" };
	enum sp_status st;

	connect_both(&sender, &recipient);
	fuzz_ok(sp_open_sign(sender, alice->key, &right, signature, NULL));
	sp_buf_add_span(&changed, sp_buf_span(&right));
	for (size_t i = 0; i + 1 < size; i += 2)
		changed.data[data[i] % changed.len] = data[i + 1];
	if (size % 2 == 1)
		changed.len -= data[size - 1] % 4;
	st = sp_open_check(recipient, sp_buf_span(&changed), sp_span(signature, sizeof(signature)), &alice->identity, &why);
	fuzz_must((st == SP_OK) == sp_span_eq(sp_buf_span(&right), sp_buf_span(&changed)));
	fuzz_ok(sp_sign(alice->key, sp_buf_span(&changed), signature));
	st = sp_open_check(recipient, sp_buf_span(&changed), sp_span(signature, sizeof(signature)), &alice->identity, &why);
	fuzz_must((st == SP_OK) == sp_span_eq(sp_buf_span(&right), sp_buf_span(&changed)));
	fuzz_reason(&why);
	if (st == SP_OK)
		fuzz_accept();
	return 0;
}
