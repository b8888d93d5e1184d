/*
 * lines.c - lines, fields, numbers and times of the packet's texts; whatever has two forms is refused but for one.
 */
#include "common/packet/lines.h"

#include "common/base/text.h"

#define NSEC 1000000000u

enum sp_status
sp_lines_next(struct sp_lines *l, struct sp_span *ret_line, struct sp_why *why)
{
	const uint8_t *end = l->rest.n > 0 ? memchr(l->rest.p, '\n', l->rest.n) : NULL;
	size_t n;

	l->number++;
	if (end == NULL)
		return sp_fail(SP_E_FORMAT, why, "the text ends too early");
	n = (size_t)(end - l->rest.p);
	*ret_line = sp_span(l->rest.p, n);
	l->rest = sp_span(end + 1, l->rest.n - n - 1);
	return SP_OK;
}

size_t
sp_lines_count(const struct sp_lines *l, size_t max)
{
	struct sp_span rest = l->rest;
	size_t count = 0;

	while (rest.n > 0 && count <= max) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);

		count++;
		if (end == NULL)
			break;
		rest = sp_span(end + 1, rest.n - (size_t)(end - rest.p) - 1);
	}
	return count;
}

enum sp_status
sp_lines_value(struct sp_lines *l, const char *name, struct sp_span *ret_value, struct sp_why *why)
{
	size_t n = strlen(name);
	struct sp_span line;
	enum sp_status st;

	if ((st = sp_lines_next(l, &line, why)) != SP_OK)
		return st;
	if (line.n <= n || memcmp(line.p, name, n) != 0 || line.p[n] != ' ')
		return sp_fail(SP_E_FORMAT, why, "not the line \"%s\"", name);
	*ret_value = sp_span(line.p + n + 1, line.n - n - 1);
	return SP_OK;
}

enum sp_status
sp_lines_magic(struct sp_lines *l, const char *name, struct sp_why *why)
{
	struct sp_span value;
	enum sp_status st;
	uint64_t version;

	if ((st = sp_lines_value(l, name, &value, why)) != SP_OK)
		return st;
	if (sp_parse_u64(value, UINT32_MAX, &version) != SP_OK)
		return sp_fail(SP_E_FORMAT, why, "no form number after \"%s\"", name);
	if (version != 1)
		return sp_fail(SP_E_VERSION, why, "%s has form %llu, known is 1", name, (unsigned long long)version);
	return SP_OK;
}

enum sp_status
sp_lines_blank(struct sp_lines *l, struct sp_why *why)
{
	struct sp_span line;
	enum sp_status st;

	if ((st = sp_lines_next(l, &line, why)) != SP_OK)
		return st;
	return line.n == 0 ? SP_OK : sp_fail(SP_E_FORMAT, why, "not the empty line after the header");
}

bool
sp_line_fields(struct sp_span line, struct sp_span *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint8_t *space = line.n > 0 ? memchr(line.p, ' ', line.n) : NULL;
		size_t n = space != NULL ? (size_t)(space - line.p) : line.n;

		if ((space != NULL) != (i + 1 < count))
			return false;
		fields[i] = sp_span(line.p, n);
		if (space != NULL)
			line = sp_span(space + 1, line.n - n - 1);
	}
	return true;
}

enum sp_status
sp_raw_read(struct sp_span text, struct sp_buf *scratch, struct sp_span *ret_raw)
{
	enum sp_status st;

	if (sp_percent_length(text) == text.n) {
		*ret_raw = text;
		return scratch->max > 0 && text.n > scratch->max ? SP_E_LONG : SP_OK;
	}
	sp_buf_clear(scratch);
	if ((st = sp_percent_read(text, scratch)) != SP_OK)
		return st;
	if (scratch->len > 0 && memchr(scratch->data, 0, scratch->len) != NULL)
		return SP_E_FORMAT;
	*ret_raw = sp_buf_span(scratch);
	return SP_OK;
}

size_t
sp_u64_write(uint64_t value, char *out)
{
	char digits[SP_U64_TEXT];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	return n;
}

size_t
sp_mtime_write(int64_t sec, uint32_t nsec, char *out)
{
	size_t n = 0;

	if (sec < 0)
		out[n++] = '-';
	n += sp_u64_write(sec < 0 ? 0 - (uint64_t)sec : (uint64_t)sec, out + n);
	out[n++] = '.';
	for (uint32_t unit = NSEC / 10; unit > 0; unit /= 10)
		out[n++] = (char)('0' + nsec / unit % 10);
	return n;
}

enum sp_status
sp_mtime_read(struct sp_span text, int64_t *ret_sec, uint32_t *ret_nsec)
{
	bool negative = text.n > 0 && text.p[0] == '-';
	struct sp_span number;
	uint64_t value;
	uint32_t nsec = 0;

	if (negative)
		text = sp_span(text.p + 1, text.n - 1);
	if (text.n < 11 || text.p[text.n - 10] != '.')
		return SP_E_FORMAT;
	number = sp_span(text.p, text.n - 10);
	if (sp_parse_u64(number, (uint64_t)INT64_MAX + (negative ? 1 : 0), &value) != SP_OK ||
	    (negative && value == 0))
		return SP_E_FORMAT;
	for (size_t i = text.n - 9; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return SP_E_FORMAT;
		nsec = nsec * 10 + (uint32_t)(text.p[i] - '0');
	}
	/* -value as two steps, so that the smallest number doesn't overflow */
	*ret_sec = negative ? -(int64_t)(value - 1) - 1 : (int64_t)value;
	*ret_nsec = nsec;
	return SP_OK;
}
