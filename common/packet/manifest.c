/*
 * manifest.c - the manifest in memory: entries are added in order, checked against what is there, and never taken out.
 *
 * Text is made and read in manifest_text.c. Every rule on entries stands here, so that what a sender builds and what a
 * recipient parses go through the same checks.
 */
#include "common/packet/manifest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "common/crypto/hash.h"
#include "common/packet/manifest_store.h"
#include "common/packet/path.h"

/* Bounded, and text that a letter can carry and a person can read; a message may have several lines. */
static enum sp_status
check_text(const char *text, size_t max, bool lines, const char *field, struct sp_why *why)
{
	struct sp_span s = sp_span_str(text);

	if (s.n > max)
		return sp_fail(SP_E_MANIFEST, why, "the %s is longer than %zu bytes", field, max);
	if (lines ? !sp_utf8_ok(s) : !sp_is_text(s))
		return sp_fail(SP_E_MANIFEST, why, "the %s is not UTF-8%s", field,
		    lines ? "" : " without control characters");
	return SP_OK;
}

static enum sp_status
check_names(const struct sp_manifest_head *head, struct sp_why *why)
{
	struct sp_name person, station;

	if (sp_name_parse(sp_span_str(head->person), &person) != SP_OK || person.station[0] != 0)
		return sp_fail(SP_E_MANIFEST, why, "the sender is not of the form person@domain");
	if (sp_name_parse(sp_span_str(head->station), &station) != SP_OK || station.station[0] == 0)
		return sp_fail(SP_E_MANIFEST, why, "the station is not of the form person/station@domain");
	if (strcmp(person.person, station.person) != 0 || strcmp(person.domain, station.domain) != 0)
		return sp_fail(SP_E_MANIFEST, why, "the station is not one of the sender's");
	return SP_OK;
}

static enum sp_status
check_head(const struct sp_manifest_head *head, struct sp_why *why)
{
	enum sp_status st;

	if (head->kind > SP_PACKET_UPDATE)
		return sp_fail(SP_E_MANIFEST, why, "the kind of packet is not known");
	if ((st = check_names(head, why)) != SP_OK ||
	    (st = check_text(head->organisation, SP_ORGANISATION_MAX, false, "organisation", why)) != SP_OK ||
	    (st = check_text(head->title, SP_TITLE_MAX, false, "title", why)) != SP_OK ||
	    (st = check_text(head->message, SP_MESSAGE_MAX, true, "message", why)) != SP_OK)
		return st;
	return SP_OK;
}

/* Ten digits that follow from the salt without telling it. */
static void
make_title(const uint8_t salt[SP_SALT_BYTES], char out[11])
{
	const struct sp_span parts[] = { sp_span_str("sealpost title"), sp_span(salt, SP_SALT_BYTES) };
	struct sp_hash hash;
	uint64_t v = 0;

	sp_sha256_parts(parts, 2, &hash);
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | hash.b[i];
	snprintf(out, 11, "%llu", (unsigned long long)(1000000000u + v % 9000000000u));
}

/* Copies a head and its texts; false when out of memory (what was copied is owned by out all the same). */
static bool
copy_head(const struct sp_manifest_head *head, struct sp_manifest_head *out)
{
	out->kind = head->kind;
	memcpy(out->salt, head->salt, SP_SALT_BYTES);
	return (out->person = strdup(head->person)) != NULL && (out->station = strdup(head->station)) != NULL &&
	    (out->organisation = strdup(head->organisation)) != NULL && (out->title = strdup(head->title)) != NULL &&
	    (out->message = strdup(head->message)) != NULL;
}

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

enum sp_status
sp_manifest_new(const struct sp_manifest_head *head, struct sp_manifest **ret_manifest, struct sp_why *why)
{
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_manifest_head full = *head;
	enum sp_status st;
	char number[11];

	full.person = or_empty(head->person);
	full.station = or_empty(head->station);
	full.organisation = or_empty(head->organisation);
	full.title = or_empty(head->title);
	full.message = or_empty(head->message);
	if (full.title[0] == 0) {
		make_title(head->salt, number);
		full.title = number;
	}
	if ((st = check_head(&full, why)) != SP_OK)
		return st;
	if ((m = calloc(1, sizeof(*m))) == NULL || !copy_head(&full, &m->head))
		return SP_E_NOMEM;
	sp_manifest_head_encode(&m->head, &text);
	if (sp_buf_status(&text) != SP_OK)
		return sp_buf_status(&text);
	m->text_length = text.len;
	*ret_manifest = sp_take(&m);
	return SP_OK;
}

void
sp_manifest_free(struct sp_manifest *m)
{
	if (m == NULL)
		return;
	free((char *)m->head.person);
	free((char *)m->head.station);
	free((char *)m->head.organisation);
	free((char *)m->head.title);
	free((char *)m->head.message);
	free(m->rows);
	free(m->texts);
	free(m);
}

