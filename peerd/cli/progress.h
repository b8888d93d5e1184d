/*
 * progress.h - the one progress line of the command: at most ten times a second, never wider than the terminal.
 * Nothing where stdout is no terminal.
 */
#ifndef PEERD_CLI_PROGRESS_H
#define PEERD_CLI_PROGRESS_H

#include <stdint.h>

#include "common/base/buf.h"
#include "peerd/cli/cli.h"

#define PROGRESS_SAMPLES 16

struct progress {
	struct cli *cli;
	uint64_t drawn_ms;
	struct {
		uint64_t ms, done;
	} samples[PROGRESS_SAMPLES];	/* of the last seconds, a ring */
	unsigned first, count;
};

/* Shows how far it is, if the last time is long enough ago. Zeroes but for cli are a fresh progress. */
void progress_show(struct progress *p, const char *label, uint64_t done, uint64_t whole);

/*
 * Shows a text in place of the line, cut to fit: what goes on while there is nothing to count. False if stdout is no
 * terminal (or with --json): then it is the caller's to print.
 */
bool progress_note(const struct cli *cli, const char *text);

/*
 * Bytes a second over the last seconds, now being now_ms on the boot clock; PROGRESS_UNKNOWN before there is anything
 * to go by. Call it with each new done.
 */
#define PROGRESS_UNKNOWN UINT64_MAX
uint64_t progress_rate(struct progress *p, uint64_t now_ms, uint64_t done);

/* Takes the line off the terminal, if one is there: before anything else is printed. */
void progress_clear(void);

/* The line: label, bar, percent, bytes, rate and time left, as many of them as fit width columns. */
void progress_line(const char *label, uint64_t done, uint64_t whole, uint64_t rate, unsigned width,
    struct sp_buf *out);

#endif
