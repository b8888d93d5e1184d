/*
 * settings.h - keyd's settings as conf.def declares them.
 */
#ifndef KEYD_SETTINGS_H
#define KEYD_SETTINGS_H

#include "common/base/limits.h"
#include "common/conf/conf.h"

struct settings {
#define CONF SP_CONF_MEMBER
#include "keyd/conf.def"
#undef CONF
};

#define SETTINGS_KEYS 11
extern const struct sp_conf_key settings_keys[SETTINGS_KEYS];

/* What the rows can't say: the forms of names and addresses. */
enum sp_status settings_check(const void *settings, struct sp_why *why);

/* The list of addresses as one text with commas, as the roster carries it; appended to out. */
void settings_addresses(const struct settings *s, struct sp_buf *out);

#endif
