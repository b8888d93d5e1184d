/*
 * enrol.c - the bytes that an enrolment is about.
 */
#include "common/statements/enrol.h"

#include <string.h>

#define PREFIX "SPENRL"
#define PREFIX_BYTES 6

enum sp_status
sp_enrol_request(struct sp_span name, const struct sp_enrol_keys *keys, struct sp_buf *out, struct sp_hash *ret_hash,
    struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) own = { 0 };
	struct sp_stmt_enrol_request request = {
		.name = name,
		.sign_key = sp_span(keys->sign_key, SP_P256_PUBLIC),
		.letter_key = sp_span(keys->letter_key, SP_X25519),
		.age_key = sp_span(keys->age_key, SP_X25519),
	};
	struct sp_name parsed;
	enum sp_status st;

	/* A service's name has the same form as a station's, its role in place of the person. */
	if (name.n > 0 && (sp_name_parse(name, &parsed) != SP_OK || parsed.station[0] == '\0'))
		return sp_fail(SP_E_FORMAT, why, "not the name of a station or service");
	if ((st = sp_statement_encode(SP_STMT_ENROL_REQUEST, &request, &own, why)) != SP_OK)
		return st;
	if (out != NULL) {
		sp_buf_add_span(out, sp_buf_span(&own));
		if ((st = sp_buf_status(out)) != SP_OK)
			return st;
	}
	sp_statement_hash(sp_buf_span(&own), ret_hash);
	return SP_OK;
}

void
sp_enrol_proof(const uint8_t exporter[32], const uint8_t letter_nonce[32], const uint8_t age_nonce[32],
    const struct sp_hash *request, uint8_t ret_bytes[SP_ENROL_PROOF])
{
	memcpy(ret_bytes, PREFIX, PREFIX_BYTES);
	memcpy(ret_bytes + PREFIX_BYTES, exporter, 32);
	memcpy(ret_bytes + PREFIX_BYTES + 32, letter_nonce, 32);
	memcpy(ret_bytes + PREFIX_BYTES + 64, age_nonce, 32);
	memcpy(ret_bytes + PREFIX_BYTES + 96, request->b, 32);
}
