/*
 * control_fuzz.c - the control API behind its socket: a line "METHOD PATH?QUERY", then the body. The rooms that handlers call are
 * stand-ins in this file (a new call to one needs its stand-in here); so is the HTTP server, whose own target is http_fuzz.c.
 * Whatever is asked is answered exactly once, with a JSON object.
 */
#include "peerd/control/call.h"

#include <signal.h>
#include <stdio.h>

#include "common/base/text.h"
#include "common/statements/offer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

/* ---- HTTP ---- */
struct sp_http {
	sp_http_fn *fn;
	void *arg;
};
struct sp_http_request {
	char *method, *path, *query;	/* borrowed from one text */
	struct sp_span body;
	unsigned answers;
};
static struct sp_http http;

enum sp_status
sp_http_new(struct sp_loop *loop, const char *path, sp_http_fn *fn, void *arg, struct sp_http **ret_http, struct sp_why *why)
{
	(void)loop, (void)path, (void)why;
	http = (struct sp_http){ fn, arg };
	*ret_http = &http;
	return SP_OK;
}

void sp_http_free(struct sp_http *h) { (void)h; }
void sp_http_quiesce(struct sp_http *h) { (void)h; }
const char *sp_http_method(const struct sp_http_request *rq) { return rq->method; }
const char *sp_http_path(const struct sp_http_request *rq) { return rq->path; }
struct sp_span sp_http_body(const struct sp_http_request *rq) { return rq->body; }

const char *
sp_http_query(const struct sp_http_request *rq, const char *name)
{
	static char value[256];
	size_t n = strlen(name);

	for (const char *p = rq->query; p != NULL; p = strchr(p, '&')) {
		p += *p == '&';
		if (strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(p + n + 1, "&"), p + n + 1);
		return value;
	}
	return NULL;
}

void
sp_http_answer(struct sp_http_request *rq, unsigned status, const char *content_type, struct sp_span bytes)
{
	json_t *o = json_loadb((const char *)bytes.p, bytes.n, 0, NULL);

	fuzz_must(json_is_object(o) && strcmp(content_type, "application/json") == 0);
	fuzz_must((json_object_get(o, "error") == NULL) == (status == 200) && status != 500);
	json_decref(o);
	rq->answers++;
	if (status == 200)
		fuzz_accept();
}

/* ---- the rooms: what they are asked with must be whole, and they answer with what the input held ---- */
static struct sp_span foreign;		/* as titles and messages of others come: any bytes */
static const struct sp_tariff tariff = { { { 0, 1 } }, 1 };

void
event_rows_free(struct event_row **rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rows[i]->peer);
		free(rows[i]->title);
		free(rows[i]->message);
		free(rows[i]->notes);
		free(rows[i]);
	}
	free(rows);
}

/* An array of one. */
static struct event_row **
rows_of(const char *title)
{
	struct event_row **rows = calloc(1, sizeof(struct event_row *)), *row = calloc(1, sizeof(*row));

	fuzz_must(rows != NULL && row != NULL);
	rows[0] = row;
	row->kind = EVENT_CREDIT;
	row->peer = strdup("bob/desk@post.example");
	row->title = strdup(title);
	row->message = strndup((const char *)foreign.p, foreign.n);
	row->notes = strndup((const char *)foreign.p, foreign.n);
	row->klass = SP_RECEIPT_DIRECT;
	return rows;
}

static void
answer_rows(events_rows_fn *fn, void *arg, const char *title)
{
	struct event_row **rows = rows_of(title);

	fn(arg, SP_OK, NULL, (const struct event_row *const *)rows, 1);
	event_rows_free(rows, 1);
}

static void
whole_text(const char *text)
{
	fuzz_must(text == NULL || strlen(text) < (1u << 20));
}

