/*
 * log.c - one line, one write, so that threads never mix their lines.
 */
#include "common/base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/limits.h"

static const char *program_name = "sealpost";
static enum sp_level highest = SP_LOG_INFO;

void
sp_log_open(const char *program)
{
	const char *level = getenv("SEALPOST_LOG");

	program_name = program;
	highest = level != NULL && strcmp(level, "debug") == 0 ? SP_LOG_DEBUG : SP_LOG_INFO;
}

void
sp_log(enum sp_level level, const char *event, const char *fmt, ...)
{
	char line[1024], when[SP_TIME_TEXT];
	va_list ap;
	size_t n;
	int more;

	if (level > highest)
		return;
	n = (size_t)snprintf(line, sizeof(line), "<%d>%s %s %s ", level, sp_clock_text(sp_clock_wall_ms(), when),
	    program_name, event);
	va_start(ap, fmt);
	more = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (more > 0)
		n += (size_t)more;
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

void
sp_log_fail(enum sp_level level, const char *event, enum sp_status st, const struct sp_why *why)
{
	bool known = why != NULL && why->text[0] != 0;
	char reason[sizeof(why->text)];

	snprintf(reason, sizeof(reason), "%s", known ? why->text : sp_status_text(st));
	/* a quote within would end the value for whoever reads the log by program */
	for (char *p = reason; (p = strchr(p, '"')) != NULL;)
		*p = '\'';
	sp_log(level, event, "status=%s reason=\"%s\"", sp_status_name(st), reason);
}

bool
sp_log_pass(struct sp_log_gate *gate, unsigned *ret_held)
{
	uint64_t now = sp_clock_boot_ms();

	if (gate->from_ms == 0 || now - gate->from_ms >= 60 * 1000) {
		gate->from_ms = now;
		gate->passed = 0;
	}
	if (gate->passed == SP_LOG_BURST) {
		gate->held++;
		return false;
	}
	gate->passed++;
	*ret_held = gate->held;
	gate->held = 0;
	return true;
}
