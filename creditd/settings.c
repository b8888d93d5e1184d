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

enum sp_status
settings_tariff(const struct settings *s, struct sp_tariff *ret_tariff, struct sp_why *why)
{
	struct sp_tariff t = { .count = 0 };
	SP_AUTO_DONE(sp_buf) packed = { 0 };

	for (size_t i = 0; i < s->tariff.count && i < SP_TARIFF_STEPS; i++) {
		const char *step = s->tariff.items[i], *colon = strchr(step, ':');
		uint64_t price;

		if (colon == NULL ||
		    sp_parse_u64(sp_span(step, (size_t)(colon - step)), INT64_MAX, &t.steps[i].from_bytes) != SP_OK ||
		    sp_parse_u64(sp_span_str(colon + 1), SP_SHEET_SERIALS, &price) != SP_OK)
			return sp_fail(SP_E_CONFIG, why, "tariff: \"%s\" is not FROM_BYTES:CREDITS", step);
		t.steps[i].price = (uint32_t)price;
		t.count++;
	}
	if (sp_tariff_pack(&t, &packed) != SP_OK)
		return sp_fail(SP_E_CONFIG, why, "tariff: the steps must ascend, the first from 0");
	*ret_tariff = t;
	return SP_OK;
}

enum sp_status
settings_check(const void *settings, struct sp_why *why)
{
	struct sp_tariff t;

	return settings_tariff(settings, &t, why);
}
