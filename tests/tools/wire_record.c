/*
 * wire_record.c - makes letters and a data connection and prints them with the keys that open them, a line each: a name, a
 * space, hexadecimal digits. tests/readers/letter_reader.py opens what stands there; nothing is read.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "common/crypto/rand.h"
#include "common/statements/accept.h"
#include "common/statements/offer.h"
#include "common/statements/open.h"
#include "common/wire/channel.h"
#include "common/wire/letter.h"

#define ALICE "alice/laptop@post.example"
#define BOB "bob/desk@post.example"

/* Everything must go well, or there is nothing to print. */
#define must(call)                                                                                  \
	do {                                                                                        \
		enum sp_status st_ = (call);                                                        \
		if (st_ != SP_OK) {                                                                 \
			fprintf(stderr, "wire_record: %s: %s\n", #call, sp_status_text(st_));       \
			exit(1);                                                                    \
		}                                                                                   \
	} while (0)

static void
print(const char *name, const void *p, size_t n)
{
	SP_AUTO_MEM char *hex = malloc(2 * n + 1);

	printf("%s %s\n", name, sp_hex(p, n, hex));
}

struct party {
	struct sp_x25519_pair letter;
	struct sp_key *key;
	uint8_t public_key[SP_P256_PUBLIC];
};

static void
party_init(struct party *p, const char *name)
{
	char line[64];

	must(sp_x25519_new(&p->letter));
	must(sp_key_new(&p->key));
	sp_key_public(p->key, p->public_key);
	snprintf(line, sizeof(line), "%s.letter_secret", name);
	print(line, p->letter.secret, SP_X25519);
	snprintf(line, sizeof(line), "%s.letter_key", name);
	print(line, p->letter.public_key, SP_X25519);
	snprintf(line, sizeof(line), "%s.sign_key", name);
	print(line, p->public_key, SP_P256_PUBLIC);
}

static void
print_letter(const struct party *from, const struct party *to, struct sp_letter_head head, unsigned type, const void *msg)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_letter_key key;

	sp_letter_key_init(&key, to->letter.public_key);
	head.id = sp_id_new();
	must(sp_letter_seal(&from->letter, &key, &head, sp_desc_msg(type), msg, &out, NULL));
	print("letter", out.data, out.len);
}

/* PING (short, and padded), an offer, its accept, a letter that goes over TCP only. */
static void
print_letters(const struct party *alice, const struct party *bob, struct sp_channel_terms *terms,
    struct sp_x25519_pair *one_time)
{
	static const uint8_t salt[SP_TITLE_SALT] = { 1, 2, 3 }, part[65000] = { 'x' };
	SP_AUTO_DONE(sp_buf) offer_bytes = { 0 }, accept_bytes = { 0 };
	uint8_t offer_sig[SP_SIGNATURE], accept_sig[SP_SIGNATURE];
	struct sp_letter_head head = { .time_ms = 1764040000123 };
	struct sp_msg_ping ping = { 0 };
	struct sp_stmt_offer offer = { .transfer = sp_id_new(), .sender = sp_span_str(ALICE),
		.recipient = sp_span_str(BOB), .recipient_cert = { { 1 } }, .klass = SP_RECEIPT_DIRECT, .files = 1, .bytes = 5,
		.packet = 5120, .manifest = { { 2 } }, .time_ms = 1764040000000, .manifest_length = 300 };
	struct sp_msg_offer_letter offer_letter;
	struct sp_msg_accept_letter accept_letter;
	struct sp_msg_files_is files = { .transfer = offer.transfer, .total = 65000, .bytes = sp_span(part, sizeof(part)) };
	struct sp_accept accept = { .number = 1, .port = 21000, .held = { { 0, 512 }, { 1024, 2048 } }, .held_count = 2 };

	print_letter(alice, bob, head, SP_MSG_PING, &ping);
	head.pad_to = 980;
	print_letter(alice, bob, head, SP_MSG_PING, &ping);
	head.pad_to = 0;
	sp_offer_title_hash(salt, sp_span_str("holiday"), &offer.title_hash);
	must(sp_statement_sign(SP_STMT_OFFER, &offer, alice->key, &offer_bytes, offer_sig, &terms->offer, NULL));
	offer_letter = (struct sp_msg_offer_letter){ .statement = sp_buf_span(&offer_bytes),
		.signature = sp_span(offer_sig, SP_SIGNATURE), .title = sp_span_str("holiday"),
		.title_salt = sp_span(salt, sizeof(salt)) };
	print_letter(alice, bob, head, SP_MSG_OFFER_LETTER, &offer_letter);

