/*
 * reader.c - headers and zeroes from the layout, the manifest's text, and the contents of files read in between.
 */
#include "peerd/data/reader.h"

#include <errno.h>
#include <fcntl.h>

#include "common/base/fault.h"
#include "common/packet/path.h"
#include "peerd/data/kept.h"

#define AHEAD_FROM (1024 * 1024)	/* larger files are told to the kernel as read in order */

struct data_reader {
	const struct source *source;		/* borrowed */
	const struct sp_manifest *manifest;	/* borrowed, of the source */
	const struct sp_layout *layout;		/* likewise */
	struct sp_prints *prints;		/* owned */
	struct sp_printer *printer;		/* owned */
	struct journal *journal;		/* owned; NULL = nothing is kept */
	bool any;				/* something was read for the other side */
	bool failed;				/* at is not to be relied on */
	uint64_t at, length;
	struct sp_place member;			/* that at lies in */
	int file;				/* owned; -1 = none is open */
	bool dropped;				/* the file in hand has changed */
	uint32_t files, changed;		/* file entries passed; of which changed */
	struct sp_why word;
};

static enum sp_status go_on(struct data_reader *r, const struct journal_at *journal, struct journal_look *look, uint64_t at,
    struct sp_why *why);

/* The digests of whole blocks; a short last one is in the file's. */
static void
on_block(void *arg, uint64_t block, const struct sp_hash *digest)
{
	struct data_reader *r = arg;

	if (r->journal != NULL && (block + 1) * SP_PRINT_BLOCK <= r->member.data_len)
		journal_add(r->journal, JOURNAL_BLOCK, r->member.entry, block, digest);
}

enum sp_status
data_reader_new(const struct source *source, const struct journal_at *journal, uint64_t held,
    struct data_reader **ret_reader, struct sp_why *why)
{
	SP_AUTO(data_reader) *r = calloc(1, sizeof(*r));
	struct journal_look look = { 0 };
	uint8_t boot[16];
	enum sp_status st;

	if (r == NULL)
		return SP_E_NOMEM;
	r->file = -1;
	r->source = source;
	r->manifest = source_manifest(source);
	r->layout = source_layout(source);
	r->length = sp_layout_length(r->layout);
	r->member = sp_layout_manifest(r->layout);
	r->printer = sp_printer_new();
	if (r->printer == NULL)
		return SP_E_NOMEM;
	sp_printer_on_block(r->printer, on_block, r);
	if ((st = sp_prints_new(r->manifest, &r->prints)) != SP_OK)
		return st;
	journal_boot(boot);
	if (journal != NULL && held > 0 && (st = journal_look(journal, boot, &look, why)) != SP_OK)
		return st;
	held = held < look.held ? held : look.held;
	if (held >= r->member.end && held <= r->length)
		st = go_on(r, journal, &look, held, why);
	else
		look.length = 0;
	if (st != SP_OK)
		return st;
	if (journal != NULL && (journal_open(journal, look.length, &r->journal, NULL) != SP_OK ||
	    journal_seen(r->journal, r->at, NULL) != SP_OK))
		journal_free(sp_take(&r->journal));
	*ret_reader = sp_take(&r);
	return SP_OK;
}

void
data_reader_free(struct data_reader *r)
{
	if (r == NULL)
		return;
	/* without this mark the next connection only begins earlier; where nothing went, somebody else may be at the journal */
	if (r->any && r->journal != NULL && !r->failed && journal_seen(r->journal, r->at, NULL) != SP_OK)
		r->failed = true;
	journal_free(r->journal);
	if (r->file >= 0)
		close(r->file);
	sp_printer_free(r->printer);
	sp_prints_free(r->prints);
	free(r);
}

int
data_reader_mark(struct data_reader *r)
{
	if (r->journal == NULL || r->failed || journal_synced(r->journal, r->at, NULL) != SP_OK ||
	    journal_seen(r->journal, r->at, NULL) != SP_OK)
		return -1;
	return fcntl(journal_fd(r->journal), F_DUPFD_CLOEXEC, 0);
}

uint64_t
data_reader_at(const struct data_reader *r)
{
	return r->at;
}

uint64_t
data_reader_left(const struct data_reader *r)
{
	return r->length - r->at;
}

