/*
 * letter_text_fuzz.c - what stands sealed inside a letter: the input is sealed for the receiver as docs/protocol.md says, opened,
 * and its message read; sealed anew it opens to the same.
 */
#include "common/crypto/hash.h"
#include "common/crypto/hpke_internal.h"
#include "common/wire/letter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

/* The whole letter around a text that sp_letter_seal() would not make. */
static void
seal(struct sp_span text, const struct sp_letter_key *to, struct sp_buf *out)
{
	struct sp_x25519_pair sender = fuzz_pair(FUZZ_ALICE), ephemeral = fuzz_pair(100);
	uint8_t mac[32], *p = sp_buf_reserve(out, SP_LETTER_HEAD + text.n + SP_HPKE_TAG + SP_LETTER_MACS);
	size_t core = SP_LETTER_HEAD + text.n + SP_HPKE_TAG;

	fuzz_must(p != NULL);
	memset(p, 0, out->len);
	p[0] = SP_LETTER_VERSION;
	p[1] = SP_LETTER_SEALED;
	memcpy(p + 2, to->id, 8);
	memcpy(p + 10, sender.public_key, SP_X25519);
	fuzz_ok(sp_hpke_seal_with(&ephemeral, &sender, to->public_key, sp_span_str("sealpost letter 1"),
	    sp_span(p, SP_LETTER_HEAD), text, p + 42, p + SP_LETTER_HEAD));
	sp_hmac(sp_span(to->mac, sizeof(to->mac)), sp_span(p, core), mac);
	memcpy(p + core, mac, 16);
}

/* Our own sealing of what was read must open to the same fields. */
static void
again(const struct sp_letter *letter, const void *msg, const struct sp_letter_key *to, const struct sp_x25519_pair *own)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, text = { 0 }, body = { 0 };
	struct sp_x25519_pair sender = fuzz_pair(FUZZ_ALICE);
	struct sp_letter got;

	fuzz_ok(sp_letter_seal(&sender, to, &letter->head, letter->desc, msg, &out, NULL));
	fuzz_ok(sp_letter_check(sp_buf_span(&out), to));
	fuzz_ok(sp_letter_open(own, sp_buf_span(&out), &text, &got));
	fuzz_ok(sp_encode(letter->desc, msg, &body, NULL));
	fuzz_same(got.body, sp_buf_span(&body));
	fuzz_must(sp_id_eq(&got.head.id, &letter->head.id) && sp_id_eq(&got.head.answers, &letter->head.answers) &&
	    got.head.time_ms == letter->head.time_ms && got.type == letter->type);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, text = { 0 };
	SP_AUTO_MEM uint8_t *msg = NULL;
	struct sp_x25519_pair own = fuzz_pair(FUZZ_BOB);
	struct sp_letter_key key;
	struct sp_letter letter;
	enum sp_status st;

	sp_letter_key_init(&key, own.public_key);
	seal(sp_span(data, size), &key, &out);
	st = sp_letter_open(&own, sp_buf_span(&out), &text, &letter);
	if (out.len < SP_LETTER_OVER || out.len > SP_LETTER_TCP_MAX) {
		fuzz_must(st == SP_E_SHORT || st == SP_E_LONG);
		return 0;
	}
	fuzz_ok(sp_letter_check(sp_buf_span(&out), &key));
	fuzz_must(st == SP_OK || st == SP_E_FORMAT);
	if (st != SP_OK)
		return 0;
	fuzz_must(letter.body.n == size - SP_LETTER_INNER && memcmp(letter.head.id.b, data, 16) == 0);
	if (letter.desc == NULL)
		return 0;
	msg = malloc(letter.desc->size);
	if (msg != NULL && fuzz_decode(letter.desc, letter.body, msg)) {
		fuzz_accept();
		again(&letter, msg, &key, &own);
	}
	return 0;
}
