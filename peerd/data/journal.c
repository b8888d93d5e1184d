/*
 * journal.c - records of 64 bytes, each with a check over itself and the check before: what was torn, damaged or left from
 * something else ends the file where it begins.
 */
#include "peerd/data/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cursor.h"
#include "common/base/file.h"
#include "common/base/limits.h"
#include "common/crypto/hash.h"
#include "common/crypto/rand.h"

#define MAGIC "sealpost-digests"
#define CHECK 16
#define BODY (JOURNAL_RECORD - CHECK)
#define READ_RECORDS 1024

struct journal {
	int fd;			/* owned */
	uint8_t boot[16];
	uint8_t check[CHECK];	/* of the last record */
	struct sp_buf out;	/* records not written yet */
	uint64_t marked;
};

void
journal_boot(uint8_t ret_boot[16])
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_id id;

#ifdef SP_FAULTS
	if (getenv("SEALPOST_BOOT_ID") != NULL)
		sp_buf_add_text(&text, getenv("SEALPOST_BOOT_ID"));
	else
#endif
	if (sp_file_read("/proc/sys/kernel/random/boot_id", 64, &text, NULL) != SP_OK)
		sp_buf_clear(&text);
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (sp_id_parse(sp_buf_cstr(&text), &id) == SP_OK)
		memcpy(ret_boot, id.b, sizeof(id.b));
	else
		sp_random(ret_boot, 16);
}

/* ---- the form ---- */

static void
make_head(const struct journal_at *at, uint8_t out[JOURNAL_RECORD])
{
	memcpy(out, MAGIC, 16);
	memcpy(out + 16, at->transfer.b, 16);
	memcpy(out + 32, at->offer.b, 32);
}

static void
head_check(const uint8_t head[JOURNAL_RECORD], uint8_t out[CHECK])
{
	struct sp_hash hash;

	sp_sha256(sp_span(head, JOURNAL_RECORD), &hash);
	memcpy(out, hash.b, CHECK);
}

static void
next_check(uint8_t check[CHECK], const uint8_t body[BODY])
{
	struct sp_span parts[2] = { sp_span(check, CHECK), sp_span(body, BODY) };
	struct sp_hash hash;

	sp_sha256_parts(parts, 2, &hash);
	memcpy(check, hash.b, CHECK);
}

static bool
known(uint8_t what)
{
	return what == JOURNAL_FILE || what == JOURNAL_CHANGED || what == JOURNAL_BLOCK || what == JOURNAL_SEEN ||
	    what == JOURNAL_SYNCED || what == JOURNAL_AGAIN;
}

/* ---- reading ---- */

static enum sp_status
cannot_read(const struct journal_at *at, struct sp_why *why)
{
	return sp_fail_errno(SP_E_IO, why, "cannot read %.100s", at->name);
}

static ssize_t
read_some(int fd, void *to, size_t n)
{
	size_t have = 0;
	ssize_t did;

	while (have < n) {
		did = read(fd, (uint8_t *)to + have, n - have);
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return -1;
		if (did == 0)
			break;
		have += (size_t)did;
	}
	return (ssize_t)have;
}

/* Hands on good records until one is not good, or most bytes were read; ret_last is the check of the last. fd: at the start. */
static enum sp_status
scan(int fd, const struct journal_at *at, uint64_t most, uint8_t ret_last[CHECK], journal_fn *fn, void *arg,
    struct sp_why *why)
{
	uint8_t part[READ_RECORDS * JOURNAL_RECORD], head[JOURNAL_RECORD], check[CHECK];
	uint64_t bytes = JOURNAL_RECORD;
	ssize_t n = read_some(fd, part, JOURNAL_RECORD);

	make_head(at, head);
	if (n < 0)
		return cannot_read(at, why);
	if (n != JOURNAL_RECORD || memcmp(head, part, sizeof(head)) != 0)
		return SP_E_NOTFOUND;
	head_check(head, check);
	memcpy(ret_last, check, CHECK);
	while ((n = read_some(fd, part, sizeof(part))) > 0)
		for (ssize_t i = 0; i + JOURNAL_RECORD <= n; i += JOURNAL_RECORD) {
			struct sp_cursor c = sp_cursor(sp_span(part + i, BODY));
			struct journal_record r = { .what = sp_cursor_u8(&c) };

			(void)sp_cursor_bytes(&c, 3);
			r.entry = sp_cursor_u32(&c);
			r.number = sp_cursor_u64(&c);
			sp_cursor_copy(&c, r.value.b, sizeof(r.value.b));
			next_check(check, part + i);
			bytes += JOURNAL_RECORD;
			if (bytes > most || memcmp(check, part + i + BODY, CHECK) != 0 || !known(part[i]))
				return SP_OK;
			memcpy(ret_last, check, CHECK);
			fn(arg, &r);
		}
	return n < 0 ? cannot_read(at, why) : SP_OK;
}

