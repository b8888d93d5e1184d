/*
 * follow.h - waiting for events: progress on a terminal, plain lines elsewhere, JSON rows with --json.
 */
#ifndef PEERD_CLI_FOLLOW_H
#define PEERD_CLI_FOLLOW_H

#include <jansson.h>

#include "peerd/cli/cli.h"

/*
 * Follows the events of this answer ({"events": […], "last": n}) until all have ended, or are delivered and only their
 * postmark is late, says how each ended, and returns the worst exit status. peerd may be restarted meanwhile. Ctrl-C leaves the events to peerd, says so, and
 * ends the process as by that signal.
 */
int follow_events(struct cli *cli, const json_t *ordered);

/* The exit status of an ended event: delivered or granted 0, refused or denied 3, anything else 1 (4 for want of credits). */
int follow_exit(const json_t *event);

#endif
