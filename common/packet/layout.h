/*
 * layout.h - where every byte of a packet's tar stands: a pure function of its manifest.
 *
 * The tar is: the manifest member, one member an entry (headers, data, padding to 512), 1,024 zero bytes. Sender and
 * recipient compute the same layout, so that either can start at any offset. Headers are made when asked for, never kept.
 */
#ifndef SP_PACKET_LAYOUT_H
#define SP_PACKET_LAYOUT_H

#include "common/base/buf.h"
#include "common/packet/manifest.h"

#define SP_TAR_BLOCK 512
#define SP_TAR_END 1024

/* What n bytes take in whole blocks. */
static inline uint64_t
sp_tar_padded(uint64_t n)
{
	return (n + SP_TAR_BLOCK - 1) / SP_TAR_BLOCK * SP_TAR_BLOCK;
}

enum sp_member { SP_MEMBER_MANIFEST, SP_MEMBER_ENTRY, SP_MEMBER_END };

/* One member: header bytes [start, data_at), data [data_at, data_at + data_len), zeroes up to end. */
struct sp_place {
	enum sp_member member;
	uint32_t entry;			/* SP_MEMBER_ENTRY: its number in the manifest */
	uint64_t start;
	uint64_t data_at;
	uint64_t data_len;		/* manifest: length of its text; file entry: its size; else 0 */
	uint64_t end;
};

/* Opaque; borrows the manifest, which must not change or go while the layout lives. 8 bytes an entry. Thread-safe. */
struct sp_layout;

/* SP_E_NOMEM only. */
SP_MUST_CHECK enum sp_status sp_layout_new(const struct sp_manifest *m, struct sp_layout **ret_layout);
void sp_layout_free(struct sp_layout *l);
SP_AUTO_DEFINE(sp_layout);

uint64_t sp_layout_length(const struct sp_layout *l);	/* of the whole tar */

/* The member that offset lies in (binary search). SP_E_RANGE at or beyond the end. */
SP_MUST_CHECK enum sp_status sp_layout_find(const struct sp_layout *l, uint64_t offset, struct sp_place *ret_place);

struct sp_place sp_layout_manifest(const struct sp_layout *l);
struct sp_place sp_layout_entry(const struct sp_layout *l, uint32_t number);
struct sp_place sp_layout_end(const struct sp_layout *l);

/* In which part of its member an offset lies, and how many bytes that part goes on from there (> 0). */
enum sp_area { SP_AREA_HEADER, SP_AREA_DATA, SP_AREA_ZEROES };
enum sp_area sp_place_area(const struct sp_place *place, uint64_t offset, uint64_t *ret_left);

/* Append the member's header bytes: data_at - start of them (none for the end). */
SP_MUST_CHECK enum sp_status sp_layout_header(const struct sp_layout *l, const struct sp_place *place,
    struct sp_buf *out);

/* Write the headers and zeroes of [offset, offset + n) into out[n]; the bytes of out that are data (the manifest's text,
 * file contents) are left as they are. SP_E_RANGE beyond the end, SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status sp_layout_fill(const struct sp_layout *l, uint64_t offset, uint8_t *out, size_t n);

/* Are the headers and zeroes of [offset, offset + bytes.n) what they must be? Data is not looked at. SP_E_MISMATCH with the
 * offset, SP_E_RANGE beyond the end, SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status sp_layout_check(const struct sp_layout *l, uint64_t offset, struct sp_span bytes,
    struct sp_why *why);

/* Before the manifest is known: the header of the manifest member for a text of this length, and, the other way, the
 * length that a received header states (SP_E_MANIFEST unless it is exactly such a header; SP_E_LIMIT over the limit). */
void sp_layout_manifest_header(uint64_t text_length, uint8_t out[SP_TAR_BLOCK]);
SP_MUST_CHECK enum sp_status sp_layout_manifest_length(const uint8_t header[SP_TAR_BLOCK], uint64_t *ret_length,
    struct sp_why *why);

#endif
