/*
 * fault.c - dies at a named point, in test builds only.
 */
#include "common/base/fault.h"

#ifdef SP_FAULTS
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POINT_MAX 128

/* What is wanted now, "NAME=kill[:N]"; false if nothing is. */
static bool
read_wanted(char out[POINT_MAX])
{
	const char *want = getenv("SEALPOST_FAULT");
	ssize_t n;
	int fd;

	if (want == NULL)
		return false;
	if (want[0] != '@')
		return snprintf(out, POINT_MAX, "%s", want) < POINT_MAX;
	if ((fd = open(want + 1, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	n = read(fd, out, POINT_MAX - 1);
	close(fd);
	out[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* Passes are counted for as long as the same point is wanted. */
static int
count_pass(const char *wanted)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char last[POINT_MAX];
	static int passes;
	int n;

	pthread_mutex_lock(&lock);
	if (strcmp(last, wanted) != 0)
		passes = 0;
	strcpy(last, wanted);
	n = ++passes;
	pthread_mutex_unlock(&lock);
	return n;
}

void
sp_fault(const char *name)
{
	char wanted[POINT_MAX], pattern[POINT_MAX], *end;

	if (!read_wanted(wanted) || (end = strstr(wanted, "=kill")) == NULL)
		return;
	memcpy(pattern, wanted, sizeof(pattern));
	pattern[end - wanted] = 0;
	if (fnmatch(pattern, name, 0) == 0 && count_pass(wanted) == (end[5] == ':' ? atoi(end + 6) : 1))
		kill(getpid(), SIGKILL);
}

static void
note_met(void)
{
	const char *want = getenv("SEALPOST_FAULT");
	char path[PATH_MAX];

	if (want[0] == '@' && snprintf(path, sizeof(path), "%s.met", want + 1) < PATH_MAX)
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

int
sp_fault_errno(const char *name)
{
	char wanted[POINT_MAX], *end;

	if (!read_wanted(wanted) || (end = strstr(wanted, "=errno:")) == NULL)
		return 0;
	*end = 0;
	if (fnmatch(wanted, name, 0) != 0)
		return 0;
	note_met();
	return atoi(end + 7);
}

int
sp_fault_errno_at(const char *stage, const char *step)
{
	char name[POINT_MAX];

	snprintf(name, sizeof(name), "%s/%s", stage, step);
	return sp_fault_errno(name);
}

void
sp_fault_step(const char *when, const char *step_fmt, ...)
{
	char name[POINT_MAX];
	size_t n;
	va_list ap;

	if (getenv("SEALPOST_FAULT") == NULL)
		return;
	va_start(ap, step_fmt);
	vsnprintf(name, sizeof(name), step_fmt, ap);
	va_end(ap);
	n = strlen(name);
	snprintf(name + n, sizeof(name) - n, "-%s", when);
	sp_fault(name);
}
#else
typedef int sp_fault_not_compiled_in;
#endif
