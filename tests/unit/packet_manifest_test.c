/*
 * packet_manifest_test.c - manifests built, encoded and parsed; one text for one manifest.
 */
#include "common/packet/manifest.h"

#include "common/base/text.h"
#include "tests/unit/packet_help.h"

#define TREE_TEXT HEAD_TEXT                                                                          \
	"d 755 1700000000.000000000 0 d\n"                                                            \
	"f 644 -1.500000000 7 d/%25%20%0A%7F\xff\n"                                                   \
	"l 777 0.000000001 0 d/l ../x%20y\n"                                                          \
	"f 600 1700000000.123456789 4611686018427387897 x\n"                                          \
	"h 600 1700000000.123456789 0 y x\n"

START_TEST(built_manifest_is_the_text)
{
	static const struct sp_entry entries[] = {
		{ .type = SP_ENTRY_FOLDER, .mode = 0755, .mtime_sec = 1700000000, .path = "d" },
		{ .type = SP_ENTRY_FILE, .mode = 0100644, .mtime_sec = -1, .mtime_nsec = 500000000, .size = 7,
		    .path = "d/% \n\x7f\xff" },
		{ .type = SP_ENTRY_SYMLINK, .mode = 0755, .mtime_nsec = 1, .size = 6, .path = "d/l", .target = "../x y" },
		{ .type = SP_ENTRY_FILE, .mode = 04600, .mtime_sec = 1700000000, .mtime_nsec = 123456789,
		    .size = 4611686018427387897, .path = "x", .target = "" },
		{ .type = SP_ENTRY_HARDLINK, .mode = 0111, .mtime_sec = 1, .size = 99, .path = "y", .target = "x" },
	};
	SP_AUTO(sp_manifest) *m = test_manifest();
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_why why = { "" };

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		ck_assert_msg(sp_manifest_add(m, &entries[i], &why) == SP_OK, "%s", why.text);
	ck_status(sp_manifest_encode(m, &text), SP_OK);
	ck_assert_str_eq(sp_buf_cstr(&text), TREE_TEXT);
	ck_assert_uint_eq(sp_manifest_text_length(m), text.len);
	ck_assert_uint_eq(sp_manifest_count(m), 5);
	ck_assert_uint_eq(sp_manifest_files(m), 3);
	ck_assert_uint_eq(sp_manifest_bytes(m), SP_PACKET_MAX);
}
END_TEST

START_TEST(parsed_manifest_is_what_was_built)
{
	SP_AUTO(sp_manifest) *m = test_parse(TREE_TEXT);
	const struct sp_manifest_head *head = sp_manifest_head(m);
	struct sp_entry e;
	uint32_t number;

	ck_assert_int_eq(head->kind, SP_PACKET_FILES);
	ck_assert_uint_eq(head->salt[31], 31);
	ck_assert_str_eq(head->person, "alice@post.example");
	ck_assert_str_eq(head->station, "alice/laptop@post.example");
	ck_assert_str_eq(head->organisation, "Post Office");
	ck_assert_str_eq(head->title, "letters");
	ck_assert_str_eq(head->message, "");
	e = sp_manifest_entry(m, 1);
	ck_assert_str_eq(e.path, "d/% \n\x7f\xff");
	ck_assert_uint_eq(e.path_len, 7);
	ck_assert_int_eq(e.mtime_sec, -1);
	ck_assert_uint_eq(e.mtime_nsec, 500000000);
	ck_assert_uint_eq(e.size, 7);
	ck_assert_str_eq(e.target, "");
	e = sp_manifest_entry(m, 2);
	ck_assert_int_eq(e.type, SP_ENTRY_SYMLINK);
	ck_assert_str_eq(e.target, "../x y");
	ck_assert_uint_eq(e.target_len, 6);
	e = sp_manifest_entry(m, 4);
	ck_assert_int_eq(e.type, SP_ENTRY_HARDLINK);
	ck_assert_str_eq(e.target, "x");
	ck_assert_uint_eq(e.link_to, 3);
	ck_assert_uint_eq(e.size, 0);
	ck_assert(sp_manifest_find(m, sp_span_str("d/l"), &number));
	ck_assert_uint_eq(number, 2);
	ck_assert(!sp_manifest_find(m, sp_span_str("d/m"), &number));
	ck_assert(!sp_manifest_find(m, sp_span_str(""), &number));
}
END_TEST

