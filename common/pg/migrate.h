/*
 * migrate.h - brings a schema to the version of the files that come with a daemon, and tells a daemon whether it is
 * there.
 *
 * A folder holds NNN-name.sql (001, 002, … without gaps; each runs once, in one transaction, and is recorded with its
 * number and SHA-256 in SCHEMA.patch) and fn_*.sql (functions, views and their grants: dropped and made again each
 * time, all in one transaction). A recorded file that is gone or changed is refused. Roles are made before, by an
 * administrator (roles.sql in the same folder). The files write their own schema prefix, and no transaction control.
 */
#ifndef SP_PG_MIGRATE_H
#define SP_PG_MIGRATE_H

#include "common/base/status.h"

/* What a migration did. */
struct sp_pg_migrated {
	int from, to;		/* last patch before and after; 0 = none */
	int functions;		/* fn_ files loaded */
};

/* Migrates schema with the files in dir, connected by conninfo as the schema's owner; an advisory lock keeps a second
 * migrator waiting. SCHEMA_daemon gets USAGE and the function SCHEMA.patch_last(), PUBLIC nothing. Blocks: not for a
 * loop. SP_E_DATABASE, SP_E_SCHEMA (changed history, newer than the files), SP_E_NOTFOUND (dir), with the reason. */
SP_MUST_CHECK enum sp_status sp_pg_migrate(const char *conninfo, const char *schema, const char *dir,
    struct sp_pg_migrated *ret_did, struct sp_why *why);

/* Asks, as the daemon, whether the schema is at patch number known: SP_E_SCHEMA naming both numbers if not. Tries for
 * wait_ms to reach the database, then SP_E_DATABASE. Blocks: before the loop starts. */
SP_MUST_CHECK enum sp_status sp_pg_check_schema(const char *conninfo, const char *schema, int known, int wait_ms,
    struct sp_why *why);

#endif
