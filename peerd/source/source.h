/*
 * source.h - what is sent: the walk of the PATHs into a manifest, and the files behind its entries, with how they
 * looked at the walk, so that a change is noticed. Blocking; never called on the main loop.
 */
#ifndef PEERD_SOURCE_SOURCE_H
#define PEERD_SOURCE_SOURCE_H

#include "common/packet/layout.h"
#include "common/packet/manifest.h"

struct source;

/* Walks the paths (absolute; each enters under its last component; two equal ones: SP_E_DUPLICATE with the way out
 * in the reason). Sockets, devices and FIFOs are left out and counted, unreadable files fail the walk with the
 * path in the reason. Follows no symlink below the PATHs (nor a PATH that is one). Hard links within the tree
 * become 'h' entries. The manifest and layout are made and owned. A file that is a hole-only sparse file costs
 * nothing. */
SP_MUST_CHECK enum sp_status source_walk(const char *const *paths, size_t count, const struct sp_manifest_head *head,
    struct source **ret_source, struct sp_why *why);
void source_free(struct source *s);
SP_AUTO_DEFINE(source);

/* Keeps it in a folder (made if missing, its parent must be there): SOURCE_MANIFEST and SOURCE_STAMPS, durable when this returns;
 * and takes it from there again, with how the files looked at the walk. SP_E_NOTFOUND if nothing whole is there. The forms are in
 * docs/formats.md, "The kept source". */
SP_MUST_CHECK enum sp_status source_save(const struct source *s, const char *folder, struct sp_why *why);
SP_MUST_CHECK enum sp_status source_load(const char *folder, struct source **ret_source, struct sp_why *why);
#define SOURCE_MANIFEST "manifest"
#define SOURCE_STAMPS "stamps"

const struct sp_manifest *source_manifest(const struct source *s);
const struct sp_layout *source_layout(const struct source *s);
struct sp_span source_manifest_text(const struct source *s);		/* canonical, owned by the source */
void source_manifest_hash(const struct source *s, struct sp_hash *out);
uint32_t source_left_out(const struct source *s);

/* Opens a file entry for reading and checks that it still is what was walked (size, mtime, ctime, inode, device).
 * SP_E_CHANGED with the path. The descriptor is the caller's. */
SP_MUST_CHECK enum sp_status source_file_open(const struct source *s, uint32_t entry, int *ret_fd,
    struct sp_why *why);

/* Is the open file unchanged now (called after its last byte was read)? */
bool source_file_same(const struct source *s, uint32_t entry, int fd);

#endif
