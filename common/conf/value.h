/*
 * value.h - one value of a setting: checked and stored, and printed. Within common/conf only; locations are the reader's.
 */
#ifndef SP_CONF_VALUE_H
#define SP_CONF_VALUE_H

#include "common/conf/conf.h"

/* Stores a value after its checks (SP_E_CONFIG without a location; SP_E_NOMEM). Text also for SIZE, DURATION, CHOICE; for
 * LIST it adds an item. folder: where relative paths start, NULL = nowhere. */
SP_MUST_CHECK enum sp_status sp_conf_put_number(const struct sp_conf_key *key, void *settings, uint64_t v, struct sp_why *why);
SP_MUST_CHECK enum sp_status sp_conf_put_text(const struct sp_conf_key *key, void *settings, const char *text,
    const char *folder, struct sp_why *why);

/* A list must have as many items as its bounds say. */
SP_MUST_CHECK enum sp_status sp_conf_check_list(const struct sp_conf_key *key, const void *settings, struct sp_why *why);

/* Back to zero; what was owned is freed. */
void sp_conf_drop(const struct sp_conf_key *key, void *settings);

/* The value of the settings as it is written in the file. */
void sp_conf_add_value(const struct sp_conf_key *key, const void *settings, struct sp_buf *out);

/* A bound or number of this key with its unit: "30 s", "64 KiB", "12". */
void sp_conf_add_number(const struct sp_conf_key *key, uint64_t v, struct sp_buf *out);

#endif
