/*
 * kept.c - the journal read against manifest and layout: whatever it names must be in them.
 */
#include "peerd/data/kept.h"

#include <stdlib.h>

#include "common/base/limits.h"

struct loading {
	const struct sp_manifest *manifest;	/* borrowed, as all but blocks */
	const struct sp_layout *layout;
	uint64_t offset;
	struct sp_prints *prints;
	struct data_kept *kept;
	struct sp_hash *blocks;			/* owned: of the file that is begun */
	bool *has;				/* owned: which of them are known */
	uint64_t nblocks;
};

static bool
is_file(const struct loading *l, uint32_t entry)
{
	return entry < sp_manifest_count(l->manifest) && sp_manifest_entry(l->manifest, entry).type == SP_ENTRY_FILE;
}

static void
on_record(void *arg, const struct journal_record *r)
{
	struct loading *l = arg;
	struct sp_print print = { .state = r->what == JOURNAL_FILE ? SP_PRINT_HASH : SP_PRINT_CHANGED, .hash = r->value };
	struct sp_place m;

	if (r->what == JOURNAL_BLOCK) {
		if (l->kept->begun && r->entry == l->kept->member.entry && r->number < l->nblocks) {
			l->blocks[r->number] = r->value;
			l->has[r->number] = true;
		}
		return;
	}
	if ((r->what != JOURNAL_FILE && r->what != JOURNAL_CHANGED) || !is_file(l, r->entry))
		return;
	m = sp_layout_entry(l->layout, r->entry);
	if (m.data_at + m.data_len <= l->offset)
		sp_prints_set(l->prints, r->entry, &print);
}

/* Which file offset lies in, and what of it must be read again. */
static enum sp_status
find_member(struct loading *l, struct sp_printer *printer)
{
	struct data_kept *k = l->kept;
	uint64_t in, size;
	enum sp_status st = SP_OK;

	k->member = sp_layout_end(l->layout);
	if (l->offset < k->member.end)
		st = sp_layout_find(l->layout, l->offset, &k->member);
	if (st != SP_OK)
		return st;
	size = k->member.data_len;
	k->begun = k->member.member == SP_MEMBER_ENTRY && is_file(l, k->member.entry) &&
	    l->offset < k->member.data_at + size;
	if (!k->begun)
		return SP_OK;
	in = l->offset > k->member.data_at ? l->offset - k->member.data_at : 0;
	sp_printer_reset(printer, size);
	if (!sp_print_by_blocks(size))
		return SP_OK;
	l->nblocks = in / SP_PRINT_BLOCK;
	l->blocks = calloc(l->nblocks + 1, sizeof(*l->blocks));
	l->has = calloc(l->nblocks + 1, sizeof(*l->has));
	return l->blocks != NULL && l->has != NULL ? SP_OK : SP_E_NOMEM;
}

static enum sp_status
check_all(struct loading *l, struct sp_printer *printer, struct sp_why *why)
{
	struct data_kept *k = l->kept;
	enum sp_status st = SP_OK;

	for (uint32_t i = 0; i < sp_manifest_count(l->manifest) && sp_layout_entry(l->layout, i).start < l->offset; i++) {
		struct sp_print print = sp_prints_get(l->prints, i);

		if (!is_file(l, i))
			continue;
		k->files++;
		k->changed += print.state == SP_PRINT_CHANGED;
		if (print.state == SP_PRINT_NONE && !(k->begun && i == k->member.entry))
			return sp_fail(SP_E_STALE, why, "the journal lacks a file's fingerprint");
	}
	/* At its first byte a file is counted here, although nothing of it came. */
	if (k->begun && k->member.start == l->offset)
		k->files++;
	/* from the first block on whose digest was not made yet it is read again */
	for (uint64_t i = 0; i < l->nblocks && l->has[i] && st == SP_OK; i++) {
		st = sp_printer_add_block(printer, &l->blocks[i]);
		k->from = (i + 1) * SP_PRINT_BLOCK;
	}
	return st;
}

enum sp_status
data_kept_load(const struct journal_at *at, const struct journal_look *look, const struct sp_manifest *manifest,
    const struct sp_layout *layout, uint64_t offset, struct sp_prints *prints, struct sp_printer *printer,
    struct data_kept *ret_kept, struct sp_why *why)
{
	struct loading l = { .manifest = manifest, .layout = layout, .offset = offset, .prints = prints,
		.kept = ret_kept };
	enum sp_status st;

	*ret_kept = (struct data_kept){ 0 };
	if ((st = find_member(&l, printer)) == SP_OK &&
	    (st = journal_replay(at, look->length, on_record, &l, why)) == SP_OK)
		st = check_all(&l, printer, why);
	free(l.blocks);
	free(l.has);
	return st;
}
