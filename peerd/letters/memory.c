/*
 * memory.c - entries in the order of their coming, which is the order in which they are forgotten: one list of all,
 * one for each sender. Places in the tables depend on a secret, so that nobody can choose them.
 */
#include "peerd/letters/memory.h"

#include "common/base/limits.h"
#include "common/crypto/hash.h"
#include "common/crypto/rand.h"

#define BUCKETS 16384
#define SENDER_BUCKETS 1024

/* A letter may be as new as the window allows, and comes again until it is as old as that. */
#define KEEP_MS (2ull * SP_LETTER_WINDOW_MS)

struct sender {
	struct sp_hash key;
	struct sender *chain;
	struct entry *first, *last;	/* oldest, newest */
	size_t count;
};

struct entry {
	struct sp_hash key;
	struct sp_hash core;
	struct sp_buf answer;
	void *holder;
	uint64_t until_ms;
	struct sender *sender;
	struct entry *chain;
	struct entry *newer, *older;		/* of all */
	struct entry *later, *earlier;		/* of the sender's */
};

struct memory {
	uint8_t secret[16];
	struct entry *buckets[BUCKETS];
	struct sender *senders[SENDER_BUCKETS];
	struct entry *oldest, *newest;
	size_t count;
};

struct memory *
memory_new(void)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m != NULL)
		sp_random(m->secret, sizeof(m->secret));
	return m;
}

static struct sp_hash
place(const struct memory *m, struct sp_span sender, struct sp_span id)
{
	const struct sp_span parts[] = { sp_span(m->secret, sizeof(m->secret)), sender, id };
	struct sp_hash hash;

	sp_sha256_parts(parts, 3, &hash);
	return hash;
}

static size_t
bucket(const struct sp_hash *hash, size_t buckets)
{
	return (size_t)(hash->b[0] | hash->b[1] << 8) % buckets;
}

static struct entry *
find(const struct memory *m, const struct memory_key *key, struct sp_hash *ret_place)
{
	struct sp_hash at = place(m, sp_span(key->sender, SP_X25519), sp_span(key->id.b, sizeof(key->id.b)));
	struct entry *e = m->buckets[bucket(&at, BUCKETS)];

	while (e != NULL && !sp_hash_eq(&e->key, &at))
		e = e->chain;
	*ret_place = at;
	return e;
}

static struct sender **
find_sender(struct memory *m, const struct sp_hash *key)
{
	struct sender **at = &m->senders[bucket(key, SENDER_BUCKETS)];

	while (*at != NULL && !sp_hash_eq(&(*at)->key, key))
		at = &(*at)->chain;
	return at;
}

static void
leave_sender(struct memory *m, struct entry *e)
{
	struct sender *s = e->sender, **at;

	*(e->later != NULL ? &e->later->earlier : &s->last) = e->earlier;
	*(e->earlier != NULL ? &e->earlier->later : &s->first) = e->later;
	if (--s->count > 0)
		return;
	at = find_sender(m, &s->key);
	*at = s->chain;
	free(s);
}

static void
drop(struct memory *m, struct entry *e)
{
	struct entry **at = &m->buckets[bucket(&e->key, BUCKETS)];

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	*(e->newer != NULL ? &e->newer->older : &m->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &m->oldest) = e->newer;
	leave_sender(m, e);
	sp_buf_done(&e->answer);
	m->count--;
	free(e);
}

void
memory_free(struct memory *m)
{
	if (m == NULL)
		return;
	while (m->oldest != NULL)
		drop(m, m->oldest);
	free(m);
}

static struct sender *
sender_of(struct memory *m, const struct memory_key *key)
{
	struct sp_hash at = place(m, sp_span(key->sender, SP_X25519), sp_span(NULL, 0));
	struct sender **slot = find_sender(m, &at);

	if (*slot == NULL && (*slot = calloc(1, sizeof(**slot))) != NULL)
		(*slot)->key = at;
	return *slot;
}

static bool
enter(struct memory *m, const struct memory_key *key, const struct sp_hash *at, const struct sp_hash *core,
    uint64_t boot_ms)
{
	struct entry *e = calloc(1, sizeof(*e)), **head = &m->buckets[bucket(at, BUCKETS)];
	struct sender *s = e != NULL ? sender_of(m, key) : NULL;

	if (s == NULL) {
		free(e);
		return false;
	}
	*e = (struct entry){ .key = *at, .core = *core, .until_ms = boot_ms + KEEP_MS, .sender = s, .chain = *head,
		.older = m->newest, .earlier = s->last };
	*head = e;
	*(m->newest != NULL ? &m->newest->newer : &m->oldest) = e;
	*(s->last != NULL ? &s->last->later : &s->first) = e;
	m->newest = s->last = e;
	m->count++;
	if (++s->count > SP_LETTER_MEMORY_SENDER)
		drop(m, s->first);
	else if (m->count > SP_LETTER_MEMORY)
		drop(m, m->oldest);
	return true;
}

enum memory_verdict
memory_look(struct memory *m, const struct memory_key *key, const struct sp_hash *core, uint64_t boot_ms,
    struct memory_seen *ret_seen)
{
	struct sp_hash at;
	struct entry *e;

	while (m->oldest != NULL && m->oldest->until_ms <= boot_ms)
		drop(m, m->oldest);
	if ((e = find(m, key, &at)) == NULL)
		return enter(m, key, &at, core, boot_ms) ? MEMORY_NEW : MEMORY_NONE;
	if (!sp_hash_eq(&e->core, core))
		return MEMORY_OTHER;
	*ret_seen = (struct memory_seen){ sp_buf_span(&e->answer), e->holder };
	return MEMORY_AGAIN;
}

void
memory_hold(struct memory *m, const struct memory_key *key, void *holder)
{
	struct sp_hash at;
	struct entry *e = find(m, key, &at);

	if (e != NULL)
		e->holder = holder;
}

void
memory_answer(struct memory *m, const struct memory_key *key, struct sp_span answer)
{
	struct sp_hash at;
	struct entry *e = find(m, key, &at);

	if (e == NULL)
		return;
	e->holder = NULL;
	sp_buf_clear(&e->answer);
	sp_buf_add_span(&e->answer, answer);
	if (sp_buf_status(&e->answer) != SP_OK)
		drop(m, e);
}

void
memory_forget(struct memory *m, const struct memory_key *key)
{
	struct sp_hash at;
	struct entry *e = find(m, key, &at);

	if (e != NULL)
		drop(m, e);
}

size_t
memory_count(const struct memory *m)
{
	return m->count;
}
