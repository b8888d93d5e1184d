/*
 * main.c - the sealpost command: options for all verbs, and the table of verbs, from which its help follows.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peerd/cli/cli.h"
#include "peerd/cli/progress.h"

const struct verb verbs[] = {
	{ "enrol", "TOKEN", "become a station, with the operator's invitation",
	    "TOKEN is the whole sealpost:… text, in quotes; - reads it from standard input,\n"
	    "so that it does not stand in the list of processes. It works once; the same\n"
	    "token again on the same station does no harm.\n", verb_enrol },
	{ "send", "--to NAME [OPTION…] PATH…", "send files and folders",
	    "  --to NAME            recipient from the book; may stand several times\n"
	    "  -m, --message TEXT   message that travels with the files\n"
	    "  --title TEXT         title of the packet (a number by itself)\n"
	    "  --receipt CLASS      postmarked (by certd; the default where there is one),\n"
	    "                       direct or none\n"
	    "  --address HOST:PORT  where the recipient is, for this time only\n"
	    "  --wait-for-peer      a recipient that does not answer is waited for\n"
	    "  --no-wait            leave it to peerd and return at once\n\n"
	    "Waits until each recipient has everything and has signed for it, and the\n"
	    "receipt is postmarked; not for a certd that is away. Ctrl-C ends the waiting,\n"
	    "not the sending.\n", verb_send },
	{ "log", "[--pending|--sent|--received|--failed] [-n N]", "list what was sent and received",
	    "  --pending       what is not finished, also what is still to be handed in to\n"
	    "                  certd (postmark) and creditd (lodge) for what was received\n"
	    "  --sent          what was sent, and what is being sent\n"
	    "  --received      what was received\n"
	    "  --failed        what did not succeed\n"
	    "  -n, --number N  so many of them (50; at most 1000), newest first\n", verb_log },
	{ "show", "ID", "everything about one event",
	    "ID is what sealpost log shows, or any unique beginning of at least 4 characters.\n", verb_show },
	{ "cancel", "ID", "give a pending event up", "The other station is told.\n", verb_cancel },
	{ "retry", "ID [--no-wait]", "try a sending again that failed or was cancelled",
	    "It keeps its ID, goes on where it broke if the recipient still has the first\n"
	    "part, and is paid once. What the recipient has refused is to be sent anew.\n", verb_retry },
	{ "accept", "ID", "take what somebody offers and waits for you",
	    "Where the setting accept is ask, each offer waits until you say so.\n", verb_accept },
	{ "refuse", "ID", "refuse what somebody offers and waits for you", "The sender gets your signed refusal.\n",
	    verb_refuse },
	{ "book", "add NAME [--address HOST[:PORT]]\nrm NAME\nlist",
	    "the destination book: who may send to you, and whom you can send to",
	    "  -a, --address HOST[:PORT]  where NAME's station is; needed until it has\n"
	    "                             written first\n\n"
	    "NAME is a person, like bob@post.example, with all stations of hers, or a single\n"
	    "station, like bob/laptop@post.example.\n", verb_book },
	{ "credits", "\nadd [N] [--account NUMBER]", "what is left to pay deliveries with; getting more",
	    "  --account NUMBER  the account to draw on; needed once, then kept\n\n"
	    "N is a number of credits, like 25 (the default), 50, 75 or 100. Waits for the\n"
	    "answer: ends with 3 if it is a denial.\n", verb_credits },
	{ "who", "NAME", "is somebody there?", "Ends with 0 if at least one station answers.\n", verb_who },
	{ "status", "", "this station's own state", "", verb_status },
	{ "receipt", "show FILE|ID [--openssl]", "what a receipt says; how openssl checks it",
	    "  --openssl  print the commands by which stock openssl checks the receipt, to be\n"
	    "             run in an empty folder; no other program of ours is needed for it\n", verb_receipt },
	{ "verify", "FILE [PATH…]", "check a receipt, and files against it, offline",
	    "PATH is what was sent, or a copy of it, or the folder in which it was received;\n"
	    "all that the receipt lists there is compared by content. Names that are there\n"
	    "without being listed are shown, but do no harm.\n", verb_verify },
};
const size_t verbs_count = sizeof(verbs) / sizeof(verbs[0]);

static void
help(FILE *out)
{
	fputs("usage: sealpost [--home DIR] [--json] VERB …\n\n", out);
	for (size_t i = 0; i < verbs_count; i++)
		fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].help);
	fputs("\n  --home DIR  the station's folder (default $XDG_DATA_HOME/sealpost or ~/.local/share/sealpost)\n"
	    "  --json      print JSON, one object a line\n"
	    "  --version   print the version\n\n"
	    "sealpost help VERB says more; so does man sealpost.\n"
	    "Exit status: 0 done, 1 failed, 2 usage, 3 refused, 4 no credits, 5 peerd is not running.\n", out);
}

static int
verb_help(struct cli *cli, int argc, char **argv)
{
	const struct verb *v = argc == 1 ? cli_find(argv[0]) : NULL;

	(void)cli;
	if (argc == 0) {
		help(stdout);
		return CLI_DONE;
	}
	if (v == NULL) {
		fprintf(stderr, "sealpost: there is no verb \"%s\"; sealpost --help lists them\n", argv[0]);
		return CLI_USAGE;
	}
	cli_help_verb(v);
	return CLI_DONE;
}

/* Where peerd's home is, unless --home says so; NULL if nothing tells. */
static const char *
default_home(void)
{
	static char home[4096];
	const char *data = getenv("XDG_DATA_HOME"), *user = getenv("HOME");

	if (data != NULL && data[0] == '/')
		snprintf(home, sizeof(home), "%s/sealpost", data);
	else if (user != NULL && user[0] != 0)
		snprintf(home, sizeof(home), "%s/.local/share/sealpost", user);
	else
		return NULL;
	return home;
}

