/*
 * out.c - own letters: sealed once, sent by datagram until the tries are used up, then the same bytes over TCP, until
 * an answer comes; by TCP first where datagrams were in vain lately. Waits vary a little, so that two stations never keep step.
 */
#include "common/base/clock.h"
#include "common/crypto/rand.h"
#include "peerd/letters/post_in.h"

#define CLOCKS_MAX 2		/* times that one letter is dated anew */

static size_t
id_bucket(const struct sp_id *id)
{
	return (size_t)(id->b[14] | id->b[15] << 8) % OUT_BUCKETS;
}

/* ---- the tables ---- */
static struct out *
find_id(const struct post *p, const struct sp_id *id)
{
	struct out *o = p->out_by_id[id_bucket(id)];

	while (o != NULL && !sp_id_eq(&o->id, id))
		o = o->chain_id;
	return o;
}

static void
enter_id(struct out *o)
{
	struct out **head = &o->post->out_by_id[id_bucket(&o->id)];

	o->chain_id = *head;
	*head = o;
}

static void
leave_id(struct out *o)
{
	struct out **at = &o->post->out_by_id[id_bucket(&o->id)];

	while (*at != o)
		at = &(*at)->chain_id;
	*at = o->chain_id;
}

static size_t
ref_bucket(const uint8_t *ref)
{
	return (size_t)(ref[0] | ref[1] << 8) % OUT_BUCKETS;
}

/* By the letter's reference, whose letter may be about to change. */
static void
leave_ref(struct out *o)
{
	struct out **at;

	if (!o->has_ref)
		return;
	at = &o->post->out_by_refs[ref_bucket(sp_cookie_ref(sp_buf_span(&o->letter)))];
	while (*at != o)
		at = &(*at)->chain_ref;
	*at = o->chain_ref;
	o->has_ref = false;
}

static void
enter_ref(struct out *o)
{
	struct out **head = &o->post->out_by_refs[ref_bucket(sp_cookie_ref(sp_buf_span(&o->letter)))];

	o->chain_ref = *head;
	*head = o;
	o->has_ref = true;
}

static void
leave_handle(struct out *o)
{
	struct out **at = &o->post->out_by_handle[o->handle % OUT_BUCKETS];

	while (*at != o)
		at = &(*at)->chain_handle;
	*at = o->chain_handle;
}

void
out_free(struct out *o)
{
	struct post *p = o->post;

	leave_id(o);
	leave_ref(o);
	leave_handle(o);
	*(o->prev != NULL ? &o->prev->next : &p->outs) = o->next;
	if (o->next != NULL)
		o->next->prev = o->prev;
	p->counts.open_out--;
	for (size_t i = 0; i < 2; i++)
		sp_resolve_cancel(p->resolver, o->lookups[i]);
	sp_timer_free(o->timer);
	sp_buf_done(&o->body);
	sp_buf_done(&o->letter);
	free(o);
}

static void
end(struct out *o, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	post_answer_fn *fn = o->fn;
	void *arg = o->arg;
	struct sp_why words = *why;

	out_free(o);
	fn(arg, st, &words, answer);
}

/* It ends at the loop's next turn; why is written already. */
static void
fail_later(struct out *o, enum sp_status st)
{
	o->phase = OUT_FAILED;
	o->st = st;
	sp_timer_set(o->timer, 0);
}

/* ---- sealing ---- */
/* Under a new id each time: another date makes another letter. */
static enum sp_status
seal(struct out *o)
{
	struct post *p = o->post;
	const struct correspondent *c = book_by_cert(p->book, &o->to_cert);
	struct sp_letter_head head = { .id = sp_id_new(), .pad_to = SP_LETTER_QUESTION,
		.time_ms = sp_clock_wall_ms() + (uint64_t)(c != NULL ? c->offset_ms : 0) };
	SP_AUTO_MEM void *msg = calloc(1, o->desc->size);
	enum sp_status st;

	if (msg == NULL)
		return SP_E_NOMEM;
	if ((st = sp_decode(o->desc, sp_buf_span(&o->body), msg, &o->why)) != SP_OK)
		return st;
	leave_ref(o);
	sp_buf_clear(&o->letter);
	st = sp_letter_seal(member_letter_pair(p->station), &o->to, &head, o->desc, msg, &o->letter, &o->why);
	sp_wipe(msg, o->desc->size);
	leave_id(o);
	o->id = head.id;
	enter_id(o);
	if (st == SP_OK)
		enter_ref(o);
	return st;
}

