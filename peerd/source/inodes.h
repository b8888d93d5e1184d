/*
 * inodes.h - which file entry an inode has, so that its further names become hard links. Only files with several
 * names are entered. Internal to peerd/source.
 */
#ifndef PEERD_SOURCE_INODES_H
#define PEERD_SOURCE_INODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/auto.h"
#include "common/base/status.h"

struct source_inode {
	uint64_t dev, ino;
	uint32_t entry;
	bool used;
};

/* Open addressing; at most half full. Zeroes are an empty table. */
struct source_inodes {
	struct source_inode *slots;	/* owned */
	size_t nslots;			/* a power of two */
	size_t count;
};

/* The entry of the inode if it is known (true), else it is entered with this one. SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status source_inodes_meet(struct source_inodes *t, uint64_t dev, uint64_t ino, uint32_t entry,
    bool *ret_known, uint32_t *ret_entry);
void source_inodes_done(struct source_inodes *t);
SP_AUTO_DONE_DEFINE(source_inodes);

#endif
