/*
 * fields.h - inside peerd/events: what a row owns, replaced.
 */
#ifndef PEERD_EVENTS_FIELDS_H
#define PEERD_EVENTS_FIELDS_H

#include "common/base/buf.h"

/* Replaces an owned text by a copy of text (NULL allowed); false and unchanged when out of memory. */
bool text_set(char **to, const char *text);

/* Replaces a buffer's bytes. */
bool bytes_set(struct sp_buf *to, struct sp_span bytes);

#endif
