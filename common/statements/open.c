/*
 * open.c - OPEN against the data connection that it was sent on.
 */
#include "common/statements/open.h"

#include <string.h>

enum sp_status
sp_open_sign(const struct sp_channel *ch, const struct sp_key *key, struct sp_buf *out,
    uint8_t ret_signature[SP_SIGNATURE], struct sp_why *why)
{
	struct sp_channel_facts facts;
	struct sp_stmt_open stmt;

	sp_channel_get_facts(ch, &facts);
	stmt = (struct sp_stmt_open){
		.accept = facts.accept,
		.number = facts.number,
		.sender_key = sp_span(facts.sender_key, sizeof(facts.sender_key)),
		.recipient_key = sp_span(facts.recipient_key, sizeof(facts.recipient_key)),
		.nonce = sp_span(facts.nonce, sizeof(facts.nonce)),
	};
	return sp_statement_sign(SP_STMT_OPEN, &stmt, key, out, ret_signature, NULL, why);
}

enum sp_status
sp_open_check(const struct sp_channel *ch, struct sp_span statement, struct sp_span signature,
    const struct sp_identity *sender, struct sp_why *why)
{
	struct sp_channel_facts facts;
	struct sp_stmt_open stmt;
	enum sp_status st;

	st = sp_statement_open(SP_STMT_OPEN, statement, signature, sender, NULL, &stmt, why);
	if (st != SP_OK)
		return st;
	sp_channel_get_facts(ch, &facts);
	if (!sp_hash_eq(&stmt.accept, &facts.accept) || stmt.number != facts.number ||
	    memcmp(stmt.sender_key.p, facts.sender_key, SP_X25519) != 0 ||
	    memcmp(stmt.recipient_key.p, facts.recipient_key, SP_X25519) != 0 ||
	    memcmp(stmt.nonce.p, facts.nonce, sizeof(facts.nonce)) != 0)
		return sp_fail(SP_E_MISMATCH, why, "the sender signed for another connection than this one");
	return SP_OK;
}
