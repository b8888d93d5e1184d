/*
 * daemon.c - brings a service up: papers, the database's schema, threads, sockets; and down when it is told to: nothing new,
 * everything open answered, within SP_SHUTDOWN_MS.
 */
#include "common/daemon/daemon.h"

#include <signal.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/notify.h"
#include "common/pg/migrate.h"

#define ROSTER_MS (24ull * 3600 * 1000)
#define BUSY_MS 1000
#define ID_TOLERANCE_MS (24ull * 3600 * 1000)

void
sp_daemon_fail(struct sp_request *rq, enum sp_status st, const struct sp_why *why)
{
	if (st == SP_E_BUSY || st == SP_E_FULL)
		sp_request_busy(rq, BUSY_MS);
	else
		sp_request_fail(rq, st, why);
}

enum sp_status
sp_daemon_status(const struct sp_pg_rows *rows, size_t row, unsigned column)
{
	int64_t number = sp_pg_get_int(rows, row, column);
	enum sp_status st;

	if (number < 0 || number > UINT16_MAX)
		return SP_E_DATABASE;
	st = sp_status_from_number((unsigned)number);
	return st == SP_E_UNKNOWN ? SP_E_DATABASE : st;
}

enum sp_status
sp_daemon_check_id(const struct sp_id *id, struct sp_why *why)
{
	uint64_t now = sp_clock_wall_ms(), then = sp_id_ms(id);

	if (then > now + ID_TOLERANCE_MS || now > then + ID_TOLERANCE_MS)
		return sp_fail(SP_E_RANGE, why, "the request's id is not of today: is the clock right?");
	return SP_OK;
}

/* ---- down ---- */

void
sp_daemon_stop(struct sp_daemon *d, int exit_status)
{
	d->exit_status = exit_status;
	sp_loop_stop(d->loop);
}

static void
on_drained(void *arg)
{
	sp_daemon_stop(arg, 0);
}

static void
on_deadline(void *arg)
{
	sp_log(SP_LOG_WARN, "stop-forced", "after_ms=%d", SP_SHUTDOWN_MS);
	sp_daemon_stop(arg, 0);
}

static void
on_signal(void *arg, int number)
{
	struct sp_daemon *d = arg;

	if (d->stopping)
		return;
	d->stopping = true;
	sp_log(SP_LOG_INFO, "stopping", "signal=%d", number);
	(void)sp_notify("STOPPING=1");
	sp_timer_set(d->stop_timer, SP_SHUTDOWN_MS);
	if (d->service != NULL)
		sp_service_drain(d->service, on_drained, d);
	else
		sp_daemon_stop(d, 0);
}

void
sp_daemon_close(struct sp_daemon *d)
{
	if (d->conf->end != NULL)
		d->conf->end(d->conf->arg);
	sp_service_free(d->service);
	if (d->pg != NULL)
		sp_loop_undrain(d->loop, sp_pg_replies(d->pg));
	sp_pg_free(d->pg);
	sp_worker_free(d->workers);
	if (d->conf->ended != NULL)
		d->conf->ended(d->conf->arg);
	member_free(d->member);
	sp_timer_free(d->stop_timer);
	sp_timer_free(d->roster_timer);
	sp_loop_free(d->loop);
}

/* ---- up ---- */

static void
on_reply(void *arg, void *item)
{
	struct sp_daemon *d = arg;

	sp_pg_deliver(d->pg, item);
}

static void
refreshed(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct sp_daemon *d = arg;

	if (st != SP_OK)
		sp_log_fail(SP_LOG_WARN, "roster-not-fetched", st, why);
	else if (d->service != NULL)
		sp_service_set_trust(d->service, member_trust(d->member));
}

static void
on_roster(void *arg)
{
	struct sp_daemon *d = arg;

	member_refresh(d->member, refreshed, d);
	sp_timer_set(d->roster_timer, ROSTER_MS);
}

enum sp_status
sp_daemon_open(struct sp_daemon *d, struct sp_why *why)
{
	const struct sp_daemon_conf *c = d->conf;
	const struct sp_pg_options options = { .conninfo = c->database, .program = c->name, .prepared = c->prepared,
		.threads = c->database_threads };
	enum sp_status st;

	if ((st = sp_pg_check_schema(c->database, c->schema, c->schema_version, SP_DB_START_MS, why)) != SP_OK ||
	    (st = sp_loop_on_signal(d->loop, SIGTERM, on_signal, d)) != SP_OK ||
	    (st = sp_loop_on_signal(d->loop, SIGINT, on_signal, d)) != SP_OK ||
	    (st = sp_worker_new(d->loop, c->workers, SP_SERVICE_QUEUE, &d->workers, why)) != SP_OK ||
	    (st = sp_pg_open(&options, c->calls, c->ncalls, &d->pg, why)) != SP_OK ||
	    (st = sp_loop_drain(d->loop, sp_pg_replies(d->pg), on_reply, d)) != SP_OK)
		return st;
	d->stop_timer = sp_timer_new(d->loop, on_deadline, d);
	return d->stop_timer != NULL ? SP_OK : SP_E_NOMEM;
}