/* Parses; what parses must encode to the same bytes. */
static bool
parses_to_itself(struct sp_span text)
{
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_why why = { "" };

	if (sp_manifest_parse(text, &m, &why) != SP_OK) {
		ck_assert_str_ne(why.text, "");
		return false;
	}
	ck_status(sp_manifest_encode(m, &again), SP_OK);
	ck_assert_uint_eq(sp_manifest_text_length(m), text.n);
	ck_assert_msg(sp_span_eq(sp_buf_span(&again), text), "another text: %s", sp_buf_cstr(&again));
	return true;
}

START_TEST(every_changed_byte_is_refused_or_another_manifest)
{
	char text[] = TREE_TEXT;
	size_t kept = 0, refused = 0;

	ck_assert(parses_to_itself(sp_span(text, sizeof(text) - 1)));
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char was = text[i];

		for (int v = 0; v < 256; v++) {
			text[i] = (char)v;
			if (text[i] == was)
				continue;
			if (parses_to_itself(sp_span(text, sizeof(text) - 1)))
				kept++;
			else
				refused++;
		}
		text[i] = was;
	}
	ck_assert_uint_gt(kept, 1000);
	ck_assert_uint_gt(refused, 1000);
}
END_TEST

START_TEST(every_cut_and_every_doubled_byte_too)
{
	const char text[] = TREE_TEXT;
	char more[sizeof(text)];
	size_t n = sizeof(text) - 1, whole = 0;

	for (size_t i = 0; i < n; i++) {
		if (parses_to_itself(sp_span(text, i)))
			whole++;
		memcpy(more, text, i);
		memcpy(more + i, text + i + 1, n - i - 1);
		parses_to_itself(sp_span(more, n - 1));
		memcpy(more, text, i + 1);
		memcpy(more + i + 1, text + i, n - i);
		parses_to_itself(sp_span(more, n + 1));
	}
	/* cut behind the header and behind each entry but the last */
	ck_assert_uint_eq(whole, 5);
}
END_TEST

START_TEST(pk07_without_a_title_there_is_a_number)
{
	struct sp_manifest_head head = test_head();
	struct sp_manifest *a = NULL, *b = NULL, *c = NULL;

	head.title = NULL;
	ck_status(sp_manifest_new(&head, &a, NULL), SP_OK);
	head.title = "";
	ck_status(sp_manifest_new(&head, &b, NULL), SP_OK);
	head.salt[0] ^= 1;
	ck_status(sp_manifest_new(&head, &c, NULL), SP_OK);
	ck_assert_uint_eq(strlen(sp_manifest_head(a)->title), 10);
	ck_assert_uint_eq(strspn(sp_manifest_head(a)->title, "0123456789"), 10);
	ck_assert_str_eq(sp_manifest_head(a)->title, sp_manifest_head(b)->title);
	ck_assert_str_ne(sp_manifest_head(a)->title, sp_manifest_head(c)->title);
	sp_manifest_free(a);
	sp_manifest_free(b);
	sp_manifest_free(c);
}
END_TEST

START_TEST(pk09_a_message_of_any_text_survives)
{
	struct sp_manifest_head head = test_head();
	SP_AUTO(sp_manifest) *m = NULL, *again = NULL;
	SP_AUTO_DONE(sp_buf) text = { 0 };
	char *message = malloc(SP_MESSAGE_MAX + 2);

	ck_assert_ptr_nonnull(message);
	for (size_t i = 0; i < SP_MESSAGE_MAX; i += 2)
		memcpy(message + i, i % 512 < 254 ? (char[]){ (char)(i / 2 % 127 + 1), '\n' } : "\xc3\xa9", 2);
	message[SP_MESSAGE_MAX] = 0;
	head.message = message;
	ck_status(sp_manifest_new(&head, &m, NULL), SP_OK);
	ck_status(sp_manifest_encode(m, &text), SP_OK);
	ck_status(sp_manifest_parse(sp_buf_span(&text), &again, NULL), SP_OK);
	ck_assert_str_eq(sp_manifest_head(again)->message, message);
	message[SP_MESSAGE_MAX] = 'x';
	message[SP_MESSAGE_MAX + 1] = 0;
	sp_manifest_free(sp_take(&again));
	ck_status(sp_manifest_new(&head, &again, NULL), SP_E_MANIFEST);
	free(message);
}
END_TEST

