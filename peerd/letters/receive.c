/*
 * receive.c - letters that come in, in the order that costs least: length and version, mac1, the door, opening, sender, time,
 * seen before, handler. What is not right is counted and otherwise as if it had never come.
 */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/hash.h"
#include "peerd/letters/post_in.h"

/* ---- answers ---- */
/* The sender's clock may be off: what it gets is dated by that. */
static uint64_t
time_for(const struct post *p, const uint8_t key[SP_X25519])
{
	const struct correspondent *c = book_by_key(p->book, key);

	return sp_clock_wall_ms() + (uint64_t)(c != NULL ? c->offset_ms : 0);
}

static bool
is_proved(const struct post *p, const struct sp_return *to, const uint8_t key[SP_X25519])
{
	const struct correspondent *c = book_by_key(p->book, key);

	return to->conn != 0 || (c != NULL && sp_addr_eq(&c->proved, &to->addr));
}

void
post_send_answer(struct post *p, const struct sp_return *to, const uint8_t key[SP_X25519], size_t question_bytes,
    struct sp_span letter)
{
	if ((to->conn == 0 && letter.n > SP_LETTER_MAX) || (letter.n > question_bytes && !is_proved(p, to, key))) {
		p->counts.kept_back++;
		return;
	}
	/* Lost on the way or not sent: it is asked for again. */
	if (to->conn == 0)
		(void)door_send(p, &to->addr, letter);
	else if (sp_letterbox_reply(p->box, to, letter) == SP_OK)
		p->counts.out++;
}

void
post_answer(struct post *p, const struct sp_return *to, const uint8_t key[SP_X25519], const struct sp_id *answers,
    size_t question_bytes, unsigned type, const void *msg, struct sp_buf *ret_letter)
{
	struct sp_letter_head head = { .id = sp_id_new(), .answers = *answers, .time_ms = time_for(p, key) };
	SP_AUTO_DONE(sp_buf) own = { 0 };
	struct sp_buf *out = ret_letter != NULL ? ret_letter : &own;
	struct sp_letter_key receiver;
	enum sp_status st;
	struct sp_why why;

	sp_letter_key_init(&receiver, key);
	st = sp_letter_seal(member_letter_pair(p->station), &receiver, &head, sp_desc_msg(type), msg, out, &why);
	if (st == SP_OK)
		post_send_answer(p, to, key, question_bytes, sp_buf_span(out));
	else
		sp_log_fail(SP_LOG_ERR, "answer-not-sealed", st, &why);
}

void
post_answer_get(struct post *p, const struct sp_return *to, const uint8_t key[SP_X25519],
    const struct sp_letter *letter, size_t question_bytes, struct sp_buf *ret_letter)
{
	struct sp_msg_get get;

	if (sp_decode(letter->desc, letter->body, &get, NULL) != SP_OK) {
		POST_DROP(p, malformed);
	} else if (sp_hash_is_zero(&get.hash) || sp_hash_eq(&get.hash, &member_identity(p->station)->hash)) {
		struct sp_msg_thing thing = { .kind = 1, .bytes = member_cert(p->station) };

		post_answer(p, to, key, &letter->head.id, question_bytes, SP_MSG_THING, &thing, ret_letter);
	} else {
		struct sp_msg_answer answer = { .status = SP_E_NOTFOUND };

		post_answer(p, to, key, &letter->head.id, question_bytes, SP_MSG_ANSWER, &answer, ret_letter);
	}
}

/* ---- at the handlers ---- */
void
in_free(struct post *p, struct in *in)
{
	*(in->prev != NULL ? &in->prev->next : &p->ins) = in->next;
	if (in->next != NULL)
		in->next->prev = in->prev;
	p->counts.open_in--;
	sp_buf_done(&in->text);
	free(in);
}

/* Takes over the opened text. NULL when there are too many. */
static struct in *
in_new(struct post *p, const struct sp_return *from, const struct sp_letter *letter, struct sp_buf *text,
    size_t bytes, const struct correspondent *c)
{
	size_t bound = c->in_book ? SP_LETTER_OPEN : SP_LETTER_OPEN - SP_LETTER_OPEN_BOOK;
	struct in *in = p->counts.open_in < bound ? calloc(1, sizeof(*in)) : NULL;

	if (in == NULL)
		return NULL;
	in->pub = (struct post_in){ .from = c, .from_cert = c->identity.hash, .address = from->addr,
	    .id = letter->head.id,
		.type = letter->type, .body = letter->body, .time_ms = letter->head.time_ms };
	sp_identity_text(&c->identity, in->pub.from_name);
	in->back = *from;
	in->bytes = bytes;
	memcpy(in->key.sender, letter->sender_key, SP_X25519);
	in->key.id = letter->head.id;
	in->text = *text;
	*text = (struct sp_buf){ 0 };
	in->next = p->ins;
	if (p->ins != NULL)
		p->ins->prev = in;
	p->ins = in;
	p->counts.open_in++;
	return in;
}

