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
	const uint64_t rates[] = { s->send_rate, s->receive_rate, s->send_rate_peer, s->receive_rate_peer };

	if (s->data_port_first > s->data_port_last)
		return sp_fail(SP_E_CONFIG, why, "data_port_first is %u, beyond data_port_last, %u", s->data_port_first,
		    s->data_port_last);
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		if (rates[i] > 0 && rates[i] < SP_PACE_MIN)
			return sp_fail(SP_E_CONFIG, why, "a rate of %llu bytes a second: at least %d are possible, or 0 for any",
			    (unsigned long long)rates[i], SP_PACE_MIN);
	return SP_OK;
}
