/*
 * writer.c - first the manifest, held in memory and checked whole; then headers and zeroes compared with the layout,
 * and file contents hashed and placed as they pass.
 */
#include "peerd/data/writer_in.h"

#include "common/crypto/hash.h"
#include "common/packet/path.h"

static void on_block(void *arg, uint64_t block, const struct sp_hash *digest);

enum sp_status
data_writer_new(const struct data_terms *terms, struct data_writer **ret_writer)
{
	SP_AUTO(data_writer) *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return SP_E_NOMEM;
	w->terms = *terms;
	w->incoming = -1;
	w->text.max = terms->manifest_length;
	w->printer = sp_printer_new();
	if (w->printer == NULL)
		return SP_E_NOMEM;
	sp_printer_on_block(w->printer, on_block, w);
	writer_look_back(w);
	*ret_writer = sp_take(&w);
	return SP_OK;
}

/* How far it came is true only if nothing failed; what is not marked is received again. Where nothing came there is nothing to say,
 * and somebody else may be at the journal. */
static void
mark_end(struct data_writer *w)
{
	if (w->any && w->journal != NULL && w->place != NULL && !w->failed && place_settle(w->place, NULL) == SP_OK &&
	    journal_seen(w->journal, w->at, NULL) != SP_OK)
		w->failed = true;
}

void
data_writer_free(struct data_writer *w)
{
	if (w == NULL)
		return;
	mark_end(w);
	writer_forget(w);
	sp_printer_free(w->printer);
	sp_buf_done(&w->text);
	if (w->incoming >= 0)
		close(w->incoming);
	free(w);
}

uint64_t
data_writer_at(const struct data_writer *w)
{
	return w->at;
}

int
data_writer_folder(const struct data_writer *w)
{
	return w->incoming;
}

bool
data_writer_is_full(const struct data_writer *w)
{
	return w->manifest != NULL && w->at == w->terms.packet;
}

uint32_t
data_writer_files(const struct data_writer *w)
{
	return w->manifest != NULL ? sp_manifest_files(w->manifest) : 0;
}

struct place *
data_writer_take_place(struct data_writer *w)
{
	return sp_take(&w->place);
}

struct sp_manifest *
data_writer_take_manifest(struct data_writer *w)
{
	return sp_take(&w->manifest);
}

struct sp_prints *
data_writer_take_prints(struct data_writer *w)
{
	return sp_take(&w->prints);
}

/* ---- the manifest ---- */

static enum sp_status
check_sender(const struct data_writer *w, struct sp_why *why)
{
	char station[SP_NAME_TEXT];

	/* A manifest names one person in both lines, so the station tells all. */
	sp_name_text(&w->terms.sender, station);
	if (strcmp(sp_manifest_head(w->manifest)->station, station) == 0)
		return SP_OK;
	return sp_fail(SP_E_MISMATCH, why, "the packet's list names another sender than %s", station);
}

static enum sp_status
check_offer(const struct data_writer *w, struct sp_why *why)
{
	if (sp_manifest_files(w->manifest) != w->terms.files)
		return sp_fail(SP_E_MISMATCH, why, "the packet holds another number of files than offered");
	if (sp_manifest_bytes(w->manifest) != w->terms.bytes)
		return sp_fail(SP_E_SIZE, why, "the packet's files have another size than offered");
	if (sp_layout_length(w->layout) != w->terms.packet)
		return sp_fail(SP_E_SIZE, why, "the packet is not as long as offered");
	return check_sender(w, why);
}

enum sp_status
writer_manifest_whole(struct data_writer *w, struct sp_why *why)
{
	struct sp_hash hash;
	enum sp_status st;

	sp_sha256(sp_buf_span(&w->text), &hash);
	if (!sp_hash_eq(&hash, &w->terms.manifest))
		return sp_fail(SP_E_MISMATCH, why, "the list of files is not the one that was offered");
	if ((st = sp_manifest_parse(sp_buf_span(&w->text), &w->manifest, why)) != SP_OK ||
	    (st = sp_layout_new(w->manifest, &w->layout)) != SP_OK ||
	    (st = check_offer(w, why)) != SP_OK ||
	    (st = sp_prints_new(w->manifest, &w->prints)) != SP_OK)
		return st;
	w->member = sp_layout_manifest(w->layout);
	return SP_OK;
}

