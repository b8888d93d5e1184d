/*
 * table.h - rows of texts as a table that fits the terminal.
 */
#ifndef PEERD_CLI_TABLE_H
#define PEERD_CLI_TABLE_H

#include <stdbool.h>

#include "common/base/buf.h"

struct table_column {
	const char *head;
	bool soft;		/* may be cut when space is short */
	bool right;		/* numbers */
	unsigned drop;		/* where space is very short, the columns with the highest go first; 0 = never */
};

/* At most TABLE_COLUMNS columns; they are borrowed. */
#define TABLE_COLUMNS 8
struct table;
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *t);
SP_AUTO_DEFINE(table);

/* One text for each column; copied, made safe for a terminal. */
void table_add(struct table *t, const char *const *cells);

/* Appends heads and rows, no line wider than width (0: no limit) and none with spaces at its end. */
void table_out(const struct table *t, unsigned width, struct sp_buf *out);

#endif
