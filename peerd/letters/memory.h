/*
 * memory.h - inside peerd/letters: which letters were seen lately, and what they were answered. Times are given in;
 * no letters are sent. Bounded in all and for each sender; when full the oldest is forgotten (every handler may run
 * twice).
 */
#ifndef PEERD_LETTERS_MEMORY_H
#define PEERD_LETTERS_MEMORY_H

#include "common/base/auto.h"
#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/crypto/x25519.h"

struct memory;
struct memory *memory_new(void);	/* NULL when out of memory */
void memory_free(struct memory *m);
SP_AUTO_DEFINE(memory);

/* A letter by its sender's proved key and its id; core: hash of its bytes without the macs. */
struct memory_key {
	uint8_t sender[SP_X25519];
	struct sp_id id;
};

enum memory_verdict {
	MEMORY_NEW,		/* not seen; it is from now on */
	MEMORY_AGAIN,		/* the same letter; ret_seen says what became of it */
	MEMORY_OTHER,		/* the id of another letter */
	MEMORY_NONE,		/* out of memory: as if it had never come */
};
struct memory_seen {
	struct sp_span answer;	/* empty: not answered yet. Borrowed until the next call */
	void *holder;		/* who has it now, as memory_hold() said */
};
enum memory_verdict memory_look(struct memory *m, const struct memory_key *key, const struct sp_hash *core,
    uint64_t boot_ms, struct memory_seen *ret_seen);

/* Who handles it. */
void memory_hold(struct memory *m, const struct memory_key *key, void *holder);

/* It was answered so; nobody holds it any more. Fine if it is forgotten already. */
void memory_answer(struct memory *m, const struct memory_key *key, struct sp_span answer);

/* As if it had never come. */
void memory_forget(struct memory *m, const struct memory_key *key);

size_t memory_count(const struct memory *m);

#endif
