/*
 * tar.c - ustar and pax headers, the same bytes on both sides. It makes headers and reads none but the manifest's.
 */
#include "common/packet/tar.h"

#include <assert.h>
#include <string.h>

#include "common/base/text.h"
#include "common/packet/lines.h"

#define OCTAL11_MAX 077777777777ull

/* Where the fields of a ustar header stand (POSIX.1-2001); the prefix at 345 is never used. */
enum {
	AT_NAME = 0, AT_MODE = 100, AT_UID = 108, AT_GID = 116, AT_SIZE = 124, AT_MTIME = 136, AT_CHKSUM = 148,
	AT_TYPE = 156, AT_LINK = 157, AT_MAGIC = 257, AT_DEVMAJOR = 329, AT_DEVMINOR = 337,
	NAME_MAX_BYTES = 100,
};

/* What a member's header says. */
struct member {
	char type;
	uint16_t mode;
	uint64_t size;
	uint64_t mtime;
	struct sp_span name;
	struct sp_span link;
};

/* digits octal digits and a zero byte. */
static void
put_octal(uint8_t *at, size_t digits, uint64_t value)
{
	for (size_t i = digits; i-- > 0; value >>= 3)
		at[i] = (uint8_t)('0' + (value & 7));
	at[digits] = 0;
}

static void
put_name(uint8_t *at, struct sp_span name)
{
	if (name.n > 0)
		memcpy(at, name.p, name.n < NAME_MAX_BYTES ? name.n : NAME_MAX_BYTES);
}

static void
put_header(uint8_t out[SP_TAR_BLOCK], const struct member *m)
{
	uint32_t sum = 0;

	memset(out, 0, SP_TAR_BLOCK);
	put_name(out + AT_NAME, m->name);
	put_octal(out + AT_MODE, 7, m->mode);
	put_octal(out + AT_UID, 7, 0);
	put_octal(out + AT_GID, 7, 0);
	put_octal(out + AT_SIZE, 11, m->size);
	put_octal(out + AT_MTIME, 11, m->mtime);
	memset(out + AT_CHKSUM, ' ', 8);
	out[AT_TYPE] = (uint8_t)m->type;
	put_name(out + AT_LINK, m->link);
	memcpy(out + AT_MAGIC, "ustar\00000", 8);
	put_octal(out + AT_DEVMAJOR, 7, 0);
	put_octal(out + AT_DEVMINOR, 7, 0);
	for (size_t i = 0; i < SP_TAR_BLOCK; i++)
		sum += out[i];
	put_octal(out + AT_CHKSUM, 6, sum);
}

static bool
is_ascii(struct sp_span s)
{
	uint8_t all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= s.p[i];
	return all < 0x80;
}

static bool
fits_name(struct sp_span s)
{
	return s.n <= NAME_MAX_BYTES && is_ascii(s);
}

/* One record "LENGTH KEYWORD=VALUE\n"; the length counts its own digits. */
struct record {
	const char *keyword;
	struct sp_span value;
};

static size_t
record_length(const struct record *r)
{
	size_t rest = 1 + strlen(r->keyword) + 1 + r->value.n + 1, length = rest + 1;
	char digits[SP_U64_TEXT];

	while (rest + sp_u64_write(length, digits) != length)
		length++;
	return length;
}

static size_t
put_record(uint8_t *at, const struct record *r)
{
	size_t length = record_length(r), keyword = strlen(r->keyword);
	char *p = (char *)at;

	p += sp_u64_write(length, p);
	*p++ = ' ';
	memcpy(p, r->keyword, keyword);
	p += keyword;
	*p++ = '=';
	memcpy(p, r->value.p, r->value.n);
	p[r->value.n] = '\n';
	return length;
}

/* The pax records of an entry, and the number texts that they point at. */
struct pax {
	struct record records[5];
	size_t count;
	size_t length;
	char size[SP_U64_TEXT];
	char mtime[SP_U64_TEXT + 1];
};

static void
add_record(struct pax *pax, const char *keyword, const void *value, size_t n)
{
	struct record *r = &pax->records[pax->count++];

	*r = (struct record){ keyword, sp_span(value, n) };
	pax->length += record_length(r);
}

static bool
mtime_fits(int64_t sec)
{
	return sec >= 0 && (uint64_t)sec <= OCTAL11_MAX;
}

