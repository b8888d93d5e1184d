/*
 * follow.h - waiting for events: progress on a terminal, plain lines elsewhere, JSON rows with --json.
 */
#ifndef PEERD_CLI_FOLLOW_H
#define PEERD_CLI_FOLLOW_H

#include <jansson.h>

#include "peerd/cli/cli.h"

/* Follows the events of this answer ({"events": […], "last": n}) until all have ended, says how each ended, and returns the
 * worst exit status. Ctrl-C leaves them to peerd and says so. */
int follow_events(struct cli *cli, const json_t *ordered);

/* The exit status of an ended event: delivered 0, refused 3, anything else 1 (4 for want of credits). */
int follow_exit(const json_t *event);

/* How an event ended, for people. */
void follow_say_end(struct cli *cli, const json_t *event);

/* A progress line that fits width columns: peer, bar, percent, rate and time left. done and packet in bytes. */
struct sp_buf;
void follow_line(const char *peer, unsigned long long done, unsigned long long packet, unsigned long long rate, unsigned width,
    struct sp_buf *out);

#endif
