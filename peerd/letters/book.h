/*
 * book.h - the destination book and the known stations in memory: who may write, where letters go. Main loop only;
 * changes go to the store and count when it has answered.
 */
#ifndef PEERD_LETTERS_BOOK_H
#define PEERD_LETTERS_BOOK_H

#include "common/crypto/x509.h"
#include "common/net/addr.h"
#include "common/member/member.h"
#include "peerd/store/book.h"

struct book;

/* A station one can write to. Borrowed from the book until the next turn of the loop. */
struct correspondent {
	struct sp_identity identity;
	struct sp_buf cert;		/* DER */
	bool in_book;
	char address[80];		/* given by the user, "" if none */
	char seen[80];			/* where its last fresh letter came from, "" if none */
	uint64_t seen_ms;		/* when, by its clock */
	int64_t offset_ms;		/* its clock minus ours, as far as it once complained; else 0 */
	struct sp_addr proved;		/* an answer came from here in this run; none: nothing is proved */
	struct sp_addr fresh;		/* where its newest answer or fresh letter of this run came from; none: nothing came */
};

typedef void book_done_fn(void *arg, enum sp_status st, const struct sp_why *why);

/* The one form of an address that a user gives: with its port, IPv6 in brackets; "" for NULL and "". SP_E_FORMAT. */
#define BOOK_ADDRESS 80
SP_MUST_CHECK enum sp_status book_address(const char *address, char out[BOOK_ADDRESS], struct sp_why *why);

/* Loads the book; ready(arg, …) once it can be used. NULL when out of memory or the store's queue is full. */
struct book *book_new(struct store *store, struct member *station, book_done_fn *ready, void *arg);

/* When the loop runs no more: what is under way ends without its callback. */
void book_free(struct book *b);
SP_AUTO_DEFINE(book);

/* Adds a person (all stations) or station: looks the certificates up at keyd, checks them, stores. address:
 * "host[:port]" or NULL. SP_E_NOTFOUND (keyd knows no such name), SP_E_CONNECT, SP_E_FORMAT (with the reason in
 * plain words). Added again, an entry takes the certificates that keyd has now: so the user agrees to changed
 * ones. What fails at once is told within the call. */
void book_add(struct book *b, const char *name, const char *address, book_done_fn *fn, void *arg);

/* SP_E_NOTFOUND if there is no such entry. */
void book_remove(struct book *b, const char *name, book_done_fn *fn, void *arg);

/* The entries, for listing. */
size_t book_count(const struct book *b);
const struct book_row *book_entry(const struct book *b, size_t number);

/* NULL if unknown. by_name takes a station's full name, or a person's when exactly one of its stations is known. */
const struct correspondent *book_by_key(const struct book *b, const uint8_t letter_key[32]);
const struct correspondent *book_by_name(const struct book *b, const char *name);
const struct correspondent *book_by_cert(const struct book *b, const struct sp_hash *cert_hash);

/* All stations of a person (or the one station named): fills out[max], returns how many there are. */
size_t book_stations(const struct book *b, const char *name, const struct correspondent **out, size_t max);

/* Each station of the book. */
void book_each(const struct book *b, void (*fn)(void *arg, const struct correspondent *c), void *arg);

/* A certificate that was delivered: checked under the station's trust, remembered for this run, stored only if its
 * person is in the book. SP_E_MISMATCH if another one is known of a station in the book: only book_add() takes the
 * new one. */
SP_MUST_CHECK enum sp_status book_learn_cert(struct book *b, struct sp_span der, const struct correspondent **ret,
    struct sp_why *why);

/* A fresh letter came from this address. Taken only if the letter is later than all before and than this start. */
void book_seen(struct book *b, const struct sp_hash *cert_hash, const struct sp_addr *from, uint64_t letter_ms);

/* An answer came from this address. */
void book_proved(struct book *b, const struct sp_hash *cert_hash, const struct sp_addr *from);

/* Its clock is so much ahead of ours. */
void book_offset(struct book *b, const struct sp_hash *cert_hash, int64_t offset_ms);

/* Its certificate holds at this time. */
bool correspondent_holds(const struct correspondent *c, uint64_t wall_ms);

/* "the clock of … is 180 minutes ahead of this one" if letters have shown that it differs, else "". */
#define CORRESPONDENT_CLOCK 160
const char *correspondent_clock(const struct correspondent *c, char out[CORRESPONDENT_CLOCK]);

#endif
