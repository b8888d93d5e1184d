/*
 * place_in_test.h - a small manifest and its placing, for the tests of peerd/place.
 */
#ifndef SP_TESTS_PLACE_IN_TEST_H
#define SP_TESTS_PLACE_IN_TEST_H

#include "peerd/place/place.h"
#include "tests/unit/tree_in_test.h"
#include "tests/unit/unit.h"

#define PLACE_ID "0190163d-8694-739b-aea5-966c26f8ad91"

static struct sp_why why;

static inline struct sp_manifest *
manifest_new(const struct sp_entry *entries, size_t count)
{
	struct sp_manifest_head head = { .kind = SP_PACKET_FILES, .person = "alice@post.example",
		.station = "alice/laptop@post.example", .title = "a test" };
	struct sp_manifest *m = NULL;

	ck_status(sp_manifest_new(&head, &m, &why), SP_OK);
	for (size_t i = 0; i < count; i++) {
		struct sp_entry e = entries[i];

		if (e.target == NULL)
			e.target = "";
		ck_assert_msg(sp_manifest_add(m, &e, &why) == SP_OK, "%s", why.text);
	}
	return m;
}

static inline struct place *
place_made(const struct sp_manifest *m, bool keep_links)
{
	struct place *p = NULL;

	ck_assert_msg(place_new(tree_path("in"), PLACE_ID, m, keep_links, &p, &why) == SP_OK, "%s", why.text);
	return p;
}

/* Every file with 'x' for content and a fingerprint that nobody looks at. */
static inline struct sp_prints *
place_fill(struct place *p, const struct sp_manifest *m)
{
	struct sp_prints *prints = NULL;
	struct sp_print print = { .state = SP_PRINT_HASH };

	ck_status(sp_prints_new(m, &prints), SP_OK);
	for (uint32_t i = 0; i < sp_manifest_count(m); i++) {
		struct sp_entry e = sp_manifest_entry(m, i);

		if (e.type != SP_ENTRY_FILE)
			continue;
		ck_assert_msg(place_begin(p, i, &why) == SP_OK, "%s", why.text);
		for (uint64_t at = 0; at < e.size; at++)
			ck_status(place_write(p, at, sp_span("x", 1), &why), SP_OK);
		ck_status(place_end(p, &why), SP_OK);
		sp_prints_set(prints, i, &print);
	}
	return prints;
}

#endif
