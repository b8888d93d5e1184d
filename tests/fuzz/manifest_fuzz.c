/*
 * manifest_fuzz.c - a manifest, the first thing that a packet holds, and the layout that follows from it: what parses is written as
 * the same bytes, and every byte of the tar has one place.
 */
#include "common/packet/layout.h"
#include "common/packet/path.h"
#include "tests/fuzz/fuzz.h"

static void
entries(const struct sp_manifest *m)
{
	uint32_t files = 0, number;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < sp_manifest_count(m); i++) {
		struct sp_entry e = sp_manifest_entry(m, i);
		struct sp_span path = sp_span(e.path, e.path_len);

		fuzz_ok(sp_path_check(path, NULL));
		fuzz_must(strlen(e.path) == e.path_len && strlen(e.target) == e.target_len);
		fuzz_must(e.mode <= 0777 && (e.size == 0 || e.type == SP_ENTRY_FILE));
		fuzz_must(sp_manifest_find(m, path, &number) && number == i);
		if (i > 0) {
			struct sp_entry before = sp_manifest_entry(m, i - 1);

			fuzz_must(sp_path_compare(sp_span(before.path, before.path_len), path) < 0);
		}
		if (sp_path_parent(path) > 0)
			fuzz_must(sp_manifest_find(m, sp_span(path.p, sp_path_parent(path)), &number) && number < i &&
			    sp_manifest_entry(m, number).type == SP_ENTRY_FOLDER);
		if (e.type == SP_ENTRY_HARDLINK)
			fuzz_must(e.link_to < i && sp_manifest_entry(m, e.link_to).type == SP_ENTRY_FILE);
		files += e.type == SP_ENTRY_FILE || e.type == SP_ENTRY_HARDLINK;
		bytes += e.type == SP_ENTRY_FILE ? e.size : 0;
	}
	fuzz_must(files == sp_manifest_files(m) && bytes == sp_manifest_bytes(m));
}

/* A member's headers, and that the layout finds and checks them. */
static void
member(const struct sp_layout *l, const struct sp_place *place)
{
	SP_AUTO_DONE(sp_buf) head = { 0 };
	struct sp_place found;
	uint64_t last = place->end > place->start ? place->end - 1 : place->start;

	fuzz_ok(sp_layout_header(l, place, &head));
	fuzz_must(head.len == place->data_at - place->start && head.len % SP_TAR_BLOCK == 0);
	if (head.len > 0)
		fuzz_ok(sp_layout_check(l, place->start, sp_buf_span(&head), NULL));
	fuzz_ok(sp_layout_find(l, place->start, &found));
	fuzz_must(found.start == place->start && found.end == place->end);
	fuzz_ok(sp_layout_find(l, last, &found));
	fuzz_must(found.start == place->start && place->data_at + place->data_len <= place->end);
}

static void
layout(const struct sp_manifest *m)
{
	SP_AUTO(sp_layout) *l = NULL;
	struct sp_place place, before;

	fuzz_ok(sp_layout_new(m, &l));
	before = sp_layout_manifest(l);
	fuzz_must(before.start == 0 && before.data_len == sp_manifest_text_length(m));
	member(l, &before);
	for (uint32_t i = 0; i < sp_manifest_count(m); i++, before = place) {
		place = sp_layout_entry(l, i);
		fuzz_must(place.start == before.end && place.entry == i);
		member(l, &place);
	}
	place = sp_layout_end(l);
	fuzz_must(place.start == before.end && place.end == sp_layout_length(l) && place.end - place.start == SP_TAR_END);
	member(l, &place);
	fuzz_must(sp_layout_find(l, sp_layout_length(l), &place) == SP_E_RANGE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_why why = { "" };
	struct sp_hash outside;
	uint32_t links;

	if (sp_manifest_parse(sp_span(data, size), &m, &why) != SP_OK) {
		fuzz_must(m == NULL);
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	fuzz_ok(sp_manifest_encode(m, &again));
	fuzz_same(sp_buf_span(&again), sp_span(data, size));
	fuzz_must(sp_manifest_text_length(m) == size);
	entries(m);
	layout(m);
	fuzz_ok(sp_links_outside(m, &links, &outside));
	return 0;
}
