/*
 * token.h - the invitation that the operator hands to a new station, as text:
 * sealpost:enrol?d=DOMAIN&k=HOST:PORT[,HOST:PORT…]&r=HEX64&s=BASE64URL22
 */
#ifndef SP_STATEMENTS_TOKEN_H
#define SP_STATEMENTS_TOKEN_H

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/base/text.h"

#define SP_TOKEN_ADDRESSES 4
#define SP_TOKEN_SECRET 16
#define SP_TOKEN_TEXT_MAX 512

/* host: lower-case letters, digits, '-' and '.', or an IPv6 address (without its brackets). */
struct sp_token_address {
	char host[SP_HOST_MAX + 1];
	uint16_t port;
};

struct sp_token {
	char domain[SP_DOMAIN_MAX + 1];
	struct sp_token_address keyd[SP_TOKEN_ADDRESSES];
	size_t keyd_count;			/* 1..SP_TOKEN_ADDRESSES */
	struct sp_hash root;			/* SHA-256 of the root certificate's DER */
	uint8_t secret[SP_TOKEN_SECRET];	/* wipe it when it is used up */
};

/* Reads the text: one form only, so what parses prints to the same bytes. SP_E_FORMAT with what is wrong. */
SP_MUST_CHECK enum sp_status sp_token_parse(struct sp_span text, struct sp_token *ret_token, struct sp_why *why);

/* Appends the text. SP_E_ARGUMENT if the struct holds what could not be read back. */
SP_MUST_CHECK enum sp_status sp_token_print(const struct sp_token *token, struct sp_buf *out);

#endif
