/*
 * mutate.h - a corpus in memory, and inputs made from it by a seeded generator: the same seed gives the same inputs.
 */
#ifndef SP_TESTS_FUZZ_MUTATE_H
#define SP_TESTS_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_INPUT_MAX (72u << 10)	/* bytes: a little more than the longest letter */

struct input {
	uint8_t *data;		/* owned */
	size_t len;
};
struct corpus {
	struct input *inputs;	/* owned */
	size_t count;
};

/* Adds a file; all files of a folder, by name. False if one cannot be read or is too long. */
bool corpus_add(struct corpus *c, const char *path);
bool corpus_read(struct corpus *c, const char *folder);
void corpus_done(struct corpus *c);

struct mutator {
	const struct corpus *corpus;	/* borrowed, not empty */
	uint64_t state;
};
struct mutator mutator(const struct corpus *corpus, uint64_t seed);

/* The next input, another than the one that it was made from; its length. */
size_t mutate(struct mutator *m, uint8_t out[FUZZ_INPUT_MAX]);

#endif
