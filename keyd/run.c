/*
 * run.c - brings keyd up, in this order: the office's files, the database's schema, threads, the office's row in the
 * database, then the listening sockets; and down again when it is told to: nothing new, everything open answered.
 */
#include <signal.h>

#include "common/base/clock.h"
#include "common/crypto/rand.h"
#include "common/net/notify.h"
#include "common/pg/migrate.h"
#include "keyd/db.h"
#include "keyd/keyd.h"

#define RENEW_CHECK_MS (6ull * 3600 * 1000)

/* What the handlers are until the service is up; the same array for the whole run. */
struct running {
	struct keyd keyd;		/* first: handlers get this */
	const struct sp_handler *handlers;
	size_t nhandlers;
};

static void
stop(struct keyd *k, int exit_status)
{
	k->exit_status = exit_status;
	sp_loop_stop(k->loop);
}

static void
on_drained(void *arg)
{
	stop(arg, 0);
}

static void
on_deadline(void *arg)
{
	sp_log(SP_LOG_WARN, "stop-forced", "after_ms=%d", SP_SHUTDOWN_MS);
	stop(arg, 0);
}

static void
on_signal(void *arg, int number)
{
	struct keyd *k = arg;

	if (k->stopping)
		return;
	k->stopping = true;
	sp_log(SP_LOG_INFO, "stopping", "signal=%d", number);
	sp_notify("STOPPING=1");
	sp_timer_set(k->stop_timer, SP_SHUTDOWN_MS);
	if (k->service != NULL)
		sp_service_drain(k->service, on_drained, k);
	else
		stop(k, 0);
}

static void
on_reply(void *arg, void *item)
{
	struct keyd *k = arg;

	sp_pg_deliver(k->pg, item);
}

static struct sp_tls_identity
own_tls(const struct office *o, struct sp_span chain[2])
{
	chain[0] = sp_buf_span(&o->issuer);
	chain[1] = sp_buf_span(&o->root);	/* whoever enrols knows the root by its hash alone */
	return (struct sp_tls_identity){ o->own_key, sp_buf_span(&o->own), chain, 2 };
}

/* Opens the sockets. */
static enum sp_status
listen_now(struct running *r, struct sp_why *why)
{
	struct keyd *k = &r->keyd;
	struct sp_addr listen[SP_SERVICE_LISTEN];
	struct sp_span chain[2];
	struct sp_service_conf conf = { .listen = listen, .nlisten = k->settings->listen.count,
		.identity = own_tls(k->office, chain), .trust = k->office->trust, .handlers = r->handlers,
		.nhandlers = r->nhandlers, .arg = k };
	enum sp_status st = SP_OK;

	for (size_t i = 0; st == SP_OK && i < conf.nlisten; i++)
		st = sp_addr_parse(sp_span_str(k->settings->listen.items[i]), SP_PORT_KEYD, &listen[i]);
	return st == SP_OK ? sp_service_new(k->loop, &conf, &k->service, why) : st;
}

/* The database has our certificate: serve. */
static void
on_own_stored(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct running *r = arg;
	struct keyd *k = &r->keyd;
	struct sp_why why = { "" };

	if (st == SP_OK)
		st = db_status(rows, 0, STORE_OWN_STATUS);
	if (k->stopping)
		return;
	if (k->service != NULL) {	/* renewed while running */
		struct sp_span chain[2];
		struct sp_tls_identity id = own_tls(k->office, chain);

		if (st == SP_OK)
			st = sp_service_set_identity(k->service, &id, &why);
		if (st != SP_OK)
			sp_log_fail(SP_LOG_ERR, "renew-failed", st, &why);
		return;
	}
	if (st == SP_OK)
		st = listen_now(r, &why);
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_ERR, "start-failed", st, &why);
		stop(k, 1);
		return;
	}
	sp_log(SP_LOG_INFO, "ready", "name=keyd/%s@%s port=%u", k->settings->name, k->settings->domain,
	    sp_service_port(k->service));
	sp_notify("READY=1");
	sp_timer_set(k->renew_timer, RENEW_CHECK_MS);
}

/* The database is this domain's, and knows our addresses. */
static void
on_started(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct running *r = arg;
	struct sp_why why = { "" };

	if (st == SP_OK && (st = db_status(rows, 0, START_STATUS)) != SP_OK) {
		struct sp_span reason = sp_pg_get_bytes(rows, 0, START_REASON);

		(void)sp_fail(st, &why, "%.*s", (int)reason.n, (const char *)reason.p);
	}
	if (st == SP_OK)
		st = db_store_own(r->keyd.pg, r->keyd.office, on_own_stored, r);
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_ERR, "start-failed", st, &why);
		stop(&r->keyd, 1);
	}
}

