/*
 * options.c - the words of the command line, and what to say when they are wrong.
 */
#include "peerd/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct verb *
cli_find(const char *name)
{
	for (size_t i = 0; i < verbs_count; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* One "usage:" line for each form of the verb. */
static void
usage_lines(FILE *out, const struct verb *v)
{
	const char *form = v->synopsis;

	do {
		size_t n = strcspn(form, "\n");

		fprintf(out, "%s sealpost %s%s%.*s\n", form == v->synopsis ? "usage:" : "      ", v->name,
		    n > 0 ? " " : "", (int)n, form);
		form += n;
	} while (*form++ == '\n');
}

void
cli_help_verb(const struct verb *v)
{
	usage_lines(stdout, v);
	printf("\n%s\n", v->help);
	if (v->more[0] != 0)
		printf("\n%s", v->more);
}

int
cli_usage(const char *verb, const char *what, ...)
{
	const struct verb *v = cli_find(verb);
	va_list ap;

	fputs("sealpost: ", stderr);
	va_start(ap, what);
	vfprintf(stderr, what, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (v != NULL)
		usage_lines(stderr, v);
	return CLI_USAGE;
}

/* The option that a word means; *ret_value is what stands in the same word ("--to=bob", "-n5"), or NULL. */
static const struct cli_option *
match(const struct cli_option *options, size_t n, const char *word, const char **ret_value)
{
	size_t length = strcspn(word, "=");

	*ret_value = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct cli_option *o = &options[i];

		if (strncmp(word, o->name, length) == 0 && o->name[length] == 0) {
			*ret_value = word[length] == '=' ? word + length + 1 : NULL;
			return o;
		}
		if (o->letter != 0 && word[1] == o->letter && (word[2] == 0 || o->flag == NULL)) {
			*ret_value = word[2] != 0 ? word + 2 : NULL;
			return o;
		}
	}
	return NULL;
}

static int
take(const char *verb, const struct cli_option *o, const char *value)
{
	if (value == NULL)
		return cli_usage(verb, "%s needs a value", o->name);
	if (o->value != NULL) {
		*o->value = value;
		return CLI_DONE;
	}
	if (*o->count == o->max)
		return cli_usage(verb, "%s stands more than %zu times", o->name, o->max);
	o->list[(*o->count)++] = value;
	return CLI_DONE;
}

int
cli_options(struct cli *cli, const char *verb, const struct cli_option *options, size_t n, int argc, char **argv,
    int *ret_rest)
{
	const char *home = NULL;
	bool help = false;
	const struct cli_option common[] = {
		{ "--home", 0, NULL, &home, NULL, NULL, 0 },
		{ "--json", 0, &cli->json, NULL, NULL, NULL, 0 },
		{ "--help", 'h', &help, NULL, NULL, NULL, 0 },
	};
	int rest = 0, status;
	bool only_words = false;

	for (int i = 0; i < argc; i++) {
		const struct cli_option *o;
		const char *value;

		if (only_words || argv[i][0] != '-' || argv[i][1] == 0) {
			argv[rest++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		o = match(options, n, argv[i], &value);
		if (o == NULL)
			o = match(common, sizeof(common) / sizeof(common[0]), argv[i], &value);
		if (o == NULL)
			return cli_usage(verb, "%s is no option of %s", argv[i], verb);
		if (o->flag != NULL && value != NULL)
			return cli_usage(verb, "%s takes no value", o->name);
		if (o->flag != NULL)
			*o->flag = true;
		else if ((status = take(verb, o, value != NULL ? value : i + 1 < argc ? argv[++i] :
		    NULL)) != CLI_DONE)
			return status;
	}
	if (help) {
		cli_help_verb(cli_find(verb));
		return CLI_HELPED;
	}
	if (home != NULL && home[0] == 0)
		return cli_usage(verb, "--home needs a folder");
	if (home != NULL) {
		cli->home = home;
		cli->home_given = true;
	}
	*ret_rest = rest;
	return CLI_DONE;
}
