/*
 * book_in.h - inside peerd/letters: the book's memory, and its rules for entries and stations.
 */
#ifndef PEERD_LETTERS_BOOK_IN_H
#define PEERD_LETTERS_BOOK_IN_H

#include "peerd/letters/known.h"

struct book_op;

struct book {
	struct store *store;		/* borrowed */
	struct member *station;	/* borrowed */
	struct known_table known;
	struct book_row *entries;	/* owned, sorted by name */
	size_t nentries, room;
	struct book_op *ops;		/* owned: adding and removing under way */
	uint64_t start_ms;		/* wall time of this run's start */
	book_done_fn *ready;
	void *ready_arg;
};

/* The entry of this name, NULL if there is none. */
struct book_row *entries_find(const struct book *b, const char *name);

/* Adds or replaces. SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status entries_put(struct book *b, const struct book_row *entry);
void entries_remove(struct book *b, const char *name);

/* Whether a station is in the book, and its address there, from the entries as they are now. */
void book_refresh(struct book *b, struct known *k);
void book_refresh_all(struct book *b, const struct sp_name *name);

/* The station's row for the store; cert is borrowed from k. */
struct station_row book_station_row(const struct known *k);

#endif