START_TEST(pk15_every_kind_has_its_word)
{
	static const char *const words[] = { "files", "request", "index", "receipt", "update" };

	for (size_t i = 0; i < 5; i++) {
		struct sp_manifest_head head = test_head();
		SP_AUTO(sp_manifest) *m = NULL, *again = NULL;
		SP_AUTO_DONE(sp_buf) text = { 0 };

		head.kind = (enum sp_packet_kind)i;
		ck_assert_str_eq(sp_packet_kind_text(head.kind), words[i]);
		ck_status(sp_manifest_new(&head, &m, NULL), SP_OK);
		ck_status(sp_manifest_encode(m, &text), SP_OK);
		ck_status(sp_manifest_parse(sp_buf_span(&text), &again, NULL), SP_OK);
		ck_assert_int_eq(sp_manifest_head(again)->kind, head.kind);
	}
	ck_assert_str_eq(sp_packet_kind_text((enum sp_packet_kind)5), "unknown");
}
END_TEST

START_TEST(a_head_that_breaks_a_rule_is_refused)
{
	char many[SP_TITLE_MAX + 2];
	struct sp_manifest_head heads[14];
	struct sp_manifest *m = NULL;
	struct sp_why why;

	memset(many, 'x', sizeof(many));
	many[SP_TITLE_MAX + 1] = 0;
	for (size_t i = 0; i < 14; i++)
		heads[i] = test_head();
	heads[0].person = "alice";
	heads[1].person = "alice/laptop@post.example";
	heads[2].person = "Alice@post.example";
	heads[3].person = NULL;
	heads[4].station = "alice@post.example";
	heads[5].station = "bob/laptop@post.example";
	heads[6].station = "alice/laptop@other.example";
	heads[7].station = "";
	heads[8].organisation = many;
	heads[9].title = many;
	heads[10].kind = (enum sp_packet_kind)5;
	heads[11].title = "a\nb";
	heads[12].organisation = "\xff";
	heads[13].message = "a\xc3";
	for (size_t i = 0; i < 14; i++) {
		why.text[0] = 0;
		ck_status(sp_manifest_new(&heads[i], &m, &why), SP_E_MANIFEST);
		ck_assert_str_ne(why.text, "");
	}
	ck_assert_ptr_null(m);
}
END_TEST

START_TEST(a_refused_entry_changes_nothing)
{
	static const struct { char type; const char *path; uint64_t size; const char *target; enum sp_status st; } rows[] = {
		{ 'f', "", 0, "", SP_E_PATH }, { 'f', "../x", 0, "", SP_E_PATH }, { 'f', SP_MANIFEST_MEMBER, 0, "", SP_E_PATH },
		{ 'c', "m", 0, "", SP_E_TYPE }, { 0, "m", 0, "", SP_E_TYPE }, { 'f', "l", 0, "", SP_E_MANIFEST },
		{ 'f', "d", 0, "", SP_E_MANIFEST }, { 'f', "c", 0, "", SP_E_MANIFEST }, { 'f', "l/x", 0, "", SP_E_MANIFEST },
		{ 'f', "m/x", 0, "", SP_E_MANIFEST }, { 'f', "d/z/x", 0, "", SP_E_MANIFEST }, { 'f', "m", 0, "d", SP_E_MANIFEST },
		{ 'l', "m", 0, "", SP_E_MANIFEST }, { 'l', "m", 0, NULL, SP_E_MANIFEST }, { 'h', "m", 0, "", SP_E_MANIFEST },
		{ 'h', "m", 0, "m", SP_E_MANIFEST }, { 'h', "m", 0, "d", SP_E_MANIFEST }, { 'h', "m", 0, "l", SP_E_MANIFEST },
		{ 'h', "m", 0, "z", SP_E_MANIFEST }, { 'f', "m", SP_PACKET_MAX + 1, "", SP_E_LIMIT },
		{ 'f', "m", SP_PACKET_MAX, "", SP_E_LIMIT }, { 'f', "m", UINT64_MAX, "", SP_E_LIMIT },
	};
	const struct sp_entry late = { .type = SP_ENTRY_FILE, .mtime_nsec = 1000000000, .path = "m" };
	SP_AUTO(sp_manifest) *m = test_manifest();
	SP_AUTO_DONE(sp_buf) before = { 0 };
	SP_AUTO_DONE(sp_buf) after = { 0 };

	ck_status(test_add(m, 'd', "d", 0, NULL), SP_OK);
	ck_status(test_add(m, 'f', "d/f", 1, NULL), SP_OK);
	ck_status(test_add(m, 'l', "l", 0, "x"), SP_OK);
	ck_status(sp_manifest_encode(m, &before), SP_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum sp_status st = test_add(m, rows[i].type, rows[i].path, rows[i].size, rows[i].target);

		ck_assert_msg(st == rows[i].st, "row %zu: %s", i, sp_status_name(st));
	}
	ck_status(sp_manifest_add(m, &late, NULL), SP_E_MANIFEST);
	ck_status(sp_manifest_encode(m, &after), SP_OK);
	ck_assert(sp_span_eq(sp_buf_span(&before), sp_buf_span(&after)));
	ck_assert_uint_eq(sp_manifest_text_length(m), after.len);
	ck_assert_uint_eq(sp_manifest_count(m), 3);
	ck_assert_uint_eq(sp_manifest_bytes(m), 1);
	ck_status(test_add(m, 'h', "m", 0, "d/f"), SP_OK);
}
END_TEST

