/*
 * settings.c - the rows of conf.def and the checks between them.
 */
#include "certd/settings.h"

#include "common/net/addr.h"

#define SP_CONF_STRUCT struct settings
const struct sp_conf_key settings_keys[SETTINGS_KEYS] = {
#define CONF SP_CONF_ROW
#include "certd/conf.def"
#undef CONF
};

enum sp_status
settings_check(const void *settings, struct sp_why *why)
{
	const struct settings *s = settings;
	struct sp_addr addr;

	for (size_t i = 0; i < s->listen.count; i++)
		if (sp_addr_parse(sp_span_str(s->listen.items[i]), SP_PORT_CERTD, &addr) != SP_OK)
			return sp_fail(SP_E_CONFIG, why, "listen \"%s\" is not a numeric ADDRESS:PORT",
			    s->listen.items[i]);
	return SP_OK;
}
