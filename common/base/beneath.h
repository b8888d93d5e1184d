/*
 * beneath.h - opening paths below a held folder so that nothing can lead out of it: no symlink on the way, no "..".
 */
#ifndef SP_BASE_BENEATH_H
#define SP_BASE_BENEATH_H

#include <stddef.h>
#include <sys/types.h>

/*
 * openat2(2) of path[0..len) below root, refusing every symlink and whatever leaves root. len 0 is root itself (then
 * flags must be those of a folder). O_CLOEXEC is added. -1 with errno otherwise (ELOOP: a symlink, EXDEV: it leads
 * out). Paths may be longer than PATH_MAX by their last component.
 */
int sp_open_beneath(int root, const char *path, size_t len, int flags, mode_t mode);

#endif
