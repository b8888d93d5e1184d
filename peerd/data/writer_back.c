/*
 * writer_back.c - a writer that goes on after a break: how much an earlier connection left that can be relied on, and the
 * journal that tells so. What does not fit is removed, never repaired.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "peerd/data/kept.h"
#include "peerd/data/writer_in.h"

static const char *
name_of(const struct data_writer *w, const char *ending, char out[WRITER_NAME])
{
	snprintf(out, WRITER_NAME, "%s%s", w->terms.id_text, ending);
	return out;
}

const struct journal_at *
writer_journal(const struct data_writer *w, struct journal_at *at, char name[WRITER_NAME])
{
	*at = (struct journal_at){ w->incoming, name_of(w, PLACE_DIGESTS, name), w->terms.transfer, w->terms.offer };
	return at;
}

enum sp_status
writer_open_incoming(struct data_writer *w, struct sp_why *why)
{
	return w->incoming >= 0 ? SP_OK : place_incoming(w->terms.received, &w->incoming, why);
}

void
writer_forget(struct data_writer *w)
{
	place_free(sp_take(&w->place));
	journal_free(sp_take(&w->journal));
	sp_prints_free(sp_take(&w->prints));
	sp_layout_free(sp_take(&w->layout));
	sp_manifest_free(sp_take(&w->manifest));
	w->at = w->from = 0;
}

enum sp_status
writer_keep_manifest(const struct data_writer *w, struct sp_why *why)
{
	char name[WRITER_NAME];
	SP_AUTO_FD fd = openat(w->incoming, name_of(w, PLACE_MANIFEST, name),
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return sp_fail_errno(SP_E_IO, why, "cannot make %s", name);
	return sp_write_all(fd, w->text.data, w->text.len, why);
}

static bool
read_manifest(struct data_writer *w)
{
	char name[WRITER_NAME];
	SP_AUTO_FD fd = openat(w->incoming, name_of(w, PLACE_MANIFEST, name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat sb;
	uint8_t *to;
	bool good = false;

	if (fd >= 0 && fstat(fd, &sb) == 0 && sb.st_size == (off_t)w->terms.manifest_length &&
	    (to = sp_buf_reserve(&w->text, (size_t)sb.st_size)) != NULL)
		good = read(fd, to, (size_t)sb.st_size) == sb.st_size && writer_manifest_whole(w, NULL) == SP_OK;
	sp_buf_done(&w->text);
	w->text.max = w->terms.manifest_length;
	return good;
}

/* The journal goes on from here, whatever it told of before. */
static enum sp_status
lower(struct data_writer *w)
{
	struct journal_at at;
	char name[WRITER_NAME];
	enum sp_status st = journal_open(writer_journal(w, &at, name), w->look.length, &w->journal, NULL);

	w->lowers = w->look.synced > w->from;
	if (st == SP_OK && w->lowers)
		st = journal_synced(w->journal, w->from, NULL);
	return st == SP_OK ? journal_seen(w->journal, w->from, NULL) : st;
}

/* Whatever is not as it should be makes the packet begin with nothing. */
void
writer_look_back(struct data_writer *w)
{
	struct journal_at at;
	char name[WRITER_NAME];
	struct data_kept kept;
	uint8_t boot[16];
	uint64_t held;

	journal_boot(boot);
	if (writer_open_incoming(w, NULL) != SP_OK || journal_look(writer_journal(w, &at, name), boot, &w->look, NULL) != SP_OK)
		return;
	w->again = w->look.again;
	held = w->look.held;
	if (held == 0 || held > w->terms.packet || !read_manifest(w)) {
		writer_forget(w);
		return;
	}
	if (data_kept_load(&at, &w->look, w->manifest, w->layout, held, w->prints, w->printer, &kept, NULL) != SP_OK) {
		writer_forget(w);
		return;
	}
	held = place_look(w->terms.received, w->terms.id_text, w->layout, w->manifest, w->prints, held);
	held = held > w->terms.buffer ? held - w->terms.buffer : 0;
	if (held < sp_layout_manifest(w->layout).end) {
		writer_forget(w);
		return;
	}
	w->at = w->from = held;
	w->synced = w->look.synced < held ? w->look.synced : held;
	if (lower(w) == SP_OK)
		return;
	w->lowers = false;
	writer_forget(w);
}

uint64_t
data_writer_held(const struct data_writer *w)
{
	return w->from;
}

int
data_writer_journal(const struct data_writer *w)
{
	return w->journal != NULL ? fcntl(journal_fd(w->journal), F_DUPFD_CLOEXEC, 0) : -1;
}

