/*
 * letter_fuzz.c - the envelope of a letter: bytes as a socket gives them, for a station whose keys are fixed.
 */
#include "common/wire/cookie.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

/* What a TCP connection begins with. */
static void
tcp_head(struct sp_span in)
{
	uint8_t head[SP_LETTER_TCP_HEAD];
	size_t n;

	if (in.n < SP_LETTER_TCP_HEAD || sp_letter_tcp_length(in.p, &n) != SP_OK)
		return;
	fuzz_must(n >= SP_LETTER_OVER && n <= SP_LETTER_TCP_MAX);
	sp_letter_tcp_head(n, head);
	fuzz_must(memcmp(head, in.p, sizeof(head)) == 0);
}

/* A cookie for a letter of zeroes; and mac2 of a letter. */
static void
cookie(struct sp_span in, const struct sp_letter_key *key)
{
	static const uint8_t sent[SP_LETTER_OVER];
	struct sp_cookie_jar jar = { .has = { true }, .made_ms = FUZZ_NOW_MS };
	uint8_t taken[SP_COOKIE];
	const uint8_t *ref;

	if (sp_cookie_peek(in, &ref) == SP_OK) {
		fuzz_must(in.n == SP_COOKIE_LETTER && ref == in.p + 2);
		fuzz_must(sp_cookie_open(key, sp_span(sent, sizeof(sent)), in, taken) != SP_OK);
	} else if (in.n >= SP_LETTER_OVER) {
		fuzz_must(!sp_cookie_fits(&jar, in, sp_span("address", 7), FUZZ_NOW_MS));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_x25519_pair own = fuzz_pair(FUZZ_BOB);
	struct sp_span in = sp_span(data, size);
	struct sp_letter_envelope env;
	struct sp_letter_key key;
	struct sp_letter letter;
	enum sp_status st;

	tcp_head(in);
	sp_letter_key_init(&key, own.public_key);
	cookie(in, &key);
	st = sp_letter_peek(in, SP_LETTER_MAX, &env);
	fuzz_must(st != SP_OK || size <= SP_LETTER_MAX);
	if (sp_letter_peek(in, SP_LETTER_TCP_MAX, &env) != SP_OK) {
		fuzz_must(sp_letter_check(in, &key) != SP_OK && sp_letter_open(&own, in, &text, &letter) != SP_OK);
		return 0;
	}
	fuzz_must(env.core.p == data && env.core.n == size - SP_LETTER_MACS && size >= SP_LETTER_OVER);
	st = sp_letter_check(in, &key);
	if (sp_letter_open(&own, in, &text, &letter) != SP_OK)
		return 0;
	fuzz_must(text.secret && memcmp(letter.sender_key, env.sender_key, SP_X25519) == 0);
	fuzz_must(letter.body.n == size - SP_LETTER_OVER);
	fuzz_must(letter.desc == NULL || letter.desc->transport == SP_TRANSPORT_LETTER);
	/* what opens was made for this key; only its macs may have been changed on the way */
	fuzz_must(memcmp(env.receiver_id, key.id, sizeof(key.id)) == 0);
	if (st == SP_OK)
		fuzz_accept();
	return 0;
}
