/*
 * patches.c - finds, orders and reads the SQL files of a schema.
 */
#include "common/pg/patches.h"

#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/crypto/hash.h"

static int
is_sql(const struct dirent *d)
{
	return fnmatch("[0-9][0-9][0-9]-*.sql", d->d_name, 0) == 0 || fnmatch("fn_*.sql", d->d_name, 0) == 0;
}

static enum sp_status
read_one(const char *dir, const char *name, struct sp_pg_file *file, struct sp_why *why)
{
	char path[4096];
	enum sp_status st;

	if ((size_t)snprintf(file->name, sizeof(file->name), "%s", name) >= sizeof(file->name) ||
	    (size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return sp_fail(SP_E_LONG, why, "%s/%s: the name is too long", dir, name);
	if ((st = sp_file_read(path, SP_PG_FILE_MAX, &file->text, why)) != SP_OK)
		return st;
	sp_sha256(sp_buf_span(&file->text), &file->hash);
	(void)sp_buf_cstr(&file->text);
	return sp_buf_status(&file->text);
}

static enum sp_status
add(struct sp_pg_files *files, const char *dir, const char *name, struct sp_why *why)
{
	bool patch = isdigit((unsigned char)name[0]);
	int *count = patch ? &files->npatches : &files->nfunctions;
	struct sp_pg_file *list = patch ? files->patches : files->functions;

	if (*count == SP_PG_FILES)
		return sp_fail(SP_E_FULL, why, "%s holds more than %d files of a kind", dir, SP_PG_FILES);
	if (patch && atoi(name) != *count + 1)
		return sp_fail(SP_E_SCHEMA, why, "%s/%s: number %d should be here", dir, name, *count + 1);
	return read_one(dir, name, &list[(*count)++], why);
}

enum sp_status
sp_pg_files_read(const char *dir, struct sp_pg_files **ret_files, struct sp_why *why)
{
	SP_AUTO(sp_pg_files) *files = calloc(1, sizeof(*files));
	struct dirent **names = NULL;
	enum sp_status st = SP_OK;
	int n;

	if (files == NULL)
		return SP_E_NOMEM;
	if ((n = scandir(dir, &names, is_sql, alphasort)) < 0)
		return sp_fail_errno(SP_E_NOTFOUND, why, "%s", dir);
	for (int i = 0; i < n; i++) {
		if (st == SP_OK)
			st = add(files, dir, names[i]->d_name, why);
		free(names[i]);
	}
	free(names);
	if (st == SP_OK && files->npatches == 0)
		st = sp_fail(SP_E_NOTFOUND, why, "%s holds no schema (001-….sql)", dir);
	if (st == SP_OK)
		*ret_files = sp_take(&files);
	return st;
}

void
sp_pg_files_free(struct sp_pg_files *files)
{
	if (files == NULL)
		return;
	for (int i = 0; i < SP_PG_FILES; i++) {
		sp_buf_done(&files->patches[i].text);
		sp_buf_done(&files->functions[i].text);
	}
	free(files);
}
