/*
 * data_trees_test.c - packets whose manifest is a trap: names that escape or stand twice, links to what is not there, types that
 * are none of ours, totals that are not those announced. The offer commits to exactly this manifest, so that nothing but the
 * manifest's own rules stands in the way. Refused before anything is written; nothing is left.
 */
#include "tests/unit/liar_in_test.h"

#define F(path) "f 644 1700000000.000000000 0 " path "\n"
#define D(path) "d 755 1700000000.000000000 0 " path "\n"
#define L(path, target) "l 777 1700000000.000000000 0 " path " " target "\n"
#define H(path, target) "h 644 1700000000.000000000 0 " path " " target "\n"
#define N50 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static const struct trap {
	const char *name, *entries;
	enum sp_status expected;
	uint64_t files, bytes;		/* as the offer says; 0: as many as there are lines, and no bytes */
} traps[] = {
	{ "an honest one", D("d") F("d/a") H("d/b", "d/a") L("d/l", "a"), SP_OK, 2, 0 },
	{ "twins of case and form are different names", F("A") F("a") F("e\xcc\x81") F("\xc3\xa9"), SP_OK, 4, 0 },
	{ "the same name twice", F("a") F("a"), SP_E_MANIFEST, 0, 0 },
	{ "a file and a folder of one name", F("a") D("a"), SP_E_MANIFEST, 0, 0 },
	{ "a link and a folder of one name", L("a", "/tmp") D("a") F("a/f"), SP_E_MANIFEST, 0, 0 },
	{ "names out of order", F("b") F("a"), SP_E_MANIFEST, 0, 0 },
	{ "up and out", F("../a"), SP_E_PATH, 0, 0 },
	{ "from the root", F("/tmp/a"), SP_E_PATH, 0, 0 },
	{ "up in the middle", D("a") F("a/../../b"), SP_E_PATH, 0, 0 },
	{ "through the folder itself", D("a") F("a/./b"), SP_E_PATH, 0, 0 },
	{ "an empty component", D("a") F("a//b"), SP_E_PATH, 0, 0 },
	{ "a slash at the end", D("a/"), SP_E_PATH, 0, 0 },
	{ "no name", F(""), SP_E_PATH, 0, 0 },
	{ "the manifest's own name", F(".sealpost-manifest"), SP_E_PATH, 0, 0 },
	{ "a zero byte", F("a%00b"), SP_E_PATH, 0, 0 },
	{ "a component of 256 bytes", F(N50 N50 N50 N50 N50 "nnnnnn"), SP_E_PATH, 0, 0 },
	{ "through a symbolic link", L("a", "/tmp") F("a/b"), SP_E_MANIFEST, 0, 0 },
	{ "through a file", F("a") F("a/b"), SP_E_MANIFEST, 0, 0 },
	{ "without its folder", F("a/b"), SP_E_MANIFEST, 0, 0 },
	{ "a hard link to a later file", H("a", "b") F("b"), SP_E_MANIFEST, 0, 0 },
	{ "a hard link to nothing", F("a") H("b", "c"), SP_E_MANIFEST, 0, 0 },
	{ "a hard link to outside", H("a", "../../etc/passwd"), SP_E_MANIFEST, 0, 0 },
	{ "a hard link to an absolute path", H("a", "/etc/passwd"), SP_E_MANIFEST, 0, 0 },
	{ "a hard link to itself", H("a", "a"), SP_E_MANIFEST, 0, 0 },
	{ "a hard link to a folder", D("a") H("b", "a"), SP_E_MANIFEST, 0, 0 },
	{ "a hard link to a symbolic link", L("a", "/etc/passwd") H("b", "a"), SP_E_MANIFEST, 0, 0 },
	{ "a hard link to a hard link", F("a") H("b", "a") H("c", "b"), SP_E_MANIFEST, 0, 0 },
	{ "a symbolic link to nowhere", "l 777 1700000000.000000000 0 a \n", SP_E_MANIFEST, 0, 0 },
	{ "a device", "b 644 1700000000.000000000 0 a\n", SP_E_TYPE, 0, 0 },
	{ "a pipe", "p 644 1700000000.000000000 0 a\n", SP_E_TYPE, 0, 0 },
	{ "set-user-id", "f 4755 1700000000.000000000 0 a\n", SP_E_MANIFEST, 0, 0 },
	{ "sizes that overflow", "f 644 1.000000000 4611686018427387904 a\nf 644 1.000000000 1 b\n", SP_E_LIMIT, 0, 0 },
	{ "a size beyond all", "f 644 1.000000000 18446744073709551615 a\n", SP_E_LIMIT, 0, 0 },
	{ "more bytes than announced", "f 644 1.000000000 1099511627776 bomb\n", SP_E_SIZE, 1, 1000 },
	{ "one byte more than announced", "f 644 1.000000000 1001 bomb\n", SP_E_SIZE, 1, 1000 },
	{ "more files than announced", F("a") F("b") F("c"), SP_E_MISMATCH, 2, 0 },
	{ "fewer files than announced", F("a"), SP_E_MISMATCH, 2, 0 },
};

static size_t
lines(const char *text)
{
	size_t n = 0;

	for (; *text != 0; text++)
		n += *text == '\n';
	return n;
}