static int
open_at(const struct journal_at *at, int flags)
{
	return openat(at->folder, at->name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

struct looking {
	const uint8_t *boot;		/* borrowed */
	uint64_t bytes;
	bool again;
	struct journal_look any;	/* by the last mark "seen" */
	struct journal_look synced;	/* by the last one "synced" */
	bool this_boot;			/* the former is of this boot */
};

static void
look_at(void *arg, const struct journal_record *r)
{
	struct looking *l = arg;

	l->bytes += JOURNAL_RECORD;
	if (r->what == JOURNAL_AGAIN)
		l->again = true;
	if (r->what != JOURNAL_SEEN && r->what != JOURNAL_SYNCED)
		return;
	l->any.length = l->bytes;
	if (r->what == JOURNAL_SEEN) {
		l->any.held = r->number;
		l->this_boot = memcmp(r->value.b, l->boot, 16) == 0;
		return;
	}
	l->any.synced = r->number;
	l->synced = (struct journal_look){ .held = r->number, .length = l->bytes, .synced = r->number };
}

enum sp_status
journal_look(const struct journal_at *at, const uint8_t boot[16], struct journal_look *ret_look, struct sp_why *why)
{
	struct looking l = { .boot = boot, .bytes = JOURNAL_RECORD };
	SP_AUTO_FD fd = open_at(at, O_RDONLY);
	uint8_t last[CHECK];
	enum sp_status st;

	*ret_look = (struct journal_look){ 0 };
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? SP_OK : cannot_read(at, why);
	st = scan(fd, at, UINT64_MAX, last, look_at, &l, why);
	if (st != SP_OK)
		return st == SP_E_NOTFOUND ? SP_OK : st;
	*ret_look = l.this_boot ? l.any : l.synced;
	ret_look->again = l.again;
	return SP_OK;
}

enum sp_status
journal_replay(const struct journal_at *at, uint64_t length, journal_fn *fn, void *arg, struct sp_why *why)
{
	SP_AUTO_FD fd = open_at(at, O_RDONLY);
	uint8_t last[CHECK];

	if (fd < 0)
		return cannot_read(at, why);
	return scan(fd, at, length, last, fn, arg, why);
}

/* ---- writing ---- */

static void
nothing(void *arg, const struct journal_record *r)
{
	(void)arg;
	(void)r;
}

static enum sp_status
go_on(struct journal *j, const struct journal_at *at, uint64_t length, struct sp_why *why)
{
	enum sp_status st;

	if ((j->fd = open_at(at, O_RDWR)) < 0)
		return cannot_read(at, why);
	if ((st = scan(j->fd, at, length, j->check, nothing, NULL, why)) != SP_OK)
		return st;
	if (ftruncate(j->fd, (off_t)length) != 0 || lseek(j->fd, 0, SEEK_END) != (off_t)length)
		return sp_fail_errno(SP_E_IO, why, "cannot cut %.100s", at->name);
	return SP_OK;
}

static enum sp_status
begin(struct journal *j, const struct journal_at *at, struct sp_why *why)
{
	uint8_t head[JOURNAL_RECORD];

	if (unlinkat(at->folder, at->name, 0) != 0 && errno != ENOENT)
		return sp_fail_errno(SP_E_IO, why, "cannot remove %.100s", at->name);
	if ((j->fd = open_at(at, O_RDWR | O_CREAT | O_EXCL)) < 0)
		return sp_fail_errno(SP_E_IO, why, "cannot make %.100s", at->name);
	make_head(at, head);
	head_check(head, j->check);
	return sp_write_all(j->fd, head, sizeof(head), why);
}

enum sp_status
journal_open(const struct journal_at *at, uint64_t length, struct journal **ret_journal, struct sp_why *why)
{
	SP_AUTO(journal) *j = calloc(1, sizeof(*j));
	enum sp_status st;

	if (j == NULL)
		return SP_E_NOMEM;
	j->fd = -1;
	journal_boot(j->boot);
	if ((st = length > 0 ? go_on(j, at, length, why) : begin(j, at, why)) != SP_OK)
		return st;
	*ret_journal = sp_take(&j);
	return SP_OK;
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		close(j->fd);
	sp_buf_done(&j->out);
	free(j);
}

void
journal_add(struct journal *j, enum journal_what what, uint32_t entry, uint64_t number, const struct sp_hash *value)
{
	static const struct sp_hash none;
	size_t at = j->out.len;

	sp_buf_add_u8(&j->out, (uint8_t)what);
	sp_buf_add(&j->out, none.b, 3);
	sp_buf_add_u32(&j->out, entry);
	sp_buf_add_u64(&j->out, number);
	sp_buf_add(&j->out, value != NULL ? value->b : none.b, sizeof(none.b));
	if (sp_buf_status(&j->out) != SP_OK)
		return;
	next_check(j->check, j->out.data + at);
	sp_buf_add(&j->out, j->check, CHECK);
}

static enum sp_status
mark(struct journal *j, enum journal_what what, uint64_t offset, const struct sp_hash *value, struct sp_why *why)
{
	enum sp_status st;

	journal_add(j, what, 0, offset, value);
	if ((st = sp_buf_status(&j->out)) == SP_OK)
		st = sp_write_all(j->fd, j->out.data, j->out.len, why);
	sp_buf_clear(&j->out);
	j->marked = offset;
	return st;
}

enum sp_status
journal_seen(struct journal *j, uint64_t offset, struct sp_why *why)
{
	struct sp_hash value = { { 0 } };

	memcpy(value.b, j->boot, sizeof(j->boot));
	return mark(j, JOURNAL_SEEN, offset, &value, why);
}

enum sp_status
journal_synced(struct journal *j, uint64_t offset, struct sp_why *why)
{
	return mark(j, JOURNAL_SYNCED, offset, NULL, why);
}

uint64_t
journal_marked(const struct journal *j)
{
	return j->marked;
}

int
journal_fd(const struct journal *j)
{
	return j->fd;
}