START_TEST(many_entries_parse_and_find)
{
	enum { MANY = 20000 };
	SP_AUTO(sp_manifest) *m = test_manifest(), *again = NULL;
	SP_AUTO_DONE(sp_buf) text = { 0 };
	char path[32];
	uint32_t number;

	ck_status(test_add(m, 'd', "many", 0, NULL), SP_OK);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "many/file %05d", i);
		ck_status(test_add(m, 'f', path, (uint64_t)i, NULL), SP_OK);
	}
	ck_status(sp_manifest_encode(m, &text), SP_OK);
	ck_assert_uint_eq(sp_manifest_text_length(m), text.len);
	ck_status(sp_manifest_parse(sp_buf_span(&text), &again, NULL), SP_OK);
	ck_assert_uint_eq(sp_manifest_count(again), MANY + 1);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "many/file %05d", i);
		ck_assert(sp_manifest_find(again, sp_span_str(path), &number));
		ck_assert_uint_eq(number, (uint32_t)i + 1);
		ck_assert_uint_eq(sp_manifest_entry(again, number).size, (uint64_t)i);
	}
}
END_TEST

START_TEST(entries_and_text_have_limits)
{
	SP_AUTO(sp_manifest) *many = test_manifest(), *longer = test_manifest();
	char path[32], target[SP_TARGET_MAX + 1];
	enum sp_status st = SP_OK;
	uint64_t length = 0;

	for (int i = 0; i < SP_ENTRIES_MAX; i++) {
		snprintf(path, sizeof(path), "%07d", i);
		ck_status(test_add(many, 'f', path, 0, NULL), SP_OK);
	}
	ck_status(test_add(many, 'f', "x", 0, NULL), SP_E_LIMIT);
	ck_assert_uint_eq(sp_manifest_count(many), SP_ENTRIES_MAX);
	/* each byte of the targets is three bytes of text */
	memset(target, ' ', SP_TARGET_MAX);
	target[SP_TARGET_MAX] = 0;
	for (int i = 0; i < SP_ENTRIES_MAX && st == SP_OK; i++) {
		snprintf(path, sizeof(path), "%07d", i);
		length = sp_manifest_text_length(longer);
		st = test_add(longer, 'l', path, 0, target);
	}
	ck_status(st, SP_E_LIMIT);
	ck_assert_uint_eq(sp_manifest_text_length(longer), length);
	ck_assert_uint_le(length, SP_MANIFEST_MAX);
	ck_assert_uint_gt(length, SP_MANIFEST_MAX - 3 * SP_TARGET_MAX - 100);
}
END_TEST

UNIT_MAIN("packet/manifest", built_manifest_is_the_text, parsed_manifest_is_what_was_built,
    every_changed_byte_is_refused_or_another_manifest, every_cut_and_every_doubled_byte_too,
    pk07_without_a_title_there_is_a_number, pk09_a_message_of_any_text_survives, pk15_every_kind_has_its_word,
    a_head_that_breaks_a_rule_is_refused, a_refused_entry_changes_nothing, many_entries_parse_and_find,
    entries_and_text_have_limits)
