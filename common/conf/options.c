/*
 * options.c - the table of options, and the beginning that all daemons share.
 */
#include "common/conf/options.h"

#include <stdio.h>

#define COMMON 6	/* options that every daemon has */
#define OPTIONS_MAX 32

static const struct sp_option *
find(const struct sp_option *options, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(options[i].name);

		if (word[0] != '-' || word[1] == 0)
			return NULL;
		if (word[1] != '-' && word[1] == options[i].letter && word[2] == 0)
			return &options[i];
		if (word[1] == '-' && strncmp(word + 2, options[i].name, len) == 0 && (word[2 + len] == 0 || word[2 + len] == '='))
			return &options[i];
	}
	return NULL;
}

/* One option at argv[*at], which moves to its last word. */
static enum sp_status
take(const struct sp_option *o, int argc, char **argv, int *at, struct sp_why *why)
{
	char *equals = argv[*at][1] == '-' ? strchr(argv[*at], '=') : NULL;

	if (o->value == NULL) {
		if (equals != NULL)
			return sp_fail(SP_E_ARGUMENT, why, "--%s takes no value", o->name);
		*o->flag = true;
		return SP_OK;
	}
	if (equals == NULL && *at + 1 >= argc)
		return sp_fail(SP_E_ARGUMENT, why, "--%s needs a value: %s", o->name, o->value);
	*o->text = equals != NULL ? equals + 1 : argv[++*at];
	return SP_OK;
}

enum sp_status
sp_options_read(const struct sp_option *options, size_t n, int argc, char **argv, int *ret_rest, struct sp_why *why)
{
	uint64_t seen = 0;
	int i;

	if (n > 64)
		return SP_E_ARGUMENT;
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != 0; i++) {
		const struct sp_option *o = find(options, n, argv[i]);
		enum sp_status st;

		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (o == NULL)
			return sp_fail(SP_E_ARGUMENT, why, "unknown option %s", argv[i]);
		if ((seen >> (o - options) & 1) != 0)
			return sp_fail(SP_E_ARGUMENT, why, "--%s is given twice", o->name);
		seen |= 1ull << (o - options);
		if ((st = take(o, argc, argv, &i, why)) != SP_OK)
			return st;
	}
	*ret_rest = i;
	return SP_OK;
}

void
sp_options_help(const struct sp_option *options, size_t n, struct sp_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct sp_option *o = &options[i];
		size_t from = out->len;

		sp_buf_addf(out, "  --%s%s%s", o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
		if (o->letter != 0)
			sp_buf_addf(out, ", -%c", o->letter);
		sp_buf_addf(out, "%*s%s\n", (int)(out->len - from < 26 ? 26 - (out->len - from) : 2), "", o->help);
	}
}

/* What the common options were. */
struct common {
	const char *config;
	bool check, print, sample, version, help;
};

static void
say(FILE *to, struct sp_buf *text)
{
	if (text->len > 0)
		fwrite(text->data, 1, text->len, to);
	fflush(to);
}

static int
usage(const struct sp_program *p, const struct sp_option *options, size_t n)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };

	sp_buf_addf(&text, "Usage: %s [OPTION]…\n%s.\n\n", p->name, p->summary);
	sp_options_help(options, n, &text);
	say(stdout, &text);
	return 0;
}

/* Settings from the file that was named, or from the usual place, or the defaults where nothing is there. */
static enum sp_status
load(const struct sp_program *p, const char *config, void *settings, struct sp_buf *path, struct sp_why *why)
{
	enum sp_status st;

	if (config != NULL)
		sp_buf_add_text(path, config);
	else if (p->default_path != NULL)
		p->default_path(path);
	else
		sp_buf_addf(path, "%s/%s.conf", SP_SYSCONFDIR, p->name);
	if (sp_buf_status(path) != SP_OK)
		return sp_buf_status(path);
	st = config != NULL ? sp_conf_read(p->keys, p->nkeys, config, settings, why) :
	    sp_conf_read_if_there(p->keys, p->nkeys, sp_buf_cstr(path), settings, why);
	if (st == SP_OK && p->check != NULL && (st = p->check(settings, why)) != SP_OK)
		sp_conf_done(p->keys, p->nkeys, settings);
	return st;
}

static bool
begin(const struct sp_program *p, const struct common *c, void *settings, int *ret_exit)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_why why = { "" };
	enum sp_status st = load(p, c->config, settings, &path, &why);

	if (st != SP_OK) {
		fprintf(stderr, "%s: %s\n", p->name, why.text[0] != 0 ? why.text : sp_status_text(st));
		*ret_exit = 1;
		return false;
	}
	if (!c->check && !c->print)
		return true;
	if (c->print)
		sp_conf_print(p->keys, p->nkeys, settings, &text);
	else
		sp_buf_addf(&text, "%s: all settings are valid\n", sp_buf_cstr(&path));
	say(stdout, &text);
	sp_conf_done(p->keys, p->nkeys, settings);
	*ret_exit = 0;
	return false;
}

bool
sp_program_begin(const struct sp_program *p, int argc, char **argv, void *settings, int *ret_exit)
{
	struct common c = { 0 };
	struct sp_option options[OPTIONS_MAX] = {
		{ "config", 'c', "FILE", "read settings from FILE", NULL, &c.config },
		{ "check-config", 0, NULL, "check the settings and end", &c.check, NULL },
		{ "print-config", 0, NULL, "print the settings in force and end", &c.print, NULL },
		{ "sample-config", 0, NULL, "print a settings file with every setting and its default, and end", &c.sample, NULL },
		{ "version", 0, NULL, "print the version and end", &c.version, NULL },
		{ "help", 'h', NULL, "print this and end", &c.help, NULL },
	};
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_why why = { "" };
	size_t n = COMMON;
	int rest;
	enum sp_status st;

	for (size_t i = 0; i < p->noptions && n < OPTIONS_MAX; i++)
		options[n++] = p->options[i];
	st = sp_options_read(options, n, argc, argv, &rest, &why);
	if (st == SP_OK && rest < argc)
		st = sp_fail(SP_E_ARGUMENT, &why, "\"%s\" is not an option", argv[rest]);
	if (st != SP_OK) {
		fprintf(stderr, "%s: %s (see %s --help)\n", p->name, why.text, p->name);
		*ret_exit = 2;
		return false;
	}
	*ret_exit = 0;
	if (c.help)
		return usage(p, options, n), false;
	if (c.version)
		sp_buf_addf(&text, "%s (Sealpost) %s\n", p->name, PACKAGE_VERSION);
	if (c.sample)
		sp_conf_sample(p->keys, p->nkeys, &text);
	say(stdout, &text);
	return !c.version && !c.sample && begin(p, &c, settings, ret_exit);
}
