/*
 * statement.c - canonical bytes, signatures and the order in which a statement is checked. What a statement
 * means stands in the files of its kind.
 */
#include "common/statements/statement.h"

#include <string.h>

#define MAGIC "SPSTMT"
#define MAGIC_BYTES 6

/* The role that a row's text names. NONE for rows that no certificate signs. */
static enum sp_role
row_role(const struct sp_desc *desc)
{
	static const struct { const char *text; enum sp_role role; } roles[] = {
		{ "STATION", SP_ROLE_STATION }, { "KEYD", SP_ROLE_KEYD }, { "CREDITD", SP_ROLE_CREDITD },
		{ "CERTD", SP_ROLE_CERTD }, { "TSA", SP_ROLE_TSA },
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (desc->role != NULL && strcmp(desc->role, roles[i].text) == 0)
			return roles[i].role;
	return SP_ROLE_NONE;
}

enum sp_status
sp_statement_encode(enum sp_purpose purpose, const void *fields, struct sp_buf *out, struct sp_why *why)
{
	const struct sp_desc *desc = sp_desc_statement(purpose);
	size_t at = out->len;
	enum sp_status st;

	if (desc == NULL)
		return sp_fail(SP_E_ARGUMENT, why, "no statement has purpose %d", (int)purpose);
	sp_buf_add(out, MAGIC, MAGIC_BYTES);
	sp_buf_add_u16(out, (uint16_t)purpose);
	if ((st = sp_buf_status(out)) == SP_OK)
		st = sp_encode(desc, fields, out, why);
	if (st == SP_OK && out->len - at > SP_STATEMENT_MAX)
		st = sp_fail(SP_E_LONG, why, "%s: a statement is at most %d bytes", desc->name, SP_STATEMENT_MAX);
	if (st != SP_OK)
		out->len = at;
	return st;
}

enum sp_status
sp_statement_sign(enum sp_purpose purpose, const void *fields, const struct sp_key *key, struct sp_buf *out,
    uint8_t ret_signature[SP_SIGNATURE], struct sp_hash *ret_hash, struct sp_why *why)
{
	size_t at = out->len;
	struct sp_span bytes;
	enum sp_status st;

	if ((st = sp_statement_encode(purpose, fields, out, why)) != SP_OK)
		return st;
	bytes = sp_span(out->data + at, out->len - at);
	if ((st = sp_sign(key, bytes, ret_signature)) != SP_OK) {
		out->len = at;
		return sp_fail(st, why, "a statement cannot be signed: %s", sp_status_text(st));
	}
	if (ret_hash != NULL)
		sp_statement_hash(bytes, ret_hash);
	return SP_OK;
}

enum sp_purpose
sp_statement_purpose(struct sp_span bytes)
{
	struct sp_cursor c = sp_cursor(bytes);
	struct sp_span magic = sp_cursor_bytes(&c, MAGIC_BYTES);
	unsigned purpose = sp_cursor_u16(&c);

	if (!sp_span_eq(magic, sp_span(MAGIC, MAGIC_BYTES)) || sp_desc_statement(purpose) == NULL)
		return SP_STMT_NONE;
	return (enum sp_purpose)purpose;
}

/* Are the bytes a statement of this purpose? */
static enum sp_status
check_purpose(enum sp_purpose purpose, struct sp_span bytes, struct sp_why *why)
{
	enum sp_purpose stated = sp_statement_purpose(bytes);

	if (bytes.n > SP_STATEMENT_MAX)
		return sp_fail(SP_E_LONG, why, "a statement of %zu bytes, at most %d", bytes.n, SP_STATEMENT_MAX);
	if (stated == SP_STMT_NONE || sp_desc_statement(purpose) == NULL)
		return sp_fail(SP_E_FORMAT, why, "these bytes are no statement");
	if (stated != purpose)
		return sp_fail(SP_E_MISMATCH, why, "a statement of kind %s instead of %s",
		    sp_desc_statement(stated)->name, sp_desc_statement(purpose)->name);
	return SP_OK;
}

enum sp_status
sp_statement_read(enum sp_purpose purpose, struct sp_span bytes, void *ret_fields, struct sp_why *why)
{
	enum sp_status st = check_purpose(purpose, bytes, why);

	if (st != SP_OK)
		return st;
	return sp_decode(sp_desc_statement(purpose),
	    sp_span(bytes.p + SP_STATEMENT_HEAD, bytes.n - SP_STATEMENT_HEAD), ret_fields, why);
}

enum sp_status
sp_statement_open(enum sp_purpose purpose, struct sp_span bytes, struct sp_span signature,
    const struct sp_identity *signer, const char *domain, void *ret_fields, struct sp_why *why)
{
	const struct sp_desc *desc = sp_desc_statement(purpose);
	char name[SP_NAME_TEXT];
	enum sp_status st;

	if ((st = check_purpose(purpose, bytes, why)) != SP_OK)
		return st;
	if (row_role(desc) == SP_ROLE_NONE || signer->role != row_role(desc))
		return sp_fail(SP_E_ROLE, why, "%s may not sign a statement of kind %s",
		    sp_identity_text(signer, name), desc->name);
	if (domain != NULL && strcmp(domain, signer->name.domain) != 0)
		return sp_fail(SP_E_DOMAIN, why, "%s does not belong to %s", sp_identity_text(signer, name), domain);
	if (signature.n != SP_SIGNATURE)
		return sp_fail(SP_E_SIGNATURE, why, "a signature has %d bytes, not %zu", SP_SIGNATURE, signature.n);
	if ((st = sp_verify(signer->public_key, bytes, signature.p)) != SP_OK)
		return sp_fail(st, why, "%s did not sign this statement of kind %s", sp_identity_text(signer, name),
		    desc->name);
	return sp_statement_read(purpose, bytes, ret_fields, why);
}