const struct sp_prints *
data_reader_prints(const struct data_reader *r)
{
	return r->prints;
}

struct sp_prints *
data_reader_take_prints(struct data_reader *r)
{
	return sp_take(&r->prints);
}

uint32_t
data_reader_changed(const struct data_reader *r)
{
	return r->changed;
}

const char *
data_reader_changed_word(const struct data_reader *r)
{
	return r->word.text;
}

/* Only what says CHANGED is the file's fate; everything else ends the sending. */
static enum sp_status
drop_if_changed(struct data_reader *r, enum sp_status st, const struct sp_why *word)
{
	if (st != SP_E_CHANGED)
		return st;
	r->dropped = true;
	r->word = *word;
	if (r->file >= 0)
		close(sp_take_fd(&r->file));
	return SP_OK;
}

static enum sp_status
file_begin(struct data_reader *r, struct sp_why *why)
{
	uint64_t size = r->member.data_len;
	enum sp_status st;

	r->dropped = false;
	sp_printer_reset(r->printer, size);
	st = source_file_open(r->source, r->member.entry, &r->file, why);
	if (st == SP_OK && size >= AHEAD_FROM)
		(void)posix_fadvise(r->file, 0, 0, POSIX_FADV_SEQUENTIAL);
	return drop_if_changed(r, st, why);
}

static enum sp_status
changed_now(struct data_reader *r, struct sp_why *why)
{
	struct sp_entry e = sp_manifest_entry(r->manifest, r->member.entry);
	char shown[SP_PATH_SHOW];

	return sp_fail(SP_E_CHANGED, why, "%s was changed while it was sent",
	    sp_path_show(sp_span(e.path, e.path_len), shown));
}

static enum sp_status
file_end(struct data_reader *r, struct sp_why *why)
{
	struct sp_print print = { .state = SP_PRINT_CHANGED };
	enum sp_status st = SP_OK;

	if (!r->dropped && !source_file_same(r->source, r->member.entry, r->file))
		st = drop_if_changed(r, changed_now(r, why), why);
	if (st == SP_OK && !r->dropped)
		st = sp_printer_end(r->printer, &print);
	if (r->file >= 0)
		close(sp_take_fd(&r->file));
	sp_prints_set(r->prints, r->member.entry, &print);
	r->changed += r->dropped;
	if (r->journal != NULL)
		journal_add(r->journal, r->dropped ? JOURNAL_CHANGED : JOURNAL_FILE, r->member.entry, 0,
		    r->dropped ? NULL : &print.hash);
	return st;
}

static enum sp_status
read_file(struct data_reader *r, uint8_t *out, size_t n, struct sp_why *why)
{
	uint64_t offset = r->at - r->member.data_at;
	size_t have = 0;
	ssize_t did;

	while (!r->dropped && have < n) {
		did = -1;
		if ((errno = SP_FAULT_ERRNO("source-read")) == 0)
			did = pread(r->file, out + have, n - have, (off_t)(offset + have));
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0) {
			struct sp_entry e = sp_manifest_entry(r->manifest, r->member.entry);
			char shown[SP_PATH_SHOW];
			int error = errno;

			sp_path_show(sp_span(e.path, e.path_len), shown);
			errno = error;
			return sp_fail_errno(SP_E_IO, why, "cannot read %s", shown);
		}
		if (did == 0)
			(void)drop_if_changed(r, changed_now(r, why), why);
		have += (size_t)did;
	}
	if (r->dropped)
		memset(out + have, 0, n - have);
	else
		sp_printer_add(r->printer, out, n);
	return SP_OK;
}

/* A file that was begun before a break: the printer gets again what it had of the file, or of its block. */
static enum sp_status
begin_again(struct data_reader *r, uint64_t from, uint64_t to, struct sp_why *why)
{
	SP_AUTO_MEM uint8_t *part = malloc(SP_SEND_BATCH);
	uint64_t size = r->member.data_len;
	enum sp_status st;

	if (part == NULL)
		return SP_E_NOMEM;
	r->dropped = false;
	st = drop_if_changed(r, source_file_open(r->source, r->member.entry, &r->file, why), why);
	if (st == SP_OK && !r->dropped && size >= AHEAD_FROM)
		(void)posix_fadvise(r->file, 0, 0, POSIX_FADV_SEQUENTIAL);
	for (r->at = r->member.data_at + from; st == SP_OK && !r->dropped && from < to;) {
		size_t n = to - from < SP_SEND_BATCH ? (size_t)(to - from) : SP_SEND_BATCH;

		st = read_file(r, part, n, why);
		from += n;
		r->at += n;
	}
	return st;
}