void
post_reply(struct post *p, struct post_in *pub, unsigned type, const void *msg)
{
	struct in *in = (struct in *)pub;
	SP_AUTO_DONE(sp_buf) letter = { 0 };

	post_answer(p, &in->back, in->key.sender, &in->pub.id, in->bytes, type, msg, &letter);
	/* What is long is made anew when it is asked for again. */
	if (letter.len > 0 && letter.len <= SP_LETTER_MAX)
		memory_answer(p->memory, &in->key, sp_buf_span(&letter));
	else
		memory_forget(p->memory, &in->key);
	in_free(p, in);
}

void
post_ignore(struct post *p, struct post_in *pub)
{
	struct in *in = (struct in *)pub;

	POST_DROP(p, ignored);
	memory_forget(p->memory, &in->key);
	in_free(p, in);
}

static void
answer_ping(struct post *p, struct in *in)
{
	char name[SP_NAME_TEXT];
	struct sp_msg_pong pong = { .cert = member_identity(p->station)->hash };

	pong.name = sp_span_str(sp_identity_text(member_identity(p->station), name));
	post_reply(p, &in->pub, SP_MSG_PONG, &pong);
}

/* ---- from known senders ---- */
static bool
in_time(uint64_t letter_ms)
{
	uint64_t now = sp_clock_wall_ms();

	return (letter_ms > now ? letter_ms - now : now - letter_ms) <= SP_LETTER_WINDOW_MS;
}

/* A letter that was seen before: answered as before, but never handled twice at once. */
static void
again(struct post *p, const struct sp_return *from, const struct memory_key *key, size_t bytes,
    const struct memory_seen *seen)
{
	struct in *in = seen->holder;

	p->counts.repeats++;
	if (seen->answer.n > 0)
		post_send_answer(p, from, key->sender, bytes, seen->answer);
	else if (in != NULL && from->conn != 0)
		in->back = *from;	/* its datagrams may not come through: the answer goes the newer way */
}

static bool
is_handled(const struct post *p, unsigned type)
{
	return type == SP_MSG_PING || type == SP_MSG_GET || (type < POST_TYPES && p->handlers[type].fn != NULL);
}

/* Whatever is no certificate of ours somebody else may have. */
static bool
is_for_handler(const struct post *p, const struct sp_letter *letter)
{
	struct sp_msg_get get;

	return p->handlers[SP_MSG_GET].fn != NULL && sp_decode(letter->desc, letter->body, &get, NULL) == SP_OK &&
	    !sp_hash_is_zero(&get.hash) && !sp_hash_eq(&get.hash, &member_identity(p->station)->hash);
}

static void
hand_over(struct post *p, const struct sp_return *from, const struct sp_letter *letter, struct sp_buf *text,
    size_t bytes, const struct correspondent *c)
{
	struct memory_key key = { .id = letter->head.id };
	const struct sp_hash cert = c->identity.hash;
	struct in *in;

	memcpy(key.sender, letter->sender_key, SP_X25519);
	if (letter->type == SP_MSG_GET && !is_for_handler(p, letter)) {
		SP_AUTO_DONE(sp_buf) answer = { 0 };

		post_answer_get(p, from, letter->sender_key, letter, bytes, &answer);
		memory_answer(p->memory, &key, sp_buf_span(&answer));
		return;
	}
	if ((in = in_new(p, from, letter, text, bytes, c)) == NULL) {
		POST_DROP(p, full);
		memory_forget(p->memory, &key);
		return;
	}
	memory_hold(p->memory, &key, in);
	if (letter->type == SP_MSG_PING)
		answer_ping(p, in);
	else
		p->handlers[letter->type].fn(p->handlers[letter->type].arg, &in->pub);
	if (p->heard.fn != NULL)
		p->heard.fn(p->heard.arg, &cert, letter->type == SP_MSG_PING);
}

static void
from_known(struct post *p, const struct sp_return *from, struct sp_span bytes, const struct sp_letter *letter,
    struct sp_buf *text, const struct correspondent *c)
{
	struct memory_key key = { .id = letter->head.id };
	struct memory_seen seen;
	struct sp_hash core;

