/*
 * clock.c - boot clock, wall clock and what is known to be past, text form.
 */
#include "common/base/clock.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/limits.h"

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
	const char *text = getenv("SEALPOST_CLOCK");
	char held[32] = "";
	ssize_t n = 0;
	int fd;

	if (text == NULL || text[0] != '@')
		return text != NULL ? strtoll(text, NULL, 10) : 0;
	fd = open(text + 1, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, held, sizeof(held) - 1);
		close(fd);
	}
	return n > 0 ? strtoll(held, NULL, 10) : 0;
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
	return (uint64_t)((int64_t)now_ms(CLOCK_REALTIME) + test_offset_ms());
}

/* Wall time minus boot clock, when it was asked for first: at the start. */
static _Atomic uint64_t start_ms;

uint64_t
sp_clock_sure_ms(void)
{
	uint64_t now = sp_clock_wall_ms(), boot = sp_clock_boot_ms(), none = 0, steady;

	if (atomic_compare_exchange_strong(&start_ms, &none, now - boot))
		return now;
	steady = start_ms + boot;
	return now < steady ? now : steady;
}

/* ---- the mark ---- */
static _Atomic uint64_t mark;

void
sp_clock_signed(uint64_t signed_ms)
{
	uint64_t now = sp_clock_wall_ms(), both = signed_ms < now ? signed_ms : now;

	if (both > mark)
		mark = both;
}

void
sp_clock_told(uint64_t told_ms)
{
	uint64_t now = sp_clock_wall_ms(), both = told_ms < now ? told_ms : now, apart = (told_ms < now ? now : told_ms) - both;

	if (apart <= SP_CLOCK_AGREE_MS && mark > both + SP_CLOCK_MISTAKE_MS)
		mark = both;
	sp_clock_signed(told_ms);
}

void
sp_clock_remember(uint64_t mark_ms)
{
	mark = mark_ms;
}

uint64_t
sp_clock_mark_ms(void)
{
	return mark;
}

bool
sp_clock_is_behind(void)
{
	return mark > sp_clock_wall_ms() + SP_LETTER_WINDOW_MS;
}

uint64_t
sp_clock_end_ms(void)
{
	uint64_t now = sp_clock_wall_ms(), held = mark;

	return now > held ? now : held;
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
