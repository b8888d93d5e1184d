/*
 * post.h - letters in and out: seals, sends again, matches answers, remembers answers for the replay window, asks unknown
 * keys for their certificate, and hands what is good to the handler of its type. Main loop only.
 */
#ifndef PEERD_LETTERS_POST_H
#define PEERD_LETTERS_POST_H

#include "common/net/letterbox.h"
#include "common/wire/msg.h"
#include "peerd/letters/book.h"

struct post;

/* A letter that came and is to be answered: its handler keeps the pointer until post_reply() or post_ignore(). */
struct post_in {
	const struct correspondent *from;	/* valid during the handler's call only */
	struct sp_hash from_cert;		/* stays valid */
	char from_name[SP_NAME_TEXT];
	struct sp_addr address;
	struct sp_id id;
	unsigned type;
	struct sp_span body;			/* encoded message; stays valid until the reply */
	uint64_t time_ms;
};
typedef void post_handler_fn(void *arg, struct post_in *in);

struct post_settings {
	const char *bind;		/* "" = all addresses */
	uint16_t port;			/* 0 = any free one (tests) */
	bool silent_to_strangers;
};

SP_MUST_CHECK enum sp_status post_new(struct sp_loop *loop, struct station *station, struct book *book,
    const struct post_settings *settings, struct post **ret_post, struct sp_why *why);
void post_free(struct post *p);
SP_AUTO_DEFINE(post);
uint16_t post_port(const struct post *p);

/* Letters since the start: dropped ones failed a check, came too often, or had no handler. */
struct post_counts {
	uint64_t in, out, dropped;
};
void post_counts(const struct post *p, struct post_counts *ret_counts);

/* Called for letters of this type from stations that are known and checked (in the book or not: see from->in_book).
 * PING, GET, CLOCK are answered inside. */
void post_on(struct post *p, unsigned type, post_handler_fn *fn, void *arg);

/* Answer (over TCP if it came so, or if it does not fit a datagram: then only to an address that has proved itself). The
 * same letter again gets the same bytes, as long as the window lasts. in is gone afterwards. */
void post_reply(struct post *p, struct post_in *in, unsigned type, const void *msg);
void post_ignore(struct post *p, struct post_in *in);	/* no answer; counted */

/* The answer to an own letter; body borrowed. st: SP_OK, SP_E_TIMEOUT (all tries and the TCP form failed), SP_E_NOKEY … */
struct post_answer {
	unsigned type;
	struct sp_span body;
	struct sp_addr address;		/* where it came from: proved */
};
typedef void post_answer_fn(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer);

/*
 * Writes to a station: SP_LETTER_TRIES over UDP (a random choice among its addresses that answer), then the same over TCP;
 * tcp = true: TCP form at once (for answers that do not fit a datagram). fn is called once, unless cancelled.
 * address_override: "host:port" or NULL. Returns a handle > 0 for post_cancel(), 0 if nothing could be queued (fn is then
 * called from the loop with the reason, not from here).
 */
uint64_t post_ask(struct post *p, const struct sp_hash *to_cert, const char *address_override, bool tcp, unsigned type,
    const void *msg, post_answer_fn *fn, void *arg);
void post_cancel(struct post *p, uint64_t handle);

#endif
