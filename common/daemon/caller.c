/*
 * caller.c - letters from a service: sealed once, sent over UDP with doubling intervals, then over TCP; by TCP first where
 * datagrams were in vain lately. Anybody can write to its port: what is opened passes the guard.
 */
#include "common/daemon/caller.h"

#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/guard.h"
#include "common/net/resolve.h"
#include "common/net/ways.h"
#include "common/wire/letter.h"

#define TCP_MS 5000	/* for the answer over TCP */

struct call {
	TAILQ_ENTRY(call) link;
	struct sp_caller *caller;
	struct sp_id id;
	struct sp_letter_key receiver;
	struct sp_buf letter;
	struct sp_addr to;
	uint64_t resolving;
	unsigned tries, cookies;
	unsigned worth;				/* tries by datagram before TCP */
	struct sp_timer *timer;
	sp_called_fn *fn;
	void *arg;
};

struct sp_caller {
	struct sp_loop *loop;			/* borrowed */
	struct member *member;			/* borrowed */
	struct sp_resolver *resolver;		/* owned */
	struct sp_letterbox *box;		/* owned */
	struct sp_guard *guard;			/* owned */
	struct sp_ways ways;
	struct sp_letter_key own;
	TAILQ_HEAD(calls, call) calls;
	size_t ncalls;
};

static void
call_free(struct call *k)
{
	TAILQ_REMOVE(&k->caller->calls, k, link);
	k->caller->ncalls--;
	sp_resolve_cancel(k->caller->resolver, k->resolving);
	sp_timer_free(k->timer);
	sp_buf_done(&k->letter);
	free(k);
}

static void
call_end(struct call *k, enum sp_status st)
{
	sp_called_fn *fn = k->fn;
	void *arg = k->arg;

	call_free(k);
	fn(arg, st);
}

static void
send_datagram(struct call *k)
{
	struct sp_caller *c = k->caller;

	sp_guard_stamp(c->guard, &k->to, k->letter.data, k->letter.len, sp_clock_boot_ms());
	if (sp_letterbox_send(c->box, &k->to, sp_buf_span(&k->letter)) != SP_OK)
		sp_log(SP_LOG_DEBUG, "letter-not-sent", "try=%u", k->tries);
}

static void
try_once(void *arg)
{
	struct call *k = arg;
	struct sp_caller *c = k->caller;

	if (k->tries > k->worth) {
		sp_ways_no_tcp(&c->ways, &k->to, sp_clock_boot_ms());
		if (k->worth == SP_LETTER_TRIES) {
			call_end(k, SP_E_TIMEOUT);
			return;
		}
		k->worth = SP_LETTER_TRIES;	/* TCP first was wrong: everything from the beginning */
		k->tries = 0;
	}
	/* what cannot be sent now is as good as lost on the way: the next try follows */
	if (k->tries < k->worth) {
		send_datagram(k);
		sp_timer_set(k->timer, (uint64_t)SP_LETTER_FIRST_MS << k->tries);
	} else {
		sp_cookie_stamp(k->letter.data, k->letter.len, NULL);
		if (sp_letterbox_send_tcp(c->box, &k->to, sp_buf_span(&k->letter)) != SP_OK)
			sp_log(SP_LOG_DEBUG, "letter-not-sent", "try=tcp");
		sp_timer_set(k->timer, TCP_MS);
	}
	k->tries++;
}

static void
resolved(void *arg, enum sp_status st, const struct sp_addr *addrs, size_t n, const struct sp_why *why)
{
	struct call *k = arg;

	(void)why;
	k->resolving = 0;
	if (st != SP_OK || n == 0) {
		call_end(k, SP_E_CONNECT);
		return;
	}
	k->to = addrs[0];
	k->worth = sp_ways_tries(&k->caller->ways, &k->to, SP_LETTER_TRIES, sp_clock_boot_ms());
	try_once(k);
}

