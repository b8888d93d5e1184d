/*
 * conf.c - reads settings by schema with libconfig; the only file that includes it. Values are checked in value.c.
 */
#include "common/conf/conf.h"

#include <libconfig.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/conf/scan.h"
#include "common/conf/value.h"

#define FILE_MAX (1024 * 1024)	/* a settings file is written by hand */

static void
config_free(config_t *c)
{
	config_destroy(c);
}

void
sp_conf_done(const struct sp_conf_key *keys, size_t n, void *settings)
{
	for (size_t i = 0; i < n; i++)
		sp_conf_drop(&keys[i], settings);
}

/* "a,b" item by item. */
static enum sp_status
put_default_list(const struct sp_conf_key *key, void *settings, struct sp_why *why)
{
	SP_AUTO_MEM char *copy = strdup(key->text);
	char *rest = copy, *item;
	enum sp_status st = copy != NULL ? SP_OK : sp_fail(SP_E_NOMEM, why, "out of memory");

	while (st == SP_OK && (item = strsep(&rest, ",")) != NULL)
		if (item[0] != 0)
			st = sp_conf_put_text(key, settings, item, NULL, why);
	return st == SP_OK ? sp_conf_check_list(key, settings, why) : st;
}

static enum sp_status
put_default(const struct sp_conf_key *key, void *settings, const char *folder, struct sp_why *why)
{
	sp_conf_drop(key, settings);
	if ((key->flags & SP_CONF_REQUIRED) != 0)
		return SP_OK;
	if (key->kind == SP_CONF_LIST)
		return put_default_list(key, settings, why);
	if (key->kind == SP_CONF_TEXT || key->kind == SP_CONF_PATH)
		return sp_conf_put_text(key, settings, key->text, folder, why);
	return sp_conf_put_number(key, settings, key->number, why);
}

enum sp_status
sp_conf_defaults(const struct sp_conf_key *keys, size_t n, const char *folder, void *settings, struct sp_why *why)
{
	enum sp_status st = SP_OK;

	/* nothing is freed that was never set: the struct comes as it is */
	for (size_t i = 0; i < n; i++) {
		if (keys[i].kind == SP_CONF_LIST)
			*(struct sp_conf_list *)(void *)((char *)settings + keys[i].offset) = (struct sp_conf_list){ 0 };
		if (keys[i].kind == SP_CONF_TEXT || keys[i].kind == SP_CONF_PATH)
			*(char **)(void *)((char *)settings + keys[i].offset) = NULL;
	}
	for (size_t i = 0; i < n && st == SP_OK; i++) {
		st = put_default(&keys[i], settings, folder, why);
		if (st == SP_E_CONFIG) {
			fprintf(stderr, "the schema is wrong: %s\n", why != NULL ? why->text : keys[i].name);
			abort();
		}
	}
	if (st != SP_OK)
		sp_conf_done(keys, n, settings);
	return st;
}

/* The type that libconfig found is one that the key takes. */
static enum sp_status
put_scalar(const struct sp_conf_key *key, const config_setting_t *s, void *settings, const char *folder, struct sp_why *why)
{
	bool text = key->kind == SP_CONF_TEXT || key->kind == SP_CONF_PATH || key->kind == SP_CONF_LIST;
	long long v;

	switch (config_setting_type(s)) {
	case CONFIG_TYPE_STRING:
		return sp_conf_put_text(key, settings, config_setting_get_string(s), folder, why);
	case CONFIG_TYPE_BOOL:
		if (key->kind == SP_CONF_BOOL)
			return sp_conf_put_number(key, settings, config_setting_get_bool(s) != 0, why);
		break;
	case CONFIG_TYPE_INT64:
		v = config_setting_get_int64(s);
		if (v < 0 && (key->kind == SP_CONF_INT || key->kind == SP_CONF_SIZE))
			return sp_fail(SP_E_CONFIG, why, "%s is %lld, it can't be negative", key->name, v);
		if (key->kind == SP_CONF_INT || key->kind == SP_CONF_SIZE)
			return sp_conf_put_number(key, settings, (uint64_t)v, why);
		if (key->kind == SP_CONF_DURATION)
			return sp_fail(SP_E_CONFIG, why, "%s needs a unit, like \"30 s\" (ms, s, min, h, d)", key->name);
		break;
	default:
		break;
	}
	return sp_fail(SP_E_CONFIG, why, "%s must be %s", key->name, text ? "a text in quotes" :
	    key->kind == SP_CONF_BOOL ? "true or false" : key->kind == SP_CONF_CHOICE ? key->unit : "a number");
}

