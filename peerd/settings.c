/*
 * settings.c - peerd's settings as rows, and what the rows can't say.
 */
#include "peerd/settings.h"

#define SP_CONF_STRUCT struct peer_settings
const struct sp_conf_key peer_conf[] = {
#define CONF SP_CONF_ROW
#include "peerd/conf.def"
#undef CONF
};
const size_t peer_conf_count = sizeof(peer_conf) / sizeof(peer_conf[0]);

enum sp_status
peer_settings_check(const void *settings, struct sp_why *why)
{
	const struct peer_settings *s = settings;

	if (s->data_port_first > s->data_port_last)
		return sp_fail(SP_E_CONFIG, why, "data_port_first is %u, beyond data_port_last, %u", s->data_port_first,
		    s->data_port_last);
	return SP_OK;
}
