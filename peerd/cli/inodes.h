/*
 * inodes.h - fingerprints of files that have several names, so that each is read once.
 */
#ifndef PEERD_CLI_INODES_H
#define PEERD_CLI_INODES_H

#include <sys/stat.h>

#include "common/base/inodes.h"
#include "common/packet/prints.h"

struct inodes_row;

/* Zeroes are an empty table. */
struct inodes {
	struct sp_inodes numbers;	/* of rows */
	struct inodes_row *rows;	/* owned */
	uint32_t count, room;
};

void inodes_done(struct inodes *t);

/* Files with one name are never kept. Out of memory, nothing is kept: it only costs time. */
bool inodes_find(const struct inodes *t, const struct stat *sb, struct sp_print *ret_print);
void inodes_add(struct inodes *t, const struct stat *sb, const struct sp_print *print);

#endif
