/*
 * main.c - peerd: the station that runs on a user's machine. This page opens its rooms in order and closes them in reverse;
 * what happens in them is in their folders.
 *
 *   store     everything at rest (SQLite)            station   keys, certificate, roster, enrolment
 *   letters   the book, and letters in and out       data      threads that move packets
 *   wallet    tells creditd what is spent            events    the lives of sendings, receivings, top-ups
 *   control   HTTP and JSON for the sealpost command
 */
#include "peerd/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/conf/options.h"
#include "common/net/notify.h"
#include "peerd/control/control.h"

#define SOCKET_PATH_MOST (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

static const char *home_option;
static char home[900];

static const struct sp_option options[] = {
	{ "home", 'H', "DIR", "Folder of this station's state and socket.", NULL, &home_option },
};

static void
find_home(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *user = getenv("HOME");
	char here[600];

	if (home_option != NULL && home_option[0] == '/')
		snprintf(home, sizeof(home), "%s", home_option);
	else if (home_option != NULL)
		snprintf(home, sizeof(home), "%s/%s", getcwd(here, sizeof(here)) != NULL ? here : ".", home_option);
	else if (data != NULL && data[0] == '/')
		snprintf(home, sizeof(home), "%s/sealpost", data);
	else
		snprintf(home, sizeof(home), "%s/.local/share/sealpost", user != NULL ? user : "");
}

static void
default_conf(struct sp_buf *path)
{
	find_home();
	sp_buf_addf(path, "%s/peerd.conf", home);
}

static struct sp_program program = {
	.name = "peerd",
	.summary = "Sends and receives packets for one station.",
	.keys = peer_conf,
	.options = options,
	.noptions = sizeof(options) / sizeof(options[0]),
	.default_path = default_conf,
	.check = peer_settings_check,
};

#define ROSTER_MS (24ull * 3600 * 1000)

/* ---- the rooms that need an identity ---- */
struct beginning {
	struct peer *peer;
	peer_done_fn *fn;
	void *arg;
};

static void
begin_ended(struct beginning *b, enum sp_status st, const struct sp_why *why)
{
	b->peer->ready = st == SP_OK;
	if (b->peer->ready)
		sp_timer_set(b->peer->roster_timer, ROSTER_MS);
	b->fn(b->arg, st, why);
	free(b);
}

static void
events_ready(void *arg, enum sp_status st, const struct sp_why *why)
{
	begin_ended(arg, st, why);
}

static enum sp_status
open_post_and_events(struct peer *p, struct sp_why *why)
{
	const struct peer_settings *s = &p->settings;
	struct post_settings post = { .bind = s->bind, .port = (uint16_t)s->port,
		.silent_to_strangers = s->silent_to_strangers };
	struct events_conf conf = {
		.home = p->home,
		.received = s->received,
		.keep_links = s->links == 1,
		.bytes_max = s->largest,
		.attempts = s->attempts,
		.breaks = s->breaks,
		.resume_buffer = s->resume_buffer,
		.ask = s->accept == 1,
		.life_ms = s->event_life,
		.organisation = s->organisation,
		.return_host = s->return_host,
		.data = { s->bind, (uint16_t)s->data_port_first, (uint16_t)s->data_port_last, s->chunk,
		    (enum data_compress)s->compress, (uint32_t)s->idle, s->threads, s->transfers, s->reserve,
		    { s->send_rate, s->send_rate_peer }, { s->receive_rate, s->receive_rate_peer } },
	};
	struct events_parts parts = { p->loop, p->store, p->station, p->book, NULL, NULL };
	enum sp_status st = post_new(p->loop, p->station, p->book, &post, &p->post, why);

	if (st != SP_OK)
		return st;
	if ((st = wallet_new(p->loop, p->store, p->station, &p->wallet, why)) != SP_OK)
		return st;
	parts.post = p->post;
	parts.wallet = p->wallet;
	if ((st = events_new(&parts, &conf, &p->events, why)) != SP_OK)
		return st;
	wallet_start(p->wallet);
	control_watch(p->control);
	return SP_OK;
}

static void
book_ready(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct beginning *b = arg;
	struct sp_why own = { "" };

	if (st == SP_OK) {
		why = &own;
		st = open_post_and_events(b->peer, &own);
	}
	if (st != SP_OK)
		begin_ended(b, st, why);
	else
		events_start(b->peer->events, events_ready, b);
}

void
peer_begin(struct peer *p, peer_done_fn *fn, void *arg)
{
	struct beginning *b = malloc(sizeof(*b));

	if (b == NULL) {
		fn(arg, SP_E_NOMEM, NULL);
		return;
	}
	*b = (struct beginning){ p, fn, arg };
	p->book = book_new(p->store, p->station, book_ready, b);
	if (p->book == NULL)
		begin_ended(b, SP_E_NOMEM, NULL);
}

