/*
 * station.c - handlers of the API: status, enrol, roster, stop.
 */
#include "peerd/control/call.h"

#include <signal.h>

#include "common/base/clock.h"
#include "peerd/control/json.h"

/* A correspondent whose clock differs. */
static void
add_clock(void *arg, const struct correspondent *c)
{
	char clock[CORRESPONDENT_CLOCK];

	if (correspondent_clock(c, clock)[0] != 0)
		json_array_append_new(arg, json_string(clock));
}

/* What this station cannot do now, and why, in plain words. */
static json_t *
lacks(const struct peer *p)
{
	json_t *list = json_array();

	if (!member_is_enrolled(p->station)) {
		json_array_append_new(list, json_string("it is not enrolled: nothing can be sent or received"));
		return list;
	}
	if (member_service(p->station, "creditd")[0] == 0)
		json_array_append_new(list, json_string(member_tariff(p->station)->count == 0 ?
		    "no creditd is known: everything is free of charge" : "no creditd is known: credits can't be had"));
	if (member_service(p->station, "certd")[0] == 0)
		json_array_append_new(list, json_string("no certd is known: receipts are direct, without a postmark"));
	if (wallet_has_closed(p->wallet))
		json_array_append_new(list, json_string(CONTROL_CLOSED_SHEET));
	if (sp_clock_is_behind())
		json_array_append_new(list, json_string("the clock of this machine is behind the time that services have told: set it"));
	if (p->book != NULL)
		book_each(p->book, add_clock, list);
	return list;
}

static json_t *
letters(const struct peer *p)
{
	struct post_counts n = { 0 };
	json_t *reasons = json_object();

	if (p->post != NULL)
		post_counts(p->post, &n);
	for (const struct post_kind *k = post_kinds; k->name != NULL; k++)
		json_object_set_new(reasons, k->name, json_integer((json_int_t)post_kind_count(&n, k)));
	return json_pack("{s:I, s:I, s:I, s:o, s:I, s:b}", "in", (json_int_t)n.in, "out", (json_int_t)n.out, "dropped",
	    (json_int_t)n.dropped, "reasons", reasons, "cookies_taken", (json_int_t)n.cookies_taken, "under_load",
	    p->post != NULL && post_is_loaded(p->post));
}

static json_t *
status(const struct peer *p)
{
	bool enrolled = member_is_enrolled(p->station);
	const struct sp_identity *own = enrolled ? member_identity(p->station) : NULL;
	char name[SP_NAME_TEXT];

	return json_pack("{s:o, s:s, s:b, s:b, s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:I}",
	    "name", enrolled ? json_string(sp_identity_text(own, name)) : json_null(), "version", PACKAGE_VERSION,
	    "enrolled", enrolled, "ready", p->ready, "port", (json_int_t)(p->post != NULL ? post_port(p->post) : 0),
	    "domain", enrolled ? json_string(own->name.domain) : json_null(),
	    "certificate_ends", enrolled ? json_time((uint64_t)own->not_after * 1000) : json_null(),
	    "home", json_safe_text(p->home), "received", json_safe_text(p->settings.received),
	    "pending", (json_int_t)(p->events != NULL ? events_pending(p->events) : 0),
	    "book", (json_int_t)(p->book != NULL ? book_count(p->book) : 0), "lacks", lacks(p), "letters", letters(p),
	    "asked", (json_int_t)(p->events != NULL ? events_asked(p->events) : 0));
}

void
on_status(struct call *c)
{
	call_answer(c, status(c->peer));
}

static void
begun(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct call *c = arg;

	c->control->enrolling = false;
	if (st != SP_OK)
		call_fail(c, st, why);
	else
		call_answer(c, status(c->peer));
}

static void
enrolled(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct call *c = arg;

	if (st != SP_OK || c->peer->book != NULL)
		begun(c, st, why);
	else
		peer_begin(c->peer, begun, c);
}

void
on_enrol(struct call *c)
{
	bool ok = true;
	const char *token = call_text(c, "token", &ok);
	struct sp_why why = { "" };

	if (!ok || token == NULL) {
		sp_fail(SP_E_ARGUMENT, &why, "an enrolment needs \"token\", a text");
		call_fail(c, SP_E_ARGUMENT, &why);
	} else if (c->control->enrolling) {
		sp_fail(SP_E_BUSY, &why, "an enrolment is under way");
		call_fail(c, SP_E_BUSY, &why);
	} else {
		c->control->enrolling = true;
		member_enrol(c->peer->station, token, enrolled, c);
	}
}

void
on_roster(struct call *c)
{
	static const char *const roles[] = { "keyd", "creditd", "certd" };
	json_t *services = json_array();

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (member_service(c->peer->station, roles[i])[0] != 0)
			json_array_append_new(services, json_pack("{s:s, s:s}", "role", roles[i], "addresses",
			    member_service(c->peer->station, roles[i])));
	call_answer(c, json_pack("{s:s, s:o}", "domain", member_identity(c->peer->station)->name.domain, "services",
	    services));
}

/* Through the same door as the operating system's own request. */
void
on_stop(struct call *c)
{
	call_answer(c, json_object());
	raise(SIGTERM);
}