void
events_send(struct events *e, const struct events_order *order, events_rows_fn *fn, void *arg)
{
	(void)e;
	for (size_t i = 0; i < order->nto; i++)
		fuzz_must(order->to[i] != NULL);
	for (size_t i = 0; i < order->npaths; i++)
		fuzz_must(order->paths[i] != NULL);
	whole_text(order->title);
	whole_text(order->message);
	whole_text(order->address);
	fuzz_must(order->klass <= SP_RECEIPT_CERTIFIED);
	answer_rows(fn, arg, order->title != NULL ? order->title : "");
}

void
events_credit(struct events *e, uint32_t number, const char *account, events_rows_fn *fn, void *arg)
{
	(void)e, (void)number;
	fuzz_must(account != NULL);
	answer_rows(fn, arg, account);
}

void
events_cancel(struct events *e, const struct sp_id *id, events_rows_fn *fn, void *arg)
{
	(void)e, (void)id;
	answer_rows(fn, arg, "");
}

void
events_retry(struct events *e, const struct sp_id *id, events_rows_fn *fn, void *arg)
{
	(void)e, (void)id;
	answer_rows(fn, arg, "");
}

void
events_decide(struct events *e, const struct event_row *row, bool take, events_rows_fn *fn, void *arg)
{
	(void)e, (void)row, (void)take;
	answer_rows(fn, arg, "");
}

size_t events_asked(const struct events *e) { return e != NULL; }
const struct machine *events_machine(enum event_kind kind) { return (void)kind, NULL; }
size_t events_pending(const struct events *e) { return e != NULL; }
void events_observe(struct events *e, events_observe_fn *fn, void *arg) { (void)e, (void)fn, (void)arg; }

const struct event_row *
events_live(const struct events *e, const struct sp_id *id, enum event_kind kind)
{
	(void)e, (void)id, (void)kind;
	return NULL;
}

enum sp_status
store_events_list(struct store *s, enum event_filter filter, uint64_t before_ms, uint32_t limit, store_rows_fn *fn, void *arg)
{
	(void)s, (void)before_ms;
	fuzz_must(filter <= EVENTS_CREDITS && limit <= 1000);
	fn(arg, SP_OK, rows_of("t"), 1);
	return SP_OK;
}

enum sp_status
store_event_find(struct store *s, const char *id_or_prefix, store_rows_fn *fn, void *arg)
{
	(void)s;
	if (strlen(id_or_prefix) < 4)
		return SP_E_FORMAT;
	fn(arg, SP_OK, rows_of("t"), 1);
	return SP_OK;
}

enum sp_status
store_history(struct store *s, uint64_t after, const struct sp_id *id, uint32_t limit, store_history_fn *fn, void *arg)
{
	(void)s, (void)after, (void)id, (void)limit;
	fn(arg, SP_OK, NULL, 0);
	return SP_OK;
}

enum sp_status
store_balance(struct store *s, uint64_t now_ms, store_balance_fn *fn, void *arg)
{
	(void)s, (void)now_ms;
	fn(arg, SP_OK, &(struct wallet_balance){ .free = 3 });
	return SP_OK;
}

enum sp_status
store_sheets(struct store *s, store_sheets_fn *fn, void *arg)
{
	(void)s;
	fn(arg, SP_OK, &(struct sheet_row){ .first = 1, .count = 5, .next = 3 }, 1);
	return SP_OK;
}

bool wallet_has_closed(const struct wallet *w) { return w != NULL; }

static struct book_row entry = { "bob@post.example", "", 1 };
static struct correspondent bob;
void book_each(const struct book *b, void (*fn)(void *, const struct correspondent *), void *arg) { (void)b, fn(arg, &bob); }

const char *
correspondent_clock(const struct correspondent *c, char out[CORRESPONDENT_CLOCK])
{
	return (void)c, strcpy(out, "");
}

size_t book_count(const struct book *b) { return b != NULL; }
const struct book_row *book_entry(const struct book *b, size_t number) { return (void)b, (void)number, &entry; }

void
book_add(struct book *b, const char *name, const char *address, book_done_fn *fn, void *arg)
{
	struct sp_name parsed;

	(void)b;
	fuzz_ok(sp_name_parse(sp_span_str(name), &parsed));
	whole_text(address);
	fn(arg, SP_OK, NULL);
}