enum sp_status
sp_call(struct sp_caller *c, const uint8_t letter_key[SP_X25519], const char *hostport, unsigned type, const void *msg,
    sp_called_fn *fn, void *arg, struct sp_why *why)
{
	struct call *k = c->ncalls < SP_CALLS_MAX ? calloc(1, sizeof(*k)) : NULL;
	struct sp_letter_head head = { .id = sp_id_new(), .time_ms = sp_clock_wall_ms(), .pad_to = SP_LETTER_QUESTION };
	enum sp_status st;

	if (k == NULL)
		return sp_fail(SP_E_FULL, why, "too many calls are under way");
	k->caller = c;
	k->id = head.id;
	k->fn = fn;
	k->arg = arg;
	TAILQ_INSERT_TAIL(&c->calls, k, link);
	c->ncalls++;
	sp_letter_key_init(&k->receiver, letter_key);
	st = (k->timer = sp_timer_new(c->loop, try_once, k)) != NULL ? SP_OK : SP_E_NOMEM;
	if (st == SP_OK)
		st = sp_letter_seal(member_letter_pair(c->member), &k->receiver, &head, sp_desc_msg(type), msg, &k->letter, why);
	if (st == SP_OK)
		st = sp_resolve(c->resolver, sp_span_str(hostport), SP_PORT_COMMAND, resolved, k, &k->resolving);
	if (st != SP_OK)
		call_free(k);
	return st;
}

/* ---- what comes in ---- */

static void
answered(struct sp_caller *c, const struct sp_return *from, const struct sp_letter *letter)
{
	struct sp_msg_answer m;
	struct call *k;

	TAILQ_FOREACH(k, &c->calls, link)
		if (sp_id_eq(&k->id, &letter->head.answers) && memcmp(k->receiver.public_key, letter->sender_key, SP_X25519) == 0)
			break;
	if (k == NULL || letter->type != SP_MSG_ANSWER || sp_decode(letter->desc, letter->body, &m, NULL) != SP_OK)
		return;
	if (from->conn == 0)
		sp_ways_udp(&c->ways, &from->addr);
	else if (from->dialled)
		sp_ways_tcp(&c->ways, &from->addr, k->tries > SP_LETTER_TRIES, sp_clock_boot_ms());
	call_end(k, m.status == 0 ? SP_OK : sp_status_from_number(m.status));
}

/* A station that does not know our key asks for its certificate. */
static void
give_certificate(struct sp_caller *c, const struct sp_return *from, const struct sp_letter *letter, size_t question)
{
	struct sp_msg_thing m = { .kind = 1, .bytes = member_cert(c->member) };
	struct sp_letter_head head = { .id = sp_id_new(), .answers = letter->head.id, .time_ms = sp_clock_wall_ms() };
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_letter_key receiver;

	sp_letter_key_init(&receiver, letter->sender_key);
	if (sp_letter_seal(member_letter_pair(c->member), &receiver, &head, sp_desc_msg(SP_MSG_THING), &m, &out, NULL) != SP_OK ||
	    (from->conn == 0 && out.len > question))
		return;		/* no answer to an unproved address is longer than its question */
	if (sp_letterbox_reply(c->box, from, sp_buf_span(&out)) != SP_OK)
		sp_log(SP_LOG_DEBUG, "letter-not-sent", "what=certificate");
}

/* The station is under load: the letter goes again at once, with what proves our address. */
static void
cookie_came(struct sp_caller *c, const struct sp_return *from, struct sp_span bytes)
{
	uint8_t cookie[SP_COOKIE];
	const uint8_t *ref;
	struct call *k;

	if (sp_cookie_peek(bytes, &ref) != SP_OK)
		return;
	TAILQ_FOREACH(k, &c->calls, link)
		if (k->tries > 0 && sp_addr_eq(&k->to, &from->addr) &&
		    memcmp(sp_cookie_ref(sp_buf_span(&k->letter)), ref, SP_COOKIE_REF) == 0 &&
		    sp_cookie_open(&k->receiver, sp_buf_span(&k->letter), bytes, cookie) == SP_OK)
			break;
	if (k == NULL || k->cookies++ >= SP_LETTER_COOKIES_LETTER)
		return;
	sp_guard_keep(c->guard, &k->receiver, &k->to, cookie, sp_clock_boot_ms());
	send_datagram(k);
}

