/*
 * keep.c - a walked source at rest, so that a restart sends what was walked, not what is there by then.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/cursor.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/crypto/hash.h"
#include "peerd/source/source_in.h"

#define MAGIC "sealpost-stamps\n"
#define STAMP_BYTES 28		/* of one entry */
#define PARENTS_MAX ((size_t)SP_SOURCE_FOLDERS * (SP_PATH_MAX + 16))

static void
path_in(const char *folder, const char *name, struct sp_buf *out)
{
	sp_buf_addf(out, "%s/%s", folder, name);
}

static size_t
folder_of(const struct source *s, const struct source_root *root)
{
	size_t i = 0;

	while (s->folders[i] != root->folder)
		i++;
	return i;
}

static void
encode(const struct source *s, struct sp_buf *out)
{
	uint32_t count = sp_manifest_count(s->manifest);
	struct sp_hash end;

	sp_buf_add_text(out, MAGIC);
	sp_buf_add(out, s->hash.b, sizeof(s->hash.b));
	sp_buf_add_u32(out, s->left_out);
	sp_buf_add_u16(out, (uint16_t)s->nfolders);
	for (size_t i = 0; i < s->nfolders; i++) {
		sp_buf_add_u16(out, (uint16_t)strlen(s->parents[i]));
		sp_buf_add_text(out, s->parents[i]);
	}
	sp_buf_add_u32(out, (uint32_t)s->nroots);
	for (size_t i = 0; i < s->nroots; i++) {
		sp_buf_add_u16(out, (uint16_t)folder_of(s, &s->roots[i]));
		sp_buf_add_u32(out, s->roots[i].first);
	}
	sp_buf_add_u32(out, count);
	for (uint32_t i = 0; i < count; i++) {
		sp_buf_add_u64(out, s->stamps[i].dev);
		sp_buf_add_u64(out, s->stamps[i].ino);
		sp_buf_add_u64(out, (uint64_t)s->stamps[i].ctime_sec);
		sp_buf_add_u32(out, s->stamps[i].ctime_nsec);
	}
	sp_sha256(sp_buf_span(out), &end);
	sp_buf_add(out, end.b, sizeof(end.b));
}

enum sp_status
source_save(const struct source *s, const char *folder, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) stamps = { 0 }, manifest_path = { 0 }, stamps_path = { 0 }, parent = { 0 };
	enum sp_status st;

	encode(s, &stamps);
	path_in(folder, SOURCE_MANIFEST, &manifest_path);
	path_in(folder, SOURCE_STAMPS, &stamps_path);
	path_in(folder, "..", &parent);
	if ((st = sp_buf_status(&stamps)) != SP_OK || (st = sp_mkdirs(folder, 0700, why)) != SP_OK)
		return st;
	SP_FAULT("source-manifest-before");
	if ((errno = SP_FAULT_ERRNO("source-manifest")) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot create %s", sp_buf_cstr(&manifest_path));
	if ((st = sp_file_put(sp_buf_cstr(&manifest_path), sp_buf_span(&s->text), 0600, why)) != SP_OK)
		return st;
	SP_FAULT("source-manifest-after");
	SP_FAULT("source-stamps-before");
	if ((st = sp_file_put(sp_buf_cstr(&stamps_path), sp_buf_span(&stamps), 0600, why)) != SP_OK)
		return st;
	SP_FAULT("source-stamps-after");
	return sp_sync_dir(sp_buf_cstr(&parent), why);
}

/* ---- back ---- */