static void
on_renew(void *arg)
{
	struct running *r = arg;
	struct keyd *k = &r->keyd;
	struct sp_why why = { "" };
	bool renewed = false;
	enum sp_status st = office_renew(k->office, sp_clock_wall_ms(), &renewed, &why);

	if (st == SP_OK && renewed) {
		sp_log(SP_LOG_INFO, "renewed", "name=keyd/%s@%s", k->settings->name, k->settings->domain);
		st = db_store_own(k->pg, k->office, on_own_stored, r);
	}
	if (st != SP_OK)
		sp_log_fail(SP_LOG_ERR, "renew-failed", st, &why);
	sp_timer_set(k->renew_timer, RENEW_CHECK_MS);
}

/* Files and database as they must be before anything runs. */
static enum sp_status
prepare(struct keyd *k, struct sp_why *why)
{
	const struct settings *s = k->settings;
	bool renewed = false;
	enum sp_status st;

	if ((st = office_open(s->state, s->domain, s->name, &k->office, why)) != SP_OK ||
	    (st = office_renew(k->office, sp_clock_wall_ms(), &renewed, why)) != SP_OK)
		return st;
	if (renewed)
		sp_log(SP_LOG_INFO, "renewed", "name=keyd/%s@%s", s->name, s->domain);
	return sp_pg_check_schema(s->database, "key", DB_SCHEMA, SP_DB_START_MS, why);
}

/* Threads, loop and the first question to the database. */
static enum sp_status
bring_up(struct running *r, struct sp_why *why)
{
	struct keyd *k = &r->keyd;
	const struct sp_pg_options options = { .conninfo = k->settings->database, .program = "keyd",
		.prepared = k->settings->prepared, .threads = k->settings->database_threads };
	SP_AUTO_DONE(sp_buf) addresses = { 0 };
	enum sp_status st;

	sp_random(k->challenge_secret, sizeof(k->challenge_secret));
	if ((st = sp_loop_new(&k->loop, why)) != SP_OK ||
	    (st = sp_loop_on_signal(k->loop, SIGTERM, on_signal, k)) != SP_OK ||
	    (st = sp_loop_on_signal(k->loop, SIGINT, on_signal, k)) != SP_OK ||
	    (st = sp_worker_new(k->loop, k->settings->signers, SP_SERVICE_QUEUE, &k->signers, why)) != SP_OK ||
	    (st = sp_pg_open(&options, db_calls, DB_CALLS, &k->pg, why)) != SP_OK ||
	    (st = sp_loop_drain(k->loop, sp_pg_replies(k->pg), on_reply, k)) != SP_OK)
		return st;
	k->stop_timer = sp_timer_new(k->loop, on_deadline, k);
	k->renew_timer = sp_timer_new(k->loop, on_renew, r);
	if (k->stop_timer == NULL || k->renew_timer == NULL)
		return SP_E_NOMEM;
	settings_addresses(k->settings, &addresses);
	return db_start(k->pg, k->office, sp_buf_cstr(&addresses), on_started, r);
}

/* Everything open fails with a word; the database's threads may call back into signers, never the other way round. */
static void
take_down(struct keyd *k)
{
	sp_service_free(k->service);
	if (k->pg != NULL)
		sp_loop_undrain(k->loop, sp_pg_replies(k->pg));
	sp_pg_free(k->pg);
	sp_worker_free(k->signers);
	sp_timer_free(k->stop_timer);
	sp_timer_free(k->renew_timer);
	sp_loop_free(k->loop);
	office_free(k->office);
	sp_wipe(k->challenge_secret, sizeof(k->challenge_secret));
}

int
keyd_run(const struct settings *settings, const struct sp_handler *handlers, size_t nhandlers)
{
	struct running r = { .keyd = { .settings = settings }, .handlers = handlers, .nhandlers = nhandlers };
	struct sp_why why = { "" };
	enum sp_status st;

	signal(SIGPIPE, SIG_IGN);
	st = prepare(&r.keyd, &why);
	if (st == SP_OK)
		st = bring_up(&r, &why);
	if (st == SP_OK)
		st = sp_loop_run(r.keyd.loop);
	if (st != SP_OK)
		sp_log_fail(SP_LOG_ERR, "start-failed", st, &why);
	take_down(&r.keyd);
	if (st == SP_OK)
		sp_log(SP_LOG_INFO, "stopped", "status=%d", r.keyd.exit_status);
	return st == SP_OK ? r.keyd.exit_status : 1;
}