bool
data_writer_lowers(const struct data_writer *w, int *ret_journal)
{
	if (w->lowers)
		*ret_journal = data_writer_journal(w);
	return w->lowers;
}

/* Gives the printer what is on the disk of the file, or of its block, that was begun. */
static enum sp_status
read_again(struct data_writer *w, uint64_t from, uint64_t to, struct sp_why *why)
{
	SP_AUTO_MEM uint8_t *part = malloc(SP_SEND_BATCH);
	enum sp_status st = part != NULL ? SP_OK : SP_E_NOMEM;

	while (st == SP_OK && from < to) {
		size_t n = to - from < SP_SEND_BATCH ? (size_t)(to - from) : SP_SEND_BATCH;

		if ((st = place_read(w->place, from, part, n, why)) == SP_OK)
			sp_printer_add(w->printer, part, n);
		from += n;
	}
	return st;
}

static enum sp_status
open_again(struct data_writer *w, struct sp_why *why)
{
	struct journal_at at;
	struct data_kept kept;
	uint32_t entry = sp_manifest_count(w->manifest);
	char name[WRITER_NAME];
	enum sp_status st;

	st = data_kept_load(writer_journal(w, &at, name), &w->look, w->manifest, w->layout, w->from, w->prints, w->printer, &kept, why);
	if (st != SP_OK)
		return st;
	if (kept.member.member == SP_MEMBER_ENTRY)
		entry = kept.member.entry + !kept.begun;
	st = place_again(w->terms.received, w->terms.id_text, w->manifest, w->terms.keep_links, entry, &w->place, why);
	if (st != SP_OK)
		return st;
	w->member = kept.member;
	w->is_file = kept.begun;
	if (!kept.begun)
		return SP_OK;
	if (w->from <= kept.member.data_at)
		return place_begin(w->place, entry, why);
	if ((st = place_go_on(w->place, entry, w->from - kept.member.data_at, why)) != SP_OK)
		return st;
	return read_again(w, kept.from, w->from - kept.member.data_at, why);
}

enum sp_status
data_writer_begin(struct data_writer *w, struct sp_why *why)
{
	enum sp_status st;

	if (w->from == 0)
		return SP_OK;
	st = open_again(w, why);
	if (st != SP_OK) {
		w->failed = true;
		place_discard(w->terms.received, w->terms.id_text);
		return sp_fail(SP_E_STALE, why, "%s", sp_status_text(SP_E_STALE));
	}
	return SP_OK;
}

enum sp_status
writer_mark_seen(struct data_writer *w, struct sp_why *why)
{
	enum sp_status st = place_settle(w->place, why);

	return st == SP_OK ? journal_seen(w->journal, w->at, why) : st;
}

bool
data_writer_to_sync(struct data_writer *w, uint64_t *ret_offset, int *ret_folder, int *ret_journal)
{
	if (w->journal == NULL || w->place == NULL || w->failed || w->at <= w->synced || writer_mark_seen(w, NULL) != SP_OK)
		return false;
	*ret_offset = w->at;
	*ret_folder = fcntl(place_fd(w->place), F_DUPFD_CLOEXEC, 0);
	*ret_journal = data_writer_journal(w);
	return true;
}

uint64_t
data_writer_durable(const struct data_writer *w)
{
	return w->synced;
}

enum sp_status
data_writer_synced(struct data_writer *w, uint64_t offset, struct sp_why *why)
{
	w->synced = offset;
	return journal_synced(w->journal, offset, why);
}

void
data_writer_distrust(struct data_writer *w)
{
	writer_forget(w);
	w->failed = true;
	place_discard(w->terms.received, w->terms.id_text);
}

bool
data_writer_throw_away(struct data_writer *w)
{
	struct journal_at at;
	char name[WRITER_NAME];

	if (w->again)
		return false;
	data_writer_distrust(w);
	if (journal_open(writer_journal(w, &at, name), 0, &w->journal, NULL) != SP_OK)
		return true;
	journal_add(w->journal, JOURNAL_AGAIN, 0, 0, NULL);
	return journal_seen(w->journal, 0, NULL) == SP_OK;
}

enum sp_status
data_writer_restore(struct data_writer *w, struct sp_buf *notes, struct sp_why *why)
{
	enum sp_status st;

	if (w->from != w->terms.packet || open_again(w, why) != SP_OK)
		return sp_fail(SP_E_STALE, why, "%s", sp_status_text(SP_E_STALE));
	st = place_finish(w->place, w->prints, notes, why);
	w->failed = true;	/* nothing more is to be marked */
	return st;
}
