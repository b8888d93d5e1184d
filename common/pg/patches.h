/*
 * patches.h - the SQL files of a schema's folder, read whole. Inside common/pg only.
 */
#ifndef SP_PG_PATCHES_H
#define SP_PG_PATCHES_H

#include "common/base/buf.h"

#define SP_PG_FILES 200
#define SP_PG_FILE_MAX (1024 * 1024)

struct sp_pg_file {
	char name[64];
	struct sp_buf text;
	struct sp_hash hash;	/* of text */
};

/* patches[i] has number i + 1. */
struct sp_pg_files {
	struct sp_pg_file patches[SP_PG_FILES], functions[SP_PG_FILES];
	int npatches, nfunctions;
};

/* Reads NNN-name.sql and fn_name.sql of dir in the order of their names; other files are not looked at. SP_E_NOTFOUND
 * when there is no patch, SP_E_SCHEMA for a gap in the numbers or a number used twice. */
SP_MUST_CHECK enum sp_status sp_pg_files_read(const char *dir, struct sp_pg_files **ret_files, struct sp_why *why);
void sp_pg_files_free(struct sp_pg_files *files);
SP_AUTO_DEFINE(sp_pg_files);

#endif
