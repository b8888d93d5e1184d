/*
 * main.c - certd, which postmarks receipts. This page lists what it is made of: settings (conf.def), handlers below, SQL
 * calls (db.c), what is checked (evidence.c), what is signed (stamp.c).
 *
 * It is two members of the domain: the certd, and the tsa that signs its time-stamps, whose papers lie in a folder below.
 */
#include <stdio.h>

#include "certd/certd.h"
#include "certd/db.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/conf/options.h"

static const struct sp_handler handlers[] = {
	{ SP_MSG_POSTMARK, SP_ALLOW(SP_ROLE_STATION), on_postmark },
	{ SP_MSG_POSTMARK_GET, SP_ALLOW(SP_ROLE_STATION), on_postmark_get },
};

static bool migrate;
static const char *enrol_token, *tsa_token;
static const struct sp_option options[] = {
	{ "enrol", 0, "TOKEN", "become the certd that the token names, and end", NULL, &enrol_token },
	{ "enrol-tsa", 0, "TOKEN", "become the tsa that the token names, for the time-stamps, and end", NULL, &tsa_token },
	{ "migrate", 0, NULL, "bring the database schema to this program's version, and end", &migrate, NULL },
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

static enum sp_status
tsa_folder(const struct settings *s, struct sp_buf *out)
{
	sp_buf_addf(out, "%s/tsa", s->state);
	(void)sp_buf_cstr(out);
	return sp_buf_status(out);
}

/* ---- up and down ---- */

static enum sp_status
open_tsa(struct certd *c, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) folder = { 0 };
	const struct member *own = c->daemon.member;
	struct stamp_conf conf = { .key = member_key(own), .cert = member_cert(own), .id = member_identity(own),
		.hands = (unsigned)c->settings->signers };
	enum sp_status st;

	if ((st = tsa_folder(c->settings, &folder)) != SP_OK ||
	    (st = member_open(c->daemon.loop, sp_buf_cstr(&folder), SP_ROLE_TSA, &c->tsa, why)) != SP_OK)
		return st;
	if (!member_is_enrolled(c->tsa))
		return sp_fail(SP_E_NOTENROLLED, why, "certd has no tsa yet: certd --enrol-tsa TOKEN, with the token of "
		    "key.admin_service('tsa', …)");
	if (strcmp(sp_trust_domain(member_trust(own)), sp_trust_domain(member_trust(c->tsa))) != 0)
		return sp_fail(SP_E_DOMAIN, why, "certd and tsa were enrolled in different domains");
	conf.tsa_key = member_key(c->tsa);
	conf.tsa_cert = member_cert(c->tsa);
	conf.tsa_id = member_identity(c->tsa);
	return stamp_new(&conf, &c->stamp, why);
}

/* The database is our domain's: serve. */
static void
on_started(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct certd *c = arg;
	struct sp_why why = { "" };

	if (c->notices == NULL)
		return;		/* certd is ending */
	if (st == SP_OK && (st = sp_daemon_status(rows, 0, START_STATUS)) != SP_OK) {
		struct sp_span reason = sp_pg_get_bytes(rows, 0, START_REASON);

		(void)sp_fail(st, &why, "%.*s", (int)reason.n, (const char *)reason.p);
	}
	if (st == SP_OK)
		st = sp_daemon_serve(&c->daemon, &why);
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_ERR, "start-failed", st, &why);
		sp_daemon_stop(&c->daemon, 1);
		return;
	}
	sweep(c, INT64_MAX);
	sweep_due(c);
	notices_look(c->notices);
	lodgings_look(c->lodgings);
}

static enum sp_status
begin(void *arg, struct sp_why *why)
{
	struct certd *c = arg;
	enum sp_status st;

	if ((st = open_tsa(c, why)) != SP_OK || (st = notices_new(c, &c->notices, why)) != SP_OK ||
	    (st = lodgings_new(c, &c->lodgings)) != SP_OK)
		return st;
	if ((c->sweep_timer = sp_timer_new(c->daemon.loop, sweep_due, c)) == NULL)
		return SP_E_NOMEM;
	return db_start(c->daemon.pg, member_identity(c->daemon.member)->name.domain, on_started, c);
}

static void
end(void *arg)
{
	struct certd *c = arg;

	/* the database's last answers come after this */
	notices_free(c->notices);
	c->notices = NULL;
	lodgings_free(c->lodgings);
	c->lodgings = NULL;
	sp_timer_free(c->sweep_timer);
	c->sweep_timer = NULL;
}

static void
ended(void *arg)
{
	struct certd *c = arg;

	stamp_free(c->stamp);
	c->stamp = NULL;
	member_free(c->tsa);
}

static int
run(const struct settings *s)
{
	struct certd c = { .settings = s };
	const struct sp_daemon_conf conf = {
		.name = "certd", .role = SP_ROLE_CERTD, .state = s->state, .database = s->database, .schema = "cert",
		.schema_version = DB_SCHEMA, .prepared = s->prepared, .database_threads = s->database_threads,
		.workers = s->signers, .listen = &s->listen, .port = SP_PORT_CERTD, .handlers = handlers,
		.nhandlers = sizeof(handlers) / sizeof(handlers[0]), .calls = db_calls, .ncalls = DB_CALLS, .begin = begin,
		.serves_later = true, .end = end, .ended = ended, .arg = &c,
	};

	return sp_daemon_run(&c.daemon, &conf);
}

/* ---- steps before the first start ---- */

static int
enrol(const struct settings *s)
{
	SP_AUTO_DONE(sp_buf) folder = { 0 };
	struct sp_why why = { "" };
	enum sp_status st = tsa_folder(s, &folder);
	int status = 0;

	if (st == SP_OK)
		st = sp_mkdirs(tsa_token != NULL ? sp_buf_cstr(&folder) : s->state, 0700, &why);
	if (st != SP_OK) {
		fprintf(stderr, "certd: %s\n", why.text[0] != 0 ? why.text : sp_status_text(st));
		return 1;
	}
	if (enrol_token != NULL)
		status = sp_daemon_enrol("certd", SP_ROLE_CERTD, s->state, enrol_token);
	if (status == 0 && tsa_token != NULL)
		status = sp_daemon_enrol("certd", SP_ROLE_TSA, sp_buf_cstr(&folder), tsa_token);
	return status;
}

int
main(int argc, char **argv)
{
	struct settings settings;
	int status;

	sp_log_open("certd");
	if (!sp_program_begin(&program, argc, argv, &settings, &status))
		return status;
	if (migrate)
		status = sp_daemon_migrate("certd", settings.database_owner, "cert",
		    settings.schema_dir[0] != 0 ? settings.schema_dir : SP_DATADIR "/certd");
	else if (enrol_token != NULL || tsa_token != NULL)
		status = enrol(&settings);
	else
		status = run(&settings);
	sp_conf_done(settings_keys, SETTINGS_KEYS, &settings);
	return status;
}