static void
plan_pax(const struct sp_entry *e, struct pax *pax)
{
	struct sp_span path = sp_span(e->path, e->path_len), link = sp_span(e->target, e->target_len);
	bool long_path = !fits_name(path), long_link = !fits_name(link);
	size_t n = 0;

	pax->count = pax->length = 0;
	if ((long_path && !sp_utf8_ok(path)) || (long_link && !sp_utf8_ok(link)))
		add_record(pax, "hdrcharset", "BINARY", 6);
	if (long_path)
		add_record(pax, "path", path.p, path.n);
	if (long_link)
		add_record(pax, "linkpath", link.p, link.n);
	if (e->size > OCTAL11_MAX)
		add_record(pax, "size", pax->size, sp_u64_write(e->size, pax->size));
	if (mtime_fits(e->mtime_sec))
		return;
	if (e->mtime_sec < 0)
		pax->mtime[n++] = '-';
	n += sp_u64_write(e->mtime_sec < 0 ? 0 - (uint64_t)e->mtime_sec : (uint64_t)e->mtime_sec, pax->mtime + n);
	add_record(pax, "mtime", pax->mtime, n);
}

static size_t
head_length(const struct pax *pax)
{
	return pax->count == 0 ? SP_TAR_BLOCK : 2 * SP_TAR_BLOCK + sp_tar_padded(pax->length);
}

size_t
sp_tar_head_length(const struct sp_entry *e)
{
	struct pax pax;

	plan_pax(e, &pax);
	return head_length(&pax);
}

static char
type_flag(enum sp_entry_type type)
{
	switch (type) {
	case SP_ENTRY_FOLDER:
		return '5';
	case SP_ENTRY_SYMLINK:
		return '2';
	case SP_ENTRY_HARDLINK:
		return '1';
	case SP_ENTRY_FILE:
		break;
	}
	return '0';
}

size_t
sp_tar_head(const struct sp_entry *e, uint8_t out[SP_TAR_HEAD_MAX])
{
	struct member m = { .type = type_flag(e->type), .mode = e->mode, .name = sp_span(e->path, e->path_len),
	    .link = sp_span(e->target, e->target_len) };
	struct member x = { .type = 'x', .mode = 0644, .name = sp_span_str("PaxHeader") };
	struct pax pax;
	size_t length, at = 0;

	plan_pax(e, &pax);
	length = head_length(&pax);
	assert(length <= SP_TAR_HEAD_MAX);
	if (pax.count > 0) {
		x.size = pax.length;
		put_header(out, &x);
		at = SP_TAR_BLOCK;
		for (size_t i = 0; i < pax.count; i++)
			at += put_record(out + at, &pax.records[i]);
		memset(out + at, 0, length - SP_TAR_BLOCK - at);
	}
	m.size = e->size <= OCTAL11_MAX ? e->size : 0;
	m.mtime = mtime_fits(e->mtime_sec) ? (uint64_t)e->mtime_sec : 0;
	put_header(out + length - SP_TAR_BLOCK, &m);
	return length;
}

void
sp_layout_manifest_header(uint64_t text_length, uint8_t out[SP_TAR_BLOCK])
{
	const struct member m = { .type = '0', .mode = 0644, .size = text_length,
	    .name = sp_span_str(SP_MANIFEST_MEMBER) };

	assert(text_length <= OCTAL11_MAX);
	put_header(out, &m);
}

enum sp_status
sp_layout_manifest_length(const uint8_t header[SP_TAR_BLOCK], uint64_t *ret_length, struct sp_why *why)
{
	uint8_t expected[SP_TAR_BLOCK];
	uint64_t length = 0;

	for (size_t i = 0; i < 11; i++)
		length = length << 3 | (header[AT_SIZE + i] & 7);
	sp_layout_manifest_header(length, expected);
	if (length == 0 || memcmp(header, expected, SP_TAR_BLOCK) != 0)
		return sp_fail(SP_E_MANIFEST, why, "the packet does not begin with its list of files");
	if (length > SP_MANIFEST_MAX)
		return sp_fail(SP_E_LIMIT, why, "the list of files is longer than %u bytes", SP_MANIFEST_MAX);
	*ret_length = length;
	return SP_OK;
}
