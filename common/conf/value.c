/*
 * value.c - one value of a setting: units, bounds, storing, printing. Knows nothing of files.
 */
#include "common/conf/value.h"

#include "common/base/text.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Larger ones first: a number is printed in the first that divides it. Both kinds of thousand may be read. */
static const struct unit sizes[] = { { "TiB", 1ull << 40 }, { "GiB", 1ull << 30 }, { "MiB", 1ull << 20 }, { "KiB", 1024 },
	{ "TB", 1000000000000 }, { "GB", 1000000000 }, { "MB", 1000000 }, { "kB", 1000 }, { "B", 1 }, { NULL, 0 } };
static const struct unit times[] = { { "d", 86400000 }, { "h", 3600000 }, { "min", 60000 }, { "s", 1000 }, { "ms", 1 },
	{ NULL, 0 } };

static const struct unit *
units(const struct sp_conf_key *key)
{
	return key->kind == SP_CONF_SIZE ? sizes : key->kind == SP_CONF_DURATION ? times : NULL;
}

static void *
member(const struct sp_conf_key *key, void *settings)
{
	return (char *)settings + key->offset;
}

static uint64_t
number_of(const struct sp_conf_key *key, const void *settings)
{
	const void *at = (const char *)settings + key->offset;

	if (key->kind == SP_CONF_BOOL)
		return *(const bool *)at;
	if (key->kind == SP_CONF_INT || key->kind == SP_CONF_CHOICE)
		return *(const uint32_t *)at;
	return *(const uint64_t *)at;
}

/* Word number i of "a|b|c"; an empty span after the last. */
static struct sp_span
word(const char *words, uint64_t i)
{
	for (; i > 0 && words != NULL; i--) {
		words = strchr(words, '|');
		words = words != NULL ? words + 1 : NULL;
	}
	return sp_span(words, words != NULL ? strcspn(words, "|") : 0);
}

void
sp_conf_add_number(const struct sp_conf_key *key, uint64_t v, struct sp_buf *out)
{
	const struct unit *u = units(key);

	while (u != NULL && u->factor > 1 && (v == 0 || v % u->factor != 0))
		u++;
	if (u != NULL)
		sp_buf_addf(out, "%llu %s", (unsigned long long)(v / u->factor), u->name);
	else
		sp_buf_addf(out, "%llu", (unsigned long long)v);
}

/* "NAME is V, at most B". */
static enum sp_status
beyond(const struct sp_conf_key *key, uint64_t v, const char *which, uint64_t bound, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) value = { 0 };
	SP_AUTO_DONE(sp_buf) limit = { 0 };

	sp_conf_add_number(key, v, &value);
	sp_conf_add_number(key, bound, &limit);
	return sp_fail(SP_E_CONFIG, why, "%s is %s%s, at %s %s", key->name, sp_buf_cstr(&value),
	    key->kind == SP_CONF_LIST ? " items" : key->kind <= SP_CONF_PATH ? " bytes" : "", which, sp_buf_cstr(&limit));
}

static enum sp_status
check_bounds(const struct sp_conf_key *key, uint64_t v, struct sp_why *why)
{
	if (v < key->min)
		return beyond(key, v, "least", key->min, why);
	if (key->max > 0 && v > key->max)
		return beyond(key, v, "most", key->max, why);
	return SP_OK;
}

enum sp_status
sp_conf_put_number(const struct sp_conf_key *key, void *settings, uint64_t v, struct sp_why *why)
{
	void *at = member(key, settings);
	enum sp_status st = SP_OK;

	if (key->kind != SP_CONF_BOOL && key->kind != SP_CONF_CHOICE)
		st = check_bounds(key, v, why);
	if (st != SP_OK)
		return st;
	if (key->kind == SP_CONF_BOOL)
		*(bool *)at = v != 0;
	else if (key->kind == SP_CONF_SIZE || key->kind == SP_CONF_DURATION)
		*(uint64_t *)at = v;
	else if (v > UINT32_MAX)
		return beyond(key, v, "most", UINT32_MAX, why);
	else
		*(uint32_t *)at = (uint32_t)v;
	return SP_OK;
}

static enum sp_status
put_choice(const struct sp_conf_key *key, void *settings, const char *text, struct sp_why *why)
{
	struct sp_span w;

	for (uint64_t i = 0; (w = word(key->unit, i)).n > 0; i++)
		if (sp_span_eq(w, sp_span_str(text)))
			return sp_conf_put_number(key, settings, i, why);
	return sp_fail(SP_E_CONFIG, why, "%s is \"%s\", not one of %s", key->name, text, key->unit);
}

/* "64 KiB": digits, at most one space, a unit. */
static enum sp_status
put_with_unit(const struct sp_conf_key *key, void *settings, const char *text, struct sp_why *why)
{
	size_t digits = strspn(text, "0123456789");
	const char *name = text + digits + (text[digits] == ' ' ? 1 : 0);
	const struct unit *u = units(key);
	uint64_t v;

	while (u->name != NULL && strcmp(u->name, name) != 0)
		u++;
	if (u->name == NULL || sp_parse_u64(sp_span(text, digits), UINT64_MAX, &v) != SP_OK)
		return sp_fail(SP_E_CONFIG, why, "%s is \"%s\", not a number and a unit, like %s", key->name, text,
		    key->kind == SP_CONF_SIZE ? "\"64 KiB\"" : "\"30 s\" (ms, s, min, h, d)");
	if (__builtin_mul_overflow(v, u->factor, &v))
		return sp_fail(SP_E_CONFIG, why, "%s is \"%s\", which is too large", key->name, text);
	return sp_conf_put_number(key, settings, v, why);
}

