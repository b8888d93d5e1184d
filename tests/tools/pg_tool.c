/*
 * pg_tool.c - common/pg driven from a test: migrations, the schema check, and questions to a pool.
 *
 * pg_tool migrate CONNINFO SCHEMA DIR          prints "FROM TO FUNCTIONS"
 * pg_tool check CONNINFO SCHEMA NUMBER WAIT_MS
 * pg_tool ask CONNINFO prepared|plain          reads lines, asks, prints "INDEX STATUS VALUES…" in the order of
 * answers:
 *   echo NUMBER TEXT    probe.echo: gives back what it got; TEXT "null" is NULL
 *   many NUMBER         probe.many: NUMBER rows
 *   wait                until everything asked so far is answered
 *   close               no more questions
 * Failures print the status and the reason on standard error; exit status 1.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/pg/migrate.h"
#include "common/pg/pool.h"

enum { ECHO, MANY, WRONG };
static const struct sp_pg_call calls[] = {
	[ECHO] = { "probe.echo", "SELECT item, number, text, bytes, id FROM probe.echo($1, $2, $3, $4)",
	    { SP_PG_INT, SP_PG_TEXT, SP_PG_BYTES, SP_PG_ID }, { SP_PG_INT, SP_PG_TEXT, SP_PG_BYTES, SP_PG_ID },
	    false },
	[MANY] = { "probe.many", "SELECT item, number FROM probe.many($1)", { SP_PG_INT }, { SP_PG_INT }, true },
	[WRONG] = { "probe.wrong", "SELECT item, text AS number FROM probe.echo($1, ARRAY['x'], NULL, NULL)", {
	    SP_PG_INT }, { SP_PG_INT }, false },
};

static int
fail(enum sp_status st, const struct sp_why *why)
{
	fprintf(stderr, "%s: %s\n", sp_status_name(st), why->text);
	return 1;
}

static void
print_span(struct sp_span s)
{
	printf(" %.*s", (int)s.n, (const char *)s.p);
}

static void
on_echo(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	char hex[65];

	printf("%zu %s", (size_t)arg, sp_status_name(st));
	if (st == SP_OK) {
		struct sp_span id = sp_pg_get_bytes(rows, 0, 3), bytes = sp_pg_get_bytes(rows, 0, 2);

		printf(" %lld", (long long)sp_pg_get_int(rows, 0, 0));
		print_span(sp_pg_is_null(rows, 0, 1) ? sp_span_str("NULL") : sp_pg_get_bytes(rows, 0, 1));
		printf(" %s", sp_hex(bytes.p, bytes.n, hex));
		printf(" %s", sp_hex(id.p, id.n, hex));
	}
	printf("\n");
}

static void
on_many(void *arg, enum sp_status st, const struct sp_pg_rows *rows)
{
	printf("%zu %s", (size_t)arg, sp_status_name(st));
	for (size_t i = 0; st == SP_OK && i < sp_pg_count(rows); i++)
		printf(" %lld", (long long)sp_pg_get_int(rows, i, 0));
	printf("\n");
}

static enum sp_status
ask_echo(struct sp_pg *pg, const char *line, void *arg)
{
	char text[64] = "";
	long long number = 0;
	struct sp_id id = { { 0 } };

	(void)sscanf(line, "%lld %63s", &number, text);
	id.b[15] = (uint8_t)number;

	struct sp_pg_value values[] = { sp_pg_int(number), strcmp(text, "null") == 0 ? sp_pg_null() : sp_pg_str(text),
		sp_pg_span(sp_span("\0\1\377", (size_t)(number & 3))), sp_pg_id(&id) };

	return sp_pg_ask(pg, ECHO, values, on_echo, arg);
}

static void
wait_all(struct sp_pg *pg)
{
	while (sp_pg_pending(pg) > 0) {
		struct pollfd fd = { .fd = sp_queue_fd(sp_pg_replies(pg)), .events = POLLIN };

		(void)poll(&fd, 1, 1000);
		(void)sp_pg_drain(pg);
	}
	fflush(stdout);
}

static int
ask(const char *conninfo, bool prepared)
{
	const struct sp_pg_options options = { .conninfo = conninfo, .program = "pg_tool", .prepared = prepared };
	SP_AUTO(sp_pg) *pg = NULL;
	struct sp_why why = { "" };
	enum sp_status st = sp_pg_open(&options, calls, sizeof(calls) / sizeof(calls[0]), &pg, &why);
	char line[128];

	if (st != SP_OK)
		return fail(st, &why);
	for (size_t i = 0; fgets(line, sizeof(line), stdin) != NULL; i++) {
		struct sp_pg_value number = sp_pg_int(0);
		long long n;

		if (sscanf(line, "%*s %lld", &n) == 1)
			number = sp_pg_int(n);
		if (strncmp(line, "echo ", 5) == 0)
			st = ask_echo(pg, line + 5, (void *)i);
		else if (strncmp(line, "many ", 5) == 0)
			st = sp_pg_ask(pg, MANY, &number, on_many, (void *)i);
		else if (strncmp(line, "wrong", 5) == 0)
			st = sp_pg_ask(pg, WRONG, &number, on_many, (void *)i);
		else if (strncmp(line, "close", 5) == 0)
			sp_pg_close(pg);
		else
			wait_all(pg);
		if (st != SP_OK)
			printf("%zu refused %s\n", i, sp_status_name(st));
		st = SP_OK;
	}
	sp_pg_close(pg);
	wait_all(pg);
	return 0;
}

int
main(int argc, char **argv)
{
	struct sp_pg_migrated did;
	struct sp_why why = { "" };
	enum sp_status st = SP_E_ARGUMENT;

	sp_log_open("pg_tool");
	if (argc == 5 && strcmp(argv[1], "migrate") == 0) {
		if ((st = sp_pg_migrate(argv[2], argv[3], argv[4], &did, &why)) == SP_OK)
			printf("%d %d %d\n", did.from, did.to, did.functions);
	} else if (argc == 6 && strcmp(argv[1], "check") == 0) {
		st = sp_pg_check_schema(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]), &why);
	} else if (argc == 4 && strcmp(argv[1], "ask") == 0) {
		return ask(argv[2], strcmp(argv[3], "prepared") == 0);
	}
	return st == SP_OK ? 0 : fail(st, &why);
}
