/*
 * known.h - inside peerd/letters: the stations that are known, found by letter key, certificate or name. No rules, no
 * store.
 */
#ifndef PEERD_LETTERS_KNOWN_H
#define PEERD_LETTERS_KNOWN_H

#include "peerd/letters/book.h"

#define KNOWN_BUCKETS 4096

enum known_index { KNOWN_BY_KEY, KNOWN_BY_CERT, KNOWN_BY_NAME, KNOWN_INDEXES };

struct known {
	struct correspondent c;
	char name[SP_NAME_TEXT];
	uint64_t saved_ms;			/* boot clock: when seen was last given to the store */
	struct known *chain[KNOWN_INDEXES];	/* of the buckets */
	struct known *newer, *older;		/* all, by age of their first certificate */
};

struct known_table {
	struct known *buckets[KNOWN_INDEXES][KNOWN_BUCKETS];
	struct known *newest, *oldest;
	size_t count, strangers;		/* strangers: not in the book */
};

/* Enters a station, or gives the one of this name another certificate. The pointer stays valid until known_remove().
 * NULL when out of memory (nothing changed then). */
struct known *known_put(struct known_table *t, const struct sp_identity *identity, struct sp_span cert);
void known_remove(struct known_table *t, struct known *k);
void known_clear(struct known_table *t);
void known_set_in_book(struct known_table *t, struct known *k, bool in_book);

struct known *known_by_key(const struct known_table *t, const uint8_t letter_key[SP_X25519]);
struct known *known_by_cert(const struct known_table *t, const struct sp_hash *cert);
struct known *known_by_name(const struct known_table *t, const char *name);

/* Is it a station of this person, or the station itself? */
bool identity_is_of(const struct sp_identity *id, const struct sp_name *name);

#endif
