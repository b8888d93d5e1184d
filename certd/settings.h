/*
 * settings.h - certd's settings as conf.def declares them.
 */
#ifndef CERTD_SETTINGS_H
#define CERTD_SETTINGS_H

#include "common/base/limits.h"
#include "common/conf/conf.h"

struct settings {
#define CONF SP_CONF_MEMBER
#include "certd/conf.def"
#undef CONF
};

#define SETTINGS_KEYS 8
extern const struct sp_conf_key settings_keys[SETTINGS_KEYS];

/* What the rows can't say: the form of addresses. */
enum sp_status settings_check(const void *settings, struct sp_why *why);

#endif
