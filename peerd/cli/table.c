/*
 * table.c - columns as wide as they need; when space is short some go, then the soft ones give way, widest first.
 */
#include "peerd/cli/table.h"

#include <string.h>

#include "peerd/cli/print.h"

#define GAP 2
#define SOFT_LEAST 10	/* a soft column narrower than this says nothing: rather drop another */

struct table {
	const struct table_column *columns;	/* borrowed */
	size_t ncolumns, count, cap;
	char **cells;				/* owned, count * ncolumns */
};

struct table *
table_new(const struct table_column *columns, size_t count)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	t->columns = columns;
	t->ncolumns = count < TABLE_COLUMNS ? count : TABLE_COLUMNS;
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count * t->ncolumns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void
table_add(struct table *t, const char *const *cells)
{
	if (t->count == t->cap) {
		t->cap = t->cap > 0 ? 2 * t->cap : 32;
		if ((t->cells = reallocarray(t->cells, t->cap * t->ncolumns, sizeof(*t->cells))) == NULL)
			abort();
	}
	for (size_t i = 0; i < t->ncolumns; i++) {
		SP_AUTO_DONE(sp_buf) safe = { 0 };

		print_safe(&safe, cells[i]);
		if ((t->cells[t->count * t->ncolumns + i] = strdup(sp_buf_cstr(&safe))) == NULL)
			abort();
	}
	t->count++;
}

/* How wide a row is with these columns, 0 = left out; soft ones count with at most soft_most. */
static size_t
row_width(const struct table *t, const size_t w[TABLE_COLUMNS], size_t soft_most)
{
	size_t all = 0;

	for (size_t c = 0; c < t->ncolumns; c++)
		if (w[c] > 0)
			all += GAP + (t->columns[c].soft && w[c] > soft_most ? soft_most : w[c]);
	return all > 0 ? all - GAP : 0;
}

static void
drop(const struct table *t, unsigned width, size_t w[TABLE_COLUMNS])
{
	while (row_width(t, w, SOFT_LEAST) > width) {
		size_t first = t->ncolumns;

		for (size_t c = 0; c < t->ncolumns; c++)
			if (w[c] > 0 && t->columns[c].drop > 0 &&
			    (first == t->ncolumns || t->columns[c].drop > t->columns[first].drop))
				first = c;
		if (first == t->ncolumns)
			return;
		w[first] = 0;
	}
}

static void
give_way(const struct table *t, unsigned width, size_t w[TABLE_COLUMNS])
{
	for (size_t all = row_width(t, w, SIZE_MAX); all > width; all--) {
		size_t most = t->ncolumns;

		for (size_t c = 0; c < t->ncolumns; c++)
			if (t->columns[c].soft && w[c] > 1 && (most == t->ncolumns || w[c] > w[most]))
				most = c;
		if (most == t->ncolumns)
			return;
		w[most]--;
	}
}

static void
spaces(struct sp_buf *out, size_t n)
{
	while (n-- > 0)
		sp_buf_add_u8(out, ' ');
}

static void
line(const struct table *t, const char *const *cells, const size_t w[TABLE_COLUMNS], unsigned width,
    struct sp_buf *out)
{
	SP_AUTO_DONE(sp_buf) row = { 0 };
	size_t owed = 0;	/* spaces before the next text */
	bool first = true;

	for (size_t c = 0; c < t->ncolumns; c++) {
		SP_AUTO_DONE(sp_buf) cell = { 0 };
		size_t used;

		if (w[c] == 0)
			continue;
		owed += first ? 0 : GAP;
		first = false;
		used = print_cut(&cell, cells[c], w[c]);
		if (t->columns[c].right)
			owed += w[c] - used;
		if (used > 0) {
			spaces(&row, owed);
			owed = 0;
		}
		sp_buf_add_span(&row, sp_buf_span(&cell));
		if (!t->columns[c].right)
			owed += w[c] - used;
	}
	if (width > 0)
		print_cut(out, sp_buf_cstr(&row), width);
	else
		sp_buf_add_span(out, sp_buf_span(&row));
	sp_buf_add_u8(out, '\n');
}

void
table_out(const struct table *t, unsigned width, struct sp_buf *out)
{
	size_t w[TABLE_COLUMNS] = { 0 };
	const char *heads[TABLE_COLUMNS];

	for (size_t c = 0; c < t->ncolumns; c++) {
		heads[c] = t->columns[c].head;
		w[c] = print_columns(heads[c]);
		for (size_t r = 0; r < t->count; r++) {
			size_t n = print_columns(t->cells[r * t->ncolumns + c]);

			w[c] = n > w[c] ? n : w[c];
		}
	}
	if (width > 0) {
		drop(t, width, w);
		give_way(t, width, w);
	}
	line(t, heads, w, width, out);
	for (size_t r = 0; r < t->count; r++)
		line(t, (const char *const *)t->cells + r * t->ncolumns, w, width, out);
}