/* Makes room for want elements, at least doubling. */
static enum sp_status
grow(void **array, size_t *cap, size_t want, size_t element)
{
	size_t more = *cap < SIZE_MAX / 2 / element ? *cap * 2 : want;
	void *new_array;

	if (want <= *cap)
		return SP_OK;
	if (more < want)
		more = want;
	if (more > SIZE_MAX / element || (new_array = realloc(*array, more * element)) == NULL)
		return SP_E_NOMEM;
	*array = new_array;
	*cap = more;
	return SP_OK;
}

enum sp_status
sp_manifest_reserve(struct sp_manifest *m, size_t entries, size_t texts)
{
	void *rows = m->rows, *bytes = m->texts;
	enum sp_status st;

	st = grow(&rows, &m->rows_cap, m->count + entries, sizeof(*m->rows));
	m->rows = rows;
	if (st != SP_OK)
		return st;
	st = grow(&bytes, &m->texts_cap, m->texts_len + texts, 1);
	m->texts = bytes;
	return st;
}

/*
 * The entry before is the folder above path or lies in it: all paths between a folder and what it holds begin with the
 * folder's, so that looking at one entry is enough.
 */
static bool
has_parent(const struct sp_entry *last, struct sp_span path)
{
	size_t n = sp_path_parent(path);

	if (n == 0)
		return true;
	if (last == NULL || last->path_len < n || memcmp(last->path, path.p, n) != 0)
		return false;
	return last->path_len == n ? last->type == SP_ENTRY_FOLDER : last->path[n] == '/';
}

static enum sp_status
check_path(const struct sp_manifest *m, struct sp_span path, struct sp_why *why)
{
	struct sp_entry last;
	enum sp_status st;
	char shown[SP_PATH_SHOW];

	if ((st = sp_path_check(path, why)) != SP_OK)
		return st;
	if (sp_span_eq(path, sp_span_str(SP_MANIFEST_MEMBER)))
		return sp_fail(SP_E_PATH, why, "\"" SP_MANIFEST_MEMBER "\" is the name of the list itself");
	if (m->count > 0) {
		last = sp_manifest_entry(m, m->count - 1);
		if (sp_path_compare(sp_span(last.path, last.path_len), path) >= 0)
			return sp_fail(SP_E_MANIFEST, why, "\"%s\" is out of order or there twice",
			    sp_path_show(path, shown));
	}
	if (!has_parent(m->count > 0 ? &last : NULL, path))
		return sp_fail(SP_E_MANIFEST, why, "the folder above \"%s\" is not there", sp_path_show(path, shown));
	return SP_OK;
}

/* A hard link takes over its file's mode and mtime. */
static enum sp_status
resolve_link(const struct sp_manifest *m, struct sp_entry *e, struct sp_why *why)
{
	struct sp_span target = sp_span(e->target, e->target_len);
	struct sp_entry file;
	char shown[SP_PATH_SHOW];

	if (!sp_manifest_find(m, target, &e->link_to) ||
	    (file = sp_manifest_entry(m, e->link_to)).type != SP_ENTRY_FILE)
		return sp_fail(SP_E_MANIFEST, why, "a hard link to \"%s\", which is no file before it",
		    sp_path_show(target, shown));
	e->mode = file.mode;
	e->mtime_sec = file.mtime_sec;
	e->mtime_nsec = file.mtime_nsec;
	return SP_OK;
}

static enum sp_status
check_target(const struct sp_manifest *m, struct sp_entry *e, struct sp_why *why)
{
	if (e->type == SP_ENTRY_HARDLINK)
		return resolve_link(m, e, why);
	if (e->type != SP_ENTRY_SYMLINK)
		return e->target_len == 0 ? SP_OK : sp_fail(SP_E_MANIFEST, why, "a target where there is no link");
	e->mode = 0777;
	if (e->target_len == 0 || e->target_len > SP_TARGET_MAX || memchr(e->target, 0, e->target_len) != NULL)
		return sp_fail(SP_E_MANIFEST, why, "a symlink's target is empty, too long or has a zero byte");
	return SP_OK;
}

/* Fits into the limits? ret_line: the length of its line. */
static enum sp_status
check_limits(const struct sp_manifest *m, const struct sp_entry *e, uint64_t *ret_line, struct sp_why *why)
{
	char head[SP_LINE_HEAD];
	uint64_t line = sp_manifest_line_head(e, head) + sp_percent_length(sp_span(e->path, e->path_len)) + 1;

	if (e->target_len > 0)
		line += 1 + sp_percent_length(sp_span(e->target, e->target_len));
	if (m->count >= SP_ENTRIES_MAX)
		return sp_fail(SP_E_LIMIT, why, "more than %d entries", SP_ENTRIES_MAX);
	if (m->text_length + line > SP_MANIFEST_MAX)
		return sp_fail(SP_E_LIMIT, why, "the list of files is longer than %u bytes", SP_MANIFEST_MAX);
	if (e->size > SP_PACKET_MAX || m->bytes + e->size > SP_PACKET_MAX)
		return sp_fail(SP_E_LIMIT, why, "the files are larger than a packet can be");
	*ret_line = line;
	return SP_OK;
}

