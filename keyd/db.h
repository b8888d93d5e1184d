/*
 * db.h - the SQL functions that keyd calls, one typed function each. Nothing else of keyd knows SQL.
 *
 * Each returns what sp_pg_ask() does; the callback's rows have the columns named here. A status column holds a number
 * of common/base/status.def.
 */
#ifndef KEYD_DB_H
#define KEYD_DB_H

#include "common/crypto/x509.h"
#include "common/pg/pool.h"
#include "common/statements/enrol.h"
#include "keyd/office.h"

#define DB_SCHEMA 2	/* the last NNN-*.sql of keyd/schema */

enum db_call { DB_START, DB_STORE_OWN, DB_ENROL_FIND, DB_ENROL_STORE, DB_LOOKUP, DB_ROSTER, DB_CALLS };
extern const struct sp_pg_call db_calls[DB_CALLS];

enum { START_STATUS, START_REASON };
SP_MUST_CHECK enum sp_status db_start(struct sp_pg *pg, const struct office *o, const char *addresses, sp_pg_cb *cb,
    void *arg);

enum { STORE_OWN_STATUS };
SP_MUST_CHECK enum sp_status db_store_own(struct sp_pg *pg, const struct office *o, sp_pg_cb *cb, void *arg);

enum { FIND_STATUS, FIND_REASON, FIND_ROLE, FIND_PERSON, FIND_STATION, FIND_SERVICE, FIND_SERIAL, FIND_CERT };
SP_MUST_CHECK enum sp_status db_enrol_find(struct sp_pg *pg, const struct sp_hash *secret,
    const struct sp_hash *request, sp_pg_cb *cb, void *arg);

enum { STORE_STATUS, STORE_CERT };
SP_MUST_CHECK enum sp_status db_enrol_store(struct sp_pg *pg, const struct sp_hash *secret,
    const struct sp_hash *request,
    const struct sp_identity *id, const struct sp_enrol_keys *keys, struct sp_span der, sp_pg_cb *cb, void *arg);

/* Many rows. station "" = all of the person. */
enum { LOOKUP_STATUS, LOOKUP_CERT };
SP_MUST_CHECK enum sp_status db_lookup(struct sp_pg *pg, const struct sp_identity *asker, const char *person,
    const char *station, sp_pg_cb *cb, void *arg);

/* Many rows, one a service; the only one has no role where there is none. The tariff stands in each. */
enum { ROSTER_STATUS, ROSTER_NUMBER, ROSTER_ROLE, ROSTER_NAME, ROSTER_ADDRESSES, ROSTER_CERT, ROSTER_TARIFF,
	ROSTER_TARIFF_SIGNATURE, ROSTER_TARIFF_SIGNER };
SP_MUST_CHECK enum sp_status db_roster(struct sp_pg *pg, const struct sp_identity *asker, sp_pg_cb *cb, void *arg);

#endif
