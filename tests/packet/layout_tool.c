/*
 * layout_tool.c - makes a packet from a folder with common/packet, for the tests that read it with other programs.
 *
 *   layout_tool manifest|offsets|tar|prints|files FOLDER     of a packet that holds FOLDER
 *   layout_tool parse|offsets-of|known-of|links-of MANIFEST  of a manifest's text, without any file
 *
 * Everything goes to stdout. The salt is fixed, the walk is simple and trusts the folder; it is no part of the suite.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "common/packet/files_txt.h"
#include "common/packet/layout.h"
#include "common/packet/path.h"

#define CHUNK (64 * 1024)
#define LINKS_MAX 4096

/* A file with several names: where it was met first. */
struct first_name {
	dev_t dev;
	ino_t ino;
	char *path;
};

static struct first_name first_names[LINKS_MAX];
static size_t first_count;

static void
die(const char *what, const char *detail)
{
	fprintf(stderr, "layout_tool: %s: %s\n", what, detail);
	exit(1);
}

static void
must(enum sp_status st, const struct sp_why *why)
{
	if (st != SP_OK)
		die(sp_status_name(st), why->text);
}

static const char *
first_name_of(const struct stat *sb, const char *path)
{
	for (size_t i = 0; i < first_count; i++)
		if (first_names[i].dev == sb->st_dev && first_names[i].ino == sb->st_ino)
			return first_names[i].path;
	if (first_count == LINKS_MAX)
		die("too many hard links", path);
	first_names[first_count++] = (struct first_name){ sb->st_dev, sb->st_ino, strdup(path) };
	return NULL;
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in a folder, sorted by bytes; returns how many. */
static size_t
list(const char *folder, char ***ret_names)
{
	DIR *dir = opendir(folder);
	char **names = NULL;
	struct dirent *d;
	size_t n = 0;

	if (dir == NULL)
		die(folder, strerror(errno));
	while ((d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if ((names = realloc(names, (n + 1) * sizeof(*names))) == NULL)
			die(folder, "out of memory");
		names[n++] = strdup(d->d_name);
	}
	closedir(dir);
	if (n > 0)
		qsort(names, n, sizeof(*names), by_bytes);
	*ret_names = names;
	return n;
}

static char *
join(const char *folder, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		die(name, "out of memory");
	return path;
}

static void walk(struct sp_manifest *m, int at, const char *path);

static void
walk_folder(struct sp_manifest *m, int at, const char *path)
{
	char **names, *inner;
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY);
	size_t n;

	/* paths may be longer than one call takes, so go there */
	if (fd < 0 || fchdir(fd) != 0)
		die(path, strerror(errno));
	n = list(".", &names);
	if (fchdir(at) != 0)
		die("..", strerror(errno));
	close(fd);
	for (size_t i = 0; i < n; i++) {
		inner = join(path, names[i]);
		walk(m, at, inner);
		free(inner);
		free(names[i]);
	}
	free(names);
}

static void
walk(struct sp_manifest *m, int at, const char *path)
{
	char target[SP_TARGET_MAX + 1] = "";
	struct sp_why why = { "" };
	struct sp_entry e = { .path = path, .target = "" };
	struct stat sb;
	ssize_t n;

	if (fstatat(at, path, &sb, AT_SYMLINK_NOFOLLOW) != 0)
		die(path, strerror(errno));
	e.type = S_ISREG(sb.st_mode) ? SP_ENTRY_FILE : S_ISDIR(sb.st_mode) ? SP_ENTRY_FOLDER :
	    S_ISLNK(sb.st_mode) ? SP_ENTRY_SYMLINK : (enum sp_entry_type)'?';
	e.mode = (uint16_t)(sb.st_mode & 07777);
	e.mtime_sec = sb.st_mtim.tv_sec;
	e.mtime_nsec = (uint32_t)sb.st_mtim.tv_nsec;
	e.size = (uint64_t)sb.st_size;
	if (e.type == SP_ENTRY_SYMLINK) {
		if ((n = readlinkat(at, path, target, sizeof(target) - 1)) < 0)
			die(path, strerror(errno));
		target[n] = 0;
		e.target = target;
	}
	if (e.type == SP_ENTRY_FILE && sb.st_nlink > 1) {
		const char *first = first_name_of(&sb, path);

		e.target = first != NULL ? first : "";
		e.type = first != NULL ? SP_ENTRY_HARDLINK : SP_ENTRY_FILE;
	}
	must(sp_manifest_add(m, &e, &why), &why);
	if (e.type == SP_ENTRY_FOLDER)
		walk_folder(m, at, path);
}

static void
put(const void *p, size_t n)
{
	if (fwrite(p, 1, n, stdout) != n)
		die("stdout", strerror(errno));
}

static void
put_place(const char *what, const struct sp_place *p, const struct sp_entry *e)
{
	SP_AUTO_DONE(sp_buf) path = { 0 };

	if (e != NULL)
		sp_percent_add(&path, sp_span(e->path, e->path_len));
	printf("%s %llu %llu %llu %llu%s%s\n", what, (unsigned long long)p->start, (unsigned long long)p->data_at,
	    (unsigned long long)p->data_len, (unsigned long long)p->end, e != NULL ? " " : "", sp_buf_cstr(&path));
}

static void
put_offsets(const struct sp_manifest *m, const struct sp_layout *l)
{
	struct sp_place p = sp_layout_manifest(l);

	put_place("manifest", &p, NULL);
	for (uint32_t i = 0; i < sp_manifest_count(m); i++) {
		struct sp_entry e = sp_manifest_entry(m, i);

		p = sp_layout_entry(l, i);
		put_place("entry", &p, &e);
	}
	p = sp_layout_end(l);
	put_place("end", &p, NULL);
}

/* All that is no file data: headers, the manifest's text, zeroes. */
static void
put_known(const struct sp_manifest *m, const struct sp_layout *l)
{
	static const uint8_t zeroes[SP_TAR_END];
	SP_AUTO_DONE(sp_buf) out = { 0 };
	uint64_t at = 0, left;
	struct sp_place p;

	while (sp_layout_find(l, at, &p) == SP_OK) {
		enum sp_area area = sp_place_area(&p, at, &left);

		if (area == SP_AREA_HEADER)
			must(sp_layout_header(l, &p, &out), NULL);
		else if (area == SP_AREA_ZEROES)
			sp_buf_add(&out, zeroes, left);
		else if (p.member == SP_MEMBER_MANIFEST)
			must(sp_manifest_encode(m, &out), NULL);
		at += left;
	}
	put(out.data, out.len);
}

/* The data that lies in out[0..n), which begins at offset of the tar. */
static void
read_data(const struct sp_manifest *m, const struct sp_place *p, uint64_t offset, uint8_t *out, size_t n)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	int fd;

	if (p->member == SP_MEMBER_MANIFEST) {
		must(sp_manifest_encode(m, &text), NULL);
		memcpy(out, text.data + (offset - p->data_at), n);
		return;
	}
	fd = open(sp_manifest_entry(m, p->entry).path, O_RDONLY);
	if (fd < 0 || pread(fd, out, n, (off_t)(offset - p->data_at)) != (ssize_t)n)
		die(sp_manifest_entry(m, p->entry).path, "cannot be read");
	close(fd);
}

