/*
 * follow.c - long polls for what happens to some events, and how that looks.
 */
#include "peerd/cli/follow.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "peerd/cli/api.h"
#include "peerd/cli/print.h"

#define REDRAW_MS 100
#define POLL_S 20
#define MOST 4096

/* One event that is followed. */
struct followed {
	const char *id;			/* borrowed from the order's answer */
	unsigned long long done, packet;
	unsigned long long first_done;	/* where the rate counts from */
	uint64_t first_ms;
	const char *peer;
	bool ended;
};

struct follower {
	struct cli *cli;
	struct followed *events;
	size_t count, open;
	bool bar;			/* a progress line stands on the terminal */
	uint64_t drawn_ms;
	int worst;
};

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

int
follow_exit(const json_t *event)
{
	const char *result = api_text(event, "result", "failed");

	if (strcmp(result, "delivered") == 0)
		return CLI_DONE;
	if (strcmp(result, "refused") == 0)
		return CLI_REFUSED;
	return api_number(json_object_get(event, "reason"), "number") == SP_E_CREDITS ? CLI_CREDITS : CLI_FAILED;
}

void
follow_line(const char *peer, unsigned long long done, unsigned long long packet, unsigned long long rate, unsigned width,
    struct sp_buf *out)
{
	char size[PRINT_SIZE], speed[PRINT_SIZE], left[PRINT_SPAN] = "";
	SP_AUTO_DONE(sp_buf) tail = { 0 };
	unsigned percent = packet > 0 ? (unsigned)((double)done * 100 / (double)packet) : 0;
	size_t name = print_columns(peer), rest;

	print_size(done, size);
	print_size(rate, speed);
	if (rate > 0 && packet > done)
		print_span((packet - done) / rate, left);
	sp_buf_addf(&tail, " %3u%% %8s %8s/s %s", percent, size, speed, left);
	rest = width > tail.len + 1 ? width - tail.len - 1 : 0;
	if (name > rest / 2)
		name = rest / 2;
	print_cut(out, peer, name);
	if (rest > name + 6) {
		sp_buf_add_u8(out, ' ');
		print_bar(done, packet, (unsigned)(rest - name - 1), out);
	}
	sp_buf_add_span(out, sp_buf_span(&tail));
}

static void
clear_bar(struct follower *f)
{
	if (f->bar)
		fputs("\r\033[K", stdout);
	f->bar = false;
}

static void
draw(struct follower *f, const struct followed *e)
{
	SP_AUTO_DONE(sp_buf) line = { 0 };
	uint64_t now = sp_clock_boot_ms(), spent = now - e->first_ms;
	unsigned long long moved = e->done > e->first_done ? e->done - e->first_done : 0;

	if (!f->cli->terminal || e->packet == 0 || now - f->drawn_ms < REDRAW_MS)
		return;
	follow_line(e->peer, e->done, e->packet, spent > 0 ? moved * 1000 / spent : 0, f->cli->width - 1, &line);
	clear_bar(f);
	fputs(sp_buf_cstr(&line), stdout);
	fflush(stdout);
	f->bar = true;
	f->drawn_ms = now;
}

void
follow_say_end(struct cli *cli, const json_t *event)
{
	const char *result = api_text(event, "result", "failed"), *peer = api_text(event, "peer", "?");
	const char *receipt = api_text(event, "receipt_file", "");
	const json_t *reason = json_object_get(event, "reason");
	bool good = strcmp(result, "delivered") == 0;
	char size[PRINT_SIZE];

	printf("%s%s%s to %s: %lld %s, %s\n", cli->colour ? good ? "\033[32m" : "\033[31m" : "", result,
	    cli->colour ? "\033[0m" : "", peer, api_number(event, "files"),
	    api_number(event, "files") == 1 ? "file" : "files",
	    print_size((uint64_t)api_number(event, "bytes"), size));
	if (json_is_object(reason)) {
		printf("  %s\n", api_text(reason, "text", ""));
		if (api_text(reason, "advice", "")[0] != 0)
			printf("  %s\n", api_text(reason, "advice", ""));
	}
	if (receipt[0] != 0)
		printf("  receipt: %s\n  check it: sealpost verify '%s'\n", receipt, receipt);
}

static struct followed *
find(struct follower *f, const char *id)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->events[i].id, id) == 0)
			return &f->events[i];
	return NULL;
}

static void
take_row(struct follower *f, const json_t *row)
{
	const json_t *event = json_object_get(row, "event");
	struct followed *e = find(f, api_text(row, "id", ""));
	const char *what = api_text(row, "what", "");
	unsigned long long done = (unsigned long long)api_number(event, "done");

	if (e == NULL || e->ended || strcmp(api_text(row, "kind", ""), "send") != 0)
		return;
	if (f->cli->json)
		api_print(row);
	if (e->first_ms == 0 || done < e->done) {
		e->first_ms = sp_clock_boot_ms();
		e->first_done = done;
	}
	e->done = done;
	e->packet = (unsigned long long)api_number(event, "packet");
	if (json_is_true(json_object_get(event, "ended"))) {
		int status = follow_exit(event);

		e->ended = true;
		f->open--;
		f->worst = status > f->worst ? status : f->worst;
		clear_bar(f);
		if (!f->cli->json)
			follow_say_end(f->cli, event);
	} else if (what[0] == 0) {
		draw(f, e);
	} else if (!f->cli->json) {
		clear_bar(f);
		printf("%s: %s\n", e->peer, what);
	}
	fflush(stdout);
}

static int
poll_once(struct follower *f, long long *after)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	json_t *answer, *rows, *row;
	size_t i;
	int status;

	sp_buf_addf(&path, "/v1/events?after=%lld&wait=%d", *after, POLL_S);
	if (f->count == 1)
		sp_buf_addf(&path, "&id=%s", f->events[0].id);
	status = api_ask(f->cli, "GET", sp_buf_cstr(&path), NULL, POLL_S + 30, &answer);
	if (status != CLI_DONE)
		return status;
	rows = json_object_get(answer, "rows");
	json_array_foreach(rows, i, row)
		take_row(f, row);
	*after = api_number(answer, "last");
	json_decref(answer);
	return CLI_DONE;
}

static void
leave(struct follower *f)
{
	clear_bar(f);
	fputs("\npeerd goes on with it. To see how it is: sealpost log --pending; to stop it: sealpost cancel ID\n", stderr);
}

int
follow_events(struct cli *cli, const json_t *ordered)
{
	const json_t *events = json_object_get(ordered, "events"), *event;
	struct follower f = { .cli = cli };
	long long after = api_number(ordered, "last");
	struct sigaction act = { .sa_handler = on_interrupt };
	int status = CLI_DONE;
	size_t i;

	f.count = f.open = json_array_size(events) < MOST ? json_array_size(events) : MOST;
	if ((f.events = calloc(f.count + 1, sizeof(*f.events))) == NULL)
		return CLI_FAILED;
	json_array_foreach(events, i, event)
		if (i < f.count) {
			f.events[i].id = api_text(event, "id", "");
			f.events[i].peer = api_text(event, "peer", "");
		}
	sigaction(SIGINT, &act, NULL);
	while (f.open > 0 && status == CLI_DONE && !interrupted)
		status = poll_once(&f, &after);
	if (interrupted) {
		leave(&f);
		status = CLI_FAILED;
	}
	clear_bar(&f);
	free(f.events);
	return status != CLI_DONE ? status : f.worst;
}
