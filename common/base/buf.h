/*
 * buf.h - a growing byte buffer with a maximum and a sticky error: append at will, look at the status once.
 */
#ifndef SP_BASE_BUF_H
#define SP_BASE_BUF_H

#include "common/base/auto.h"
#include "common/base/span.h"
#include "common/base/status.h"

/* data is owned; data[0..len). Zeroes are a valid empty buffer with no maximum. After an error nothing more is added. */
struct sp_buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;		/* 0 = none */
	enum sp_status error;	/* sticky: SP_E_NOMEM or SP_E_LONG */
	bool secret;		/* wiped when it grows and when it is freed */
};

struct sp_buf *sp_buf_new(void);	/* heap; NULL when out of memory */
void sp_buf_free(struct sp_buf *b);	/* NULL is fine */
void sp_buf_done(struct sp_buf *b);	/* frees the bytes of a buffer held in place; it is empty and usable again */
void sp_buf_clear(struct sp_buf *b);	/* empties, keeps the memory, forgets the error */
SP_AUTO_DEFINE(sp_buf);
SP_AUTO_DONE_DEFINE(sp_buf);

/* Append. Big-endian integers. Errors stick and are asked for once with sp_buf_status(). */
void sp_buf_add(struct sp_buf *b, const void *p, size_t n);
void sp_buf_add_span(struct sp_buf *b, struct sp_span s);
void sp_buf_add_u8(struct sp_buf *b, uint8_t v);
void sp_buf_add_u16(struct sp_buf *b, uint16_t v);
void sp_buf_add_u32(struct sp_buf *b, uint32_t v);
void sp_buf_add_u64(struct sp_buf *b, uint64_t v);
void sp_buf_add_text(struct sp_buf *b, const char *s);	/* without its end */
void sp_buf_addf(struct sp_buf *b, const char *fmt, ...) SP_PRINTF(2, 3);

/* Room for n more bytes at the end, counted as used; NULL (and the error set) if there is none. */
uint8_t *sp_buf_reserve(struct sp_buf *b, size_t n);

/* Take the first n bytes off the front. */
void sp_buf_consume(struct sp_buf *b, size_t n);

/* A terminating zero behind the bytes (not counted) and a pointer to the text; "" on error. Borrowed. */
const char *sp_buf_cstr(struct sp_buf *b);

static inline struct sp_span sp_buf_span(const struct sp_buf *b) { return sp_span(b->data, b->len); }
static inline enum sp_status sp_buf_status(const struct sp_buf *b) { return b->error; }

/* Overwrites n bytes so that the compiler can't leave it out. */
void sp_wipe(void *p, size_t n);

/* Equal, in a time that depends on n only. */
bool sp_same_secret(const void *a, const void *b, size_t n);

#endif
