/*
 * reader.h - a source as the bytes of its tar, in order, fingerprints made as they pass. Internal to peerd/data.
 * Blocking on the page cache only; no sockets.
 */
#ifndef PEERD_DATA_READER_H
#define PEERD_DATA_READER_H

#include "common/packet/prints.h"
#include "peerd/data/journal.h"
#include "peerd/source/source.h"

struct data_reader;

/*
 * The source is borrowed. journal: where its digests are kept, NULL: nowhere. held: the other side has the tar up to here, so it
 * begins there, or where the digests end if that is before; at the start if they are not good. Where they cannot be kept, they
 * are not. SP_E_NOMEM, SP_E_IO.
 */
SP_MUST_CHECK enum sp_status data_reader_new(const struct source *source, const struct journal_at *journal, uint64_t held,
    struct data_reader **ret_reader, struct sp_why *why);
void data_reader_free(struct data_reader *r);	/* notes how far it came */
SP_AUTO_DEFINE(data_reader);

/* Notes that so much is durable as soon as the descriptor (the caller's own) is synced; -1: nothing is to be done. */
int data_reader_mark(struct data_reader *r);

uint64_t data_reader_at(const struct data_reader *r);
uint64_t data_reader_left(const struct data_reader *r);

/*
 * The next n bytes (n <= what is left) into out. The rest of a file that has changed since the walk goes as zeroes,
 * and its fingerprint is "changed"; when every file of the packet has changed, SP_E_CHANGED. SP_E_IO.
 */
SP_MUST_CHECK enum sp_status data_reader_fill(struct data_reader *r, uint8_t *out, size_t n, struct sp_why *why);

/* The fingerprints, complete when nothing is left (borrowed), and how many files changed. take: they are the
 * caller's. */
const struct sp_prints *data_reader_prints(const struct data_reader *r);
struct sp_prints *data_reader_take_prints(struct data_reader *r);
uint32_t data_reader_changed(const struct data_reader *r);

/* The last word on a changed file: which one, printable; empty if there is none. */
const char *data_reader_changed_word(const struct data_reader *r);

#endif
