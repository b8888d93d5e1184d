/*
 * letters_raw_test.h - for tests of letters: a bare UDP socket that seals and opens letters by hand, and a go-between
 * that loses, doubles and keeps datagrams.
 */
#ifndef SP_TESTS_LETTERS_RAW_TEST_H
#define SP_TESTS_LETTERS_RAW_TEST_H

#include <fcntl.h>
#include <sys/socket.h>

#include "common/wire/letter.h"
#include "tests/unit/letters_in_test.h"

/* ---- a socket ---- */
struct raw {
	int fd;
	struct sp_watch *watch;
	struct sp_addr addr;
	struct sp_buf last;		/* the newest datagram */
	struct sp_addr last_from;
	int count;
	void (*came)(struct raw *r);	/* after last is set; may be NULL */
	void *arg;
};

static inline void
raw_ready(void *arg, unsigned ready)
{
	struct raw *r = arg;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uint8_t bytes[2000];
	ssize_t n;

	(void)ready;
	while ((n = recvfrom(r->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&ss, &len)) > 0) {
		ck_status(sp_addr_from_sockaddr((struct sockaddr *)&ss, len, &r->last_from), SP_OK);
		sp_buf_clear(&r->last);
		sp_buf_add(&r->last, bytes, (size_t)n);
		r->count++;
		if (r->came != NULL)
			r->came(r);
	}
}

static inline void
raw_open(struct raw *r, void (*came)(struct raw *), void *arg)
{
	struct sp_addr any = { .family = 4, .ip = { 127, 0, 0, 1 } };
	struct sockaddr_storage ss;
	socklen_t len = sp_addr_to_sockaddr(&any, &ss);

	memset(r, 0, sizeof(*r));
	r->came = came;
	r->arg = arg;
	r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(r->fd, (struct sockaddr *)&ss, len), 0);
	ck_status(sp_addr_local(r->fd, &r->addr), SP_OK);
	r->watch = sp_watch_new(loop, r->fd, raw_ready, r);
	ck_status(sp_watch_set(r->watch, SP_READ), SP_OK);
}

static inline void
raw_close(struct raw *r)
{
	sp_watch_free(r->watch);
	close(r->fd);
	sp_buf_done(&r->last);
}

static inline void
raw_send(struct raw *r, const struct sp_addr *to, struct sp_span bytes)
{
	struct sockaddr_storage ss;
	socklen_t len = sp_addr_to_sockaddr(to, &ss);

	ck_assert_int_eq(sendto(r->fd, bytes.p, bytes.n, 0, (struct sockaddr *)&ss, len), (ssize_t)bytes.n);
}

static inline const char *
raw_text(const struct raw *r)
{
	static char text[SP_ADDR_TEXT];

	return sp_addr_text(&r->addr, text);
}

static inline struct sp_addr
post_addr(const struct party *p)
{
	return (struct sp_addr){ .family = 4, .ip = { 127, 0, 0, 1 }, .port = post_port(p->post) };
}

static inline const char *
post_text(const struct party *p)
{
	static char text[SP_ADDR_TEXT];
	struct sp_addr addr = post_addr(p);

	return sp_addr_text(&addr, text);
}

/* ---- letters by hand ---- */
struct hand {
	const struct sp_x25519_pair *from;
	const uint8_t *to;
	struct sp_letter_head head;
};

static inline struct hand
hand(const struct member *from, const struct member *to)
{
	return (struct hand){ &from->letter, to->letter.public_key,
		{ .id = sp_id_new(), .time_ms = sp_clock_wall_ms(), .pad_to = SP_LETTER_QUESTION } };
}

static inline void
hand_seal(const struct hand *h, unsigned type, const void *msg, struct sp_buf *out)
{
	struct sp_letter_key key;
	struct sp_why why;

	sp_letter_key_init(&key, h->to);
	sp_buf_clear(out);
	ck_status(sp_letter_seal(h->from, &key, &h->head, sp_desc_msg(type), msg, out, &why), SP_OK);
}

