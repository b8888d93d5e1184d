/*
 * stranger.c - letters whose key nobody here knows: their senders are asked for their certificate, and if it is right
 * and holds that very key, the letter is handled. A question goes out only when a letter comes, and is never longer
 * than it, so that nobody can have us write to addresses that are not his.
 */
#include "common/base/clock.h"
#include "peerd/letters/post_in.h"

#define KEPT_MAX SP_LETTER_MAX	/* longer letters are sent again when their sender is known */

void
stranger_free(struct stranger *s)
{
	struct stranger **at = &s->post->strangers;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->post->nstrangers--;
	sp_timer_free(s->timer);
	sp_buf_done(&s->question);
	sp_buf_done(&s->letter);
	free(s);
}

static void
gave_no_answer(void *arg)
{
	struct stranger *s = arg;

	POST_DROP(s->post, strangers);
	stranger_free(s);
}

static struct stranger *
find(struct post *p, const uint8_t key[SP_X25519])
{
	struct stranger *s = p->strangers;

	while (s != NULL && memcmp(s->key, key, SP_X25519) != 0)
		s = s->next;
	return s;
}

static bool
has_room(const struct post *p, const struct sp_addr *prefix)
{
	size_t n = 0;

	for (const struct stranger *s = p->strangers; s != NULL; s = s->next)
		n += sp_addr_eq(&s->prefix, prefix);
	return n < SP_LETTER_STRANGERS_PREFIX && p->nstrangers < SP_LETTER_STRANGERS;
}

static struct stranger *
stranger_new(struct post *p, const struct sp_return *from, const uint8_t key[SP_X25519])
{
	struct sp_addr prefix = sp_addr_prefix(&from->addr, 32, 64);
	struct stranger *s = has_room(p, &prefix) ? calloc(1, sizeof(*s)) : NULL;

	if (s == NULL)
		return NULL;
	s->post = p;
	s->prefix = prefix;
	memcpy(s->key, key, SP_X25519);
	s->id = sp_id_new();
	s->next = p->strangers;
	p->strangers = s;
	p->nstrangers++;
	if ((s->timer = sp_timer_new(p->loop, gave_no_answer, s)) == NULL) {
		stranger_free(s);
		return NULL;
	}
	sp_timer_set(s->timer, SP_LETTER_STRANGER_MS);
	return s;
}

/* GET of the certificate of the letter's own key, as long as the letter at most. */
static bool
seal_question(struct stranger *s, size_t bytes)
{
	const struct sp_msg_get get = { .hash = { { 0 } } };
	struct sp_letter_head head = { .id = s->id, .time_ms = sp_clock_wall_ms(),
		.pad_to = bytes < SP_LETTER_QUESTION ? bytes : SP_LETTER_QUESTION };
	struct sp_letter_key receiver;

	if (s->question.len > 0)
		return true;
	sp_letter_key_init(&receiver, s->key);
	return sp_letter_seal(member_letter_pair(s->post->station), &receiver, &head, sp_desc_msg(SP_MSG_GET), &get,
	    &s->question, NULL) == SP_OK;
}

void
stranger_ask(struct post *p, const struct sp_return *from, struct sp_span bytes, const uint8_t key[SP_X25519])
{
	struct stranger *s = find(p, key);

	if (s == NULL && (s = stranger_new(p, from, key)) == NULL) {
		POST_DROP(p, full);
		return;
	}
	/* The newest waits: it is the one whose sender still waits for an answer, and goes back the way that
	 * works. */
	if (bytes.n <= KEPT_MAX) {
		sp_buf_clear(&s->letter);
		sp_buf_add_span(&s->letter, bytes);
		s->letter_from = *from;
	}
	if (!seal_question(s, bytes.n) || (from->conn == 0 && s->question.len > bytes.n)) {
		p->counts.kept_back++;
		return;
	}
	if (from->conn == 0)
		(void)door_send(p, &from->addr, sp_buf_span(&s->question));
	else if (sp_letterbox_reply(p->box, from, sp_buf_span(&s->question)) == SP_OK)
		p->counts.out++;
}

bool
stranger_answer(struct post *p, const struct sp_letter *letter)
{
	struct stranger *s = find(p, letter->sender_key);
	SP_AUTO_DONE(sp_buf) kept = { 0 };
	const struct correspondent *c;
	struct sp_msg_thing thing;
	struct sp_identity identity;
	struct sp_return from;

	if (s == NULL || !sp_id_eq(&s->id, &letter->head.answers))
		return false;
	kept = s->letter;
	s->letter = (struct sp_buf){ 0 };
	from = s->letter_from;
	stranger_free(s);
	if (letter->type != SP_MSG_THING || sp_decode(letter->desc, letter->body, &thing, NULL) != SP_OK ||
	    thing.kind != 1 || sp_identity_read(thing.bytes, &identity, NULL) != SP_OK || !identity.has_keys ||
	    memcmp(identity.letter_key, letter->sender_key, SP_X25519) != 0 ||
	    book_learn_cert(p->book, thing.bytes, &c, NULL) != SP_OK) {
		POST_DROP(p, strangers);
		return true;
	}
	if (kept.len > 0 && sp_buf_status(&kept) == SP_OK)
		post_receive(p, &from, sp_buf_span(&kept), true);
	return true;
}