static void
make_text(const struct trap *t, struct sp_buf *out)
{
	sp_buf_add_text(out, "sealpost-manifest 1\nkind files\nsalt "
	    "0101010101010101010101010101010101010101010101010101010101010101\nperson alice@post.example\n"
	    "station alice/laptop@post.example\norganisation \ntitle trap\nmessage \n\n");
	sp_buf_add_text(out, t->entries);
}

/* An offer of exactly this text. */
static void
commit_to(struct data_receive_order *r, const struct trap *t, const struct sp_buf *text)
{
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(sp_layout) *l = NULL;

	sp_sha256(sp_buf_span(text), &r->manifest);
	r->manifest_length = (uint32_t)text->len;
	r->files = t->files > 0 ? t->files : lines(t->entries);
	r->bytes = t->bytes;
	r->packet = 512 + sp_tar_padded(text->len) + 512 * lines(t->entries) + sp_tar_padded(t->bytes) + 1024;
	if (t->expected != SP_OK)
		return;
	ck_status(sp_manifest_parse(sp_buf_span(text), &m, &why), SP_OK);
	ck_status(sp_layout_new(m, &l), SP_OK);
	r->packet = sp_layout_length(l);
}

/* Header and text of the manifest, then as many zeroes as were offered. */
static void
put_packet(struct liar *l, const struct sp_buf *text)
{
	SP_AUTO_DONE(sp_buf) head = { 0 };
	uint8_t header[SP_TAR_BLOCK], zeroes[4096] = { 0 };
	struct sp_msg_data_end end = { 0 };
	uint64_t at, left;

	sp_layout_manifest_header(text->len, header);
	sp_buf_add(&head, header, sizeof(header));
	sp_buf_add_span(&head, sp_buf_span(text));
	for (at = 0; at < head.len; at += left) {
		left = head.len - at < SP_RECORD_DATA ? head.len - at : SP_RECORD_DATA;
		put_raw(l, SP_RECORD_TAR, at, head.data + at, (size_t)left);
	}
	for (at = head.len; at < l->p->receive.packet; at += left) {
		left = l->p->receive.packet - at < sizeof(zeroes) ? l->p->receive.packet - at : sizeof(zeroes);
		put_raw(l, SP_RECORD_TAR, at, zeroes, (size_t)left);
	}
	put_msg(l, SP_MSG_DATA_END, &end);
}

/* Nothing lies in the receiving folder, nor in what is incoming. */
static void
check_nothing(void)
{
	char command[512];

	snprintf(command, sizeof(command), "test -z \"$(find '%s' -mindepth 1 ! -name .incoming -print)\"", received_dir);
	ck_assert_int_eq(system(command), 0);
}

static void
spring(const struct trap *t)
{
	const struct timeval patience = { .tv_sec = 10 };
	const struct lie honest = { 0 };
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct liar l = { 0 };
	struct pair *p;

	stage_new(0);
	tree_folder("t");
	p = agree(walk("t"));
	make_text(t, &text);
	commit_to(&p->receive, t, &text);
	expect(p);
	l.p = p;
	ck_assert(say_hello(&l, &honest));
	setsockopt(l.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	put_packet(&l, &text);
	shutdown(l.fd, SHUT_WR);
	listen_to(&l);
	wait_for(1);
	/* the honest manifest is followed by zeroes that are no headers */
	ck_assert_msg(p->received_status == (t->expected == SP_OK ? SP_E_MISMATCH : t->expected), "%s: %s (%s)", t->name,
	    sp_status_name(p->received_status), p->received_why.text);
	ck_assert_msg(l.heard_abort && l.abort_reason == p->received_status, "%s: ABORT", t->name);
	ck_assert_msg(p->received_why.text[0] != 0, "%s: no plain words", t->name);
	/* what came of an honest one before it broke is kept: it might go on */
	if (t->expected != SP_OK)
		check_nothing();
	check_outside();
	close(l.fd);
	sp_channel_free(l.ch);
	source_free(p->send.source);
	p->send.source = NULL;
	stage_done();
	npairs = 0;
}

START_TEST(rx07_rx12_a_manifest_that_is_a_trap_is_refused_and_leaves_nothing)
{
	spring(&traps[_i]);
}
END_TEST

/* 256 folders in each other are taken, 257 not. */
START_TEST(pk16_nesting_to_the_limit_and_beyond)
{
	for (unsigned depth = SP_DEPTH_MAX; depth <= SP_DEPTH_MAX + 1; depth++) {
		SP_AUTO_DONE(sp_buf) entries = { 0 }, path = { 0 };
		struct trap t = { "deep", NULL, depth == SP_DEPTH_MAX ? SP_OK : SP_E_PATH, 1, 0 };

		for (unsigned i = 0; i + 1 < depth; i++) {
			sp_buf_add_text(&path, i > 0 ? "/d" : "d");
			sp_buf_addf(&entries, D("%s"), sp_buf_cstr(&path));
		}
		sp_buf_addf(&entries, F("%s/f"), sp_buf_cstr(&path));
		t.entries = sp_buf_cstr(&entries);
		spring(&t);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("data/trees");
	TCase *tcase = tcase_create("data/trees");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, rx07_rx12_a_manifest_that_is_a_trap_is_refused_and_leaves_nothing, 0,
	    (int)(sizeof(traps) / sizeof(traps[0])));
	tcase_add_test(tcase, pk16_nesting_to_the_limit_and_beyond);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
