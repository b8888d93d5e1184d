/*
 * print.c - sizes, times, tables, bars.
 */
#include "peerd/cli/print.h"

#include <stdio.h>
#include <time.h>
#include <wchar.h>

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
	time_t t;

	out[0] = 0;
	if (rfc3339 == NULL || strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return out;
	t = timegm(&tm);
	if (localtime_r(&t, &local) != NULL)
		strftime(out, PRINT_SPAN, "%Y-%m-%d %H:%M", &local);
	return out;
}

/* The character at p: its bytes and columns. */
static size_t
step(const char *p, size_t left, size_t *columns)
{
	wchar_t c;
	mbstate_t state = { 0 };
	size_t n = mbrtowc(&c, p, left, &state);
	int w;

	if (n == 0 || n > left) {
		*columns = 1;
		return 1;
	}
	w = wcwidth(c);
	*columns = w < 0 ? 1 : (size_t)w;
	return n;
}

size_t
print_columns(const char *text)
{
	size_t n = strlen(text), all = 0, w;

	for (size_t i = 0; i < n; all += w)
		i += step(text + i, n - i, &w);
	return all;
}

void
print_cut(struct sp_buf *out, const char *text, size_t width)
{
	size_t n = strlen(text), used = 0, w;

	if (print_columns(text) <= width) {
		sp_buf_add_text(out, text);
		return;
	}
	for (size_t i = 0; i < n && width > 0;) {
		size_t bytes = step(text + i, n - i, &w);

		if (used + w > width - 1)
			break;
		sp_buf_add(out, text + i, bytes);
		used += w;
		i += bytes;
	}
	if (width > 0)
		sp_buf_add_text(out, "…");
}

#define TABLE_COLUMNS 8

struct print_table {
	size_t columns, count, cap;
	const char *heads[TABLE_COLUMNS];	/* borrowed */
	char **cells;				/* owned, count * columns */
};

struct print_table *
print_table_new(size_t columns, const char *const *heads)
{
	struct print_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	t->columns = columns;
	for (size_t i = 0; i < columns; i++)
		t->heads[i] = heads[i];
	return t;
}

void
print_table_free(struct print_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void
print_table_add(struct print_table *t, const char *const *cells)
{
	if (t->count == t->cap) {
		t->cap = t->cap > 0 ? 2 * t->cap : 32;
		t->cells = reallocarray(t->cells, t->cap * t->columns, sizeof(*t->cells));
	}
	for (size_t i = 0; t->cells != NULL && i < t->columns; i++)
		if ((t->cells[t->count * t->columns + i] = strdup(cells[i])) == NULL)
			abort();
	if (t->cells == NULL)
		abort();
	t->count++;
}

/* How wide each column is: as needed, then the widest ones give way. */
static void
widths(const struct print_table *t, unsigned width, bool heads, size_t out[TABLE_COLUMNS])
{
	size_t all = 2 * (t->columns - 1);

	for (size_t c = 0; c < t->columns; c++) {
		out[c] = heads ? print_columns(t->heads[c]) : 0;
		for (size_t r = 0; r < t->count; r++) {
			size_t w = print_columns(t->cells[r * t->columns + c]);

			out[c] = w > out[c] ? w : out[c];
		}
		all += out[c];
	}
	while (width > 0 && all > width) {
		size_t most = 0;

		for (size_t c = 1; c < t->columns; c++)
			most = out[c] > out[most] ? c : most;
		if (out[most] <= 4)
			break;
		out[most]--;
		all--;
	}
}

static void
line(const struct print_table *t, const char *const *cells, const size_t w[TABLE_COLUMNS], struct sp_buf *out)
{
	for (size_t c = 0; c < t->columns; c++) {
		size_t used = print_columns(cells[c]);

		print_cut(out, cells[c], w[c]);
		if (c + 1 < t->columns)
			for (size_t i = used < w[c] ? used : w[c]; i < w[c] + 2; i++)
				sp_buf_add_u8(out, ' ');
	}
	sp_buf_add_u8(out, '\n');
}

void
print_table_out(const struct print_table *t, unsigned width, bool heads, struct sp_buf *out)
{
	size_t w[TABLE_COLUMNS];

	widths(t, width, heads, w);
	if (heads)
		line(t, t->heads, w, out);
	for (size_t r = 0; r < t->count; r++)
		line(t, (const char *const *)t->cells + r * t->columns, w, out);
}

void
print_bar(uint64_t part, uint64_t whole, unsigned width, struct sp_buf *out)
{
	unsigned inner = width > 2 ? width - 2 : 0;
	unsigned full = whole > 0 ? (unsigned)((double)inner * ((double)part / (double)whole)) : 0;

	sp_buf_add_u8(out, '[');
	for (unsigned i = 0; i < inner; i++)
		sp_buf_add_u8(out, i < full ? '#' : '-');
	sp_buf_add_u8(out, ']');
}
