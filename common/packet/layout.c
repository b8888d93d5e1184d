/*
 * layout.c - where every member of a packet's tar stands, and the bytes between the data.
 *
 * Kept: the offset at which each entry begins. All else is computed from the manifest when asked for.
 */
#include "common/packet/layout.h"

#include <assert.h>
#include <stdlib.h>

#include "common/packet/tar.h"

struct sp_layout {
	const struct sp_manifest *manifest;	/* borrowed */
	uint32_t count;
	uint64_t starts[];			/* count + 1; the last one is where the end begins */
};

enum sp_status
sp_layout_new(const struct sp_manifest *m, struct sp_layout **ret_layout)
{
	uint32_t count = sp_manifest_count(m);
	struct sp_layout *l = malloc(sizeof(*l) + (count + (size_t)1) * sizeof(l->starts[0]));
	uint64_t at = SP_TAR_BLOCK + sp_tar_padded(sp_manifest_text_length(m));

	if (l == NULL)
		return SP_E_NOMEM;
	l->manifest = m;
	l->count = count;
	/* can't overflow: sizes add up to <= 2^62, a million entries' headers and padding to < 2^34 */
	for (uint32_t i = 0; i < count; i++) {
		struct sp_entry e = sp_manifest_entry(m, i);

		l->starts[i] = at;
		at += sp_tar_head_length(&e) + sp_tar_padded(e.size);
	}
	l->starts[count] = at;
	*ret_layout = l;
	return SP_OK;
}

void
sp_layout_free(struct sp_layout *l)
{
	free(l);
}

uint64_t
sp_layout_length(const struct sp_layout *l)
{
	return l->starts[l->count] + SP_TAR_END;
}

struct sp_place
sp_layout_manifest(const struct sp_layout *l)
{
	return (struct sp_place){ .member = SP_MEMBER_MANIFEST, .data_at = SP_TAR_BLOCK,
	    .data_len = sp_manifest_text_length(l->manifest), .end = l->starts[0] };
}

struct sp_place
sp_layout_entry(const struct sp_layout *l, uint32_t number)
{
	struct sp_entry e = sp_manifest_entry(l->manifest, number);
	uint64_t start = l->starts[number];

	return (struct sp_place){ .member = SP_MEMBER_ENTRY, .entry = number, .start = start,
	    .data_at = start + sp_tar_head_length(&e), .data_len = e.size, .end = l->starts[number + 1] };
}

struct sp_place
sp_layout_end(const struct sp_layout *l)
{
	uint64_t at = l->starts[l->count];

	return (struct sp_place){ .member = SP_MEMBER_END, .start = at, .data_at = at, .end = at + SP_TAR_END };
}

enum sp_status
sp_layout_find(const struct sp_layout *l, uint64_t offset, struct sp_place *ret_place)
{
	uint32_t low = 0, high = l->count;

	if (offset >= sp_layout_length(l))
		return SP_E_RANGE;
	if (offset < l->starts[0]) {
		*ret_place = sp_layout_manifest(l);
		return SP_OK;
	}
	/* the last start that is not beyond the offset */
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;

		if (l->starts[middle] <= offset)
			low = middle;
		else
			high = middle - 1;
	}
	*ret_place = low < l->count ? sp_layout_entry(l, low) : sp_layout_end(l);
	return SP_OK;
}

enum sp_area
sp_place_area(const struct sp_place *place, uint64_t offset, uint64_t *ret_left)
{
	uint64_t data_end = place->data_at + place->data_len;

	assert(offset >= place->start && offset < place->end);
	if (offset < place->data_at) {
		*ret_left = place->data_at - offset;
		return SP_AREA_HEADER;
	}
	*ret_left = offset < data_end ? data_end - offset : place->end - offset;
	return offset < data_end ? SP_AREA_DATA : SP_AREA_ZEROES;
}

