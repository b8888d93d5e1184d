/*
 * place.h - a packet being put on the disk: written below a private incoming folder, nothing outside it, and moved
 * under its name by one rename when whole and synced. Blocking: data threads write, the sync helper finishes. What
 * comes is hostile.
 */
#ifndef PEERD_PLACE_PLACE_H
#define PEERD_PLACE_PLACE_H

#include "common/packet/layout.h"
#include "common/packet/manifest.h"
#include "common/packet/prints.h"

struct place;

/* RECEIVED/.incoming, a descriptor of the caller's: made if missing, ours, 0700. In it lie the packets' folders, each under
 * its transfer's id, and beside them what is needed to go on after a break, ID.manifest and ID.digests. */
SP_MUST_CHECK enum sp_status place_incoming(const char *received, int *ret_fd, struct sp_why *why);
#define PLACE_MANIFEST ".manifest"
#define PLACE_DIGESTS ".digests"

/* Makes RECEIVED/.incoming/ID/ (0700) anew (a left-over one is removed first). received: the receiving folder,
 * made if missing. The manifest is borrowed. keep_links: make symlinks that point outside, too. */
SP_MUST_CHECK enum sp_status place_new(const char *received, const char *id_text, const struct sp_manifest *manifest,
    bool keep_links, struct place **ret_place, struct sp_why *why);
void place_free(struct place *p);	/* closes; leaves the folder */
SP_AUTO_DEFINE(place);

/* How much of a packet of which everything before tar offset held was written is there: the first file that is missing or
 * not as long as it must be ends it, unless it is one that changed at the sender. 0 if the folder is not there. Nothing is changed. */
uint64_t place_look(const char *received, const char *id_text, const struct sp_layout *layout,
    const struct sp_manifest *manifest, const struct sp_prints *prints, uint64_t held);

/* The incoming folder again, after a break: entries before entry are there, those after it may be, in any state. */
SP_MUST_CHECK enum sp_status place_again(const char *received, const char *id_text, const struct sp_manifest *manifest,
    bool keep_links, uint32_t entry, struct place **ret_place, struct sp_why *why);

/* Instead of place_begin(): a file that was begun before the break, cut to its first at bytes. place_read() reads of these. */
SP_MUST_CHECK enum sp_status place_go_on(struct place *p, uint32_t entry, uint64_t at, struct sp_why *why);
SP_MUST_CHECK enum sp_status place_read(const struct place *p, uint64_t offset, uint8_t *out, size_t n,
    struct sp_why *why);

/* The file in hand is made as long as what came of it, so that place_look() can tell. */
SP_MUST_CHECK enum sp_status place_settle(struct place *p, struct sp_why *why);

/* A descriptor on the packet's file system (borrowed). */
int place_fd(const struct place *p);

/* File entries in manifest order: begin makes the file (and folders above it) with O_EXCL|O_NOFOLLOW below held
 * descriptors, write appends at the offset (holes are made where a block is all zeroes), end closes it. */
SP_MUST_CHECK enum sp_status place_begin(struct place *p, uint32_t entry, struct sp_why *why);
SP_MUST_CHECK enum sp_status place_write(struct place *p, uint64_t offset, struct sp_span bytes, struct sp_why *why);
SP_MUST_CHECK enum sp_status place_end(struct place *p, struct sp_why *why);

/* After the trailer was checked: drops files that changed at the sender, makes hard links, symlinks (last), sets
 * modes and times (folders deepest first). It can be done again. notes: a line for each link left out or file dropped, printable. */
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

/* Removes an incoming folder and what lies beside it; those without a live event at start. Once a packet is in its place the
 * latter is all that is left. */
void place_discard(const char *received, const char *id_text);
SP_MUST_CHECK enum sp_status place_sweep(const char *received, bool (*is_live)(void *arg, const char *id_text),
    void *arg, struct sp_why *why);

#endif
