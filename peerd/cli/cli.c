/*
 * cli.c - what all verbs share: the terminal, and errors that say what to do next.
 */
#include "peerd/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "peerd/cli/api.h"
#include "peerd/cli/print.h"
#include "peerd/cli/progress.h"

volatile sig_atomic_t cli_interrupted;

unsigned
cli_width(const struct cli *cli)
{
	struct winsize size;

	if (!cli->terminal)
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static int
exit_of(enum sp_status st)
{
	if (st == SP_E_CREDITS)
		return CLI_CREDITS;
	return st == SP_E_REFUSED || st == SP_E_NOTINBOOK ? CLI_REFUSED : CLI_FAILED;
}

int
cli_fail(struct cli *cli, enum sp_status st, const char *advice, const char *what, ...)
{
	SP_AUTO_DONE(sp_buf) safe = { 0 };
	SP_AUTO_DONE(sp_buf) next = { 0 };
	SP_AUTO_MEM char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, what);
	n = vasprintf(&text, what, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return CLI_FAILED;
	}
	print_safe(&safe, text);
	print_safe(&next, advice != NULL ? advice : "");
	progress_clear();
	fflush(stdout);
	fprintf(stderr, "sealpost: %s\n", sp_buf_cstr(&safe));
	if (next.len > 0)
		fprintf(stderr, "  %s\n", sp_buf_cstr(&next));
	if (cli->json)
		api_print_take(json_pack("{s:{s:s, s:i, s:s, s:s*}}", "error", "name", sp_status_name(st), "number",
		    (int)st,
		    "text", sp_buf_cstr(&safe), "advice", next.len > 0 ? sp_buf_cstr(&next) : NULL));
	return exit_of(st);
}
