/*
 * settings.h - creditd's settings as conf.def declares them.
 */
#ifndef CREDITD_SETTINGS_H
#define CREDITD_SETTINGS_H

#include "common/base/limits.h"
#include "common/conf/conf.h"
#include "common/statements/tariff.h"

struct settings {
#define CONF SP_CONF_MEMBER
#include "creditd/conf.def"
#undef CONF
};

#define SETTINGS_KEYS 13
extern const struct sp_conf_key settings_keys[SETTINGS_KEYS];

/* What the rows can't say: the form of the price steps. */
enum sp_status settings_check(const void *settings, struct sp_why *why);

/* The price steps. SP_E_CONFIG with the step that is wrong. */
SP_MUST_CHECK enum sp_status settings_tariff(const struct settings *s, struct sp_tariff *ret_tariff, struct sp_why *why);

/* The same of one text with commas between the steps. */
SP_MUST_CHECK enum sp_status settings_steps(const char *text, struct sp_tariff *ret_tariff, struct sp_why *why);

#endif
