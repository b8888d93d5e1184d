/*
 * file.h - whole small files (keys, certificates, settings), written so that a crash leaves the old or the new one.
 */
#ifndef SP_BASE_FILE_H
#define SP_BASE_FILE_H

#include <sys/types.h>

#include "common/base/buf.h"

/* Appends the file's bytes to out; SP_E_NOTFOUND, SP_E_LONG beyond max bytes, SP_E_IO. */
SP_MUST_CHECK enum sp_status sp_file_read(const char *path, size_t max, struct sp_buf *out, struct sp_why *why);

/* Writes a temporary file beside path, syncs it, renames it over path, syncs the folder. */
SP_MUST_CHECK enum sp_status sp_file_write(const char *path, struct sp_span bytes, mode_t mode, struct sp_why *why);

/* Writes path itself, syncs it and the folder: half the disk's work, for what nobody reads before a change that is made durable
 * afterwards speaks of it. A crash in between may leave a part of it; after an error there is nothing. */
SP_MUST_CHECK enum sp_status sp_file_put(const char *path, struct sp_span bytes, mode_t mode, struct sp_why *why);

/* mkdir with all parents; existing folders are fine. */
SP_MUST_CHECK enum sp_status sp_mkdirs(const char *path, mode_t mode, struct sp_why *why);

/* Removes a folder with all below it without following links; a missing one is fine. */
SP_MUST_CHECK enum sp_status sp_rmtree(const char *path, struct sp_why *why);

/* fsync of a folder. */
SP_MUST_CHECK enum sp_status sp_sync_dir(const char *path, struct sp_why *why);

/* write(2) until all is out. SP_E_IO / SP_E_SPACE. */
SP_MUST_CHECK enum sp_status sp_write_all(int fd, const void *p, size_t n, struct sp_why *why);

#endif