/* The letter names a station that is being called, and comes from where that was written to. */
static bool
is_called(const struct sp_caller *c, const struct sp_return *from, const uint8_t key[SP_X25519])
{
	const struct call *k;

	TAILQ_FOREACH(k, &c->calls, link)
		if (k->tries > 0 && sp_addr_eq(&k->to, &from->addr) && memcmp(k->receiver.public_key, key, SP_X25519) == 0)
			return true;
	return false;
}

/* Is it worth opening? If not, a cookie may be the answer. */
static bool
admits(struct sp_caller *c, const struct sp_return *from, struct sp_span bytes, const uint8_t key[SP_X25519])
{
	/* whoever answers keeps no cookies: under load its answer would be lost */
	const struct sp_guard_case one = { .from = from, .letter = bytes, .station = is_called(c, from, key) ? key : NULL };
	uint64_t now = sp_clock_boot_ms();
	enum sp_guard_says says = sp_guard_letter(c->guard, &one, now);
	uint8_t out[SP_COOKIE_LETTER];

	if (says == SP_GUARD_COOKIE) {
		sp_guard_cookie(c->guard, &c->own, &one, now, out);
		if (sp_letterbox_send(c->box, &from->addr, sp_span(out, sizeof(out))) != SP_OK)
			sp_log(SP_LOG_DEBUG, "letter-not-sent", "what=cookie");
	}
	return says == SP_GUARD_OPEN;
}

static void
on_letter(void *arg, const struct sp_return *from, struct sp_span bytes)
{
	struct sp_caller *c = arg;
	SP_AUTO_DONE(sp_buf) text = { .secret = true };
	struct sp_letter_envelope envelope;
	struct sp_letter letter;

	if (bytes.n == SP_COOKIE_LETTER && from->conn == 0) {
		cookie_came(c, from, bytes);
		return;
	}
	if (sp_letter_peek(bytes, from->conn == 0 ? SP_LETTER_MAX : SP_LETTER_TCP_MAX, &envelope) != SP_OK ||
	    sp_letter_check(bytes, &c->own) != SP_OK) {
		sp_letterbox_bad(c->box, from->conn);
		return;
	}
	if (!admits(c, from, bytes, envelope.sender_key))
		return;
	if (sp_letter_open(member_letter_pair(c->member), bytes, &text, &letter) != SP_OK)
		sp_letterbox_bad(c->box, from->conn);
	else if (letter.desc == NULL)
		return;
	else if (letter.type == SP_MSG_GET)
		give_certificate(c, from, &letter, bytes.n);
	else if (!sp_id_is_zero(&letter.head.answers))
		answered(c, from, &letter);
}

enum sp_status
sp_caller_new(struct sp_loop *loop, struct member *member, struct sp_caller **ret_caller, struct sp_why *why)
{
	SP_AUTO(sp_caller) *c = calloc(1, sizeof(*c));
	struct sp_letterbox_conf conf = { .on_letter = on_letter };
	enum sp_status st;

	if (c == NULL)
		return SP_E_NOMEM;
	TAILQ_INIT(&c->calls);
	if ((c->guard = sp_guard_new(0)) == NULL)
		return SP_E_NOMEM;
	c->loop = loop;
	c->member = member;
	conf.arg = c;
	sp_letter_key_init(&c->own, member_letter_pair(member)->public_key);
	if ((st = sp_resolver_new(loop, &c->resolver, why)) != SP_OK ||
	    (st = sp_letterbox_new_any(loop, &conf, 0, &c->box, why)) != SP_OK)
		return st;
	*ret_caller = sp_take(&c);
	return SP_OK;
}

void
sp_caller_free(struct sp_caller *c)
{
	struct call *k;

	if (c == NULL)
		return;
	while ((k = TAILQ_FIRST(&c->calls)) != NULL)
		call_end(k, SP_E_CANCELLED);
	sp_letterbox_free(c->box);
	sp_resolver_free(c->resolver);
	sp_guard_free(c->guard);
	free(c);
}
