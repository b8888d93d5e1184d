/*
 * files_txt.c - files.txt written from a packet and its fingerprints, and read from hostile text.
 */
#include "common/packet/files_txt.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "common/packet/lines.h"
#include "common/packet/path.h"

#define NAME "sealpost-files"

static void
encode_head(const uint8_t salt[SP_SALT_BYTES], struct sp_buf *out)
{
	char hex[2 * SP_SALT_BYTES + 1];

	sp_buf_add_text(out, NAME " 1\nsalt ");
	sp_buf_add_text(out, sp_hex(salt, SP_SALT_BYTES, hex));
	sp_buf_add_text(out, "\n\n");
}

static void
encode_line(const struct sp_files_line *line, struct sp_buf *out)
{
	char print[SP_PRINT_TEXT], number[SP_MTIME_TEXT];

	sp_percent_add(out, sp_span(line->path, line->path_len));
	sp_buf_add_u8(out, ' ');
	sp_buf_add(out, number, sp_u64_write(line->size, number));
	sp_buf_add_u8(out, ' ');
	sp_buf_add_text(out, sp_print_text(&line->print, line->size, print));
	sp_buf_add_u8(out, ' ');
	sp_buf_add(out, number, sp_mtime_write(line->mtime_sec, line->mtime_nsec, number));
	sp_buf_add_u8(out, '\n');
}

enum sp_status
sp_files_encode(const struct sp_manifest *m, const struct sp_prints *prints, struct sp_buf *out)
{
	uint32_t none, changed;

	sp_prints_count(prints, &none, &changed);
	if (none > 0)
		return SP_E_STATE;
	encode_head(sp_manifest_head(m)->salt, out);
	for (uint32_t i = 0; i < sp_manifest_count(m); i++) {
		struct sp_entry e = sp_manifest_entry(m, i);
		struct sp_files_line line = { .path = e.path, .path_len = e.path_len, .size = e.size,
		    .mtime_sec = e.mtime_sec, .mtime_nsec = e.mtime_nsec };

		if (e.type != SP_ENTRY_FILE && e.type != SP_ENTRY_HARDLINK)
			continue;
		if (e.type == SP_ENTRY_HARDLINK)
			line.size = sp_manifest_entry(m, e.link_to).size;
		line.print = sp_prints_get(prints, i);
		encode_line(&line, out);
	}
	return sp_buf_status(out);
}

struct row {
	uint64_t size;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t path_at;
	uint16_t path_len;
	struct sp_print print;
};

struct sp_files {
	uint8_t salt[SP_SALT_BYTES];
	uint32_t count;
	size_t paths_len;
	struct row *rows;	/* owned */
	char *paths;		/* owned, each terminated */
};

void
sp_files_free(struct sp_files *f)
{
	if (f == NULL)
		return;
	free(f->rows);
	free(f->paths);
	free(f);
}

const uint8_t *
sp_files_salt(const struct sp_files *f)
{
	return f->salt;
}

uint32_t
sp_files_count(const struct sp_files *f)
{
	return f->count;
}

struct sp_files_line
sp_files_line(const struct sp_files *f, uint32_t number)
{
	const struct row *row = &f->rows[number];

	assert(number < f->count);
	return (struct sp_files_line){ .path = f->paths + row->path_at, .path_len = row->path_len, .size = row->size,
	    .mtime_sec = row->mtime_sec, .mtime_nsec = row->mtime_nsec, .print = row->print };
}

static struct sp_span
path_at(const void *list, uint32_t number)
{
	const struct sp_files *f = list;

	return sp_span(f->paths + f->rows[number].path_at, f->rows[number].path_len);
}

bool
sp_files_find(const struct sp_files *f, struct sp_span path, uint32_t *ret_number)
{
	uint32_t at = sp_path_search(f, f->count, path_at, path);

	if (at == f->count || !sp_span_eq(path_at(f, at), path))
		return false;
	*ret_number = at;
	return true;
}