/* At an offset that a journal tells of; with nothing kept if it does not after all. */
static enum sp_status
go_on(struct data_reader *r, const struct journal_at *journal, struct journal_look *look, uint64_t at, struct sp_why *why)
{
	struct data_kept kept;
	uint64_t in;
	enum sp_status st;

	st = data_kept_load(journal, look, r->manifest, r->layout, at, r->prints, r->printer, &kept, why);
	if (st == SP_E_STALE) {
		look->length = 0;
		sp_prints_free(sp_take(&r->prints));
		return sp_prints_new(r->manifest, &r->prints);
	}
	if (st != SP_OK)
		return st;
	r->member = kept.member;
	r->files = kept.files;
	r->changed = kept.changed;
	if (kept.begun) {
		in = at > kept.member.data_at ? at - kept.member.data_at : 0;
		st = begin_again(r, kept.from, in, why);
	}
	r->at = at;
	return st;
}

static enum sp_status
next_member(struct data_reader *r, struct sp_why *why)
{
	uint32_t next = r->member.member == SP_MEMBER_MANIFEST ? 0 : r->member.entry + 1;

	r->member = next < sp_manifest_count(r->manifest) ? sp_layout_entry(r->layout, next) :
	    sp_layout_end(r->layout);
	if (r->member.member != SP_MEMBER_ENTRY || sp_manifest_entry(r->manifest, next).type != SP_ENTRY_FILE)
		return SP_OK;
	r->files++;
	return file_begin(r, why);
}

/* One part of the member in hand: at most n bytes of its header, data or zeroes, which may end its file. */
static enum sp_status
fill_part(struct data_reader *r, uint8_t *out, size_t n, size_t *ret_did, struct sp_why *why)
{
	struct sp_place *m = &r->member;
	enum sp_status st = SP_OK;
	enum sp_area area;
	uint64_t left;
	bool is_file;

	if (r->at == m->end && (st = next_member(r, why)) != SP_OK)
		return st;
	is_file = m->member == SP_MEMBER_ENTRY && sp_manifest_entry(r->manifest, m->entry).type == SP_ENTRY_FILE;
	area = sp_place_area(m, r->at, &left);
	if (n > left)
		n = (size_t)left;
	if (area == SP_AREA_DATA && m->member == SP_MEMBER_MANIFEST)
		memcpy(out, source_manifest_text(r->source).p + (r->at - m->data_at), n);
	else if (area == SP_AREA_DATA)
		st = read_file(r, out, n, why);
	r->at += n;
	*ret_did = n;
	/* An empty file ends with its header. */
	if (st == SP_OK && is_file && r->at == m->data_at + m->data_len && area != SP_AREA_ZEROES)
		st = file_end(r, why);
	return st;
}

static enum sp_status
fill(struct data_reader *r, uint8_t *out, size_t n, struct sp_why *why)
{
	uint64_t from = r->at;
	size_t did = 0;
	enum sp_status st;

	for (size_t have = 0; have < n; have += did)
		if ((st = fill_part(r, out + have, n - have, &did, why)) != SP_OK)
			return st;
	if ((st = sp_layout_fill(r->layout, from, out, n)) != SP_OK)
		return st;
	if (r->at == r->length && r->files > 0 && r->changed == r->files)
		return sp_fail(SP_E_CHANGED, why, "%s", r->word.text);
	return SP_OK;
}

enum sp_status
data_reader_fill(struct data_reader *r, uint8_t *out, size_t n, struct sp_why *why)
{
	enum sp_status st = fill(r, out, n, why);

	r->any = true;
	/* Sending does not end because our own disk is full: only a break costs more then. */
	if (st == SP_OK && r->journal != NULL && r->at - journal_marked(r->journal) >= SP_SEEN_BYTES &&
	    journal_seen(r->journal, r->at, NULL) != SP_OK)
		journal_free(sp_take(&r->journal));
	r->failed = r->failed || st != SP_OK;
	return st;
}
