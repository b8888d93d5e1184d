/*
 * sheet.c - sheets and denials: signed by a creditd, for one station.
 */
#include "common/statements/sheet.h"

enum sp_status
sp_sheet_sign(const struct sp_sheet *sheet, const struct sp_key *key, struct sp_buf *out,
    uint8_t ret_signature[SP_SIGNATURE], struct sp_hash *ret_hash, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) steps = { 0 };
	char station[SP_NAME_TEXT];
	struct sp_stmt_sheet s = {
		.request = sheet->request,
		.sheet = sheet->sheet,
		.station = sp_span_str(sp_name_text(&sheet->station, station)),
		.domain = sp_span_str(sheet->domain),
		.first = sheet->first,
		.count = sheet->count,
		.issued_ms = sheet->issued_ms,
		.valid_until_ms = sheet->valid_until_ms,
		.epoch = sheet->epoch,
		.offline = sheet->offline,
	};
	enum sp_status st = sp_tariff_pack(&sheet->tariff, &steps);

	if (st != SP_OK)
		return sp_fail(st, why, "the tariff of a sheet must have steps");
	s.tariff = sp_buf_span(&steps);
	return sp_statement_sign(SP_STMT_SHEET, &s, key, out, ret_signature, ret_hash, why);
}

enum sp_status
sp_sheet_open(struct sp_span statement, struct sp_span signature, const struct sp_identity *signer,
    struct sp_sheet *ret_sheet, struct sp_why *why)
{
	struct sp_stmt_sheet s;
	struct sp_sheet sheet = { .first = 0 };
	enum sp_status st = sp_statement_open(SP_STMT_SHEET, statement, signature, signer, NULL, &s, why);

	if (st != SP_OK)
		return st;
	if (sp_name_parse(s.station, &sheet.station) != SP_OK || sheet.station.station[0] == 0)
		return sp_fail(SP_E_FORMAT, why, "a sheet is issued to a station");
	if (!sp_span_eq(s.domain, sp_span_str(signer->name.domain)) || strcmp(sheet.station.domain, signer->name.domain) != 0)
		return sp_fail(SP_E_DOMAIN, why, "the sheet's creditd and station are not of its domain");
	if ((st = sp_tariff_parse(s.tariff, &sheet.tariff)) != SP_OK)
		return sp_fail(st, why, "the tariff of the sheet is malformed");
	if (s.count > UINT32_MAX - s.first || s.valid_until_ms <= s.issued_ms)
		return sp_fail(SP_E_RANGE, why, "the sheet's serials or dates make no sense");
	sp_statement_hash(statement, &sheet.hash);
	memcpy(sheet.domain, signer->name.domain, sizeof(sheet.domain));
	sheet.request = s.request;
	sheet.sheet = s.sheet;
	sheet.first = s.first;
	sheet.count = s.count;
	sheet.epoch = s.epoch;
	sheet.offline = s.offline;
	sheet.issued_ms = s.issued_ms;
	sheet.valid_until_ms = s.valid_until_ms;
	*ret_sheet = sheet;
	return SP_OK;
}

enum sp_status
sp_credit_answer_open(struct sp_span statement, struct sp_span signature, const struct sp_identity *signer,
    struct sp_credit_answer *ret_answer, struct sp_why *why)
{
	struct sp_credit_answer answer = { .granted = sp_statement_purpose(statement) == SP_STMT_SHEET };
	struct sp_stmt_denial denial;
	enum sp_status st;

	if (answer.granted) {
		if ((st = sp_sheet_open(statement, signature, signer, &answer.sheet, why)) != SP_OK)
			return st;
		answer.request = answer.sheet.request;
	} else {
		st = sp_statement_open(SP_STMT_DENIAL, statement, signature, signer, NULL, &denial, why);
		if (st != SP_OK)
			return st;
		answer.request = denial.request;
		answer.reason = sp_status_from_number(denial.reason);
	}
	*ret_answer = answer;
	return SP_OK;
}
