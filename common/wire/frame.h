/*
 * frame.h - the head of a service frame: length (u32, of all that follows it), type (u16), request id (16), body.
 *
 * Bytes in, bytes out: common/net moves them over TLS. A frame is checked against its type's row before anybody
 * makes room for its body.
 */
#ifndef SP_WIRE_FRAME_H
#define SP_WIRE_FRAME_H

#include "common/wire/msg.h"

#define SP_FRAME_HEAD 22	/* length, type and id */

/* A frame that was read; body is borrowed from its bytes, desc is a constant. */
struct sp_frame {
	uint16_t type;
	struct sp_id id;
	const struct sp_desc *desc;
	struct sp_span body;	/* for sp_decode(desc, body, …) */
};

/* The most bytes that a whole frame of this row can have, head included; never over SP_FRAME_MAX. */
size_t sp_frame_max(const struct sp_desc *desc);

/* Appends one whole frame. SP_E_LONG over SP_FRAME_MAX, or what sp_encode() says; out is then as before. */
SP_MUST_CHECK enum sp_status sp_frame_pack(const struct sp_desc *desc, const struct sp_id *id, const void *msg,
    struct sp_buf *out, struct sp_why *why);

/*
 * Looks for one frame at the front of what has come in so far.
 * SP_OK: ret_frame is filled, *ret_bytes is what it takes up.
 * SP_E_SHORT: more must come; *ret_bytes is how many bytes there must be in all (never more than its row's maximum).
 * SP_E_UNKNOWN: no such service message; type and id are filled, so that an ERROR can be answered before closing.
 * SP_E_LONG, SP_E_FORMAT: over its row's bounds, or malformed; close.
 */
SP_MUST_CHECK enum sp_status sp_frame_parse(struct sp_span bytes, struct sp_frame *ret_frame, size_t *ret_bytes,
    struct sp_why *why);

#endif
