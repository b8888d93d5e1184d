/*
 * prints.c - the fingerprints of a whole packet by entry number, and prints.txt.
 */
#include "common/packet/prints.h"

#include <assert.h>
#include <stdlib.h>

#include "common/packet/lines.h"

#define NAME "sealpost-prints"

struct sp_prints {
	const struct sp_manifest *manifest;	/* borrowed */
	uint32_t count;
	struct sp_print prints[];		/* by entry number; zeroes unless a file entry's that is known */
};

_Static_assert(sizeof(struct sp_print) == 33, "33 bytes an entry");

enum sp_status
sp_prints_new(const struct sp_manifest *m, struct sp_prints **ret_prints)
{
	uint32_t count = sp_manifest_count(m);
	struct sp_prints *p = calloc(1, sizeof(*p) + count * sizeof(p->prints[0]));

	if (p == NULL)
		return SP_E_NOMEM;
	p->manifest = m;
	p->count = count;
	*ret_prints = p;
	return SP_OK;
}

void
sp_prints_free(struct sp_prints *p)
{
	free(p);
}

void
sp_prints_set(struct sp_prints *p, uint32_t entry, const struct sp_print *print)
{
	assert(entry < p->count && sp_manifest_entry(p->manifest, entry).type == SP_ENTRY_FILE);
	p->prints[entry] = *print;
}

struct sp_print
sp_prints_get(const struct sp_prints *p, uint32_t entry)
{
	struct sp_entry e = sp_manifest_entry(p->manifest, entry);

	return p->prints[e.type == SP_ENTRY_HARDLINK ? e.link_to : entry];
}

void
sp_prints_count(const struct sp_prints *p, uint32_t *ret_none, uint32_t *ret_changed)
{
	uint32_t none = 0, changed = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		if (sp_manifest_entry(p->manifest, i).type != SP_ENTRY_FILE)
			continue;
		none += p->prints[i].state == SP_PRINT_NONE;
		changed += p->prints[i].state == SP_PRINT_CHANGED;
	}
	*ret_none = none;
	*ret_changed = changed;
}

enum sp_status
sp_prints_encode(const struct sp_prints *p, struct sp_buf *out)
{
	uint32_t none, changed;
	char text[SP_PRINT_TEXT];

	sp_prints_count(p, &none, &changed);
	if (none > 0)
		return SP_E_STATE;
	sp_buf_add_text(out, NAME " 1\n\n");
	for (uint32_t i = 0; i < p->count; i++) {
		struct sp_entry e = sp_manifest_entry(p->manifest, i);

		if (e.type != SP_ENTRY_FILE)
			continue;
		sp_buf_add_text(out, sp_print_text(&p->prints[i], e.size, text));
		sp_buf_add_u8(out, '\n');
	}
	return sp_buf_status(out);
}

static enum sp_status
read_prints(struct sp_lines *lines, struct sp_prints *p, struct sp_why *why)
{
	struct sp_span line;
	enum sp_status st;

	if ((st = sp_lines_magic(lines, NAME, why)) != SP_OK || (st = sp_lines_blank(lines, why)) != SP_OK)
		return st;
	for (uint32_t i = 0; i < p->count; i++) {
		struct sp_entry e = sp_manifest_entry(p->manifest, i);

		if (e.type != SP_ENTRY_FILE)
			continue;
		if ((st = sp_lines_next(lines, &line, why)) != SP_OK)
			return st;
		if (sp_print_parse(line, e.size, &p->prints[i]) != SP_OK)
			return sp_fail(SP_E_FORMAT, why, "not a fingerprint of the form that fits the file's size");
	}
	if (sp_lines_left(lines)) {
		lines->number++;
		return sp_fail(SP_E_LONG, why, "more lines than the packet has files");
	}
	return SP_OK;
}

enum sp_status
sp_prints_parse(struct sp_span text, const struct sp_manifest *m, struct sp_prints **ret_prints, struct sp_why *why)
{
	SP_AUTO(sp_prints) *p = NULL;
	struct sp_lines lines = sp_lines(text);
	struct sp_why inner = { "" };
	enum sp_status st;

	if (text.n > SP_PRINTS_TEXT_MAX)
		return sp_fail(SP_E_LONG, why, "prints.txt is longer than %u bytes", SP_PRINTS_TEXT_MAX);
	if ((st = sp_prints_new(m, &p)) != SP_OK)
		return st;
	if ((st = read_prints(&lines, p, &inner)) != SP_OK)
		return sp_fail(st, why, "line %u of prints.txt: %.200s", lines.number, inner.text);
	*ret_prints = sp_take(&p);
	return SP_OK;
}
