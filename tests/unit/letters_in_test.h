/*
 * letters_in_test.h - for tests of letters: a provider's certificates, and stations that need no files and no keyd:
 * the station_… functions are these, so that the library's own are not linked.
 */
#ifndef SP_TESTS_LETTERS_IN_TEST_H
#define SP_TESTS_LETTERS_IN_TEST_H

#include <stdio.h>

#include "common/base/file.h"
#include "common/net/addr.h"
#include "peerd/letters/post.h"
#include "tests/unit/authority_in_test.h"
#include "tests/unit/loop_in_test.h"

#define PARTIES 8

struct member {
	struct authority *authority;
	struct sp_key *key;
	struct sp_x25519_pair letter;
	struct sp_identity identity;
	struct sp_buf cert;
	bool enrolled;
};

/* One station with all that it needs. */
struct party {
	struct member station;
	struct store *store;
	struct book *book;
	struct post *post;
	char name[SP_NAME_TEXT];
};

static char folder[64];
static struct authority office, liars;
static struct party *parties[PARTIES];
static size_t nparties;

/* What the directory says to a look-up: the certificates of the first parties that fit, or this failure. */
static enum sp_status lookup_status;
static size_t lookup_parties;

/* ---- the station ---- */
bool member_is_enrolled(const struct member *s) { return s->enrolled; }
const struct sp_identity *member_identity(const struct member *s) { return &s->identity; }
struct sp_span member_cert(const struct member *s) { return sp_buf_span(&s->cert); }
const struct sp_key *member_key(const struct member *s) { return s->key; }
const struct sp_x25519_pair *member_letter_pair(const struct member *s) { return &s->letter; }
const struct sp_trust *member_trust(const struct member *s) { return s->authority->trust; }

struct lookup {
	struct sp_timer *timer;
	char name[SP_NAME_TEXT];
	member_lookup_fn *fn;
	void *arg;
};

static inline void
lookup_answers(void *arg)
{
	struct lookup *l = arg;
	struct sp_span certs[PARTIES];
	struct sp_why why = { "" };
	struct lookup copy = *l;
	size_t n = 0;

	sp_timer_free(l->timer);
	free(l);
	if (lookup_status != SP_OK)
		sp_fail(lookup_status, &why, "the directory says no");
	for (size_t i = 0; i < lookup_parties; i++)
		certs[n++] = sp_buf_span(&parties[i]->station.cert);
	copy.fn(copy.arg, lookup_status, &why, certs, lookup_status == SP_OK ? n : 0);
}

void
member_lookup(struct member *s, const char *name, member_lookup_fn *fn, void *arg)
{
	struct lookup *l = calloc(1, sizeof(*l));

	(void)s;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->fn = fn;
	l->arg = arg;
	l->timer = sp_timer_new(loop, lookup_answers, l);
	sp_timer_set(l->timer, 1);
}

/* ---- certificates ---- */
/* Keys and a certificate from days ago to days ahead, under the authority. */
static inline void
make_station(struct member *s, struct authority *a, const char *name, int begins, int ends)
{
	struct sp_identity id = { .role = SP_ROLE_STATION, .has_keys = true };
	struct sp_x25519_pair age;
	struct sp_why why;

	ck_status(sp_name_parse(sp_span_str(name), &id.name), SP_OK);
	ck_status(sp_key_new(&s->key), SP_OK);
	ck_status(sp_x25519_new(&s->letter), SP_OK);
	ck_status(sp_x25519_new(&age), SP_OK);
	sp_key_public(s->key, id.public_key);
	memcpy(id.letter_key, s->letter.public_key, SP_X25519);
	memcpy(id.age_key, age.public_key, SP_X25519);
	issue(a, &id, begins, ends, &s->cert);
	ck_status(sp_identity_read(sp_buf_span(&s->cert), &s->identity, &why), SP_OK);
	s->authority = a;
	s->enrolled = true;
}

static inline void
free_station(struct member *s)
{
	sp_key_free(s->key);
	sp_buf_done(&s->cert);
	memset(s, 0, sizeof(*s));
}

/* ---- the loop ---- */
static inline void
stop(void *arg)
{
	(void)arg;
	sp_loop_stop(loop);
}

/* Lets the loop run for some time. */
static inline void
run_for(uint64_t ms)
{
	SP_AUTO(sp_timer) *t = sp_timer_new(loop, stop, NULL);

	sp_timer_set(t, ms);
	run_loop();
}

/* ---- parties ---- */
static inline void
book_is_ready(void *arg, enum sp_status st, const struct sp_why *why)
{
	(void)arg;
	ck_assert_msg(st == SP_OK, "%s", why->text);
	sp_loop_stop(loop);
}

static inline void
start_party(struct party *p)
{
	struct sp_why why;
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, p->station.identity.name.person);
	ck_status(store_new(loop, path, &p->store, &why), SP_OK);
	p->book = book_new(p->store, &p->station, book_is_ready, p);
	ck_assert_ptr_nonnull(p->book);
	run_loop();
}

static inline void
start_post(struct party *p, bool silent)
{
	const struct post_settings settings = { .bind = "127.0.0.1", .silent_to_strangers = silent, .tries = 5,
		.first_ms = 20, .tcp_ms = 1000 };
	struct sp_why why;

	ck_status(post_new(loop, &p->station, p->book, &settings, &p->post, &why), SP_OK);
}

static inline struct party *
make_party(const char *name, struct authority *a)
{
	struct party *p = calloc(1, sizeof(*p));

	make_station(&p->station, a, name, -1, 90);
	snprintf(p->name, sizeof(p->name), "%s", name);
	parties[nparties++] = p;
	start_party(p);
	return p;
}

static inline void
stop_party(struct party *p)
{
	post_free(p->post);
	book_free(p->book);
	store_free(p->store);
	p->post = NULL;
	p->book = NULL;
	p->store = NULL;
}

static inline void
set_up(void)
{
	struct sp_why why;

	strcpy(folder, "/tmp/sealpost-letters.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_status(sp_loop_new(&loop, &why), SP_OK);
	make_authority(&office);
	make_authority(&liars);
}

static inline void
tear_down(void)
{
	while (nparties > 0) {
		struct party *p = parties[--nparties];

		stop_party(p);
		free_station(&p->station);
		free(p);
	}
	free_authority(&office);
	free_authority(&liars);
	sp_loop_free(loop);
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}

/* ---- books ---- */
static enum sp_status book_status;
static struct sp_why book_why;

static inline void
book_answered(void *arg, enum sp_status st, const struct sp_why *why)
{
	(void)arg;
	book_status = st;
	book_why = *why;
	sp_loop_stop(loop);
}

static inline enum sp_status
add_to_book(struct party *p, const char *name, const char *address)
{
	lookup_parties = nparties;
	book_add(p->book, name, address, book_answered, NULL);
	run_loop();
	return book_status;
}

#endif
