/*
 * again.c - a packet's incoming folder after a break: how much of it is there, and going on in it. What the folder held
 * before may be finished in part, so folders are made ours again and files replaced as they come.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/beneath.h"
#include "common/base/id.h"
#include "peerd/place/place_in.h"

/* Length of an entry's file, or -1 if there is none. */
static int64_t
file_length(struct place *p, const struct sp_entry *e)
{
	struct stat sb;
	const char *name;
	int parent = place_parent(p, &p->folder, e, &name);

	if (parent < 0 || fstatat(parent, name, &sb, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(sb.st_mode))
		return -1;
	return sb.st_size;
}

uint64_t
place_look(const char *received, const char *id_text, const struct sp_layout *layout, const struct sp_manifest *manifest,
    const struct sp_prints *prints, uint64_t held)
{
	SP_AUTO(place) *p = NULL;
	SP_AUTO_FD incoming = -1;

	if (place_incoming(received, &incoming, NULL) != SP_OK ||
	    place_alloc(received, manifest, false, &p) != SP_OK || place_open_root(p, incoming, id_text, NULL) != SP_OK)
		return 0;
	for (uint32_t i = 0; i < sp_manifest_count(manifest); i++) {
		struct sp_entry e = sp_manifest_entry(manifest, i);
		struct sp_place m = sp_layout_entry(layout, i);
		int64_t length;

		if (m.start >= held)
			break;
		if (e.type != SP_ENTRY_FILE || m.data_at >= held + (e.size == 0))
			continue;
		length = file_length(p, &e);
		if (length < 0 && sp_prints_get(prints, i).state == SP_PRINT_CHANGED)
			continue;	/* dropped already */
		if (length < 0)
			return m.start;
		if (m.data_at + m.data_len <= held) {
			if ((uint64_t)length != e.size)
				return m.start;
		} else if ((uint64_t)length < held - m.data_at) {
			return m.data_at + (uint64_t)length;
		}
	}
	return held;
}

/* A folder whose mode was set already cannot be written in. */
static enum sp_status
open_up(struct place *p, struct sp_why *why)
{
	for (uint32_t i = 0; i < sp_manifest_count(p->manifest); i++) {
		struct sp_entry e = sp_manifest_entry(p->manifest, i);
		const char *name;
		struct stat sb;
		int parent;

		if (e.type != SP_ENTRY_FOLDER)
			continue;
		parent = place_parent(p, &p->folder, &e, &name);
		if (parent < 0 || fstatat(parent, name, &sb, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno != ENOENT)
				return place_fail(&e, "look at", why);
			continue;
		}
		if (!S_ISDIR(sb.st_mode))
			return sp_fail(SP_E_STATE, why, "something else lies where a folder of the packet was");
		if ((sb.st_mode & 07777) != 0700 && fchmodat(parent, name, 0700, 0) != 0)
			return place_fail(&e, "set the mode of", why);
	}
	return SP_OK;
}

enum sp_status
place_again(const char *received, const char *id_text, const struct sp_manifest *manifest, bool keep_links, uint32_t entry,
    struct place **ret_place, struct sp_why *why)
{
	SP_AUTO(place) *p = NULL;
	SP_AUTO_FD incoming = -1;
	struct sp_id id;
	enum sp_status st;

	if (sp_id_parse(id_text, &id) != SP_OK)
		return sp_fail(SP_E_ARGUMENT, why, "not the id of a transfer");
	if ((st = place_incoming(received, &incoming, why)) != SP_OK ||
	    (st = place_alloc(received, manifest, keep_links, &p)) != SP_OK ||
	    (st = place_open_root(p, incoming, id_text, why)) != SP_OK ||
	    (st = open_up(p, why)) != SP_OK)
		return st;
	p->again = true;
	p->kept = entry;
	*ret_place = sp_take(&p);
	return SP_OK;
}

enum sp_status
place_go_on(struct place *p, uint32_t entry, uint64_t at, struct sp_why *why)
{
	struct sp_entry e = sp_manifest_entry(p->manifest, entry);
	const char *name;
	struct stat sb;
	int parent;
	enum sp_status st;

	if (p->file >= 0 || e.type != SP_ENTRY_FILE || entry != p->kept || at > e.size)
		return sp_fail(SP_E_STATE, why, "not the file that was begun");
	if ((st = place_make_folders(p, entry, why)) != SP_OK)
		return st;
	parent = place_parent(p, &p->folder, &e, &name);
	if (parent < 0 || fstatat(parent, name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
		return place_fail(&e, "look at", why);
	if (!S_ISREG(sb.st_mode) || (uint64_t)sb.st_size < at)
		return sp_fail(SP_E_STALE, why, "a file that was begun is not what it was");
	if ((sb.st_mode & 0600) != 0600 && fchmodat(parent, name, 0600, 0) != 0)
		return place_fail(&e, "set the mode of", why);
	p->file = openat(parent, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	/* What comes is written over the rest; where zeroes come, nothing is, so that must be gone. */
	if (p->file < 0 || ftruncate(p->file, (off_t)at) != 0)
		return place_fail(&e, "cut", why);
	p->entry = entry;
	p->at = p->filled = at;
	return SP_OK;
}

enum sp_status
place_read(const struct place *p, uint64_t offset, uint8_t *out, size_t n, struct sp_why *why)
{
	size_t have = 0;
	ssize_t did;

	while (have < n) {
		did = pread(p->file, out + have, n - have, (off_t)(offset + have));
		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0) {
			struct sp_entry e = sp_manifest_entry(p->manifest, p->entry);

			return place_fail(&e, "read", why);
		}
		if (did == 0)
			return sp_fail(SP_E_STALE, why, "a file that was begun is shorter than it was");
		have += (size_t)did;
	}
	return SP_OK;
}

enum sp_status
place_settle(struct place *p, struct sp_why *why)
{
	struct sp_entry e;

	if (p->file < 0 || p->filled >= p->at)
		return SP_OK;
	e = sp_manifest_entry(p->manifest, p->entry);
	if (ftruncate(p->file, (off_t)p->at) != 0)
		return place_fail(&e, "set the size of", why);
	return SP_OK;
}

int
place_fd(const struct place *p)
{
	return p->root;
}
