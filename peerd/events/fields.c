/*
 * fields.c - what a row owns, replaced.
 */
#include "peerd/events/fields.h"

bool
text_set(char **to, const char *text)
{
	char *copy = text != NULL ? strdup(text) : NULL;

	if (text != NULL && copy == NULL)
		return false;
	free(*to);
	*to = copy;
	return true;
}

bool
bytes_set(struct sp_buf *to, struct sp_span bytes)
{
	sp_buf_clear(to);
	sp_buf_add_span(to, bytes);
	return sp_buf_status(to) == SP_OK;
}
