/*
 * book.h - the destination book at rest, and what is known of stations: certificates and addresses.
 */
#ifndef PEERD_STORE_BOOK_H
#define PEERD_STORE_BOOK_H

#include "common/base/buf.h"
#include "common/base/text.h"
#include "peerd/store/store.h"

/* A station that is known: its certificate, and where it was last. */
struct station_row {
	struct sp_buf cert;		/* DER */
	char name[SP_NAME_TEXT];	/* as in the certificate */
	char address[80];		/* "host:port" given by the user for it or its person, or "" */
	char seen[80];			/* numeric "addr:port" of its last fresh letter, or "" */
	uint64_t seen_ms;
};

/* An entry of the book: a person, or one station of it. */
struct book_row {
	char name[SP_NAME_TEXT];	/* "bob@post.example" */
	char address[80];
	uint64_t added_ms;
};

/* Everything, once at start; the callee copies what it keeps. */
typedef void store_book_fn(void *arg, enum sp_status st, const struct book_row *entries, size_t nentries,
    const struct station_row *stations, size_t nstations);
SP_MUST_CHECK enum sp_status store_book_load(struct store *s, store_book_fn *fn, void *arg);

SP_MUST_CHECK enum sp_status store_book_put(struct store *s, const struct book_row *entry, store_done_fn *fn,
    void *arg);
SP_MUST_CHECK enum sp_status store_book_remove(struct store *s, const char *name, store_done_fn *fn, void *arg);
/* Insert or replace by name (a renewed certificate replaces the old one). */
SP_MUST_CHECK enum sp_status store_station_put(struct store *s, const struct station_row *row, store_done_fn *fn,
    void *arg);

#endif
