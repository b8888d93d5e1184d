/*
 * columns.h - inside peerd/store: rows of the database as data, so that one walk binds, reads, copies or frees any of
 * them.
 */
#ifndef PEERD_STORE_COLUMNS_H
#define PEERD_STORE_COLUMNS_H

#include <stddef.h>

#include "common/base/status.h"

struct sqlite3_stmt;

/* KEY is a text that is never NULL in the database; CHARS is an array in the struct, of size bytes with its end. */
enum column_kind { COLUMN_ID, COLUMN_INT, COLUMN_BOOL, COLUMN_U8, COLUMN_U32, COLUMN_U64, COLUMN_KEY, COLUMN_TEXT,
	COLUMN_BYTES, COLUMN_HASH, COLUMN_CHARS };

struct column {
	const char *name;
	enum column_kind kind;
	size_t offset, size;	/* of the member */
};

struct columns {
	const struct column *list;
	size_t count;
};
extern const struct columns event_columns, book_columns, station_columns;

/* Binds the members of row to ?1 … ?count. The statement borrows from row until it is reset. */
SP_MUST_CHECK enum sp_status columns_bind(const struct columns *cols, struct sqlite3_stmt *stmt, const void *row);

/* Reads the result's columns from number first on into row, which is zeroes. On failure (SP_E_NOMEM, SP_E_FORMAT
 * for a value that does not fit its member) row is empty again. */
SP_MUST_CHECK enum sp_status columns_read(const struct columns *cols, struct sqlite3_stmt *stmt, int first,
    void *row);

/* Copies what from owns into to, which is zeroes. SP_E_NOMEM: to is empty again. */
SP_MUST_CHECK enum sp_status columns_copy(const struct columns *cols, const void *from, void *to);

/* Frees what row owns; it is zeroes afterwards. */
void columns_clear(const struct columns *cols, void *row);

#endif
