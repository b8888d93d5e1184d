/*
 * text.h - small texts: hex, base64url, percent escapes, names, safe printing of foreign bytes.
 */
#ifndef SP_BASE_TEXT_H
#define SP_BASE_TEXT_H

#include "common/base/buf.h"

/* 2n lower-case hex digits and an end into out[2n+1]; returns out. */
const char *sp_hex(const void *p, size_t n, char *out);

/* Reads exactly 2*n hex digits (lower case only); SP_E_FORMAT otherwise. */
SP_MUST_CHECK enum sp_status sp_unhex(const char *hex, size_t len, void *out, size_t n);

/* base64url without padding (RFC 4648 §5), appended to b; and back (SP_E_FORMAT on any other byte or non-zero spare bits). */
void sp_base64url_add(struct sp_buf *b, struct sp_span bytes);
SP_MUST_CHECK enum sp_status sp_base64url_read(struct sp_span text, struct sp_buf *out);

/* Bytes <= 0x20, 0x7f and '%' as %XX (upper case), all else raw: the manifest's form of a path; and how long that form is. */
void sp_percent_add(struct sp_buf *b, struct sp_span raw);
size_t sp_percent_length(struct sp_span raw);

/* The reverse; only the form sp_percent_add() makes is accepted (one form only), SP_E_FORMAT otherwise. */
SP_MUST_CHECK enum sp_status sp_percent_read(struct sp_span text, struct sp_buf *out);

/* Length of the valid UTF-8 sequence at p, of left bytes (0 if none): shortest form, no surrogates, <= U+10FFFF. */
size_t sp_utf8_length(const uint8_t *p, size_t left);

/* UTF-8 throughout and no control character (C0, DEL, C1): what a TEXT field of a message may hold. */
bool sp_is_text(struct sp_span bytes);

/* Is it UTF-8: shortest forms, no surrogates, nothing above U+10FFFF? */
bool sp_utf8_ok(struct sp_span text);

/* Foreign bytes made safe for a terminal or a log: control bytes and invalid UTF-8 as \xNN, '\' doubled. */
void sp_printable_add(struct sp_buf *b, struct sp_span foreign);

/* A decimal number of digits only, <= max, without leading zeros; SP_E_FORMAT / SP_E_RANGE. */
SP_MUST_CHECK enum sp_status sp_parse_u64(struct sp_span text, uint64_t max, uint64_t *ret_value);

/* "person/station@domain" or "person@domain" split and checked: person and station [a-z0-9._-] beginning with a letter or
 * digit, domain dotted lower-case labels; bounds in limits.h. station is empty for a person. SP_E_FORMAT otherwise. */
struct sp_name {
	char person[33];
	char station[25];
	char domain[49];
};
SP_MUST_CHECK enum sp_status sp_name_parse(struct sp_span text, struct sp_name *ret_name);

/* The text form into out[SP_NAME_TEXT]; returns out. */
#define SP_NAME_TEXT 108
const char *sp_name_text(const struct sp_name *name, char out[SP_NAME_TEXT]);

#endif
