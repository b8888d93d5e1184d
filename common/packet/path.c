/*
 * path.c - what a path in a packet may be, in which order paths stand, and which symlinks lead out of the packet.
 */
#include "common/packet/path.h"

#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/crypto/hash.h"

static const char *
component_fault(struct sp_span c)
{
	if (c.n == 0)
		return "an empty component";
	if (c.n > SP_COMPONENT_MAX)
		return "a component of more than 255 bytes";
	if (c.p[0] == '.' && (c.n == 1 || (c.n == 2 && c.p[1] == '.')))
		return "a component \".\" or \"..\"";
	return NULL;
}

/* Takes the first component off a path; false when there was no further one. */
static bool
next_component(struct sp_span *rest, struct sp_span *ret_component)
{
	const uint8_t *slash;
	size_t n;

	if (rest->p == NULL)
		return false;
	slash = rest->n > 0 ? memchr(rest->p, '/', rest->n) : NULL;
	n = slash != NULL ? (size_t)(slash - rest->p) : rest->n;
	*ret_component = sp_span(rest->p, n);
	*rest = slash != NULL ? sp_span(slash + 1, rest->n - n - 1) : sp_span(NULL, 0);
	return true;
}

static const char *
path_fault(struct sp_span path)
{
	struct sp_span rest = path, component;
	const char *fault;
	size_t depth = 0;

	if (path.n == 0)
		return "it is empty";
	if (path.n > SP_PATH_MAX)
		return "more than 4,096 bytes";
	if (memchr(path.p, 0, path.n) != NULL)
		return "a zero byte";
	if (path.p[0] == '/')
		return "it is absolute";
	while (next_component(&rest, &component)) {
		if ((fault = component_fault(component)) != NULL)
			return fault;
		if (++depth > SP_DEPTH_MAX)
			return "more than 256 components";
	}
	return NULL;
}

enum sp_status
sp_path_check(struct sp_span path, struct sp_why *why)
{
	const char *fault = path_fault(path);
	char shown[SP_PATH_SHOW];

	if (fault == NULL)
		return SP_OK;
	return sp_fail(SP_E_PATH, why, "the path \"%s\" is not allowed: %s", sp_path_show(path, shown), fault);
}

/* '/' sorts before every other byte, so that comparing bytes is comparing components. */
static int
rank(uint8_t c)
{
	return c == '/' ? 0 : c;
}

int
sp_path_compare(struct sp_span a, struct sp_span b)
{
	size_t n = a.n < b.n ? a.n : b.n, i = 0;

	while (i < n && a.p[i] == b.p[i])
		i++;
	if (i < n)
		return rank(a.p[i]) - rank(b.p[i]);
	return a.n < b.n ? -1 : a.n > b.n;
}

uint32_t
sp_path_search(const void *list, uint32_t count, struct sp_span (*path_at)(const void *list, uint32_t number),
    struct sp_span path)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (sp_path_compare(path_at(list, middle), path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t
sp_path_parent(struct sp_span path)
{
	const uint8_t *slash = path.n > 0 ? memrchr(path.p, '/', path.n) : NULL;

	return slash != NULL ? (size_t)(slash - path.p) : 0;
}

static size_t
count_slashes(struct sp_span path)
{
	size_t n = 0;

	for (size_t i = 0; i < path.n; i++)
		n += path.p[i] == '/';
	return n;
}

bool
sp_link_is_outside(struct sp_span path, struct sp_span target)
{
	size_t folders = count_slashes(path), climbed = 0;
	struct sp_span rest = target, c;
	bool named = false;

	if (target.n > 0 && target.p[0] == '/')
		return true;
	while (next_component(&rest, &c)) {
		if (c.n == 0 || (c.n == 1 && c.p[0] == '.'))
			continue;
		if (c.n != 2 || c.p[0] != '.' || c.p[1] != '.')
			named = true;
		else if (named || ++climbed > folders)
			return true;
	}
	return false;
}

enum sp_status
sp_links_outside(const struct sp_manifest *m, uint32_t *ret_count, struct sp_hash *ret_paths)
{
	SP_AUTO(sp_hasher) *hasher = sp_hasher_new();
	SP_AUTO_DONE(sp_buf) line = { 0 };
	uint32_t count = 0;

	if (hasher == NULL)
		return SP_E_NOMEM;
	for (uint32_t i = 0; i < sp_manifest_count(m); i++) {
		struct sp_entry e = sp_manifest_entry(m, i);
		struct sp_span path = sp_span(e.path, e.path_len);

		if (e.type != SP_ENTRY_SYMLINK || !sp_link_is_outside(path, sp_span(e.target, e.target_len)))
			continue;
		sp_buf_clear(&line);
		sp_percent_add(&line, path);
		sp_buf_add_u8(&line, '\n');
		if (sp_buf_status(&line) != SP_OK)
			return sp_buf_status(&line);
		sp_hasher_add(hasher, line.data, line.len);
		count++;
	}
	sp_hasher_end(hasher, ret_paths);
	*ret_count = count;
	return SP_OK;
}

/* The longest beginning of at most max bytes that doesn't cut a UTF-8 sequence. */
static size_t
cut(const uint8_t *p, size_t n, size_t max)
{
	if (n <= max)
		return n;
	for (n = max; n > 0 && (p[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

const char *
sp_path_show(struct sp_span path, char out[SP_PATH_SHOW])
{
	SP_AUTO_DONE(sp_buf) shown = { 0 };
	size_t taken = cut(path.p, path.n, 90), n;

	sp_printable_add(&shown, sp_span(path.p, taken));
	if (sp_buf_status(&shown) != SP_OK)
		return strcpy(out, "?");
	n = cut(shown.data, shown.len, 90);
	if (n > 0)
		memcpy(out, shown.data, n);
	strcpy(out + n, taken < path.n || n < shown.len ? "..." : "");
	return out;
}
