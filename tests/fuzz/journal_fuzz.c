/*
 * journal_fuzz.c - the digest journal of a transfer, found on the disk after a break: where to go on (u32), then bodies of records,
 * which get right checks here so that they are believed. What is taken from it never goes beyond what it says.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/crypto/hash.h"
#include "peerd/data/kept.h"
#include "tests/fuzz/fuzz.h"

#define BODY 48
#define CHECK 16

static const char text[] = "sealpost-manifest 1\nkind files\nsalt "
    "0101010101010101010101010101010101010101010101010101010101010101\nperson alice@post.example\n"
    "station alice/laptop@post.example\norganisation \ntitle t\nmessage \n\n"
    "f 644 1700000000.000000001 1000 a\nf 644 1700000000.000000001 0 b\nf 600 1700000000.000000000 73400320 c\n"
    "h 644 1700000000.000000001 0 d a\nf 600 1700000000.000000000 5 e\n";

/* The file that these bodies are, with its head. */
static void
write_journal(struct sp_span bodies, const struct journal_at *at)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };
	SP_AUTO_FD fd = openat(at->folder, at->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct sp_hash check;

	sp_buf_add_text(&out, "sealpost-digests");
	sp_buf_add(&out, at->transfer.b, 16);
	sp_buf_add(&out, at->offer.b, 32);
	sp_sha256(sp_buf_span(&out), &check);
	for (size_t i = 0; i + BODY <= bodies.n; i += BODY) {
		struct sp_span parts[2] = { sp_span(check.b, CHECK), sp_span(bodies.p + i, BODY) };
		struct sp_hash next;

		sp_sha256_parts(parts, 2, &next);
		check = next;
		sp_buf_add(&out, bodies.p + i, BODY);
		sp_buf_add(&out, check.b, CHECK);
	}
	/* what was torn off in the middle */
	sp_buf_add(&out, bodies.p + bodies.n / BODY * BODY, bodies.n % BODY);
	fuzz_must(fd >= 0 && sp_buf_status(&out) == SP_OK && write(fd, out.data, out.len) == (ssize_t)out.len);
}

static void
load(const struct journal_at *at, const struct journal_look *look, uint64_t offset)
{
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(sp_layout) *l = NULL;
	SP_AUTO(sp_prints) *prints = NULL;
	SP_AUTO(sp_printer) *printer = sp_printer_new();
	struct sp_why why = { "" };
	struct data_kept kept;

	fuzz_ok(sp_manifest_parse(sp_span_str(text), &m, NULL));
	fuzz_ok(sp_layout_new(m, &l));
	fuzz_ok(sp_prints_new(m, &prints));
	offset %= sp_layout_length(l) + 1;
	if (offset < sp_layout_manifest(l).end)
		return;
	if (data_kept_load(at, look, m, l, offset, prints, printer, &kept, &why) != SP_OK) {
		fuzz_reason(&why);
		return;
	}
	fuzz_accept();
	fuzz_must(kept.changed <= kept.files && kept.files <= 4);
	for (uint32_t i = 0; i < sp_manifest_count(m); i++) {
		struct sp_place place = sp_layout_entry(l, i);
		struct sp_print print = sp_prints_get(prints, i);

		if (sp_manifest_entry(m, i).type != SP_ENTRY_FILE)
			continue;
		if (place.end <= offset)
			fuzz_must(print.state != SP_PRINT_NONE);
		if (place.data_at + place.data_len > offset)
			fuzz_must(print.state == SP_PRINT_NONE);
	}
	if (kept.begun)
		fuzz_must(sp_printer_at(printer) == kept.from && kept.from <= kept.member.data_len);
}

static char folder[64];

static void
remove_folder(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/journal", folder);
	unlink(path);
	rmdir(folder);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int at_folder = -1;
	struct journal_at at = { .name = "journal", .transfer = { "transfer" }, .offer = { { 7 } } };
	SP_AUTO(journal) *j = NULL;
	struct journal_look look, again;
	uint8_t boot[16] = "this boot";
	struct sp_cursor c = sp_cursor(sp_span(data, size));
	uint64_t offset = (uint64_t)sp_cursor_u32(&c) << 3;

	if (size < 4)
		return 0;
	if (at_folder < 0) {
		strcpy(folder, "/tmp/sealpost-fuzz-XXXXXX");
		fuzz_must(mkdtemp(folder) != NULL && (at_folder = open(folder, O_DIRECTORY | O_CLOEXEC)) >= 0);
		atexit(remove_folder);
	}
	at.folder = at_folder;
	write_journal(sp_cursor_bytes(&c, sp_cursor_left(&c)), &at);
	fuzz_ok(journal_look(&at, boot, &look, NULL));
	fuzz_must(look.length % JOURNAL_RECORD == 0 && (look.length > 0 || look.held == 0));
	fuzz_must(look.length <= JOURNAL_RECORD * (1 + size / BODY));
	if (look.length > 0)
		load(&at, &look, offset);
	/* written on and looked at again, it holds what was believed */
	fuzz_ok(journal_open(&at, look.length, &j, NULL));
	fuzz_ok(journal_seen(j, look.held, NULL));
	fuzz_ok(journal_synced(j, look.held, NULL));
	fuzz_ok(journal_look(&at, boot, &again, NULL));
	fuzz_must(again.held == look.held && again.synced == look.held);
	return 0;
}
