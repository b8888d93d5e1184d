/*
 * book.c - handlers of the API: the book, and who is there.
 */
#include "peerd/control/call.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "peerd/control/json.h"

#define STATIONS_MOST 64

static json_t *
json_station(const struct correspondent *s)
{
	char name[SP_NAME_TEXT];

	return json_pack("{s:s, s:o, s:o, s:o}", "name", sp_identity_text(&s->identity, name), "certificate_ends",
	    json_time((uint64_t)s->identity.not_after * 1000), "seen", json_time(s->seen_ms),
	    "at", s->seen[0] != 0 ? json_string(s->seen) : json_null());
}

static json_t *
json_entry(struct book *b, const struct book_row *row)
{
	const struct correspondent *all[STATIONS_MOST];
	size_t n = book_stations(b, row->name, all, STATIONS_MOST);
	json_t *stations = json_array();

	for (size_t i = 0; i < n && i < STATIONS_MOST; i++)
		json_array_append_new(stations, json_station(all[i]));
	return json_pack("{s:s, s:o, s:o, s:o}", "name", row->name, "address",
	    row->address[0] != 0 ? json_string(row->address) : json_null(), "added", json_time(row->added_ms),
	    "stations", stations);
}

void
on_book(struct call *c)
{
	json_t *entries = json_array();

	for (size_t i = 0; i < book_count(c->peer->book); i++)
		json_array_append_new(entries, json_entry(c->peer->book, book_entry(c->peer->book, i)));
	call_answer(c, json_pack("{s:o}", "entries", entries));
}

static void
added(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct call *c = arg;

	if (st != SP_OK) {
		call_fail(c, st, why);
		return;
	}
	for (size_t i = 0; i < book_count(c->peer->book); i++)
		if (strcmp(book_entry(c->peer->book, i)->name, c->name) == 0) {
			call_answer(c, json_entry(c->peer->book, book_entry(c->peer->book, i)));
			return;
		}
	call_answer(c, json_object());
}

void
on_book_add(struct call *c)
{
	bool ok = true;
	const char *name = call_text(c, "name", &ok), *address = call_text(c, "address", &ok);
	struct sp_name parsed;
	struct sp_why why = { "" };

	if (!ok || name == NULL || sp_name_parse(sp_span_str(name), &parsed) != SP_OK) {
		sp_fail(SP_E_ARGUMENT, &why, "\"%.100s\" is no name; names look like bob@post.example", name != NULL ? name : "");
		call_fail(c, SP_E_ARGUMENT, &why);
		return;
	}
	sp_name_text(&parsed, c->name);
	book_add(c->peer->book, c->name, address, added, c);
}

static void
removed(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct call *c = arg;

	if (st != SP_OK)
		call_fail(c, st, why);
	else
		call_answer(c, json_object());
}

void
on_book_remove(struct call *c)
{
	book_remove(c->peer->book, c->arg, removed, c);
}

/* ---- presence: a PING to each station of a name ---- */
struct asking {
	struct call *call;
	size_t open;
	bool person;
	json_t *stations;
	uint64_t began_ms;
};
struct ping {
	struct asking *asking;
	char name[SP_NAME_TEXT];
};

static void
all_answered(struct asking *a)
{
	json_t *only = json_array_get(a->stations, 0);

	if (a->person) {
		call_answer(a->call, json_pack("{s:o}", "stations", a->stations));
	} else {
		json_incref(only);
		json_decref(a->stations);
		call_answer(a->call, only);
	}
	free(a);
}

static void
pinged(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	struct ping *ping = arg;
	struct asking *a = ping->asking;
	bool present = st == SP_OK && answer->type == SP_MSG_PONG;
	char address[SP_ADDR_TEXT];

	json_array_append_new(a->stations, json_pack("{s:s, s:b, s:o, s:I, s:o}", "name", ping->name, "present", present,
	    "address", present ? json_string(sp_addr_text(&answer->address, address)) : json_null(),
	    "milliseconds", (json_int_t)(sp_clock_boot_ms() - a->began_ms),
	    "reason", json_reason(present ? SP_OK : st == SP_OK ? SP_E_REPLY : st, why != NULL ? why->text : NULL)));
	free(ping);
	if (--a->open == 0)
		all_answered(a);
}

static void
ping(struct asking *a, const struct correspondent *s)
{
	struct sp_msg_ping m = { 0 };
	struct ping *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return;
	p->asking = a;
	sp_identity_text(&s->identity, p->name);
	a->open++;
	(void)post_ask(a->call->peer->post, &s->identity.hash, NULL, false, SP_MSG_PING, &m, pinged, p);
}

void
on_who(struct call *c)
{
	const struct correspondent *all[STATIONS_MOST];
	size_t n = book_stations(c->peer->book, c->arg, all, STATIONS_MOST);
	struct asking *a = n > 0 ? calloc(1, sizeof(*a)) : NULL;
	struct sp_why why = { "" };

	if (a == NULL) {
		sp_fail(SP_E_NOKEY, &why, "%s is not in your book", c->arg);
		call_fail(c, n > 0 ? SP_E_NOMEM : SP_E_NOKEY, &why);
		return;
	}
	a->call = c;
	a->person = strchr(c->arg, '/') == NULL;
	a->stations = json_array();
	a->began_ms = sp_clock_boot_ms();
	for (size_t i = 0; i < n && i < STATIONS_MOST; i++)
		ping(a, all[i]);
	if (a->open == 0) {
		json_decref(a->stations);
		free(a);
		call_fail(c, SP_E_NOMEM, NULL);
	}
}
