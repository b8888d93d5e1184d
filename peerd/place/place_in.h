/*
 * place_in.h - a packet being put on the disk. Internal to peerd/place: place.c writes files, finish.c adds links and
 * modes, goal.c moves it under its name.
 */
#ifndef PEERD_PLACE_PLACE_IN_H
#define PEERD_PLACE_PLACE_IN_H

#include "peerd/place/place.h"

#define PLACE_INCOMING ".incoming"

/* The folder used last, kept open: in the order of a walk most entries lie in that of their neighbour. */
struct place_folder {
	int fd;			/* owned; -1 = none */
	const char *path;	/* borrowed from the manifest */
	size_t len;
};

struct place {
	const struct sp_manifest *manifest;	/* borrowed */
	char *received;				/* owned */
	bool keep_links;
	int root;				/* owned: RECEIVED/.incoming/ID */
	uint64_t inode;				/* of it */
	struct place_folder folder;
	uint32_t next;				/* entries before it are made, links aside */
	bool again;				/* after a break: what is there already is fine, */
	uint32_t kept;				/* and files before this entry stay as they are */
	int file;				/* owned; -1 = none is open */
	uint32_t entry;				/* that it is of */
	uint64_t at;				/* bytes of it so far */
	uint64_t filled;			/* end of what was written, holes after it aside */
};

void place_folder_done(struct place_folder *f);

/* A place without its folder; and opens that, which is there. */
SP_MUST_CHECK enum sp_status place_alloc(const char *received, const struct sp_manifest *manifest, bool keep_links,
    struct place **ret_place);
SP_MUST_CHECK enum sp_status place_open_root(struct place *p, int incoming, const char *id_text, struct sp_why *why);

/* A descriptor of the folder that holds the entry (borrowed) and the entry's last component; -1 with errno. */
int place_parent(struct place *p, struct place_folder *held, const struct sp_entry *e, const char **ret_name);

/* Makes all folders before the entry that are not there yet. SP_E_STATE if a file before it was passed over. */
SP_MUST_CHECK enum sp_status place_make_folders(struct place *p, uint32_t entry, struct sp_why *why);

/* "cannot WHAT PATH: errno", for people. */
SP_MUST_CHECK enum sp_status place_fail(const struct sp_entry *e, const char *what, struct sp_why *why);

/* RECEIVED, and .incoming in it: made if missing, ours, 0700. */
SP_MUST_CHECK enum sp_status place_open_incoming(const char *received, int *ret_received, int *ret_incoming,
    struct sp_why *why);

#endif
