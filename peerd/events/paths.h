/*
 * paths.h - the PATHs of an order as one text in the store: each %-escaped as in a manifest, a newline between.
 */
#ifndef PEERD_EVENTS_PATHS_H
#define PEERD_EVENTS_PATHS_H

#include "common/base/buf.h"

struct path_list {
	char **items;		/* owned, raw bytes */
	size_t count;
};

void path_list_free(struct path_list *l);	/* NULL is fine */
SP_AUTO_DEFINE(path_list);

/* The list that a stored text means; NULL when out of memory or malformed. text NULL counts as empty. */
struct path_list *path_list_parse(const char *text);

/* Appends the text of these paths. */
void path_list_print(const char *const *paths, size_t count, struct sp_buf *out);

#endif
