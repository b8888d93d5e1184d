/*
 * db.c - the table of calls and their typed forms.
 */
#include "certd/db.h"

const struct sp_pg_call db_calls[DB_CALLS] = {
	[DB_START] = { "cert.daemon_start", "SELECT item, status, reason FROM cert.daemon_start($1)", { SP_PG_TEXT },
	    { SP_PG_INT, SP_PG_TEXT }, false },
	/* It goes through the items by transfer, so that two batches never wait for each other. */
	[DB_BEGIN] = { "cert.postmark_begin",
	    "SELECT item, status, number_is, received_is, ended_is, payment, p7m, tsr FROM cert.postmark_begin($1, $2, $3,"
	    " $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) ORDER BY item",
	    { SP_PG_ID, SP_PG_ID, SP_PG_TEXT, SP_PG_TEXT, SP_PG_INT, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES,
	      SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_INT, SP_PG_BYTES, SP_PG_TEXT, SP_PG_TEXT,
	      SP_PG_TEXT, SP_PG_INT, SP_PG_INT, SP_PG_TEXT, SP_PG_INT },
	    { SP_PG_INT, SP_PG_ID, SP_PG_INT, SP_PG_INT, SP_PG_TEXT, SP_PG_BYTES, SP_PG_BYTES }, false },
	[DB_FINISH] = { "cert.postmark_finish",
	    "SELECT item, status, p7m_is, tsr_is FROM cert.postmark_finish($1, $2, $3) ORDER BY item",
	    { SP_PG_ID, SP_PG_BYTES, SP_PG_BYTES }, { SP_PG_INT, SP_PG_BYTES, SP_PG_BYTES }, false },
	[DB_GET] = { "cert.postmark_get",
	    "SELECT item, status, number_is, receipt, p7m, tsr FROM cert.postmark_get($1, $2)", { SP_PG_ID, SP_PG_TEXT },
	    { SP_PG_INT, SP_PG_ID, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES }, false },
	[DB_UNSIGNED] = { "cert.unsigned",
	    "SELECT item, number_is, transfer, sender, recipient, class, receipt_hash, received_is, ended_is, payment"
	    " FROM cert.unsigned($1, $2)", { SP_PG_INT, SP_PG_INT },
	    { SP_PG_ID, SP_PG_ID, SP_PG_TEXT, SP_PG_TEXT, SP_PG_INT, SP_PG_BYTES, SP_PG_INT, SP_PG_INT, SP_PG_TEXT },
	    true },
	[DB_NOTICE_DUE] = { "cert.notice_due",
	    "SELECT item, number_is, transfer, host, port, sender_cert FROM cert.notice_due($1)", { SP_PG_INT },
	    { SP_PG_ID, SP_PG_ID, SP_PG_TEXT, SP_PG_INT, SP_PG_BYTES }, true },
	[DB_NOTICE_TOLD] = { "cert.notice_told", "SELECT item, status FROM cert.notice_told($1) ORDER BY item",
	    { SP_PG_ID }, { SP_PG_INT }, false },
	[DB_LODGING_DUE] = { "cert.lodging_due", "SELECT item, number_is, receipt, offer, offer_signature, frank,"
	    " frank_signature, sender_cert FROM cert.lodging_due($1)", { SP_PG_INT },
	    { SP_PG_ID, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES }, true },
	[DB_LODGED] = { "cert.lodged", "SELECT item, status FROM cert.lodged($1, $2, $3) ORDER BY item",
	    { SP_PG_ID, SP_PG_INT, SP_PG_INT }, { SP_PG_INT }, false },
};

static enum sp_status
copy(const struct sp_pg_rows *rows, size_t row, unsigned column, uint8_t *out, size_t n)
{
	struct sp_span bytes = sp_pg_get_bytes(rows, row, column);

	if (bytes.n != n)
		return SP_E_DATABASE;
	memcpy(out, bytes.p, n);
	return SP_OK;
}

enum sp_status
db_id(const struct sp_pg_rows *rows, size_t row, unsigned column, struct sp_id *ret_id)
{
	return copy(rows, row, column, ret_id->b, sizeof(ret_id->b));
}

