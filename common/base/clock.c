/*
 * clock.c - boot clock, wall clock and its text form.
 */
#include "common/base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t
now_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
sp_clock_boot_ms(void)
{
	return now_ms(CLOCK_BOOTTIME);
}

#ifdef SP_FAULTS
static int64_t
test_offset_ms(void)
{
	const char *name = getenv("SEALPOST_CLOCK_FILE");
	char text[32] = "";
	ssize_t n = 0;
	int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return n > 0 ? strtoll(text, NULL, 10) : 0;
}
#else
static int64_t
test_offset_ms(void)
{
	return 0;
}
#endif

uint64_t
sp_clock_wall_ms(void)
{
	const char *offset = getenv("SEALPOST_CLOCK_OFFSET_MS");
	int64_t ms = (int64_t)now_ms(CLOCK_REALTIME);

	if (offset != NULL)
		ms += strtoll(offset, NULL, 10);
	return (uint64_t)(ms + test_offset_ms());
}

const char *
sp_clock_text(uint64_t wall_ms, char out[SP_TIME_TEXT])
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (wall_ms / 1000 > 253402300799u || gmtime_r(&t, &tm) == NULL)
		snprintf(out, SP_TIME_TEXT, "9999-12-31T23:59:59Z");
	else
		strftime(out, SP_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

uint64_t
sp_backoff_ms(uint32_t tries, uint64_t first_ms, uint64_t most_ms)
{
	uint64_t ms = first_ms;

	for (uint32_t i = 0; i < tries && ms < most_ms; i++)
		ms *= 2;
	return ms < most_ms ? ms : most_ms;
}

bool
sp_minute_allows(struct sp_minute *m, uint32_t most)
{
	uint64_t now = sp_clock_boot_ms();

	if (m->from_ms == 0 || now - m->from_ms > 60 * 1000)
		*m = (struct sp_minute){ .from_ms = now };
	return m->count++ < most;
}