	memcpy(key.sender, letter->sender_key, SP_X25519);
	sp_sha256(sp_span(bytes.p, bytes.n - SP_LETTER_MACS), &core);
	switch (memory_look(p->memory, &key, &core, sp_clock_boot_ms(), &seen)) {
	case MEMORY_AGAIN:
		again(p, from, &key, bytes.n, &seen);
		return;
	case MEMORY_OTHER:
		POST_DROP(p, conflicts);
		return;
	case MEMORY_NONE:
		POST_DROP(p, full);
		return;
	case MEMORY_NEW:
		break;
	}
	if (from->conn != 0 && c->in_book)
		sp_letterbox_keep(p->box, from->conn);
	/* Over TCP it comes from a port on which nobody listens. */
	if (from->conn == 0)
		book_seen(p->book, &c->identity.hash, &from->addr, letter->head.time_ms);
	hand_over(p, from, letter, text, bytes.n, c);
}

static void
answer_clock(struct post *p, const struct sp_return *from, struct sp_span bytes, const struct sp_letter *letter)
{
	struct sp_msg_clock clock = { .time_ms = sp_clock_wall_ms() };

	p->counts.clocks++;
	post_answer(p, from, letter->sender_key, &letter->head.id, bytes.n, SP_MSG_CLOCK, &clock, NULL);
}

static void
question(struct post *p, const struct sp_return *from, struct sp_span bytes, const struct sp_letter *letter,
    struct sp_buf *text, bool asked)
{
	const struct correspondent *c = book_by_key(p->book, letter->sender_key);
	bool silent = p->silent_to_strangers && c != NULL && !c->in_book && c->identity.role == SP_ROLE_STATION;

	if (!is_handled(p, letter->type))
		POST_DROP(p, unknown);
	else if (c == NULL && letter->type == SP_MSG_GET)
		post_answer_get(p, from, letter->sender_key, letter, bytes.n, NULL);
	else if (c == NULL && asked)
		POST_DROP(p, strangers);
	else if (c == NULL)
		stranger_ask(p, from, bytes, letter->sender_key);
	else if (silent && letter->type != SP_MSG_GET)
		POST_DROP(p, silenced);
	else if (!in_time(letter->head.time_ms))
		answer_clock(p, from, bytes, letter);	/* before the certificate: it may have ended by a wrong clock only */
	else if (!correspondent_holds(c, sp_clock_end_ms()))
		POST_DROP(p, expired);
	else
		from_known(p, from, bytes, letter, text, c);
}

/* Our own key, as it is now. */
static bool
have_key(struct post *p)
{
	const struct sp_x25519_pair *pair;

	if (!member_is_enrolled(p->station))
		return false;
	pair = member_letter_pair(p->station);
	if (memcmp(p->own.public_key, pair->public_key, SP_X25519) != 0)
		sp_letter_key_init(&p->own, pair->public_key);
	return true;
}

void
post_receive(struct post *p, const struct sp_return *from, struct sp_span bytes, bool asked)
{
	SP_AUTO_DONE(sp_buf) text = { .secret = true };
	struct sp_letter_envelope env;
	struct sp_letter letter;

	if (bytes.n == SP_COOKIE_LETTER && from->conn == 0) {
		door_cookie_came(p, from, bytes);
	} else if (sp_letter_peek(bytes, from->conn != 0 ? SP_LETTER_TCP_MAX : SP_LETTER_MAX, &env) != SP_OK) {
		POST_DROP(p, malformed);
		sp_letterbox_bad(p->box, from->conn);
	} else if (!have_key(p) || sp_letter_check(bytes, &p->own) != SP_OK) {
		POST_DROP(p, foreign);
		sp_letterbox_bad(p->box, from->conn);
	} else if (!asked && !door_admits(p, from, bytes, env.sender_key)) {
		return;
	} else if (sp_letter_open(member_letter_pair(p->station), bytes, &text, &letter) != SP_OK) {
		POST_DROP(p, unopened);
		sp_letterbox_bad(p->box, from->conn);
	} else if (letter.desc == NULL) {
		POST_DROP(p, unknown);
	} else if (sp_id_is_zero(&letter.head.answers)) {
		question(p, from, bytes, &letter, &text, asked);
	} else if (!out_answer(p, from, &letter) && !stranger_answer(p, &letter)) {
		POST_DROP(p, unmatched);
	}
}