/* Opens the newest datagram with a station's key; text holds what the letter borrows. */
static inline struct sp_letter
raw_letter(const struct raw *r, const struct member *s, struct sp_buf *text)
{
	struct sp_letter letter;
	struct sp_letter_key own;

	sp_letter_key_init(&own, s->letter.public_key);
	ck_status(sp_letter_check(sp_buf_span(&r->last), &own), SP_OK);
	ck_status(sp_letter_open(&s->letter, sp_buf_span(&r->last), text, &letter), SP_OK);
	return letter;
}

/* ---- a go-between: alice writes to it, it writes to bob ---- */
enum way { TO_BOB, TO_ALICE };
struct between {
	struct raw front, back;
	struct sp_addr alice, bob;
	int seen[2];			/* letters that came this way */
	int lose[2];			/* the first so many are lost */
	int copies[2];			/* of each that is not */
	struct sp_buf kept[2];		/* the newest of each way */
};

static inline void
between_pass(struct between *b, enum way way, struct raw *from)
{
	struct sp_span bytes = sp_buf_span(&from->last);

	sp_buf_clear(&b->kept[way]);
	sp_buf_add_span(&b->kept[way], bytes);
	if (b->seen[way]++ < b->lose[way])
		return;
	for (int i = 0; i < b->copies[way]; i++)
		raw_send(way == TO_BOB ? &b->back : &b->front, way == TO_BOB ? &b->bob : &b->alice, bytes);
}

static inline void
between_front(struct raw *r)
{
	struct between *b = r->arg;

	b->alice = r->last_from;
	between_pass(b, TO_BOB, r);
}

static inline void
between_back(struct raw *r)
{
	between_pass(r->arg, TO_ALICE, r);
}

static inline void
between_open(struct between *b, const struct party *bob)
{
	memset(b, 0, sizeof(*b));
	b->bob = post_addr(bob);
	b->copies[TO_BOB] = b->copies[TO_ALICE] = 1;
	raw_open(&b->front, between_front, b);
	raw_open(&b->back, between_back, b);
}

static inline void
between_close(struct between *b)
{
	raw_close(&b->front);
	raw_close(&b->back);
	sp_buf_done(&b->kept[0]);
	sp_buf_done(&b->kept[1]);
}

/* ---- asking ---- */
static enum sp_status asked_status;
static unsigned asked_type;
static struct sp_why asked_why;
static struct sp_buf asked_body;
static struct sp_addr asked_from;
static int asked;

static inline void
asked_answer(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer)
{
	(void)arg;
	asked++;
	asked_status = st;
	asked_why = *why;
	asked_type = 0;
	sp_buf_clear(&asked_body);
	if (answer != NULL) {
		asked_type = answer->type;
		asked_from = answer->address;
		sp_buf_add_span(&asked_body, answer->body);
	}
	sp_loop_stop(loop);
}

static inline enum sp_status
ask_at(struct party *from, const struct party *to, const char *address, bool tcp, unsigned type, const void *msg)
{
	int before = asked;

	ck_assert_uint_gt(post_ask(from->post, &to->station.identity.hash, address, tcp, type, msg, asked_answer,
	    NULL), 0);
	ck_assert_int_eq(asked, before);	/* never within the call */
	run_loop();
	ck_assert_int_eq(asked, before + 1);
	return asked_status;
}

static inline enum sp_status
ping(struct party *from, const struct party *to, const char *address)
{
	return ask_at(from, to, address, false, SP_MSG_PING, &(struct sp_msg_ping){ 0 });
}

static inline struct post_counts
counts(const struct party *p)
{
	struct post_counts n;

	post_counts(p->post, &n);
	return n;
}

/* ---- alice and bob ---- */
static struct party *alice, *bob;

/* alice has bob in her book, and bob her if mutual. */
static inline void
set_up_two(bool mutual)
{
	set_up();
	alice = make_party("alice/laptop@" DOMAIN, &office);
	bob = make_party("bob/desktop@" DOMAIN, &office);
	start_post(alice, false);
	start_post(bob, false);
	ck_status(add_to_book(alice, "bob@" DOMAIN, post_text(bob)), SP_OK);
	if (mutual)
		ck_status(add_to_book(bob, "alice@" DOMAIN, NULL), SP_OK);
}

static inline void
tear_down_two(void)
{
	sp_buf_done(&asked_body);
	tear_down();
}

#endif