static enum sp_status
put_item(const struct sp_conf_key *key, void *settings, const char *text, struct sp_why *why)
{
	struct sp_conf_list *list = member(key, settings);
	char **items;

	if (text[0] == 0)
		return sp_fail(SP_E_CONFIG, why, "%s has an empty item", key->name);
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (items == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	list->items = items;
	items[list->count] = strdup(text);
	if (items[list->count] == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	list->count++;
	return SP_OK;
}

static enum sp_status
put_string(const struct sp_conf_key *key, void *settings, const char *text, const char *folder, struct sp_why *why)
{
	char **at = member(key, settings), *copy = NULL;
	bool below = key->kind == SP_CONF_PATH && folder != NULL && text[0] != '/' && text[0] != 0;
	enum sp_status st = check_bounds(key, strlen(text), why);

	if (st != SP_OK)
		return st;
	if (below) {
		SP_AUTO_DONE(sp_buf) path = { 0 };

		sp_buf_addf(&path, "%s/%s", folder, text);
		copy = sp_buf_status(&path) == SP_OK ? strdup(sp_buf_cstr(&path)) : NULL;
	} else {
		copy = strdup(text);
	}
	if (copy == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	sp_conf_drop(key, settings);
	*at = copy;
	return SP_OK;
}

enum sp_status
sp_conf_put_text(const struct sp_conf_key *key, void *settings, const char *text, const char *folder, struct sp_why *why)
{
	if (!sp_is_text(sp_span_str(text)))
		return sp_fail(SP_E_CONFIG, why, "%s is not plain text", key->name);
	switch (key->kind) {
	case SP_CONF_TEXT:
	case SP_CONF_PATH:
		return put_string(key, settings, text, folder, why);
	case SP_CONF_LIST:
		return put_item(key, settings, text, why);
	case SP_CONF_CHOICE:
		return put_choice(key, settings, text, why);
	case SP_CONF_SIZE:
	case SP_CONF_DURATION:
		return put_with_unit(key, settings, text, why);
	default:
		return sp_fail(SP_E_CONFIG, why, "%s is \"%s\", it must be %s", key->name, text,
		    key->kind == SP_CONF_BOOL ? "true or false" : "a number");
	}
}

enum sp_status
sp_conf_check_list(const struct sp_conf_key *key, const void *settings, struct sp_why *why)
{
	const struct sp_conf_list *list = (const void *)((const char *)settings + key->offset);

	return key->kind == SP_CONF_LIST ? check_bounds(key, list->count, why) : SP_OK;
}

static void
drop_string(const struct sp_conf_key *key, char *s)
{
	if (s != NULL && (key->flags & SP_CONF_SECRET) != 0)
		sp_wipe(s, strlen(s));
	free(s);
}

void
sp_conf_drop(const struct sp_conf_key *key, void *settings)
{
	void *at = member(key, settings);
	struct sp_conf_list *list = at;

	switch (key->kind) {
	case SP_CONF_TEXT:
	case SP_CONF_PATH:
		drop_string(key, *(char **)at);
		*(char **)at = NULL;
		break;
	case SP_CONF_LIST:
		for (size_t i = 0; i < list->count; i++)
			drop_string(key, list->items[i]);
		free(list->items);
		*list = (struct sp_conf_list){ 0 };
		break;
	case SP_CONF_BOOL:
		*(bool *)at = false;
		break;
	case SP_CONF_INT:
	case SP_CONF_CHOICE:
		*(uint32_t *)at = 0;
		break;
	default:
		*(uint64_t *)at = 0;
	}
}

/* In quotes, as libconfig reads it. */
static void
add_quoted(struct sp_buf *out, struct sp_span text)
{
	sp_buf_add_u8(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			sp_buf_add_u8(out, '\\');
		sp_buf_add_u8(out, text.p[i]);
	}
	sp_buf_add_u8(out, '"');
}

static void
add_list(const struct sp_conf_list *list, struct sp_buf *out)
{
	sp_buf_add_text(out, "[");
	for (size_t i = 0; i < list->count; i++) {
		sp_buf_add_text(out, i > 0 ? ", " : " ");
		add_quoted(out, sp_span_str(list->items[i]));
	}
	sp_buf_add_text(out, list->count > 0 ? " ]" : "]");
}

void
sp_conf_add_value(const struct sp_conf_key *key, const void *settings, struct sp_buf *out)
{
	const void *at = (const char *)settings + key->offset;
	SP_AUTO_DONE(sp_buf) text = { 0 };

	switch (key->kind) {
	case SP_CONF_TEXT:
	case SP_CONF_PATH:
		add_quoted(out, sp_span_str(*(char *const *)at));
		break;
	case SP_CONF_LIST:
		add_list(at, out);
		break;
	case SP_CONF_BOOL:
		sp_buf_add_text(out, number_of(key, settings) ? "true" : "false");
		break;
	case SP_CONF_CHOICE:
		add_quoted(out, word(key->unit, number_of(key, settings)));
		break;
	case SP_CONF_INT:
		sp_conf_add_number(key, number_of(key, settings), out);
		break;
	default:
		sp_conf_add_number(key, number_of(key, settings), &text);
		add_quoted(out, sp_buf_span(&text));
	}
}
