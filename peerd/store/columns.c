/*
 * columns.c - one walk over the columns of a row for each thing that is done with rows.
 */
#include "peerd/store/columns.h"

#include <sqlite3.h>

#include "peerd/store/book.h"
#include "peerd/store/event.h"
#include "peerd/store/tables.h"

#define COLUMN(type, member, kind) \
	{ #member, COLUMN_##kind, offsetof(struct type, member), sizeof(((struct type *)0)->member) },
#define OF_EVENT(version, member, kind) COLUMN(event_row, member, kind)
#define OF_BOOK(version, member, kind) COLUMN(book_row, member, kind)
#define OF_STATION(version, member, kind) COLUMN(station_row, member, kind)

static const struct column event_list[] = { EVENT_COLUMNS(OF_EVENT) };
static const struct column book_list[] = { BOOK_COLUMNS(OF_BOOK) };
static const struct column station_list[] = { STATION_COLUMNS(OF_STATION) };

const struct columns event_columns = { event_list, sizeof(event_list) / sizeof(event_list[0]) };
const struct columns book_columns = { book_list, sizeof(book_list) / sizeof(book_list[0]) };
const struct columns station_columns = { station_list, sizeof(station_list) / sizeof(station_list[0]) };

static uint64_t
get_integer(const struct column *col, const uint8_t *member)
{
	bool b;
	int i;
	uint32_t u;
	uint64_t v;

	switch (col->kind) {
	case COLUMN_INT:
		memcpy(&i, member, sizeof(i));
		return (uint64_t)(int64_t)i;
	case COLUMN_BOOL:
		memcpy(&b, member, sizeof(b));
		return b;
	case COLUMN_U8:
		return *member;
	case COLUMN_U32:
		memcpy(&u, member, sizeof(u));
		return u;
	default:
		memcpy(&v, member, sizeof(v));
		return v;
	}
}

/* SQLite's integers are signed: a U64 keeps its bits. */
static bool
set_integer(const struct column *col, uint8_t *member, int64_t value)
{
	bool b = value != 0;
	int i = (int)value;
	uint32_t u = (uint32_t)value;

	switch (col->kind) {
	case COLUMN_INT:
		memcpy(member, &i, sizeof(i));
		return value == i;
	case COLUMN_BOOL:
		memcpy(member, &b, sizeof(b));
		return value == b;
	case COLUMN_U8:
		*member = (uint8_t)value;
		return value == *member;
	case COLUMN_U32:
		memcpy(member, &u, sizeof(u));
		return value == (int64_t)u;
	default:
		memcpy(member, &value, sizeof(value));
		return true;
	}
}

static int
bind_bytes(sqlite3_stmt *stmt, int number, const void *p, size_t n)
{
	/* sqlite3 takes a NULL pointer for NULL; empty bytes are a value. */
	return sqlite3_bind_blob64(stmt, number, n > 0 ? p : "", n, SQLITE_STATIC);
}

static int
bind_text(sqlite3_stmt *stmt, int number, const char *text)
{
	return text == NULL ? sqlite3_bind_null(stmt, number)
	    : sqlite3_bind_text64(stmt, number, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

static int
bind_column(const struct column *col, sqlite3_stmt *stmt, int number, const uint8_t *member)
{
	struct sp_buf bytes;
	char *text;

	switch (col->kind) {
	case COLUMN_ID:
	case COLUMN_HASH:
		return bind_bytes(stmt, number, member, col->size);
	case COLUMN_BYTES:
		memcpy(&bytes, member, sizeof(bytes));
		return bind_bytes(stmt, number, bytes.data, bytes.len);
	case COLUMN_KEY:
	case COLUMN_TEXT:
		memcpy(&text, member, sizeof(text));
		return bind_text(stmt, number, text == NULL && col->kind == COLUMN_KEY ? "" : text);
	case COLUMN_CHARS:
		return bind_text(stmt, number, (const char *)member);
	default:
		return sqlite3_bind_int64(stmt, number, (int64_t)get_integer(col, member));
	}
}

enum sp_status
columns_bind(const struct columns *cols, struct sqlite3_stmt *stmt, const void *row)
{
	for (size_t i = 0; i < cols->count; i++) {
		const struct column *col = &cols->list[i];

		if (bind_column(col, stmt, (int)i + 1, (const uint8_t *)row + col->offset) != SQLITE_OK)
			return SP_E_NOMEM;
	}
	return SP_OK;
}

static enum sp_status
read_text(const struct column *col, sqlite3_stmt *stmt, int number, uint8_t *member)
{
	const char *text = (const char *)sqlite3_column_text(stmt, number);
	size_t n = (size_t)sqlite3_column_bytes(stmt, number);
	char *copy;

	if (col->kind == COLUMN_CHARS) {
		if (text == NULL || n >= col->size)
			return SP_E_FORMAT;
		memcpy(member, text, n + 1);
		return SP_OK;
	}
	if (text == NULL)
		return sqlite3_column_type(stmt, number) == SQLITE_NULL ? SP_OK : SP_E_NOMEM;
	if ((copy = strdup(text)) == NULL)
		return SP_E_NOMEM;
	memcpy(member, &copy, sizeof(copy));
	return SP_OK;
}

static enum sp_status
read_column(const struct column *col, sqlite3_stmt *stmt, int number, uint8_t *member)
{
	const void *p;
	size_t n;

	switch (col->kind) {
	case COLUMN_KEY:
	case COLUMN_TEXT:
	case COLUMN_CHARS:
		return read_text(col, stmt, number, member);
	case COLUMN_ID:
	case COLUMN_HASH:
	case COLUMN_BYTES:
		p = sqlite3_column_blob(stmt, number);
		n = (size_t)sqlite3_column_bytes(stmt, number);
		if (col->kind == COLUMN_BYTES) {
			sp_buf_add((struct sp_buf *)(void *)member, p, n);
			return sp_buf_status((struct sp_buf *)(void *)member);
		}
		if (col->kind == COLUMN_HASH && p == NULL)
			return SP_OK;	/* a row older than the column */
		if (n != col->size)
			return SP_E_FORMAT;
		memcpy(member, p, n);
		return SP_OK;
	default:
		return set_integer(col, member, sqlite3_column_int64(stmt, number)) ? SP_OK : SP_E_FORMAT;
	}
}

enum sp_status
columns_read(const struct columns *cols, struct sqlite3_stmt *stmt, int first, void *row)
{
	enum sp_status st = SP_OK;

	for (size_t i = 0; i < cols->count && st == SP_OK; i++) {
		const struct column *col = &cols->list[i];

		st = read_column(col, stmt, first + (int)i, (uint8_t *)row + col->offset);
	}
	if (st != SP_OK)
		columns_clear(cols, row);
	return st;
}

static bool
copy_column(const struct column *col, const uint8_t *from, uint8_t *to)
{
	struct sp_buf bytes;
	char *text;

	switch (col->kind) {
	case COLUMN_BYTES:
		memcpy(&bytes, from, sizeof(bytes));
		sp_buf_add((struct sp_buf *)(void *)to, bytes.data, bytes.len);
		return sp_buf_status((struct sp_buf *)(void *)to) == SP_OK;
	case COLUMN_KEY:
	case COLUMN_TEXT:
		memcpy(&text, from, sizeof(text));
		if (text != NULL && (text = strdup(text)) == NULL)
			return false;
		memcpy(to, &text, sizeof(text));
		return true;
	default:
		memcpy(to, from, col->size);
		return true;
	}
}

enum sp_status
columns_copy(const struct columns *cols, const void *from, void *to)
{
	for (size_t i = 0; i < cols->count; i++) {
		size_t at = cols->list[i].offset;

		if (!copy_column(&cols->list[i], (const uint8_t *)from + at, (uint8_t *)to + at)) {
			columns_clear(cols, to);
			return SP_E_NOMEM;
		}
	}
	return SP_OK;
}

void
columns_clear(const struct columns *cols, void *row)
{
	for (size_t i = 0; i < cols->count; i++) {
		const struct column *col = &cols->list[i];
		uint8_t *member = (uint8_t *)row + col->offset;
		char *text;

		if (col->kind == COLUMN_BYTES) {
			sp_buf_done((struct sp_buf *)(void *)member);
		} else if (col->kind == COLUMN_KEY || col->kind == COLUMN_TEXT) {
			memcpy(&text, member, sizeof(text));
			free(text);
		}
		memset(member, 0, col->size);
	}
}
