/*
 * kept.h - what a journal tells of a packet before the offset that a transfer goes on from: fingerprints of what is
 * before it, and the printer of the file that it lies in. Internal to peerd/data; the same for both sides.
 */
#ifndef PEERD_DATA_KEPT_H
#define PEERD_DATA_KEPT_H

#include "common/packet/layout.h"
#include "common/packet/prints.h"
#include "peerd/data/journal.h"

struct data_kept {
	struct sp_place member;	/* that offset lies in */
	bool begun;		/* it is a file, and not at its end: the printer is reset for it */
	uint64_t from;		/* begun: in the file, from where bytes must be given to the printer again, up to offset */
	uint32_t files;		/* file entries before offset, one that is begun included */
	uint32_t changed;	/* of which changed */
};

/*
 * offset: beyond the manifest's member, <= look->held. Fills prints for the files that end before it, and adds the blocks of the
 * one begun to printer. SP_E_STALE if the journal lacks something, SP_E_IO, SP_E_NOMEM.
 */
SP_MUST_CHECK enum sp_status data_kept_load(const struct journal_at *at, const struct journal_look *look,
    const struct sp_manifest *manifest, const struct sp_layout *layout, uint64_t offset, struct sp_prints *prints,
    struct sp_printer *printer, struct data_kept *ret_kept, struct sp_why *why);

#endif
