/*
 * writer.h - the tar that comes in, taken in order and put on the disk: nothing is written before the manifest is the
 * one that was offered, and no byte may differ from what it implies. Internal to peerd/data. Blocking; no sockets.
 */
#ifndef PEERD_DATA_WRITER_H
#define PEERD_DATA_WRITER_H

#include "common/base/id.h"
#include "common/crypto/x509.h"
#include "common/packet/prints.h"
#include "peerd/place/place.h"

/* What was offered, and where it goes. */
struct data_terms {
	struct sp_hash manifest;
	uint32_t manifest_length;
	uint64_t files, bytes, packet;
	struct sp_name sender;		/* whom the manifest must name */
	const char *received;		/* borrowed */
	const char *id_text;		/* borrowed */
	bool keep_links;
	struct sp_id transfer;
	struct sp_hash offer;
	uint64_t buffer;		/* bytes before the end of what is held that are asked for again */
};

struct data_writer;

/* Looks for what an earlier connection left. The terms are copied, what they borrow must live on. SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status data_writer_new(const struct data_terms *terms, struct data_writer **ret_writer);

/* Leaves what is on the disk, with how far it came. */
void data_writer_free(struct data_writer *w);
SP_AUTO_DEFINE(data_writer);

/* The tar is here up to this offset, and goes on from there: what comes before it is dropped. */
uint64_t data_writer_held(const struct data_writer *w);

/* Must the journal be synced before the first byte comes, since it told of more than what is held now? Then its descriptor, the
 * caller's own. */
bool data_writer_lowers(const struct data_writer *w, int *ret_journal);

/* Once, before the first byte: what was left is opened again. SP_E_STALE when it is not as it should be: it is removed. */
SP_MUST_CHECK enum sp_status data_writer_begin(struct data_writer *w, struct sp_why *why);

/* For whoever syncs: everything up to the offset is written and in the journal; the descriptors are the caller's own. False:
 * there is nothing yet. synced: it is durable, and the journal says so now. */
bool data_writer_to_sync(struct data_writer *w, uint64_t *ret_offset, int *ret_folder, int *ret_journal);
int data_writer_journal(const struct data_writer *w);	/* a descriptor again, the caller's own; -1: none */
uint64_t data_writer_durable(const struct data_writer *w);
SP_MUST_CHECK enum sp_status data_writer_synced(struct data_writer *w, uint64_t offset, struct sp_why *why);

/* Everything is removed: what was written may not be on the disk, and never will be. */
void data_writer_distrust(struct data_writer *w);

/* Everything is thrown away, so that the next connection begins with nothing. False: it was so once, this is no second time. */
bool data_writer_throw_away(struct data_writer *w);

/* The folder of incoming packets (borrowed); -1: it is not open yet. */
int data_writer_folder(const struct data_writer *w);

uint64_t data_writer_at(const struct data_writer *w);
bool data_writer_is_full(const struct data_writer *w);	/* the whole tar is there */
uint32_t data_writer_files(const struct data_writer *w);	/* file entries of the manifest, once it is there */

/* The next bytes of the tar. SP_E_FORMAT (not in order), SP_E_LONG (beyond the packet), SP_E_MISMATCH, SP_E_SIZE
 * (not what was offered), what the parser of manifests says, SP_E_IO, SP_E_SPACE. */
SP_MUST_CHECK enum sp_status data_writer_feed(struct data_writer *w, uint64_t offset, struct sp_span bytes,
    struct sp_why *why);

/*
 * The sender's fingerprints against our own: SP_E_PRINT with the file that differs; what it calls changed is changed
 * for us, too, and counted. Then links, modes and times, notes appended. Only when full.
 */
SP_MUST_CHECK enum sp_status data_writer_compare(struct data_writer *w, struct sp_span prints_text,
    uint32_t *ret_changed, struct sp_why *why);
SP_MUST_CHECK enum sp_status data_writer_finish(struct data_writer *w, struct sp_buf *notes, struct sp_why *why);

/* After a restart: a packet that was compared is finished again from what is on the disk. SP_E_STALE if it is not all there. */
SP_MUST_CHECK enum sp_status data_writer_restore(struct data_writer *w, struct sp_buf *notes, struct sp_why *why);

/* What is finished becomes the caller's. */
struct place *data_writer_take_place(struct data_writer *w);
struct sp_manifest *data_writer_take_manifest(struct data_writer *w);
struct sp_prints *data_writer_take_prints(struct data_writer *w);

#endif
