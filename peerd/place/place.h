/*
 * place.h - a packet being put on the disk: written below a private incoming folder, nothing outside it, and moved
 * under its name by one rename when whole and synced. Blocking: data threads write, the sync helper finishes. What
 * comes is hostile.
 */
#ifndef PEERD_PLACE_PLACE_H
#define PEERD_PLACE_PLACE_H

#include "common/packet/manifest.h"
#include "common/packet/prints.h"

struct place;

/* Makes RECEIVED/.incoming/ID/ (0700) anew (a left-over one is removed first). received: the receiving folder,
 * made if missing. The manifest is borrowed. keep_links: make symlinks that point outside, too. */
SP_MUST_CHECK enum sp_status place_new(const char *received, const char *id_text, const struct sp_manifest *manifest,
    bool keep_links, struct place **ret_place, struct sp_why *why);
void place_free(struct place *p);	/* closes; leaves the folder */
SP_AUTO_DEFINE(place);

/* File entries in manifest order: begin makes the file (and folders above it) with O_EXCL|O_NOFOLLOW below held
 * descriptors, write appends at the offset (holes are made where a block is all zeroes), end closes it. */
SP_MUST_CHECK enum sp_status place_begin(struct place *p, uint32_t entry, struct sp_why *why);
SP_MUST_CHECK enum sp_status place_write(struct place *p, uint64_t offset, struct sp_span bytes, struct sp_why *why);
SP_MUST_CHECK enum sp_status place_end(struct place *p, struct sp_why *why);

/* After the trailer was checked: drops files that changed at the sender, makes hard links, symlinks (last), sets
 * modes and times (folders deepest first). notes: a line for each link left out or file dropped, printable. */
SP_MUST_CHECK enum sp_status place_finish(struct place *p, const struct sp_prints *prints, struct sp_buf *notes,
    struct sp_why *why);

/* On the sync helper: syncfs of the file system. */
SP_MUST_CHECK enum sp_status place_sync(const struct place *p, struct sp_why *why);

/* The first name below RECEIVED/sender/ for this title that does not exist: absolute path appended to out, and the
 * incoming folder's inode (both are written to the event before the rename). skip: numbers to pass over after a
 * clash. */
SP_MUST_CHECK enum sp_status place_name(const struct place *p, const char *sender, const char *title, uint32_t skip,
    struct sp_buf *out, uint64_t *ret_inode, struct sp_why *why);

/* renameat2(RENAME_NOREPLACE) of the incoming folder to goal (mode 0755), fsync of both parents. SP_E_EXISTS on a
 * clash. Needs no struct place, so that it can be repeated after a restart: incoming gone and goal having this
 * inode is SP_OK. */
SP_MUST_CHECK enum sp_status place_rename(const char *received, const char *id_text, const char *goal, uint64_t inode,
    struct sp_why *why);

/* Removes an incoming folder; those without a live event at start. */
void place_discard(const char *received, const char *id_text);
SP_MUST_CHECK enum sp_status place_sweep(const char *received, bool (*is_live)(void *arg, const char *id_text),
    void *arg, struct sp_why *why);

#endif
