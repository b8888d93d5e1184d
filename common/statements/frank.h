/*
 * frank.h - FRANK: serials of a sheet spent for one delivery to one recipient, checked without asking anyone.
 */
#ifndef SP_STATEMENTS_FRANK_H
#define SP_STATEMENTS_FRANK_H

#include "common/statements/serials.h"
#include "common/statements/sheet.h"

struct sp_frank {
	struct sp_hash offer, sheet, recipient_cert;
	uint64_t bytes;
	uint32_t price;
	struct sp_serials serials[SP_FRANK_RANGES];
	size_t count;
	uint64_t valid_until_ms;
};

/* Signs a frank; the statement is appended to out. SP_E_RANGE unless the serials are price of them in packed order. */
SP_MUST_CHECK enum sp_status sp_frank_sign(const struct sp_frank *frank, const struct sp_key *key, struct sp_buf *out,
    uint8_t ret_signature[SP_SIGNATURE], struct sp_why *why);

/* Opens a frank signed by the sender (a checked identity). Serials are not yet held against a sheet. */
SP_MUST_CHECK enum sp_status sp_frank_open(struct sp_span statement, struct sp_span signature,
    const struct sp_identity *sender, struct sp_frank *ret_frank, struct sp_why *why);

/*
 * Does the frank pay this offer at now_ms? offer: that it must name, with its sum of file sizes and its price; recipient_cert:
 * that it must name; sender: who signed it; sheet: opened with its creditd's signature. SP_E_FRANK with what does not fit:
 * another offer, recipient, sheet or station; serials outside the sheet; a price that is not the sheet's tariff for that
 * size; ended.
 */
SP_MUST_CHECK enum sp_status sp_frank_pays(const struct sp_frank *frank, const struct sp_hash *offer, uint64_t bytes,
    uint32_t price, const struct sp_hash *recipient_cert, const struct sp_identity *sender, const struct sp_sheet *sheet,
    uint64_t now_ms, struct sp_why *why);

#endif
