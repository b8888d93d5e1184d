/*
 * print.h - words for people: sizes, times, text that fits and cannot drive the terminal.
 */
#ifndef PEERD_CLI_PRINT_H
#define PEERD_CLI_PRINT_H

#include <stdint.h>

#include "common/base/buf.h"

/* "999 B", "1.5 GB" (base 1000). */
#define PRINT_SIZE 16
const char *print_size(uint64_t bytes, char out[PRINT_SIZE]);

/* "0:07", "12:03", "2:05:00", "4 days". */
#define PRINT_SPAN 24
const char *print_span(uint64_t seconds, char out[PRINT_SPAN]);

/* An API time as local "2026-11-24 05:08", or "" for none. */
const char *print_when(const char *rfc3339, char out[PRINT_SPAN]);

/* Appends text with every control character, and every byte that is no UTF-8, as \xNN. */
void print_safe(struct sp_buf *out, const char *text);

/* Appends the bytes that a printable text of the API stands for (\xNN, \\): a path that can be opened. */
void print_raw(struct sp_buf *out, const char *text);

/* Appends text as one word of a shell's command line, in quotes where it needs them. */
void print_word(struct sp_buf *out, const char *text);

/*
 * Columns that UTF-8 text takes on a terminal; appends at most width columns of it, with "…" if it was cut, and
 * returns how many.
 */
size_t print_columns(const char *text);
size_t print_cut(struct sp_buf *out, const char *text, size_t width);

/* "[#####-----]" with part of whole, width columns in all (nothing for less than 3). */
void print_bar(uint64_t part, uint64_t whole, unsigned width, struct sp_buf *out);

#endif
