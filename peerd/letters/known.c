/*
 * known.c - three hash indexes over one list. Keys and hashes are random already; names are hashed.
 */
#include "peerd/letters/known.h"

static size_t
bucket_of_bytes(const uint8_t *p)
{
	return (size_t)(p[0] | p[1] << 8) % KNOWN_BUCKETS;
}

static size_t
bucket_of_name(const char *name)
{
	uint32_t h = 2166136261u;

	while (*name != '\0')
		h = (h ^ (uint8_t)*name++) * 16777619u;
	return h % KNOWN_BUCKETS;
}

static size_t
bucket_of(const struct known *k, enum known_index index)
{
	switch (index) {
	case KNOWN_BY_KEY:
		return bucket_of_bytes(k->c.identity.letter_key);
	case KNOWN_BY_CERT:
		return bucket_of_bytes(k->c.identity.hash.b);
	default:
		return bucket_of_name(k->name);
	}
}

static void
enter(struct known_table *t, struct known *k)
{
	for (enum known_index i = 0; i < KNOWN_INDEXES; i++) {
		struct known **head = &t->buckets[i][bucket_of(k, i)];

		k->chain[i] = *head;
		*head = k;
	}
}

static void
leave(struct known_table *t, struct known *k)
{
	for (enum known_index i = 0; i < KNOWN_INDEXES; i++) {
		struct known **at = &t->buckets[i][bucket_of(k, i)];

		while (*at != k)
			at = &(*at)->chain[i];
		*at = k->chain[i];
	}
}

static struct known *
known_new(struct known_table *t, const char *name)
{
	struct known *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	strcpy(k->name, name);
	k->older = t->newest;
	if (t->newest != NULL)
		t->newest->newer = k;
	else
		t->oldest = k;
	t->newest = k;
	t->count++;
	t->strangers++;
	return k;
}

struct known *
known_put(struct known_table *t, const struct sp_identity *identity, struct sp_span cert)
{
	SP_AUTO_DONE(sp_buf) copy = { 0 };
	char name[SP_NAME_TEXT];
	struct known *k = known_by_name(t, sp_identity_text(identity, name));

	sp_buf_add_span(&copy, cert);
	if (sp_buf_status(&copy) != SP_OK)
		return NULL;
	if (k != NULL)
		leave(t, k);
	else if ((k = known_new(t, name)) == NULL)
		return NULL;
	sp_buf_done(&k->c.cert);
	k->c.cert = copy;
	copy = (struct sp_buf){ 0 };
	k->c.identity = *identity;
	enter(t, k);
	return k;
}

void
known_remove(struct known_table *t, struct known *k)
{
	leave(t, k);
	if (k->newer != NULL)
		k->newer->older = k->older;
	else
		t->newest = k->older;
	if (k->older != NULL)
		k->older->newer = k->newer;
	else
		t->oldest = k->newer;
	t->count--;
	t->strangers -= k->c.in_book ? 0 : 1;
	sp_buf_done(&k->c.cert);
	free(k);
}

void
known_clear(struct known_table *t)
{
	while (t->newest != NULL)
		known_remove(t, t->newest);
}

void
known_set_in_book(struct known_table *t, struct known *k, bool in_book)
{
	if (k->c.in_book == in_book)
		return;
	k->c.in_book = in_book;
	t->strangers += in_book ? (size_t)-1 : 1;
}

struct known *
known_by_key(const struct known_table *t, const uint8_t letter_key[SP_X25519])
{
	struct known *k = t->buckets[KNOWN_BY_KEY][bucket_of_bytes(letter_key)];

	while (k != NULL && memcmp(k->c.identity.letter_key, letter_key, SP_X25519) != 0)
		k = k->chain[KNOWN_BY_KEY];
	return k;
}

struct known *
known_by_cert(const struct known_table *t, const struct sp_hash *cert)
{
	struct known *k = t->buckets[KNOWN_BY_CERT][bucket_of_bytes(cert->b)];

	while (k != NULL && !sp_hash_eq(&k->c.identity.hash, cert))
		k = k->chain[KNOWN_BY_CERT];
	return k;
}

struct known *
known_by_name(const struct known_table *t, const char *name)
{
	struct known *k = t->buckets[KNOWN_BY_NAME][bucket_of_name(name)];

	while (k != NULL && strcmp(k->name, name) != 0)
		k = k->chain[KNOWN_BY_NAME];
	return k;
}

bool
identity_is_of(const struct sp_identity *id, const struct sp_name *name)
{
	return id->role == SP_ROLE_STATION && strcmp(id->name.person, name->person) == 0 &&
	    strcmp(id->name.domain, name->domain) == 0 &&
	    (name->station[0] == '\0' || strcmp(id->name.station, name->station) == 0);
}
