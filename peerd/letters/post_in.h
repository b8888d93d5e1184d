/*
 * post_in.h - inside peerd/letters: the post's memory, and what its files call of each other. receive.c takes letters
 * in and answers them, out.c writes own ones, stranger.c asks unknown keys for their certificate.
 */
#ifndef PEERD_LETTERS_POST_IN_H
#define PEERD_LETTERS_POST_IN_H

#include "common/net/guard.h"
#include "common/net/resolve.h"
#include "common/net/ways.h"
#include "common/wire/letter.h"
#include "peerd/letters/memory.h"
#include "peerd/letters/post.h"

#define POST_TYPES 256		/* letters' numbers are below it */
#define OUT_BUCKETS 1024
#define OUT_ADDRESSES 8

/* A letter at its handler. */
struct in {
	struct post_in pub;		/* first: the handler knows it by this address */
	struct in *next, *prev;
	struct sp_return back;
	struct memory_key key;
	bool remembered;
	size_t bytes;			/* of the whole letter */
	struct sp_buf text;		/* owned, secret: what pub.body borrows */
};

enum out_phase { OUT_LOOKING_UP, OUT_UDP, OUT_TCP, OUT_FAILED };

/* An own letter that waits for its answer. */
struct out {
	struct post *post;
	struct out *next, *prev;
	struct out *chain_id, *chain_handle, *chain_ref;
	uint64_t handle;
	struct sp_hash to_cert;
	char to_name[SP_NAME_TEXT];
	struct sp_letter_key to;
	const struct sp_desc *desc;
	struct sp_buf body;		/* owned, secret: to seal it again when the clocks differ */
	struct sp_id id;
	struct sp_buf letter;		/* owned: sealed */

	struct sp_addr addrs[OUT_ADDRESSES];
	size_t naddrs, seen_at;		/* seen_at: where the address last seen stands; naddrs if nowhere */
	uint64_t lookups[2];		/* handles: of the override, of the book's address */

	enum out_phase phase;
	bool tcp_only;
	bool has_ref;			/* entered by the reference of its letter */
	unsigned tries, clocks, cookies;
	unsigned worth;			/* tries by datagram before TCP */
	size_t first;			/* the address that the first of them goes to */
	bool tcp_tried[OUT_ADDRESSES];
	struct sp_addr tcp_addr;
	struct sp_timer *timer;		/* owned */
	enum sp_status st;		/* OUT_FAILED: why */
	struct sp_why why;
	post_answer_fn *fn;
	void *arg;
};

/* An unknown key that is asked for its certificate. */
struct stranger {
	struct post *post;
	struct stranger *next;
	uint8_t key[SP_X25519];
	struct sp_return from;
	struct sp_addr prefix;
	struct sp_id id;		/* of our question */
	struct sp_buf question;		/* owned: sealed */
	struct sp_buf letter;		/* owned: the letter that waits */
	struct sp_return letter_from;
	struct sp_timer *timer;		/* owned */
};

struct post {
	struct sp_loop *loop;			/* borrowed, like the next two */
	struct member *station;
	struct book *book;
	struct sp_letterbox *box;		/* owned */
	struct sp_resolver *resolver;		/* owned */
	struct memory *memory;			/* owned */
	struct sp_guard *guard;			/* owned */
	struct sp_ways ways;
	struct sp_timer *minute;		/* owned */
	bool silent_to_strangers;
	unsigned tries;
	uint32_t first_ms, tcp_ms;
	struct sp_letter_key own;
	struct { post_handler_fn *fn; void *arg; } handlers[POST_TYPES];
	struct { post_heard_fn *fn; void *arg; } heard;

	struct in *ins;				/* owned */
	struct out *outs;			/* owned */
	struct out *out_by_id[OUT_BUCKETS], *out_by_handle[OUT_BUCKETS], *out_by_refs[OUT_BUCKETS];
	uint64_t handles;
	struct stranger *strangers;		/* owned */
	size_t nstrangers;
	struct post_counts counts, told;	/* told: when the log was last told */
};

/* Counts a letter that is not followed, for this reason. */
#define POST_DROP(p, reason) ((p)->counts.dropped++, (p)->counts.reason++)

/* receive.c: a letter came. again: its sender was a stranger and has been asked. */
void post_receive(struct post *p, const struct sp_return *from, struct sp_span bytes, bool again);
void in_free(struct post *p, struct in *in);

/* Seals and sends an answer. question_bytes: length of what is answered. remembered: fills ret_letter, which may
 * be NULL. */
void post_answer(struct post *p, const struct sp_return *to, const uint8_t key[SP_X25519],
    const struct sp_id *answers, size_t question_bytes, unsigned type, const void *msg, struct sp_buf *ret_letter);

/* Sends the bytes of an answer, unless they are too long for that way. */
void post_send_answer(struct post *p, const struct sp_return *to, const uint8_t key[SP_X25519], size_t question_bytes,
    struct sp_span letter);

/* The answer to GET: our own certificate if that is asked for. */
void post_answer_get(struct post *p, const struct sp_return *to, const uint8_t key[SP_X25519],
    const struct sp_letter *letter, size_t question_bytes, struct sp_buf *ret_letter);

/* door.c: may it be opened? If not, it is counted, and maybe answered. */
bool door_admits(struct post *p, const struct sp_return *from, struct sp_span bytes, const uint8_t key[SP_X25519]);
void door_cookie_came(struct post *p, const struct sp_return *from, struct sp_span bytes);

/* A datagram, with the cookie that its receiver gave us if there is one. */
bool door_send(struct post *p, const struct sp_addr *to, struct sp_span letter);

/* counts.c */
SP_MUST_CHECK bool counts_begin(struct post *p);

/* out.c: the own letter of this reference, if it goes to that address and still waits; and sends it there at once. */
struct out *out_by_ref(const struct post *p, const uint8_t *ref, const struct sp_addr *addr);
void out_with_cookie(struct out *o, const struct sp_addr *addr);

/* out.c: true if the letter answers one of ours. */
bool out_answer(struct post *p, const struct sp_return *from, const struct sp_letter *letter);
void out_tcp_failed(struct post *p, const struct sp_addr *addr, enum sp_status st, const struct sp_why *why);
void out_free(struct out *o);

/* stranger.c: asks the key of a letter, which is kept until the answer comes. */
void stranger_ask(struct post *p, const struct sp_return *from, struct sp_span bytes, const uint8_t key[SP_X25519]);
bool stranger_answer(struct post *p, const struct sp_letter *letter);
void stranger_free(struct stranger *s);

#endif
