/*
 * counts.c - what becomes of letters that are not followed, in words: for status, and once a minute for the log.
 */
#include "common/base/log.h"
#include "peerd/letters/post_in.h"

#define MINUTE_MS (60 * 1000)

#define KIND(name, level) { #name, offsetof(struct post_counts, name), level }
const struct post_kind post_kinds[] = {
	KIND(malformed, SP_LOG_INFO), KIND(foreign, SP_LOG_INFO), KIND(unopened, SP_LOG_INFO), KIND(unknown, SP_LOG_INFO),
	KIND(strangers, SP_LOG_INFO), KIND(expired, SP_LOG_INFO), KIND(silenced, SP_LOG_INFO), KIND(conflicts, SP_LOG_INFO),
	KIND(unmatched, SP_LOG_DEBUG), KIND(full, SP_LOG_WARN), KIND(ignored, SP_LOG_DEBUG), KIND(cookies, SP_LOG_WARN),
	KIND(limited, SP_LOG_WARN), KIND(busy, SP_LOG_WARN), KIND(kept_back, SP_LOG_DEBUG),
	{ NULL, 0, 0 },
};

uint64_t
post_kind_count(const struct post_counts *n, const struct post_kind *kind)
{
	uint64_t count;

	memcpy(&count, (const uint8_t *)n + kind->offset, sizeof(count));
	return count;
}

static void
on_minute(void *arg)
{
	struct post *p = arg;

	for (const struct post_kind *k = post_kinds; k->name != NULL; k++) {
		uint64_t more = post_kind_count(&p->counts, k) - post_kind_count(&p->told, k);

		if (more > 0)
			sp_log(k->level, "letters-dropped", "reason=%s count=%llu", k->name, (unsigned long long)more);
	}
	p->told = p->counts;
	sp_timer_set(p->minute, MINUTE_MS);
}

bool
counts_begin(struct post *p)
{
	p->minute = sp_timer_new(p->loop, on_minute, p);
	if (p->minute != NULL)
		sp_timer_set(p->minute, MINUTE_MS);
	return p->minute != NULL;
}
