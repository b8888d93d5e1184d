/*
 * conf_fuzz.c - a settings file of peerd: what is read can be printed, and what is printed reads back to the same.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "peerd/settings.h"
#include "tests/fuzz/fuzz.h"

/* libconfig 1.5 forgets what it has read of a file when it finds a mistake in it; a daemon with such settings ends anyway. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig\n";
}

/* Reads the bytes as a file; its text as printed is appended. */
static enum sp_status
read_file(struct sp_span in, struct sp_buf *out, struct sp_why *why)
{
	SP_AUTO_FD fd = memfd_create("conf", MFD_CLOEXEC);
	struct peer_settings settings = { 0 };
	char path[64];
	enum sp_status st;

	fuzz_must(fd >= 0 && write(fd, in.p, in.n) == (ssize_t)in.n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	st = sp_conf_read(peer_conf, peer_conf_count, path, &settings, why);
	if (st != SP_OK)
		return st;
	sp_conf_print(peer_conf, peer_conf_count, &settings, out);
	if (peer_settings_check(&settings, why) != SP_OK)
		fuzz_must(why->text[0] != 0);
	sp_conf_done(peer_conf, peer_conf_count, &settings);
	return sp_buf_status(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_DONE(sp_buf) first = { 0 }, second = { 0 };
	struct sp_why why = { "" };

	if (read_file(sp_span(data, size), &first, &why) != SP_OK) {
		fuzz_must(why.text[0] != 0);
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	fuzz_ok(read_file(sp_buf_span(&first), &second, &why));
	fuzz_same(sp_buf_span(&first), sp_buf_span(&second));
	return 0;
}
