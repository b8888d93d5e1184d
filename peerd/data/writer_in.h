/*
 * writer_in.h - what a writer is made of. Internal to peerd/data: writer.c takes the tar, writer_back.c goes on after a
 * break.
 */
#ifndef PEERD_DATA_WRITER_IN_H
#define PEERD_DATA_WRITER_IN_H

#include "common/packet/layout.h"
#include "peerd/data/journal.h"
#include "peerd/data/writer.h"

struct data_writer {
	struct data_terms terms;
	uint64_t at;			/* of the tar, taken so far */
	uint64_t from;			/* it goes on from here; 0 = begun with nothing */
	uint64_t next;			/* offset that the other side's next byte must have, once any came */
	bool any;
	bool lowers;
	bool again;			/* what was held was thrown away before */
	bool failed;			/* at is not to be relied on */
	uint64_t synced;
	struct journal_look look;
	uint8_t header[SP_TAR_BLOCK];	/* of the manifest */
	struct sp_buf text;		/* of the manifest, until it is parsed */
	struct sp_manifest *manifest;	/* owned, as all below; NULL until the text is whole */
	struct sp_layout *layout;
	struct place *place;
	struct sp_prints *prints;
	struct sp_printer *printer;
	struct journal *journal;
	int incoming;			/* owned: the folder of all incoming packets; -1 = not open */
	struct sp_place member;		/* that at lies in */
	bool is_file;			/* it is a file, and begun */
};

/* ---- writer.c ---- */
/* The text is whole: it must be the list that was offered. */
SP_MUST_CHECK enum sp_status writer_manifest_whole(struct data_writer *w, struct sp_why *why);

/* ---- writer_back.c ---- */
/* Looks for what an earlier connection left: at and from are where it goes on, 0 if there is nothing that is fit for it. */
void writer_look_back(struct data_writer *w);

/* All that is known of the packet's content, and every file that is open. */
void writer_forget(struct data_writer *w);

SP_MUST_CHECK enum sp_status writer_open_incoming(struct data_writer *w, struct sp_why *why);
SP_MUST_CHECK enum sp_status writer_keep_manifest(const struct data_writer *w, struct sp_why *why);
SP_MUST_CHECK enum sp_status writer_mark_seen(struct data_writer *w, struct sp_why *why);

/* Where the journal is, filled into at and name; at. */
#define WRITER_NAME (SP_ID_TEXT + sizeof(PLACE_MANIFEST))
const struct journal_at *writer_journal(const struct data_writer *w, struct journal_at *at, char name[WRITER_NAME]);

#endif