/* The header bytes of a member into out; returns how many. */
static size_t
make_header(const struct sp_layout *l, const struct sp_place *place, uint8_t out[SP_TAR_HEAD_MAX])
{
	struct sp_entry e;

	if (place->member == SP_MEMBER_END)
		return 0;
	if (place->member == SP_MEMBER_MANIFEST) {
		sp_layout_manifest_header(place->data_len, out);
		return SP_TAR_BLOCK;
	}
	e = sp_manifest_entry(l->manifest, place->entry);
	return sp_tar_head(&e, out);
}

enum sp_status
sp_layout_header(const struct sp_layout *l, const struct sp_place *place, struct sp_buf *out)
{
	uint8_t header[SP_TAR_HEAD_MAX];

	sp_buf_add(out, header, make_header(l, place, header));
	return sp_buf_status(out);
}

static struct sp_place
next_place(const struct sp_layout *l, const struct sp_place *place)
{
	uint32_t next = place->member == SP_MEMBER_MANIFEST ? 0 : place->entry + 1;

	return next < l->count ? sp_layout_entry(l, next) : sp_layout_end(l);
}

/* A stretch of known bytes: the next n of a header or, known == NULL, zeroes. */
typedef bool stretch_fn(void *arg, uint64_t offset, const uint8_t *known, size_t n);

/* Calls fn for each stretch of headers and zeroes in [offset, offset + n) until it returns false. */
static enum sp_status
each_stretch(const struct sp_layout *l, uint64_t offset, size_t n, stretch_fn *fn, void *arg)
{
	uint8_t header[SP_TAR_HEAD_MAX];
	struct sp_place place;
	uint64_t left;
	bool go_on = true;

	if (n > sp_layout_length(l) || offset > sp_layout_length(l) - n)
		return SP_E_RANGE;
	if (n == 0)
		return SP_OK;
	if (sp_layout_find(l, offset, &place) != SP_OK)
		return SP_E_RANGE;
	while (go_on && n > 0) {
		enum sp_area area;

		if (offset == place.end)
			place = next_place(l, &place);
		area = sp_place_area(&place, offset, &left);
		if (left > n)
			left = n;
		if (area == SP_AREA_HEADER) {
			make_header(l, &place, header);
			go_on = fn(arg, offset, header + (offset - place.start), (size_t)left);
		} else if (area == SP_AREA_ZEROES) {
			go_on = fn(arg, offset, NULL, (size_t)left);
		}
		offset += left;
		n -= (size_t)left;
	}
	return SP_OK;
}

struct filling {
	uint64_t offset;	/* of out[0] */
	uint8_t *out;
};

static bool
fill_stretch(void *arg, uint64_t offset, const uint8_t *known, size_t n)
{
	const struct filling *f = arg;
	uint8_t *to = f->out + (offset - f->offset);

	if (known != NULL)
		memcpy(to, known, n);
	else
		memset(to, 0, n);
	return true;
}

enum sp_status
sp_layout_fill(const struct sp_layout *l, uint64_t offset, uint8_t *out, size_t n)
{
	struct filling f = { offset, out };

	return each_stretch(l, offset, n, fill_stretch, &f);
}

struct checking {
	uint64_t offset;	/* of bytes[0] */
	const uint8_t *bytes;
	bool differs;
	uint64_t at;
};

static bool
check_stretch(void *arg, uint64_t offset, const uint8_t *known, size_t n)
{
	struct checking *c = arg;
	const uint8_t *got = c->bytes + (offset - c->offset);

	for (size_t i = 0; i < n; i++) {
		if (got[i] == (known != NULL ? known[i] : 0))
			continue;
		c->differs = true;
		c->at = offset + i;
		return false;
	}
	return true;
}

enum sp_status
sp_layout_check(const struct sp_layout *l, uint64_t offset, struct sp_span bytes, struct sp_why *why)
{
	struct checking c = { offset, bytes.p, false, 0 };
	enum sp_status st;

	if ((st = each_stretch(l, offset, bytes.n, check_stretch, &c)) != SP_OK)
		return st;
	if (c.differs)
		return sp_fail(SP_E_MISMATCH, why, "the byte at offset %llu is not what the list of files demands",
		    (unsigned long long)c.at);
	return SP_OK;
}