static enum sp_status
read_folders(struct source *s, struct sp_cursor *c)
{
	size_t count = sp_cursor_u16(c);

	if (count == 0 || count > SP_SOURCE_FOLDERS)
		return SP_E_NOTFOUND;
	s->folders = calloc(count, sizeof(*s->folders));
	s->parents = calloc(count, sizeof(*s->parents));
	if (s->folders == NULL || s->parents == NULL)
		return SP_E_NOMEM;
	for (; s->nfolders < count; s->nfolders++) {
		struct sp_span path = sp_cursor_bytes(c, sp_cursor_u16(c));
		char *text = strndup(path.p != NULL ? (const char *)path.p : "", path.n);

		if (text == NULL)
			return SP_E_NOMEM;
		s->parents[s->nfolders] = text;
		s->folders[s->nfolders] = text[0] == '/' ? open(text, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	}
	return SP_OK;
}

static enum sp_status
read_roots(struct source *s, struct sp_cursor *c)
{
	size_t count = sp_cursor_u32(c);

	if (count == 0 || count > sp_cursor_left(c))
		return SP_E_NOTFOUND;
	if ((s->roots = calloc(count, sizeof(*s->roots))) == NULL)
		return SP_E_NOMEM;
	for (; s->nroots < count; s->nroots++) {
		size_t folder = sp_cursor_u16(c);

		if (folder >= s->nfolders)
			return SP_E_NOTFOUND;
		s->roots[s->nroots] = (struct source_root){ s->folders[folder], sp_cursor_u32(c) };
	}
	return SP_OK;
}

static enum sp_status
read_stamps(struct source *s, struct sp_cursor *c)
{
	uint32_t count = sp_cursor_u32(c);

	if (count != sp_manifest_count(s->manifest) || sp_cursor_left(c) != (size_t)count * STAMP_BYTES)
		return SP_E_NOTFOUND;
	if ((s->stamps = calloc(count, sizeof(*s->stamps))) == NULL)
		return SP_E_NOMEM;
	s->stamps_cap = count;
	for (uint32_t i = 0; i < count; i++) {
		struct source_stamp *stamp = &s->stamps[i];

		stamp->dev = sp_cursor_u64(c);
		stamp->ino = sp_cursor_u64(c);
		stamp->ctime_sec = (int64_t)sp_cursor_u64(c);
		stamp->ctime_nsec = sp_cursor_u32(c);
	}
	return sp_cursor_end(c) == SP_OK ? SP_OK : SP_E_NOTFOUND;
}

/* The hash at the end vouches for the rest: what is read is what was written, whole. */
static enum sp_status
decode(struct source *s, struct sp_span bytes)
{
	struct sp_hash end, kept;
	struct sp_cursor c;
	enum sp_status st;

	if (bytes.n < sizeof(MAGIC) + 2 * sizeof(end.b) || memcmp(bytes.p, MAGIC, sizeof(MAGIC) - 1) != 0)
		return SP_E_NOTFOUND;
	sp_sha256(sp_span(bytes.p, bytes.n - sizeof(end.b)), &end);
	if (memcmp(end.b, bytes.p + bytes.n - sizeof(end.b), sizeof(end.b)) != 0)
		return SP_E_NOTFOUND;
	c = sp_cursor(sp_span(bytes.p + sizeof(MAGIC) - 1, bytes.n - (sizeof(MAGIC) - 1) - sizeof(end.b)));
	sp_cursor_copy(&c, kept.b, sizeof(kept.b));
	if (!sp_hash_eq(&kept, &s->hash))
		return SP_E_NOTFOUND;
	s->left_out = sp_cursor_u32(&c);
	if ((st = read_folders(s, &c)) != SP_OK || (st = read_roots(s, &c)) != SP_OK)
		return st;
	return read_stamps(s, &c);
}

enum sp_status
source_load(const char *folder, struct source **ret_source, struct sp_why *why)
{
	SP_AUTO(source) *s = calloc(1, sizeof(*s));
	SP_AUTO_DONE(sp_buf) stamps = { 0 }, manifest_path = { 0 }, stamps_path = { 0 };
	enum sp_status st;

	if (s == NULL)
		return SP_E_NOMEM;
	path_in(folder, SOURCE_MANIFEST, &manifest_path);
	path_in(folder, SOURCE_STAMPS, &stamps_path);
	if ((st = sp_file_read(sp_buf_cstr(&stamps_path), PARENTS_MAX + (size_t)SP_ENTRIES_MAX * (STAMP_BYTES + 8), &stamps, why)) != SP_OK ||
	    (st = sp_file_read(sp_buf_cstr(&manifest_path), SP_MANIFEST_MAX, &s->text, why)) != SP_OK)
		return st;
	sp_sha256(sp_buf_span(&s->text), &s->hash);
	if ((st = sp_manifest_parse(sp_buf_span(&s->text), &s->manifest, why)) != SP_OK ||
	    (st = sp_layout_new(s->manifest, &s->layout)) != SP_OK)
		return st == SP_E_NOMEM ? st : sp_fail(SP_E_NOTFOUND, why, "what was kept of the files is damaged");
	st = decode(s, sp_buf_span(&stamps));
	if (st == SP_E_NOTFOUND)
		return sp_fail(st, why, "what was kept of the files is damaged");
	if (st == SP_OK)
		*ret_source = sp_take(&s);
	return st;
}
