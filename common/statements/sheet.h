/*
 * sheet.h - SHEET and DENIAL, the answers of a creditd to a top-up. A sheet is both the grant and the stamps.
 */
#ifndef SP_STATEMENTS_SHEET_H
#define SP_STATEMENTS_SHEET_H

#include "common/statements/statement.h"
#include "common/statements/tariff.h"

/* A sheet as whoever spends or takes its serials needs it. */
struct sp_sheet {
	struct sp_hash hash;		/* of the statement: how franks name it */
	struct sp_id request, sheet;
	struct sp_name station;		/* that alone may spend it */
	char domain[SP_DOMAIN_MAX + 1];
	uint32_t first, count, epoch, offline;
	struct sp_tariff tariff;
	uint64_t issued_ms, valid_until_ms;
};

/* Signs a sheet (hash is ignored); the statement is appended to out. */
SP_MUST_CHECK enum sp_status sp_sheet_sign(const struct sp_sheet *sheet, const struct sp_key *key, struct sp_buf *out,
    uint8_t ret_signature[SP_SIGNATURE], struct sp_hash *ret_hash, struct sp_why *why);

/* Opens a sheet. signer: a checked identity; it must be a creditd of the sheet's own domain. SP_E_ROLE, SP_E_DOMAIN,
 * SP_E_FORMAT, SP_E_RANGE, SP_E_SIGNATURE. */
SP_MUST_CHECK enum sp_status sp_sheet_open(struct sp_span statement, struct sp_span signature,
    const struct sp_identity *signer, struct sp_sheet *ret_sheet, struct sp_why *why);

/* The answer to a top-up, of either kind. */
struct sp_credit_answer {
	struct sp_id request;
	bool granted;
	enum sp_status reason;		/* of a denial */
	struct sp_sheet sheet;		/* of a grant */
};
SP_MUST_CHECK enum sp_status sp_credit_answer_open(struct sp_span statement, struct sp_span signature,
    const struct sp_identity *signer, struct sp_credit_answer *ret_answer, struct sp_why *why);

#endif
