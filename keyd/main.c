/*
 * main.c - keyd, the key server of a domain: enrolment, the directory, the roster. This page lists what it is made
 * of: settings (conf.def), handlers below, SQL calls (db.c), and the run (run.c).
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/conf/options.h"
#include "keyd/keyd.h"

#define MEMBERS (SP_ALLOW(SP_ROLE_STATION) | SP_ALLOW(SP_ROLE_CREDITD) | SP_ALLOW(SP_ROLE_CERTD) | SP_ALLOW(SP_ROLE_TSA))

static const struct sp_handler handlers[] = {
	{ SP_MSG_ENROL_BEGIN, SP_ALLOW(SP_ROLE_NONE), on_enrol_begin },
	{ SP_MSG_ENROL, SP_ALLOW(SP_ROLE_NONE), on_enrol },
	{ SP_MSG_LOOKUP, MEMBERS, on_lookup },
	{ SP_MSG_ROSTER, MEMBERS, on_roster },
};

static bool init_root, migrate;
static const struct sp_option options[] = {
	{ "init-root", 0, NULL,
	    "make the root, the issuing CA and keyd's own certificate, and end", &init_root, NULL },
	{ "migrate", 0, NULL, "bring the database schema to this program's version, and end", &migrate, NULL },
};

static const struct sp_program program = {
	.name = "keyd",
	.summary = "The key server of a Sealpost domain",
	.keys = settings_keys,
	.nkeys = SETTINGS_KEYS,
	.options = options,
	.noptions = sizeof(options) / sizeof(options[0]),
	.check = settings_check,
};

static int
run_init_root(const struct settings *s)
{
	struct sp_why why = { "" };
	enum sp_status st = office_make(s->state, s->domain, s->name, sp_clock_wall_ms(), &why);

	if (st == SP_OK)
		printf("%s now holds the root of %s, the issuing CA and the certificate of keyd/%s@%s.\n"
		    "keyd needs all of it but root.key: move that to a medium that stays offline,\n"
		    "and keep a second copy.\n",
		    s->state, s->domain, s->name, s->domain);
	else
		fprintf(stderr, "keyd: %s\n", why.text[0] != 0 ? why.text : sp_status_text(st));
	return st == SP_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct settings settings;
	int status;

	if (!sp_program_begin(&program, argc, argv, &settings, &status))
		return status;
	sp_log_open("keyd");
	if (init_root)
		status = run_init_root(&settings);
	else if (migrate)
		status = sp_daemon_migrate("keyd", settings.database_owner, "key",
		    settings.schema_dir[0] != 0 ? settings.schema_dir : SP_DATADIR "/keyd");
	else
		status = keyd_run(&settings, handlers, sizeof(handlers) / sizeof(handlers[0]));
	sp_conf_done(settings_keys, SETTINGS_KEYS, &settings);
	return status;
}
