/*
 * run.c - brings certd up, in this order: the two members' files, the database's schema, threads, the domain's row in the
 * database, then the listening sockets and what was left unsigned; and down again when it is told to: nothing new, everything
 * open answered.
 */
#include <signal.h>

#include "certd/certd.h"
#include "certd/db.h"
#include "common/base/clock.h"
#include "common/net/notify.h"
#include "common/pg/migrate.h"

#define ROSTER_MS (24ull * 3600 * 1000)
#define SWEEP_MS (30ull * 1000)
#define SWEEP_AGE_MS (60ull * 1000)	/* younger ones are being signed where they were begun */

/* What the handlers are until the service is up; the same array for the whole run. */
struct running {
	struct certd certd;		/* first: handlers get this */
	const struct sp_handler *handlers;
	size_t nhandlers;
};

static void
stop(struct certd *c, int exit_status)
{
	c->exit_status = exit_status;
	sp_loop_stop(c->loop);
}

static void
fail_start(struct certd *c, enum sp_status st, const struct sp_why *why)
{
	sp_log_fail(SP_LOG_ERR, "start-failed", st, why);
	stop(c, 1);
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
	struct certd *c = arg;

	if (c->stopping)
		return;
	c->stopping = true;
	sp_log(SP_LOG_INFO, "stopping", "signal=%d", number);
	sp_notify("STOPPING=1");
	sp_timer_set(c->stop_timer, SP_SHUTDOWN_MS);
	if (c->service != NULL)
		sp_service_drain(c->service, on_drained, c);
	else
		stop(c, 0);
}

static void
on_reply(void *arg, void *item)
{
	struct certd *c = arg;

	sp_pg_deliver(c->pg, item);
}

/* ---- up ---- */

static enum sp_status
listen_now(struct running *r, struct sp_why *why)
{
	struct certd *c = &r->certd;
	struct sp_addr listen[SP_SERVICE_LISTEN];
	struct sp_span chain[SP_CHAIN_MAX];
	struct sp_service_conf conf = { .listen = listen, .nlisten = c->settings->listen.count,
		.identity = { member_key(c->own), member_cert(c->own), chain, 0 }, .trust = member_trust(c->own),
		.handlers = r->handlers, .nhandlers = r->nhandlers, .arg = c };
	enum sp_status st = SP_OK;

	for (; conf.identity.nchain < SP_CHAIN_MAX && conf.identity.nchain < member_issuers(c->own);
	    conf.identity.nchain++)
		chain[conf.identity.nchain] = member_issuer(c->own, conf.identity.nchain);
	for (size_t i = 0; st == SP_OK && i < conf.nlisten; i++)
		st = sp_addr_parse(sp_span_str(c->settings->listen.items[i]), SP_PORT_CERTD, &listen[i]);
	return st == SP_OK ? sp_service_new(c->loop, &conf, &c->service, why) : st;
}

static void
on_refreshed(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct certd *c = arg;

	if (st != SP_OK)
		sp_log_fail(SP_LOG_WARN, "roster-not-fetched", st, why);
	else if (c->service != NULL)
		sp_service_set_trust(c->service, member_trust(c->own));
}

static void
on_roster_timer(void *arg)
{
	struct certd *c = arg;

	member_refresh(c->own, on_refreshed, c);
	sp_timer_set(c->roster_timer, ROSTER_MS);
}

static void
on_sweep_timer(void *arg)
{
	struct certd *c = arg;

	sweep(c, sp_clock_wall_ms() - SWEEP_AGE_MS);
	sp_timer_set(c->sweep_timer, SWEEP_MS);
}

/* The database is our domain's: serve. */
static void
on_started(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	struct running *r = arg;
	struct certd *c = &r->certd;
	struct sp_why why = { "" };
	char name[SP_NAME_TEXT];

	if (c->stopping)
		return;
	if (st == SP_OK && (st = db_status(rows, 0, START_STATUS)) != SP_OK) {
		struct sp_span reason = sp_pg_get_bytes(rows, 0, START_REASON);

		(void)sp_fail(st, &why, "%.*s", (int)reason.n, (const char *)reason.p);
	}
	if (st == SP_OK)
		st = listen_now(r, &why);
	if (st == SP_OK)
		st = notices_new(c, &c->notices, &why);
	if (st != SP_OK) {
		fail_start(c, st, &why);
		return;
	}
	sp_log(SP_LOG_INFO, "ready", "name=%s port=%u", sp_identity_text(member_identity(c->own), name),
	    sp_service_port(c->service));
	sp_notify("READY=1");
	sweep(c, INT64_MAX);
	sp_timer_set(c->sweep_timer, SWEEP_MS);
	sp_timer_set(c->roster_timer, 0);
}

