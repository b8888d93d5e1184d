/*
 * print.h - words for people: sizes, times, tables that fit, a bar.
 */
#ifndef PEERD_CLI_PRINT_H
#define PEERD_CLI_PRINT_H

#include <stdint.h>

#include "common/base/buf.h"
#include "peerd/cli/cli.h"

/* "999 B", "1.5 GB" (base 1000). */
#define PRINT_SIZE 16
const char *print_size(uint64_t bytes, char out[PRINT_SIZE]);

/* "0:07", "12:03", "2:05:00", "4 days". */
#define PRINT_SPAN 24
const char *print_span(uint64_t seconds, char out[PRINT_SPAN]);

/* An API time as local "2026-11-24 05:08", or "" for none. */
const char *print_when(const char *rfc3339, char out[PRINT_SPAN]);

/* Columns that UTF-8 text takes on a terminal; appends at most width columns of it, with "…" if it was cut. */
size_t print_columns(const char *text);
void print_cut(struct sp_buf *out, const char *text, size_t width);

/* Rows of texts as a table: columns as wide as needed; the one with most to give is cut to fit width (0: not cut). */
struct print_table;
struct print_table *print_table_new(size_t columns, const char *const *heads);
void print_table_free(struct print_table *t);
SP_AUTO_DEFINE(print_table);
void print_table_add(struct print_table *t, const char *const *cells);		/* copied */
void print_table_out(const struct print_table *t, unsigned width, bool heads, struct sp_buf *out);

/* "[#####-----]" with part of whole, width columns in all. */
void print_bar(uint64_t part, uint64_t whole, unsigned width, struct sp_buf *out);

#endif
