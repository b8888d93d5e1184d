/*
 * main.c - the sealpost command: options for all verbs, and the table of verbs, from which its help follows.
 */
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "peerd/cli/cli.h"

const struct verb verbs[] = {
	{ "enrol", "TOKEN", "become a station, with the operator's invitation", "", verb_enrol },
	{ "send", "[--to NAME]… PATH…", "send files and folders",
	    "  --to NAME            recipient, as entered in the book; may stand several times\n"
	    "  -m, --message TEXT   message that travels with the files\n"
	    "  --title TEXT         title of the packet (a number by itself)\n"
	    "  --receipt CLASS      none or direct\n"
	    "  --address HOST:PORT  where the recipient is, for this time only\n"
	    "  --no-wait            leave it to peerd and return at once\n", verb_send },
	{ "log", "[--pending|--sent|--received|--failed] [-n N]", "list what was sent and received", "", verb_log },
	{ "show", "ID", "everything about one event", "", verb_show },
	{ "cancel", "ID", "give a pending event up", "", verb_cancel },
	{ "book", "add NAME [--address HOST[:PORT]] | rm NAME | list", "the destination book: who may send to you, and whom you can send to",
	    "", verb_book },
	{ "who", "NAME", "is somebody there?", "", verb_who },
	{ "status", "", "this station's own state", "", verb_status },
	{ "receipt", "show FILE|ID [--openssl]", "what a receipt says; how openssl checks it", "", verb_receipt },
	{ "verify", "FILE [PATH…]", "check a receipt, and files against it, offline", "", verb_verify },
};
const size_t verbs_count = sizeof(verbs) / sizeof(verbs[0]);

static const struct verb *
find(const char *name)
{
	for (size_t i = 0; i < verbs_count; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static void
help_verb(FILE *out, const struct verb *v)
{
	fprintf(out, "usage: sealpost %s %s\n  %s\n%s", v->name, v->synopsis, v->help, v->more);
}

static void
help(FILE *out)
{
	fputs("usage: sealpost [--home DIR] [--json] VERB …\n\n", out);
	for (size_t i = 0; i < verbs_count; i++)
		fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].help);
	fputs("\nsealpost VERB --help says more; so does man sealpost.\n"
	    "Exit status: 0 done, 1 failed, 2 usage, 3 refused, 4 no credits, 5 peerd is not running.\n", out);
}

int
cli_usage(const char *verb, const char *what, ...)
{
	const struct verb *v = find(verb);
	va_list ap;

	fputs("sealpost: ", stderr);
	va_start(ap, what);
	vfprintf(stderr, what, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (v != NULL)
		fprintf(stderr, "usage: sealpost %s %s\n", v->name, v->synopsis);
	return CLI_USAGE;
}

static const struct cli_option *
match(const struct cli_option *options, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, options[i].name) == 0 ||
		    (options[i].letter != 0 && word[1] == options[i].letter && word[2] == 0))
			return &options[i];
	return NULL;
}

int
cli_options(const char *verb, const struct cli_option *options, size_t n, int argc, char **argv, int *ret_rest)
{
	int rest = 0;
	bool only_words = false;

	for (int i = 0; i < argc; i++) {
		const struct cli_option *o;

		if (only_words || argv[i][0] != '-' || argv[i][1] == 0) {
			argv[rest++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		if ((o = match(options, n, argv[i])) == NULL)
			return cli_usage(verb, "%s is no option of %s", argv[i], verb);
		if (o->flag != NULL) {
			*o->flag = true;
			continue;
		}
		if (++i == argc)
			return cli_usage(verb, "%s needs a value", o->name);
		if (o->value != NULL)
			*o->value = argv[i];
		else if (*o->count == o->max)
			return cli_usage(verb, "%s stands more than %zu times", o->name, o->max);
		else
			o->list[(*o->count)++] = argv[i];
	}
	*ret_rest = rest;
	return CLI_DONE;
}

/* Where peerd's home is, unless --home says so. */
static const char *
default_home(void)
{
	static char home[4096];
	const char *data = getenv("XDG_DATA_HOME"), *user = getenv("HOME");

	if (data != NULL && data[0] == '/')
		snprintf(home, sizeof(home), "%s/sealpost", data);
	else
		snprintf(home, sizeof(home), "%s/.local/share/sealpost", user != NULL ? user : "");
	return home;
}

static void
look_at_terminal(struct cli *cli)
{
	struct winsize size;
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	cli->terminal = isatty(STDOUT_FILENO) && (term == NULL || strcmp(term, "dumb") != 0);
	cli->colour = cli->terminal && (no_colour == NULL || no_colour[0] == 0);
	if (cli->terminal)
		cli->width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : 80;
}

int
main(int argc, char **argv)
{
	struct cli cli = { .home = default_home() };
	const struct verb *v;
	int at = 1;

	setlocale(LC_CTYPE, "C.UTF-8");
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--json") == 0) {
			cli.json = true;
		} else if (strcmp(argv[at], "--home") == 0 && at + 1 < argc) {
			cli.home = argv[++at];
		} else if (strncmp(argv[at], "--home=", 7) == 0) {
			cli.home = argv[at] + 7;
		} else if (strcmp(argv[at], "--version") == 0) {
			puts("sealpost (Sealpost) " PACKAGE_VERSION);
			return CLI_DONE;
		} else if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
			help(stdout);
			return CLI_DONE;
		} else {
			fprintf(stderr, "sealpost: %s is no option\n", argv[at]);
			help(stderr);
			return CLI_USAGE;
		}
	}
	if (at == argc) {
		help(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[at], "help") == 0) {
		help(stdout);
		return CLI_DONE;
	}
	if ((v = find(argv[at])) == NULL) {
		fprintf(stderr, "sealpost: there is no verb \"%s\"; sealpost --help lists them\n", argv[at]);
		return CLI_USAGE;
	}
	for (int i = at + 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0) {
			help_verb(stdout, v);
			return CLI_DONE;
		}
	look_at_terminal(&cli);
	return v->run(&cli, argc - at - 1, argv + at + 1);
}