/* ---- sending ---- */
static void
address_add(struct out *o, const struct sp_addr *addr, bool before_seen)
{
	size_t at = before_seen ? o->seen_at : o->naddrs;

	for (size_t i = 0; i < o->naddrs; i++)
		if (sp_addr_eq(&o->addrs[i], addr))
			return;
	if (o->naddrs == OUT_ADDRESSES)
		return;
	memmove(&o->addrs[at + 1], &o->addrs[at], (o->naddrs - at) * sizeof(*addr));
	o->addrs[at] = *addr;
	o->naddrs++;
	if (before_seen)
		o->seen_at++;
}

static void
no_answer(struct out *o, enum sp_status st, const char *reason)
{
	const struct correspondent *c = book_by_cert(o->post->book, &o->to_cert);
	char addr[SP_ADDR_TEXT], clock[CORRESPONDENT_CLOCK];

	if (reason[0] == 0)
		reason = correspondent_clock(c, clock);
	if (reason[0] != '\0')
		sp_fail(st, &o->why, "%s does not answer at %s: %.120s", o->to_name, sp_addr_text(&o->addrs[0], addr),
		    reason);
	else
		sp_fail(st, &o->why, "%s does not answer at %s", o->to_name, sp_addr_text(&o->addrs[0], addr));
	fail_later(o, st);
}

/* The address to be tried next over TCP; naddrs: none is left. Where it was heard of last comes first: it may have moved.
 * Where TCP led nowhere lately comes last. */
static size_t
best_for_tcp(const struct out *o)
{
	const struct correspondent *c = book_by_cert(o->post->book, &o->to_cert);
	uint64_t now = sp_clock_boot_ms();
	size_t best = o->naddrs;
	int rank, best_rank = -1;

	for (size_t i = 0; i < o->naddrs; i++) {
		if (o->tcp_tried[i])
			continue;
		rank = sp_ways_lacks_tcp(&o->post->ways, &o->addrs[i], now) ? 0 :
		    c != NULL && sp_addr_eq(&c->fresh, &o->addrs[i]) ? 2 : 1;
		if (rank > best_rank) {
			best = i;
			best_rank = rank;
		}
	}
	return best;
}

static void next_udp(struct out *o);

static void
next_tcp(struct out *o, const char *reason)
{
	struct post *p = o->post;
	size_t at;

	if (o->phase == OUT_TCP)
		sp_ways_no_tcp(&p->ways, &o->tcp_addr, sp_clock_boot_ms());
	o->phase = OUT_TCP;
	while ((at = best_for_tcp(o)) < o->naddrs) {
		o->tcp_tried[at] = true;
		o->tcp_addr = o->addrs[at];
		if (sp_letterbox_send_tcp(p->box, &o->tcp_addr, sp_buf_span(&o->letter)) == SP_OK) {
			p->counts.out++;
			sp_timer_set(o->timer, p->tcp_ms);
			return;
		}
	}
	if (o->tcp_only || o->worth == p->tries) {
		no_answer(o, SP_E_TIMEOUT, reason);
		return;
	}
	/* TCP first was wrong: everything from the beginning */
	o->worth = p->tries;
	o->tries = 0;
	o->first = 0;
	memset(o->tcp_tried, 0, sizeof(o->tcp_tried));
	next_udp(o);
}

/* A tenth more or less. */
static uint64_t
wait_of(const struct post *p, unsigned tries)
{
	uint64_t ms = (uint64_t)p->first_ms << (tries < 16 ? tries : 16);

	return ms - ms / 10 + sp_random_below(ms / 5 + 1);
}

static void
next_udp(struct out *o)
{
	struct post *p = o->post;

	o->phase = OUT_UDP;
	/* An address that cannot be reached from here costs no time. */
	for (size_t i = 0; i < o->naddrs; i++) {
		const struct sp_addr *addr = &o->addrs[(o->first + o->tries + i) % o->naddrs];

		if (door_send(p, addr, sp_buf_span(&o->letter)))
			break;
	}
	sp_timer_set(o->timer, wait_of(p, o->tries++));
}

struct out *
out_by_ref(const struct post *p, const uint8_t *ref, const struct sp_addr *addr)
{
	struct out *o = p->out_by_refs[ref_bucket(ref)];

	while (o != NULL && memcmp(sp_cookie_ref(sp_buf_span(&o->letter)), ref, SP_COOKIE_REF) != 0)
		o = o->chain_ref;
	for (size_t i = 0; o != NULL && o->phase != OUT_FAILED && i < o->naddrs; i++)
		if (sp_addr_eq(&o->addrs[i], addr))
			return o;
	return NULL;
}

