/*
 * mutate.c - changes inputs: bits, bytes, numbers, pieces cut out, doubled, moved, or taken from another input.
 */
#include "tests/fuzz/mutate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
corpus_add(struct corpus *c, const char *path)
{
	struct input in = { malloc(FUZZ_INPUT_MAX + 1), 0 }, *grown;
	FILE *f = fopen(path, "rb");

	if (f != NULL && in.data != NULL)
		in.len = fread(in.data, 1, FUZZ_INPUT_MAX + 1, f);
	grown = realloc(c->inputs, (c->count + 1) * sizeof(*grown));
	if (grown != NULL)
		c->inputs = grown;
	if (f == NULL || ferror(f) || grown == NULL || in.len > FUZZ_INPUT_MAX) {
		free(in.data);
		if (f != NULL)
			fclose(f);
		return false;
	}
	fclose(f);
	c->inputs[c->count++] = in;
	return true;
}

bool
corpus_read(struct corpus *c, const char *folder)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	bool ok = n >= 0;

	for (int i = 0; i < n; i++) {
		char path[1024];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			ok = corpus_add(c, path) && ok;
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return ok;
}

void
corpus_done(struct corpus *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->inputs[i].data);
	free(c->inputs);
	*c = (struct corpus){ 0 };
}

struct mutator
mutator(const struct corpus *corpus, uint64_t seed)
{
	return (struct mutator){ corpus, seed * 0x9e3779b97f4a7c15u | 1 };
}

/* splitmix64 */
static uint64_t
next(struct mutator *m)
{
	uint64_t z = m->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static size_t
below(struct mutator *m, size_t bound)
{
	return bound > 0 ? (size_t)(next(m) % bound) : 0;
}

/* A place in n bytes; a third of them near the front, where heads and lengths are. */
static size_t
place(struct mutator *m, size_t n)
{
	return below(m, n > 64 && below(m, 3) == 0 ? 64 : n);
}

/* What stands at a length or an edge. */
static void
put_number(struct mutator *m, uint8_t *p, size_t width)
{
	static const uint64_t edges[] = { 0, 1, 2, 7, 8, 15, 16, 32, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096,
		32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, INT64_MAX, UINT64_MAX };
	uint64_t v = edges[below(m, sizeof(edges) / sizeof(edges[0]))] + below(m, 3) - 1;

	for (size_t i = 0; i < width; i++)
		p[i] = (uint8_t)(v >> (8 * (width - 1 - i)));
}

/* The number that stands there, a little larger or smaller. */
static void
add_number(struct mutator *m, uint8_t *p, size_t width)
{
	int carry = (int)below(m, 35) - 17;

	for (size_t i = width; i-- > 0 && carry != 0;) {
		int v = p[i] + carry;

		p[i] = (uint8_t)v;
		carry = v < 0 ? -1 : v > 255 ? 1 : 0;
	}
}

static size_t
cut(struct mutator *m, uint8_t *d, size_t n)
{
	size_t at = place(m, n), len = 1 + below(m, below(m, 4) == 0 ? n - at : n - at < 16 ? n - at : 16);

	memmove(d + at, d + at + len, n - at - len);
	return n - len;
}

static size_t
insert(struct mutator *m, uint8_t *d, size_t n, const uint8_t *piece, size_t len)
{
	size_t at = place(m, n + 1);

	if (len > FUZZ_INPUT_MAX - n)
		len = FUZZ_INPUT_MAX - n;
	memmove(d + at + len, d + at, n - at);
	memcpy(d + at, piece, len);
	return n + len;
}

/* A piece of another input, or of this one, put in or written over. */
static size_t
borrow(struct mutator *m, uint8_t *d, size_t n)
{
	const struct input *from = &m->corpus->inputs[below(m, m->corpus->count)];
	static uint8_t piece[4096];
	size_t at, len;

	if (below(m, 2) == 0 || from->len == 0) {
		at = place(m, n);
		len = 1 + below(m, n - at < sizeof(piece) ? n - at : sizeof(piece));
		memcpy(piece, d + at, len);
	} else {
		at = place(m, from->len);
		len = 1 + below(m, from->len - at < sizeof(piece) ? from->len - at : sizeof(piece));
		memcpy(piece, from->data + at, len);
	}
	if (below(m, 2) == 0)
		return insert(m, d, n, piece, len);
	at = place(m, n);
	memcpy(d + at, piece, len < n - at ? len : n - at);
	return n;
}

/* A line of a text: doubled, at another place, or taken out. */
static size_t
lines(struct mutator *m, uint8_t *d, size_t n)
{
	size_t at = place(m, n), len;
	const uint8_t *nl = memchr(d + at, '\n', n - at), *end;
	static uint8_t line[4096];

	if (nl == NULL)
		return n;
	at = (size_t)(nl - d) + 1;
	end = memchr(d + at, '\n', n - at);
	len = end != NULL ? (size_t)(end - d) + 1 - at : n - at;
	if (len == 0 || len > sizeof(line))
		return n;
	memcpy(line, d + at, len);
	if (below(m, 2) == 0)
		return insert(m, d, n, line, len);
	memmove(d + at, d + at + len, n - at - len);
	return n - len;
}

static size_t
change(struct mutator *m, uint8_t *d, size_t n)
{
	static const size_t widths[] = { 1, 2, 4, 8 };
	static const uint8_t bytes[] = "\0\n %/.:,0919afAFzZ-_\"\\{}[]\x7f\x80\xc0\xff";
	uint8_t one[16];
	size_t w = widths[below(m, 4)], at;

	if (n == 0) {
		one[0] = (uint8_t)next(m);
		return insert(m, d, n, one, 1);
	}
	at = place(m, n);
	switch (below(m, 10)) {
	case 0:
		d[at] ^= (uint8_t)(1u << below(m, 8));
		return n;
	case 1:
		d[at] = (uint8_t)next(m);
		return n;
	case 2:
		d[at] = bytes[below(m, sizeof(bytes) - 1)];
		return n;
	case 3:
		if (n - at >= w)
			put_number(m, d + at, w);
		return n;
	case 4:
		if (n - at >= w)
			add_number(m, d + at, w);
		return n;
	case 5:
		return cut(m, d, n);
	case 6:
		return below(m, 4) == 0 ? below(m, n) : cut(m, d, n);
	case 7:
		for (size_t i = 0; i < sizeof(one); i++)
			one[i] = below(m, 2) == 0 ? bytes[below(m, sizeof(bytes) - 1)] : (uint8_t)next(m);
		return insert(m, d, n, one, 1 + below(m, sizeof(one)));
	case 8:
		return borrow(m, d, n);
	default:
		return lines(m, d, n);
	}
}

size_t
mutate(struct mutator *m, uint8_t out[FUZZ_INPUT_MAX])
{
	const struct input *from = &m->corpus->inputs[below(m, m->corpus->count)];
	size_t n = from->len;

	memcpy(out, from->data, n);
	for (size_t left = 1 + below(m, below(m, 4) == 0 ? 16 : 3); left > 0; left--)
		n = change(m, out, n);
	while (n == from->len && memcmp(out, from->data, n) == 0)
		n = change(m, out, n);
	return n;
}
