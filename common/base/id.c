/*
 * id.c - UUIDv7 with a counter in the 12 bits after the time, so that one process makes rising ids.
 */
#include "common/base/id.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/base/clock.h"
#include "common/base/text.h"

#define BACK_MS (12 * 3600 * 1000)	/* services refuse ids that are 24 h off */

static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_ms;
static unsigned last_count;

struct sp_id
sp_id_new(void)
{
	struct sp_id id;
	uint64_t ms = sp_clock_wall_ms();
	unsigned count;

	if (getrandom(id.b, sizeof(id.b), 0) != (ssize_t)sizeof(id.b))
		abort();
	pthread_mutex_lock(&last_lock);
	/* ids rise over a clock that falls; but not those of one that was far ahead and is right again, for who would take them? */
	if (ms > last_ms || last_ms - ms > BACK_MS) {
		last_ms = ms;
		last_count = (unsigned)(id.b[6] << 8 | id.b[7]) & 0x7ff;
	} else if (++last_count > 0xfff) {
		last_ms++;
		last_count = 0;
	}
	ms = last_ms;
	count = last_count;
	pthread_mutex_unlock(&last_lock);

	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(ms >> (8 * (5 - i)));
	id.b[6] = (uint8_t)(0x70 | (count >> 8));
	id.b[7] = (uint8_t)count;
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	return id;
}

uint64_t
sp_id_ms(const struct sp_id *id)
{
	uint64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->b[i];
	return ms;
}

bool
sp_id_eq(const struct sp_id *a, const struct sp_id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool
sp_id_is_zero(const struct sp_id *id)
{
	static const struct sp_id zero;

	return sp_id_eq(id, &zero);
}

const char *
sp_id_text(const struct sp_id *id, char out[SP_ID_TEXT])
{
	static const int groups[] = { 4, 2, 2, 2, 6 };
	size_t from = 0, to = 0;

	for (size_t g = 0; g < 5; g++) {
		if (g > 0)
			out[to++] = '-';
		sp_hex(id->b + from, (size_t)groups[g], out + to);
		from += (size_t)groups[g];
		to += 2 * (size_t)groups[g];
	}
	return out;
}

enum sp_status
sp_id_parse(const char *text, struct sp_id *ret_id)
{
	char hex[33];
	size_t n = 0;
	struct sp_id id;

	if (strlen(text) != SP_ID_TEXT - 1)
		return SP_E_FORMAT;
	for (size_t i = 0; text[i] != 0; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash != (text[i] == '-'))
			return SP_E_FORMAT;
		if (!dash)
			hex[n++] = text[i];
	}
	hex[n] = 0;
	if (sp_unhex(hex, n, id.b, sizeof(id.b)) != SP_OK)
		return SP_E_FORMAT;
	*ret_id = id;
	return SP_OK;
}
