/*
 * paths.c - PATHs to and from their stored text.
 */
#include "peerd/events/paths.h"

#include "common/base/text.h"

void
path_list_free(struct path_list *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	free(l);
}

static bool
add(struct path_list *l, struct sp_span escaped)
{
	SP_AUTO_DONE(sp_buf) raw = { 0 };

	if (sp_percent_read(escaped, &raw) != SP_OK)
		return false;
	l->items[l->count] = strdup(sp_buf_cstr(&raw));
	if (l->items[l->count] == NULL)
		return false;
	l->count++;
	return true;
}

struct path_list *
path_list_parse(const char *text)
{
	SP_AUTO(path_list) *l = calloc(1, sizeof(*l));
	size_t lines = 1;

	if (text == NULL)
		text = "";
	for (const char *p = text; *p != 0; p++)
		lines += *p == '\n';
	if (l == NULL || (l->items = calloc(lines, sizeof(*l->items))) == NULL)
		return NULL;
	while (*text != 0) {
		size_t n = strcspn(text, "\n");

		if (!add(l, sp_span(text, n)))
			return NULL;
		text += n + (text[n] == '\n');
	}
	return sp_take(&l);
}

void
path_list_print(const char *const *paths, size_t count, struct sp_buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			sp_buf_add_u8(out, '\n');
		sp_percent_add(out, sp_span_str(paths[i]));
	}
}
