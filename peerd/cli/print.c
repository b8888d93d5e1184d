/*
 * print.c - sizes, times, texts that fit, bars.
 */
#include "peerd/cli/print.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "common/base/text.h"

const char *
print_size(uint64_t bytes, char out[PRINT_SIZE])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 999.5 && u + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1000;
		u++;
	}
	snprintf(out, PRINT_SIZE, u == 0 || v >= 99.95 ? "%.0f %s" : "%.1f %s", v, units[u]);
	return out;
}

const char *
print_span(uint64_t seconds, char out[PRINT_SPAN])
{
	unsigned long long s = seconds;

	if (s >= 3 * 86400)
		snprintf(out, PRINT_SPAN, "%llu days", s / 86400);
	else if (s >= 3600)
		snprintf(out, PRINT_SPAN, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(out, PRINT_SPAN, "%llu:%02llu", s / 60, s % 60);
	return out;
}

const char *
print_when(const char *rfc3339, char out[PRINT_SPAN])
{
	struct tm tm = { 0 }, local;
	const char *end;
	time_t t;

	out[0] = 0;
	if (rfc3339 == NULL || (end = strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ", &tm)) == NULL || *end != 0)
		return out;
	t = timegm(&tm);
	if (localtime_r(&t, &local) == NULL || strftime(out, PRINT_SPAN, "%Y-%m-%d %H:%M", &local) == 0)
		out[0] = 0;
	return out;
}

/* The character at p: its bytes and columns; false if it must not go to a terminal. */
static bool
step(const char *p, size_t left, size_t *bytes, size_t *columns)
{
	mbstate_t state = { 0 };
	wchar_t c = 0;
	size_t n = mbrtowc(&c, p, left, &state);
	int w = n == 0 || n > left ? -1 : wcwidth(c);

	*bytes = w < 0 ? n > left || n == 0 ? 1 : n : n;
	*columns = w < 0 ? 1 : (size_t)w;
	return w >= 0;
}

void
print_safe(struct sp_buf *out, const char *text)
{
	size_t n = strlen(text), bytes, w;

	for (size_t i = 0; i < n; i += bytes) {
		if (step(text + i, n - i, &bytes, &w)) {
			sp_buf_add(out, text + i, bytes);
			continue;
		}
		for (size_t b = 0; b < bytes; b++)
			sp_buf_addf(out, "\\x%02x", (unsigned char)text[i + b]);
	}
}

void
print_raw(struct sp_buf *out, const char *text)
{
	uint8_t byte;

	for (const char *p = text; *p != 0; p++) {
		if (p[0] == '\\' && p[1] == 'x' && sp_unhex(p + 2, strnlen(p + 2, 2), &byte, 1) == SP_OK) {
			sp_buf_add_u8(out, byte);
			p += 3;
		} else {
			sp_buf_add_u8(out, (uint8_t)*p);
			p += p[0] == '\\' && p[1] == '\\';
		}
	}
}

void
print_word(struct sp_buf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@%+,=";

	if (text[0] != 0 && text[0] != '-' && text[strspn(text, plain)] == 0) {
		sp_buf_add_text(out, text);
		return;
	}
	sp_buf_add_u8(out, '\'');
	for (const char *p = text; *p != 0; p++)
		if (*p == '\'')
			sp_buf_add_text(out, "'\\''");
		else
			sp_buf_add_u8(out, (uint8_t)*p);
	sp_buf_add_u8(out, '\'');
}

size_t
print_columns(const char *text)
{
	size_t n = strlen(text), all = 0, bytes, w;

	for (size_t i = 0; i < n; i += bytes) {
		step(text + i, n - i, &bytes, &w);
		all += w;
	}
	return all;
}

size_t
print_cut(struct sp_buf *out, const char *text, size_t width)
{
	size_t n = strlen(text), used = print_columns(text), bytes, w;

	if (used <= width) {
		sp_buf_add_text(out, text);
		return used;
	}
	if (width == 0)
		return 0;
	used = 0;
	for (size_t i = 0; i < n; i += bytes) {
		step(text + i, n - i, &bytes, &w);
		if (used + w > width - 1)
			break;
		sp_buf_add(out, text + i, bytes);
		used += w;
	}
	sp_buf_add_text(out, "…");
	return used + 1;
}

void
print_bar(uint64_t part, uint64_t whole, unsigned width, struct sp_buf *out)
{
	unsigned inner = width > 2 ? width - 2 : 0;
	unsigned full = whole == 0 ? 0 : part >= whole ? inner :
	    (unsigned)((double)inner * ((double)part / (double)whole));

	if (inner == 0)
		return;
	sp_buf_add_u8(out, '[');
	for (unsigned i = 0; i < inner; i++)
		sp_buf_add_u8(out, i < full ? '#' : '-');
	sp_buf_add_u8(out, ']');
}
