/*
 * manifest_text.c - the manifest's canonical text: written from the entries, and read from hostile bytes.
 *
 * There is one text for one manifest: each field is read in its one form, and what manifest.c would fill in is compared
 * with what the text says.
 */
#include "common/base/text.h"
#include "common/packet/lines.h"
#include "common/packet/manifest_store.h"

static const char *const kinds[] = {
	[SP_PACKET_FILES] = "files", [SP_PACKET_REQUEST] = "request", [SP_PACKET_INDEX] = "index",
	[SP_PACKET_RECEIPT] = "receipt", [SP_PACKET_UPDATE] = "update",
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *
sp_packet_kind_text(enum sp_packet_kind kind)
{
	return (size_t)kind < KINDS ? kinds[kind] : "unknown";
}

size_t
sp_manifest_line_head(const struct sp_entry *e, char out[SP_LINE_HEAD])
{
	size_t n = 0;

	out[n++] = (char)e->type;
	out[n++] = ' ';
	for (int shift = 6; shift >= 0; shift -= 3)
		out[n++] = (char)('0' + (e->mode >> shift & 7));
	out[n++] = ' ';
	n += sp_mtime_write(e->mtime_sec, e->mtime_nsec, out + n);
	out[n++] = ' ';
	n += sp_u64_write(e->size, out + n);
	out[n++] = ' ';
	return n;
}

static void
add_field(struct sp_buf *out, const char *name, const char *value)
{
	sp_buf_add_text(out, name);
	sp_buf_add_u8(out, ' ');
	sp_percent_add(out, sp_span_str(value));
	sp_buf_add_u8(out, '\n');
}

void
sp_manifest_head_encode(const struct sp_manifest_head *head, struct sp_buf *out)
{
	char salt[2 * SP_SALT_BYTES + 1];

	add_field(out, SP_MANIFEST_NAME, "1");
	add_field(out, "kind", sp_packet_kind_text(head->kind));
	add_field(out, "salt", sp_hex(head->salt, SP_SALT_BYTES, salt));
	add_field(out, "person", head->person);
	add_field(out, "station", head->station);
	add_field(out, "organisation", head->organisation);
	add_field(out, "title", head->title);
	add_field(out, "message", head->message);
	sp_buf_add_u8(out, '\n');
}

enum sp_status
sp_manifest_encode(const struct sp_manifest *m, struct sp_buf *out)
{
	char head[SP_LINE_HEAD];

	sp_manifest_head_encode(&m->head, out);
	for (uint32_t i = 0; i < m->count; i++) {
		struct sp_entry e = sp_manifest_entry(m, i);

		sp_buf_add(out, head, sp_manifest_line_head(&e, head));
		sp_percent_add(out, sp_span(e.path, e.path_len));
		if (e.target_len > 0) {
			sp_buf_add_u8(out, ' ');
			sp_percent_add(out, sp_span(e.target, e.target_len));
		}
		sp_buf_add_u8(out, '\n');
	}
	return sp_buf_status(out);
}

/* A parser's state: the lines, and one buffer each for an unescaped path and target. */
struct reading {
	struct sp_lines lines;
	struct sp_buf path;
	struct sp_buf target;
};

static enum sp_status
read_kind(struct sp_lines *lines, enum sp_packet_kind *ret_kind, struct sp_why *why)
{
	struct sp_span value;
	enum sp_status st;

	if ((st = sp_lines_value(lines, "kind", &value, why)) != SP_OK)
		return st;
	for (size_t i = 0; i < KINDS; i++) {
		if (!sp_span_eq(value, sp_span_str(kinds[i])))
			continue;
		*ret_kind = (enum sp_packet_kind)i;
		return SP_OK;
	}
	return sp_fail(SP_E_MANIFEST, why, "the kind of packet is not known");
}

/* Reads one line of text into buf and points at it, terminated. */
static enum sp_status
read_text(struct sp_lines *lines, const char *name, struct sp_buf *buf, const char **ret_text, struct sp_why *why)
{
	struct sp_span value, raw;
	enum sp_status st;

	if ((st = sp_lines_value(lines, name, &value, why)) != SP_OK)
		return st;
	if ((st = sp_raw_read(value, buf, &raw)) != SP_OK)
		return st == SP_E_NOMEM ? st : sp_fail(SP_E_MANIFEST, why, "the %s is malformed or too long", name);
	if (raw.p == value.p)
		sp_buf_add_span(buf, raw);
	*ret_text = sp_buf_cstr(buf);
	return sp_buf_status(buf);
}

static enum sp_status
read_head(struct sp_lines *lines, struct sp_manifest **ret_manifest, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) person = { .max = SP_NAME_MAX };
	SP_AUTO_DONE(sp_buf) station = { .max = SP_NAME_MAX };
	SP_AUTO_DONE(sp_buf) organisation = { .max = SP_ORGANISATION_MAX };
	SP_AUTO_DONE(sp_buf) title = { .max = SP_TITLE_MAX };
	SP_AUTO_DONE(sp_buf) message = { .max = SP_MESSAGE_MAX };
	struct sp_manifest_head head = { 0 };
	struct sp_span salt;
	enum sp_status st;

	if ((st = sp_lines_magic(lines, SP_MANIFEST_NAME, why)) != SP_OK ||
	    (st = read_kind(lines, &head.kind, why)) != SP_OK ||
	    (st = sp_lines_value(lines, "salt", &salt, why)) != SP_OK)
		return st;
	if (sp_unhex((const char *)salt.p, salt.n, head.salt, SP_SALT_BYTES) != SP_OK)
		return sp_fail(SP_E_MANIFEST, why, "the salt is not 64 hexadecimal digits");
	if ((st = read_text(lines, "person", &person, &head.person, why)) != SP_OK ||
	    (st = read_text(lines, "station", &station, &head.station, why)) != SP_OK ||
	    (st = read_text(lines, "organisation", &organisation, &head.organisation, why)) != SP_OK ||
	    (st = read_text(lines, "title", &title, &head.title, why)) != SP_OK)
		return st;
	if (title.len == 0)
		return sp_fail(SP_E_MANIFEST, why, "the title is empty");
	if ((st = read_text(lines, "message", &message, &head.message, why)) != SP_OK ||
	    (st = sp_lines_blank(lines, why)) != SP_OK)
		return st;
	if ((st = sp_manifest_new(&head, ret_manifest, why)) != SP_OK)
		lines->number = 0;	/* the reason names the field, no longer its line */
	return st;
}