	must(sp_x25519_new(one_time));
	memcpy(accept.key, one_time->public_key, SP_X25519);
	sp_random(accept.token, sizeof(accept.token));
	must(sp_accept_sign(&accept, &terms->offer, bob->key, &accept_bytes, accept_sig, &terms->accept, NULL));
	accept_letter = (struct sp_msg_accept_letter){ .statement = sp_buf_span(&accept_bytes),
		.signature = sp_span(accept_sig, SP_SIGNATURE), .token = sp_span(accept.token, 32) };
	head.answers = sp_id_new();
	print_letter(bob, alice, head, SP_MSG_ACCEPT_LETTER, &accept_letter);
	print_letter(bob, alice, head, SP_MSG_FILES_IS, &files);
	memcpy(terms->token, accept.token, sizeof(terms->token));
	memcpy(terms->recipient_key, accept.key, SP_X25519);
	terms->number = 1;
}

static void
print_message(struct sp_channel *ch, const char *name, unsigned type, const void *msg)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	must(sp_channel_seal(ch, sp_desc_msg(type), msg, &out, NULL));
	print(name, out.data, out.len);
}

static void
print_raw(struct sp_channel *ch, uint8_t type, uint64_t offset, size_t n)
{
	SP_AUTO_MEM uint8_t *record = malloc(n + SP_RECORD_RAW_OVER);

	for (size_t i = 0; i < n; i++)
		sp_record_raw_place(record)[i] = (uint8_t)(offset + i);
	must(sp_channel_seal_raw(ch, type, offset, record, n));
	print("record.sender", record, n + SP_RECORD_RAW_OVER);
}

static void
print_connection(const struct party *alice, const struct sp_channel_terms *terms, const struct sp_x25519_pair *one_time)
{
	SP_AUTO(sp_channel) *sender = NULL, *recipient = NULL;
	SP_AUTO_DONE(sp_buf) open_bytes = { 0 }, record = { 0 };
	uint8_t opening[SP_CHANNEL_OPENING], reply[SP_CHANNEL_REPLY], confirm[SP_CHANNEL_CONFIRM], sig[SP_SIGNATURE];
	struct sp_msg_data_checkpoint held = { .held = 70000 };
	struct sp_msg_data_end end = { 0 };
	struct sp_msg_data_open msg;
	struct sp_record got;

	must(sp_channel_sender_begin(terms, opening, &sender));
	must(sp_channel_recipient_accept(terms, one_time, opening, reply, &recipient));
	must(sp_channel_sender_confirm(sender, reply, confirm));
	must(sp_channel_recipient_confirm(recipient, confirm));
	print("channel.one_time_secret", one_time->secret, SP_X25519);
	print("channel.opening", opening, sizeof(opening));
	print("channel.reply", reply, sizeof(reply));
	print("channel.confirmation", confirm, sizeof(confirm));

	must(sp_open_sign(sender, alice->key, &open_bytes, sig, NULL));
	msg = (struct sp_msg_data_open){ .statement = sp_buf_span(&open_bytes), .signature = sp_span(sig, SP_SIGNATURE) };
	must(sp_channel_seal(sender, sp_desc_msg(SP_MSG_DATA_OPEN), &msg, &record, NULL));
	print("record.sender", record.data, record.len);
	must(sp_channel_open(recipient, record.data, record.len, &got));
	must(sp_channel_admit(recipient));
	print_raw(sender, SP_RECORD_TAR, 0, 1);
	print_raw(sender, SP_RECORD_TAR, 1, SP_RECORD_DATA);
	print_raw(sender, SP_RECORD_PRINTS, 0, 90);
	print_message(sender, "record.sender", SP_MSG_DATA_END, &end);
	print_message(recipient, "record.recipient", SP_MSG_DATA_CHECKPOINT, &held);
	print_message(recipient, "record.recipient", SP_MSG_DATA_END, &end);
}

int
main(void)
{
	struct sp_channel_terms terms = { 0 };
	struct sp_x25519_pair one_time;
	struct party alice, bob;

	party_init(&alice, "alice");
	party_init(&bob, "bob");
	print_letters(&alice, &bob, &terms, &one_time);
	print_connection(&alice, &terms, &one_time);
	sp_key_free(alice.key);
	sp_key_free(bob.key);
	return fflush(stdout) == 0 ? 0 : 1;
}
