/*
 * frank.c - franks: who spends which serials for what, and whether that pays a delivery.
 */
#include "common/statements/frank.h"

static uint64_t
sum(const struct sp_frank *frank)
{
	uint64_t n = 0;

	for (size_t i = 0; i < frank->count; i++)
		n += frank->serials[i].count;
	return n;
}

enum sp_status
sp_frank_sign(const struct sp_frank *frank, const struct sp_key *key, struct sp_buf *out,
    uint8_t ret_signature[SP_SIGNATURE], struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) serials = { 0 };
	struct sp_stmt_frank f = {
		.offer = frank->offer,
		.sheet = frank->sheet,
		.recipient_cert = frank->recipient_cert,
		.bytes = frank->bytes,
		.price = frank->price,
		.valid_until_ms = frank->valid_until_ms,
	};
	enum sp_status st = sp_serials_pack(frank->serials, frank->count, &serials);

	if (st != SP_OK || sum(frank) != frank->price)
		return sp_fail(SP_E_RANGE, why, "the serials are not those of the price");
	f.serials = sp_buf_span(&serials);
	return sp_statement_sign(SP_STMT_FRANK, &f, key, out, ret_signature, NULL, why);
}

enum sp_status
sp_frank_open(struct sp_span statement, struct sp_span signature, const struct sp_identity *sender,
    struct sp_frank *ret_frank, struct sp_why *why)
{
	struct sp_stmt_frank f;
	struct sp_frank frank = { .price = 0 };
	uint32_t total;
	enum sp_status st;

	st = sp_statement_open(SP_STMT_FRANK, statement, signature, sender, sender->name.domain, &f, why);
	if (st != SP_OK)
		return st;
	st = sp_serials_parse(f.serials, 0, UINT32_MAX, frank.serials, &frank.count, &total);
	if (st != SP_OK || total != f.price)
		return sp_fail(SP_E_FRANK, why, "the frank's serials are not those of its price");
	frank.offer = f.offer;
	frank.sheet = f.sheet;
	frank.recipient_cert = f.recipient_cert;
	frank.bytes = f.bytes;
	frank.price = f.price;
	frank.valid_until_ms = f.valid_until_ms;
	*ret_frank = frank;
	return SP_OK;
}

static bool
same_station(const struct sp_name *a, const struct sp_name *b)
{
	return strcmp(a->person, b->person) == 0 && strcmp(a->station, b->station) == 0 &&
	    strcmp(a->domain, b->domain) == 0;
}

static bool
within(const struct sp_frank *frank, const struct sp_sheet *sheet)
{
	for (size_t i = 0; i < frank->count; i++) {
		const struct sp_serials *r = &frank->serials[i];

		if (r->first < sheet->first || r->first - sheet->first >= sheet->count ||
		    r->count > sheet->count - (r->first - sheet->first))
			return false;
	}
	return true;
}

enum sp_status
sp_frank_pays(const struct sp_frank *frank, const struct sp_hash *offer, uint64_t bytes, uint32_t price,
    const struct sp_hash *recipient_cert, const struct sp_identity *sender, const struct sp_sheet *sheet, uint64_t now_ms,
    struct sp_why *why)
{
	if (!sp_hash_eq(&frank->offer, offer))
		return sp_fail(SP_E_FRANK, why, "the frank is for another offer");
	if (!sp_hash_eq(&frank->recipient_cert, recipient_cert))
		return sp_fail(SP_E_FRANK, why, "the frank is for another recipient");
	if (!sp_hash_eq(&frank->sheet, &sheet->hash))
		return sp_fail(SP_E_FRANK, why, "the frank is of another sheet");
	if (!same_station(&sheet->station, &sender->name))
		return sp_fail(SP_E_FRANK, why, "the sheet was issued to another station");
	if (!within(frank, sheet))
		return sp_fail(SP_E_FRANK, why, "the frank spends serials that its sheet does not have");
	if (frank->bytes != bytes || frank->price != price || sp_tariff_price(&sheet->tariff, bytes) != price)
		return sp_fail(SP_E_FRANK, why, "the frank's price is not that of the delivery");
	if (sheet->valid_until_ms <= now_ms)
		return sp_fail(SP_E_FRANK, why, "the sheet of the frank has ended; if it has not, the clock is wrong here or at the sender");
	if (frank->valid_until_ms <= now_ms)
		return sp_fail(SP_E_FRANK, why, "the frank has ended; if it has not, the clock is wrong here or at the sender");
	return SP_OK;
}
