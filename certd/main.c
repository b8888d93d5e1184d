/*
 * main.c - certd, which postmarks receipts. This page lists what it is made of: settings (conf.def), handlers below, SQL
 * calls (db.c), what is checked (evidence.c), what is signed (stamp.c), and the run (run.c).
 */
#include <stdio.h>

#include "certd/certd.h"
#include "common/conf/options.h"
#include "common/pg/migrate.h"

static const struct sp_handler handlers[] = {
	{ SP_MSG_POSTMARK, SP_ALLOW(SP_ROLE_STATION), on_postmark },
	{ SP_MSG_POSTMARK_GET, SP_ALLOW(SP_ROLE_STATION), on_postmark_get },
};

static bool migrate;
static const char *token, *tsa_token;
static const struct sp_option options[] = {
	{ "migrate", 0, NULL, "bring the database schema to this program's version, and end", &migrate, NULL },
	{ "enrol", 0, "TOKEN", "become the certd that the token names, and end", NULL, &token },
	{ "enrol-tsa", 0, "TOKEN", "become the tsa that the token names, for the time-stamps, and end", NULL, &tsa_token },
};

static const struct sp_program program = {
	.name = "certd",
	.summary = "The receipt certification server of a Sealpost domain",
	.keys = settings_keys,
	.nkeys = SETTINGS_KEYS,
	.options = options,
	.noptions = sizeof(options) / sizeof(options[0]),
	.check = settings_check,
};

static int
run_migrate(const struct settings *s)
{
	struct sp_why why = { "" };
	struct sp_pg_migrated did;
	const char *dir = s->schema_dir[0] != 0 ? s->schema_dir : SP_DATADIR "/certd";
	enum sp_status st = sp_pg_migrate(s->database_owner, "cert", dir, &did, &why);

	if (st == SP_OK)
		printf("schema cert: was at %d, is at %d, %d files of functions and views loaded\n", did.from, did.to,
		    did.functions);
	else
		fprintf(stderr, "certd: %s\n", why.text[0] != 0 ? why.text : sp_status_text(st));
	return st == SP_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct settings settings;
	int status;

	if (!sp_program_begin(&program, argc, argv, &settings, &status))
		return status;
	sp_log_open("certd");
	if (migrate)
		status = run_migrate(&settings);
	else if (token != NULL || tsa_token != NULL) {
		status = token != NULL ? become(&settings, SP_ROLE_CERTD, token) : 0;
		if (status == 0 && tsa_token != NULL)
			status = become(&settings, SP_ROLE_TSA, tsa_token);
	} else {
		status = certd_run(&settings, handlers, sizeof(handlers) / sizeof(handlers[0]));
	}
	sp_conf_done(settings_keys, SETTINGS_KEYS, &settings);
	return status;
}
