/*
 * progress.c - rate over a sliding window, and a line that fits.
 */
#include "peerd/cli/progress.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "peerd/cli/print.h"

#define REDRAW_MS 100
#define SAMPLE_MS 500		/* 16 of them: the rate is that of the last 8 seconds */
#define LABEL_LEAST 12		/* what gives way to the label and what does not */
#define BAR_LEAST 8
#define LEFT_MOST_S (99ULL * 86400)

static bool on_screen;

uint64_t
progress_rate(struct progress *p, uint64_t now_ms, uint64_t done)
{
	unsigned last = (p->first + p->count + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
	uint64_t spent;

	if (p->count > 0 && done < p->samples[last].done)
		p->count = 0;	/* it began again */
	if (p->count == 0 || now_ms - p->samples[last].ms >= SAMPLE_MS) {
		if (p->count == PROGRESS_SAMPLES) {
			p->first = (p->first + 1) % PROGRESS_SAMPLES;
			p->count--;
		}
		last = (p->first + p->count++) % PROGRESS_SAMPLES;
		p->samples[last].ms = now_ms;
		p->samples[last].done = done;
	}
	spent = now_ms - p->samples[p->first].ms;
	if (spent < REDRAW_MS)
		return PROGRESS_UNKNOWN;
	return (uint64_t)((double)(done - p->samples[p->first].done) * 1000 / (double)spent);
}

/* Appends a part if the label still has its room after it. */
static bool
part(struct sp_buf *tail, unsigned *rest, const char *text, unsigned columns, unsigned least)
{
	if (*rest < columns + least)
		return false;
	sp_buf_addf(tail, "%*s", (int)columns, text);
	*rest -= columns;
	return true;
}

void
progress_line(const char *label, uint64_t done, uint64_t whole, uint64_t rate, unsigned width, struct sp_buf *out)
{
	char size[PRINT_SIZE], speed[PRINT_SIZE + 2] = "", left[PRINT_SPAN] = "", percent[8];
	SP_AUTO_DONE(sp_buf) tail = { 0 };
	size_t name = print_columns(label), used;
	unsigned rest = width, bar = 0;
	bool all;

	done = done < whole ? done : whole;
	snprintf(percent, sizeof(percent), "%u%%", whole > 0 ? (unsigned)((double)done * 100 / (double)whole) : 0);
	if (rate != PROGRESS_UNKNOWN)
		snprintf(speed, sizeof(speed), "%s/s", print_size(rate, size));
	if (rate > 0 && rate != PROGRESS_UNKNOWN && (whole - done) / rate <= LEFT_MOST_S)
		print_span((whole - done) / rate + ((whole - done) % rate > 0), left);
	print_size(done, size);
	if (!part(&tail, &rest, percent, 5, 0))
		rest = width;
	/* the bytes are the first to go, then the time left, then the rate */
	all = rest >= 9 + 11 + 9 + LABEL_LEAST;
	if (all)
		part(&tail, &rest, size, 9, LABEL_LEAST);
	if (part(&tail, &rest, speed, 11, LABEL_LEAST))
		part(&tail, &rest, left, 9, LABEL_LEAST);
	if (rest >= LABEL_LEAST + 1 + BAR_LEAST) {
		unsigned most = rest - 1 - BAR_LEAST;

		name = name < most ? name : most;
		bar = rest - 1 - (unsigned)name;
	} else if (name > rest) {
		name = rest;
	}
	used = print_cut(out, label, name);
	if (bar > 0) {
		for (; used < name + 1; used++)
			sp_buf_add_u8(out, ' ');
		print_bar(done, whole, bar, out);
	}
	sp_buf_add_span(out, sp_buf_span(&tail));
}

void
progress_show(struct progress *p, const char *label, uint64_t done, uint64_t whole)
{
	SP_AUTO_DONE(sp_buf) line = { 0 };
	uint64_t now = sp_clock_boot_ms(), rate;
	unsigned width = cli_width(p->cli);

	if (width < 2 || whole == 0 || p->cli->json)
		return;
	rate = progress_rate(p, now, done);
	if (now - p->drawn_ms < REDRAW_MS)
		return;
	/* the last column stays free: some terminals go on to the next line as soon as it is written */
	progress_line(label, done, whole, rate, width - 1, &line);
	printf("\r%s\033[K", sp_buf_cstr(&line));
	fflush(stdout);
	on_screen = true;
	p->drawn_ms = now;
}

bool
progress_note(const struct cli *cli, const char *text)
{
	SP_AUTO_DONE(sp_buf) safe = { 0 };
	SP_AUTO_DONE(sp_buf) line = { 0 };
	unsigned width = cli_width(cli);

	if (width < 2 || cli->json)
		return false;
	print_safe(&safe, text);
	print_cut(&line, sp_buf_cstr(&safe), width - 1);
	printf("\r%s\033[K", sp_buf_cstr(&line));
	fflush(stdout);
	on_screen = true;
	return true;
}

void
progress_clear(void)
{
	if (on_screen)
		fputs("\r\033[K", stdout);
	on_screen = false;
}
