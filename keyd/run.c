/*
 * run.c - brings keyd up, in this order: the office's files, the database's schema, threads, the office's row in the
 * database, then the listening sockets; and down again when it is told to: nothing new, everything open answered.
 */
#include <signal.h>

#include "common/base/clock.h"
#include "common/crypto/rand.h"
#include "common/net/notify.h"
#include "keyd/db.h"
#include "keyd/keyd.h"

#define RENEW_CHECK_MS (6ull * 3600 * 1000)

static struct sp_tls_identity
own_tls(const struct office *o, struct sp_span chain[2])
{
	chain[0] = sp_buf_span(&o->issuer);
	chain[1] = sp_buf_span(&o->root);	/* whoever enrols knows the root by its hash alone */
	return (struct sp_tls_identity){ o->own_key, sp_buf_span(&o->own), chain, 2 };
}

/* The database has our certificate: serve. */
static void
on_own_stored(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct keyd *k = arg;
	struct sp_why why = { "" };
	struct sp_span chain[2];
	struct sp_tls_identity id = own_tls(k->office, chain);

	if (st == SP_OK)
		st = sp_daemon_status(rows, 0, STORE_OWN_STATUS);
	if (k->daemon.stopping)
		return;
	if (k->daemon.service != NULL) {	/* renewed while running */
		if (st == SP_OK)
			st = sp_service_set_identity(k->daemon.service, &id, &why);
		if (st != SP_OK)
			sp_log_fail(SP_LOG_ERR, "renew-failed", st, &why);
		return;
	}
	if (st == SP_OK)
		st = sp_daemon_listen(&k->daemon, &id, k->office->trust, &why);
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_ERR, "start-failed", st, &why);
		sp_daemon_stop(&k->daemon, 1);
		return;
	}
	sp_log(SP_LOG_INFO, "ready", "name=keyd/%s@%s port=%u", k->settings->name, k->settings->domain,
	    sp_service_port(k->daemon.service));
	sp_notify("READY=1");
	sp_timer_set(k->renew_timer, RENEW_CHECK_MS);
}

/* The database is this domain's, and knows our addresses. */
static void
on_started(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct keyd *k = arg;
	struct sp_why why = { "" };

	if (st == SP_OK && (st = sp_daemon_status(rows, 0, START_STATUS)) != SP_OK) {
		struct sp_span reason = sp_pg_get_bytes(rows, 0, START_REASON);

		(void)sp_fail(st, &why, "%.*s", (int)reason.n, (const char *)reason.p);
	}
	if (st == SP_OK)
		st = db_store_own(k->daemon.pg, k->office, on_own_stored, k);
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_ERR, "start-failed", st, &why);
		sp_daemon_stop(&k->daemon, 1);
	}
}

static void
on_renew(void *arg)
{
	struct keyd *k = arg;
	struct sp_why why = { "" };
	bool renewed = false;
	enum sp_status st = office_renew(k->office, sp_clock_wall_ms(), &renewed, &why);

	if (st == SP_OK && renewed) {
		sp_log(SP_LOG_INFO, "renewed", "name=keyd/%s@%s", k->settings->name, k->settings->domain);
		st = db_store_own(k->daemon.pg, k->office, on_own_stored, k);
	}
	if (st != SP_OK)
		sp_log_fail(SP_LOG_ERR, "renew-failed", st, &why);
	sp_timer_set(k->renew_timer, RENEW_CHECK_MS);
}

/* The office's files as they must be before anything runs. */
static enum sp_status
open_office(struct keyd *k, struct sp_why *why)
{
	const struct settings *s = k->settings;
	bool renewed = false;
	enum sp_status st;

	if ((st = office_open(s->state, s->domain, s->name, &k->office, why)) != SP_OK ||
	    (st = office_renew(k->office, sp_clock_wall_ms(), &renewed, why)) != SP_OK)
		return st;
	if (renewed)
		sp_log(SP_LOG_INFO, "renewed", "name=keyd/%s@%s", s->name, s->domain);
	return SP_OK;
}

/* Everything but the sockets, and the first question to the database. */
static enum sp_status
bring_up(struct keyd *k, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) addresses = { 0 };
	enum sp_status st;

	sp_random(k->challenge_secret, sizeof(k->challenge_secret));
	if ((k->guesses = sp_rates_new()) == NULL)
		return SP_E_NOMEM;
	if ((st = open_office(k, why)) != SP_OK || (st = sp_loop_new(&k->daemon.loop, why)) != SP_OK ||
	    (st = sp_daemon_open(&k->daemon, why)) != SP_OK)
		return st;
	k->renew_timer = sp_timer_new(k->daemon.loop, on_renew, k);
	if (k->renew_timer == NULL)
		return SP_E_NOMEM;
	settings_addresses(k->settings, &addresses);
	return db_start(k->daemon.pg, k->office, sp_buf_cstr(&addresses), on_started, k);
}

static void
end(void *arg)
{
	struct keyd *k = arg;

	sp_timer_free(k->renew_timer);
	k->renew_timer = NULL;
}

int
keyd_run(const struct settings *s, const struct sp_handler *handlers, size_t nhandlers)
{
	struct keyd k = { .settings = s };
	const struct sp_daemon_conf conf = { .name = "keyd", .database = s->database, .schema = "key", .schema_version = DB_SCHEMA,
		.prepared = s->prepared, .database_threads = s->database_threads, .workers = s->signers, .listen = &s->listen,
		.port = SP_PORT_KEYD, .handlers = handlers, .nhandlers = nhandlers, .calls = db_calls, .ncalls = DB_CALLS,
		.end = end, .arg = &k };
	struct sp_why why = { "" };
	enum sp_status st;

	signal(SIGPIPE, SIG_IGN);
	k.daemon.conf = &conf;
	st = bring_up(&k, &why);
	if (st == SP_OK)
		st = sp_loop_run(k.daemon.loop);
	if (st != SP_OK)
		sp_log_fail(SP_LOG_ERR, "start-failed", st, &why);
	sp_daemon_close(&k.daemon);
	office_free(k.office);
	sp_rates_free(k.guesses);
	sp_wipe(k.challenge_secret, sizeof(k.challenge_secret));
	if (st == SP_OK)
		sp_log(SP_LOG_INFO, "stopped", "status=%d", k.daemon.exit_status);
	return st == SP_OK ? k.daemon.exit_status : 1;
}