static enum sp_status
read_mode(struct sp_span text, uint16_t *ret_mode)
{
	uint16_t mode = 0;

	if (text.n != 3)
		return SP_E_FORMAT;
	for (size_t i = 0; i < 3; i++) {
		if (text.p[i] < '0' || text.p[i] > '7')
			return SP_E_FORMAT;
		mode = (uint16_t)(mode << 3 | (text.p[i] - '0'));
	}
	*ret_mode = mode;
	return SP_OK;
}

static enum sp_status
read_path(struct sp_span text, struct sp_buf *scratch, const char **ret_path, size_t *ret_len, struct sp_why *why)
{
	struct sp_span raw;
	enum sp_status st = sp_raw_read(text, scratch, &raw);

	if (st == SP_E_NOMEM)
		return st;
	if (st != SP_OK)
		return sp_fail(SP_E_PATH, why, "a path is malformed or too long");
	*ret_path = (const char *)raw.p;
	*ret_len = raw.n;
	return SP_OK;
}

/* The entry as the line says it; its rules are checked when it is appended. */
static enum sp_status
read_entry(struct reading *r, struct sp_span line, struct sp_entry *e, struct sp_why *why)
{
	uint8_t type = line.n > 0 ? line.p[0] : 0;
	bool link = type == SP_ENTRY_SYMLINK || type == SP_ENTRY_HARDLINK;
	struct sp_span fields[6];
	enum sp_status st;

	*e = (struct sp_entry){ .target = "" };
	if (!link && type != SP_ENTRY_FILE && type != SP_ENTRY_FOLDER)
		return sp_fail(SP_E_TYPE, why, "an entry is neither file, folder, symlink nor hard link");
	e->type = (enum sp_entry_type)type;
	if (!sp_line_fields(line, fields, link ? 6 : 5) || fields[0].n != 1)
		return sp_fail(SP_E_MANIFEST, why, "an entry has not the fields that it should have");
	if (read_mode(fields[1], &e->mode) != SP_OK)
		return sp_fail(SP_E_MANIFEST, why, "a mode is not three octal digits");
	if (sp_mtime_read(fields[2], &e->mtime_sec, &e->mtime_nsec) != SP_OK)
		return sp_fail(SP_E_MANIFEST, why, "a time is not of the form SECONDS.NANOSECONDS");
	if ((st = sp_parse_u64(fields[3], SP_PACKET_MAX, &e->size)) == SP_E_RANGE)
		return sp_fail(SP_E_LIMIT, why, "a file is larger than a packet can be");
	if (st != SP_OK)
		return sp_fail(SP_E_MANIFEST, why, "a size is not a number");
	if ((st = read_path(fields[4], &r->path, &e->path, &e->path_len, why)) != SP_OK)
		return st;
	return link ? read_path(fields[5], &r->target, &e->target, &e->target_len, why) : SP_OK;
}

