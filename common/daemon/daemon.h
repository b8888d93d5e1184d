/*
 * daemon.h - the skeleton of a service that keeps its ledger in PostgreSQL: its loop, database threads, workers and listening
 * sockets, up in order and down in order. What it does is in its handlers. sp_daemon_run() is the whole run of a service that
 * is a member of a domain; keyd, which makes the domain, puts its own run together from the steps.
 */
#ifndef SP_DAEMON_DAEMON_H
#define SP_DAEMON_DAEMON_H

#include "common/conf/conf.h"
#include "common/member/member.h"
#include "common/net/service.h"
#include "common/net/worker.h"
#include "common/pg/pool.h"

/* All borrowed for the whole run. */
struct sp_daemon_conf {
	const char *name;		/* "creditd": of the program, and in its log */
	enum sp_role role;		/* of a member, like state */
	const char *state;		/* folder of keys, certificate and roster */
	const char *database;		/* conninfo of the daemon's role */
	const char *schema;
	int schema_version;		/* the last NNN-*.sql that this program knows */
	bool prepared;
	uint32_t database_threads, workers;
	const struct sp_conf_list *listen;
	uint16_t port;			/* where listen names none */
	const struct sp_handler *handlers;
	size_t nhandlers;
	const struct sp_pg_call *calls;
	size_t ncalls;

	/* With everything but the service open; may be NULL. A failure ends the program. */
	enum sp_status (*begin)(void *arg, struct sp_why *why);
	bool serves_later;		/* sp_daemon_serve() is called by what begin has begun */
	/* Before anything is closed; may be NULL. */
	void (*end)(void *arg);
	/* When service, database and workers have ended; may be NULL. */
	void (*ended)(void *arg);
	void *arg;			/* of handlers and of these */
};

struct sp_daemon {
	const struct sp_daemon_conf *conf;
	struct sp_loop *loop;
	struct sp_pg *pg;
	struct sp_worker *workers;
	struct member *member;		/* NULL in keyd */
	struct sp_service *service;	/* NULL until it listens */
	struct sp_timer *stop_timer, *roster_timer;
	bool stopping;
	int exit_status;
};

/* Runs until it is told to stop; the exit status. d is zeroes. */
int sp_daemon_run(struct sp_daemon *d, const struct sp_daemon_conf *conf);

/* Opens the service of a member with serves_later, and says that it is ready. */
SP_MUST_CHECK enum sp_status sp_daemon_serve(struct sp_daemon *d, struct sp_why *why);

/* ---- the steps of a run: d->conf and d->loop are there ---- */

/* The schema as it must be, signals, workers and database threads. */
SP_MUST_CHECK enum sp_status sp_daemon_open(struct sp_daemon *d, struct sp_why *why);

/* Opens the sockets of conf->listen; identity and trust stay the caller's. */
SP_MUST_CHECK enum sp_status sp_daemon_listen(struct sp_daemon *d, const struct sp_tls_identity *identity,
    const struct sp_trust *trust, struct sp_why *why);

/* Ends the loop with this exit status. */
void sp_daemon_stop(struct sp_daemon *d, int exit_status);

/* Closes whatever is open, the loop last; everything under way fails with a word. */
void sp_daemon_close(struct sp_daemon *d);

/* --enrol TOKEN: becomes a member, says so on stdout; the exit status. */
int sp_daemon_enrol(const char *name, enum sp_role role, const char *state, const char *token);

/* --migrate: brings the schema up; the exit status. */
int sp_daemon_migrate(const char *name, const char *owner_conninfo, const char *schema, const char *schema_dir);

/* Answers a request that could not be queued or done: BUSY for a full queue, else the failure. */
void sp_daemon_fail(struct sp_request *rq, enum sp_status st, const struct sp_why *why);

/* The status in a row's column: anything that is no known status is SP_E_DATABASE. */
enum sp_status sp_daemon_status(const struct sp_pg_rows *rows, size_t row, unsigned column);

/* An id made by a requester must be of about now: 24 hours. SP_E_RANGE otherwise. */
SP_MUST_CHECK enum sp_status sp_daemon_check_id(const struct sp_id *id, struct sp_why *why);

#endif
