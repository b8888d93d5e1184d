/*
 * accept.c - ACCEPT, its ranges and its token.
 */
#include "common/statements/accept.h"

#include <string.h>

#define RANGE_BYTES 16

/* Do the ranges ascend without touching each other, within [0, length)? */
static bool
ranges_ok(const struct sp_range *ranges, size_t count, uint64_t length)
{
	if (count > SP_RANGES_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].from >= ranges[i].to || ranges[i].to > length)
			return false;
		if (i > 0 && ranges[i].from <= ranges[i - 1].to)
			return false;
	}
	return true;
}

enum sp_status
sp_ranges_pack(const struct sp_range *ranges, size_t count, struct sp_buf *out)
{
	if (!ranges_ok(ranges, count, UINT64_MAX))
		return SP_E_RANGE;
	for (size_t i = 0; i < count; i++) {
		sp_buf_add_u64(out, ranges[i].from);
		sp_buf_add_u64(out, ranges[i].to);
	}
	return sp_buf_status(out);
}

enum sp_status
sp_ranges_parse(struct sp_span bytes, uint64_t length, struct sp_range ret_ranges[SP_RANGES_MAX], size_t *ret_count)
{
	struct sp_range ranges[SP_RANGES_MAX];
	struct sp_cursor c = sp_cursor(bytes);
	size_t count = bytes.n / RANGE_BYTES;

	if (bytes.n % RANGE_BYTES != 0 || count > SP_RANGES_MAX)
		return SP_E_FORMAT;
	for (size_t i = 0; i < count; i++) {
		ranges[i].from = sp_cursor_u64(&c);
		ranges[i].to = sp_cursor_u64(&c);
	}
	if (!ranges_ok(ranges, count, length))
		return SP_E_RANGE;
	memcpy(ret_ranges, ranges, count * sizeof(ranges[0]));
	*ret_count = count;
	return SP_OK;
}

enum sp_status
sp_accept_open(const struct sp_msg_accept_letter *letter, const uint8_t letter_key[SP_X25519],
    const struct sp_identity *recipient, const struct sp_hash *offer, uint64_t packet, struct sp_accept *ret_accept,
    struct sp_why *why)
{
	struct sp_stmt_accept stmt;
	struct sp_accept accept = { 0 };
	char name[SP_NAME_TEXT];
	struct sp_hash token;
	enum sp_status st;

	if (!recipient->has_keys || memcmp(letter_key, recipient->letter_key, SP_X25519) != 0)
		return sp_fail(SP_E_IDENTITY, why, "the letter's key is not that of %s",
		    sp_identity_text(recipient, name));
	st = sp_statement_open(SP_STMT_ACCEPT, letter->statement, letter->signature, recipient, NULL, &stmt, why);
	if (st != SP_OK)
		return st;
	if (!sp_hash_eq(&stmt.offer, offer))
		return sp_fail(SP_E_MISMATCH, why, "the accept is for another offer");
	sp_sha256(letter->token, &token);
	if (letter->token.n != sizeof(accept.token) || !sp_hash_eq(&token, &stmt.token_hash))
		return sp_fail(SP_E_MISMATCH, why, "the letter's token is not the one that was signed");
	if ((st = sp_ranges_parse(stmt.held, packet, accept.held, &accept.held_count)) != SP_OK)
		return sp_fail(st, why, "the accept's ranges are not ascending parts of the packet");
	sp_statement_hash(letter->statement, &accept.hash);
	accept.number = stmt.number;
	accept.port = stmt.port;
	memcpy(accept.key, stmt.key.p, SP_X25519);
	memcpy(accept.token, letter->token.p, sizeof(accept.token));
	*ret_accept = accept;
	sp_wipe(&accept, sizeof(accept));
	return SP_OK;
}

enum sp_status
sp_accept_sign(const struct sp_accept *accept, const struct sp_hash *offer, const struct sp_key *key,
    struct sp_buf *ret_statement, uint8_t ret_signature[SP_SIGNATURE], struct sp_hash *ret_hash, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) held = { 0 };
	struct sp_stmt_accept stmt = {
		.offer = *offer,
		.number = accept->number,
		.port = accept->port,
		.key = sp_span(accept->key, SP_X25519),
	};
	enum sp_status st;

	if ((st = sp_ranges_pack(accept->held, accept->held_count, &held)) != SP_OK)
		return sp_fail(st, why, "the ranges held do not ascend or are too many");
	stmt.held = sp_buf_span(&held);
	sp_sha256(sp_span(accept->token, sizeof(accept->token)), &stmt.token_hash);
	return sp_statement_sign(SP_STMT_ACCEPT, &stmt, key, ret_statement, ret_signature, ret_hash, why);
}