/* One of the two members, enrolled under the role's own option. */
static enum sp_status
open_member(struct certd *c, enum sp_role role, const char *option, struct member **ret_member, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) folder = { 0 };
	enum sp_status st;

	become_folder(c->settings, role, &folder);
	if ((st = member_open(c->loop, sp_buf_cstr(&folder), role, ret_member, why)) != SP_OK)
		return st;
	if (!member_is_enrolled(*ret_member))
		return sp_fail(SP_E_NOTENROLLED, why, "%s holds no %s: get a token by SELECT key.admin_service('%s', …) in psql, "
		    "then certd %s TOKEN", sp_buf_cstr(&folder), sp_role_text(role), sp_role_text(role), option);
	return SP_OK;
}

static enum sp_status
open_members(struct certd *c, struct sp_why *why)
{
	struct stamp_conf conf = { .hands = (unsigned)c->settings->signers };
	enum sp_status st;

	if ((st = open_member(c, SP_ROLE_CERTD, "--enrol", &c->own, why)) != SP_OK ||
	    (st = open_member(c, SP_ROLE_TSA, "--enrol-tsa", &c->tsa, why)) != SP_OK)
		return st;
	if (strcmp(sp_trust_domain(member_trust(c->own)), sp_trust_domain(member_trust(c->tsa))) != 0)
		return sp_fail(SP_E_DOMAIN, why, "certd and tsa were enrolled in different domains");
	conf.key = member_key(c->own);
	conf.cert = member_cert(c->own);
	conf.id = member_identity(c->own);
	conf.tsa_key = member_key(c->tsa);
	conf.tsa_cert = member_cert(c->tsa);
	conf.tsa_id = member_identity(c->tsa);
	return stamp_new(&conf, &c->stamp, why);
}

/* Loop, members, threads and the first question to the database. */
static enum sp_status
bring_up(struct running *r, struct sp_why *why)
{
	struct certd *c = &r->certd;
	const struct sp_pg_options options = { .conninfo = c->settings->database, .program = "certd",
		.prepared = c->settings->prepared, .threads = (unsigned)c->settings->database_threads };
	enum sp_status st;

	if ((st = sp_loop_new(&c->loop, why)) != SP_OK ||
	    (st = open_members(c, why)) != SP_OK ||
	    (st = sp_pg_check_schema(c->settings->database, "cert", DB_SCHEMA, SP_DB_START_MS, why)) != SP_OK ||
	    (st = sp_loop_on_signal(c->loop, SIGTERM, on_signal, c)) != SP_OK ||
	    (st = sp_loop_on_signal(c->loop, SIGINT, on_signal, c)) != SP_OK ||
	    (st = sp_worker_new(c->loop, (unsigned)c->settings->signers, SP_SERVICE_QUEUE, &c->signers, why)) != SP_OK ||
	    (st = sp_pg_open(&options, db_calls, DB_CALLS, &c->pg, why)) != SP_OK ||
	    (st = sp_loop_drain(c->loop, sp_pg_replies(c->pg), on_reply, c)) != SP_OK)
		return st;
	c->stop_timer = sp_timer_new(c->loop, on_deadline, c);
	c->roster_timer = sp_timer_new(c->loop, on_roster_timer, c);
	c->sweep_timer = sp_timer_new(c->loop, on_sweep_timer, c);
	if (c->stop_timer == NULL || c->roster_timer == NULL || c->sweep_timer == NULL)
		return SP_E_NOMEM;
	return db_start(c->pg, member_identity(c->own)->name.domain, on_started, r);
}

/* Everything open fails with a word; the database's callbacks may call on signers, never the other way round. */
static void
take_down(struct certd *c)
{
	c->stopping = true;
	sp_service_free(c->service);
	if (c->pg != NULL)
		sp_loop_undrain(c->loop, sp_pg_replies(c->pg));
	sp_pg_free(c->pg);
	sp_worker_free(c->signers);
	notices_free(c->notices);
	sp_timer_free(c->stop_timer);
	sp_timer_free(c->roster_timer);
	sp_timer_free(c->sweep_timer);
	stamp_free(c->stamp);
	member_free(c->tsa);
	member_free(c->own);
	sp_loop_free(c->loop);
}

int
certd_run(const struct settings *settings, const struct sp_handler *handlers, size_t nhandlers)
{
	struct running r = { .certd = { .settings = settings }, .handlers = handlers, .nhandlers = nhandlers };
	struct sp_why why = { "" };
	enum sp_status st;

	signal(SIGPIPE, SIG_IGN);
	st = bring_up(&r, &why);
	if (st == SP_OK)
		st = sp_loop_run(r.certd.loop);
	if (st != SP_OK)
		sp_log_fail(SP_LOG_ERR, "start-failed", st, &why);
	take_down(&r.certd);
	if (st == SP_OK)
		sp_log(SP_LOG_INFO, "stopped", "status=%d", r.certd.exit_status);
	return st == SP_OK ? r.certd.exit_status : 1;
}