static enum sp_status
put_list(const struct sp_conf_key *key, const config_setting_t *s, void *settings, struct sp_why *why)
{
	enum sp_status st = SP_OK;

	sp_conf_drop(key, settings);
	if (!config_setting_is_array(s) && !config_setting_is_list(s))
		st = put_scalar(key, s, settings, NULL, why);
	else
		for (int i = 0; i < config_setting_length(s) && st == SP_OK; i++)
			st = put_scalar(key, config_setting_get_elem(s, (unsigned)i), settings, NULL, why);
	return st == SP_OK ? sp_conf_check_list(key, settings, why) : st;
}

static const struct sp_conf_key *
find(const struct sp_conf_key *keys, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static enum sp_status
put_all(const struct sp_conf_key *keys, size_t n, const char *path, const char *folder, config_t *c, void *settings,
    struct sp_why *why)
{
	config_setting_t *root = config_root_setting(c);

	for (int i = 0; i < config_setting_length(root); i++) {
		config_setting_t *s = config_setting_get_elem(root, (unsigned)i);
		unsigned line = config_setting_source_line(s);
		const struct sp_conf_key *key = find(keys, n, config_setting_name(s));
		struct sp_why reason = { "" };
		enum sp_status st;

		if (key == NULL)
			return sp_fail(SP_E_CONFIG, why, "%s:%u: there is no setting %s", path, line, config_setting_name(s));
		st = key->kind == SP_CONF_LIST ? put_list(key, s, settings, &reason) :
		    put_scalar(key, s, settings, folder, &reason);
		if (st != SP_OK)
			return sp_fail(st, why, "%s:%u: %s", path, line, reason.text);
	}
	for (size_t i = 0; i < n; i++)
		if ((keys[i].flags & SP_CONF_REQUIRED) != 0 && config_setting_get_member(root, keys[i].name) == NULL)
			return sp_fail(SP_E_CONFIG, why, "%s: %s is missing: %s", path, keys[i].name, keys[i].sentence);
	return SP_OK;
}

static enum sp_status
parse(const char *path, config_t *c, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { .secret = true };
	SP_AUTO_DONE(sp_buf) wide = { .secret = true };
	enum sp_status st = sp_file_read(path, FILE_MAX, &text, why);

	if (st == SP_E_LONG)
		st = SP_E_CONFIG;
	if (st != SP_OK)
		return st;
	if (strlen(sp_buf_cstr(&text)) != text.len || !sp_conf_scan(sp_buf_cstr(&text), &wide))
		return sp_fail(SP_E_CONFIG, why, "%s: zero bytes and @include are not allowed", path);
	if (sp_buf_status(&wide) != SP_OK)
		return sp_fail(sp_buf_status(&wide), why, "cannot read %s", path);
	if (config_read_string(c, sp_buf_cstr(&wide)) != CONFIG_TRUE)
		return sp_fail(SP_E_CONFIG, why, "%s:%d: %s", path, config_error_line(c), config_error_text(c));
	return SP_OK;
}

static enum sp_status
read_file(const struct sp_conf_key *keys, size_t n, const char *path, bool may_miss, void *settings, struct sp_why *why)
{
	__attribute__((cleanup(config_free))) config_t c;
	const char *slash = strrchr(path, '/');
	SP_AUTO_MEM char *folder = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	enum sp_status st;

	config_init(&c);
	st = folder != NULL ? sp_conf_defaults(keys, n, folder, settings, why) : SP_E_NOMEM;
	if (st != SP_OK)
		return st;
	st = parse(path, &c, why);
	if (st == SP_OK || (st == SP_E_NOTFOUND && may_miss))
		st = put_all(keys, n, path, folder, &c, settings, why);
	if (st != SP_OK)
		sp_conf_done(keys, n, settings);
	return st;
}

enum sp_status
sp_conf_read(const struct sp_conf_key *keys, size_t n, const char *path, void *settings, struct sp_why *why)
{
	return read_file(keys, n, path, false, settings, why);
}

enum sp_status
sp_conf_read_if_there(const struct sp_conf_key *keys, size_t n, const char *path, void *settings, struct sp_why *why)
{
	return read_file(keys, n, path, true, settings, why);
}
