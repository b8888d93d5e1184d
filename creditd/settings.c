/*
 * settings.c - the rows of conf.def, and the price steps in them.
 */
#include "creditd/settings.h"

#include "common/base/text.h"

#define SP_CONF_STRUCT struct settings
const struct sp_conf_key settings_keys[SETTINGS_KEYS] = {
#define CONF SP_CONF_ROW
#include "creditd/conf.def"
#undef CONF
};

static enum sp_status
add_step(struct sp_tariff *t, struct sp_span step, struct sp_why *why)
{
	const uint8_t *colon = step.n > 0 ? memchr(step.p, ':', step.n) : NULL;
	uint64_t price;

	if (t->count == SP_TARIFF_STEPS)
		return sp_fail(SP_E_CONFIG, why, "tariff: at most %d steps", SP_TARIFF_STEPS);
	if (colon == NULL ||
	    sp_parse_u64(sp_span(step.p, (size_t)(colon - step.p)), INT64_MAX, &t->steps[t->count].from_bytes) != SP_OK ||
	    sp_parse_u64(sp_span(colon + 1, step.n - (size_t)(colon + 1 - step.p)), SP_SHEET_SERIALS, &price) != SP_OK)
		return sp_fail(SP_E_CONFIG, why, "tariff: \"%.*s\" is not FROM_BYTES:CREDITS", (int)step.n,
		    (const char *)step.p);
	t->steps[t->count++].price = (uint32_t)price;
	return SP_OK;
}

static enum sp_status
check_steps(const struct sp_tariff *t, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) packed = { 0 };

	if (sp_tariff_pack(t, &packed) != SP_OK)
		return sp_fail(SP_E_CONFIG, why, "tariff: the steps must ascend, the first from 0");
	return SP_OK;
}

enum sp_status
settings_tariff(const struct settings *s, struct sp_tariff *ret_tariff, struct sp_why *why)
{
	struct sp_tariff t = { .count = 0 };
	enum sp_status st = SP_OK;

	for (size_t i = 0; st == SP_OK && i < s->tariff.count; i++)
		st = add_step(&t, sp_span_str(s->tariff.items[i]), why);
	if (st == SP_OK)
		st = check_steps(&t, why);
	if (st == SP_OK)
		*ret_tariff = t;
	return st;
}

enum sp_status
settings_steps(const char *text, struct sp_tariff *ret_tariff, struct sp_why *why)
{
	struct sp_tariff t = { .count = 0 };
	enum sp_status st = SP_OK;

	for (const char *comma; st == SP_OK; text = comma + 1) {
		comma = strchr(text, ',');
		st = add_step(&t, comma != NULL ? sp_span(text, (size_t)(comma - text)) : sp_span_str(text), why);
		if (comma == NULL)
			break;
	}
	if (st == SP_OK)
		st = check_steps(&t, why);
	if (st == SP_OK)
		*ret_tariff = t;
	return st;
}

enum sp_status
settings_check(const void *settings, struct sp_why *why)
{
	struct sp_tariff t;

	return settings_tariff(settings, &t, why);
}
