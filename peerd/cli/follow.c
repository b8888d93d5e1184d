/*
 * follow.c - long polls for what happens to some events, and how that looks.
 */
#include "peerd/cli/follow.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "peerd/cli/api.h"
#include "peerd/cli/print.h"
#include "peerd/cli/progress.h"

#define POLL_S 20
#define LOOK_S 1		/* on a terminal: the rate of a stalled transfer must fall */
#define PATIENCE_MS 10000	/* for a peerd that is gone: it may only be restarting */
#define RETRY_MS 500
#define ID_SHOWN 13		/* of one id: its time to the millisecond */

/* One event that is followed. */
struct followed {
	const char *id, *kind, *peer;	/* borrowed from the order's answer */
	unsigned long long done, packet;
	bool moving;			/* in the state that counts bytes */
	bool ended;
};

struct follower {
	struct cli *cli;
	struct followed *events;
	size_t count, open;
	unsigned long long after;
	uint64_t began_ms, heard_ms;
	bool silent;			/* peerd was gone, and that was said */
	struct progress progress;
	int worst;
};

static void
on_interrupt(int number)
{
	(void)number;
	cli_interrupted = 1;
}

/* How a delivery ended for whoever waits for it; NULL: not yet. A postmark that is late is not waited for. */
static const char *
outcome(const json_t *event)
{
	if (api_true(event, "ended"))
		return api_text(event, "result", "failed");
	if (strcmp(api_text(event, "state", ""), "POSTMARK_LATE") != 0)
		return NULL;
	return strcmp(api_text(event, "delivered", ""), "incomplete") == 0 ? "incomplete" : "delivered";
}

int
follow_exit(const json_t *event)
{
	const char *result = outcome(event);

	if (result == NULL)
		return CLI_FAILED;
	if (strcmp(result, "delivered") == 0 || strcmp(result, "granted") == 0)
		return CLI_DONE;
	if (strcmp(result, "refused") == 0 || strcmp(result, "denied") == 0)
		return CLI_REFUSED;
	return api_number(json_object_get(event, "reason"), "number") == SP_E_CREDITS ? CLI_CREDITS : CLI_FAILED;
}

/* ---- what is printed ---- */
static void
say_receipt(struct cli *cli, const char *printable)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	SP_AUTO_DONE(sp_buf) command = { 0 };

	print_raw(&path, printable);
	sp_buf_add_text(&command, "sealpost ");
	if (cli->home_given) {
		sp_buf_add_text(&command, "--home ");
		print_word(&command, cli->home);
		sp_buf_add_u8(&command, ' ');
	}
	sp_buf_add_text(&command, "verify ");
	print_word(&command, sp_buf_cstr(&path));
	printf("  receipt: %s\n  check it: %s\n", printable, sp_buf_cstr(&command));
}

/* The answer to a request for credits. */
static void
say_answer(const struct follower *f, const json_t *event)
{
	const json_t *credits = json_object_get(event, "credits");
	unsigned long long granted = api_number(credits, "granted"), asked = api_number(credits, "asked");
	const char *result = api_text(event, "result", "failed");

	if (strcmp(result, "granted") != 0)
		printf("%s%s%s: no credits from account %s", f->cli->colour ? "\033[31m" : "", result,
		    f->cli->colour ? "\033[0m" : "", api_text(credits, "account", "?"));
	else
		printf("%sgranted%s: %llu credit%s", f->cli->colour ? "\033[32m" : "", f->cli->colour ? "\033[0m" : "", granted,
		    granted == 1 ? "" : "s");
	if (granted > 0 && granted < asked)
		printf(" of %llu asked for", asked);
	putchar('\n');
}

static void
say_reason(const json_t *reason)
{
	if (!json_is_object(reason))
		return;
	printf("  %s\n", api_text(reason, "text", ""));
	if (api_text(reason, "advice", "")[0] != 0)
		printf("  %s\n", api_text(reason, "advice", ""));
}

