/*
 * base_status_test.c - statuses, their texts and reasons; and the clock, the log and the fault points, which are as small.
 */
#include "common/base/status.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "tests/unit/unit.h"

START_TEST(statuses_have_number_name_and_sentence_of_their_own)
{
	static const unsigned numbers[] = {
#define SP_STATUS(number, NAME, CLASS, text) number,
#include "common/base/status.def"
#undef SP_STATUS
	};
	size_t n = sizeof(numbers) / sizeof(numbers[0]);

	for (size_t i = 0; i < n; i++) {
		enum sp_status st = sp_status_from_number(numbers[i]);

		ck_assert_uint_eq(st, numbers[i]);
		ck_assert_uint_lt(numbers[i], 1000);
		ck_assert_str_ne(sp_status_text(st), "unknown status");
		for (size_t k = 0; k < i; k++) {
			ck_assert_uint_ne(numbers[i], numbers[k]);
			ck_assert_str_ne(sp_status_name(st), sp_status_name((enum sp_status)numbers[k]));
			ck_assert_str_ne(sp_status_text(st), sp_status_text((enum sp_status)numbers[k]));
		}
	}
	ck_assert_str_eq(sp_status_name(SP_E_NOMEM), "NOMEM");
	ck_assert_str_eq(sp_status_name(SP_OK), "OK");
	ck_assert_int_eq(sp_status_class(SP_E_BUSY), SP_CLASS_RETRY);
	ck_assert_int_eq(sp_status_class(SP_OK), SP_CLASS_OK);
	ck_assert_int_eq(sp_status_class((enum sp_status)9999), SP_CLASS_PEER);
	ck_assert_str_eq(sp_status_text((enum sp_status)9999), "unknown status");
	ck_status(sp_status_from_number(9999), SP_E_UNKNOWN);
}
END_TEST

START_TEST(reasons_are_written_cut_and_nested)
{
	struct sp_why why;
	char longer[400];

	ck_status(sp_fail(SP_E_FORMAT, &why, "line %d", 5), SP_E_FORMAT);
	ck_assert_str_eq(why.text, "line 5");
	ck_status(sp_fail(SP_E_CONFIG, &why, "cannot load: %s", why.text), SP_E_CONFIG);
	ck_assert_str_eq(why.text, "cannot load: line 5");
	errno = EACCES;
	ck_status(sp_fail_errno(SP_E_IO, &why, "again: %s", why.text), SP_E_IO);
	ck_assert_str_eq(why.text, "again: cannot load: line 5: Permission denied");
	errno = ENOSPC;
	ck_status(sp_fail_errno(SP_E_IO, NULL, "x"), SP_E_SPACE);
	errno = ENOMEM;
	ck_status(sp_fail_errno(SP_E_IO, NULL, "x"), SP_E_NOMEM);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	errno = EIO;
	ck_status(sp_fail_errno(SP_E_IO, &why, "%s", longer), SP_E_IO);
	ck_assert_uint_eq(strlen(why.text), sizeof(why.text) - 1);
	ck_status(sp_fail(SP_E_IO, NULL, "%s", longer), SP_E_IO);
}
END_TEST

START_TEST(times_as_text)
{
	char out[SP_TIME_TEXT];
	uint64_t before = sp_clock_boot_ms();

	ck_assert_str_eq(sp_clock_text(0, out), "1970-01-01T00:00:00Z");
	ck_assert_str_eq(sp_clock_text(1795496921999, out), "2026-11-24T05:08:41Z");
	ck_assert_str_eq(sp_clock_text(253402300799999, out), "9999-12-31T23:59:59Z");
	ck_assert_str_eq(sp_clock_text(UINT64_MAX, out), "9999-12-31T23:59:59Z");
	ck_assert_uint_ge(sp_clock_boot_ms(), before);
}
END_TEST

/* What this writes to stderr. */
static const char *
logged(void (*write_log)(void))
{
	static char text[4096];
	int pipes[2], saved = dup(2);
	ssize_t n;

	ck_assert_int_eq(pipe(pipes), 0);
	dup2(pipes[1], 2);
	write_log();
	dup2(saved, 2);
	close(saved), close(pipes[1]);
	n = read(pipes[0], text, sizeof(text) - 1);
	close(pipes[0]);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static void
log_one(void)
{
	sp_log(SP_LOG_WARN, "frank-refused", "serial=%d text=a\nb\x7f" "c", 5);
}

static void
log_debug(void)
{
	sp_log(SP_LOG_DEBUG, "detail", "x=1");
}

static void
log_long(void)
{
	sp_log(SP_LOG_ERR, "long", "%2000d", 1);
}

static void
log_failures(void)
{
	sp_log_fail(SP_LOG_ERR, "failed", SP_E_CONFIG, &(struct sp_why){ "a.conf:1: links is \"x\"" });
	sp_log_fail(SP_LOG_ERR, "failed", SP_E_NOMEM, NULL);
}

START_TEST(log_lines_have_one_form)
{
	const char *text;

	unsetenv("SEALPOST_LOG");
	sp_log_open("testd");
	text = logged(log_one);
	ck_assert_int_eq(strncmp(text, "<4>2", 4), 0);
	ck_assert_str_eq(strchr(text, ' '), " testd frank-refused serial=5 text=a b c\n");
	ck_assert_str_eq(logged(log_debug), "");
	text = logged(log_long);
	ck_assert_uint_le(strlen(text), 1024);
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	text = logged(log_failures);
	ck_assert_ptr_nonnull(strstr(text, " testd failed status=CONFIG reason=\"a.conf:1: links is 'x'\"\n"));
	ck_assert_ptr_nonnull(strstr(text, " testd failed status=NOMEM reason=\"out of memory\"\n"));
	setenv("SEALPOST_LOG", "debug", 1);
	sp_log_open("testd");
	ck_assert_ptr_nonnull(strstr(logged(log_debug), "<7>"));
}
END_TEST

/* How a child ends that passes the point "here" three times. */
static int
pass_points(const char *want)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("SEALPOST_FAULT", want, 1);
		for (int i = 1; i <= 3; i++) {
			SP_FAULT("before");
			SP_FAULT("here");
			if (i == 2)
				SP_FAULT("second");
		}
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

START_TEST(fault_points_kill_where_they_are_told)
{
#ifdef SP_FAULTS
	int killed = SIGKILL;
#else
	int killed = 0;
#endif

	ck_assert_int_eq(pass_points("here=kill"), killed);
	ck_assert_int_eq(pass_points("here=kill:3"), killed);
	ck_assert_int_eq(pass_points("here=kill:4"), 0);
	ck_assert_int_eq(pass_points("her=kill"), 0);
	ck_assert_int_eq(pass_points("heres=kill"), 0);
	ck_assert_int_eq(pass_points("here"), 0);
	ck_assert_int_eq(pass_points(""), 0);
}
END_TEST

UNIT_MAIN("base/status", statuses_have_number_name_and_sentence_of_their_own, reasons_are_written_cut_and_nested,
    times_as_text, log_lines_have_one_form, fault_points_kill_where_they_are_told)
