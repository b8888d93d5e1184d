/*
 * presence.c - the PINGs of a start, one after the other, so that a large book is no burst.
 */
#include "peerd/events/presence.h"

/* Whom to tell. */
struct ping {
	struct presence *presence;
	struct sp_hash cert;
};

struct presence {
	struct events *all;		/* borrowed */
	struct sp_timer *timer;		/* owned */
	struct ping *pings;		/* owned */
	size_t count, room, at;
	size_t out;			/* unanswered */
};

static void
add(struct presence *p, const struct sp_hash *cert)
{
	if (p->count == p->room) {
		size_t room = p->room == 0 ? 64 : 2 * p->room;
		struct ping *pings = reallocarray(p->pings, room, sizeof(*pings));

		if (pings == NULL)
			return;
		p->pings = pings;
		p->room = room;
	}
	p->pings[p->count++] = (struct ping){ p, *cert };
}

static void
add_station(void *arg, const struct correspondent *c)
{
	struct presence *p = arg;

	/* those that something waits for are there already */
	for (const struct live *l = p->all->peers[live_peer_bucket(&c->identity.hash)]; l != NULL; l = l->next_of_peer)
		if (sp_hash_eq(&l->peer_cert, &c->identity.hash))
			return;
	add(p, &c->identity.hash);
}

static void
add_waiting(struct presence *p)
{
	for (size_t b = 0; b < LIVE_BUCKETS; b++)
		for (const struct live *l = p->all->peers[b]; l != NULL; l = l->next_of_peer) {
			bool first = true;

			for (const struct live *o = p->all->peers[b]; o != l && first; o = o->next_of_peer)
				first = !sp_hash_eq(&o->peer_cert, &l->peer_cert);
			if (first)
				add(p, &l->peer_cert);
		}
}

static void
answered(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	const struct ping *ping = arg;
	struct presence *p = ping->presence;

	(void)why;
	p->out--;
	if (p->at < p->count)
		sp_timer_set(p->timer, SP_PING_EACH_MS);
	if (st == SP_OK && answer->type == SP_MSG_PONG)
		events_heard(p->all, &ping->cert, false);
}

static void
next(void *arg)
{
	struct presence *p = arg;
	struct sp_msg_ping msg = { 0 };

	if (p->at == p->count || p->out >= SP_PINGS_OUT)
		return;
	if (post_ask(p->all->parts.post, &p->pings[p->at].cert, NULL, false, SP_MSG_PING, &msg, answered, &p->pings[p->at]) != 0)
		p->out++;
	p->at++;
	sp_timer_set(p->timer, SP_PING_EACH_MS);
}

void
presence_start(struct events *e)
{
	struct presence *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return;
	p->all = e;
	p->timer = sp_timer_new(e->parts.loop, next, p);
	if (p->timer == NULL) {
		presence_free(p);
		return;
	}
	add_waiting(p);
	book_each(e->parts.book, add_station, p);
	e->presence = p;
	sp_timer_set(p->timer, 0);
}

void
presence_free(struct presence *p)
{
	if (p == NULL)
		return;
	sp_timer_free(p->timer);
	free(p->pings);
	free(p);
}