static void
say_end(struct follower *f, const json_t *event)
{
	static const struct {
		const char *result, *words;
		bool what;		/* say what arrived */
	} ends[] = {
		{ "delivered", "delivered to", true },
		{ "incomplete", "incomplete: delivered, but for files that changed, to", true },
		{ "refused", "refused by", false },
		{ "cancelled", "cancelled: nothing was delivered to", false },
		{ "failed", "failed: nothing was delivered to", false },
	};
	const char *result = outcome(event), *receipt = api_text(event, "receipt_file", "");
	bool late = !api_true(event, "ended");
	unsigned long long files = api_number(event, "files"), price = api_number(event, "price");
	char size[PRINT_SIZE], spent[PRINT_SPAN];
	size_t i = 0;
	bool good;

	if (strcmp(api_text(event, "kind", ""), "credit") == 0) {
		say_answer(f, event);
		say_reason(json_object_get(event, "reason"));
		return;
	}
	while (i + 1 < sizeof(ends) / sizeof(ends[0]) && strcmp(ends[i].result, result) != 0)
		i++;
	good = i == 0;
	printf("%s%s%s %s", f->cli->colour ? good ? "\033[32m" : "\033[31m" : "", ends[i].words,
	    f->cli->colour ? "\033[0m" : "", api_text(event, "peer", "?"));
	if (ends[i].what)
		printf(": %llu %s, %s in %s", files, files == 1 ? "file" : "files", print_size(api_number(event,
		    "bytes"), size),
		    print_span((sp_clock_boot_ms() - f->began_ms + 500) / 1000, spent));
	if (ends[i].what && price > 0)
		printf(", %llu %s", price, price == 1 ? "credit" : "credits");
	putchar('\n');
	if (late)
		puts("  the postmark follows when certd is back; sealpost log --pending lists what it is waited for");
	else
		say_reason(json_object_get(event, "reason"));
	if (receipt[0] != 0)
		say_receipt(f->cli, receipt);
}

/* One line for all that is under way. */
static void
show_progress(struct follower *f)
{
	unsigned long long done = 0, packet = 0;
	const char *label = NULL;
	char several[40];

	if (f->open == 0)
		return;
	for (size_t i = 0; i < f->count; i++)
		if (!f->events[i].ended && f->events[i].packet > 0) {
			done += f->events[i].done;
			packet += f->events[i].packet;
			label = f->events[i].moving ? f->events[i].peer : label;
		}
	snprintf(several, sizeof(several), "%zu recipients", f->open);
	if (label != NULL)
		progress_show(&f->progress, f->open > 1 ? several : label, done, packet);
}

/* ---- what comes ---- */
static struct followed *
find(struct follower *f, const char *id)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->events[i].id, id) == 0)
			return &f->events[i];
	return NULL;
}

static void
take_event(struct follower *f, struct followed *e, const json_t *event)
{
	int status;

	e->done = api_number(event, "done");
	e->packet = api_number(event, "packet");
	if (e->moving && e->done == e->packet) {
		/* all has left: the line is drawn to its end, also when it all went in a moment */
		f->progress.drawn_ms = 0;
		show_progress(f);
	}
	e->moving = strcmp(api_text(event, "state", ""), "SENDING") == 0;
	if (outcome(event) == NULL)
		return;
	status = follow_exit(event);
	e->ended = true;
	f->open--;
	f->worst = status > f->worst ? status : f->worst;
	/* the totals of the line have just lost one: its rate begins anew */
	f->progress.count = 0;
	progress_clear();
	if (!f->cli->json)
		say_end(f, event);
	fflush(stdout);
}

/* What goes on. On a terminal the ordinary steps replace each other; an attempt that failed, and what is waited for, stays to be read. */
static void
say_step(struct follower *f, const struct followed *e, const json_t *row)
{
	SP_AUTO_DONE(sp_buf) line = { 0 };
	const char *state = api_text(row, "state", "");
	bool pause = strcmp(state, "PAUSED") == 0 || strcmp(state, "WAITING") == 0;

	sp_buf_addf(&line, "%s: %s", e->peer, api_text(row, "what", ""));
	if (!pause && progress_note(f->cli, sp_buf_cstr(&line)))
		return;
	progress_clear();
	puts(sp_buf_cstr(&line));
	fflush(stdout);
}

static void
take_row(struct follower *f, const json_t *row)
{
	const json_t *event = json_object_get(row, "event");
	struct followed *e = find(f, api_text(row, "id", ""));

	if (e == NULL || e->ended || strcmp(api_text(row, "kind", ""), e->kind) != 0)
		return;
	if (f->cli->json)
		api_print(row);
	take_event(f, e, event);
	if (!f->cli->json && !e->ended && api_text(row, "what", "")[0] != 0)
		say_step(f, e, row);
}

/* Asks where each open event stands: rows may have been missed. */
static enum api_end
look(struct follower *f, json_t **ret_error)
{
	for (size_t i = 0; i < f->count; i++) {
		SP_AUTO_DONE(sp_buf) path = { 0 };
		json_t *event = NULL;
		enum api_end end;

		if (f->events[i].ended)
			continue;
		sp_buf_addf(&path, "/v1/event/%s", f->events[i].id);
		end = api_try(f->cli, "GET", sp_buf_cstr(&path), NULL, POLL_S, &event);
		if (end != API_ANSWER) {
			*ret_error = event;
			return end;
		}
		if (f->cli->json && outcome(event) != NULL)
			api_print_take(json_pack("{s:n, s:O, s:s, s:s, s:s, s:n, s:b, s:O}", "seq", "time",
			    json_object_get(event, "ended_at"), "id", f->events[i].id, "kind", f->events[i].kind, "state",
			    api_text(event, "state", ""), "what", "progress", 0, "event", event));
		take_event(f, &f->events[i], event);
		json_decref(event);
	}
	return API_ANSWER;
}