enum sp_status
sp_daemon_listen(struct sp_daemon *d, const struct sp_tls_identity *identity, const struct sp_trust *trust, struct sp_why *why)
{
	const struct sp_daemon_conf *c = d->conf;
	struct sp_addr listen[SP_SERVICE_LISTEN];
	struct sp_service_conf conf = { .listen = listen, .nlisten = c->listen->count, .identity = *identity, .trust = trust,
		.handlers = c->handlers, .nhandlers = c->nhandlers, .arg = c->arg };

	for (size_t i = 0; i < conf.nlisten && i < SP_SERVICE_LISTEN; i++)
		if (sp_addr_parse(sp_span_str(c->listen->items[i]), c->port, &listen[i]) != SP_OK)
			return sp_fail(SP_E_CONFIG, why, "listen \"%s\" is not a numeric ADDRESS:PORT", c->listen->items[i]);
	return sp_service_new(d->loop, &conf, &d->service, why);
}

enum sp_status
sp_daemon_serve(struct sp_daemon *d, struct sp_why *why)
{
	struct sp_span chain[SP_CHAIN_MAX];
	struct sp_tls_identity identity = { .key = member_key(d->member), .cert = member_cert(d->member), .chain = chain };
	char name[SP_NAME_TEXT];
	enum sp_status st;

	for (size_t i = 0; i < member_issuers(d->member) && i < SP_CHAIN_MAX; i++)
		chain[identity.nchain++] = member_issuer(d->member, i);
	if ((st = sp_daemon_listen(d, &identity, member_trust(d->member), why)) != SP_OK)
		return st;
	sp_log(SP_LOG_INFO, "ready", "name=%s port=%u", sp_identity_text(member_identity(d->member), name),
	    sp_service_port(d->service));
	(void)sp_notify("READY=1");
	return SP_OK;
}

static enum sp_status
bring_up(struct sp_daemon *d, struct sp_why *why)
{
	const struct sp_daemon_conf *c = d->conf;
	enum sp_status st;

	if ((st = sp_loop_new(&d->loop, why)) != SP_OK ||
	    (st = member_open(d->loop, c->state, c->role, &d->member, why)) != SP_OK)
		return st;
	if (!member_is_enrolled(d->member))
		return sp_fail(SP_E_NOTENROLLED, why, "%s has no certificate yet: %s --enrol TOKEN, with the token of "
		    "key.admin_service('%s', …)", c->name, c->name, sp_role_text(c->role));
	if ((st = sp_daemon_open(d, why)) != SP_OK)
		return st;
	d->roster_timer = sp_timer_new(d->loop, on_roster, d);
	if (d->roster_timer == NULL)
		return SP_E_NOMEM;
	sp_timer_set(d->roster_timer, 0);
	if (c->begin != NULL && (st = c->begin(c->arg, why)) != SP_OK)
		return st;
	return c->serves_later ? SP_OK : sp_daemon_serve(d, why);
}

int
sp_daemon_run(struct sp_daemon *d, const struct sp_daemon_conf *conf)
{
	struct sp_why why = { "" };
	enum sp_status st;

	signal(SIGPIPE, SIG_IGN);
	d->conf = conf;
	st = bring_up(d, &why);
	if (st == SP_OK)
		st = sp_loop_run(d->loop);
	if (st != SP_OK) {
		sp_log_fail(SP_LOG_ERR, "start-failed", st, &why);
		fprintf(stderr, "%s: %s\n", conf->name, why.text[0] != 0 ? why.text : sp_status_text(st));
	}
	sp_daemon_close(d);
	if (st == SP_OK)
		sp_log(SP_LOG_INFO, "stopped", "status=%d", d->exit_status);
	return st == SP_OK ? d->exit_status : 1;
}

/* ---- steps before the first start ---- */

struct enrolling {
	struct sp_loop *loop;
	enum sp_status st;
	struct sp_why why;
};

static void
enrolled(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct enrolling *e = arg;

	e->st = st;
	if (why != NULL)
		e->why = *why;
	sp_loop_stop(e->loop);
}

int
sp_daemon_enrol(const char *name, enum sp_role role, const char *state, const char *token)
{
	SP_AUTO(sp_loop) *loop = NULL;
	SP_AUTO(member) *member = NULL;
	struct enrolling e = { .st = SP_OK };
	char text[SP_NAME_TEXT];

	e.st = sp_loop_new(&loop, &e.why);
	if (e.st == SP_OK)
		e.st = member_open(loop, state, role, &member, &e.why);
	if (e.st == SP_OK) {
		e.loop = loop;
		member_enrol(member, token, enrolled, &e);
		if (sp_loop_run(loop) != SP_OK)
			e.st = SP_E_SYS;
	}
	if (e.st != SP_OK) {
		fprintf(stderr, "%s: %s\n", name, e.why.text[0] != 0 ? e.why.text : sp_status_text(e.st));
		return 1;
	}
	printf("This is %s now; its papers are in %s.\n", sp_identity_text(member_identity(member), text), state);
	return 0;
}

int
sp_daemon_migrate(const char *name, const char *owner_conninfo, const char *schema, const char *schema_dir)
{
	struct sp_why why = { "" };
	struct sp_pg_migrated did;
	enum sp_status st = sp_pg_migrate(owner_conninfo, schema, schema_dir, &did, &why);

	if (st == SP_OK)
		printf("schema %s: was at %d, is at %d, %d files of functions and views loaded\n", schema, did.from, did.to,
		    did.functions);
	else
		fprintf(stderr, "%s: %s\n", name, why.text[0] != 0 ? why.text : sp_status_text(st));
	return st == SP_OK ? 0 : 1;
}