static enum sp_status
add_path(struct sp_files *f, struct sp_span path, struct row *row, struct sp_why *why)
{
	char *to = f->paths + f->paths_len;
	struct sp_files_line last;
	enum sp_status st;

	if ((st = sp_path_check(path, why)) != SP_OK)
		return st;
	if (f->count > 0) {
		last = sp_files_line(f, f->count - 1);
		if (sp_path_compare(sp_span(last.path, last.path_len), path) >= 0)
			return sp_fail(SP_E_FORMAT, why, "a path is out of order or there twice");
	}
	row->path_at = (uint32_t)f->paths_len;
	row->path_len = (uint16_t)path.n;
	memcpy(to, path.p, path.n);
	to[path.n] = 0;
	f->paths_len += path.n + 1;
	return SP_OK;
}

static enum sp_status
read_line(struct sp_lines *lines, struct sp_files *f, struct sp_buf *scratch, struct sp_why *why)
{
	struct sp_span line, fields[4], path;
	struct row row = { 0 };
	enum sp_status st;

	if ((st = sp_lines_next(lines, &line, why)) != SP_OK)
		return st;
	if (!sp_line_fields(line, fields, 4))
		return sp_fail(SP_E_FORMAT, why, "a line has not the four fields that it should have");
	if ((st = sp_raw_read(fields[0], scratch, &path)) != SP_OK)
		return st == SP_E_NOMEM ? st : sp_fail(SP_E_PATH, why, "a path is malformed or too long");
	if ((st = sp_parse_u64(fields[1], SP_PACKET_MAX, &row.size)) == SP_E_RANGE)
		return sp_fail(SP_E_LIMIT, why, "a file is larger than a packet can be");
	if (st != SP_OK)
		return sp_fail(SP_E_FORMAT, why, "a size is not a number");
	if (sp_print_parse(fields[2], row.size, &row.print) != SP_OK)
		return sp_fail(SP_E_FORMAT, why, "not a fingerprint of the form that fits the file's size");
	if (sp_mtime_read(fields[3], &row.mtime_sec, &row.mtime_nsec) != SP_OK)
		return sp_fail(SP_E_FORMAT, why, "a time is not of the form SECONDS.NANOSECONDS");
	if ((st = add_path(f, path, &row, why)) != SP_OK)
		return st;
	f->rows[f->count++] = row;
	return SP_OK;
}

static enum sp_status
read_all(struct sp_lines *lines, struct sp_files *f, struct sp_buf *scratch, struct sp_why *why)
{
	struct sp_span salt;
	enum sp_status st;
	size_t count;

	if ((st = sp_lines_magic(lines, NAME, why)) != SP_OK ||
	    (st = sp_lines_value(lines, "salt", &salt, why)) != SP_OK)
		return st;
	if (sp_unhex((const char *)salt.p, salt.n, f->salt, SP_SALT_BYTES) != SP_OK)
		return sp_fail(SP_E_FORMAT, why, "the salt is not 64 hexadecimal digits");
	if ((st = sp_lines_blank(lines, why)) != SP_OK)
		return st;
	if ((count = sp_lines_count(lines, SP_ENTRIES_MAX)) > SP_ENTRIES_MAX)
		return sp_fail(SP_E_LIMIT, why, "more than %d lines", SP_ENTRIES_MAX);
	/* a path with its end is shorter than the line that it stands in */
	if ((f->rows = malloc((count + 1) * sizeof(f->rows[0]))) == NULL ||
	    (f->paths = malloc(lines->rest.n + 1)) == NULL)
		return SP_E_NOMEM;
	while (sp_lines_left(lines))
		if ((st = read_line(lines, f, scratch, why)) != SP_OK)
			return st;
	return SP_OK;
}

enum sp_status
sp_files_parse(struct sp_span text, struct sp_files **ret_files, struct sp_why *why)
{
	SP_AUTO(sp_files) *f = NULL;
	SP_AUTO_DONE(sp_buf) scratch = { .max = SP_PATH_MAX };
	struct sp_lines lines = sp_lines(text);
	struct sp_why inner = { "" };
	enum sp_status st;

	if (text.n > SP_FILES_TEXT_MAX)
		return sp_fail(SP_E_LIMIT, why, "files.txt is longer than %u bytes", SP_FILES_TEXT_MAX);
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return SP_E_NOMEM;
	if ((st = read_all(&lines, f, &scratch, &inner)) == SP_E_NOMEM)
		return st;
	if (st != SP_OK)
		return sp_fail(st, why, "line %u of files.txt: %.200s", lines.number, inner.text);
	*ret_files = sp_take(&f);
	return SP_OK;
}