static void
look_at_terminal(struct cli *cli)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	cli->terminal = isatty(STDOUT_FILENO) && (term == NULL || strcmp(term, "dumb") != 0);
	cli->colour = cli->terminal && (no_colour == NULL || no_colour[0] == 0);
}

/* The options before the verb; *ret_at is where it stands. */
static int
leading_options(struct cli *cli, int argc, char **argv, int *ret_at)
{
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--json") == 0) {
			cli->json = true;
		} else if (strcmp(argv[at], "--home") == 0 && at + 1 < argc && argv[at + 1][0] != 0) {
			cli->home = argv[++at];
			cli->home_given = true;
		} else if (strncmp(argv[at], "--home=", 7) == 0 && argv[at][7] != 0) {
			cli->home = argv[at] + 7;
			cli->home_given = true;
		} else if (strcmp(argv[at], "--version") == 0) {
			puts("sealpost (Sealpost) " PACKAGE_VERSION);
			return CLI_HELPED;
		} else if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
			help(stdout);
			return CLI_HELPED;
		} else {
			fprintf(stderr, strncmp(argv[at], "--home", 6) == 0 ? "sealpost: %s needs a folder\n" :
			    "sealpost: %s is no option; sealpost --help lists them\n", argv[at]);
			return CLI_USAGE;
		}
	}
	if (at == argc) {
		help(stderr);
		return CLI_USAGE;
	}
	*ret_at = at;
	return CLI_DONE;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	int at, status = leading_options(cli, argc, argv, &at);
	const struct verb *v;

	if (status != CLI_DONE)
		return status;
	if (strcmp(argv[at], "help") == 0)
		return verb_help(cli, argc - at - 1, argv + at + 1);
	if ((v = cli_find(argv[at])) == NULL) {
		fprintf(stderr, "sealpost: there is no verb \"%s\"; sealpost --help lists them\n", argv[at]);
		return CLI_USAGE;
	}
	return v->run(cli, argc - at - 1, argv + at + 1);
}

int
main(int argc, char **argv)
{
	struct cli cli = { .home = default_home() };
	int status;

	setlocale(LC_CTYPE, "C.UTF-8");
	look_at_terminal(&cli);
	status = run(&cli, argc, argv);
	if (status == CLI_HELPED)
		status = CLI_DONE;
	progress_clear();
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == CLI_DONE) {
		fprintf(stderr, "sealpost: cannot write the output: %s\n", strerror(errno));
		status = CLI_FAILED;
	}
	return status;
}
