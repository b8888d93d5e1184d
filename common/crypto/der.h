/*
 * der.h - writing and reading DER, as far as certificates, signatures and time-stamps of ours need it. Internal to
 * common/crypto. Reading accepts one form only: definite, minimal lengths, minimal integers, no fraction of a second.
 */
#ifndef SP_CRYPTO_DER_H
#define SP_CRYPTO_DER_H

#include "common/base/buf.h"
#include "common/base/cursor.h"
#include "common/crypto/sign.h"

#define DER_BOOLEAN 0x01
#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTETS 0x04
#define DER_OID 0x06
#define DER_UTF8 0x0c
#define DER_UTC_TIME 0x17
#define DER_TIME 0x18
#define DER_SEQUENCE 0x30
#define DER_SET 0x31
#define DER_CONTEXT(n) ((uint8_t)(0x80 | (n)))		/* [n] IMPLICIT of a primitive type */
#define DER_EXPLICIT(n) ((uint8_t)(0xa0 | (n)))		/* [n] EXPLICIT, or IMPLICIT of a constructed type */

/* Whole encodings that stand in several places. */
#define DER_INIT(s) { (const uint8_t *)(s), sizeof(s) - 1 }		/* in an initialiser */
#define DER_LITERAL(s) sp_span(s, sizeof(s) - 1)			/* as a value */
#define DER_OID_SHA256 "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define DER_ALG_SHA256 DER_LITERAL("\x30\x0b" DER_OID_SHA256)
#define DER_ALG_ECDSA_SHA256 DER_LITERAL("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")

/* An element whose length is known only at its end: open gives a mark, close fills the length in. Errors stick to b. */
size_t sp_der_open(struct sp_buf *b, uint8_t tag);
void sp_der_close(struct sp_buf *b, size_t mark);

/* Whole elements. An integer is given big-endian and unsigned; a time in seconds since 1970 (UTCTime before 2050, as
 * RFC 5280 wants it); a signature as r || s. */
void sp_der_add(struct sp_buf *b, uint8_t tag, struct sp_span content);
void sp_der_add_uint(struct sp_buf *b, const uint8_t *p, size_t n);
void sp_der_add_time(struct sp_buf *b, int64_t seconds);
void sp_der_add_signature(struct sp_buf *b, const uint8_t signature[SP_SIGNATURE]);

/* The content of the next element, borrowed; SP_E_FORMAT or SP_E_SHORT stick to c if it is not of that tag. */
struct sp_span sp_der_read(struct sp_cursor *c, uint8_t tag);
struct sp_cursor sp_der_enter(struct sp_cursor *c, uint8_t tag);

/* The same with its tag and length. */
struct sp_span sp_der_read_whole(struct sp_cursor *c, uint8_t tag);

bool sp_der_next_is(const struct sp_cursor *c, uint8_t tag);

/* These bytes and no others must come next. */
void sp_der_expect(struct sp_cursor *c, struct sp_span bytes);

/* A positive integer of at most n bytes, big-endian, zeroes in front; a time; a signature as r || s. */
void sp_der_read_uint(struct sp_cursor *c, uint8_t *out, size_t n);
int64_t sp_der_read_time(struct sp_cursor *c);
void sp_der_read_signature(struct sp_cursor *c, uint8_t signature[SP_SIGNATURE]);

/* Ends an inner cursor: left-over bytes and its error become the outer one's. */
void sp_der_leave(struct sp_cursor *outer, const struct sp_cursor *inner);

#endif
