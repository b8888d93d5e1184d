/*
 * prints.h - fingerprints of file contents, made as the bytes pass, and prints.txt, the list of a packet's fingerprints.
 *
 * Files up to SP_PRINT_WHOLE_MAX: "sha256:" and the SHA-256 of the bytes. Larger ones: "sha256-1m:" and the SHA-256 of the
 * SHA-256 digests of the file's 1 MiB blocks (the last may be shorter), so that hashing can go on after a break.
 */
#ifndef SP_PACKET_PRINTS_H
#define SP_PACKET_PRINTS_H

#include "common/base/buf.h"
#include "common/packet/manifest.h"

enum sp_print_state { SP_PRINT_NONE, SP_PRINT_HASH, SP_PRINT_CHANGED };

/* A file's fingerprint; its form ("sha256" or "sha256-1m") follows from the size. Zeroes: none yet. */
struct sp_print {
	uint8_t state;		/* enum sp_print_state */
	struct sp_hash hash;	/* if SP_PRINT_HASH */
};

bool sp_print_eq(const struct sp_print *a, const struct sp_print *b);

/* Is a file of this size fingerprinted by blocks? */
bool sp_print_by_blocks(uint64_t size);

/* "sha256:…", "sha256-1m:…", "changed" or "none", terminated, into out; returns out. */
#define SP_PRINT_TEXT 80
const char *sp_print_text(const struct sp_print *print, uint64_t size, char out[SP_PRINT_TEXT]);

/* Reads a fingerprint of the form that fits the size, or "changed"; SP_E_FORMAT otherwise. */
SP_MUST_CHECK enum sp_status sp_print_parse(struct sp_span text, uint64_t size, struct sp_print *ret_print);

/* Of so many printers at once each may hold up to 16 MiB, blocks that are hashed together; the others hash each as it passes. */
#define SP_PRINT_HELD 8

/* Computes a file's fingerprint as its bytes pass. One thread at a time. NULL when out of memory. */
struct sp_printer;
struct sp_printer *sp_printer_new(void);
void sp_printer_free(struct sp_printer *p);
SP_AUTO_DEFINE(sp_printer);

/* Called with each finished block's digest, in order, when the file is fingerprinted by blocks (the short last block
 * included, from sp_printer_end); several may come together when the last of them is whole, up to SP_SHA256_LANES_MAX. NULL
 * turns it off. */
void sp_printer_on_block(struct sp_printer *p, void (*fn)(void *arg, uint64_t block, const struct sp_hash *digest),
    void *arg);

/* Begin a file of this size. */
void sp_printer_reset(struct sp_printer *p, uint64_t size);

/* The next bytes. Bytes beyond the size are not counted in; sp_printer_end() then fails. */
void sp_printer_add(struct sp_printer *p, const void *bytes, size_t n);

/* The next whole block by its digest (kept from before a break, or hashed elsewhere); on_block is not called for it.
 * SP_E_STATE unless the file goes by blocks, stands at a block's start, and has a whole block left. */
SP_MUST_CHECK enum sp_status sp_printer_add_block(struct sp_printer *p, const struct sp_hash *digest);

/* Bytes so far. */
uint64_t sp_printer_at(const struct sp_printer *p);

/* The fingerprint. SP_E_SIZE unless exactly the size went in. Reset before the next use. */
SP_MUST_CHECK enum sp_status sp_printer_end(struct sp_printer *p, struct sp_print *ret_print);

/* The fingerprints of a packet, by entry number. Borrows the manifest. Owned array of 33 bytes an entry. */
struct sp_prints;
SP_MUST_CHECK enum sp_status sp_prints_new(const struct sp_manifest *m, struct sp_prints **ret_prints);
void sp_prints_free(struct sp_prints *p);
SP_AUTO_DEFINE(sp_prints);

/* Set that of a file entry; get that of a file or hard link (its file's). Other entries have none. Different entries may be
 * set from different threads. */
void sp_prints_set(struct sp_prints *p, uint32_t entry, const struct sp_print *print);
struct sp_print sp_prints_get(const struct sp_prints *p, uint32_t entry);

/* How many file entries have none yet, and how many are changed. */
void sp_prints_count(const struct sp_prints *p, uint32_t *ret_none, uint32_t *ret_changed);

/* Append prints.txt: one line a file entry (hard links have that of their file), in manifest order. SP_E_STATE if one is
 * missing. */
SP_MUST_CHECK enum sp_status sp_prints_encode(const struct sp_prints *p, struct sp_buf *out);

/* Parse hostile text against the manifest. SP_E_FORMAT with the line's number, SP_E_LONG, SP_E_VERSION, SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status sp_prints_parse(struct sp_span text, const struct sp_manifest *m,
    struct sp_prints **ret_prints, struct sp_why *why);

#endif