/* The packet's folder anew, and beside it what a next connection needs. */
static enum sp_status
manifest_came(struct data_writer *w, struct sp_why *why)
{
	struct journal_at journal;
	char name[WRITER_NAME];
	enum sp_status st;

	if ((st = writer_manifest_whole(w, why)) != SP_OK ||
	    (st = place_new(w->terms.received, w->terms.id_text, w->manifest, w->terms.keep_links, &w->place, why)) != SP_OK ||
	    (st = writer_open_incoming(w, why)) != SP_OK || (st = writer_keep_manifest(w, why)) != SP_OK ||
	    (st = journal_open(writer_journal(w, &journal, name), 0, &w->journal, why)) != SP_OK)
		return st;
	sp_buf_done(&w->text);
	if (w->again)
		journal_add(w->journal, JOURNAL_AGAIN, 0, 0, NULL);
	return SP_OK;
}

static enum sp_status
check_header(const struct data_writer *w, struct sp_why *why)
{
	uint64_t length;
	enum sp_status st;

	if ((st = sp_layout_manifest_length(w->header, &length, why)) != SP_OK)
		return st;
	if (length != w->terms.manifest_length)
		return sp_fail(SP_E_MISMATCH, why, "the list of files is not as long as offered");
	return SP_OK;
}

/* Takes what belongs to the manifest's header or text off the front of bytes. */
static enum sp_status
feed_manifest(struct data_writer *w, struct sp_span *bytes, struct sp_why *why)
{
	enum sp_status st = SP_OK;
	size_t n;

	if (w->at < SP_TAR_BLOCK) {
		n = SP_TAR_BLOCK - (size_t)w->at < bytes->n ? SP_TAR_BLOCK - (size_t)w->at : bytes->n;
		memcpy(w->header + w->at, bytes->p, n);
		if (w->at + n == SP_TAR_BLOCK)
			st = check_header(w, why);
	} else {
		n = w->terms.manifest_length - w->text.len < bytes->n ? w->terms.manifest_length - w->text.len :
		    bytes->n;
		sp_buf_add(&w->text, bytes->p, n);
		st = sp_buf_status(&w->text);
	}
	w->at += n;
	*bytes = sp_span(bytes->p + n, bytes->n - n);
	if (st == SP_OK && w->at == SP_TAR_BLOCK + (uint64_t)w->terms.manifest_length)
		st = manifest_came(w, why);
	return st;
}

/* ---- the entries ---- */

static enum sp_status
file_end(struct data_writer *w, struct sp_why *why)
{
	struct sp_print print;
	enum sp_status st;

	w->is_file = false;
	if ((st = place_end(w->place, why)) != SP_OK || (st = sp_printer_end(w->printer, &print)) != SP_OK)
		return st;
	sp_prints_set(w->prints, w->member.entry, &print);
	journal_add(w->journal, JOURNAL_FILE, w->member.entry, 0, &print.hash);
	return SP_OK;
}

/* The digests of whole blocks; a short last one is in the file's. */
static void
on_block(void *arg, uint64_t block, const struct sp_hash *digest)
{
	struct data_writer *w = arg;

	if ((block + 1) * SP_PRINT_BLOCK <= w->member.data_len)
		journal_add(w->journal, JOURNAL_BLOCK, w->member.entry, block, digest);
}

static enum sp_status
next_member(struct data_writer *w, struct sp_why *why)
{
	uint32_t next = w->member.member == SP_MEMBER_MANIFEST ? 0 : w->member.entry + 1;
	struct sp_entry e;

	if (next >= sp_manifest_count(w->manifest)) {
		w->member = sp_layout_end(w->layout);
		return SP_OK;
	}
	w->member = sp_layout_entry(w->layout, next);
	e = sp_manifest_entry(w->manifest, next);
	w->is_file = e.type == SP_ENTRY_FILE;
	if (!w->is_file)
		return SP_OK;
	sp_printer_reset(w->printer, e.size);
	return place_begin(w->place, next, why);
}