/* One chunk of the tar: data where data is, then the rest filled in, and checked as a recipient would. */
static void
put_chunk(const struct sp_manifest *m, const struct sp_layout *l, uint64_t offset, size_t n)
{
	static uint8_t chunk[CHUNK];
	struct sp_why why = { "" };
	struct sp_place p;
	uint64_t left;

	memset(chunk, 0xa5, n);
	for (size_t at = 0; at < n; at += left) {
		must(sp_layout_find(l, offset + at, &p), &why);
		if (sp_place_area(&p, offset + at, &left) != SP_AREA_DATA)
			continue;
		read_data(m, &p, offset + at, chunk + at, left < n - at ? (size_t)left : n - at);
	}
	must(sp_layout_fill(l, offset, chunk, n), &why);
	must(sp_layout_check(l, offset, sp_span(chunk, n), &why), &why);
	put(chunk, n);
}

static void
put_tar(const struct sp_manifest *m, const struct sp_layout *l)
{
	uint64_t length = sp_layout_length(l);

	for (uint64_t at = 0; at < length; at += CHUNK)
		put_chunk(m, l, at, length - at < CHUNK ? (size_t)(length - at) : CHUNK);
}

static void
print_file(struct sp_printer *printer, const struct sp_entry *e, struct sp_print *ret_print)
{
	static uint8_t chunk[CHUNK];
	FILE *f = fopen(e->path, "rb");
	size_t n;

	if (f == NULL)
		die(e->path, strerror(errno));
	sp_printer_reset(printer, e->size);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		sp_printer_add(printer, chunk, n);
	fclose(f);
	must(sp_printer_end(printer, ret_print), &(struct sp_why){ "the file's size changed" });
}