/* ---- start and end ---- */
static void
refresh(void *arg)
{
	struct peer *p = arg;

	member_refresh(p->station, NULL, NULL);
	sp_timer_set(p->roster_timer, ROSTER_MS);
}

static void
begun(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct peer *p = arg;
	char past[SP_TIME_TEXT];

	if (st != SP_OK) {
		sp_log_fail(SP_LOG_ERR, "not-started", st, why);
		fprintf(stderr, "peerd: cannot start: %s\n",
		    why != NULL && why->text[0] != 0 ? why->text : sp_status_text(st));
		p->ready = false;
		sp_loop_stop(p->loop);
		return;
	}
	if (sp_clock_is_behind())
		sp_log(SP_LOG_WARN, "clock-behind", "known-to-be-past=%s", sp_clock_text(sp_clock_mark_ms(), past));
	sp_log(SP_LOG_INFO, "ready", "port=%u", post_port(p->post));
	(void)sp_notify("READY=1");
	refresh(p);
}

static void
on_signal(void *arg, int number)
{
	struct peer *p = arg;

	sp_log(SP_LOG_INFO, "stopping", "signal=%d", number);
	(void)sp_notify("STOPPING=1");
	sp_loop_stop(p->loop);
}

/* A home serves one peerd: a second one must not touch its database or its incoming packets. */
static enum sp_status
lock_home(int *ret_fd, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	SP_AUTO_FD fd = -1;
	enum sp_status st;

	/* before anything is made there */
	if (strlen(home) + strlen("/control") > SOCKET_PATH_MOST)
		return sp_fail(SP_E_ARGUMENT, why, "the path of the control socket is longer than %zu bytes: %s/control",
		    SOCKET_PATH_MOST, home);
	if ((st = sp_mkdirs(home, 0700, why)) != SP_OK)
		return st;
	sp_buf_addf(&path, "%s/lock", home);
	fd = open(sp_buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return sp_fail_errno(SP_E_IO, why, "cannot open %s", sp_buf_cstr(&path));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return sp_fail(SP_E_EXISTS, why, "another peerd is running on %s", home);
	*ret_fd = sp_take_fd(&fd);
	return SP_OK;
}

static enum sp_status
open_rooms(struct peer *p, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) db = { 0 }, dir = { 0 };
	enum sp_status st;

	sp_buf_addf(&db, "%s/peer.db", home);
	sp_buf_addf(&dir, "%s/station", home);
	if ((st = sp_loop_new(&p->loop, why)) != SP_OK ||
	    (st = sp_loop_on_signal(p->loop, SIGTERM, on_signal, p)) != SP_OK ||
	    (st = sp_loop_on_signal(p->loop, SIGINT, on_signal, p)) != SP_OK ||
	    (st = store_new(p->loop, sp_buf_cstr(&db), &p->store, why)) != SP_OK ||
	    (st = member_open(p->loop, sp_buf_cstr(&dir), SP_ROLE_STATION, &p->station, why)) != SP_OK)
		return st;
	if ((p->roster_timer = sp_timer_new(p->loop, refresh, p)) == NULL)
		return SP_E_NOMEM;
	return control_new(p, &p->control, why);
}

static void
close_rooms(struct peer *p)
{
	control_free(p->control);
	sp_timer_free(p->roster_timer);
	events_free(p->events);
	wallet_free(p->wallet);
	post_free(p->post);
	book_free(p->book);
	member_free(p->station);
	store_free(p->store);
	sp_loop_free(p->loop);
}

static void
take_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main(int argc, char **argv)
{
	struct peer p = { 0 };
	struct sp_why why = { "" };
	SP_AUTO_FD lock = -1;
	enum sp_status st;
	int exit_status;

	sp_log_open("peerd");
	(void)sp_clock_sure_ms();
	program.nkeys = peer_conf_count;
	if (!sp_program_begin(&program, argc, argv, &p.settings, &exit_status))
		return exit_status;
	find_home();
	p.home = home;
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	take_descriptors();
	st = lock_home(&lock, &why);
	if (st == SP_OK)
		st = open_rooms(&p, &why);
	if (st == SP_OK && member_is_enrolled(p.station))
		peer_begin(&p, begun, &p);
	else if (st == SP_OK)
		(void)sp_notify("READY=1");	/* it waits for its enrolment */
	if (st == SP_OK)
		st = sp_loop_run(p.loop);
	if (st != SP_OK)
		fprintf(stderr, "peerd: %s\n", why.text[0] != 0 ? why.text : sp_status_text(st));
	exit_status = st == SP_OK && (p.ready || !member_is_enrolled(p.station)) ? 0 : 1;
	close_rooms(&p);
	sp_conf_done(peer_conf, peer_conf_count, &p.settings);
	return exit_status;
}
