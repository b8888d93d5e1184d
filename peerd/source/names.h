/*
 * names.h - the names in a folder, sorted by bytes. Internal to peerd/source.
 */
#ifndef PEERD_SOURCE_NAMES_H
#define PEERD_SOURCE_NAMES_H

#include "common/base/buf.h"

/* Zeroes are an empty list. */
struct source_names {
	struct sp_buf text;	/* each with its end */
	uint32_t *at;		/* owned; where each begins, in the order of their bytes once read */
	size_t count, cap;
};

/* Reads all names but "." and "..". SP_E_IO with errno kept for the caller's words, SP_E_LIMIT over
 * SP_ENTRIES_MAX, SP_E_NOMEM. */
SP_MUST_CHECK enum sp_status source_names_read(struct source_names *n, int folder);
void source_names_done(struct source_names *n);
SP_AUTO_DONE_DEFINE(source_names);

static inline const char *
source_names_get(const struct source_names *n, size_t i)
{
	return (const char *)n->text.data + n->at[i];
}

#endif