static void
put_prints(const struct sp_manifest *m, bool files)
{
	SP_AUTO(sp_prints) *prints = NULL;
	SP_AUTO(sp_printer) *printer = sp_printer_new();
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_print print;

	must(sp_prints_new(m, &prints), NULL);
	for (uint32_t i = 0; i < sp_manifest_count(m); i++) {
		struct sp_entry e = sp_manifest_entry(m, i);

		if (e.type != SP_ENTRY_FILE)
			continue;
		print_file(printer, &e, &print);
		sp_prints_set(prints, i, &print);
	}
	must(files ? sp_files_encode(m, prints, &out) : sp_prints_encode(prints, &out), NULL);
	put(out.data, out.len);
}

static void
put_links(const struct sp_manifest *m)
{
	char hex[65];
	struct sp_hash paths;
	uint32_t count;

	must(sp_links_outside(m, &count, &paths), NULL);
	printf("%u %s\n", count, sp_hex(paths.b, 32, hex));
}

static void
put_manifest(const struct sp_manifest *m)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	must(sp_manifest_encode(m, &out), NULL);
	put(out.data, out.len);
}

static struct sp_manifest *
from_folder(const char *path)
{
	struct sp_manifest_head head = { .person = "alice@post.example", .station = "alice/laptop@post.example",
	    .organisation = "Post Office", .message = "two\nlines" };
	struct sp_manifest *m = NULL;
	struct sp_why why = { "" };
	char *folder = realpath(path, NULL), *slash = folder != NULL ? strrchr(folder, '/') : NULL;
	int at;

	for (size_t i = 0; i < SP_SALT_BYTES; i++)
		head.salt[i] = (uint8_t)i;
	must(sp_manifest_new(&head, &m, &why), &why);
	if (slash == NULL || slash[1] == 0)
		die(path, "no folder with a name");
	*slash = 0;
	if (chdir(slash > folder ? folder : "/") != 0 || (at = open(".", O_RDONLY | O_DIRECTORY)) < 0)
		die(folder, strerror(errno));
	walk(m, at, slash + 1);
	close(at);
	free(folder);
	return m;
}

static struct sp_manifest *
from_text(const char *path)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_manifest *m = NULL;
	struct sp_why why = { "" };
	FILE *f = fopen(path, "rb");
	uint8_t chunk[4096];
	size_t n;

	if (f == NULL)
		die(path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		sp_buf_add(&text, chunk, n);
	fclose(f);
	must(sp_manifest_parse(sp_buf_span(&text), &m, &why), &why);
	return m;
}

int
main(int argc, char **argv)
{
	const char *verb = argc == 3 ? argv[1] : "";
	bool text = strstr(verb, "-of") != NULL || strcmp(verb, "parse") == 0;
	SP_AUTO(sp_manifest) *m = NULL;
	SP_AUTO(sp_layout) *l = NULL;

	if (argc != 3)
		die("usage", "layout_tool VERB FOLDER|MANIFEST");
	m = text ? from_text(argv[2]) : from_folder(argv[2]);
	must(sp_layout_new(m, &l), NULL);
	if (strcmp(verb, "manifest") == 0 || strcmp(verb, "parse") == 0)
		put_manifest(m);
	else if (strncmp(verb, "offsets", 7) == 0)
		put_offsets(m, l);
	else if (strcmp(verb, "known-of") == 0)
		put_known(m, l);
	else if (strcmp(verb, "links-of") == 0)
		put_links(m);
	else if (strcmp(verb, "tar") == 0)
		put_tar(m, l);
	else if (strcmp(verb, "prints") == 0 || strcmp(verb, "files") == 0)
		put_prints(m, verb[0] == 'f');
	else
		die("no such verb", verb);
	for (size_t i = 0; i < first_count; i++)
		free(first_names[i].path);
	return fflush(stdout) == 0 ? 0 : 1;
}
