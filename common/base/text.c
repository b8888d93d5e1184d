/*
 * text.c - hex, base64url, percent escapes, names, and foreign bytes made safe to show.
 */
#include "common/base/text.h"

#include <stdio.h>

#include "common/base/limits.h"

const char *
sp_hex(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = 0;
	return out;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum sp_status
sp_unhex(const char *hex, size_t len, void *out, size_t n)
{
	uint8_t *b = out;

	if (len / 2 != n || len % 2 != 0)
		return SP_E_FORMAT;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return SP_E_FORMAT;
		b[i] = (uint8_t)(high << 4 | low);
	}
	return SP_OK;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
sp_base64url_add(struct sp_buf *b, struct sp_span bytes)
{
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | bytes.p[i];
		for (have += 8; have >= 6; have -= 6)
			sp_buf_add_u8(b, (uint8_t)alphabet[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		sp_buf_add_u8(b, (uint8_t)alphabet[bits << (6 - have) & 63]);
}

enum sp_status
sp_base64url_read(struct sp_span text, struct sp_buf *out)
{
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < text.n; i++) {
		const char *at = text.p[i] != 0 ? strchr(alphabet, text.p[i]) : NULL;

		if (at == NULL)
			return SP_E_FORMAT;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		have += 6;
		if (have >= 8) {
			have -= 8;
			sp_buf_add_u8(out, (uint8_t)(bits >> have));
		}
	}
	if (have >= 6 || (bits & ((1u << have) - 1)) != 0)
		return SP_E_FORMAT;
	return sp_buf_status(out);
}

static bool
must_escape(uint8_t c)
{
	return c <= 0x20 || c == 0x7f || c == '%';
}

void
sp_percent_add(struct sp_buf *b, struct sp_span raw)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t from = 0;

	for (size_t i = 0; i < raw.n; i++) {
		if (!must_escape(raw.p[i]))
			continue;
		sp_buf_add(b, raw.p + from, i - from);
		sp_buf_add(b, (const char[]){ '%', digits[raw.p[i] >> 4], digits[raw.p[i] & 15] }, 3);
		from = i + 1;
	}
	if (raw.n > from)
		sp_buf_add(b, raw.p + from, raw.n - from);
}

size_t
sp_percent_length(struct sp_span raw)
{
	size_t n = raw.n;

	for (size_t i = 0; i < raw.n; i++)
		n += must_escape(raw.p[i]) ? 2 : 0;
	return n;
}

static int
upper_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum sp_status
sp_percent_read(struct sp_span text, struct sp_buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		int high, low;

		if (c != '%') {
			if (must_escape(c))
				return SP_E_FORMAT;
			continue;
		}
		if (text.n - i < 3)
			return SP_E_FORMAT;
		high = upper_digit(text.p[i + 1]);
		low = upper_digit(text.p[i + 2]);
		if (high < 0 || low < 0 || !must_escape((uint8_t)(high << 4 | low)))
			return SP_E_FORMAT;
		sp_buf_add(out, text.p + from, i - from);
		sp_buf_add_u8(out, (uint8_t)(high << 4 | low));
		i += 2;
		from = i + 1;
	}
	if (text.n > from)
		sp_buf_add(out, text.p + from, text.n - from);
	return sp_buf_status(out);
}

size_t
sp_utf8_length(const uint8_t *p, size_t left)
{
	size_t n;

	if (left == 0)
		return 0;
	n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static bool
is_control(const uint8_t *p, size_t n)
{
	return n == 1 ? *p < 0x20 || *p == 0x7f : n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

/* Direction marks, separators and characters of no width could reorder or hide what the reader sees. */
static bool
is_tricky(const uint8_t *p, size_t n)
{
	uint32_t c = n == 2 ? (uint32_t)(p[0] & 31) << 6 | (p[1] & 63) :
	    n == 3 ? (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63) : 0;

	return c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	    c == 0xfeff;
}

bool
sp_is_text(struct sp_span bytes)
{
	for (size_t i = 0; i < bytes.n;) {
		size_t n = sp_utf8_length(bytes.p + i, bytes.n - i);

		if (n == 0 || is_control(bytes.p + i, n))
			return false;
		i += n;
	}
	return true;
}

bool
sp_utf8_ok(struct sp_span text)
{
	for (size_t i = 0; i < text.n;) {
		size_t n = sp_utf8_length(text.p + i, text.n - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

void
sp_printable_add(struct sp_buf *b, struct sp_span foreign)
{
	for (size_t i = 0; i < foreign.n;) {
		const uint8_t *p = foreign.p + i;
		size_t n = sp_utf8_length(p, foreign.n - i);

		if (n == 0 || is_control(p, n) || is_tricky(p, n)) {
			sp_buf_addf(b, "\\x%02x", *p);
			i++;
			continue;
		}
		if (*p == '\\')
			sp_buf_add_u8(b, '\\');
		sp_buf_add(b, p, n);
		i += n;
	}
}

enum sp_status
sp_parse_u64(struct sp_span text, uint64_t max, uint64_t *ret_value)
{
	uint64_t v = 0;

	if (text.n == 0 || text.n > 20 || (text.n > 1 && text.p[0] == '0'))
		return SP_E_FORMAT;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return SP_E_FORMAT;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text.p[i] - '0'), &v))
			return SP_E_RANGE;
	}
	if (v > max)
		return SP_E_RANGE;
	*ret_value = v;
	return SP_OK;
}

static bool
is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A person's or station's label: letters, digits, '.', '_', '-', beginning with a letter or digit. */
static bool
copy_label(struct sp_span s, char *out, size_t max)
{
	if (s.n == 0 || s.n > max || !is_alnum(s.p[0]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '_' && s.p[i] != '-')
			return false;
	memcpy(out, s.p, s.n);
	out[s.n] = 0;
	return true;
}

static bool
copy_domain(struct sp_span s, char *out, size_t max)
{
	if (s.n == 0 || s.n > max || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && (!is_alnum(s.p[i - 1]) || !is_alnum(s.p[i + 1])))
			return false;
		if (!is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '-')
			return false;
	}
	memcpy(out, s.p, s.n);
	out[s.n] = 0;
	return true;
}

enum sp_status
sp_name_parse(struct sp_span text, struct sp_name *ret_name)
{
	struct sp_name name = { 0 };
	const uint8_t *at = text.n > 0 ? memchr(text.p, '@', text.n) : NULL;
	struct sp_span local, domain, person;
	const uint8_t *slash;

	if (at == NULL)
		return SP_E_FORMAT;
	local = sp_span(text.p, (size_t)(at - text.p));
	domain = sp_span(at + 1, text.n - local.n - 1);
	slash = local.n > 0 ? memchr(local.p, '/', local.n) : NULL;
	person = slash != NULL ? sp_span(local.p, (size_t)(slash - local.p)) : local;
	if (!copy_label(person, name.person, SP_PERSON_MAX) || !copy_domain(domain, name.domain, SP_DOMAIN_MAX))
		return SP_E_FORMAT;
	if (slash != NULL && !copy_label(sp_span(slash + 1, local.n - person.n - 1), name.station, SP_STATION_MAX))
		return SP_E_FORMAT;
	*ret_name = name;
	return SP_OK;
}

const char *
sp_name_text(const struct sp_name *name, char out[SP_NAME_TEXT])
{
	snprintf(out, SP_NAME_TEXT, "%s%s%s@%s", name->person, name->station[0] != 0 ? "/" : "", name->station,
	    name->domain);
	return out;
}