/* A round trip, not a wait: the timer stays as it is. */
void
out_with_cookie(struct out *o, const struct sp_addr *addr)
{
	if (o->cookies++ < SP_LETTER_COOKIES_LETTER)
		(void)door_send(o->post, addr, sp_buf_span(&o->letter));
}

static void
begin(struct out *o)
{
	struct post *p = o->post;
	size_t best = best_for_tcp(o);

	if (!o->tcp_only)
		o->worth = sp_ways_tries(&p->ways, &o->addrs[best], p->tries, sp_clock_boot_ms());
	o->first = o->worth < p->tries ? best : 0;
	if (o->worth == 0)
		next_tcp(o, "");
	else
		next_udp(o);
}

static void
start(struct out *o)
{
	if (o->naddrs == 0 && (o->lookups[0] != 0 || o->lookups[1] != 0))
		o->phase = OUT_LOOKING_UP;
	else if (o->naddrs == 0)
		fail_later(o, sp_fail(SP_E_CONNECT, &o->why, o->why.text[0] != '\0' ? "%s cannot be reached: %.120s" :
		    "no address of %s is known; \"sealpost book add NAME --address HOST\" gives one", o->to_name,
		    o->why.text));
	else
		begin(o);
}

static void
on_timer(void *arg)
{
	struct out *o = arg;

	switch (o->phase) {
	case OUT_FAILED:
		end(o, o->st, &o->why, NULL);
		break;
	case OUT_UDP:
		if (o->tries < o->worth)
			next_udp(o);
		else
			next_tcp(o, "");
		break;
	case OUT_TCP:
		next_tcp(o, "");
		break;
	case OUT_LOOKING_UP:
		break;
	}
}

void
out_tcp_failed(struct post *p, const struct sp_addr *addr, enum sp_status st, const struct sp_why *why)
{
	(void)st;
	for (struct out *o = p->outs; o != NULL; o = o->next)
		if (o->phase == OUT_TCP && sp_addr_eq(&o->tcp_addr, addr))
			next_tcp(o, why->text);
}

/* ---- addresses ---- */
static void
looked_up(struct out *o, size_t which, enum sp_status st, const struct sp_addr *addrs, size_t n,
    const struct sp_why *why)
{
	o->lookups[which] = 0;
	for (size_t i = 0; i < n && st == SP_OK; i++)
		address_add(o, &addrs[i], o->phase == OUT_LOOKING_UP);
	if (st != SP_OK)
		o->why = *why;
	if (o->phase == OUT_LOOKING_UP)
		start(o);
}

static void
override_found(void *arg, enum sp_status st, const struct sp_addr *addrs, size_t n, const struct sp_why *why)
{
	looked_up(arg, 0, st, addrs, n, why);
}

static void
book_found(void *arg, enum sp_status st, const struct sp_addr *addrs, size_t n, const struct sp_why *why)
{
	looked_up(arg, 1, st, addrs, n, why);
}

static void
address_text(struct out *o, const char *text, size_t which)
{
	struct sp_addr addr;
	enum sp_status st;

	if (text == NULL || text[0] == '\0')
		return;
	if (sp_addr_parse(sp_span_str(text), SP_PORT_COMMAND, &addr) == SP_OK) {
		address_add(o, &addr, true);
		return;
	}
	st = sp_resolve(o->post->resolver, sp_span_str(text), SP_PORT_COMMAND,
	    which == 0 ? override_found : book_found, o, &o->lookups[which]);
	if (st != SP_OK)
		sp_fail(st, &o->why, "its address cannot be looked up: %s", sp_status_text(st));
}

static void
gather_addresses(struct out *o, const struct correspondent *c, const char *override)
{
	struct sp_addr seen;

	address_text(o, override, 0);
	address_text(o, c->address, 1);
	if (c->seen[0] != '\0' && sp_addr_parse(sp_span_str(c->seen), 0, &seen) == SP_OK)
		address_add(o, &seen, false);
}

/* ---- asking ---- */
static struct out *
out_new(struct post *p, unsigned type, post_answer_fn *fn, void *arg)
{
	struct out *o = calloc(1, sizeof(*o)), **head;
	struct sp_timer *timer = o != NULL ? sp_timer_new(p->loop, on_timer, o) : NULL;

	if (timer == NULL) {
		free(o);
		return NULL;
	}
	*o = (struct out){ .post = p, .timer = timer, .handle = ++p->handles, .desc = sp_desc_msg(type), .fn = fn,
		.arg = arg, .id = sp_id_new(), .next = p->outs, .body.secret = true, .phase = OUT_LOOKING_UP };
	if (p->outs != NULL)
		p->outs->prev = o;
	p->outs = o;
	p->counts.open_out++;
	head = &p->out_by_handle[o->handle % OUT_BUCKETS];
	o->chain_handle = *head;
	*head = o;
	enter_id(o);
	return o;
}

