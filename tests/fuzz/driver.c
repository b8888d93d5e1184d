/*
 * driver.c - runs a fuzz target without libFuzzer: replays its corpus, then mutates it with a seeded generator for a time.
 *
 *   tests/fuzz/NAME_fuzz              the corpus in $FUZZ_CORPUS/NAME, then $SEALPOST_FUZZ_SECONDS (1) of mutations,
 *                                     beginning with $SEALPOST_FUZZ_SEED (1)
 *   tests/fuzz/NAME_fuzz FILE...      these inputs and nothing else
 *
 * The target runs in a child; the input at hand lies in shared memory, so that it is there to be saved whatever the child
 * dies of. A corpus that is missing, empty, or of which the parser accepts nothing is a failure.
 */
#include "tests/fuzz/mutate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tests/fuzz/fuzz.h"

#define HANG_S 30			/* one input may take so long, sanitizers and a busy machine included */
#define MEMORY_MAX (64u << 20)		/* and ask for no piece of memory larger than this */

/* What parent and child share. */
struct stage {
	volatile uint64_t replayed, mutated, accepted;
	volatile uint64_t ticks;	/* grows with each input */
	volatile bool mutating;
	size_t len;
	uint8_t data[FUZZ_INPUT_MAX];
};
static struct stage *stage;
static const char *target;

/* ---- a parser that asks for memory as an attacker tells it is at fault, too ---- */
#ifdef __SANITIZE_ADDRESS__
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
    void (*on_free)(const volatile void *));

static void
on_malloc(const volatile void *p, size_t n)
{
	(void)p;
	if (n > MEMORY_MAX) {
		fprintf(stderr, "%s: %zu bytes of memory at once\n", target, n);
		abort();
	}
}

static void
on_free(const volatile void *p)
{
	(void)p;
}

static void
watch_memory(void)
{
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}
#else
static void
watch_memory(void)
{
}
#endif

/* The bytes in memory of exactly their size, so that a sanitizer sees the first step beyond them. */
static void
run(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n > 0 ? n : 1);

	fuzz_must(exact != NULL && n <= FUZZ_INPUT_MAX);
	memcpy(exact, data, n);
	memcpy(stage->data, data, n);
	stage->len = n;
	stage->ticks++;
	fuzz_must(LLVMFuzzerTestOneInput(exact, n) == 0);
	free(exact);
	stage->accepted = fuzz_accepted;
}

static double
seconds(void)
{
	return (double)sp_clock_boot_ms() / 1000;
}

static uint64_t
from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && text[0] != 0 ? strtoull(text, NULL, 10) : otherwise;
}

/* The child: everything once, then changed until the time is over. */
static void
child(const struct corpus *corpus, uint64_t seed)
{
	double end = seconds() + (double)from_environment("SEALPOST_FUZZ_SECONDS", 1);
	static uint8_t changed[FUZZ_INPUT_MAX];
	struct mutator m = mutator(corpus, seed);

	watch_memory();
	for (size_t i = 0; i < corpus->count; i++, stage->replayed++)
		run(corpus->inputs[i].data, corpus->inputs[i].len);
	if (fuzz_accepted == 0) {
		fprintf(stderr, "%s: the parser accepts nothing of its corpus\n", target);
		_exit(3);
	}
	for (stage->mutating = true; seconds() < end;)
		for (int i = 0; i < 16; i++, stage->mutated++)
			run(changed, mutate(&m, changed));
	exit(0);
}

/* What the child ended with; a child that stands still is ended. */
static int
wait_for(pid_t pid)
{
	const struct timespec tick = { 0, 20 * 1000 * 1000 };
	uint64_t ticks = stage->ticks;
	double since = seconds();
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return status;
		if (stage->ticks != ticks) {
			ticks = stage->ticks;
			since = seconds();
		} else if (seconds() - since > HANG_S) {
			fprintf(stderr, "%s: one input takes more than %d s\n", target, HANG_S);
			kill(pid, SIGKILL);
			since = seconds();
		}
		nanosleep(&tick, NULL);
	}
}

static void
save_input(void)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.crash", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : ".", target);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(stage->data, 1, stage->len, f) != stage->len || fclose(f) != 0)
		fprintf(stderr, "%s: cannot keep the input in %s\n", target, path);
	printf("%s: the input is in %s (%zu bytes); run it again: tests/fuzz/%s_fuzz %s\n", target, path, stage->len, target, path);
	printf("%s: as text:", target);
	for (size_t i = 0; i < stage->len && i < 600; i++)
		printf("%s%02x", i % 32 == 0 ? "\n  " : "", stage->data[i]);
	printf("\n");
}

static int
fuzz(const char *folder)
{
	uint64_t seed = from_environment("SEALPOST_FUZZ_SEED", 1);
	struct corpus corpus = { 0 };
	double began = seconds();
	int status, bad;
	pid_t pid;

	if (!corpus_read(&corpus, folder) || corpus.count == 0) {
		fprintf(stderr, "%s: no corpus in %s\n", target, folder);
		printf("0%%: Checks: 1, Failures: 1, Errors: 0\n");
		return 1;
	}
	fflush(stdout);
	if ((pid = fork()) == 0)
		child(&corpus, seed);
	status = wait_for(pid);
	bad = pid < 0 || status != 0;
	if (bad)
		save_input();
	printf("%s: %zu inputs replayed, %llu mutated (seed %llu) in %.1f s, %llu accepted\n", target, (size_t)stage->replayed,
	    (unsigned long long)stage->mutated, (unsigned long long)seed, seconds() - began, (unsigned long long)stage->accepted);
	printf("%d%%: Checks: 2, Failures: %d, Errors: 0\n", bad ? 50 : 100, bad);
	corpus_done(&corpus);
	return bad;
}

static int
run_files(int count, char **paths)
{
	struct corpus corpus = { 0 };

	watch_memory();
	for (int i = 0; i < count; i++)
		if (!corpus_add(&corpus, paths[i])) {
			fprintf(stderr, "%s: %s cannot be read, or is longer than %u bytes\n", target, paths[i], FUZZ_INPUT_MAX);
			return 2;
		}
	for (size_t i = 0; i < corpus.count; i++)
		run(corpus.inputs[i].data, corpus.inputs[i].len);
	printf("%s: %zu inputs, %llu accepted\n", target, corpus.count, (unsigned long long)fuzz_accepted);
	corpus_done(&corpus);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *corpora = getenv("FUZZ_CORPUS");
	char *name = strdup(slash != NULL ? slash + 1 : argv[0]), *end = strstr(name, "_fuzz"), folder[1024];
	int status;

	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fuzz_must(stage != MAP_FAILED && end != NULL);
	*end = 0;
	target = name;
	snprintf(folder, sizeof(folder), "%s/%s", corpora != NULL ? corpora : "tests/fuzz/corpus", target);
	status = argc > 1 ? run_files(argc - 1, argv + 1) : fuzz(folder);
	free(name);
	return status;
}
