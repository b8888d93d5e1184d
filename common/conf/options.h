/*
 * options.h - the command line of the daemons as a table, and what every daemon does with it before it runs: read its
 * settings, check or print them, say its version, help.
 */
#ifndef SP_CONF_OPTIONS_H
#define SP_CONF_OPTIONS_H

#include "common/conf/conf.h"

/* One option "--name", or "--name VALUE" and "--name=VALUE" where value names it in the help. Exactly one of flag and text is
 * given: flag becomes true, text points into argv. */
struct sp_option {
	const char *name;	/* without dashes */
	char letter;		/* short form, 0 = none */
	const char *value;	/* "FILE"; NULL for a flag */
	const char *help;	/* one sentence */
	bool *flag;
	const char **text;
};

/* Reads options until the first word that is none (or after "--"), whose index it gives. An option may stand once. Unknown ones
 * and missing or unwanted values: SP_E_ARGUMENT with the reason. */
SP_MUST_CHECK enum sp_status sp_options_read(const struct sp_option *options, size_t n, int argc, char **argv, int *ret_rest,
    struct sp_why *why);

/* The options as lines for --help. */
void sp_options_help(const struct sp_option *options, size_t n, struct sp_buf *out);

/* What a daemon says about itself. */
struct sp_program {
	const char *name;		/* "creditd" */
	const char *summary;		/* one sentence of the help */
	const struct sp_conf_key *keys;
	size_t nkeys;
	const struct sp_option *options;	/* its own, beside --config --check-config … */
	size_t noptions;
	/* Where its settings are if --config doesn't say: called after the options are read, appends a path. NULL:
	 * the system's folder of settings. A file found this way may be missing: then the defaults hold. */
	void (*default_path)(struct sp_buf *ret_path);
	/* What rows can't say, like "first <= last"; may be NULL. */
	enum sp_status (*check)(const void *settings, struct sp_why *why);
};

/*
 * Reads command line and settings. True: run, with settings to be freed by sp_conf_done(). False: the program is to end with
 * *ret_exit (0 after --help, --version, --print-config or a good --check-config, 2 for a wrong command line, 1 for wrong
 * settings); everything has been said on stdout or stderr. Words that are no options are refused.
 */
bool sp_program_begin(const struct sp_program *program, int argc, char **argv, void *settings, int *ret_exit);

#endif