static enum api_end
poll_once(struct follower *f, json_t **ret_error)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	int wait = f->cli->terminal && !f->cli->json ? LOOK_S : POLL_S;
	json_t *answer = NULL, *rows, *row;
	enum api_end end;
	bool missed;
	size_t i;

	sp_buf_addf(&path, "/v1/events?after=%llu&wait=%d", f->after, wait);
	if (f->count == 1)
		sp_buf_addf(&path, "&id=%s", f->events[0].id);
	end = api_try(f->cli, "GET", sp_buf_cstr(&path), NULL, wait + 30, &answer);
	if (end != API_ANSWER) {
		*ret_error = answer;
		return end;
	}
	rows = json_object_get(answer, "rows");
	if (!json_is_array(rows) || !json_is_integer(json_object_get(answer, "last"))) {
		json_decref(answer);
		return API_NONSENSE;
	}
	json_array_foreach(rows, i, row)
		take_row(f, row);
	/* nothing for long, or more than is kept: don't rely on rows alone */
	missed = api_true(answer, "gap") || (json_array_size(rows) == 0 && wait == POLL_S);
	f->after = api_number(answer, "last");
	json_decref(answer);
	show_progress(f);
	return missed ? look(f, ret_error) : API_ANSWER;
}

/* One turn of waiting. peerd may be gone for a moment. CLI_DONE: go on. */
static int
turn(struct follower *f)
{
	const struct timespec rest = { .tv_nsec = RETRY_MS * 1000000L };
	uint64_t now;
	json_t *error = NULL;
	enum api_end end = f->silent ? look(f, &error) : poll_once(f, &error);
	int status;

	now = sp_clock_boot_ms();
	if (end == API_ANSWER) {
		f->heard_ms = now;
		f->silent = false;
		return CLI_DONE;
	}
	if (end == API_STOPPED)
		return CLI_DONE;
	if ((end == API_GONE || (end == API_ERROR && api_passes(error))) && now - f->heard_ms < PATIENCE_MS) {
		json_decref(error);
		f->silent = true;
		nanosleep(&rest, NULL);
		return CLI_DONE;
	}
	status = api_say(f->cli, end, error);
	json_decref(error);
	if (end == API_GONE)
		fputs("  it goes on as soon as peerd runs; sealpost log shows what became of it\n", stderr);
	return status;
}

/* Ctrl-C: what happens now, and how to go on from here; then the end that a shell expects of it. */
static void
leave(struct follower *f)
{
	progress_clear();
	fflush(stdout);
	fprintf(stderr,
	    "\npeerd goes on with it. To see how it is: sealpost log --pending; to stop it: sealpost cancel %.*s\n",
	    f->count == 1 ? ID_SHOWN : 2, f->count == 1 ? f->events[0].id : "ID");
	signal(SIGINT, SIG_DFL);
	raise(SIGINT);
}

int
follow_events(struct cli *cli, const json_t *ordered)
{
	const json_t *events = json_object_get(ordered, "events"), *event;
	struct follower f = { .cli = cli, .after = api_number(ordered, "last"), .progress = { .cli = cli } };
	struct sigaction act = { .sa_handler = on_interrupt }, old;
	int status = CLI_DONE;
	size_t i;

	if (!json_is_array(events) || json_array_size(events) == 0)
		return api_say(cli, API_NONSENSE, NULL);
	f.count = f.open = json_array_size(events);
	f.began_ms = f.heard_ms = sp_clock_boot_ms();
	if ((f.events = calloc(f.count, sizeof(*f.events))) == NULL)
		return cli_fail(cli, SP_E_NOMEM, NULL, "out of memory");
	json_array_foreach(events, i, event) {
		f.events[i].id = api_text(event, "id", "");
		f.events[i].kind = api_text(event, "kind", "send");
		f.events[i].peer = api_text(event, "peer", "");
	}
	/* whoever runs it in the background has the signal ignored, and that stays so */
	if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(SIGINT, &act, NULL);
	while (f.open > 0 && status == CLI_DONE && !cli_interrupted)
		status = turn(&f);
	if (cli_interrupted && f.open > 0)
		leave(&f);
	progress_clear();
	free(f.events);
	return status > f.worst ? status : f.worst;
}
