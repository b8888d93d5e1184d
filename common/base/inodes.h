/*
 * inodes.h - a number for each inode, so that a file with several names is dealt with once. Whoever enters files with several
 * names alone keeps it small.
 */
#ifndef SP_BASE_INODES_H
#define SP_BASE_INODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/auto.h"
#include "common/base/status.h"

struct sp_inode {
	uint64_t dev, ino;
	uint32_t number;
	bool used;
};

/* Open addressing; at most half full. Zeroes are an empty table. */
struct sp_inodes {
	struct sp_inode *slots;	/* owned */
	size_t nslots;			/* a power of two */
	size_t count;
};

/* The number of the inode if it is known (true), else it is entered with this one. SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status sp_inodes_meet(struct sp_inodes *t, uint64_t dev, uint64_t ino, uint32_t number,
    bool *ret_known, uint32_t *ret_number);

/* Is it known? */
bool sp_inodes_find(const struct sp_inodes *t, uint64_t dev, uint64_t ino, uint32_t *ret_number);

void sp_inodes_done(struct sp_inodes *t);
SP_AUTO_DONE_DEFINE(sp_inodes);

#endif