enum sp_status
db_hash(const struct sp_pg_rows *rows, size_t row, unsigned column, struct sp_hash *ret_hash)
{
	return copy(rows, row, column, ret_hash->b, sizeof(ret_hash->b));
}

enum sp_status
db_name(const struct sp_pg_rows *rows, size_t row, unsigned column, struct sp_name *ret_name)
{
	return sp_name_parse(sp_pg_get_bytes(rows, row, column), ret_name) == SP_OK ? SP_OK : SP_E_DATABASE;
}

enum sp_status
db_start(struct sp_pg *pg, const char *domain, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_str(domain) };

	return sp_pg_ask(pg, DB_START, values, cb, arg);
}

enum sp_status
db_begin(struct sp_pg *pg, const struct sp_id *number, const struct evidence *e, const struct sp_msg_postmark *msg,
    uint64_t received_ms, sp_pg_cb *cb, void *arg)
{
	char sender[SP_NAME_TEXT], recipient[SP_NAME_TEXT];
	bool settle = e->has_frank && e->unfit.text[0] == '\0';
	const struct sp_pg_value values[] = { sp_pg_id(number), sp_pg_id(&e->receipt.transfer),
		sp_pg_str(sp_name_text(&e->receipt.sender, sender)),
		sp_pg_str(sp_name_text(&e->receipt.recipient, recipient)), sp_pg_int(e->receipt.klass),
		sp_pg_span(msg->receipt), sp_pg_hash(&e->receipt_hash), sp_pg_span(msg->offer), sp_pg_hash(&e->offer_hash),
		sp_pg_span(msg->offer_signature), sp_pg_span(msg->sender_cert),
		e->has_frank ? sp_pg_span(msg->frank) : sp_pg_null(),
		e->has_frank ? sp_pg_span(msg->frank_signature) : sp_pg_null(), sp_pg_int(e->price),
		settle ? sp_pg_hash(&e->sheet) : sp_pg_null(), sp_pg_str(e->firsts), sp_pg_str(e->counts),
		sp_pg_str(e->unfit.text), sp_pg_int((int64_t)received_ms), sp_pg_int((int64_t)e->ended_s),
		sp_pg_str(e->return_host), sp_pg_int(e->return_port) };

	return sp_pg_ask(pg, DB_BEGIN, values, cb, arg);
}

enum sp_status
db_finish(struct sp_pg *pg, const struct sp_id *number, struct sp_span p7m, struct sp_span tsr, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_id(number), sp_pg_span(p7m), sp_pg_span(tsr) };

	return sp_pg_ask(pg, DB_FINISH, values, cb, arg);
}

enum sp_status
db_get(struct sp_pg *pg, const struct sp_id *transfer, const char *station, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_id(transfer), sp_pg_str(station) };

	return sp_pg_ask(pg, DB_GET, values, cb, arg);
}

enum sp_status
db_unsigned(struct sp_pg *pg, unsigned most, uint64_t before_ms, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_int(most), sp_pg_int((int64_t)before_ms) };

	return sp_pg_ask(pg, DB_UNSIGNED, values, cb, arg);
}

enum sp_status
db_notice_due(struct sp_pg *pg, unsigned most, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_int(most) };

	return sp_pg_ask(pg, DB_NOTICE_DUE, values, cb, arg);
}

enum sp_status
db_notice_told(struct sp_pg *pg, const struct sp_id *number, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_id(number) };

	return sp_pg_ask(pg, DB_NOTICE_TOLD, values, cb, arg);
}

enum sp_status
db_lodging_due(struct sp_pg *pg, unsigned most, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_int(most) };

	return sp_pg_ask(pg, DB_LODGING_DUE, values, cb, arg);
}

enum sp_status
db_lodged(struct sp_pg *pg, const struct sp_id *number, enum sp_status answer, bool final, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_id(number), sp_pg_int((int64_t)answer), sp_pg_int(final) };

	return sp_pg_ask(pg, DB_LODGED, values, cb, arg);
}
