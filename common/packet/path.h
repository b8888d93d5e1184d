/*
 * path.h - the rules and the order of paths inside a packet, and where a symlink leads. Text only; nothing is looked up.
 */
#ifndef SP_PACKET_PATH_H
#define SP_PACKET_PATH_H

#include "common/base/span.h"
#include "common/base/status.h"
#include "common/packet/manifest.h"

/* Relative, <= SP_PATH_MAX bytes and SP_DEPTH_MAX components; no component empty, ".", "..", over SP_COMPONENT_MAX bytes
 * or with a zero byte. SP_E_PATH otherwise. */
SP_MUST_CHECK enum sp_status sp_path_check(struct sp_span path, struct sp_why *why);

/* The order of a manifest: component by component, by bytes; a folder is before what it holds. <0, 0, >0. */
int sp_path_compare(struct sp_span a, struct sp_span b);

/* The first of count paths in this order that is not before path; count if all are. path_at gives the number-th. */
uint32_t sp_path_search(const void *list, uint32_t count, struct sp_span (*path_at)(const void *list, uint32_t number),
    struct sp_span path);

/* Length of the folder part: 3 for "a/b/c", 0 for a top-level entry. */
size_t sp_path_parent(struct sp_span path);

/*
 * Does a symlink at path (a valid path of the packet) point outside the packet? It does when its target is absolute, when
 * its leading ".." climb above the packet's own folder, or when a ".." follows a name (that name may itself be a link, so
 * only leading ".." are known to pass through real folders).
 */
bool sp_link_is_outside(struct sp_span path, struct sp_span target);

/* How many symlinks of the manifest point outside, and the SHA-256 of their paths, each escaped as in the manifest and
 * ended by a newline, in manifest order (of nothing if there is none). SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status sp_links_outside(const struct sp_manifest *m, uint32_t *ret_count, struct sp_hash *ret_paths);

/* A path made safe to show in a reason: printable, cut to about 90 bytes; returns out. */
#define SP_PATH_SHOW 96
const char *sp_path_show(struct sp_span path, char out[SP_PATH_SHOW]);

#endif
