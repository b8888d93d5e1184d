/*
 * source_in.h - what a source is made of. Internal to peerd/source: walk.c fills it, source.c keeps it and opens
 * files.
 */
#ifndef PEERD_SOURCE_SOURCE_IN_H
#define PEERD_SOURCE_SOURCE_IN_H

#include <sys/stat.h>

#include "common/base/inodes.h"
#include "peerd/source/source.h"

/* How a file looked at the walk, beside what the manifest holds of it. */
struct source_stamp {
	uint64_t dev, ino;
	int64_t ctime_sec;
	uint32_t ctime_nsec;
};

/* Entries from first on (up to the next root's first) are below this folder. */
struct source_root {
	int folder;		/* borrowed from folders */
	uint32_t first;
};

struct source {
	struct sp_manifest *manifest;	/* owned, as all below */
	struct sp_layout *layout;
	struct sp_buf text;
	struct sp_hash hash;
	struct source_stamp *stamps;	/* by entry number; only those of files are filled */
	size_t stamps_cap;
	int *folders;			/* O_PATH descriptors of the folders that hold the PATHs; -1: it is not there any more */
	char **parents;			/* their paths, owned */
	size_t nfolders;
	struct source_root *roots;	/* in the order of their first entries */
	size_t nroots;
	uint32_t left_out;
};

/* One PATH: name below parent, entered under name. text holds both, terminated. */
struct source_path {
	char *parent;		/* owned */
	char *name;		/* owned */
	int folder;		/* borrowed from the source */
};

/* Appends the entry name below path->folder, and all below it, to the source. */
SP_MUST_CHECK enum sp_status source_walk_path(struct source *s, struct sp_inodes *seen,
    const struct source_path *path, struct sp_why *why);

#endif
