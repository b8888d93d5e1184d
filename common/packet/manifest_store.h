/*
 * manifest_store.h - what a manifest is in memory: 32 bytes an entry and its texts in one piece.
 *
 * Internal to common/packet: manifest.c keeps it, manifest_text.c makes it from text and text from it.
 */
#ifndef SP_PACKET_MANIFEST_STORE_H
#define SP_PACKET_MANIFEST_STORE_H

#include "common/packet/manifest.h"

#define SP_MANIFEST_NAME "sealpost-manifest"

struct sp_row {
	int64_t mtime_sec;
	uint64_t size;		/* hard link: the number of its file */
	uint32_t mtime_nsec;
	uint32_t path_at;	/* in texts; a symlink's target follows the path's end */
	uint16_t path_len;
	uint16_t target_len;	/* symlink only */
	uint16_t mode;
	uint8_t type;
};

struct sp_manifest {
	struct sp_manifest_head head;	/* its texts are owned */
	struct sp_row *rows;		/* owned */
	char *texts;			/* owned */
	size_t rows_cap;
	size_t texts_len;		/* <= SP_MANIFEST_MAX, as the text that it stands for is longer */
	size_t texts_cap;
	uint64_t text_length;		/* of the canonical text so far */
	uint64_t bytes;
	uint32_t count;
	uint32_t files;
};

/* The fixed part of an entry's line, "f 644 1700000000.000000000 12 ", no end; returns its length. */
#define SP_LINE_HEAD 80
size_t sp_manifest_line_head(const struct sp_entry *e, char out[SP_LINE_HEAD]);

/* Append the header's lines and the empty line. */
void sp_manifest_head_encode(const struct sp_manifest_head *head, struct sp_buf *out);

/* sp_manifest_add() for texts that are not terminated: path_len and target_len count. */
SP_MUST_CHECK enum sp_status sp_manifest_append(struct sp_manifest *m, const struct sp_entry *entry,
    struct sp_why *why);

/* Room for so many entries and bytes of texts in advance. */
SP_MUST_CHECK enum sp_status sp_manifest_reserve(struct sp_manifest *m, size_t entries, size_t texts);

#endif
