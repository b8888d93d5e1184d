/*
 * post.h - letters in and out: seals, sends again, matches answers, remembers answers for the replay window, asks
 * unknown keys for their certificate, and hands what is good to the handler of its type. Main loop only.
 */
#ifndef PEERD_LETTERS_POST_H
#define PEERD_LETTERS_POST_H

#include "common/base/log.h"
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
	bool silent_to_strangers;	/* stations that are not in the book get no answer but our certificate */

	/* 0 = as in limits.h */
	unsigned opens;			/* letters of strangers opened in a second */
	unsigned tries;
	uint32_t first_ms, tcp_ms;
};

/* Works before the station is enrolled, too: then it is silent until it is. */
SP_MUST_CHECK enum sp_status post_new(struct sp_loop *loop, struct member *station, struct book *book,
    const struct post_settings *settings, struct post **ret_post, struct sp_why *why);

/* When the loop runs no more: open letters end without their callbacks. */
void post_free(struct post *p);
SP_AUTO_DEFINE(post);
uint16_t post_port(const struct post *p);

/* Called for letters of this type from stations that are known and checked (in the book or not: see from->in_book).
 * PING, CLOCK and GET of our certificate are answered inside; a handler of GET is asked for everything else. */
void post_on(struct post *p, unsigned type, post_handler_fn *fn, void *arg);

/* Called for each letter that is no answer, from a station that is known and checked, after its handler. started: it is a PING, with
 * which a station says that it has started. */
typedef void post_heard_fn(void *arg, const struct sp_hash *from_cert, bool started);
void post_on_heard(struct post *p, post_heard_fn *fn, void *arg);

/* Answers the way the letter came. What does not fit a datagram, or is longer than a letter from an address that
 * has not proved itself, is kept back unless it came over TCP: the asker comes that way in the end. The same
 * letter again gets the same bytes, as long as the window lasts. in is gone afterwards. */
void post_reply(struct post *p, struct post_in *in, unsigned type, const void *msg);

/* No answer; counted. The same letter again is handled again. in is gone afterwards. */
void post_ignore(struct post *p, struct post_in *in);

/* The answer to an own letter; body borrowed. st: SP_OK, SP_E_TIMEOUT (all tries and the TCP form failed),
 * SP_E_NOKEY … */
struct post_answer {
	unsigned type;
	struct sp_span body;
	struct sp_addr address;		/* where it came from: proved */
};
typedef void post_answer_fn(void *arg, enum sp_status st, const struct sp_why *why, const struct post_answer *answer);

/*
 * Writes to a station: SP_LETTER_TRIES over UDP, by turns to the override, the address in the book and the one last
 * seen, then over TCP, where it was heard of last first; the other way round where only TCP got an answer lately.
 * tcp = true: TCP form at once (for answers that do not fit a datagram). fn is called
 * once, never within this call, unless cancelled. address_override: "host:port" or NULL. Returns a handle > 0 for
 * post_cancel(), also when it is clear at once that it must fail; 0 only when out of memory: then fn is not called.
 */
uint64_t post_ask(struct post *p, const struct sp_hash *to_cert, const char *address_override, bool tcp,
    unsigned type, const void *msg, post_answer_fn *fn, void *arg);
void post_cancel(struct post *p, uint64_t handle);

/* Since the start. */
struct post_counts {
	uint64_t in, out;		/* letters taken from and given to the command port, repeats included */
	uint64_t dropped;		/* in all; of which … */
	uint64_t malformed;		/* length, version, kind */
	uint64_t foreign;		/* for another key, or mac1 wrong */
	uint64_t unopened;		/* does not open */
	uint64_t unknown;		/* a type that nobody here handles */
	uint64_t strangers;		/* unknown key, and no certificate that would be right came */
	uint64_t expired;		/* the sender's certificate has ended */
	uint64_t silenced;		/* not in the book, and strangers get no answer */
	uint64_t conflicts;		/* an id seen before with other bytes */
	uint64_t unmatched;		/* answers to nothing that is open */
	uint64_t full;			/* too many at once */
	uint64_t ignored;		/* by their handler */
	uint64_t cookies;		/* answered with a cookie before they were opened */
	uint64_t limited;		/* more than their network or station may send */
	uint64_t busy;			/* more than is opened in a second */
	uint64_t clocks;		/* too old or too new: answered with CLOCK */
	uint64_t repeats;		/* seen before: answered as before, or waiting for their handler */
	uint64_t kept_back;		/* answers too long for the way the letter came */
	uint64_t cookies_taken;		/* given to us by others */
	size_t open_in, open_out;	/* now */
};
void post_counts(const struct post *p, struct post_counts *ret_counts);

/* The reasons why letters are not followed, as they stand in status and log; the last has no name. */
struct post_kind {
	const char *name;
	size_t offset;			/* of its count in struct post_counts */
	enum sp_level level;
};
extern const struct post_kind post_kinds[];
uint64_t post_kind_count(const struct post_counts *n, const struct post_kind *kind);

/* Too many letters come: who comes without a cookie is answered with one. */
bool post_is_loaded(const struct post *p);

#endif
