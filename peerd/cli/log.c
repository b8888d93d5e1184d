/*
 * log.c - sealpost log: what was sent and received, as a table.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "peerd/cli/api.h"
#include "peerd/cli/print.h"
#include "peerd/cli/table.h"

#define ID_SHOWN 13	/* "0193a2b4-c5d6": the time to the millisecond */
#define MOST 1000	/* events in one answer of peerd */

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Ids made in one moment share their beginning: as much of it is shown as tells all listed ones apart. */
static size_t
id_length(const json_t *events)
{
	size_t n = ID_SHOWN, count = json_array_size(events), i;
	SP_AUTO_MEM const char **ids = calloc(count + 1, sizeof(*ids));
	json_t *e;

	if (ids == NULL)
		return SIZE_MAX;
	json_array_foreach(events, i, e)
		ids[i] = api_text(e, "id", "");
	qsort(ids, count, sizeof(*ids), compare);
	for (i = 1; i < count; i++) {
		size_t same = 0;

		while (ids[i][same] != 0 && ids[i][same] == ids[i - 1][same])
			same++;
		if (ids[i][same] != 0 && same >= n)
			n = same + 1;
	}
	return n;
}

static bool
is_credit(const json_t *event)
{
	return strcmp(api_text(event, "kind", ""), "credit") == 0;
}

static void
log_table(struct cli *cli, const json_t *events)
{
	static const struct table_column columns[] = {
		{ "ID", false, false, 0 }, { "WHEN", false, false, 2 }, { "", false, false, 1 }, { "WITH", true,
		    false, 0 },
		{ "TITLE", true, false, 4 }, { "SIZE", false, true, 3 }, { "RESULT", true, false, 0 },
	};
	SP_AUTO(table) *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	SP_AUTO_DONE(sp_buf) out = { 0 };
	size_t n = id_length(events), i;
	json_t *e;

	json_array_foreach(events, i, e) {
		char id[40], when[PRINT_SPAN], size[PRINT_SIZE];
		const char *cells[] = { id, print_when(api_text(e, "created", ""), when),
			api_direction(e), api_text(e, "peer", ""),
			api_text(e, "title", ""), is_credit(e) ? "" : print_size(api_number(e, "bytes"), size),
			api_text(e, "result", api_text(e, "doing", api_text(e, "state", "?"))) };

		snprintf(id, sizeof(id), "%.*s", (int)(n < sizeof(id) ? n : sizeof(id)), api_text(e, "id", ""));
		table_add(t, cells);
	}
	table_out(t, cli_width(cli), &out);
	fputs(sp_buf_cstr(&out), stdout);
}

int
verb_log(struct cli *cli, int argc, char **argv)
{
	bool pending = false, sent = false, received = false, failed = false;
	const char *number = "50", *filter;
	const struct cli_option options[] = {
		{ "--pending", 0, &pending, NULL, NULL, NULL, 0 },
		{ "--sent", 0, &sent, NULL, NULL, NULL, 0 },
		{ "--received", 0, &received, NULL, NULL, NULL, 0 },
		{ "--failed", 0, &failed, NULL, NULL, NULL, 0 },
		{ "--number", 'n', NULL, &number, NULL, NULL, 0 },
	};
	SP_AUTO_DONE(sp_buf) path = { 0 };
	json_t *answer, *events, *e;
	uint64_t n;
	size_t i;
	int rest, status = cli_options(cli, "log", options, sizeof(options) / sizeof(options[0]), argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest > 0)
		return cli_usage("log", "\"%s\" is too much; sealpost show ID shows one event", argv[0]);
	if (pending + sent + received + failed > 1)
		return cli_usage("log", "choose one of the filters");
	if (sp_parse_u64(sp_span_str(number), MOST, &n) != SP_OK || n == 0)
		return cli_usage("log", "-n takes a number from 1 to %d", MOST);
	filter = pending ? "pending" : sent ? "sent" : received ? "received" : failed ? "failed" : "all";
	sp_buf_addf(&path, "/v1/log?filter=%s&limit=%llu", filter, (unsigned long long)n);
	status = api_ask(cli, "GET", sp_buf_cstr(&path), NULL, 60, &answer);
	if (status != CLI_DONE)
		return status;
	events = json_object_get(answer, "events");
	if (!json_is_array(events)) {
		status = api_say(cli, API_NONSENSE, NULL);
	} else if (cli->json) {
		json_array_foreach(events, i, e)
			api_print(e);
	} else if (json_array_size(events) == 0) {
		printf("nothing%s%s yet\n", strcmp(filter, "all") == 0 ? "" : " ", strcmp(filter, "all") == 0 ? "" :
		    filter);
	} else {
		log_table(cli, events);
	}
	json_decref(answer);
	return status;
}