/* One part of the member in hand off the front of bytes; headers and zeroes were checked before. */
static enum sp_status
feed_part(struct data_writer *w, struct sp_span *bytes, struct sp_why *why)
{
	enum sp_status st = SP_OK;
	enum sp_area area;
	uint64_t left;
	size_t n;

	if (w->at == w->member.end && (st = next_member(w, why)) != SP_OK)
		return st;
	area = sp_place_area(&w->member, w->at, &left);
	n = left < bytes->n ? (size_t)left : bytes->n;
	if (area == SP_AREA_DATA && w->is_file) {
		sp_printer_add(w->printer, bytes->p, n);
		st = place_write(w->place, w->at - w->member.data_at, sp_span(bytes->p, n), why);
	}
	w->at += n;
	*bytes = sp_span(bytes->p + n, bytes->n - n);
	if (st == SP_OK && w->is_file && w->at == w->member.data_at + w->member.data_len)
		st = file_end(w, why);
	return st;
}

static enum sp_status
feed(struct data_writer *w, struct sp_span bytes, struct sp_why *why)
{
	enum sp_status st = SP_OK;

	while (w->manifest == NULL && bytes.n > 0 && st == SP_OK)
		st = feed_manifest(w, &bytes, why);
	if (st == SP_OK && bytes.n > 0)
		st = sp_layout_check(w->layout, w->at, bytes, why);
	while (bytes.n > 0 && st == SP_OK)
		st = feed_part(w, &bytes, why);
	if (st == SP_OK && w->journal != NULL && w->at - journal_marked(w->journal) >= SP_SEEN_BYTES)
		st = writer_mark_seen(w, why);
	return st;
}

enum sp_status
data_writer_feed(struct data_writer *w, uint64_t offset, struct sp_span bytes, struct sp_why *why)
{
	uint64_t end = offset + bytes.n;
	enum sp_status st = SP_OK;

	if (w->any ? offset != w->next : offset > w->from)
		return sp_fail(SP_E_FORMAT, why, "the packet's bytes did not come in order");
	if (offset > w->terms.packet || bytes.n > w->terms.packet - offset)
		return sp_fail(SP_E_LONG, why, "more bytes came than were offered");
	w->any = true;
	w->next = end;
	if (end > w->at) {
		bytes = sp_span(bytes.p + (w->at - offset), (size_t)(end - w->at));
		st = feed(w, bytes, why);
	}
	w->failed = w->failed || st != SP_OK;
	return st;
}

/* ---- the end ---- */

static enum sp_status
differs(const struct data_writer *w, uint32_t entry, struct sp_why *why)
{
	struct sp_entry e = sp_manifest_entry(w->manifest, entry);
	char shown[SP_PATH_SHOW];

	return sp_fail(SP_E_PRINT, why, "%s arrived with another content than it was sent with",
	    sp_path_show(sp_span(e.path, e.path_len), shown));
}

enum sp_status
data_writer_compare(struct data_writer *w, struct sp_span prints_text, uint32_t *ret_changed, struct sp_why *why)
{
	SP_AUTO(sp_prints) *theirs = NULL;
	uint32_t changed = 0;
	enum sp_status st;

	if (!data_writer_is_full(w))
		return sp_fail(SP_E_STATE, why, "the packet is not whole");
	if ((st = sp_prints_parse(prints_text, w->manifest, &theirs, why)) != SP_OK)
		return st;
	for (uint32_t i = 0; i < sp_manifest_count(w->manifest); i++) {
		struct sp_print our = sp_prints_get(w->prints, i), their = sp_prints_get(theirs, i);

		if (sp_manifest_entry(w->manifest, i).type != SP_ENTRY_FILE)
			continue;
		if (their.state == SP_PRINT_CHANGED) {
			sp_prints_set(w->prints, i, &their);
			journal_add(w->journal, JOURNAL_CHANGED, i, 0, NULL);
			changed++;
		} else if (!sp_print_eq(&our, &their)) {
			return differs(w, i, why);
		}
	}
	*ret_changed = changed;
	return SP_OK;
}

enum sp_status
data_writer_finish(struct data_writer *w, struct sp_buf *notes, struct sp_why *why)
{
	enum sp_status st;

	if (!data_writer_is_full(w))
		return sp_fail(SP_E_STATE, why, "the packet is not whole");
	st = place_finish(w->place, w->prints, notes, why);
	/* so that a restart has no need of the sender */
	return st == SP_OK ? journal_seen(w->journal, w->at, why) : st;
}
