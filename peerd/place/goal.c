/*
 * goal.c - where a packet goes: RECEIVED/person@domain/title, the one rename that takes it there, and what is left of
 * those that did not get so far. Works from paths alone, so that each step can be done again after a restart.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/text.h"
#include "peerd/place/place_in.h"

/* A title as a file name: no separators, control bytes or leading dot, never empty, cut between characters. */
static void
safe_title(const char *title, char out[SP_TITLE_MAX + 1])
{
	size_t n = strlen(title);

	if (n > SP_TITLE_MAX)
		for (n = SP_TITLE_MAX; n > 0 && ((uint8_t)title[n] & 0xc0) == 0x80; n--)
			;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)title[i];

		out[i] = c < 0x20 || c == 0x7f || c == '/' || (i == 0 && c == '.') ? '_' : (char)c;
	}
	out[n] = 0;
	if (n == 0)
		strcpy(out, "packet");
}

/* The sender's folder below RECEIVED: made if missing, never through a link. */
static int
open_sender(int received, const char *folder)
{
	if (mkdirat(received, folder, 0755) != 0 && errno != EEXIST)
		return -1;
	return openat(received, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

enum sp_status
place_name(const struct place *p, const char *sender, const char *title, uint32_t skip, struct sp_buf *out,
    uint64_t *ret_inode, struct sp_why *why)
{
	SP_AUTO_FD received = open(p->received, O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder = -1;
	char safe[SP_TITLE_MAX + 1], name[SP_TITLE_MAX + 16], person[SP_NAME_TEXT];
	struct sp_name who;
	struct stat sb;

	if (sp_name_parse(sp_span_str(sender), &who) != SP_OK)
		return sp_fail(SP_E_ARGUMENT, why, "the sender is not of the form person@domain");
	who.station[0] = 0;
	sp_name_text(&who, person);
	safe_title(title, safe);
	folder = received >= 0 ? open_sender(received, person) : -1;
	if (folder < 0)
		return sp_fail_errno(SP_E_IO, why, "cannot make the folder %.150s/%s", p->received, person);
	for (uint64_t number = 1 + (uint64_t)skip; number <= SP_GOAL_NUMBERS; number++) {
		if (number == 1)
			strcpy(name, safe);
		else
			snprintf(name, sizeof(name), "%s (%u)", safe, (unsigned)number);
		if (fstatat(folder, name, &sb, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno != ENOENT)
			return sp_fail_errno(SP_E_IO, why, "cannot look into %.150s/%s", p->received, person);
		sp_buf_addf(out, "%s/%s/%s", p->received, person, name);
		*ret_inode = p->inode;
		return sp_buf_status(out);
	}
	return sp_fail(SP_E_EXISTS, why, "there are too many packets with this title: move some away");
}

/* RECEIVED/sender/name, nothing deeper or shallower; both out-values are terminated, the names borrowed from goal. */
static enum sp_status
split_goal(const char *received, const char *goal, char ret_sender[SP_NAME_TEXT], const char **ret_name,
    struct sp_why *why)
{
	size_t n = strlen(received);
	const char *sender = goal + n + 1, *slash;
	struct sp_name who;

	if (strncmp(goal, received, n) == 0 && goal[n] == '/' && (slash = strchr(sender, '/')) != NULL &&
	    slash - sender < SP_NAME_TEXT &&
	    sp_name_parse(sp_span(sender, (size_t)(slash - sender)), &who) == SP_OK &&
	    slash[1] != 0 && slash[1] != '.' && strchr(slash + 1, '/') == NULL) {
		memcpy(ret_sender, sender, (size_t)(slash - sender));
		ret_sender[slash - sender] = 0;
		*ret_name = slash + 1;
		return SP_OK;
	}
	return sp_fail(SP_E_ARGUMENT, why, "%.150s is no place for a packet", goal);
}

/* What lies beside the packet's folder. */
static void
discard_beside(int incoming, const char *id_text)
{
	static const char *const endings[] = { PLACE_DIGESTS, PLACE_MANIFEST };
	char name[SP_ID_TEXT + 16];

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", id_text, endings[i]);
		(void)unlinkat(incoming, name, 0);
	}
}

static enum sp_status
move(int incoming, const char *id_text, int folder, const char *name, struct sp_why *why)
{
	SP_AUTO_FD root = openat(incoming, id_text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (root < 0 || fchmod(root, 0755) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot open the packet's incoming folder");
	SP_FAULT("place-rename-before");
	if ((errno = SP_FAULT_ERRNO("place-rename")) == 0 &&
	    renameat2(incoming, id_text, folder, name, RENAME_NOREPLACE) == 0) {
		SP_FAULT("place-rename-after");
		return SP_OK;
	}
	if (errno == EEXIST)
		return sp_fail(SP_E_EXISTS, why, "%.150s is there already", name);
	return sp_fail_errno(SP_E_IO, why, "cannot move the packet to its place");
}

enum sp_status
place_rename(const char *received, const char *id_text, const char *goal, uint64_t inode, struct sp_why *why)
{
	SP_AUTO_FD top = -1, incoming = -1, folder = -1;
	char sender[SP_NAME_TEXT];
	const char *name = "";
	struct sp_id id;
	struct stat sb;
	enum sp_status st;

	if (sp_id_parse(id_text, &id) != SP_OK)
		return sp_fail(SP_E_ARGUMENT, why, "not the id of a transfer");
	if ((st = split_goal(received, goal, sender, &name, why)) != SP_OK ||
	    (st = place_open_incoming(received, &top, &incoming, why)) != SP_OK)
		return st;
	folder = open_sender(top, sender);
	if (folder < 0)
		return sp_fail_errno(SP_E_IO, why, "cannot open the folder %.150s/%s", received, sender);
	if (fstatat(incoming, id_text, &sb, AT_SYMLINK_NOFOLLOW) == 0) {
		if (sb.st_ino != inode)
			return sp_fail(SP_E_STATE, why, "the incoming folder is not the one that was checked");
		if ((st = move(incoming, id_text, folder, name, why)) != SP_OK)
			return st;
	} else if (errno != ENOENT) {
		return sp_fail_errno(SP_E_IO, why, "cannot look into %.150s/%s", received, PLACE_INCOMING);
	} else if (fstatat(folder, name, &sb, AT_SYMLINK_NOFOLLOW) != 0 || sb.st_ino != inode) {
		return sp_fail(SP_E_NOTFOUND, why, "the packet is neither in its incoming folder nor in its place");
	}
	discard_beside(incoming, id_text);
	if (fsync(folder) != 0 || fsync(incoming) != 0 || fsync(top) != 0)
		return sp_fail_errno(SP_E_IO, why, "cannot sync %.150s", received);
	return SP_OK;
}

void
place_discard(const char *received, const char *id_text)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	SP_AUTO_FD incoming = -1;
	struct sp_id id;

	if (sp_id_parse(id_text, &id) != SP_OK)
		return;
	sp_buf_addf(&path, "%s/%s", received, PLACE_INCOMING);
	incoming = open(sp_buf_cstr(&path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (incoming >= 0)
		discard_beside(incoming, id_text);
	sp_buf_addf(&path, "/%s", id_text);
	/* What cannot be removed now is tried again at the next start. */
	if (sp_buf_status(&path) == SP_OK && sp_rmtree(sp_buf_cstr(&path), NULL) != SP_OK)
		return;
}

/* "ID", "ID.manifest" or "ID.digests": the id. */
static bool
id_of(const char *name, char ret_id[SP_ID_TEXT])
{
	struct sp_id id;

	if (strlen(name) < SP_ID_TEXT - 1)
		return false;
	memcpy(ret_id, name, SP_ID_TEXT - 1);
	ret_id[SP_ID_TEXT - 1] = 0;
	name += SP_ID_TEXT - 1;
	return sp_id_parse(ret_id, &id) == SP_OK &&
	    (name[0] == 0 || strcmp(name, PLACE_MANIFEST) == 0 || strcmp(name, PLACE_DIGESTS) == 0);
}

enum sp_status
place_sweep(const char *received, bool (*is_live)(void *arg, const char *id_text), void *arg, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };
	char id[SP_ID_TEXT];
	struct dirent *e;
	DIR *dir;

	sp_buf_addf(&path, "%s/%s", received, PLACE_INCOMING);
	dir = opendir(sp_buf_cstr(&path));
	if (dir == NULL)
		return errno == ENOENT ? SP_OK : sp_fail_errno(SP_E_IO, why, "cannot read %.150s/%s", received,
		    PLACE_INCOMING);
	while ((e = readdir(dir)) != NULL)
		if (id_of(e->d_name, id) && !is_live(arg, id))
			place_discard(received, id);
	closedir(dir);
	return SP_OK;
}
