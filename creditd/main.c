/*
 * main.c - creditd, the credit processor of a domain: issues sheets of credits on accounts and keeps the money straight. This
 * page lists what it is made of: settings (conf.def), handlers below, SQL calls (db.c).
 */
#include "common/base/log.h"
#include "common/conf/options.h"
#include "creditd/creditd.h"

#define STATIONS SP_ALLOW(SP_ROLE_STATION)

static const struct sp_handler handlers[] = {
	{ SP_MSG_TOPUP, STATIONS, on_topup },
	{ SP_MSG_TOPUP_GET, STATIONS, on_topup_get },
	{ SP_MSG_SHEET_STATE, STATIONS, on_sheet_state },
	{ SP_MSG_GIVE_BACK, STATIONS, on_give_back },
	{ SP_MSG_LODGE, STATIONS | SP_ALLOW(SP_ROLE_CERTD), on_lodge },
};

static bool migrate;
static const char *enrol_token, *tariff_steps;
static const struct sp_option options[] = {
	{ "enrol", 0, "TOKEN", "become a creditd of the domain, with the token of key.admin_service(), and end", NULL, &enrol_token },
	{ "sign-tariff", 0, "STEPS",
	    "print the line for psql that loads these prices, like 0:1,1000000:2, into keyd, and end", NULL, &tariff_steps },
	{ "migrate", 0, NULL, "bring the database schema to this program's version, and end", &migrate, NULL },
};

static const struct sp_program program = {
	.name = "creditd",
	.summary = "The credit processor of a Sealpost domain",
	.keys = settings_keys,
	.nkeys = SETTINGS_KEYS,
	.options = options,
	.noptions = sizeof(options) / sizeof(options[0]),
	.check = settings_check,
};

static enum sp_status
begin(void *arg, struct sp_why *why)
{
	struct creditd *c = arg;

	if ((c->again = sp_timer_new(c->daemon.loop, topup_again, c)) == NULL)
		return SP_E_NOMEM;
	sp_timer_set(c->again, 0);
	return sp_caller_new(c->daemon.loop, c->daemon.member, &c->caller, why);
}

static void
end(void *arg)
{
	struct creditd *c = arg;

	sp_caller_free(c->caller);
	c->caller = NULL;	/* the database's last answers come after this */
	sp_timer_free(c->again);
	c->again = NULL;
}

static int
run(const struct settings *s)
{
	struct creditd c = { .settings = s };
	const struct sp_daemon_conf conf = {
		.name = "creditd", .role = SP_ROLE_CREDITD, .state = s->state, .database = s->database, .schema = "credit",
		.schema_version = DB_SCHEMA, .prepared = s->prepared, .database_threads = s->database_threads,
		.workers = s->signers, .listen = &s->listen, .port = SP_PORT_CREDITD, .handlers = handlers,
		.nhandlers = sizeof(handlers) / sizeof(handlers[0]), .calls = db_calls, .ncalls = DB_CALLS, .begin = begin,
		.end = end, .arg = &c,
	};

	if (settings_tariff(s, &c.tariff, NULL) != SP_OK)
		return 1;
	return sp_daemon_run(&c.daemon, &conf);
}

int
main(int argc, char **argv)
{
	struct settings settings;
	int status;

	sp_log_open("creditd");
	if (!sp_program_begin(&program, argc, argv, &settings, &status))
		return status;
	if (enrol_token != NULL) {
		status = sp_daemon_enrol("creditd", SP_ROLE_CREDITD, settings.state, enrol_token);
	} else if (tariff_steps != NULL) {
		status = tariff_print(&settings, tariff_steps);
	} else if (migrate) {
		status = sp_daemon_migrate("creditd", settings.database_owner, "credit",
		    settings.schema_dir[0] != 0 ? settings.schema_dir : SP_DATADIR "/creditd");
	} else {
		status = run(&settings);
	}
	sp_conf_done(settings_keys, SETTINGS_KEYS, &settings);
	return status;
}
