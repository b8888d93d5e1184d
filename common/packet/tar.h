/*
 * tar.h - the header blocks of one member: ustar, with a pax header before it only where a field does not fit.
 *
 * Internal to common/packet; layout.c decides where they stand. The form is in docs/formats.md. Nothing is allocated.
 */
#ifndef SP_PACKET_TAR_H
#define SP_PACKET_TAR_H

#include "common/packet/layout.h"

/* The longest: pax header, records of a path and a link of 4,096 bytes and three numbers, ustar header. */
#define SP_TAR_HEAD_MAX (19 * SP_TAR_BLOCK)

/* Length of an entry's headers, a multiple of 512; and the headers themselves, the same length again. */
size_t sp_tar_head_length(const struct sp_entry *e);
size_t sp_tar_head(const struct sp_entry *e, uint8_t out[SP_TAR_HEAD_MAX]);

#endif
