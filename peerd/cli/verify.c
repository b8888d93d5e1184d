/*
 * verify.c - sealpost verify: a receipt, and whether files are those that it lists. Offline; peerd is not asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "common/packet/files_txt.h"
#include "peerd/cli/proof.h"

struct tally {
	unsigned long long same, other, missing, unlisted;
};

static bool
hash_file(int fd, uint64_t size, struct sp_print *ret_print)
{
	static uint8_t block[256 * 1024];
	SP_AUTO(sp_printer) *p = sp_printer_new();

	if (p == NULL)
		return false;
	sp_printer_reset(p, size);
	for (;;) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		sp_printer_add(p, block, (size_t)n);
	}
	return sp_printer_end(p, ret_print) == SP_OK;
}

static void
say(const struct cli *cli, const char *word, const char *path)
{
	SP_AUTO_DONE(sp_buf) safe = { 0 };

	if (cli->json)
		return;
	sp_printable_add(&safe, sp_span_str(path));
	printf("  %s: %s\n", word, sp_buf_cstr(&safe));
}

/* A line of the list against the file that lies at base/rest. */
static void
check_line(struct cli *cli, const struct sp_files_line *line, const char *file, struct tally *t)
{
	SP_AUTO_FD fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct sp_print print;
	struct stat sb;

	if (line->print.state == SP_PRINT_CHANGED)
		return;		/* it was not delivered */
	if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
		t->missing++;
		say(cli, "missing", file);
		return;
	}
	if ((uint64_t)sb.st_size == line->size && hash_file(fd, line->size, &print) &&
	    sp_print_eq(&print, &line->print)) {
		t->same++;
		return;
	}
	t->other++;
	say(cli, "DIFFERENT", file);
}

/* PATH stands for the list's entry of its last component, or for the folder that holds all of them. */
static void
check_path(struct cli *cli, const struct sp_files *files, const char *path, struct tally *t)
{
	char real[PATH_MAX];
	const char *base;
	size_t n;
	bool any = false;

	if (realpath(path, real) == NULL) {
		t->missing++;
		say(cli, "missing", path);
		return;
	}
	base = strrchr(real, '/') + 1;
	n = strlen(base);
	for (uint32_t i = 0; i < sp_files_count(files); i++) {
		struct sp_files_line line = sp_files_line(files, i);
		SP_AUTO_DONE(sp_buf) file = { 0 };

		if (strncmp(line.path, base, n) != 0 || (line.path[n] != '/' && line.path[n] != 0))
			continue;
		any = true;
		sp_buf_addf(&file, "%s%s", real, line.path + n);
		check_line(cli, &line, sp_buf_cstr(&file), t);
	}
	for (uint32_t i = 0; !any && i < sp_files_count(files); i++) {
		struct sp_files_line line = sp_files_line(files, i);
		SP_AUTO_DONE(sp_buf) file = { 0 };

		sp_buf_addf(&file, "%s/%s", real, line.path);
		check_line(cli, &line, sp_buf_cstr(&file), t);
	}
	if (sp_files_count(files) == 0)
		t->unlisted++;
}

static int
check_files(struct cli *cli, const struct sp_buf *file, char **paths, int count)
{
	SP_AUTO(sp_files) *files = NULL;
	struct sp_receipt_parts parts;
	struct sp_why why = { "" };
	struct tally t = { 0 };
	enum sp_status st = sp_receipt_file_read(sp_buf_span(file), &parts, &why);

	if (st == SP_OK)
		st = sp_files_parse(parts.files_txt, &files, &why);
	if (st != SP_OK) {
		fprintf(stderr, "sealpost: the list of files is not good: %s\n", why.text);
		return CLI_FAILED;
	}
	for (int i = 0; i < count; i++)
		check_path(cli, files, paths[i], &t);
	if (cli->json)
		printf("{\"same\":%llu,\"different\":%llu,\"missing\":%llu}\n", t.same, t.other, t.missing);
	else
		printf("  files: %llu as the receipt lists them, %llu different, %llu missing\n", t.same, t.other, t.missing);
	return t.other == 0 && t.missing == 0 && t.unlisted == 0 ? CLI_DONE : CLI_FAILED;
}

int
verb_verify(struct cli *cli, int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) file = { 0 };
	struct sp_receipt_proof proof;
	int rest, status = cli_options("verify", NULL, 0, argc, argv, &rest);

	if (status != CLI_DONE)
		return status;
	if (rest < 1)
		return cli_usage("verify", "a .receipt FILE is needed");
	if ((status = proof_read(cli, argv[0], &file, &proof)) != CLI_DONE)
		return status;
	proof_say(cli, argv[0], &proof);
	return rest > 1 ? check_files(cli, &file, argv + 1, rest - 1) : CLI_DONE;
}
