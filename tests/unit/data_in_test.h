/*
 * data_in_test.h - alice and bob in one process for the tests of peerd/data: a loop, two pools, one offer, and what
 * happened.
 */
#ifndef SP_TESTS_DATA_IN_TEST_H
#define SP_TESTS_DATA_IN_TEST_H

#include "common/crypto/rand.h"
#include "peerd/data/data.h"
#include "tests/unit/tree_in_test.h"
#include "tests/unit/unit.h"

/* One transfer as both sides know it, and what became of it at each. */
struct pair {
	struct sp_id id;
	struct data_receive_order receive;
	struct data_send_order send;
	struct sp_hash accept;
	bool sent, received;			/* ended */
	enum sp_status sent_status, received_status;
	struct sp_why sent_why, received_why;
	struct data_result *sent_result, *received_result;
	unsigned connected, progress;
	uint64_t sent_wire, received_wire;
};

static struct sp_loop *loop;
static struct data_pool *alice, *bob;
static struct sp_key *alice_key;
static struct sp_identity alice_identity;
static struct pair pairs[64];
static size_t npairs;
static struct source *walked;
static enum sp_status walked_status;
static unsigned awaited;		/* ends still to come before the loop stops */
static struct sp_why why;
static char received_dir[128];

static inline struct pair *
pair_of(const struct sp_id *id)
{
	for (size_t i = 0; i < npairs; i++)
		if (sp_id_eq(&pairs[i].id, id))
			return &pairs[i];
	ck_abort_msg("a happening of no transfer");
}

static inline void
one_ended(void)
{
	ck_assert_uint_gt(awaited, 0);
	if (--awaited == 0)
		sp_loop_stop(loop);
}

static inline void
on_happening(void *arg, struct data_happening *h)
{
	struct pair *p;

	(void)arg;
	if (h->what == DATA_WALKED) {
		walked_status = h->status;
		why = h->why;
		walked = h->result != NULL ? sp_take(&h->result->source) : NULL;
		one_ended();
		return;
	}
	p = pair_of(&h->transfer);
	ck_assert_uint_eq(h->generation, 7);
	p->connected += h->what == DATA_CONNECTED;
	p->progress += h->what == DATA_PROGRESS;
	if (h->what != DATA_FINISHED && h->what != DATA_BROKEN)
		return;
	*(h->sending ? &p->sent_wire : &p->received_wire) = h->wire;
	if (h->what == DATA_FINISHED)
		ck_status(h->status, SP_OK);
	else
		ck_assert_int_ne(h->status, SP_OK);
	if (h->sending) {
		ck_assert(!p->sent);
		p->sent = true;
		p->sent_status = h->status;
		p->sent_why = h->why;
		p->sent_result = sp_take(&h->result);
		ck_assert(p->sent_result != NULL && p->sent_result->source != NULL);
	} else {
		ck_assert(!p->received);
		p->received = true;
		p->received_status = h->status;
		p->received_why = h->why;
		p->received_result = sp_take(&h->result);
	}
	one_ended();
}

static inline void
wait_for(unsigned ends)
{
	awaited += ends;
	if (awaited > 0)
		ck_status(sp_loop_run(loop), SP_OK);
}

static unsigned stage_threads = 2;	/* of each side */

static inline void
stage_new(size_t chunk)
{
	struct data_settings settings = { .bind = "127.0.0.1", .port_first = 23000, .port_last = 23999,
	    .chunk = chunk,
		.threads = stage_threads, .compress = DATA_COMPRESS_ALWAYS };

	tree_new();
	snprintf(received_dir, sizeof(received_dir), "%s/received", tree_dir);
	ck_status(sp_loop_new(&loop, &why), SP_OK);
	ck_assert_msg(data_pool_new(loop, &settings, on_happening, NULL, &alice, &why) == SP_OK, "%s", why.text);
	ck_status(data_pool_new(loop, &settings, on_happening, NULL, &bob, &why), SP_OK);
	ck_status(sp_key_new(&alice_key), SP_OK);
	alice_identity = (struct sp_identity){ .role = SP_ROLE_STATION };
	ck_status(sp_name_parse(sp_span_str("alice/laptop@post.example"), &alice_identity.name), SP_OK);
	sp_key_public(alice_key, alice_identity.public_key);
}

static inline void
stage_done(void)
{
	for (size_t i = 0; i < npairs; i++) {
		data_result_free(pairs[i].sent_result);
		data_result_free(pairs[i].received_result);
	}
	data_pool_free(alice);
	data_pool_free(bob);
	sp_key_free(alice_key);
	sp_loop_free(loop);
	tree_done();
}