static enum sp_status
prepare(struct out *o, const struct sp_hash *to_cert, const void *msg)
{
	struct post *p = o->post;
	const struct correspondent *c = book_by_cert(p->book, to_cert);
	enum sp_status st;

	if (p->counts.open_out > SP_LETTER_OUT)
		return sp_fail(SP_E_FULL, &o->why, "too many letters wait for an answer");
	if (!member_is_enrolled(p->station))
		return sp_fail(SP_E_NOTENROLLED, &o->why, "this station is not enrolled yet");
	if (c == NULL)
		return sp_fail(SP_E_NOKEY, &o->why, "no certificate is known for this destination");
	sp_identity_text(&c->identity, o->to_name);
	if (!correspondent_holds(c, sp_clock_end_ms()))
		return sp_fail(SP_E_CERT_EXPIRED, &o->why, "the certificate of %s has ended or not begun",
		    o->to_name);
	o->to_cert = *to_cert;
	sp_letter_key_init(&o->to, c->identity.letter_key);
	if ((st = sp_encode(o->desc, msg, &o->body, &o->why)) != SP_OK)
		return st;
	return seal(o);
}

uint64_t
post_ask(struct post *p, const struct sp_hash *to_cert, const char *address_override, bool tcp, unsigned type,
    const void *msg, post_answer_fn *fn, void *arg)
{
	struct out *o = out_new(p, type, fn, arg);
	enum sp_status st;

	if (o == NULL)
		return 0;
	if ((st = prepare(o, to_cert, msg)) != SP_OK) {
		fail_later(o, st);
		return o->handle;
	}
	o->tcp_only = tcp || o->letter.len > SP_LETTER_MAX;
	gather_addresses(o, book_by_cert(p->book, to_cert), address_override);
	start(o);
	return o->handle;
}

void
post_cancel(struct post *p, uint64_t handle)
{
	struct out *o = p->out_by_handle[handle % OUT_BUCKETS];

	while (o != NULL && o->handle != handle)
		o = o->chain_handle;
	if (o != NULL)
		out_free(o);
}

/* ---- answers ---- */
/* The other's clock differs: the letter is dated by it and goes out again, the way this answer came. */
static void
clock_came(struct out *o, const struct sp_return *from, const struct sp_letter *letter)
{
	struct sp_msg_clock clock;
	enum sp_status st;
	int64_t offset;

	if (sp_decode(letter->desc, letter->body, &clock, NULL) != SP_OK || clock.time_ms > INT64_MAX)
		return;
	offset = (int64_t)clock.time_ms - (int64_t)sp_clock_wall_ms();
	if (++o->clocks > CLOCKS_MAX || llabs(offset) > (int64_t)SP_LETTER_OFFSET_MAX_MS) {
		fail_later(o, sp_fail(SP_E_CLOCK, &o->why, "the clock of %s differs by %lld seconds", o->to_name,
		    (long long)(offset / 1000)));
		return;
	}
	book_offset(o->post->book, &o->to_cert, offset);
	if ((st = seal(o)) != SP_OK) {
		fail_later(o, st);
		return;
	}
	address_add(o, &from->addr, false);
	memset(o->tcp_tried, 0, sizeof(o->tcp_tried));
	if (o->phase == OUT_TCP) {
		o->phase = OUT_UDP;		/* TCP did lead somewhere */
		next_tcp(o, "");
	} else {
		o->tries = 0;
		next_udp(o);
	}
}

bool
out_answer(struct post *p, const struct sp_return *from, const struct sp_letter *letter)
{
	struct out *o = find_id(p, &letter->head.answers);
	struct post_answer answer = { .type = letter->type, .body = letter->body, .address = from->addr };

	if (o == NULL || o->phase == OUT_FAILED || memcmp(o->to.public_key, letter->sender_key, SP_X25519) != 0)
		return false;
	if (letter->type == SP_MSG_CLOCK) {
		clock_came(o, from, letter);
		return true;
	}
	book_proved(p->book, &o->to_cert, &from->addr);
	if (from->conn == 0)
		sp_ways_udp(&p->ways, &from->addr);
	else if (from->dialled)
		sp_ways_tcp(&p->ways, &from->addr, o->tries >= p->tries, sp_clock_boot_ms());
	if (from->conn == 0)
		book_seen(p->book, &o->to_cert, &from->addr, letter->head.time_ms);
	end(o, SP_OK, &(struct sp_why){ "" }, &answer);
	return true;
}
