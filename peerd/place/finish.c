/*
 * finish.c - the end of a packet's making: changed files dropped, hard links, symlinks as text and last of all names,
 * then the folders' modes and times, deepest first, since each change in a folder moves its time.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/beneath.h"
#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/packet/path.h"
#include "peerd/place/place_in.h"

/* The notes as they grow: so many lines, then only counted. */
struct notes {
	struct sp_buf *out;
	uint32_t lines;
};

static void
note(struct notes *n, const struct sp_entry *e, const char *words)
{
	if (n->lines++ >= SP_NOTES_LINES)
		return;
	sp_printable_add(n->out, sp_span(e->path, e->path_len));
	sp_buf_addf(n->out, ": %s\n", words);
}

static enum sp_status
drop_or_keep(struct place *p, const struct sp_prints *prints, uint32_t number, struct notes *notes,
    struct sp_why *why)
{
	struct sp_entry e = sp_manifest_entry(p->manifest, number);
	struct sp_print print = sp_prints_get(prints, number);
	const char *name;
	int parent;

	if (print.state == SP_PRINT_NONE)
		return sp_fail(SP_E_STATE, why, "a file of the packet has no fingerprint");
	if (print.state != SP_PRINT_CHANGED)
		return SP_OK;
	note(notes, &e, "left out: it changed while it was sent");
	parent = place_parent(p, &p->folder, &e, &name);
	if (parent < 0 || (unlinkat(parent, name, 0) != 0 && (errno != ENOENT || !p->again)))
		return place_fail(&e, "remove", why);
	return SP_OK;
}

static enum sp_status
make_hard_link(struct place *p, struct place_folder *first_folder, const struct sp_prints *prints,
    const struct sp_entry *e, struct notes *notes, struct sp_why *why)
{
	struct sp_entry first = sp_manifest_entry(p->manifest, e->link_to);
	const char *from, *to;
	int from_folder, to_folder;

	if (sp_prints_get(prints, e->link_to).state == SP_PRINT_CHANGED) {
		note(notes, e, "left out: it changed while it was sent");
		return SP_OK;
	}
	from_folder = place_parent(p, first_folder, &first, &from);
	to_folder = from_folder >= 0 ? place_parent(p, &p->folder, e, &to) : -1;
	if (to_folder >= 0 && p->again)
		(void)unlinkat(to_folder, to, 0);
	if (to_folder < 0 || linkat(from_folder, from, to_folder, to, 0) != 0)
		return place_fail(e, "make the hard link", why);
	return SP_OK;
}

static enum sp_status
files_and_hard_links(struct place *p, const struct sp_prints *prints, struct notes *notes, struct sp_why *why)
{
	struct place_folder first_folder = { .fd = -1 };
	enum sp_status st = SP_OK;

	for (uint32_t i = 0; i < sp_manifest_count(p->manifest) && st == SP_OK; i++) {
		struct sp_entry e = sp_manifest_entry(p->manifest, i);

		if (e.type == SP_ENTRY_FILE)
			st = drop_or_keep(p, prints, i, notes, why);
		else if (e.type == SP_ENTRY_HARDLINK)
			st = make_hard_link(p, &first_folder, prints, &e, notes, why);
	}
	place_folder_done(&first_folder);
	return st;
}

static enum sp_status
symlinks(struct place *p, struct notes *notes, struct sp_why *why)
{
	for (uint32_t i = 0; i < sp_manifest_count(p->manifest); i++) {
		struct sp_entry e = sp_manifest_entry(p->manifest, i);
		const struct timespec time = { .tv_sec = e.mtime_sec, .tv_nsec = (long)e.mtime_nsec };
		const struct timespec times[2] = { time, time };
		const char *name;
		int parent;

		if (e.type != SP_ENTRY_SYMLINK)
			continue;
		if (!p->keep_links &&
		    sp_link_is_outside(sp_span(e.path, e.path_len), sp_span(e.target, e.target_len))) {
			note(notes, &e, "left out: this link points outside the packet");
			continue;
		}
		parent = place_parent(p, &p->folder, &e, &name);
		if (parent >= 0 && p->again)
			(void)unlinkat(parent, name, 0);
		if (parent < 0 || symlinkat(e.target, parent, name) != 0 ||
		    utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) != 0)
			return place_fail(&e, "make the link", why);
	}
	return SP_OK;
}

static enum sp_status
folder_modes(struct place *p, struct sp_why *why)
{
	for (uint32_t i = sp_manifest_count(p->manifest); i-- > 0;) {
		struct sp_entry e = sp_manifest_entry(p->manifest, i);
		struct timespec times[2] = { { .tv_sec = e.mtime_sec, .tv_nsec = (long)e.mtime_nsec } };
		SP_AUTO_FD fd = -1;
		const char *name;
		int parent;

		if (e.type != SP_ENTRY_FOLDER)
			continue;
		times[1] = times[0];
		parent = place_parent(p, &p->folder, &e, &name);
		if (parent >= 0)
			fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fchmod(fd, e.mode & 0777) != 0 || futimens(fd, times) != 0)
			return place_fail(&e, "set mode and time of", why);
	}
	return SP_OK;
}

enum sp_status
place_finish(struct place *p, const struct sp_prints *prints, struct sp_buf *notes, struct sp_why *why)
{
	struct notes n = { .out = notes };
	enum sp_status st;

	if (p->file >= 0)
		return sp_fail(SP_E_STATE, why, "a file of the packet is not finished");
	if ((st = place_make_folders(p, sp_manifest_count(p->manifest), why)) != SP_OK ||
	    (st = files_and_hard_links(p, prints, &n, why)) != SP_OK ||
	    (st = symlinks(p, &n, why)) != SP_OK ||
	    (st = folder_modes(p, why)) != SP_OK)
		return st;
	place_folder_done(&p->folder);
	if (n.lines > SP_NOTES_LINES)
		sp_buf_addf(notes, "and %u more\n", (unsigned)(n.lines - SP_NOTES_LINES));
	return sp_buf_status(notes);
}

enum sp_status
place_sync(const struct place *p, struct sp_why *why)
{
	if ((errno = SP_FAULT_ERRNO("place-sync")) != 0 || syncfs(p->root) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot write what was received to the disk");
	return SP_OK;
}