static enum sp_status
read_line(struct reading *r, struct sp_manifest *m, struct sp_why *why)
{
	struct sp_entry said, kept;
	struct sp_span line;
	enum sp_status st;

	if ((st = sp_lines_next(&r->lines, &line, why)) != SP_OK || (st = read_entry(r, line, &said, why)) != SP_OK ||
	    (st = sp_manifest_append(m, &said, why)) != SP_OK)
		return st;
	kept = sp_manifest_entry(m, m->count - 1);
	if (said.mode != kept.mode || said.size != kept.size || said.mtime_sec != kept.mtime_sec ||
	    said.mtime_nsec != kept.mtime_nsec)
		return sp_fail(SP_E_MANIFEST, why, "mode, size or time is not what an entry of this type has");
	return SP_OK;
}

static enum sp_status
read_all(struct reading *r, struct sp_manifest **ret_manifest, struct sp_why *why)
{
	SP_AUTO(sp_manifest) *m = NULL;
	enum sp_status st;
	size_t entries;

	if ((st = read_head(&r->lines, &m, why)) != SP_OK)
		return st;
	entries = sp_lines_count(&r->lines, SP_ENTRIES_MAX);
	if (entries > SP_ENTRIES_MAX)
		return sp_fail(SP_E_LIMIT, why, "more than %d entries", SP_ENTRIES_MAX);
	/* path and target with their ends are shorter than the line that they stand in */
	if ((st = sp_manifest_reserve(m, entries, r->lines.rest.n)) != SP_OK)
		return st;
	while (sp_lines_left(&r->lines))
		if ((st = read_line(r, m, why)) != SP_OK)
			return st;
	*ret_manifest = sp_take(&m);
	return SP_OK;
}

enum sp_status
sp_manifest_parse(struct sp_span text, struct sp_manifest **ret_manifest, struct sp_why *why)
{
	struct reading r = { .lines = sp_lines(text), .path.max = SP_PATH_MAX, .target.max = SP_PATH_MAX };
	struct sp_why inner = { "" };
	enum sp_status st;

	if (text.n > SP_MANIFEST_MAX)
		return sp_fail(SP_E_LIMIT, why, "the list of files is longer than %u bytes", SP_MANIFEST_MAX);
	st = read_all(&r, ret_manifest, &inner);
	sp_buf_done(&r.path);
	sp_buf_done(&r.target);
	if (st == SP_E_FORMAT)
		st = SP_E_MANIFEST;
	if (st == SP_OK || st == SP_E_NOMEM)
		return st;
	if (r.lines.number == 0)
		return sp_fail(st, why, "the header of the list of files: %.200s", inner.text);
	return sp_fail(st, why, "line %u of the list of files: %.200s", r.lines.number, inner.text);
}
