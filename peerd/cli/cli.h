/*
 * cli.h - the sealpost command: its verbs as a table, and what they share. It drives peerd over HOME/control and knows
 * nothing else of it; receipts are checked here, offline.
 */
#ifndef PEERD_CLI_CLI_H
#define PEERD_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_REFUSED = 3,
	CLI_CREDITS = 4,
	CLI_NO_PEERD = 5,
};

struct cli {
	const char *home;
	bool json;		/* one JSON object a line */
	bool terminal;		/* stdout is one: bars, colours, tables that fit */
	bool colour;
	unsigned width;		/* of the terminal; 0 = don't cut */
};

struct verb {
	const char *name;
	const char *synopsis;	/* behind the name */
	const char *help;	/* one line for the list */
	const char *more;	/* further lines of --help; "" = none */
	int (*run)(struct cli *cli, int argc, char **argv);	/* argv without the verb; an enum cli_exit */
};

extern const struct verb verbs[];
extern const size_t verbs_count;

/* Says what is wrong with the command line, and how it should be; returns CLI_USAGE. */
int cli_usage(const char *verb, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* The verbs, by file. */
int verb_enrol(struct cli *cli, int argc, char **argv);		/* station.c */
int verb_status(struct cli *cli, int argc, char **argv);
int verb_who(struct cli *cli, int argc, char **argv);
int verb_send(struct cli *cli, int argc, char **argv);		/* send.c */
int verb_log(struct cli *cli, int argc, char **argv);		/* log.c */
int verb_show(struct cli *cli, int argc, char **argv);
int verb_cancel(struct cli *cli, int argc, char **argv);
int verb_book(struct cli *cli, int argc, char **argv);		/* book.c */
int verb_receipt(struct cli *cli, int argc, char **argv);	/* receipt.c */
int verb_verify(struct cli *cli, int argc, char **argv);	/* verify.c */

/* ---- options of a verb ---- */
struct cli_option {
	const char *name;	/* "--to" */
	char letter;		/* 'm' for -m, 0 = none */
	bool *flag;		/* becomes true, or … */
	const char **value;	/* … takes the next word, or … */
	const char **list;	/* … collects up to max of them */
	size_t *count, max;
};

/* Sorts argv into options and *ret_rest words at its front (reordered). CLI_DONE or CLI_USAGE (said). */
int cli_options(const char *verb, const struct cli_option *options, size_t n, int argc, char **argv, int *ret_rest);

#endif
