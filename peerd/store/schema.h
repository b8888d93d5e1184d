/*
 * schema.h - inside peerd/store: the tables, and how a database of an earlier version becomes one of this program.
 */
#ifndef PEERD_STORE_SCHEMA_H
#define PEERD_STORE_SCHEMA_H

#include "common/base/status.h"

struct sqlite3;

/* The version that this program makes and knows. */
int schema_version(void);

/* Brings the database up to it, each step in a transaction of its own. SP_E_SCHEMA for one of a newer program or
 * of another program altogether. */
SP_MUST_CHECK enum sp_status schema_migrate(struct sqlite3 *db, struct sp_why *why);

#endif
