/*
 * writer.h - the tar that comes in, taken in order and put on the disk: nothing is written before the manifest is the
 * one that was offered, and no byte may differ from what it implies. Internal to peerd/data. Blocking; no sockets.
 */
#ifndef PEERD_DATA_WRITER_H
#define PEERD_DATA_WRITER_H

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
};

struct data_writer;

/* The terms are copied, what they borrow must live on. SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status data_writer_new(const struct data_terms *terms, struct data_writer **ret_writer);
void data_writer_free(struct data_writer *w);	/* leaves what is on the disk */
SP_AUTO_DEFINE(data_writer);

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

/* What is finished becomes the caller's. */
struct place *data_writer_take_place(struct data_writer *w);
struct sp_manifest *data_writer_take_manifest(struct data_writer *w);
struct sp_prints *data_writer_take_prints(struct data_writer *w);

#endif
