/*
 * files_txt.h - files.txt, the receipt's list of what is there: made alike by both sides, compared line by line.
 */
#ifndef SP_PACKET_FILES_TXT_H
#define SP_PACKET_FILES_TXT_H

#include "common/base/buf.h"
#include "common/packet/prints.h"

/* Append files.txt of a packet whose fingerprints are known: the salt, then one line a file or hard link. SP_E_STATE if a
 * fingerprint is missing. */
SP_MUST_CHECK enum sp_status sp_files_encode(const struct sp_manifest *m, const struct sp_prints *prints,
    struct sp_buf *out);

/* A parsed list. Opaque. */
struct sp_files;

struct sp_files_line {
	const char *path;		/* terminated, borrowed from the list */
	size_t path_len;
	uint64_t size;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	struct sp_print print;		/* a hash, or changed */
};

/* Parse hostile text (one form only: it re-encodes to itself). SP_E_FORMAT, SP_E_PATH, SP_E_LIMIT, SP_E_VERSION, SP_E_NOMEM,
 * with the line's number. */
SP_MUST_CHECK enum sp_status sp_files_parse(struct sp_span text, struct sp_files **ret_files, struct sp_why *why);
void sp_files_free(struct sp_files *f);
SP_AUTO_DEFINE(sp_files);

const uint8_t *sp_files_salt(const struct sp_files *f);		/* SP_SALT_BYTES, borrowed */
uint32_t sp_files_count(const struct sp_files *f);
struct sp_files_line sp_files_line(const struct sp_files *f, uint32_t number);
bool sp_files_find(const struct sp_files *f, struct sp_span path, uint32_t *ret_number);

/*
 * Can a packet of so many bytes (sp_manifest_bytes: hard links count once) have this list? Lines alike in size, fingerprint and
 * time may be names of one file, or copies. So the bytes are at least the sum in which such lines count once, at most that of
 * all lines, and between the two by a multiple of the greatest common divisor of the sizes that count more than once. Exact
 * where no lines are alike. SP_E_NOMEM only.
 */
SP_MUST_CHECK enum sp_status sp_files_fit(const struct sp_files *f, uint64_t bytes, bool *ret_fit);

enum sp_files_verdict {
	SP_FILES_SAME,		/* equal, and nothing changed */
	SP_FILES_CHANGED,	/* equal but for files that one side or both mark as changed: incomplete */
	SP_FILES_DIFFERENT,	/* another fingerprint, size or time, a missing or additional line, another packet */
};

struct sp_files_diff {
	enum sp_files_verdict verdict;
	uint32_t missing;	/* in ours, not in theirs */
	uint32_t extra;		/* in theirs, not in ours */
	uint32_t other;		/* other content, size or time */
	uint32_t changed;	/* marked as changed by either */
};

/* Compare our list with theirs. The differences are appended to words (may be NULL) in plain words, a line each, at most
 * SP_FILES_DIFF_LINES of them and then how many more. SP_E_NOMEM only. */
#define SP_FILES_DIFF_LINES 20
SP_MUST_CHECK enum sp_status sp_files_compare(const struct sp_files *ours, const struct sp_files *theirs,
    struct sp_files_diff *ret_diff, struct sp_buf *words);

#endif
