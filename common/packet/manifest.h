/*
 * manifest.h - the list of what a packet holds: the packet's first member, canonical text, and the base of its layout.
 *
 * Used by the sender (built from the walk, encoded) and the recipient (parsed from hostile text). There is one text for
 * one manifest: what parses encodes to the same bytes. The form is in docs/formats.md. Pure: no files, no clock.
 */
#ifndef SP_PACKET_MANIFEST_H
#define SP_PACKET_MANIFEST_H

#include "common/base/buf.h"
#include "common/base/limits.h"

enum sp_packet_kind { SP_PACKET_FILES, SP_PACKET_REQUEST, SP_PACKET_INDEX, SP_PACKET_RECEIPT, SP_PACKET_UPDATE };

/* The word of a kind as it stands in the manifest ("files"). Never NULL. */
const char *sp_packet_kind_text(enum sp_packet_kind kind);

#define SP_SALT_BYTES 32

/* The header. Texts are terminated UTF-8, without control characters but in the message; NULL counts as empty. */
struct sp_manifest_head {
	enum sp_packet_kind kind;
	uint8_t salt[SP_SALT_BYTES];	/* random, made by the caller for each packet */
	const char *person;		/* sender: person@domain */
	const char *station;		/* sender: person/station@domain, of the same person */
	const char *organisation;	/* may be empty */
	const char *title;		/* 1..SP_TITLE_MAX bytes; empty at sp_manifest_new(): a number made from the salt */
	const char *message;		/* <= SP_MESSAGE_MAX bytes; may be empty */
};

enum sp_entry_type { SP_ENTRY_FILE = 'f', SP_ENTRY_FOLDER = 'd', SP_ENTRY_SYMLINK = 'l', SP_ENTRY_HARDLINK = 'h' };

/* One entry. path and target are terminated; target is "" unless the entry is a symlink or hard link. */
struct sp_entry {
	enum sp_entry_type type;
	uint16_t mode;			/* & 0777 */
	int64_t mtime_sec;		/* may be negative; the nanoseconds count forward from it */
	uint32_t mtime_nsec;
	uint64_t size;			/* 0 unless a file */
	const char *path;		/* raw bytes, relative, components separated by '/' */
	size_t path_len;
	const char *target;		/* a symlink's text, or the path of a hard link's first name */
	size_t target_len;
	uint32_t link_to;		/* hard link: number of the file entry that it is another name of */
};

#define SP_MANIFEST_MEMBER ".sealpost-manifest"	/* its name in the tar; no top-level entry may have it */

/* Opaque. Holds up to SP_ENTRIES_MAX entries, about 40 bytes and the path each. Read-only use is thread-safe. */
struct sp_manifest;

/* A manifest without entries. head is copied. SP_E_MANIFEST when a field breaks a rule, SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status sp_manifest_new(const struct sp_manifest_head *head, struct sp_manifest **ret_manifest,
    struct sp_why *why);
void sp_manifest_free(struct sp_manifest *m);
SP_AUTO_DEFINE(sp_manifest);

/*
 * Append an entry; it is copied (path and target by their texts, path_len and target_len are not read). Entries come in
 * manifest order: sp_path_compare() strictly rising, which is that of a walk with each folder's names sorted by bytes;
 * every folder above a path is an entry; a hard link names an earlier file entry. Filled in here, so that a walker can
 * hand over what it has: mode & 0777 (777 for a symlink), size 0 unless a file, mode and mtime of a hard link (those of
 * its file), link_to. SP_E_PATH, SP_E_TYPE, SP_E_MANIFEST (order, parent, target, mtime), SP_E_LIMIT, SP_E_NOMEM; the
 * manifest is then as before.
 */
SP_MUST_CHECK enum sp_status sp_manifest_add(struct sp_manifest *m, const struct sp_entry *entry, struct sp_why *why);

/* Parse a manifest text, complete and trusted in nothing. SP_E_VERSION, SP_E_MANIFEST, SP_E_PATH, SP_E_TYPE, SP_E_LIMIT,
 * SP_E_NOMEM, with the line's number in why. text is not kept. */
SP_MUST_CHECK enum sp_status sp_manifest_parse(struct sp_span text, struct sp_manifest **ret_manifest,
    struct sp_why *why);

/* Append the canonical text to out: sp_manifest_text_length() bytes. Its SHA-256 (sp_sha256) is what the offer commits to. */
SP_MUST_CHECK enum sp_status sp_manifest_encode(const struct sp_manifest *m, struct sp_buf *out);
uint64_t sp_manifest_text_length(const struct sp_manifest *m);

/* The header, borrowed: valid as long as the manifest. No text in it is NULL. */
const struct sp_manifest_head *sp_manifest_head(const struct sp_manifest *m);

/* Entries, numbered from 0 in manifest order. The texts in the result are borrowed, until the next add. */
uint32_t sp_manifest_count(const struct sp_manifest *m);
struct sp_entry sp_manifest_entry(const struct sp_manifest *m, uint32_t number);

/* What is offered and paid for: names of regular files (hard links count), and the sum of the file entries' sizes. */
uint32_t sp_manifest_files(const struct sp_manifest *m);
uint64_t sp_manifest_bytes(const struct sp_manifest *m);

/* The number of the entry with this path (binary search); false if there is none. */
bool sp_manifest_find(const struct sp_manifest *m, struct sp_span path, uint32_t *ret_number);

#endif
