/*
 * place.c - the files of a packet written below its incoming folder: each made anew on a held descriptor of its
 * folder, holes made again, mode and time set when it is whole. Links and folders' modes come at the end (finish.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/beneath.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/packet/path.h"
#include "peerd/place/place_in.h"

enum sp_status
place_fail(const struct sp_entry *e, const char *what, struct sp_why *why)
{
	char shown[SP_PATH_SHOW];
	int error = errno;

	sp_path_show(sp_span(e->path, e->path_len), shown);
	errno = error;
	return sp_fail_errno(SP_E_IO, why, "cannot %s %s", what, shown);
}

enum sp_status
place_open_incoming(const char *received, int *ret_received, int *ret_incoming, struct sp_why *why)
{
	SP_AUTO_FD folder = -1, incoming = -1;
	struct stat sb;
	enum sp_status st;

	if (received[0] != '/')
		return sp_fail(SP_E_ARGUMENT, why, "the receiving folder %.150s is not an absolute path", received);
	if ((st = sp_mkdirs(received, 0755, why)) != SP_OK)
		return st;
	folder = open(received, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return sp_fail_errno(SP_E_IO, why, "cannot open the receiving folder %.150s", received);
	if (mkdirat(folder, PLACE_INCOMING, 0700) != 0 && errno != EEXIST)
		return sp_fail_errno(SP_E_IO, why, "cannot make %.150s/%s", received, PLACE_INCOMING);
	incoming = openat(folder, PLACE_INCOMING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (incoming < 0 || fstat(incoming, &sb) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot open %.150s/%s", received, PLACE_INCOMING);
	if (sb.st_uid != geteuid())
		return sp_fail(SP_E_PERMISSION, why, "%.150s/%s belongs to somebody else", received, PLACE_INCOMING);
	if ((sb.st_mode & 07777) != 0700 && fchmod(incoming, 0700) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot set the mode of %.150s/%s", received, PLACE_INCOMING);
	*ret_received = sp_take_fd(&folder);
	*ret_incoming = sp_take_fd(&incoming);
	return SP_OK;
}

enum sp_status
place_incoming(const char *received, int *ret_fd, struct sp_why *why)
{
	SP_AUTO_FD top = -1;

	return place_open_incoming(received, &top, ret_fd, why);
}

enum sp_status
place_open_root(struct place *p, int incoming, const char *id_text, struct sp_why *why)
{
	struct stat sb;

	p->root = openat(incoming, id_text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->root < 0 || fstat(p->root, &sb) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot open a folder in %.150s/%s", p->received, PLACE_INCOMING);
	p->inode = sb.st_ino;
	return SP_OK;
}

static enum sp_status
make_root(struct place *p, const char *id_text, struct sp_why *why)
{
	SP_AUTO_FD received = -1, incoming = -1;
	struct sp_id id;
	enum sp_status st;

	if (sp_id_parse(id_text, &id) != SP_OK)
		return sp_fail(SP_E_ARGUMENT, why, "not the id of a transfer");
	if ((st = place_open_incoming(p->received, &received, &incoming, why)) != SP_OK)
		return st;
	place_discard(p->received, id_text);
	if ((errno = SP_FAULT_ERRNO("place-make")) != 0 || mkdirat(incoming, id_text, 0700) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot make a folder in %.150s/%s", p->received, PLACE_INCOMING);
	return place_open_root(p, incoming, id_text, why);
}

enum sp_status
place_alloc(const char *received, const struct sp_manifest *manifest, bool keep_links, struct place **ret_place)
{
	SP_AUTO(place) *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return SP_E_NOMEM;
	p->manifest = manifest;
	p->keep_links = keep_links;
	p->root = p->file = p->folder.fd = -1;
	if ((p->received = strdup(received)) == NULL)
		return SP_E_NOMEM;
	*ret_place = sp_take(&p);
	return SP_OK;
}

enum sp_status
place_new(const char *received, const char *id_text, const struct sp_manifest *manifest, bool keep_links,
    struct place **ret_place, struct sp_why *why)
{
	SP_AUTO(place) *p = NULL;
	enum sp_status st;

	if ((st = place_alloc(received, manifest, keep_links, &p)) != SP_OK ||
	    (st = make_root(p, id_text, why)) != SP_OK)
		return st;
	*ret_place = sp_take(&p);
	return SP_OK;
}

void
place_folder_done(struct place_folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct place_folder){ .fd = -1 };
}

void
place_free(struct place *p)
{
	if (p == NULL)
		return;
	if (p->file >= 0)
		close(p->file);
	place_folder_done(&p->folder);
	if (p->root >= 0)
		close(p->root);
	free(p->received);
	free(p);
}

int
place_parent(struct place *p, struct place_folder *held, const struct sp_entry *e, const char **ret_name)
{
	size_t len = sp_path_parent(sp_span(e->path, e->path_len));

	*ret_name = e->path + (len > 0 ? len + 1 : 0);
	if (len == 0)
		return p->root;
	if (held->fd >= 0 && held->len == len && memcmp(held->path, e->path, len) == 0)
		return held->fd;
	place_folder_done(held);
	held->fd = sp_open_beneath(p->root, e->path, len, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	held->path = e->path;
	held->len = len;
	return held->fd;
}

enum sp_status
place_make_folders(struct place *p, uint32_t entry, struct sp_why *why)
{
	for (; p->next < entry; p->next++) {
		struct sp_entry e = sp_manifest_entry(p->manifest, p->next);
		const char *name;
		int parent;

		if (e.type == SP_ENTRY_FILE && p->next >= p->kept)
			return sp_fail(SP_E_STATE, why, "a file of the packet was passed over");
		if (e.type != SP_ENTRY_FOLDER)
			continue;
		parent = place_parent(p, &p->folder, &e, &name);
		if (parent < 0 || (mkdirat(parent, name, 0700) != 0 && (errno != EEXIST || !p->again)))
			return place_fail(&e, "make the folder", why);
	}
	return SP_OK;
}

enum sp_status
place_begin(struct place *p, uint32_t entry, struct sp_why *why)
{
	struct sp_entry e;
	const char *name;
	enum sp_status st;
	int parent;

	if (p->file >= 0 || entry >= sp_manifest_count(p->manifest) || entry < p->next)
		return sp_fail(SP_E_STATE, why, "the files of the packet are not in their order");
	e = sp_manifest_entry(p->manifest, entry);
	if (e.type != SP_ENTRY_FILE)
		return sp_fail(SP_E_STATE, why, "not a file of the packet");
	if ((st = place_make_folders(p, entry, why)) != SP_OK)
		return st;
	parent = place_parent(p, &p->folder, &e, &name);
	if (parent >= 0 && p->again && unlinkat(parent, name, 0) != 0 && errno != ENOENT)
		return place_fail(&e, "remove", why);
	if (parent >= 0 && (errno = SP_FAULT_ERRNO("place-open")) == 0)
		p->file = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p->file < 0)
		return place_fail(&e, "make the file", why);
	p->entry = entry;
	p->at = p->filled = 0;
	return SP_OK;
}

static bool
all_zero(const uint8_t *b, size_t n)
{
	return b[0] == 0 && memcmp(b, b + 1, n - 1) == 0;
}

static enum sp_status
write_run(struct place *p, uint64_t offset, const uint8_t *b, size_t n, struct sp_why *why)
{
	while (n > 0) {
		ssize_t did = -1;

		if ((errno = SP_FAULT_ERRNO("place-write")) == 0)
			did = pwrite(p->file, b, n, (off_t)offset);

		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0) {
			struct sp_entry e = sp_manifest_entry(p->manifest, p->entry);

			return place_fail(&e, "write", why);
		}
		b += did;
		n -= (size_t)did;
		offset += (uint64_t)did;
	}
	p->filled = offset;
	return SP_OK;
}

enum sp_status
place_write(struct place *p, uint64_t offset, struct sp_span bytes, struct sp_why *why)
{
	uint64_t size, run = offset, end = offset + bytes.n;
	enum sp_status st = SP_OK;

	if (p->file < 0 || offset != p->at)
		return sp_fail(SP_E_STATE, why, "the bytes of the file are not in their order");
	size = sp_manifest_entry(p->manifest, p->entry).size;
	if (bytes.n > size - p->at)
		return sp_fail(SP_E_SIZE, why, "a file is longer than announced");
	/* The file is new: whatever is not written is zero. run..from is what has to be written so far. */
	for (uint64_t from = offset, to; from < end && st == SP_OK; from = to) {
		to = (from / SP_HOLE_BLOCK + 1) * SP_HOLE_BLOCK;
		to = to < end ? to : end;
		if (all_zero(bytes.p + (from - offset), (size_t)(to - from))) {
			if (from > run)
				st = write_run(p, run, bytes.p + (run - offset), (size_t)(from - run), why);
			run = to;
		}
	}
	if (st == SP_OK && end > run)
		st = write_run(p, run, bytes.p + (run - offset), (size_t)(end - run), why);
	p->at = end;
	return st;
}

enum sp_status
place_end(struct place *p, struct sp_why *why)
{
	struct sp_entry e;
	struct timespec times[2];
	int fd;

	if (p->file < 0)
		return sp_fail(SP_E_STATE, why, "no file is open");
	e = sp_manifest_entry(p->manifest, p->entry);
	if (p->at != e.size)
		return sp_fail(SP_E_SIZE, why, "a file is shorter than announced");
	times[0] = times[1] = (struct timespec){ .tv_sec = e.mtime_sec, .tv_nsec = (long)e.mtime_nsec };
	if (p->filled < e.size && ftruncate(p->file, (off_t)e.size) != 0)
		return place_fail(&e, "set the size of", why);
	if (fchmod(p->file, e.mode & 0777) != 0 || futimens(p->file, times) != 0)
		return place_fail(&e, "set mode and time of", why);
	fd = sp_take_fd(&p->file);
	p->next = p->entry + 1;
	if (close(fd) != 0)
		return place_fail(&e, "close", why);
	return SP_OK;
}
