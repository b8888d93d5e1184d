/*
 * settings.h - what conf.def declares, as a struct.
 */
#ifndef PEERD_SETTINGS_H
#define PEERD_SETTINGS_H

#include "common/base/limits.h"
#include "common/conf/conf.h"

struct peer_settings {
#define CONF SP_CONF_MEMBER
#include "peerd/conf.def"
#undef CONF
};

extern const struct sp_conf_key peer_conf[];
extern const size_t peer_conf_count;

/* What rows can't say. */
SP_MUST_CHECK enum sp_status peer_settings_check(const void *settings, struct sp_why *why);

#endif
