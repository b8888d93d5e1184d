/*
 * journal.h - what a side knows of a transfer that may break: digests of what passed and how far it came, as records
 * appended to a small file. Internal to peerd/data. The form is in docs/formats.md, "The digest journal". Files only:
 * it never syncs, whoever syncs its descriptor says so with journal_synced().
 */
#ifndef PEERD_DATA_JOURNAL_H
#define PEERD_DATA_JOURNAL_H

#include "common/base/buf.h"
#include "common/base/id.h"

#define JOURNAL_RECORD 64

enum journal_what {
	JOURNAL_FILE = 'f',	/* entry: its fingerprint */
	JOURNAL_CHANGED = 'c',	/* entry: left out, it changed at the sender */
	JOURNAL_BLOCK = 'b',	/* entry, number: digest of this whole block */
	JOURNAL_SEEN = 's',	/* number: all before this offset is written and its digests stand before, but for the last blocks of a file; value: boot id */
	JOURNAL_SYNCED = 'y',	/* number: the same, and durable */
	JOURNAL_AGAIN = 'a',	/* what was held once did not fit: this is the second beginning */
};

struct journal_record {
	enum journal_what what;
	uint32_t entry;
	uint64_t number;
	struct sp_hash value;
};

/* Which file: a name in a folder (a descriptor, borrowed), and the transfer that it must be of. */
struct journal_at {
	int folder;
	const char *name;	/* borrowed */
	struct sp_id transfer;
	struct sp_hash offer;
};

/* How far it can be believed. */
struct journal_look {
	uint64_t held;		/* offset of the mark that is believed; 0 = none */
	uint64_t length;	/* bytes of the file that are good for that; 0 = begin anew */
	uint64_t synced;	/* what the last mark "synced" says */
	bool again;
};

/* The id of this boot of the kernel (one that fits nothing if it cannot be read). */
void journal_boot(uint8_t ret_boot[16]);

/* Reads the whole file. No file, one of another transfer or a damaged one: what is good of it, down to nothing. A mark
 * "seen" counts if it was made in this boot, else only the last one "synced". SP_E_IO. */
SP_MUST_CHECK enum sp_status journal_look(const struct journal_at *at, const uint8_t boot[16],
    struct journal_look *ret_look, struct sp_why *why);

/* Hands on the first length bytes' records (as journal_look() found them) in their order. */
typedef void journal_fn(void *arg, const struct journal_record *r);
SP_MUST_CHECK enum sp_status journal_replay(const struct journal_at *at, uint64_t length, journal_fn *fn, void *arg,
    struct sp_why *why);

/* To be written on: cut to length, or made anew (0). */
struct journal;
SP_MUST_CHECK enum sp_status journal_open(const struct journal_at *at, uint64_t length, struct journal **ret_journal,
    struct sp_why *why);
void journal_free(struct journal *j);	/* what was added but not marked is lost; NULL is fine */
SP_AUTO_DEFINE(journal);

/* Adds a digest, in memory until the next mark. */
void journal_add(struct journal *j, enum journal_what what, uint32_t entry, uint64_t number, const struct sp_hash *value);

/* Marks, written at once. seen: offset is how far the tar has come. */
SP_MUST_CHECK enum sp_status journal_seen(struct journal *j, uint64_t offset, struct sp_why *why);
SP_MUST_CHECK enum sp_status journal_synced(struct journal *j, uint64_t offset, struct sp_why *why);

/* The offset of the last mark; the descriptor (borrowed), to be synced by somebody who may wait. */
uint64_t journal_marked(const struct journal *j);
int journal_fd(const struct journal *j);

#endif
