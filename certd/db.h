/*
 * db.h - the SQL functions that certd calls, one typed function each. Nothing else of certd knows SQL.
 *
 * Each returns what sp_pg_ask() does; the callback's rows have the columns named here. A status column holds a number
 * of common/base/status.def.
 */
#ifndef CERTD_DB_H
#define CERTD_DB_H

#include "certd/evidence.h"
#include "common/pg/pool.h"

#define DB_SCHEMA 1	/* the last NNN-*.sql of certd/schema */

enum db_call { DB_START, DB_BEGIN, DB_FINISH, DB_GET, DB_UNSIGNED, DB_NOTICE_DUE, DB_NOTICE_TOLD,
	DB_LODGING_DUE, DB_LODGED, DB_CALLS };
extern const struct sp_pg_call db_calls[DB_CALLS];

enum { START_STATUS, START_REASON };
SP_MUST_CHECK enum sp_status db_start(struct sp_pg *pg, const char *domain, sp_pg_cb *cb, void *arg);

/* P7M and TSR are null until the postmark is signed. */
enum { BEGIN_STATUS, BEGIN_NUMBER, BEGIN_RECEIVED_MS, BEGIN_ENDED_S, BEGIN_PAYMENT, BEGIN_P7M, BEGIN_TSR };
SP_MUST_CHECK enum sp_status db_begin(struct sp_pg *pg, const struct sp_id *number, const struct evidence *evidence,
    const struct sp_msg_postmark *msg, uint64_t received_ms, sp_pg_cb *cb, void *arg);

enum { FINISH_STATUS, FINISH_P7M, FINISH_TSR };
SP_MUST_CHECK enum sp_status db_finish(struct sp_pg *pg, const struct sp_id *number, struct sp_span p7m,
    struct sp_span tsr, sp_pg_cb *cb, void *arg);

enum { GET_STATUS, GET_NUMBER, GET_RECEIPT, GET_P7M, GET_TSR };
SP_MUST_CHECK enum sp_status db_get(struct sp_pg *pg, const struct sp_id *transfer, const char *station, sp_pg_cb *cb,
    void *arg);

/* Many rows: up to most that were begun up to before_ms. */
enum { UNSIGNED_NUMBER, UNSIGNED_TRANSFER, UNSIGNED_SENDER, UNSIGNED_RECIPIENT, UNSIGNED_CLASS, UNSIGNED_RECEIPT_HASH,
	UNSIGNED_RECEIVED_MS, UNSIGNED_ENDED_S, UNSIGNED_PAYMENT };
SP_MUST_CHECK enum sp_status db_unsigned(struct sp_pg *pg, unsigned most, uint64_t before_ms, sp_pg_cb *cb, void *arg);

/* Many rows: letters to send now. */
enum { NOTICE_NUMBER, NOTICE_TRANSFER, NOTICE_HOST, NOTICE_PORT, NOTICE_CERT };
SP_MUST_CHECK enum sp_status db_notice_due(struct sp_pg *pg, unsigned most, sp_pg_cb *cb, void *arg);
SP_MUST_CHECK enum sp_status db_notice_told(struct sp_pg *pg, const struct sp_id *number, sp_pg_cb *cb, void *arg);

/* Many rows: franks to lodge now. answer: what creditd said, or why it did not; final: there is nothing more to ask. */
enum { LODGING_NUMBER, LODGING_RECEIPT, LODGING_OFFER, LODGING_OFFER_SIGNATURE, LODGING_FRANK, LODGING_FRANK_SIGNATURE,
	LODGING_SENDER_CERT };
SP_MUST_CHECK enum sp_status db_lodging_due(struct sp_pg *pg, unsigned most, sp_pg_cb *cb, void *arg);
SP_MUST_CHECK enum sp_status db_lodged(struct sp_pg *pg, const struct sp_id *number, enum sp_status answer, bool final,
    sp_pg_cb *cb, void *arg);

/* An id, a hash, a station's name in a row's column; SP_E_DATABASE if it is none. */
SP_MUST_CHECK enum sp_status db_id(const struct sp_pg_rows *rows, size_t row, unsigned column, struct sp_id *ret_id);
SP_MUST_CHECK enum sp_status db_hash(const struct sp_pg_rows *rows, size_t row, unsigned column,
    struct sp_hash *ret_hash);
SP_MUST_CHECK enum sp_status db_name(const struct sp_pg_rows *rows, size_t row, unsigned column,
    struct sp_name *ret_name);

#endif