static inline struct source *
walk(const char *name)
{
	const char *path = tree_path(name);
	struct sp_manifest_head head = { .kind = SP_PACKET_FILES, .person = "alice@post.example",
		.station = "alice/laptop@post.example", .title = "a packet" };
	struct sp_id id = sp_id_new();

	sp_random(head.salt, sizeof(head.salt));
	ck_status(data_walk(alice, &id, 1, &path, 1, &head, NULL), SP_OK);
	wait_for(1);
	ck_assert_msg(walked_status == SP_OK, "%s", why.text);
	return sp_take(&walked);
}

/* What the letters would have settled; the source goes with the order to send. */
static inline struct pair *
agree(struct source *source)
{
	struct pair *p = &pairs[npairs++];
	struct data_receive_order *r = &p->receive;
	const struct sp_manifest *m = source_manifest(source);

	*p = (struct pair){ .id = sp_id_new() };
	*r = (struct data_receive_order){ .transfer = p->id, .generation = 7, .sender = alice_identity,
		.received = received_dir };
	ck_status(sp_x25519_new(&r->one_time), SP_OK);
	sp_random(r->token, sizeof(r->token));
	sp_random(r->offer.b, sizeof(r->offer.b));
	sp_random(p->accept.b, sizeof(p->accept.b));
	source_manifest_hash(source, &r->manifest);
	r->manifest_length = (uint32_t)sp_manifest_text_length(m);
	r->files = sp_manifest_files(m);
	r->bytes = sp_manifest_bytes(m);
	r->packet = sp_layout_length(source_layout(source));
	p->send = (struct data_send_order){ .transfer = p->id, .generation = 7, .source = source,
	    .sign_key = alice_key,
		.keys = { .offer = r->offer, .accept = p->accept, .domain = "post.example" } };
	memcpy(p->send.keys.accept_key, r->one_time.public_key, SP_X25519);
	memcpy(p->send.keys.token, r->token, sizeof(r->token));
	return p;
}

/* bob waits; where. */
static inline void
expect(struct pair *p)
{
	uint16_t port = 0;

	ck_assert_msg(data_reserve(bob, &p->receive, &port, &why) == SP_OK, "%s", why.text);
	ck_status(data_start(bob, &p->id, 7, &p->accept), SP_OK);
	p->send.addr = (struct sp_addr){ .family = 4, .ip = { 127, 0, 0, 1 }, .port = port };
}

static inline void
deliver(struct pair *p)
{
	expect(p);
	ck_status(data_send(alice, &p->send), SP_OK);
	wait_for(2);
}

static inline const char *
incoming_of(const struct pair *p)
{
	static char path[256];
	char id[SP_ID_TEXT];

	snprintf(path, sizeof(path), "%s/.incoming/%s", received_dir, sp_id_text(&p->id, id));
	return path;
}

/* Contents, names, types, modes, times, link targets and numbers of names. */
static inline void
check_same(const struct pair *p, const char *name)
{
	char command[2048];

	snprintf(command, sizeof(command), "diff -r --no-dereference '%s' '%s/%s' >&2", tree_path(name),
	    incoming_of(p), name);
	ck_assert_int_eq(system(command), 0);
	snprintf(command, sizeof(command), "f() { cd \"$1\" && find '%s' -printf '%%P\\0%%y %%m %%T@ %%l' "
	    "\\( -type d -printf '\\n' -o -printf '%%s %%n\\n' \\) | LC_ALL=C sort; }; a=$(f '%s' | sha256sum); "
	    "b=$(f '%s' | sha256sum); test \"$a\" = \"$b\"", name, tree_dir, incoming_of(p));
	ck_assert_int_eq(system(command), 0);
}

static inline void
check_delivered(const struct pair *p)
{
	ck_assert_msg(p->sent_status == SP_OK, "sender: %s", p->sent_why.text);
	ck_assert_msg(p->received_status == SP_OK, "recipient: %s", p->received_why.text);
	ck_assert_uint_eq(p->connected, 2);
	ck_assert(sp_hash_eq(&p->sent_result->files_hash, &p->received_result->files_hash));
	ck_assert(sp_hash_eq(&p->sent_result->trailer_hash, &p->received_result->trailer_hash));
	ck_assert(sp_hash_eq(&p->sent_result->manifest_hash, &p->received_result->manifest_hash));
	ck_assert_uint_eq(p->sent_result->changed, p->received_result->changed);
	ck_assert_ptr_nonnull(p->received_result->place);
}

#endif