static void
store(struct sp_manifest *m, const struct sp_entry *e)
{
	struct sp_row *row = &m->rows[m->count++];
	char *to = m->texts + m->texts_len;

	*row = (struct sp_row){ .mtime_sec = e->mtime_sec, .size = e->size, .mtime_nsec = e->mtime_nsec,
	    .path_at = (uint32_t)m->texts_len, .path_len = (uint16_t)e->path_len, .mode = e->mode,
	    .type = (uint8_t)e->type };
	memcpy(to, e->path, e->path_len);
	to[e->path_len] = 0;
	m->texts_len += e->path_len + 1;
	if (e->type == SP_ENTRY_HARDLINK)
		row->size = e->link_to;
	if (e->type != SP_ENTRY_SYMLINK)
		return;
	row->target_len = (uint16_t)e->target_len;
	to = m->texts + m->texts_len;
	memcpy(to, e->target, e->target_len);
	to[e->target_len] = 0;
	m->texts_len += e->target_len + 1;
}

static bool
is_type(enum sp_entry_type type)
{
	return type == SP_ENTRY_FILE || type == SP_ENTRY_FOLDER || type == SP_ENTRY_SYMLINK ||
	    type == SP_ENTRY_HARDLINK;
}

enum sp_status
sp_manifest_append(struct sp_manifest *m, const struct sp_entry *entry, struct sp_why *why)
{
	struct sp_entry e = *entry;
	enum sp_status st;
	uint64_t line = 0;
	size_t texts;

	if (!is_type(e.type))
		return sp_fail(SP_E_TYPE, why, "an entry is neither file, folder, symlink nor hard link");
	if ((st = check_path(m, sp_span(e.path, e.path_len), why)) != SP_OK)
		return st;
	if (e.mtime_nsec > 999999999)
		return sp_fail(SP_E_MANIFEST, why, "a time has more than 999,999,999 nanoseconds");
	e.mode &= 0777;
	if (e.type != SP_ENTRY_FILE)
		e.size = 0;
	if ((st = check_target(m, &e, why)) != SP_OK || (st = check_limits(m, &e, &line, why)) != SP_OK)
		return st;
	texts = e.path_len + 1 + (e.type == SP_ENTRY_SYMLINK ? e.target_len + 1 : 0);
	if ((st = sp_manifest_reserve(m, 1, texts)) != SP_OK)
		return st;
	store(m, &e);
	m->text_length += line;
	m->bytes += e.size;
	m->files += e.type == SP_ENTRY_FILE || e.type == SP_ENTRY_HARDLINK;
	return SP_OK;
}

enum sp_status
sp_manifest_add(struct sp_manifest *m, const struct sp_entry *entry, struct sp_why *why)
{
	struct sp_entry e = *entry;

	e.path = or_empty(entry->path);
	e.path_len = strlen(e.path);
	e.target = or_empty(entry->target);
	e.target_len = strlen(e.target);
	return sp_manifest_append(m, &e, why);
}

const struct sp_manifest_head *
sp_manifest_head(const struct sp_manifest *m)
{
	return &m->head;
}

uint32_t
sp_manifest_count(const struct sp_manifest *m)
{
	return m->count;
}

struct sp_entry
sp_manifest_entry(const struct sp_manifest *m, uint32_t number)
{
	const struct sp_row *row = &m->rows[number];
	struct sp_entry e = { .type = (enum sp_entry_type)row->type, .mode = row->mode, .mtime_sec = row->mtime_sec,
	    .mtime_nsec = row->mtime_nsec, .path = m->texts + row->path_at, .path_len = row->path_len, .target = "" };

	assert(number < m->count);
	if (row->type == SP_ENTRY_FILE)
		e.size = row->size;
	if (row->type == SP_ENTRY_SYMLINK) {
		e.target = e.path + e.path_len + 1;
		e.target_len = row->target_len;
	}
	if (row->type == SP_ENTRY_HARDLINK) {
		e.link_to = (uint32_t)row->size;
		e.target = m->texts + m->rows[e.link_to].path_at;
		e.target_len = m->rows[e.link_to].path_len;
	}
	return e;
}

uint32_t
sp_manifest_files(const struct sp_manifest *m)
{
	return m->files;
}

uint64_t
sp_manifest_bytes(const struct sp_manifest *m)
{
	return m->bytes;
}

uint64_t
sp_manifest_text_length(const struct sp_manifest *m)
{
	return m->text_length;
}

static struct sp_span
path_at(const void *list, uint32_t number)
{
	const struct sp_manifest *m = list;

	return sp_span(m->texts + m->rows[number].path_at, m->rows[number].path_len);
}

bool
sp_manifest_find(const struct sp_manifest *m, struct sp_span path, uint32_t *ret_number)
{
	uint32_t at = sp_path_search(m, m->count, path_at, path);

	if (at == m->count || !sp_span_eq(path_at(m, at), path))
		return false;
	*ret_number = at;
	return true;
}
