/*
 * print.c - the schema as a sample file, as settings in force, and as the list of a manual page.
 */
#include "common/conf/conf.h"

#include "common/conf/value.h"

/* "1 to 1024 credits", "at least 1 s", "one of a, b"; nothing where anything goes. */
static void
add_bounds(const struct sp_conf_key *key, struct sp_buf *out)
{
	const char *unit = key->kind == SP_CONF_LIST ? "items" : key->kind <= SP_CONF_PATH ? "bytes" : key->unit;

	if (key->kind == SP_CONF_CHOICE) {
		sp_buf_add_text(out, "one of ");
		for (const char *p = key->unit; *p != 0; p++)
			*p == '|' ? sp_buf_add_text(out, ", ") : sp_buf_add_u8(out, (uint8_t)*p);
		return;
	}
	if (key->kind == SP_CONF_BOOL || (key->min == 0 && key->max == 0)) {
		if (key->kind == SP_CONF_INT)
			sp_buf_add_text(out, key->unit);
		return;
	}
	if (key->max == 0)
		sp_buf_add_text(out, "at least ");
	sp_conf_add_number(key, key->min, out);
	if (key->max > 0) {
		sp_buf_add_text(out, " to ");
		sp_conf_add_number(key, key->max, out);
	}
	if (unit != NULL && unit[0] != 0)
		sp_buf_addf(out, " %s", unit);
}

static void
add_default(const struct sp_conf_key *key, struct sp_buf *out)
{
	/* room for any member, laid out as in the settings */
	union { char *text; uint32_t number; uint64_t large; struct sp_conf_list list; } member = { 0 };
	struct sp_conf_key alone = *key;

	alone.offset = 0;
	if (sp_conf_defaults(&alone, 1, NULL, &member, NULL) != SP_OK)
		return;
	sp_conf_add_value(&alone, &member, out);
	sp_conf_done(&alone, 1, &member);
}

static void
add_heading(const struct sp_conf_key *key, struct sp_buf *out)
{
	SP_AUTO_DONE(sp_buf) bounds = { 0 };

	add_bounds(key, &bounds);
	sp_buf_addf(out, "# %s", key->sentence);
	if (bounds.len > 0)
		sp_buf_addf(out, " (%s)", sp_buf_cstr(&bounds));
	sp_buf_add_text(out, "\n");
}

void
sp_conf_sample(const struct sp_conf_key *keys, size_t n, struct sp_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		bool required = (keys[i].flags & SP_CONF_REQUIRED) != 0;

		sp_buf_add_text(out, i > 0 ? "\n" : "");
		add_heading(&keys[i], out);
		sp_buf_addf(out, "%s%s = ", required ? "# needed:\n#" : "#", keys[i].name);
		add_default(&keys[i], out);
		sp_buf_add_text(out, ";\n");
	}
}

void
sp_conf_print(const struct sp_conf_key *keys, size_t n, const void *settings, struct sp_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		sp_buf_add_text(out, i > 0 ? "\n" : "");
		add_heading(&keys[i], out);
		if ((keys[i].flags & SP_CONF_SECRET) != 0) {
			sp_buf_addf(out, "#%s = (not shown);\n", keys[i].name);
			continue;
		}
		sp_buf_addf(out, "%s = ", keys[i].name);
		sp_conf_add_value(&keys[i], settings, out);
		sp_buf_add_text(out, ";\n");
	}
}

/* Backslashes and minus signs mean something to roff, so do dots and quotes at the start of a line. */
static void
add_roff(struct sp_buf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		sp_buf_add_text(out, "\\&");
	for (; *text != 0; text++) {
		if (*text == '\\')
			sp_buf_add_text(out, "\\e");
		else if (*text == '-')
			sp_buf_add_text(out, "\\-");
		else
			sp_buf_add_u8(out, (uint8_t)*text);
	}
}

void
sp_conf_man(const struct sp_conf_key *keys, size_t n, struct sp_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		SP_AUTO_DONE(sp_buf) about = { 0 };

		add_bounds(&keys[i], &about);
		if ((keys[i].flags & SP_CONF_REQUIRED) != 0) {
			sp_buf_add_text(&about, about.len > 0 ? "; needed" : "needed");
		} else {
			sp_buf_add_text(&about, about.len > 0 ? "; default " : "default ");
			add_default(&keys[i], &about);
		}
		sp_buf_addf(out, ".TP\n.B %s\n", keys[i].name);
		add_roff(out, keys[i].sentence);
		sp_buf_add_text(out, ".\n");
		add_roff(out, "(");
		add_roff(out, sp_buf_cstr(&about));
		sp_buf_add_text(out, ").\n");
	}
}
