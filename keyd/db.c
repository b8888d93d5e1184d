/*
 * db.c - the table of calls and their typed forms.
 */
#include "keyd/db.h"

const struct sp_pg_call db_calls[DB_CALLS] = {
	[DB_START] = { "key.daemon_start", "SELECT item, status, reason FROM key.daemon_start($1, $2, $3, $4)",
	    { SP_PG_TEXT, SP_PG_BYTES, SP_PG_TEXT, SP_PG_TEXT }, { SP_PG_INT, SP_PG_TEXT }, false },
	[DB_STORE_OWN] = { "key.store_own", "SELECT item, status FROM key.store_own($1, $2, $3, $4, $5, $6, $7)",
	    { SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_TEXT, SP_PG_INT, SP_PG_INT }, { SP_PG_INT },
	    false },
	[DB_ENROL_FIND] = { "key.enrol_find",
	    "SELECT item, status, reason, role, person, station, service, serial, cert FROM key.enrol_find($1, $2)",
	    { SP_PG_BYTES, SP_PG_BYTES },
	    { SP_PG_INT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_BYTES },
	    false },
	/* It goes through the items by invitation, so that two batches never wait for each other. */
	[DB_ENROL_STORE] = { "key.enrol_store",
	    "SELECT item, status, cert FROM key.enrol_store($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ORDER BY item",
	    { SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES,
	      SP_PG_INT, SP_PG_INT }, { SP_PG_INT, SP_PG_BYTES }, false },
	[DB_LOOKUP] = { "key.lookup", "SELECT item, status, cert FROM key.lookup($1, $2, $3, $4, $5, $6)",
	    { SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT }, { SP_PG_INT, SP_PG_BYTES },
	    true },
	[DB_ROSTER] = { "key.roster",
	    "SELECT item, status, number, service_role, service_name, addresses, cert,"
	    " tariff, tariff_signature, tariff_signer FROM key.roster($1, $2, $3, $4)",
	    { SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT },
	    { SP_PG_INT, SP_PG_INT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_TEXT, SP_PG_BYTES, SP_PG_BYTES, SP_PG_BYTES,
	      SP_PG_BYTES }, true },
};

enum sp_status
db_start(struct sp_pg *pg, const struct office *o, const char *addresses, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_str(o->own_id.name.domain), sp_pg_hash(&o->root_hash),
		sp_pg_str(o->own_id.service), sp_pg_str(addresses) };

	return sp_pg_ask(pg, DB_START, values, cb, arg);
}

enum sp_status
db_store_own(struct sp_pg *pg, const struct office *o, sp_pg_cb *cb, void *arg)
{
	const struct sp_identity *id = &o->own_id;
	const struct sp_pg_value values[] = { sp_pg_hash(&id->hash),
		sp_pg_span(sp_span(id->cert_serial, sizeof(id->cert_serial))),
		sp_pg_span(sp_buf_span(&o->own)), sp_pg_span(sp_span(id->public_key, sizeof(id->public_key))),
		sp_pg_str(id->service), sp_pg_int(id->not_before), sp_pg_int(id->not_after) };

	return sp_pg_ask(pg, DB_STORE_OWN, values, cb, arg);
}

enum sp_status
db_enrol_find(struct sp_pg *pg, const struct sp_hash *secret, const struct sp_hash *request, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_hash(secret), sp_pg_hash(request) };

	return sp_pg_ask(pg, DB_ENROL_FIND, values, cb, arg);
}

enum sp_status
db_enrol_store(struct sp_pg *pg, const struct sp_hash *secret, const struct sp_hash *request,
    const struct sp_identity *id, const struct sp_enrol_keys *keys, struct sp_span der, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_hash(secret), sp_pg_hash(request), sp_pg_hash(&id->hash),
		sp_pg_span(sp_span(id->cert_serial, sizeof(id->cert_serial))), sp_pg_span(der),
		sp_pg_span(sp_span(keys->sign_key, sizeof(keys->sign_key))),
		sp_pg_span(sp_span(keys->letter_key, sizeof(keys->letter_key))),
		sp_pg_span(sp_span(keys->age_key, sizeof(keys->age_key))), sp_pg_int(id->not_before),
		    sp_pg_int(id->not_after) };

	return sp_pg_ask(pg, DB_ENROL_STORE, values, cb, arg);
}

enum sp_status
db_lookup(struct sp_pg *pg, const struct sp_identity *asker, const char *person, const char *station, sp_pg_cb *cb,
    void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_str(sp_role_text(asker->role)), sp_pg_str(asker->name.person),
		sp_pg_str(asker->name.station), sp_pg_str(asker->service), sp_pg_str(person), sp_pg_str(station) };

	return sp_pg_ask(pg, DB_LOOKUP, values, cb, arg);
}

enum sp_status
db_roster(struct sp_pg *pg, const struct sp_identity *asker, sp_pg_cb *cb, void *arg)
{
	const struct sp_pg_value values[] = { sp_pg_str(sp_role_text(asker->role)), sp_pg_str(asker->name.person),
		sp_pg_str(asker->name.station), sp_pg_str(asker->service) };

	return sp_pg_ask(pg, DB_ROSTER, values, cb, arg);
}
