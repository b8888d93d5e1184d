/*
 * cli.h - the sealpost command: its verbs as a table, its options, and what all verbs share. It drives peerd over
 * HOME/control and knows nothing else of it; receipts are checked here, offline.
 */
#ifndef PEERD_CLI_CLI_H
#define PEERD_CLI_CLI_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/status.h"

/* Also negative: nothing went wrong, and there is nothing left to do (--help). */
enum cli_exit {
	CLI_HELPED = -1,
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_REFUSED = 3,
	CLI_CREDITS = 4,
	CLI_NO_PEERD = 5,
};

struct cli {
	const char *home;
	bool home_given;	/* by --home: then hints name it, too */
	bool json;		/* one JSON object a line */
	bool terminal;		/* stdout is one: bars, colours, tables that fit */
	bool colour;
};

struct verb {
	const char *name;
	const char *synopsis;	/* behind the name, a line for each form */
	const char *help;	/* one line for the list */
	const char *more;	/* further lines of --help; "" = none */
	int (*run)(struct cli *cli, int argc, char **argv);	/* argv without the verb; an enum cli_exit */
};

extern const struct verb verbs[];
extern const size_t verbs_count;

/* Ctrl-C was pressed while somebody looks (follow.c). */
extern volatile sig_atomic_t cli_interrupted;

/* Columns of the terminal now; 0 = stdout is none. */
unsigned cli_width(const struct cli *cli);

/* Says on stderr what failed and, if advice is not NULL, what to do next; with --json also as {"error": …} on stdout.
 * Returns the exit status that goes with st. */
int cli_fail(struct cli *cli, enum sp_status st, const char *advice, const char *what, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- options.c: the words behind a verb ---- */
struct cli_option {
	const char *name;	/* "--to" */
	char letter;		/* 'm' for -m, 0 = none */
	bool *flag;		/* becomes true, or … */
	const char **value;	/* … takes the next word, or … */
	const char **list;	/* … collects up to max of them */
	size_t *count, max;
};

/*
 * Sorts argv into options and *ret_rest words at its front (reordered). --name VALUE, --name=VALUE, -m VALUE,
 * -mVALUE; "--" ends the options. --home, --json and --help are known everywhere. CLI_DONE, CLI_USAGE (said) or
 * CLI_HELPED.
 */
int cli_options(struct cli *cli, const char *verb, const struct cli_option *options, size_t n, int argc, char **argv,
    int *ret_rest);

/* Says what is wrong with the command line, and how it should be; returns CLI_USAGE. */
int cli_usage(const char *verb, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* Prints what there is to know about a verb; NULL if there is none of this name. */
const struct verb *cli_find(const char *name);
void cli_help_verb(const struct verb *v);

/* ---- the verbs, by file ---- */
int verb_enrol(struct cli *cli, int argc, char **argv);		/* station.c */
int verb_status(struct cli *cli, int argc, char **argv);
int verb_who(struct cli *cli, int argc, char **argv);
int verb_send(struct cli *cli, int argc, char **argv);		/* send.c */
int verb_retry(struct cli *cli, int argc, char **argv);
int verb_log(struct cli *cli, int argc, char **argv);		/* log.c */
int verb_show(struct cli *cli, int argc, char **argv);		/* show.c */
int verb_cancel(struct cli *cli, int argc, char **argv);
int verb_accept(struct cli *cli, int argc, char **argv);
int verb_refuse(struct cli *cli, int argc, char **argv);
int verb_book(struct cli *cli, int argc, char **argv);		/* book.c */
int verb_credits(struct cli *cli, int argc, char **argv);	/* credits.c */
int verb_receipt(struct cli *cli, int argc, char **argv);	/* receipt.c */
int verb_verify(struct cli *cli, int argc, char **argv);	/* verify.c */

#endif
