/*
 * packet_help.h - small manifests for the tests of common/packet.
 */
#ifndef SP_TESTS_PACKET_HELP_H
#define SP_TESTS_PACKET_HELP_H

#include <stdio.h>
#include <string.h>

#include "common/packet/manifest.h"
#include "tests/unit/unit.h"

#define SALT_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEAD_TEXT                                                                                     \
	"sealpost-manifest 1\nkind files\nsalt " SALT_HEX "\nperson alice@post.example\n"             \
	"station alice/laptop@post.example\norganisation Post%20Office\ntitle letters\nmessage \n\n"

static inline struct sp_manifest_head
test_head(void)
{
	struct sp_manifest_head head = { .kind = SP_PACKET_FILES, .person = "alice@post.example",
	    .station = "alice/laptop@post.example", .organisation = "Post Office", .title = "letters" };

	for (size_t i = 0; i < SP_SALT_BYTES; i++)
		head.salt[i] = (uint8_t)i;
	return head;
}

/* A manifest without entries and the head above; freed by the test. */
static inline struct sp_manifest *
test_manifest(void)
{
	struct sp_manifest_head head = test_head();
	struct sp_manifest *m = NULL;
	struct sp_why why = { "" };

	ck_assert_msg(sp_manifest_new(&head, &m, &why) == SP_OK, "%s", why.text);
	return m;
}

static inline enum sp_status
test_add(struct sp_manifest *m, char type, const char *path, uint64_t size, const char *target)
{
	const struct sp_entry e = { .type = (enum sp_entry_type)type, .mode = 0640, .mtime_sec = 1700000000,
	    .mtime_nsec = 5, .size = size, .path = path, .target = target };

	return sp_manifest_add(m, &e, NULL);
}

/* Parses a text that must be a manifest. */
static inline struct sp_manifest *
test_parse(const char *text)
{
	struct sp_manifest *m = NULL;
	struct sp_why why = { "" };

	ck_assert_msg(sp_manifest_parse(sp_span_str(text), &m, &why) == SP_OK, "%s", why.text);
	return m;
}

#endif
