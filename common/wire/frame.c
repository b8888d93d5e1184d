/*
 * frame.c - the head of a service frame, packed and parsed. No sockets.
 */
#include "common/wire/frame.h"

#include "common/base/limits.h"

size_t
sp_frame_max(const struct sp_desc *desc)
{
	size_t max = SP_FRAME_HEAD + sp_desc_max(desc);

	return max < SP_FRAME_MAX ? max : SP_FRAME_MAX;
}

static void
put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

enum sp_status
sp_frame_pack(const struct sp_desc *desc, const struct sp_id *id, const void *msg, struct sp_buf *out,
    struct sp_why *why)
{
	size_t at = out->len;
	enum sp_status st;

	if (desc->transport != SP_TRANSPORT_SERVICE)
		return sp_fail(SP_E_ARGUMENT, why, "%s is not a service message", desc->name);
	sp_buf_add_u32(out, 0);
	sp_buf_add_u16(out, (uint16_t)desc->number);
	sp_buf_add(out, id->b, sizeof(id->b));
	if ((st = sp_buf_status(out)) == SP_OK)
		st = sp_encode(desc, msg, out, why);
	if (st == SP_OK && out->len - at > SP_FRAME_MAX)
		st = sp_fail(SP_E_LONG, why, "%s: a frame is at most %d bytes", desc->name, SP_FRAME_MAX);
	if (st != SP_OK) {
		out->len = at;
		return st;
	}
	put_u32(out->data + at, (uint32_t)(out->len - at - 4));
	return SP_OK;
}

enum sp_status
sp_frame_parse(struct sp_span bytes, struct sp_frame *ret_frame, size_t *ret_bytes, struct sp_why *why)
{
	struct sp_cursor c = sp_cursor(bytes);
	struct sp_frame frame = { 0 };
	size_t length;

	if (bytes.n < SP_FRAME_HEAD) {
		*ret_bytes = SP_FRAME_HEAD;
		return sp_fail(SP_E_SHORT, why, "more of the frame's head must come");
	}
	length = (size_t)sp_cursor_u32(&c) + 4;
	frame.type = sp_cursor_u16(&c);
	sp_cursor_copy(&c, frame.id.b, sizeof(frame.id.b));
	frame.desc = sp_desc_msg(frame.type);
	if (length < SP_FRAME_HEAD)
		return sp_fail(SP_E_FORMAT, why, "a frame of %zu bytes is shorter than its head", length);
	if (frame.desc == NULL || frame.desc->transport != SP_TRANSPORT_SERVICE) {
		frame.desc = NULL;
		*ret_frame = frame;
		return sp_fail(SP_E_UNKNOWN, why, "message type 0x%x is not known to services", frame.type);
	}
	if (length > sp_frame_max(frame.desc))
		return sp_fail(SP_E_LONG, why, "%s: %zu bytes, at most %zu", frame.desc->name, length,
		    sp_frame_max(frame.desc));
	*ret_bytes = length;
	if (bytes.n < length)
		return sp_fail(SP_E_SHORT, why, "more of the frame must come");
	frame.body = sp_cursor_bytes(&c, length - SP_FRAME_HEAD);
	*ret_frame = frame;
	return SP_OK;
}
