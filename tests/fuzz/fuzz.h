/*
 * fuzz.h - what every fuzz target is made of. A target is one function that takes hostile bytes, gives them to a parser
 * and holds the parser to its promises: no crash, one form only, what is read is written as the same bytes.
 *
 * The same file is linked with driver.c (replay and seeded mutation) or with libFuzzer. Targets keep nothing from one input
 * to the next and do the same with the same input.
 */
#ifndef SP_TESTS_FUZZ_H
#define SP_TESTS_FUZZ_H

#include "common/base/buf.h"
#include "common/base/cursor.h"
#include "common/wire/msg.h"

/* The target. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many inputs got through the parser: a corpus of which none does proves nothing. Targets count with fuzz_accept(). */
extern uint64_t fuzz_accepted;
static inline void fuzz_accept(void) { fuzz_accepted++; }

/* A promise of the code under test, or of the target's own making. A broken one ends the program. */
#define fuzz_must(holds)                                                                                     \
	do {                                                                                                 \
		if (!(holds))                                                                                \
			fuzz_broken(__FILE__, __LINE__, #holds);                                             \
	} while (0)
#define fuzz_ok(call) fuzz_must((call) == SP_OK)
_Noreturn void fuzz_broken(const char *file, int line, const char *promise);

/* A reason must be there for people, and end. */
void fuzz_reason(const struct sp_why *why);

/* Decodes bytes by the row into msg (desc->size bytes); true if that went well. Then what it is encodes to the same bytes but for
 * unknown fields, and can be shown. */
bool fuzz_decode(const struct sp_desc *desc, struct sp_span bytes, void *msg);

/* The two texts or statements must be the same bytes. */
void fuzz_same(struct sp_span a, struct sp_span b);

/* For inputs of two parts: up to the first zero byte, and what follows it (all of it and nothing if there is none). */
void fuzz_split(struct sp_span in, struct sp_span *ret_first, struct sp_span *ret_second);

#endif