void
book_remove(struct book *b, const char *name, book_done_fn *fn, void *arg)
{
	(void)b;
	fn(arg, name[0] == 'b' ? SP_OK : SP_E_NOTFOUND, NULL);
}

size_t
book_stations(const struct book *b, const char *name, const struct correspondent **out, size_t max)
{
	(void)b;
	bob.identity = fuzz_person(FUZZ_BOB)->identity;
	if (name[0] == 'b' && max > 0)
		out[0] = &bob;
	return name[0] == 'b';
}

static struct {
	post_answer_fn *fn;
	void *arg;
} asked;

uint64_t
post_ask(struct post *p, const struct sp_hash *to_cert, const char *address_override, bool tcp, unsigned type, const void *msg,
    post_answer_fn *fn, void *arg)
{
	(void)p, (void)to_cert, (void)address_override, (void)tcp, (void)type, (void)msg;
	asked.fn = fn;
	asked.arg = arg;
	return 1;
}

void post_counts(const struct post *p, struct post_counts *ret_counts) { (void)p, *ret_counts = (struct post_counts){ .in = 1 }; }
bool post_is_loaded(const struct post *p) { (void)p; return false; }
uint16_t post_port(const struct post *p) { return p != NULL ? 7325 : 0; }
bool member_is_enrolled(const struct member *s) { return s != NULL; }
const struct sp_identity *member_identity(const struct member *s) { return (void)s, &fuzz_person(FUZZ_ALICE)->identity; }
const char *member_service(const struct member *s, const char *role) { return s != NULL && role[0] == 'k' ? "keyd:7678" : ""; }
const struct sp_tariff *member_tariff(const struct member *s) { return (void)s, &tariff; }

void
member_enrol(struct member *s, const char *token, member_done_fn *fn, void *arg)
{
	(void)s;
	whole_text(token);
	fn(arg, token[0] == 's' ? SP_OK : SP_E_TOKEN, NULL);
}

void peer_begin(struct peer *p, peer_done_fn *fn, void *arg) { (void)p, fn(arg, SP_OK, NULL); }

/* ---- one request ---- */

/* "METHOD PATH?QUERY", cut into its words in place. */
static void
read_line(char *line, struct sp_http_request *rq)
{
	char *space = strchr(line, ' '), *mark;

	rq->method = line;
	rq->path = space != NULL ? space + 1 : line + strlen(line);
	if (space != NULL)
		*space = 0;
	mark = strchr(rq->path, '?');
	rq->query = mark != NULL ? mark + 1 : NULL;
	if (mark != NULL)
		*mark = 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	size_t n = end != NULL ? (size_t)(end - data) : size;
	SP_AUTO_MEM char *line = strndup((const char *)data, n);
	SP_AUTO(sp_loop) *loop = NULL;
	struct sp_http_request rq = { .body = end != NULL ? sp_span(end + 1, size - n - 1) : sp_span(NULL, 0) };
	char room[1];
	struct peer peer = { .home = "/h", .settings = { .received = room }, .ready = true };
	SP_AUTO(control) *control = NULL;

	signal(SIGTERM, SIG_IGN);
	foreign = rq.body.n > 0 ? rq.body : sp_span_str("");
	room[0] = 0;
	fuzz_ok(sp_loop_new(&loop, NULL));
	/* never looked into: the stand-ins are all that takes them */
	peer.loop = loop;
	peer.store = (struct store *)room, peer.station = (struct member *)room, peer.book = (struct book *)room;
	peer.post = (struct post *)room, peer.wallet = (struct wallet *)room, peer.events = (struct events *)room;
	fuzz_ok(control_new(&peer, &control, NULL));
	read_line(line, &rq);
	asked.fn = NULL;
	http.fn(http.arg, &rq);
	if (asked.fn != NULL)
		asked.fn(asked.arg, SP_E_TIMEOUT, NULL, NULL);
	/* what waits is answered at the end */
	control_free(sp_take(&control));
	fuzz_must(rq.answers == 1);
	return 0;
}
